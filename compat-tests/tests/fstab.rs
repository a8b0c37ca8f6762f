//! Mounts by `mount`: the types `fuse` and `fuse.encfs-rs`, the helper `mount.encfs-rs`, fstab.

use anyhow::Result;
use compat_tests::oracle::Program;
use compat_tests::private::Private;

/// Runs a script and compares what it prints, `[DIR]` standing for its folder.
fn prints(script: &str, expected: &str) -> Result<()> {
    let private = Private::new()?;
    let dir = private.dir().display().to_string();
    let finished = private.run(Program::EncfsRs, script)?.success()?;
    assert_eq!(
        finished.out().replace(&dir, "[DIR]"),
        expected,
        "{finished}"
    );
    assert_eq!(finished.err(), "", "{finished}");
    Ok(())
}

const USUAL: &str = "user_id=0,group_id=0,default_permissions";

#[test]
fn a_line_of_fstab_in_each_form_mounts() -> Result<()> {
    // With every word that fstab lines have for others, and options of EncFS's own.
    let script = r#"
own_sbin
others=noauto,nofail,_netdev,defaults,relatime,x-systemd.automount,x-gvfs-show,comment=mine
cat >fstab <<END
encfs-rs#$RAW $MNT fuse extpass=cat\040$PW,$others 0 0
$RAW $DIR/m2 fuse.encfs-rs extpass=cat\040$PW,ro,users,$others 0 0
$RAW $DIR/m3 encfs-rs extpass=cat\040$PW,user,fsname=backup,subtype=encfs,$others 0 0
END
for point in "$MNT" "$DIR/m2" "$DIR/m3"; do
    mkdir -p "$point"
    mount -T fstab "$point"
    shown "$point"
    wc -c <"$point/size-1"
    umount "$point"
    shown "$point"
done
"#;
    let expected = format!(
        "encfs fuse.encfs rw,relatime,{USUAL}
1
not mounted
encfs fuse.encfs ro,nosuid,nodev,noexec,relatime,{USUAL}
1
not mounted
backup fuse.encfs rw,nosuid,nodev,noexec,relatime,{USUAL}
1
not mounted
"
    );
    prints(script, &expected)
}

#[test]
fn mount_takes_the_type_by_hand() -> Result<()> {
    let script = r#"
own_sbin
mount -t encfs-rs raw mnt -o "extpass=cat $PW,reverse" || echo "status $?"
mount -t encfs-rs raw mnt -o "extpass=cat $PW"
shown "$MNT"
umount mnt
mount -t encfs-rs raw mnt -o "nosuid,nodev,idle=5,stdinpass,nocache" <"$PW"
shown "$MNT"
wc -c <mnt/size-1
umount mnt
# the helper's own words: a trial, words that nobody knows
mount -f -t encfs-rs raw mnt -o bogus || echo "status $?"
mount -f -t encfs-rs raw mnt -o ro
shown "$MNT"
mount -s -t encfs-rs raw mnt -o "bogus,extpass=cat $PW"
shown "$MNT"
umount mnt
# what pam_mount calls, the password on standard input
mount.fuse "encfs-rs#$RAW" "$MNT" -o nosuid,nodev,nonempty <"$PW" 2>prompt
cat prompt
shown "$MNT"
umount mnt
"#;
    let expected = format!(
        "mount.encfs-rs: the configuration loaded is not compatible with --reverse
  Reverse mode takes volumes without chaining, block codes and random bytes, as encfs-rs --reverse creates them.
status 1
encfs fuse.encfs rw,relatime,{USUAL}
encfs fuse.encfs rw,nosuid,nodev,relatime,{USUAL}
1
status 1
not mounted
encfs fuse.encfs rw,relatime,{USUAL}
EncFS Password: 
encfs fuse.encfs rw,nosuid,nodev,relatime,{USUAL}
"
    );
    let private = Private::new()?;
    let finished = private.run(Program::EncfsRs, script)?.success()?;
    assert_eq!(finished.out(), expected, "{finished}");
    let unknown = "mount.encfs-rs: unknown mount option 'bogus'\n";
    assert_eq!(finished.err(), unknown, "{finished}");
    Ok(())
}

/// `mount -N` leaves it to the helper to enter the namespace.
#[test]
fn a_mount_can_be_made_in_another_namespace() -> Result<()> {
    let script = r#"
own_sbin
mkfifo ready done
unshare --mount sh -c 'echo >ready; cat done' &
namespace=/proc/$!/ns/mnt
read line <ready
mount -N "$namespace" -t encfs-rs "$RAW" "$MNT" -o "extpass=cat $PW"
shown "$MNT"
nsenter --mount="$namespace" findmnt -n -o FSTYPE "$MNT"
nsenter --mount="$namespace" umount "$MNT"
: >done
/sbin/mount.encfs-rs "$RAW" "$MNT" -N "$DIR/pw" -o "extpass=cat $PW" 2>&1 || echo "status $?"
"#;
    prints(
        script,
        "not mounted
fuse.encfs
mount.encfs-rs: cannot enter the namespace [DIR]/pw: Invalid argument (os error 22)
status 1
",
    )
}
