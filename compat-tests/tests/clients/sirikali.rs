//! SiriKali: password on standard input, everything else on the command line.

use anyhow::{Result, ensure};
use compat_tests::client::{A_FILE, Home, with_each};
use compat_tests::oracle::in_path;

/// Its lines, from its source: the password comes twice, `-o` after the directories.
#[test]
fn lines() -> Result<()> {
    with_each(|program| {
        let home = Home::new(program)?;
        let twice = format!("{0}{0}", home.line());
        let version = home.sh("encfs --version", "")?.err();
        let word = version.lines().next().and_then(|l| l.split(' ').nth(2));
        assert_eq!(word, Some("1.9.5"));

        // Creating mounts at once.
        let create = "encfs --stdinpass --standard \"$RAW\" \"$MNT\" \
                      -o rw,fsname=encfs@\"$RAW\",subtype=encfs";
        home.sh(create, &twice)?.success()?;
        std::fs::write(home.mnt().join("file"), b"plain")?;
        home.sh("fusermount -u \"$MNT\"", "")?.success()?;

        let raw = home.raw().display().to_string();
        let conf = home.path().join("conf.xml");
        std::fs::rename(home.raw().join(".encfs6.xml"), &conf)?;
        for (own, name, words) in [
            ("--idle=5", "encfs", "rw"),
            ("", "Encfs", "rw"),
            ("", "encfs", "ro"),
            ("", "encfs", "rw,noatime,allow_other"),
        ] {
            for dashes in ["", "--"] {
                let mount = format!(
                    "ENCFS6_CONFIG=\"$DIR/conf.xml\" encfs --stdinpass {own} \"$RAW\" \"$MNT\" \
                     {dashes} -o {words},fsname={name}@\"$RAW\",subtype={name}"
                );
                home.sh(&mount, &twice)?.success()?;
                let expected = (format!("{name}@{raw}"), format!("fuse.{name}"));
                assert_eq!(home.table()?, expected, "{mount}");
                let writable = std::fs::write(home.mnt().join("file"), b"plain").is_ok();
                assert_eq!(writable, !words.starts_with("ro"), "{mount}");
                home.sh("fusermount -u \"$MNT\"", "")?.success()?;
            }
        }
        let wrong = "ENCFS6_CONFIG=\"$DIR/conf.xml\" encfs --stdinpass \"$RAW\" \"$MNT\" \
                     -o rw,fsname=encfs@\"$RAW\",subtype=encfs";
        let told = home.sh(wrong, "wrong\nwrong\n")?;
        assert_eq!(told.code(), Some(1), "{told}");
        ensure!(
            told.out()
                .contains("Error decoding volume key, password incorrect"),
            "{told}"
        );
        // Properties of a volume are what encfsctl prints.
        let shown = home.sh("ENCFS6_CONFIG=\"$DIR/conf.xml\" encfsctl \"$RAW\"", "")?;
        ensure!(shown.success()?.out().contains("Block Size: 1024 bytes"));
        Ok(())
    })
}

#[test]
fn lines_of_reverse_mode() -> Result<()> {
    with_each(|program| {
        let home = Home::new(program)?;
        std::fs::write(home.raw().join("file"), b"plain")?;
        let create = "encfs --stdinpass --standard --reverse \"$RAW\" \"$MNT\" \
                      -o ro,fsname=encfs@\"$RAW\",subtype=encfs";
        home.sh(create, &format!("{0}{0}", home.line()))?
            .success()?;
        let shown = home.sh("ls \"$MNT\" | wc -l", "")?.success()?.out();
        assert_eq!(shown.trim(), "1");
        home.unmount()
    })
}

/// SiriKali itself, by its command line. It looks for programs in fixed folders, not on `PATH`, so
/// it runs in a world where `/usr/local/bin` has ours. New volumes it makes only in its windows, and a
/// configuration elsewhere it takes only from there (its `-c` ends with a refusal of its own).
#[test]
fn the_program() -> Result<()> {
    in_path("sirikali", "sirikali")?;
    with_each(|program| {
        let home = Home::with_volume(program)?;
        let script = format!(
            "export QT_QPA_PLATFORM=offscreen
            seen() {{ grep \" $DIR/at \" /proc/mounts || echo gone; }}
            printf %s \"$PW\" | sirikali -d \"$RAW\" -z \"$DIR/at\" -b stdin -k rw
            seen
            wc -c < \"$DIR/at/{A_FILE}\"
            readlink /proc/\"$(pgrep -x encfs)\"/exe
            sirikali -p | grep \"$DIR/\"
            sirikali -d \"$RAW\" -u
            seen
            printf wrong | sirikali -d \"$RAW\" -z \"$DIR/at\" -b stdin && echo opened
            seen
            printf %s \"$PW\" | sirikali -d \"$RAW\" -z \"$DIR/at\" -b stdin -k ro -i 5 -o noatime
            seen
            tr '\\0' ' ' < /proc/\"$(pgrep -x encfs)\"/cmdline; echo
            tr '\\0' '\\n' < /proc/\"$(pgrep -x encfs)\"/environ | grep ENCFS6
            sirikali -d \"$RAW\" -u
            seen"
        );
        let told = home.private(&script, "")?.success()?;
        let out = told.out().replace("Password: ", "");
        let lines: Vec<&str> = out
            .lines()
            .map(str::trim)
            .filter(|l| !l.is_empty())
            .collect();
        let raw = home.raw().display().to_string();
        let at = home.path().join("at").display().to_string();
        let exe = home.program()?.display().to_string();
        let mount = format!("Encfs@{raw} {at} fuse.Encfs rw,");
        let [
            opened,
            size,
            runs,
            list,
            closed,
            refused,
            again,
            words,
            variable,
            end,
        ] = lines[..]
        else {
            anyhow::bail!("other lines than expected: {told}");
        };
        ensure!(opened.starts_with(&mount), "{told}");
        assert_eq!((size, runs), ("1", &*exe), "{told}");
        assert_eq!(list, format!("\"{raw}\" \"{at}\" \"Encfs\" \"rw\""));
        assert_eq!((closed, refused, end), ("gone", "gone", "gone"), "{told}");
        let read_only = format!("Encfs@{raw} {at} fuse.Encfs ro,");
        ensure!(
            again.starts_with(&read_only) && again.contains("noatime"),
            "{told}"
        );
        ensure!(words.contains("--idle=5"), "{told}");
        assert_eq!(variable, format!("ENCFS6_CONFIG={raw}/.encfs6.xml"));
        Ok(())
    })
}
