//! `-o uid=`, `gid=`, `umask=`: what is shown and who may do what, beside EncFS 1.9.5.

use anyhow::Result;
use compat_tests::oracle::Program;
use compat_tests::private::Private;

/// Mounts with each list in turn and prints owners, permissions, and what two users may do.
const SCRIPT: &str = r#"
umask 022
for list in uid=65534 gid=65533,umask=027 uid=65534,gid=65533,umask=0077 umask=0 \
    uid=65534,umask=777 ; do
    "$ENCFS" --extpass="cat '$PW'" -o "allow_other,$list" "$RAW" "$MNT"
    echo "-- $list"
    (cd "$MNT"; stat -c '%u %g %a %s' . size-1; find . -exec stat -c '%n %F %u %g %a' {} +|sort)
    for who in as_user as_other; do
        $who sh -c '
            ls "$MNT" >/dev/null 2>&1 && echo "$0 lists"
            cat "$MNT/size-1" >/dev/null 2>&1 && echo "$0 reads"
            (: >>"$MNT/size-1") 2>/dev/null && echo "$0 writes"
            mkdir "$MNT/new" 2>/dev/null && echo "$0 makes" && rmdir "$MNT/new"
            test -x "$MNT/size-1" && echo "$0 executes"
            chmod 640 "$MNT/size-1" 2>/dev/null && echo "$0 changes the mode"
            true' "$who"
    done
    stat -c 'shown %a' "$MNT/size-1"
    umount "$MNT"
    # what a change of mode does in storage
    "$ENCFS" --extpass="cat '$PW'" "$RAW" "$MNT"
    stat -c 'own %u %g %a' "$MNT/size-1"
    chmod 600 "$MNT/size-1"
    umount "$MNT"
done
"#;

#[test]
fn owners_and_permissions_are_shown_as_encfs_shows_them() -> Result<()> {
    let ours = Private::new()?.run(Program::EncfsRs, SCRIPT)?.success()?;
    let theirs = Private::new()?.run(Program::Encfs195, SCRIPT)?.success()?;
    for seen in [
        "as_user writes",
        "as_other reads",
        "as_user makes",
        "changes the mode",
        "own 0 0 640",
    ] {
        assert!(
            theirs.out().contains(seen),
            "the script never shows {seen:?}: {theirs}"
        );
    }
    assert_eq!(ours.out(), theirs.out());
    assert_eq!(ours.err(), "");
    Ok(())
}

/// What EncFS 1.9.5 has not; and permissions where the kernel does not check them.
#[test]
fn files_and_directories_can_have_masks_of_their_own() -> Result<()> {
    let script = r#"
"$ENCFS" --extpass="cat '$PW'" -o allow_other,uid=65534,umask=0,fmask=177,dmask=022 "$RAW" "$MNT"
stat -c '%u %a' "$MNT" "$MNT/size-1"
umount "$MNT"
"$ENCFS" --no-default-flags --extpass="cat '$PW'" -o allow_other,uid=65534,fmask=177 "$RAW" "$MNT"
for access in -r -w -x; do
    for who in as_user as_other; do
        $who test $access "$MNT/size-1" && echo "$who $access"
    done
done
umount "$MNT"
for list in uid=ben gid= umask=8 fmask=rw dmask; do
    "$ENCFS" -o "$list" "$RAW" "$MNT" 2>&1 || echo "status $?"
done
"#;
    let expected = "\
65534 755
65534 600
as_user -r
as_user -w
encfs-rs: mount option 'uid' needs the number of a user or group
status 1
encfs-rs: mount option 'gid' needs the number of a user or group
status 1
encfs-rs: mount option 'umask' needs permission bits in octal, such as 077
status 1
encfs-rs: mount option 'fmask' needs permission bits in octal, such as 077
status 1
encfs-rs: mount option 'dmask' needs permission bits in octal, such as 077
status 1
";
    let finished = Private::new()?.run(Program::EncfsRs, script)?.success()?;
    assert_eq!(finished.out(), expected, "{finished}");
    Ok(())
}
