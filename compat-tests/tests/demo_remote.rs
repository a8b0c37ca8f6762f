//! `make demo-remote` plays to its end: encfs-rs brings every file back from the simulated drive.

use std::process::Command;

use anyhow::{Result, ensure};
use compat_tests::run::run;

#[test]
fn the_article_on_the_simulated_drive_ends_well() -> Result<()> {
    let mut demo = Command::new(env!("CARGO_BIN_EXE_demo-remote"));
    let shown = run(&mut demo, b"")?.success()?.out();
    for line in [
        "== EncFS 1.9.5 with its defaults",
        "file: 65 bytes instead of 29, garbage from byte 0 on",
        "== encfs-rs with the same settings",
        "== encfs-rs, which examines the storage and chooses",
        "every file is what it should be",
        "Done.",
    ] {
        ensure!(shown.contains(line), "no {line:?} in\n{shown}");
    }
    Ok(())
}
