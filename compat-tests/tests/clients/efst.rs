//! EFST: a volume made by pexpect with the configuration elsewhere, opened behind `echo PW |`.
//!
//! Python's pexpect and expect work alike: a terminal of its own, patterns, answers.

use anyhow::{Result, ensure};
use compat_tests::client::{Home, with_each};

use crate::expect;

#[test]
fn a_volume_is_made_and_opened() -> Result<()> {
    with_each(|program| {
        let home = Home::new(program)?;
        expect(&home, include_str!("efst.exp"), &[])?;
        home.sh("mv \"$RAW/.encfs6.xml\" efst.xml", "")?.success()?;
        let told = home
            .sh(
                "echo \"$PW\" | ENCFS6_CONFIG=\"$DIR/efst.xml\" encfs -S \"$RAW\" \"$MNT\"",
                "",
            )?
            .success()?;
        assert_eq!((told.out(), told.err()), (String::new(), String::new()));
        std::fs::write(home.mnt().join("file"), b"plain")?;
        let info = home.sh("ENCFS6_CONFIG=efst.xml encfsctl \"$RAW\"", "")?;
        let info = info.success()?.out();
        for fact in [
            "Key Size: 256 bits",
            "\"nameio/stream\"",
            "Block Size: 4096 bytes",
        ] {
            ensure!(info.contains(fact), "{fact} is missing in {info}");
        }
        home.unmount()
    })
}
