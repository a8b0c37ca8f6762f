//! `rclone mount` of a local folder, and `rclone serve webdav`.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use anyhow::{Result, ensure};
use tempfile::TempDir;

use super::server::{Server, free_address};
use super::{Storage, folders, place};
use crate::mounted::Mounted;
use crate::oracle::in_path;
use crate::run::{LIMIT, run};

/// A folder mounted by rclone. What it caches stays from mount to mount.
#[derive(Debug)]
pub struct Rclone {
    // Dropped first.
    mount: Option<Mounted>,
    control: SocketAddr,
    cache_mode: String,
    place: TempDir,
}

impl Rclone {
    /// An empty folder, to be mounted with this `--vfs-cache-mode`.
    ///
    /// # Errors
    /// When the folders cannot be made.
    pub fn new(cache_mode: &str) -> Result<Self> {
        let place = place()?;
        folders(place.path(), ["served", "raw", "point"])?;
        Ok(Self {
            mount: None,
            control: free_address()?,
            cache_mode: cache_mode.to_owned(),
            place,
        })
    }

    /// The folder behind the mount.
    #[must_use]
    pub fn served(&self) -> PathBuf {
        self.place.path().join("served")
    }
}

impl Storage for Rclone {
    fn mount(&mut self) -> Result<()> {
        if self.mount.is_some() {
            return Ok(());
        }
        let mut command = rclone(self.place.path())?;
        command.args(["mount", "--vfs-cache-mode", &self.cache_mode]);
        command.args(["--rc", "--rc-no-auth", "--rc-addr"]);
        command.arg(self.control.to_string());
        command.arg(self.served()).arg(self.raw());
        self.mount = Some(Mounted::by(&mut command, &self.raw(), b"")?);
        Ok(())
    }

    fn unmount(&mut self) -> Result<()> {
        self.mount.take().map_or(Ok(()), Mounted::unmount)
    }

    fn settle(&self) -> Result<()> {
        if self.cache_mode == "off" {
            return Ok(());
        }
        let end = Instant::now() + LIMIT;
        loop {
            let mut command = rclone(self.place.path())?;
            command.args(["rc", "vfs/stats", "--url"]);
            command.arg(format!("http://{}/", self.control));
            let finished = run(&mut command, b"")?.success()?;
            let stats: serde_json::Value = serde_json::from_slice(&finished.stdout)?;
            let left = ["uploadsInProgress", "uploadsQueued"]
                .map(|name| stats["diskCache"][name].as_u64());
            if left == [Some(0), Some(0)] {
                return Ok(());
            }
            ensure!(Instant::now() < end, "still to be uploaded: {finished}");
        }
    }

    fn raw(&self) -> PathBuf {
        self.place.path().join("raw")
    }

    fn folder(&self) -> &Path {
        self.place.path()
    }
}

/// Serves `folder` by WebDAV, to everybody on this machine. What rclone needs lies in `place`.
///
/// # Errors
/// When it cannot be started.
pub fn serve_webdav(place: &Path, folder: &Path) -> Result<(Server, SocketAddr)> {
    let address = free_address()?;
    let mut command = rclone(place)?;
    command.args(["serve", "webdav", "--addr", &address.to_string()]);
    command.arg(folder);
    Ok((Server::listening(&mut command, address)?, address))
}

/// rclone with no configuration and its cache in `place`.
fn rclone(place: &Path) -> Result<Command> {
    let mut command = Command::new(in_path("rclone", "rclone")?);
    command.args(["--config", "/dev/null", "--cache-dir"]);
    command.arg(place.join("rclone-cache"));
    Ok(command)
}
