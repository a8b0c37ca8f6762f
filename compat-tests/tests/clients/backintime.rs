//! Back In Time: `--extpass` with its own helper, and `encfsctl` kept running.

use anyhow::{Result, ensure};
use compat_tests::client::{A_FILE, Home, with_each};
use compat_tests::oracle::in_path;
use compat_tests::run::Finished;

/// Its own classes in a world of their own, the answers of its windows given for it.
fn drive(home: &Home, scenario: &str) -> Result<Finished> {
    in_path("backintime", "backintime-common")?;
    std::fs::write(home.path().join("drive.py"), include_str!("backintime.py"))?;
    home.private(
        &format!("/usr/bin/python3 -B \"$DIR/drive.py\" {scenario}"),
        "",
    )?
    .success()
}

#[test]
fn the_program_with_an_encrypted_folder() -> Result<()> {
    with_each(|program| {
        let home = Home::new(program)?;
        let told = drive(&home, "local")?;
        let expected = "kind fuse.encfs\nmounted False\nread plain\n\
                        decoded a file and no-such-name\nagain a file\nlog [C] <f+++++++++ a file\n";
        assert_eq!(told.out(), expected, "{told}");
        ensure!(home.has_configuration());
        let told = drive(&home, "wrong")?.out();
        let expected = "MountException\nError decoding volume key, password incorrect\n";
        assert_eq!(told, expected);
        Ok(())
    })
}

/// The view of `/` by `--reverse`, and `encfsctl encode` beside it. Its class for ssh_encfs also
/// starts sshfs, for which there is no server here; its parts for EncFS are driven one by one.
#[test]
fn the_program_with_a_view_of_everything() -> Result<()> {
    with_each(|program| {
        let home = Home::new(program)?;
        let told = drive(&home, "remote")?;
        let expected = "leading slash False\nsize 5\ninclude True\nexclude True\nmounted False\n";
        assert_eq!(told.out(), expected, "{told}");
        Ok(())
    })
}

/// Its lines, with a helper that takes what it needs from the environment.
#[test]
fn lines() -> Result<()> {
    with_each(|program| {
        let home = Home::with_volume(program)?;
        let helper = home.path().join("bin/askpass");
        std::fs::write(&helper, "#!/bin/sh\ncat \"$ASKPASS_TEMP\"\n")?;
        let script = format!(
            "chmod +x bin/askpass; printf '%s' \"$PW\" > secret; export ASKPASS_TEMP=\"$DIR/secret\"
            out=$(encfs --extpass=askpass \"$RAW\" \"$MNT\" 2>&1)
            printf 'told:%s\\n' \"$out\"; cat \"$MNT/{A_FILE}\" > /dev/null
            code() {{ printf '%s\\n' \"$2\" | encfsctl \"$1\" --extpass=askpass \"$RAW\"; }}
            code decode \"$(code encode '/{A_FILE}')\""
        );
        let told = home.sh(&script, "")?.success()?;
        assert_eq!(told.out(), format!("told:\n{A_FILE}\n"));
        home.unmount()
    })
}
