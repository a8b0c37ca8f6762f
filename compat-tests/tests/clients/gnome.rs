//! gnome-encfs and Gnome Encfs Manager. The first keeps passwords in the desktop's keyring, the
//! second is not in Debian; what they start is run.

use anyhow::{Result, ensure};
use compat_tests::client::{Home, with_each};

#[test]
fn mounts_with_a_password_from_the_keyring() -> Result<()> {
    with_each(|program| {
        let home = Home::with_volume(program)?;
        home.sh(
            "mv \"$RAW/.encfs6.xml\" conf.xml; touch \"$MNT/in the way\"",
            "",
        )?
        .success()?;
        for line in [
            "encfs -o nonempty -S \"$RAW\" \"$MNT\"",
            "encfs -S -o nonempty \"$RAW\" \"$MNT\"",
            "encfs --extpass='printf %s \"$PW\"' -o nonempty \"$RAW\" \"$MNT\"",
        ] {
            home.sh(
                &format!("ENCFS6_CONFIG=\"$DIR/conf.xml\" {line}"),
                home.password(),
            )?
            .success()?;
            home.shows_files()?;
            home.unmount()?;
        }
        Ok(())
    })
}

/// Options of a stash, made as standard and as paranoia, asked about and its password changed.
#[test]
fn stashes_of_the_manager() -> Result<()> {
    with_each(|program| {
        for (kind, bits) in [("--standard", "192"), ("--paranoia", "256")] {
            let home = Home::new(program)?;
            home.sh(&format!("encfs -S {kind} \"$RAW\" \"$MNT\""), &home.line())?
                .success()?;
            home.unmount()?;
            let info = home.sh("encfsctl info \"$RAW\"", "")?.success()?.out();
            ensure!(info.contains(&format!("Key Size: {bits} bits")), "{info}");
            home.sh(
                "encfs -S --idle=30 \"$RAW\" \"$MNT\" -o allow_other",
                &home.line(),
            )?
            .success()?;
            home.unmount()?;
            home.sh(
                "printf '%s\\nnew\\n' \"$PW\" | encfsctl autopasswd \"$RAW\"",
                "",
            )?
            .success()?;
            home.sh("encfsctl autocheckpasswd \"$RAW\"", "new\n")?
                .success()?;
        }
        Ok(())
    })
}
