//! What kind of filesystem a directory lies on, by the mount table.

use std::os::fd::{AsFd, AsRawFd};

use super::Dir;

impl Dir {
    /// The type of the filesystem as the mount table has it, such as `ext4`, `vfat`, `fuse.sshfs`. Asks the
    /// kernel only; `None` where it does not tell.
    #[must_use]
    pub fn filesystem_type(&self) -> Option<String> {
        // By the number of the mount: paths change, and some filesystems report other device numbers than
        // those in the table.
        let number = self.as_fd().as_raw_fd();
        let info = std::fs::read_to_string(format!("/proc/self/fdinfo/{number}")).ok()?;
        let mount = info.lines().find_map(|line| line.strip_prefix("mnt_id:"))?;
        let table = std::fs::read("/proc/self/mountinfo").ok()?;
        type_of(&String::from_utf8_lossy(&table), mount.trim())
    }
}

/// The type of the mount with this number.
fn type_of(table: &str, mount: &str) -> Option<String> {
    // number, parent, major:minor, root, mount point, options, any fields, "-", type, source, options
    let line = table
        .lines()
        .find(|line| line.split(' ').next() == Some(mount))?;
    let (_, filesystem) = line.split_once(" - ")?;
    filesystem.split(' ').next().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &str = "\
22 28 0:20 / /sys rw - sysfs sysfs rw
51 28 0:44 /a /home/ben/back\\040up rw,nosuid shared:7 - fuse.s3fs s3fs rw,user_id=1000
512 51 0:45 / /mnt rw - vfat /dev/sda1 rw
";

    #[test]
    fn the_type_stands_after_the_dash() {
        for (mount, expected) in [
            ("22", Some("sysfs")),
            ("51", Some("fuse.s3fs")),
            ("512", Some("vfat")),
            ("5", None),
        ] {
            assert_eq!(type_of(TABLE, mount).as_deref(), expected, "{mount}");
        }
    }

    #[test]
    fn the_root_directory_lies_on_something() {
        let dir = Dir::open_root(std::path::Path::new("/")).unwrap();
        let told = std::fs::read_to_string("/proc/self/mountinfo").unwrap();
        let kind = dir.filesystem_type().unwrap();
        assert!(told.contains(&format!(" - {kind} ")), "{kind}");
    }
}
