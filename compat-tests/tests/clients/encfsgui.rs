//! encfsgui (macOS): creates by an expect script in expert mode and opens by `-v -S`.

use anyhow::{Result, ensure};
use compat_tests::client::{Home, with_each};
use compat_tests::oracle::Program;

use crate::expect;

/// Its profiles: key bits, block size, name encoding, and what `info` then says.
const PROFILES: [(&str, &str, &str, &str, &[&str]); 3] = [
    (
        "192",
        "2048",
        "Stream",
        "per-file",
        &[
            "Key Size: 192 bits",
            "Block Size: 2048 bytes",
            "\"nameio/stream\"",
            "8 byte header",
        ],
    ),
    (
        "192",
        "1024",
        "Null",
        "nothing",
        &[
            "Key Size: 192 bits",
            "Block Size: 1024 bytes",
            "\"nameio/null\"",
        ],
    ),
    (
        "256",
        "4096",
        "Block",
        "all",
        &[
            "Key Size: 256 bits",
            "Block Size: 4096 bytes, including",
            "\"nameio/block\"",
            "8 byte header",
            "Filenames encoded using IV chaining mode",
            "File data IV is chained to filename IV",
            "File holes passed through",
        ],
    ),
];

#[test]
fn each_profile_is_created_and_opened() -> Result<()> {
    with_each(|program| {
        for (bits, block, names, features, facts) in PROFILES {
            let home = Home::new(program)?;
            let script = include_str!("encfsgui.exp");
            expect(&home, script, &["1", bits, block, names, features])?;
            let info = home.sh("encfsctl info \"$RAW\"", "")?.success()?.out();
            for fact in facts {
                ensure!(info.contains(fact), "{names}: {fact} is missing in {info}");
            }
            if features == "nothing" {
                ensure!(!info.contains("IV"), "{info}");
            }
            home.sh(
                "echo \"$PW\" | encfs -v -S -o allow_other -o noatime \"$RAW\" \"$MNT\"",
                "",
            )?
            .success()?;
            std::fs::write(home.mnt().join("file"), b"plain")?;
            home.sh("umount \"$MNT\"", "")?.success()?;
        }
        Ok(())
    })
}

/// Two words are of macOS only: EncFS 1.9.5 refuses them on Linux.
#[test]
fn its_mount_line_with_the_words_of_macos() -> Result<()> {
    let home = Home::with_volume(Program::EncfsRs)?;
    home.sh(
        "echo \"$PW\" | encfs -v -S -o allow_other -o local -o volname=Backup \"$RAW\" \"$MNT\"",
        "",
    )?
    .success()?;
    home.shows_files()?;
    home.unmount()
}
