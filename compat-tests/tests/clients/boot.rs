//! Mounts at boot: fstab and mount.fuse by `encfs#`, autofs, systemd units.

use std::os::unix::process::ExitStatusExt;

use anyhow::{Context, Result, ensure};
use compat_tests::client::{A_FILE, Home, with_each};
use compat_tests::oracle::{Program, in_path};

/// What each case prints: the type in the mount table, the program, a file, and the end.
const LOOK: &str = "look() {
        sed -n \"s#.* $MNT \\(fuse[^ ]*\\) .*#\\1#p\" /proc/mounts
        readlink /proc/\"$(pgrep -x encfs)\"/exe
        test -e \"$MNT/size-1\"
        umount \"$MNT\"
        while pgrep -x encfs > /dev/null; do :; done
    }
    by() { printf '%s\\n' \"$PW\" | \"$@\"; }
    ";

/// Runs `script` in a world where mount, which looks for programs at fixed places, finds ours; it
/// must see the program under test `times` times.
fn seen(home: &Home, script: &str, times: usize) -> Result<()> {
    assert_eq!(A_FILE, "size-1");
    in_path("mount.fuse", "fuse3")?;
    let told = home.private(&format!("{LOOK}{script}"), "")?.success()?;
    let each = format!("fuse.encfs\n{}\n", home.program()?.display());
    assert_eq!(told.out(), each.repeat(times), "{told}");
    Ok(())
}

/// `mount.fuse3` runs `encfs` by the shell, with the password from standard input at boot.
#[test]
fn fstab_lines_with_a_hash() -> Result<()> {
    with_each(|program| {
        let home = Home::with_volume(program)?;
        seen(
            &home,
            "for words in noauto,user ro,noauto nofail,_netdev allow_other,noatime,nosuid; do
                printf 'encfs#%s %s fuse %s 0 0\\n' \"$RAW\" \"$MNT\" $words > fstab
                by mount -T fstab \"$MNT\"; look
            done",
            4,
        )
    })
}

#[test]
fn mount_lines_with_a_hash() -> Result<()> {
    with_each(|program| {
        let home = Home::with_volume(program)?;
        // The last but one is what autofs makes of `-fstype=fuse,rw,allow_other :encfs\#/src`.
        seen(
            &home,
            "by mount -t fuse \"encfs#$RAW\" \"$MNT\"; look
            by mount -t fuse -o rw,noatime \"encfs#$RAW\" \"$MNT\"; look
            by mount.fuse \"encfs#$RAW\" \"$MNT\" -o nonempty; look
            by mount -t fuse -o rw,allow_other \"encfs#$RAW\" \"$MNT\"; look
            ! echo wrong | mount -t fuse \"encfs#$RAW\" \"$MNT\" >/dev/null
            ! grep \" $MNT \" /proc/mounts",
            4,
        )
    })
}

/// A word that mount passes on: EncFS 1.9.5 ends on it.
#[test]
fn an_fstab_line_for_systemd() -> Result<()> {
    let home = Home::with_volume(Program::EncfsRs)?;
    seen(
        &home,
        "by mount.fuse \"encfs#$RAW\" \"$MNT\" -o noauto,x-systemd.automount,defaults; look
        by mount -t fuse -o noauto,x-systemd.automount,defaults \"encfs#$RAW\" \"$MNT\"; look",
        2,
    )
}

/// Options of encfs itself come by a wrapper named before the `#`.
#[test]
fn a_wrapper_before_the_hash() -> Result<()> {
    with_each(|program| {
        let home = Home::with_volume(program)?;
        let wrapper = "#!/bin/sh\nexec encfs --extpass=\"cat '$DIR/secret'\" \"$@\"\n";
        std::fs::write(home.path().join("bin/my-encfs"), wrapper)?;
        seen(
            &home,
            "chmod +x bin/my-encfs; echo \"$PW\" > secret
            mount -t fuse \"my-encfs#$RAW\" \"$MNT\" </dev/null; look",
            1,
        )
    })
}

/// The start of a unit: nothing of an environment but a path, no terminal, nothing to read.
const UNIT: &str = "exec env -i PATH=\"$PATH\"";

#[test]
fn a_unit_of_type_simple() -> Result<()> {
    with_each(|program| {
        let home = Home::with_volume(program)?;
        std::fs::write(home.path().join("secret"), home.line())?;
        // ExecStop=fusermount -u, then SIGTERM: either ends with status 0, so no restart.
        for stop in ["fusermount -u \"$MNT\"", "kill -TERM $pid"] {
            let script = format!(
                "( {UNIT} encfs --extpass=\"cat '$DIR/secret'\" -f \"$RAW\" \"$MNT\" ) \
                 < /dev/null > log 2>&1 & pid=$!
                until grep -q \" $MNT fuse\" /proc/mounts; do kill -0 $pid; done
                cat \"$MNT/{A_FILE}\" > /dev/null
                {stop}
                wait $pid"
            );
            home.sh(&script, "")?.success().context(stop)?;
            ensure!(!home.is_mounted()?, "{stop}");
        }
        Ok(())
    })
}

#[test]
fn a_unit_of_type_forking() -> Result<()> {
    with_each(|program| {
        let home = Home::with_volume(program)?;
        std::fs::write(home.path().join("secret"), home.line())?;
        let script = format!(
            "( {UNIT} encfs --extpass=\"cat '$DIR/secret'\" \"$RAW\" \"$MNT\" ) < /dev/null
             cat \"$MNT/{A_FILE}\" > /dev/null"
        );
        let told = home.sh(&script, "")?.success()?;
        assert_eq!((told.out(), told.err()), (String::new(), String::new()));
        home.unmount()
    })
}

/// Without a password to read it ends at once, with a status, not a signal.
#[test]
fn a_unit_without_a_password() -> Result<()> {
    with_each(|program| {
        let home = Home::with_volume(program)?;
        for options in ["-S", "-S -f", ""] {
            let script = format!("{UNIT} encfs {options} \"$RAW\" \"$MNT\" < /dev/null");
            let told = home.sh(&script, "")?;
            assert_eq!(told.status.signal(), None, "{told}");
            assert_eq!(told.code(), Some(1), "{told}");
            ensure!(!home.is_mounted()?);
        }
        Ok(())
    })
}
