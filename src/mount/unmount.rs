//! Unmounting by path: for `-u`, and when a signal ends the mount.
//!
//! Lazy: a mount in use disappears from the tree at once and ends when its last user does.
//! It works on a mount whose program is dead, so the path is never looked at, only named.

use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use rustix::io::Errno;
use rustix::mount::{UnmountFlags, unmount};

/// Takes away the mount at `path`.
///
/// Root asks the kernel; everybody else needs `fusermount3` (or `fusermount`, its name in
/// FUSE 2).
///
/// # Errors
/// What the kernel, or the program's failure, says.
pub(super) fn lazily(path: &Path) -> io::Result<()> {
    if rustix::process::geteuid().is_root() {
        return match unmount(absolute(path), UnmountFlags::DETACH) {
            Err(Errno::INVAL) => Err(io::Error::other("nothing is mounted there")),
            result => Ok(result?),
        };
    }
    let mut failed = None;
    for program in ["fusermount3", "fusermount"] {
        match Command::new(program)
            .args(["-u", "-z"])
            .arg(path)
            .stdin(Stdio::null())
            .output()
        {
            Ok(output) if output.status.success() => return Ok(()),
            Ok(output) => {
                let text = String::from_utf8_lossy(&output.stderr).trim().to_owned();
                failed.get_or_insert(io::Error::other(text));
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => {
                failed.get_or_insert(error);
            }
        }
    }
    Err(failed.unwrap_or_else(|| {
        io::Error::other("neither fusermount3 nor fusermount is installed (package fuse3)")
    }))
}

/// Without a slash at the end, which a dead mount cannot answer for.
fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).map_or_else(
        |_| path.to_owned(),
        |absolute| absolute.components().collect(),
    )
}
