//! KDE Plasma Vault: one call creates and mounts, `--standard` always, success by the status.
//!
//! The vault itself is a part of the Plasma desktop without a command line, so its lines are run.

use anyhow::{Context, Result, ensure};
use compat_tests::client::{Home, with_each};
use compat_tests::oracle::in_path;

use crate::list::first_version;

/// The one call; extra words of its configuration come after the directories.
const CALL: &str = "encfs -S --standard \"$RAW\" \"$MNT\"";

#[test]
fn versions_are_high_enough() -> Result<()> {
    with_each(|program| {
        let home = Home::new(program)?;
        for name in ["encfs", "encfsctl", "fusermount3"] {
            let both = home
                .sh(&format!("{name} --version 2>&1"), "")?
                .success()?
                .out();
            let version = first_version(&both).context(both.clone())?;
            let parts: Vec<u32> = version.split('.').flat_map(str::parse).collect();
            let least = if name == "fusermount3" {
                [2, 9, 7]
            } else {
                [1, 9, 1]
            };
            ensure!(parts[..] >= least[..], "{name}: {version}");
        }
        Ok(())
    })
}

#[test]
fn a_vault_is_made_opened_and_closed_by_either_fusermount() -> Result<()> {
    with_each(|program| {
        let home = Home::new(program)?;
        assert_eq!(home.sh("encfsctl \"$RAW\"", "")?.code(), Some(1));
        let directory = home.mnt().join(".directory");
        for (extra, unmount) in [
            ("", "fusermount"),
            ("", "fusermount3"),
            ("-o noatime", "fusermount"),
            ("--idle 30 --nocache", "fusermount3"),
        ] {
            home.sh(&format!("{CALL} {extra}"), &home.line())?
                .success()?;
            home.sh("encfsctl \"$RAW\"", "")?.success()?;
            std::fs::write(home.mnt().join("file"), b"plain")?;
            ensure!(home.is_mounted()?);
            let daemon = home.daemon()?;
            in_path(unmount, "fuse3")?;
            home.sh(&format!("{unmount} -u \"$MNT\""), "")?.success()?;
            ensure!(!home.is_mounted()?, "{unmount}");
            daemon.wait()?;

            // Closed, the mount point holds a note for the file manager, which is in the way.
            std::fs::write(&directory, b"[Desktop Entry]\nIcon=folder-decrypt\n")?;
            let refused = home.sh(&format!("{CALL} {extra}"), &home.line())?;
            assert_eq!(refused.code(), Some(1), "{refused}");
            ensure!(refused.err().contains("'nonempty'"), "{refused}");
            std::fs::remove_file(&directory)?;
        }
        Ok(())
    })
}

/// Its dialogue offers another try, so a refusal must be told at once.
#[test]
fn a_wrong_password_then_the_right_one() -> Result<()> {
    with_each(|program| {
        let home = Home::with_volume(program)?;
        let told = home.sh(CALL, "wrong\n")?;
        assert_eq!(told.code(), Some(1), "{told}");
        ensure!(!home.is_mounted()?);
        home.sh(CALL, &home.line())?.success()?;
        home.shows_files()?;
        home.unmount()
    })
}
