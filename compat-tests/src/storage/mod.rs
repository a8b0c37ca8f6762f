//! Real storage: real programs that mount what lies elsewhere, with their servers on loopback,
//! private to a folder that goes away.
//!
//! | module | what it is for |
//! |---|---|
//! | [`line`] | a network line with a delay, which counts how often the talk changes direction |
//! | [`server`] | a server process, ended when it is dropped |
//! | [`sshd`] | an SSH server of our own, and sshfs mounts of it |
//! | [`rclone`] | `rclone mount`, and `rclone serve webdav` |
//! | [`davfs`] | davfs2 mounts of a WebDAV server |
//! | [`s3`] | a local S3 server, and s3fs mounts of it |
//! | [`story`] | what the article did with its files, on any of these |

pub mod davfs;
pub mod line;
pub mod rclone;
pub mod s3;
pub mod server;
pub mod sshd;
pub mod story;

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use tempfile::TempDir;

/// Storage that can be mounted and unmounted as often as one likes; its contents stay.
pub trait Storage {
    /// Mounts it; nothing if it is mounted.
    ///
    /// # Errors
    /// When it cannot be mounted.
    fn mount(&mut self) -> Result<()>;

    /// Unmounts it; nothing if it is not mounted.
    ///
    /// # Errors
    /// When it does not go.
    fn unmount(&mut self) -> Result<()>;

    /// Waits until everything that was closed has left for the server.
    ///
    /// # Errors
    /// When it does not in time.
    fn settle(&self) -> Result<()> {
        Ok(())
    }

    /// Where it is mounted: the raw root.
    fn raw(&self) -> PathBuf;

    /// A folder beside the mount, for the test's own use.
    fn folder(&self) -> &Path;
}

/// A new folder that every user may reach, as servers do not run as root.
///
/// # Errors
/// When it cannot be made.
pub fn place() -> Result<TempDir> {
    let open = std::fs::Permissions::from_mode(0o755);
    tempfile::Builder::new()
        .prefix("storage-")
        .permissions(open)
        .tempdir()
        .context("a folder for storage")
}

/// Makes these folders in `place`.
///
/// # Errors
/// When one of them cannot be made.
pub fn folders<const N: usize>(place: &Path, names: [&str; N]) -> Result<[PathBuf; N]> {
    let paths = names.map(|name| place.join(name));
    for path in &paths {
        std::fs::create_dir(path)?;
    }
    Ok(paths)
}
