//! What a stand-in for `encfs` and `encfsctl` must keep: the sixteen points that some client was
//! found to depend on, each shown to hold of EncFS 1.9.5 first.

use anyhow::{Context, Result, ensure};
use compat_tests::client::{A_FILE, Home, with_each};
use compat_tests::mounted::wait_until_unmounted;
use compat_tests::oracle::Program;

use crate::expect;

/// The first `N.N.N` in `text`, each N of one digit or more.
pub(crate) fn first_version(text: &str) -> Option<&str> {
    text.split(|c: char| !(c.is_ascii_digit() || c == '.'))
        .find(|word| {
            let parts: Vec<&str> = word.split('.').collect();
            parts.len() == 3 && parts.iter().all(|part| !part.is_empty())
        })
}

#[test]
fn p01_versions_on_standard_error() -> Result<()> {
    with_each(|program| {
        let home = Home::new(program)?;
        for name in ["encfs", "encfsctl"] {
            let told = home.sh(&format!("{name} --version"), "")?.success()?;
            assert_eq!(told.out(), "");
            let err = told.err();
            let first = err.lines().next().context("nothing on standard error")?;
            assert_eq!(first, format!("{name} version 1.9.5"));
            // Plasma Vault and Back In Time look through both streams; single digits.
            assert_eq!(first_version(&err), Some("1.9.5"));
            // encfsgui takes the last word of the line that starts with "encfs ".
            let lines = err.lines().filter(|l| l.starts_with("encfs "));
            let gui: Vec<&str> = lines.filter_map(|l| l.split(' ').next_back()).collect();
            assert_eq!(
                gui,
                if name == "encfs" {
                    vec!["1.9.5"]
                } else {
                    vec![]
                }
            );
        }
        Ok(())
    })
}

#[test]
fn p02_password_from_a_pipe() -> Result<()> {
    with_each(|program| {
        let home = Home::with_volume(program)?;
        for line in ["%s", "%s\\n", "%s\\nanother line\\nand one more"] {
            let script = format!("printf '{line}' \"$PW\" | encfs -S \"$RAW\" \"$MNT\"");
            let told = home.sh(&script, "")?.success()?;
            assert_eq!((told.out(), told.err()), (String::new(), String::new()));
            home.shows_files()?;
            home.unmount()?;
        }
        // Creating: the letter of the menu, then the one password line.
        let home = Home::new(program)?;
        home.sh(
            "printf 'p\\n%s\\n' \"$PW\" | encfs -S \"$RAW\" \"$MNT\"",
            "",
        )?
        .success()?;
        home.unmount()?;
        let info = home.sh("encfsctl \"$RAW\"", "")?.success()?.out();
        ensure!(info.contains("Key Size: 256 bits"), "{info}");
        home.sh("encfs --stdinpass \"$RAW\" \"$MNT\"", &home.line())?
            .success()?;
        home.unmount()
    })
}

#[test]
fn p03_standard_on_a_volume_that_is_there() -> Result<()> {
    with_each(|program| {
        let home = Home::with_volume(program)?;
        let before = std::fs::read(home.raw().join(".encfs6.xml"))?;
        for script in [
            "printf '%s\\n' \"$PW\" | encfs -S --standard \"$RAW\" \"$MNT\"",
            "encfs --extpass='echo \"$PW\"' --standard \"$RAW\" \"$MNT\"",
        ] {
            let told = home.sh(script, "")?.success()?;
            assert_eq!((told.out(), told.err()), (String::new(), String::new()));
            home.shows_files()?;
            home.unmount()?;
        }
        assert_eq!(std::fs::read(home.raw().join(".encfs6.xml"))?, before);
        Ok(())
    })
}

#[test]
fn p04_status_0_only_when_mounted_and_a_wrong_password() -> Result<()> {
    with_each(|program| {
        let home = Home::with_volume(program)?;
        for options in ["-S", "-S --standard", "-f -S"] {
            let script = format!("encfs {options} \"$RAW\" \"$MNT\"");
            let told = home.sh(&script, "wrong\n")?;
            assert_eq!(told.code(), Some(1), "{told}");
            let line = "Error decoding volume key, password incorrect";
            ensure!(told.out().lines().any(|l| l == line), "{told}");
            ensure!(!home.is_mounted()?);
        }
        // No password, no volume to open without a terminal, no such folder.
        for script in [
            "encfs -S \"$RAW\" \"$MNT\"",
            "encfs -S \"$RAW.not-there\" \"$MNT\"",
            "encfs -S \"$RAW\"",
        ] {
            let told = home.sh(script, "")?;
            assert_eq!(told.code(), Some(1), "{told}");
            ensure!(!home.is_mounted()?);
        }
        Ok(())
    })
}

