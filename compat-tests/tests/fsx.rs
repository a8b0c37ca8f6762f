//! fsx on a mount over a local disk: random reads, writes, truncations, maps, holes and copies of
//! one file, each read checked. It fails nothing, with standard and with paranoia settings.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use compat_tests::disk::Disk;
use compat_tests::oracle::{Program, suite};
use compat_tests::run::run;
use compat_tests::volumes::{Settings, paranoia, standard};

/// Operations of one run.
const OPERATIONS: &str = "4000";

/// Every operation that fsx knows.
const ALL: &str = "[weights]
close_open = 2
invalidate = 1
mapread = 10
mapwrite = 10
read = 10
write = 10
truncate = 8
fsync = 1
fdatasync = 1
posix_fallocate = 3
punch_hole = 5
sendfile = 3
posix_fadvise = 1
copy_file_range = 5
";

/// Without maps, so that the kernel passes each read and write on.
const NO_MAPS: &str = "[weights]
close_open = 5
invalidate = 0
mapread = 0
mapwrite = 0
read = 10
write = 20
truncate = 20
fsync = 1
fdatasync = 1
posix_fallocate = 2
punch_hole = 8
sendfile = 0
posix_fadvise = 1
copy_file_range = 8
";

/// Names of the variants (no operation of length 0: `posix_fallocate` refuses it), what the configuration begins with, and the weights.
const VARIANTS: &[(&str, &str, &str)] = &[
    (
        "everything",
        "flen = 262144\n[opsize]\nmin = 1\nmax = 65536\n",
        ALL,
    ),
    (
        "everything, later msync",
        "flen = 262144\nnomsyncafterwrite = true\n[opsize]\nmin = 1\nmax = 65536\n",
        ALL,
    ),
    (
        "everything in a large file",
        "flen = 8388608\n[opsize]\nmin = 1\nmax = 1500000\n",
        ALL,
    ),
    (
        "everything in a small file",
        "flen = 5000\n[opsize]\nmin = 1\nmax = 3000\n",
        ALL,
    ),
    ("bytes", "flen = 20000\n[opsize]\nmin = 1\nmax = 40\n", ALL),
    (
        "no maps",
        "flen = 262144\n[opsize]\nmin = 1\nmax = 65536\n",
        NO_MAPS,
    ),
    (
        "no maps, large",
        "flen = 8388608\n[opsize]\nmin = 1000\nmax = 2200000\n",
        NO_MAPS,
    ),
    (
        "no maps, around one block",
        "flen = 6000\n[opsize]\nmin = 1\nmax = 1100\n",
        NO_MAPS,
    ),
    (
        "whole blocks",
        "flen = 262144\n[opsize]\nmin = 1024\nmax = 65536\nalign = 1024\n",
        ALL,
    ),
    (
        "blocks of 1016",
        "flen = 260096\n[opsize]\nmin = 1016\nmax = 65024\nalign = 1016\n",
        NO_MAPS,
    ),
    (
        "pages",
        "flen = 1048576\n[opsize]\nmin = 4096\nmax = 262144\nalign = 4096\n",
        ALL,
    ),
];

/// Runs each variant with its own seeds on files in `folder`.
fn variants(folder: &Path) -> Result<usize> {
    let mut runs = 0;
    for (index, (name, head, weights)) in VARIANTS.iter().enumerate() {
        for seed in [1, 2] {
            let seed = (seed * 1000 + index).to_string();
            let config = tempfile::NamedTempFile::new()?;
            let mut text = format!("{head}{weights}");
            if head.contains("align") {
                // fsx rounds lengths down, and `posix_fallocate` refuses what becomes 0.
                text = text.replace("posix_fallocate = ", "posix_fallocate = 0 #");
            }
            std::fs::write(config.path(), text)?;
            let artifacts = tempfile::tempdir()?;
            let mut command = Command::new(suite("fsx")?);
            command
                .args(["-N", OPERATIONS, "-S", &seed, "-f"])
                .arg(config.path());
            command
                .arg("-P")
                .arg(artifacts.path())
                .arg(folder.join(format!("fsx-{index}-{seed}")));
            run(&mut command, b"")?
                .success()
                .with_context(|| format!("{name}, seed {seed}"))?;
            runs += 1;
        }
    }
    Ok(runs)
}

fn check(settings: &Settings) -> Result<()> {
    let disk = Disk::new()?;
    let mount = disk.public_mount(Program::EncfsRs, settings)?;
    let runs = variants(mount.path())?;
    println!(
        "fsx, {}: {runs} runs of {OPERATIONS} operations",
        settings.label()
    );
    mount.unmount()
}

#[test]
fn the_storage_itself_fails_nothing() -> Result<()> {
    let disk = Disk::new()?;
    ensure!(variants(disk.path())? == 2 * VARIANTS.len());
    Ok(())
}

#[test]
fn standard_fails_nothing() -> Result<()> {
    check(&standard())
}

#[test]
fn paranoia_fails_nothing() -> Result<()> {
    check(&paranoia())
}
