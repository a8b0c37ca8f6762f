//! What people have in their scripts.

use anyhow::{Result, ensure};
use compat_tests::client::{A_FILE, Home, with_each};
use compat_tests::oracle::in_path;

#[test]
fn passwords_come_in_many_ways() -> Result<()> {
    with_each(|program| {
        let home = Home::with_volume(program)?;
        std::fs::write(home.path().join("secret"), home.line())?;
        for line in [
            "pass() { cat secret; }; pass show x | encfs -S \"$RAW\" \"$MNT\"",
            "encfs --extpass \"cat '$DIR/secret'\" \"$RAW\" \"$MNT\"",
            // Without a terminal the password is read from standard input.
            "echo \"$PW\" | encfs \"$RAW\" \"$MNT\"",
            "encfs \"$RAW\" \"$MNT\" < secret",
            "encfs -v \"$RAW\" \"$MNT\" -o nonempty < secret",
            "encfs -S \"$RAW\" \"$MNT\" -o nonempty < secret",
        ] {
            home.sh(line, "")?.success()?;
            home.shows_files()?;
            home.unmount()?;
        }
        let bash = in_path("bash", "bash")?.display().to_string();
        let here = format!("{bash} -c 'encfs \"$RAW\" \"$MNT\" <<< \"$PW\"'");
        home.sh(&here, "")?.success()?;
        home.shows_files()?;
        home.unmount()
    })
}

#[test]
fn yes_to_every_question() -> Result<()> {
    with_each(|program| {
        let home = Home::new(program)?;
        home.sh(
            "rmdir \"$RAW\" \"$MNT\"; yes | encfs --standard --extpass='echo \"$PW\"' \"$RAW\" \"$MNT\"",
            "",
        )?
        .success()?;
        ensure!(home.is_mounted()? && home.has_configuration());
        home.unmount()
    })
}

/// A configuration that lies encrypted somewhere and is decrypted into a FIFO in the volume, or
/// into a descriptor.
#[test]
fn a_configuration_that_is_never_stored() -> Result<()> {
    with_each(|program| {
        let home = Home::with_volume(program)?;
        home.sh(
            "mv \"$RAW/.encfs6.xml\" conf.xml; mkfifo \"$RAW/.encfs6.xml\"",
            "",
        )?
        .success()?;
        home.sh(
            "encfs --extpass='echo \"$PW\"' \"$RAW\" \"$MNT\" & cat conf.xml > \"$RAW/.encfs6.xml\"
             wait $!",
            "",
        )?
        .success()?;
        home.shows_files()?;
        home.unmount()?;
        home.sh("rm \"$RAW/.encfs6.xml\"", "")?.success()?;
        let bash = in_path("bash", "bash")?.display().to_string();
        let script = format!(
            "{bash} -c 'exec 7< <(cat conf.xml); ENCFS6_CONFIG=/dev/fd/7 encfs -S \"$RAW\" \"$MNT\"'"
        );
        home.sh(&script, &home.line())?.success()?;
        home.shows_files()?;
        home.unmount()
    })
}

/// A backup: the view without a cache, copied by rsync, then opened as the volume it is.
#[test]
fn a_backup_of_a_view() -> Result<()> {
    in_path("rsync", "rsync")?;
    with_each(|program| {
        let home = Home::new(program)?;
        home.sh(
            "mkdir \"$RAW/folder\"; echo plain > \"$RAW/folder/file\"",
            "",
        )?
        .success()?;
        home.sh(
            "encfs --standard -S --reverse --nocache \"$RAW\" \"$MNT\"",
            &home.line(),
        )?
        .success()?;
        home.sh(
            "mkdir copy; rsync -a \"$MNT/\" copy/; echo more >> \"$RAW/folder/file\"
             rsync -a --itemize-changes \"$MNT/\" copy/ > changed; test -s changed",
            "",
        )?
        .success()?;
        home.unmount()?;
        let seen = home
            .sh(
                "ENCFS6_CONFIG=\"$RAW/.encfs6.xml\" encfs -S \"$DIR/copy\" \"$MNT\"
                 cat \"$MNT/folder/file\"",
                &home.line(),
            )?
            .success()?;
        assert_eq!(seen.out(), "plain\nmore\n");
        home.sh("fusermount -u \"$MNT\"", "")?.success()?;
        Ok(())
    })
}

/// The process is found by its command line, and its mount is listed by its type.
#[test]
fn found_by_pgrep_and_by_type() -> Result<()> {
    with_each(|program| {
        let home = Home::with_volume(program)?;
        home.sh("encfs -S \"$RAW\" \"$MNT\"", &home.line())?
            .success()?;
        // The brackets keep pgrep from finding the shell that runs this.
        let script = "pgrep -f \"[e]ncfs -S $RAW $MNT\" | wc -l; \
                      mount -t fuse.encfs | grep -c \" $MNT \"";
        let told = home.sh(script, "")?.success()?.out();
        let counts: Vec<&str> = told.split_whitespace().collect();
        assert_eq!(counts, ["1", "1"]);
        home.sh(&format!("cat \"$MNT/{A_FILE}\" > /dev/null"), "")?
            .success()?;
        home.unmount()
    })
}
