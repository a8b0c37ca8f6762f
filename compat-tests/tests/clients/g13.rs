//! GnuPG's g13: a key as password, questions and states read from standard error.
//!
//! Debian does not build g13, so its conversation is held here as its source has it.

use std::io::Write as _;

use anyhow::{Context, Result, bail, ensure};
use compat_tests::client::{Coprocess, Home, with_each};
use compat_tests::mounted::is_mounted;
use rustix::process::{Pid, Signal, kill_process};

/// 32 bytes as g13 makes them: any but NUL, carriage return and newline.
fn key() -> Vec<u8> {
    let mut key: Vec<u8> = (0..30).map(|i: u8| 0xff - i * 7).collect();
    key.extend([0x80, 0x01]);
    assert!(!key.iter().any(|byte| [0, b'\n', b'\r'].contains(byte)));
    key
}

fn start(home: &Home) -> Result<Coprocess> {
    let raw = home.path().join("container.d").display().to_string();
    let mnt = home.path().join("point").display().to_string();
    home.coprocess(&["encfs", "-f", "-v", "--stdinpass", "--annotate", &raw, &mnt])
}

/// Answers what is asked until the state `fuse_main_start`; gives the questions.
fn converse(encfs: &mut Coprocess, creating: bool) -> Result<Vec<String>> {
    let mut asked = Vec::new();
    loop {
        let line = encfs.error_line()?;
        if line == "$STATUS$ fuse_main_start" {
            return Ok(asked);
        }
        ensure!(!line.contains("encfs: unrecognized option '"), "{line}");
        let Some(question) = line.strip_prefix("$PROMPT$ ") else {
            continue;
        };
        asked.push(question.to_owned());
        let mut answer = Vec::new();
        match question {
            "create_root_dir" => answer.write_all(if creating { b"y" } else { b"n" })?,
            "create_mount_point" => answer.write_all(b"y")?,
            "passwd" | "new_passwd" => answer.extend(key()),
            "config_option" => {}
            other => bail!("asked for {other}"),
        }
        answer.push(b'\n');
        encfs.send(&answer)?;
    }
}

#[test]
fn a_container_is_created_and_mounted() -> Result<()> {
    with_each(|program| {
        let home = Home::new(program)?;
        let point = home.path().join("point");
        let mut encfs = start(&home)?;
        let asked = converse(&mut encfs, true)?;
        let expected = [
            "create_root_dir",
            "create_mount_point",
            "config_option",
            "new_passwd",
        ];
        assert_eq!(asked, expected);
        // It ends the program as soon as it reads the state; what was made is on disk by then.
        let pid = Pid::from_raw(i32::try_from(encfs.pid())?).context("no process")?;
        kill_process(pid, Signal::TERM)?;
        ensure!(home.path().join("container.d/.encfs6.xml").exists());
        encfs.end()?;
        ensure!(!is_mounted(&point)?, "still mounted");
        std::fs::remove_dir(&point)?;

        // Mounting makes its mount point by the question.
        let mut encfs = start(&home)?;
        assert_eq!(
            converse(&mut encfs, false)?,
            ["create_mount_point", "passwd"]
        );
        home.sh(
            "until grep -q \" $DIR/point fuse\" /proc/mounts; do :; done",
            "",
        )?
        .success()?;
        std::fs::write(point.join("file"), b"plain")?;
        home.sh("fusermount -u \"$DIR/point\"", "")?.success()?;
        let (status, rest) = encfs.end()?;
        assert_eq!(status, Some(0), "{rest:?}");
        ensure!(
            rest.iter().any(|l| l == "$STATUS$ fuse_main_end"),
            "{rest:?}"
        );
        ensure!(!is_mounted(&point)?, "still mounted");

        // The key is bytes: one of them wrong is a wrong key.
        let mut encfs = start(&home)?;
        while encfs.error_line()? != "$PROMPT$ passwd" {}
        let mut wrong = key();
        wrong[31] ^= 2;
        wrong.push(b'\n');
        encfs.send(&wrong)?;
        assert_eq!(encfs.end()?.0, Some(1));
        Ok(())
    })
}

/// So it tells a version that is too old.
#[test]
fn an_unknown_option_is_told_in_the_words_it_looks_for() -> Result<()> {
    with_each(|program| {
        let home = Home::with_volume(program)?;
        let told = home
            .sh("encfs --no-such-thing 2>&1 || :", "")?
            .success()?
            .out();
        ensure!(
            told.contains("encfs: unrecognized option '--no-such-thing'"),
            "{told}"
        );
        Ok(())
    })
}