#[test]
fn p05_a_mount_point_that_is_not_empty() -> Result<()> {
    with_each(|program| {
        let home = Home::with_volume(program)?;
        std::fs::write(home.mnt().join("in the way"), b"")?;
        let told = home.sh("encfs -S \"$RAW\" \"$MNT\"", &home.line())?;
        assert_eq!(told.code(), Some(1), "{told}");
        ensure!(told.err().contains("'nonempty'"), "{told}");
        ensure!(!home.is_mounted()?);
        home.sh("encfs -S \"$RAW\" \"$MNT\" -o nonempty", &home.line())?
            .success()?;
        home.shows_files()?;
        home.unmount()
    })
}

/// `$(...)` ends when the last who has the streams open closes them.
#[test]
fn p06_the_caller_s_streams_are_closed_and_the_mount_is_usable() -> Result<()> {
    with_each(|program| {
        for options in ["", "-i 5", "-m -i 5 --extpass='echo \"$PW\"'"] {
            let home = Home::with_volume(program)?;
            let script = format!(
                "all=$(printf '%s\\n' \"$PW\" | encfs -S {options} \"$RAW\" \"$MNT\" 2>&1)\n\
                 cat \"$MNT/{A_FILE}\" > seen; printf 'told:%s' \"$all\""
            );
            let told = home.sh(&script, "")?.success()?;
            assert_eq!(told.out(), "told:", "{options}");
            home.unmount()?;
        }
        Ok(())
    })
}

#[test]
fn p07_type_and_source_in_the_mount_table() -> Result<()> {
    with_each(|program| {
        let home = Home::with_volume(program)?;
        for (options, source, kind) in [
            ("", "encfs", "fuse.encfs"),
            ("-o fsname=encfs@/a/b", "encfs@/a/b", "fuse"),
            (
                "-o fsname=encfs@/a/b,subtype=encfs",
                "encfs@/a/b",
                "fuse.encfs",
            ),
            (
                "-o fsname=Encfs@/a/b,subtype=Encfs",
                "Encfs@/a/b",
                "fuse.Encfs",
            ),
        ] {
            let script = format!("encfs -S \"$RAW\" \"$MNT\" {options}");
            home.sh(&script, &home.line())?.success()?;
            assert_eq!(
                home.table()?,
                (source.to_owned(), kind.to_owned()),
                "{options}"
            );
            home.unmount()?;
        }
        Ok(())
    })
}

#[test]
fn p08_options_wherever_clients_put_them() -> Result<()> {
    with_each(|program| {
        let home = Home::with_volume(program)?;
        for words in [
            "-S \"$RAW\" \"$MNT\" -- -o noatime",
            "-S \"$RAW\" \"$MNT\" -o noatime",
            "-S -o noatime -o nosuid \"$RAW\" \"$MNT\"",
            "\"$RAW\" -o noatime,nosuid \"$MNT\" -S -- -o nodev",
            "--stdin -o noatime \"$RAW\" \"$MNT\"",
            "--stdinpass --idle=5 \"$RAW\" \"$MNT\" -o noatime",
            "-S --idle 5 \"$RAW\" \"$MNT\" -o noatime",
            "-S -i5 \"$RAW\" \"$MNT\" -o noatime",
            "-S '-i 5' \"$RAW\" \"$MNT\" -o noatime",
            "--extp 'echo \"$PW\"' \"$RAW\" \"$MNT\" -o noatime",
        ] {
            home.sh(&format!("encfs {words}"), &home.line())?
                .success()?;
            home.shows_files()?;
            let options = home
                .sh("grep \" $MNT \" /proc/mounts", "")?
                .success()?
                .out();
            ensure!(options.contains("noatime"), "{words}: {options}");
            home.unmount()?;
        }
        Ok(())
    })
}

