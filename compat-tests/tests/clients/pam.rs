//! Mounts at login: the real pam_mount, and the lines of both programs called pam_encfs.

use anyhow::{Context, Result, ensure};
use compat_tests::client::{A_FILE, Home, with_each};
use compat_tests::oracle::in_path;

/// The real module, called by `pamtester` for the user `nobody`, with a configuration and a service
/// that only this world has. pam_mount runs `mount.fuse` as the user, without a terminal.
#[test]
fn pam_mount() -> Result<()> {
    in_path("pamtester", "pamtester")?;
    std::fs::metadata("/etc/security/pam_mount.conf.xml")
        .context("pam_mount is missing: apt-get install libpam-mount (`make deps-test` does)")?;
    with_each(|program| {
        let home = Home::with_volume(program)?;
        std::fs::create_dir(home.path().join("pam.d"))?;
        std::fs::write(
            home.path().join("pam.d/login-client"),
            "auth required pam_mount.so\naccount required pam_permit.so\n\
             session required pam_mount.so\n",
        )?;
        std::fs::write(
            home.path().join("pam_mount.conf.xml"),
            format!(
                "<?xml version=\"1.0\" encoding=\"utf-8\" ?>\n<pam_mount>\n\
                 <volume user=\"nobody\" fstype=\"fuse\" path=\"encfs#{}\" mountpoint=\"{}\" \
                 options=\"nonempty\" />\n\
                 <mntoptions require=\"nosuid,nodev\" />\n\
                 <logout wait=\"0\" hup=\"no\" term=\"no\" kill=\"no\" />\n</pam_mount>\n",
                home.raw().display(),
                home.mnt().display()
            ),
        )?;
        let script = format!(
            "mount --bind pam.d /etc/pam.d
            mount --bind pam_mount.conf.xml /etc/security/pam_mount.conf.xml
            chown -R nobody \"$RAW\" \"$MNT\"; touch \"$MNT/in the way\"
            as() {{ setpriv --reuid nobody --regid nogroup --clear-groups \"$@\"; }}
            enter() {{ printf '%s\\n' \"$1\" | pamtester login-client nobody authenticate open_session \
                       2>&1 || :; }}
            enter \"$PW\"
            grep \" $MNT \" /proc/mounts
            as cat \"$MNT/{A_FILE}\" | wc -c
            readlink /proc/\"$(pgrep -x encfs)\"/exe
            as fusermount -u \"$MNT\"
            enter wrong > /dev/null
            grep \" $MNT \" /proc/mounts || echo gone"
        );
        let told = home.private(&script, "")?.success()?;
        let out = told.out();
        ensure!(out.contains("successfully opened a session"), "{told}");
        let line = format!(" {} fuse.encfs rw,", home.mnt().display());
        ensure!(
            out.contains(&line) && out.contains("user_id=65534"),
            "{told}"
        );
        let exe = home.program()?.display().to_string();
        ensure!(out.lines().any(|l| l == exe), "{told}");
        ensure!(out.ends_with("gone\n"), "{told}");
        let size = out.lines().filter(|l| l.trim() == "1").count();
        assert_eq!(size, 1, "{told}");
        Ok(())
    })
}

/// pam_encfs: `encfs -S` as the user, options of FUSE behind the dashes. Not in Debian any more.
#[test]
fn pam_encfs() -> Result<()> {
    with_each(|program| {
        let home = Home::with_volume(program)?;
        let script = format!(
            "chown -R nobody \"$RAW\" \"$MNT\"; touch \"$MNT/in the way\"
            as() {{ setpriv --reuid nobody --regid nogroup --clear-groups \"$@\"; }}
            printf '%s\\n' \"$PW\" | as encfs -S --idle=1 \"$RAW\" \"$MNT\" -- -o nonempty
            as cat \"$MNT/{A_FILE}\" | wc -c
            as fusermount -uz \"$MNT\"
            grep \" $MNT \" /proc/mounts || echo gone"
        );
        assert_eq!(home.private(&script, "")?.success()?.out(), "1\ngone\n");
        Ok(())
    })
}

/// The other pam_encfs: by `popen`, the password without a newline.
#[test]
fn pam_encfs_by_popen() -> Result<()> {
    with_each(|program| {
        let home = Home::with_volume(program)?;
        std::fs::write(home.mnt().join("in the way"), b"")?;
        for words in ["allow_root,nonempty", "allow_other,nonempty"] {
            let line = format!("encfs -S -o {words} \"$RAW\" \"$MNT\"");
            home.sh(&line, home.password())?.success()?;
            home.shows_files()?;
            let daemon = home.daemon()?;
            home.sh("fusermount -zu \"$MNT\"", "")?.success()?;
            daemon.wait()?;
        }
        Ok(())
    })
}
