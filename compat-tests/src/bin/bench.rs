//! `make bench`: encfs-rs beside EncFS 1.9.5 in one run, on one disk. Only the ratios mean anything
//! on another machine.
//!
//! Every workload runs on a fresh mount of a volume with standard settings, three times in turns;
//! the best run of each program counts. Before reading, the volume is mounted anew and, where that
//! is allowed (root), the kernel's caches are dropped.

use std::fs::{self, File};
use std::io::{Read, Write};
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use compat_tests::mounted::Mounted;
use compat_tests::ops::bytes;
use compat_tests::oracle::Program;
use compat_tests::volumes::{PASSWORD, standard};

const ROUNDS: usize = 3;
const BIG: usize = 256 << 20;
const SMALL: usize = 2000;

/// A workload: its name, what it needs done before (on an earlier mount), and what is timed.
struct Workload {
    name: &'static str,
    before: fn(&Path) -> Result<()>,
    timed: fn(&Path) -> Result<()>,
}

const WORKLOADS: &[Workload] = &[
    Workload {
        name: "write 256 MiB",
        before: nothing,
        timed: write_big,
    },
    Workload {
        name: "read 256 MiB",
        before: write_big,
        timed: read_big,
    },
    Workload {
        name: "create 2000 files of 4 KiB",
        before: nothing,
        timed: write_small,
    },
    Workload {
        name: "read 2000 files of 4 KiB",
        before: write_small,
        timed: read_small,
    },
    Workload {
        name: "stat 2000 files",
        before: write_small,
        timed: stat_small,
    },
    Workload {
        name: "rename a folder of 2000 files",
        before: write_small,
        timed: rename_folder,
    },
    Workload {
        name: "remove 2000 files",
        before: write_small,
        timed: remove_small,
    },
];

fn main() -> Result<()> {
    println!(
        "{:<32}{:>12}{:>12}{:>10}",
        "", "EncFS 1.9.5", "encfs-rs", "faster"
    );
    for workload in WORKLOADS {
        let mut best = [Duration::MAX; 2];
        for _ in 0..ROUNDS {
            for (program, best) in [Program::Encfs195, Program::EncfsRs]
                .into_iter()
                .zip(&mut best)
            {
                *best = (*best).min(run(workload, program).with_context(|| workload.name)?);
            }
        }
        let [theirs, ours] = best.map(|time| time.as_secs_f64());
        println!(
            "{:<32}{theirs:>10.3} s{ours:>10.3} s{:>9.1}x",
            workload.name,
            theirs / ours
        );
    }
    Ok(())
}

fn run(workload: &Workload, program: Program) -> Result<Duration> {
    let folder = tempfile::tempdir()?;
    let (raw, point) = (folder.path().join("raw"), folder.path().join("mnt"));
    fs::create_dir(&raw)?;
    fs::create_dir(&point)?;
    standard().write_config(&raw)?;
    let mount = Mounted::volume(program, &raw, &point, PASSWORD, &[])?;
    (workload.before)(&point)?;
    mount.unmount()?;
    rustix::fs::sync();
    // Only root may; without it both programs read from warm caches alike.
    let _ = fs::write("/proc/sys/vm/drop_caches", "3");
    let mount = Mounted::volume(program, &raw, &point, PASSWORD, &[])?;
    let start = Instant::now();
    (workload.timed)(&point)?;
    let time = start.elapsed();
    mount.unmount()?;
    Ok(time)
}

#[allow(clippy::unnecessary_wraps, reason = "one of the workloads' steps")]
fn nothing(_: &Path) -> Result<()> {
    Ok(())
}

fn write_big(point: &Path) -> Result<()> {
    let piece = bytes(1, 1 << 20);
    let mut file = File::create(point.join("big"))?;
    for _ in 0..BIG / piece.len() {
        file.write_all(&piece)?;
    }
    file.sync_all()?;
    Ok(())
}

fn read_big(point: &Path) -> Result<()> {
    let mut file = File::open(point.join("big"))?;
    let mut buffer = vec![0; 1 << 20];
    while file.read(&mut buffer)? > 0 {}
    Ok(())
}

fn small(point: &Path) -> impl Iterator<Item = std::path::PathBuf> {
    let folder = point.join("folder");
    (0..SMALL).map(move |index| folder.join(format!("file {index}")))
}

fn write_small(point: &Path) -> Result<()> {
    let contents = bytes(2, 4096);
    fs::create_dir(point.join("folder"))?;
    for path in small(point) {
        fs::write(path, &contents)?;
    }
    Ok(())
}

fn read_small(point: &Path) -> Result<()> {
    for path in small(point) {
        fs::read(path)?;
    }
    Ok(())
}

fn stat_small(point: &Path) -> Result<()> {
    for path in small(point) {
        fs::symlink_metadata(path)?;
    }
    Ok(())
}

fn rename_folder(point: &Path) -> Result<()> {
    fs::rename(point.join("folder"), point.join("another"))?;
    Ok(())
}

fn remove_small(point: &Path) -> Result<()> {
    for path in small(point) {
        fs::remove_file(path)?;
    }
    Ok(())
}
