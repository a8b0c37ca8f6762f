//! `encfssh`: a shell inside an encrypted folder. What it says and does, first of EncFS 1.9.5.

use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use compat_tests::client::{A_FILE, Home, with_each};
use compat_tests::oracle::{Program, in_path};
use compat_tests::run::{Finished, run};

/// A folder where `encfssh` is on the search path, as installed beside its program.
fn home(program: Program) -> Result<Home> {
    let home = Home::with_volume(program)?;
    let bin = home.path().join("bin");
    match program {
        Program::Encfs195 => symlink(in_path("encfssh", "encfs")?, bin.join("encfssh"))?,
        Program::EncfsRs => {
            let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../contrib/encfssh-rs");
            symlink(script.canonicalize()?, bin.join("encfssh"))?;
            symlink(program.encfs_path()?, bin.join("encfs-rs"))?;
        }
    }
    Ok(home)
}

/// Runs `encfssh words`, the password as input, with a shell that is this script.
fn encfssh(home: &Home, words: &str, shell: &str) -> Result<Finished> {
    let place = home.path().join("shell");
    std::fs::write(&place, format!("#!/bin/sh\n{shell}\n"))?;
    std::fs::set_permissions(&place, std::fs::Permissions::from_mode(0o755))?;
    let script = format!("export SHELL=\"$DIR/shell\"; encfssh {words}");
    home.sh(&script, &home.line())
}

/// What lies in the folder, but for what a test puts there.
fn entries(home: &Home) -> Result<Vec<String>> {
    let listed = home.sh("ls -A | grep -vx -e bin -e home -e shell", "")?;
    Ok(listed.out().lines().map(str::to_owned).collect())
}

#[test]
fn usage_with_status_1() -> Result<()> {
    with_each(|program| {
        let home = home(program)?;
        for words in ["", "-h", "--help"] {
            let told = encfssh(&home, words, "echo ran")?;
            assert_eq!(told.code(), Some(1), "{told}");
            ensure!(
                !told.out().is_empty() && !told.out().contains("ran"),
                "{told}"
            );
        }
        assert_eq!(entries(&home)?, ["mnt", "raw"]);
        Ok(())
    })
}

#[test]
fn the_shell_runs_in_the_mount_and_its_status_counts() -> Result<()> {
    with_each(|program| {
        let home = home(program)?;
        let shell = format!(
            "pwd; wc -c < {A_FILE}; grep \" $MNT \" /proc/mounts | cut -d ' ' -f 3; exit 7"
        );
        let told = encfssh(&home, "raw mnt", &shell)?;
        assert_eq!(told.code(), Some(7), "{told}");
        let mnt = home.mnt().display().to_string();
        assert_eq!(told.out(), format!("{mnt}\n1\nfuse.encfs\n"));
        ensure!(
            told.err().contains(&format!("Directory is {mnt}")),
            "{told}"
        );
        ensure!(!home.is_mounted()?);
        assert_eq!(entries(&home)?, ["mnt", "raw"]);
        Ok(())
    })
}

#[test]
fn a_temporary_folder_comes_and_goes() -> Result<()> {
    with_each(|program| {
        let home = home(program)?;
        let told = encfssh(&home, "raw", &format!("pwd; test -e {A_FILE}"))?;
        let told = told.success()?;
        let out = told.out();
        let place = Path::new(out.lines().next().context("no folder")?);
        assert_eq!(place.parent(), Some(home.path()), "{told}");
        let name = place.file_name().context("no name")?.to_string_lossy();
        ensure!(name.len() == 9 && name.starts_with('.'), "{name}");
        assert_eq!(entries(&home)?, ["mnt", "raw"]);
        Ok(())
    })
}

