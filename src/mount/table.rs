//! The mount table: is what is mounted there still ours?
//!
//! Unmounting is by path, and a path can have been given to another mount by the time a signal
//! arrives. The device number tells: it belongs to one mount for as long as that is served.

use std::ffi::OsString;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::Path;

/// Device number `major:minor` of the topmost mount at `point`, an absolute path without links.
pub(super) fn device_at(point: &Path) -> Option<String> {
    let table = std::fs::read("/proc/self/mountinfo").ok()?;
    find(&table, point)
}

fn find(table: &[u8], point: &Path) -> Option<String> {
    // ID, parent, major:minor, root, mount point, ...; a later mount lies on top.
    table.split(|&byte| byte == b'\n').rev().find_map(|line| {
        let mut words = line.split(|&byte| byte == b' ').skip(2);
        let device = words.next()?;
        let place = words.nth(1)?;
        (unescaped(place).as_bytes() == point.as_os_str().as_bytes())
            .then(|| String::from_utf8_lossy(device).into_owned())
    })
}

/// Blanks and their like stand in the table as `\` and three octal digits.
fn unescaped(word: &[u8]) -> OsString {
    let mut bytes = Vec::with_capacity(word.len());
    let mut rest = word;
    while let Some((&first, after)) = rest.split_first() {
        let code = after
            .get(..3)
            .filter(|_| first == b'\\')
            .and_then(|digits| std::str::from_utf8(digits).ok())
            .and_then(|digits| u8::from_str_radix(digits, 8).ok());
        match code {
            Some(byte) => {
                bytes.push(byte);
                rest = after.get(3..).unwrap_or_default();
            }
            None => {
                bytes.push(first);
                rest = after;
            }
        }
    }
    OsString::from_vec(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &[u8] = b"\
22 28 0:20 / /sys rw - sysfs sysfs rw
51 28 0:44 / /home/ben/back\\040up rw,nosuid - fuse.encfs encfs rw,user_id=1000
52 51 0:45 / /home/ben/back\\040up rw,nosuid - fuse.encfs encfs rw,user_id=1000
53 28 0:46 / /mnt/a\\134b rw - ext4 /dev/sda1 rw
";

    #[test]
    fn the_topmost_mount_is_found_under_its_true_name() {
        for (point, device) in [
            ("/home/ben/back up", Some("0:45")),
            ("/sys", Some("0:20")),
            ("/mnt/a\\b", Some("0:46")),
            ("/home/ben", None),
        ] {
            assert_eq!(find(TABLE, Path::new(point)).as_deref(), device, "{point}");
        }
    }
}