#[test]
fn p09_encfs6_config_read_by_both_also_a_fifo() -> Result<()> {
    with_each(|program| {
        let home = Home::with_volume(program)?;
        let elsewhere = home.path().join("conf.xml");
        std::fs::rename(home.raw().join(".encfs6.xml"), &elsewhere)?;
        let info = home.sh("ENCFS6_CONFIG=conf.xml encfsctl \"$RAW\"", "")?;
        ensure!(info.success()?.out().contains("Key Size: "));
        // Without it there is none.
        assert_eq!(home.sh("encfsctl \"$RAW\"", "")?.code(), Some(1));
        for script in [
            "ENCFS6_CONFIG=conf.xml encfs -S \"$RAW\" \"$MNT\"",
            "ENCFS6_CONFIG=/dev/fd/5 encfs -S \"$RAW\" \"$MNT\" 5<conf.xml",
            "mkfifo pipe; { cat conf.xml > pipe & } ; ENCFS6_CONFIG=\"$DIR/pipe\" encfs -S \"$RAW\" \"$MNT\"",
            // Where the volume would have it; written only once encfs waits for it.
            "mkfifo \"$RAW/.encfs6.xml\"; { cat conf.xml > \"$RAW/.encfs6.xml\" & } ; \
             encfs -S \"$RAW\" \"$MNT\"",
        ] {
            home.sh(script, &home.line())?.success().context(script)?;
            home.shows_files().context(script)?;
            home.unmount()?;
        }
        Ok(())
    })
}

#[test]
fn p10_extpass_by_the_shell_with_the_environment() -> Result<()> {
    with_each(|program| {
        let home = Home::with_volume(program)?;
        for command in [
            // The shell's own syntax, and what the caller exported.
            "if true; then printf \"%s\" \"$SECRET\" | cat; fi",
            // The status does not count.
            "echo \"$SECRET\"; exit 3",
        ] {
            let script = format!(
                "export SECRET=\"$PW\"; unset PW; encfs --extpass='{command}' \"$RAW\" \"$MNT\""
            );
            home.sh(&script, "")?.success().context(command)?;
            home.shows_files()?;
            home.unmount()?;
        }
        let ctl = "SECRET=\"$PW\" encfsctl ls --extpass='echo \"$SECRET\"' \"$RAW\"";
        if program == Program::EncfsRs {
            ensure!(home.sh(ctl, "")?.success()?.out().contains(A_FILE));
        }
        let cat =
            format!("SECRET=\"$PW\" encfsctl cat --extpass='echo \"$SECRET\"' \"$RAW\" {A_FILE}");
        assert_eq!(home.sh(&cat, "")?.success()?.stdout.len(), 1);
        Ok(())
    })
}

#[test]
fn p11_the_lines_of_annotate() -> Result<()> {
    with_each(|program| {
        let home = Home::new(program)?;
        std::fs::remove_dir(home.raw())?;
        std::fs::remove_dir(home.mnt())?;
        let marks = |text: &str| -> Vec<String> {
            let lines = text.lines().filter(|line| line.starts_with('$'));
            lines.map(str::to_owned).collect()
        };
        let answers = format!("y\ny\n\n{}", home.line());
        let made = home
            .sh("encfs --annotate --stdinpass \"$RAW\" \"$MNT\"", &answers)?
            .success()?;
        assert_eq!(
            marks(&made.err()),
            [
                "$PROMPT$ create_root_dir",
                "$PROMPT$ create_mount_point",
                "$PROMPT$ config_option",
                "$PROMPT$ new_passwd",
                "$STATUS$ fuse_main_start"
            ]
        );
        home.unmount()?;
        let opened = home
            .sh(
                "encfs --annotate --stdinpass \"$RAW\" \"$MNT\"",
                &home.line(),
            )?
            .success()?;
        let expected = ["$PROMPT$ passwd", "$STATUS$ fuse_main_start"];
        assert_eq!(marks(&opened.err()), expected);
        home.unmount()?;
        // In the foreground also the end is told.
        let script = "encfs -f --annotate --stdinpass \"$RAW\" \"$MNT\" 2>log & pid=$!\n\
                      until grep -q \" $MNT fuse\" /proc/mounts; do kill -0 $pid; done\n\
                      fusermount -u \"$MNT\"; wait $pid; cat log >&2";
        let whole = home.sh(
            &format!("exec 3<&0; {}", script.replace("2>log", "<&3 2>log")),
            &home.line(),
        )?;
        assert_eq!(
            marks(&whole.success()?.err()).last().map(String::as_str),
            Some("$STATUS$ fuse_main_end")
        );
        Ok(())
    })
}

#[test]
fn p12_prompts_for_expect_scripts() -> Result<()> {
    with_each(|program| {
        let home = Home::new(program)?;
        expect(&home, include_str!("prompts.exp"), &[])?;
        ensure!(home.has_configuration());
        Ok(())
    })
}