/// Of the folder itself the mount hides the mode: it is seen when the mount is not there.
#[test]
fn the_temporary_folder_is_its_owner_s_and_goes_if_encfs_fails() -> Result<()> {
    with_each(|program| {
        let home = home(program)?;
        for name in ["encfs", "encfs-rs"] {
            let place = home.path().join("bin").join(name);
            if place.exists() {
                std::fs::remove_file(&place)?;
            }
            std::fs::write(
                &place,
                "#!/bin/sh\necho \"words $*\"\nstat -c %a \"$2\"\nexit 1\n",
            )?;
            std::fs::set_permissions(&place, std::fs::Permissions::from_mode(0o755))?;
        }
        let told = encfssh(&home, "raw", "echo ran")?;
        assert_eq!(told.code(), Some(1), "{told}");
        let out = told.out();
        let lines: Vec<&str> = out.lines().collect();
        let [words, mode, failed] = lines[..] else {
            anyhow::bail!("other lines than expected: {told}");
        };
        let raw = home.raw().display().to_string();
        let begin = format!("words {raw} {}/.", home.path().display());
        ensure!(words.starts_with(&begin), "paths are not absolute: {words}");
        assert_eq!((mode, failed), ("700", "encfs failed"));
        assert_eq!(entries(&home)?, ["mnt", "raw"]);

        let told = encfssh(&home, "raw mnt -p", "echo ran")?;
        let words = format!("words {raw} {} -- -o allow_other", home.mnt().display());
        ensure!(told.out().lines().any(|l| l == words), "{told}");
        Ok(())
    })
}

#[test]
fn folders_that_are_not_there_are_made() -> Result<()> {
    with_each(|program| {
        let home = home(program)?;
        let told = encfssh(&home, "raw new-plain", "pwd")?.success()?;
        ensure!(told.out().ends_with("/new-plain\n"), "{told}");
        // The menu of a new volume takes the line; then there is no password, so nothing is made.
        let told = encfssh(&home, "new-raw other-plain", "echo ran")?;
        ensure!(home.path().join("new-raw").is_dir(), "{told}");
        Ok(())
    })
}

#[test]
fn a_wrong_password() -> Result<()> {
    with_each(|program| {
        let home = home(program)?;
        let told = home.sh("export SHELL=/bin/false; encfssh raw fresh", "wrong\n")?;
        assert_eq!(told.code(), Some(1), "{told}");
        ensure!(told.out().lines().any(|l| l == "encfs failed"), "{told}");
        assert_eq!(entries(&home)?, ["mnt", "raw"]);
        Ok(())
    })
}

#[test]
fn all_users_with_p() -> Result<()> {
    with_each(|program| {
        let home = home(program)?;
        let told = encfssh(&home, "raw mnt -p", "grep \" $MNT \" /proc/mounts")?.success()?;
        ensure!(told.out().contains("allow_other"), "{told}");
        Ok(())
    })
}

/// The shell has unmounted it itself, so there is nothing to unmount.
#[test]
fn an_unmount_that_fails_gives_its_status() -> Result<()> {
    with_each(|program| {
        let home = home(program)?;
        let told = encfssh(&home, "raw mnt", "cd /; fusermount -uz \"$MNT\"; exit 7")?;
        assert_eq!(told.code(), Some(1), "{told}");
        Ok(())
    })
}

/// EncFS 1.9.5 removes also a folder that was there before, when it is empty.
#[test]
fn an_empty_folder_that_was_there_is_left_when_encfs_fails() -> Result<()> {
    let home = home(Program::EncfsRs)?;
    let told = home.sh("encfssh raw mnt", "wrong\n")?;
    assert_eq!(told.code(), Some(1), "{told}");
    assert_eq!(entries(&home)?, ["mnt", "raw"]);
    Ok(())
}

/// Without a shell in the environment it is /bin/sh; what follows the password is for the shell.
#[test]
fn a_shell_of_last_resort() -> Result<()> {
    let home = home(Program::EncfsRs)?;
    let input = format!("{}echo \"in $PWD\"; exit 5\n", home.line());
    let told = home.sh("unset SHELL; encfssh raw mnt", &input)?;
    assert_eq!(told.code(), Some(5), "{told}");
    assert_eq!(told.out(), format!("in {}\n", home.mnt().display()));
    Ok(())
}

/// `make install` puts it beside the programs, by both names with LINKS=1.
#[test]
fn the_makefile_installs_it() -> Result<()> {
    let top = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut make = Command::new(in_path("make", "make")?);
    make.args([
        "--dry-run",
        "install",
        "LINKS=1",
        "DESTDIR=/nowhere",
        "CARGO=true",
    ]);
    let told = run(make.current_dir(top), b"")?.success()?.out();
    for words in [
        "/nowhere/usr/local/bin/encfssh-rs",
        "for name in encfs encfsctl encfssh;",
    ] {
        ensure!(told.contains(words), "{words} is missing in {told}");
    }
    Ok(())
}
