//! NewBreeze, JBackpack and installers: their lines as seen in public code.

use anyhow::{Result, ensure};
use compat_tests::client::{Home, with_each};

use crate::expect;

#[test]
fn password_changes() -> Result<()> {
    with_each(|program| {
        let home = Home::with_volume(program)?;
        home.sh(
            "printf '%s\\nnew\\n' \"$PW\" | encfsctl autopasswd \"$RAW\"",
            "",
        )?
        .success()?;
        let again = "printf '%s\\nnew\\n' \"$PW\" | encfsctl autopasswd \"$RAW\"";
        ensure!(
            home.sh(again, "")?.code() == Some(1),
            "the old password still holds"
        );
        let script = include_str!("passwd.exp");
        expect(&home, script, &["new", "newer"])?;
        home.sh("echo newer | encfsctl autocheckpasswd \"$RAW\"", "")?
            .success()?;
        // And its status when the current one is wrong.
        ensure!(expect(&home, script, &["new", "newest"]).is_err());
        Ok(())
    })
}

#[test]
fn mounts() -> Result<()> {
    with_each(|program| {
        let home = Home::with_volume(program)?;
        for line in [
            "encfs -S --idle=60 \"$RAW\" \"$MNT\"",
            "encfs -S \"$RAW\" \"$MNT\" --public",
        ] {
            home.sh(line, &home.line())?.success()?;
            home.shows_files()?;
            home.unmount()?;
        }
        let home = Home::new(program)?;
        std::fs::write(home.path().join("password"), home.line())?;
        std::fs::write(home.raw().join("file"), b"plain")?;
        home.sh(
            "encfs --stdinpass --standard --reverse \"$RAW\" \"$MNT\" < password",
            "",
        )?
        .success()?;
        home.unmount()
    })
}

/// A file name in the clear: the new volume is there when its configuration can be opened through
/// the mount, where it is hidden from listings only.
#[test]
fn a_volume_with_null_names_is_fed_in_one_go() -> Result<()> {
    with_each(|program| {
        let home = Home::new(program)?;
        let made = home
            .sh(
                "printf 'x\\n1\\n256\\n1024\\n3\\nn\\ny\\nn\\n0\\ny\\n%s\\n' \"$PW\" \
                 | encfs -S \"$RAW\" \"$MNT\"",
                "",
            )?
            .success()?;
        ensure!(made.out().contains("Configuration finished"), "{made}");
        home.sh(
            "test -r \"$MNT/.encfs6.xml\"; head -c 1 \"$MNT/.encfs6.xml\" > /dev/null",
            "",
        )?
        .success()?;
        let listed = home.sh("ls -A \"$MNT\"", "")?.success()?.out();
        assert_eq!(listed, "");
        home.unmount()
    })
}

/// Installers, as root.
#[test]
fn installers() -> Result<()> {
    with_each(|program| {
        let home = Home::new(program)?;
        home.sh(
            "printf 'p\\n%s\\n\\n' \"$PW\" | encfs -S \"$RAW\" \"$MNT\" --public",
            "",
        )?
        .success()?;
        let options = home
            .sh("grep \" $MNT \" /proc/mounts", "")?
            .success()?
            .out();
        ensure!(options.contains("allow_other"), "{options}");
        home.unmount()
    })
}
