//! Cryptkeeper: any word of a mount is an error to it. It was removed from Debian years ago and
//! has no command line; its lines are run.

use anyhow::{Result, ensure};
use compat_tests::client::{Home, with_each};
use compat_tests::manifest::Fixture;

#[test]
fn a_folder_is_made_opened_and_its_password_changed() -> Result<()> {
    with_each(|program| {
        let home = Home::new(program)?;
        let made = home.sh(
            "encfs -S \"$RAW\" \"$MNT\" >/dev/null",
            &format!("p\n{}", home.line()),
        )?;
        assert_eq!(made.success()?.err(), "");
        ensure!(home.is_mounted()?);
        let info = home.sh("encfsctl info \"$RAW\"", "")?.success()?.out();
        ensure!(info.contains("Key Size: 256 bits"), "{info}");
        home.unmount()?;

        let change = home.sh(
            "encfsctl autopasswd \"$RAW\"",
            &format!("{}another\n", home.line()),
        )?;
        // It drops the first line and shows the rest.
        let out = change.success()?.out();
        ensure!(
            out.lines()
                .skip(1)
                .any(|l| l == "Volume Key successfully updated."),
            "{out}"
        );

        for line in [
            "encfs -S \"$RAW\" \"$MNT\"",
            "encfs --idle=10 -S \"$RAW\" \"$MNT\"",
            "encfs --idle=10 -S \"$RAW\" \"$MNT\" -- -o allow_other",
        ] {
            let told = home.sh(line, "another\n")?.success()?;
            assert_eq!((told.out(), told.err()), (String::new(), String::new()));
            ensure!(home.is_mounted()?);
            home.unmount()?;
        }
        Ok(())
    })
}

/// It imports folders with either configuration and shows what encfsctl says of them.
#[test]
fn folders_to_import() -> Result<()> {
    with_each(|program| {
        for (fixture, file) in [("standard", ".encfs6.xml"), ("v5-2007", ".encfs5")] {
            let home = Home::new(program)?;
            Fixture::named(fixture)?.unpack(&home.raw())?;
            ensure!(home.raw().join(file).exists(), "{fixture}");
            let info = home.sh("encfsctl info \"$RAW\"", "")?.success()?.out();
            ensure!(info.contains("Filesystem cipher: "), "{info}");
        }
        Ok(())
    })
}
