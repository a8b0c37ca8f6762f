//! Faults that were found and mended, each with the case that showed it.

use std::fs::{self, File, OpenOptions};
use std::io::Write;

use anyhow::{Result, ensure};
use compat_tests::mounted::Mounted;
use compat_tests::oracle::Program;
use compat_tests::volumes::{PASSWORD, standard};

/// A partial last block waits for the next write where the raw storage is remote. Whoever looked
/// the name up was told the size without it, and the next append overwrote it.
#[test]
fn appending_goes_on_behind_a_held_block_after_a_lookup() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let at = |name: &str| folder.path().join(name);
    for name in ["raw", "below", "point"] {
        fs::create_dir(at(name))?;
    }
    standard().write_config(&at("raw"))?;
    // A mount counts as remote storage.
    let below = Mounted::volume(Program::EncfsRs, &at("raw"), &at("below"), PASSWORD, &[])?;
    fs::create_dir(below.path().join("raw"))?;
    standard().write_config(&below.path().join("raw"))?;
    let looked_up = ["-o", "entry_timeout=0"];
    let raw = below.path().join("raw");
    let mount = Mounted::volume(Program::EncfsRs, &raw, &at("point"), PASSWORD, &looked_up)?;
    let log = mount.path().join("log");
    let mut file = OpenOptions::new().create(true).append(true).open(&log)?;
    let mut written = Vec::new();
    for byte in b'a'..=b'z' {
        let piece = [byte; 150];
        file.write_all(&piece)?;
        written.extend_from_slice(&piece);
        let size = fs::metadata(&log)?.len();
        ensure!(size == written.len() as u64, "{size} for {}", written.len());
        for entry in fs::read_dir(mount.path())? {
            let size = entry?.metadata()?.len();
            ensure!(size == written.len() as u64, "listed: {size}");
        }
    }
    drop(file);
    ensure!(fs::read(&log)? == written, "the contents");
    // Emptied while a block is held.
    let mut file = File::create(&log)?;
    file.write_all(b"short")?;
    file.set_len(0)?;
    ensure!(fs::metadata(&log)?.len() == 0);
    file.write_all(b"x")?;
    drop(file);
    ensure!(fs::metadata(&log)?.len() == 6);
    mount.unmount()?;
    below.unmount()
}
