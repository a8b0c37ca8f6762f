//! davfs2 mounts of a WebDAV server.

use std::fs;
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};
use nix::unistd::Group;
use tempfile::TempDir;

use super::rclone::serve_webdav;
use super::server::Server;
use super::{Storage, folders, place};
use crate::mounted::{is_mounted, unmount_now};
use crate::oracle::in_path;
use crate::run::run;

/// A folder served by rclone's WebDAV server and mounted by davfs2. What davfs2 caches stays from
/// mount to mount.
#[derive(Debug)]
pub struct Davfs {
    _server: Server,
    url: String,
    place: TempDir,
}

impl Davfs {
    /// A server with an empty folder.
    ///
    /// # Errors
    /// When it cannot be set up.
    pub fn new() -> Result<Self> {
        let place = place()?;
        let top = place.path().canonicalize()?;
        let [served, raw, _, cache] = folders(&top, ["served", "raw", "point", "cache"])?;
        let (server, address) = serve_webdav(&top, &served)?;
        let url = format!("http://{address}/");
        // davfs2 becomes a user of its own and makes its cache in a folder for its group.
        let group = Group::from_name("davfs2")?;
        let group = group.context("there is no group `davfs2`: apt-get install davfs2")?;
        chown(&cache, None, Some(group.gid.as_raw()))?;
        fs::set_permissions(&cache, fs::Permissions::from_mode(0o1775))?;
        let secrets = top.join("secrets");
        fs::write(&secrets, format!("{} user password\n", raw.display()))?;
        fs::set_permissions(&secrets, fs::Permissions::from_mode(0o600))?;
        // `buf_size`: a kernel of today asks for listings of 32 KiB, and davfs2 answers
        // EINVAL if its buffer is smaller. `delay_upload`: what is closed is sent at once.
        // `use_locks`: rclone's server has none.
        fs::write(
            top.join("davfs2.conf"),
            format!(
                "secrets {}\ncache_dir {}\nbuf_size 64\ndelay_upload 0\nuse_locks 0\nask_auth 0\n",
                secrets.display(),
                cache.display()
            ),
        )?;
        Ok(Self {
            _server: server,
            url,
            place,
        })
    }
}

impl Storage for Davfs {
    fn mount(&mut self) -> Result<()> {
        if is_mounted(&self.raw().canonicalize()?)? {
            return Ok(());
        }
        let mut command = Command::new(in_path("mount.davfs", "davfs2")?);
        let config = self.place.path().join("davfs2.conf");
        command.arg("-o").arg(format!("conf={}", config.display()));
        run(command.arg(&self.url).arg(self.raw()), b"")?.success()?;
        Ok(())
    }

    fn unmount(&mut self) -> Result<()> {
        if is_mounted(&self.raw().canonicalize()?)? {
            // Not by the system call: this waits until all is on the server.
            let mut command = Command::new(in_path("umount.davfs", "davfs2")?);
            run(command.arg(self.raw()), b"")?.success()?;
        }
        Ok(())
    }

    fn raw(&self) -> PathBuf {
        self.place.path().join("raw")
    }

    fn folder(&self) -> &Path {
        self.place.path()
    }
}

impl Drop for Davfs {
    fn drop(&mut self) {
        if let Err(error) = self.unmount() {
            eprintln!("{error:#}");
            let _ = unmount_now(&self.raw(), true);
        }
    }
}