#[test]
fn p13_encfsctl_tells_a_volume_by_its_status() -> Result<()> {
    with_each(|program| {
        let home = Home::with_volume(program)?;
        for info in ["encfsctl \"$RAW\"", "encfsctl info \"$RAW\""] {
            home.sh(info, "")?.success()?;
        }
        std::fs::create_dir(home.path().join("empty"))?;
        std::fs::create_dir(home.path().join("broken"))?;
        std::fs::write(
            home.path().join("broken/.encfs6.xml"),
            b"<not a configuration",
        )?;
        for folder in ["empty", "broken", "not-there"] {
            for info in ["encfsctl", "encfsctl info"] {
                let told = home.sh(&format!("{info} \"$DIR/{folder}\""), "")?;
                assert_eq!(told.code(), Some(1), "{told}");
            }
        }
        Ok(())
    })
}

#[test]
fn p14_autopasswd_from_two_lines() -> Result<()> {
    with_each(|program| {
        let home = Home::with_volume(program)?;
        let change = "encfsctl autopasswd \"$RAW\"";
        let refused = home.sh(change, "wrong\nnew\n")?;
        assert_eq!(refused.code(), Some(1), "{refused}");
        let expected = "Enter current Encfs password\nInvalid password\n";
        assert_eq!(refused.out(), expected);
        let done = home
            .sh(change, &format!("{}new\n", home.line()))?
            .success()?;
        assert_eq!(
            done.out(),
            "Enter current Encfs password\nEnter new Encfs password\n\
             Volume Key successfully updated.\n"
        );
        let old = home.sh("encfsctl autocheckpasswd \"$RAW\"", &home.line())?;
        assert_eq!(old.code(), Some(1), "{old}");
        home.sh("encfsctl autocheckpasswd \"$RAW\"", "new\n")?
            .success()?;
        Ok(())
    })
}

#[test]
fn p15_encode_and_decode_answer_line_by_line() -> Result<()> {
    with_each(|program| {
        let home = Home::with_volume(program)?;
        for begin in ["encode", "decode"] {
            // By --extpass, and with the password as the first line.
            let extpass = ["encfsctl", begin, "--extpass=echo \"$PW\"", "$RAW"];
            let raw = home.raw().display().to_string();
            let with_extpass = extpass.map(|word| word.replace("$RAW", &raw));
            let words: Vec<&str> = with_extpass.iter().map(String::as_str).collect();
            let mut by_extpass = home.coprocess(&words)?;
            let mut by_line = home.coprocess(&["encfsctl", begin, &raw])?;
            by_line.send(home.line().as_bytes())?;
            for process in [&mut by_extpass, &mut by_line] {
                if begin == "encode" {
                    let name = process.ask(A_FILE)?;
                    ensure!(home.raw().join(&name).exists(), "{name} is not there");
                    // A leading slash is dropped.
                    assert_eq!(process.ask(&format!("/{A_FILE}"))?, name);
                    let long = process.ask("a/b c/d")?;
                    assert_eq!(long.split('/').count(), 3, "{long}");
                } else {
                    let mut coded =
                        home.coprocess(&["encfsctl", "encode", "--extpass=echo \"$PW\"", &raw])?;
                    for name in [A_FILE, "a/b c/d"] {
                        assert_eq!(process.ask(&coded.ask(name)?)?, name);
                    }
                    // What cannot be decoded is an empty line, and it goes on.
                    assert_eq!(process.ask("no-such-name")?, "");
                    assert_eq!(process.ask(&coded.ask("after")?)?, "after");
                    assert_eq!(coded.end()?.0, Some(0));
                }
            }
            assert_eq!(by_extpass.end()?.0, Some(0));
            assert_eq!(by_line.end()?.0, Some(0));
        }
        Ok(())
    })
}

#[test]
fn p16_every_way_to_unmount_ends_the_daemon() -> Result<()> {
    with_each(|program| {
        let home = Home::with_volume(program)?;
        for way in [
            "fusermount -u",
            "fusermount -uz",
            "fusermount3 -u",
            "umount",
            "encfs -u",
        ] {
            home.sh("encfs -S \"$RAW\" \"$MNT\"", &home.line())?
                .success()?;
            let daemon = home.daemon()?;
            home.sh(&format!("{way} \"$MNT\" >/dev/null"), "")?
                .success()
                .context(way)?;
            wait_until_unmounted(&home.mnt())?;
            daemon.wait().context(way)?;
        }
        Ok(())
    })
}
