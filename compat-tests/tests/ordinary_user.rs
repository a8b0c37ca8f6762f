//! A user who is not root mounts and unmounts, by fusermount3.

use anyhow::Result;
use compat_tests::oracle::Program;
use compat_tests::private::Private;

const OF_USER: &str = "\
encfs fuse.encfs rw,nosuid,nodev,relatime,user_id=65534,group_id=65534,default_permissions";

fn prints(script: &str, expected: &str) -> Result<()> {
    let private = Private::new()?;
    let script = format!("own_dev\nchown -R 65534:65534 raw mnt\n{script}");
    let finished = private.run(Program::EncfsRs, &script)?.success()?;
    let dir = private.dir().display().to_string();
    let told = format!("{}{}", finished.out(), finished.err());
    assert_eq!(told.replace(&dir, "[DIR]"), expected, "{finished}");
    Ok(())
}

#[test]
fn a_user_mounts_writes_and_unmounts_in_each_way() -> Result<()> {
    let script = r#"
for way in 'fusermount3 -u' 'fusermount3 -uz' "$ENCFS -u" 'umount'; do
    as_user "$ENCFS" --extpass="cat '$PW'" "$RAW" "$MNT"
    shown "$MNT"
    as_user sh -c 'echo text >"$MNT/new"; cat "$MNT/new"; stat -c %u:%g "$MNT/new"; rm "$MNT/new"'
    # not even root looks in
    test -e "$MNT/size-1" || echo "root: no"
    case $way in umount) umount "$MNT" ;; *) as_user $way "$MNT" ;; esac
    shown "$MNT"
done
# devices and set-ID programs are root's to allow
as_user "$ENCFS" --extpass="cat '$PW'" -o dev,suid "$RAW" "$MNT"
shown "$MNT"
as_user "$ENCFS" -u "$MNT"
as_user "$ENCFS" -u "$MNT" || echo "status $?"
"#;
    let each = format!("{OF_USER}\ntext\n65534:65534\nroot: no\n");
    let expected = format!(
        "{each}not mounted
{each}not mounted
{each}Unmounting [DIR]/mnt
not mounted
{each}not mounted
{OF_USER}
Unmounting [DIR]/mnt
Unmounting [DIR]/mnt
encfs-rs: [DIR]/mnt is not unmounted: fusermount3: entry for [DIR]/mnt not found in /etc/mtab
"
    );
    prints(script, &expected)
}

#[test]
fn other_users_are_let_in_only_where_root_allows_it() -> Result<()> {
    let script = r#"
touch conf
mount --bind conf /etc/fuse.conf
as_user "$ENCFS" --extpass="cat '$PW'" -o allow_other "$RAW" "$MNT" 2>&1 || echo "status $?"
as_user "$ENCFS" --extpass="cat '$PW'" -o allow_root "$RAW" "$MNT" 2>&1 || echo "status $?"
shown "$MNT"
echo user_allow_other >conf
as_user "$ENCFS" --extpass="cat '$PW'" -o allow_other "$RAW" "$MNT"
shown "$MNT"
as_other wc -c <"$MNT/size-1"
as_user fusermount3 -u "$MNT"
as_user "$ENCFS" --public --extpass="cat '$PW'" "$RAW" "$MNT" 2>&1
shown "$MNT"
as_user fusermount3 -u "$MNT"
"#;
    let refused = "\
encfs-rs: cannot mount at [DIR]/mnt/: fusermount3: option allow_other only allowed if \
         'user_allow_other' is set in /etc/fuse.conf
  Only root may use allow_other, unless /etc/fuse.conf says user_allow_other.
status 1
";
    let expected = format!(
        "{refused}{}not mounted
{OF_USER},allow_other
1
option '--public' ignored for non-root user
{OF_USER}
",
        refused.replace(
            "Only root may use allow_other",
            "Only root may use allow_root"
        )
    );
    prints(script, &expected)
}

/// The reason that users meet first.
#[test]
fn a_device_that_may_not_be_used_is_named() -> Result<()> {
    let script = r#"
chmod 600 /dev/fuse
as_user "$ENCFS" --extpass="cat '$PW'" "$RAW" "$MNT" 2>&1 || echo "status $?"
rm /dev/fuse
as_user "$ENCFS" --extpass="cat '$PW'" "$RAW" "$MNT" 2>&1 || echo "status $?"
"#;
    let expected = "\
encfs-rs: cannot mount at [DIR]/mnt/: Permission denied (os error 13)
  You may not use /dev/fuse: ask to be added to the group that it belongs to.
status 1
encfs-rs: cannot mount at [DIR]/mnt/: No such file or directory (os error 2)
  There is no /dev/fuse: load the kernel module fuse, or let this container have it.
status 1
";
    prints(script, expected)
}
