//! A folder on a filesystem of a local disk, and two volumes mounted on one: where whole test
//! suites run.
//!
//! Suites must fail nothing on the storage itself. So it is ext4, XFS or Btrfs: if the folder for
//! temporary files lies on something else (tmpfs, overlay), an ext4 image is made there and
//! mounted through a loop device.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use tempfile::TempDir;

use crate::mounted::{Mounted, unmount_now};
use crate::oracle::{Program, in_path};
use crate::run::run;
use crate::volumes::{PASSWORD, Settings};

/// Numbers of `statfs` for ext4 (and 2, 3), XFS and Btrfs.
const LOCAL: &[u64] = &[0xef53, 0x5846_5342, 0x9123_683e];

/// A folder on a local disk that goes away on drop.
#[derive(Debug)]
pub struct Disk {
    path: PathBuf,
    loop_mounted: bool,
    _folder: TempDir,
}

impl Disk {
    /// A new empty folder.
    ///
    /// # Errors
    /// When there is no local disk below the folder for temporary files and no image can be
    /// mounted.
    pub fn new() -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let path = folder.path().join("disk");
        std::fs::create_dir(&path)?;
        let kind = rustix::fs::statfs(&path)?.f_type;
        if LOCAL.contains(&u64::try_from(kind)?) {
            return Ok(Self {
                path,
                loop_mounted: false,
                _folder: folder,
            });
        }
        let image = folder.path().join("image");
        std::fs::File::create(&image)?.set_len(2 << 30)?;
        let mut mkfs = Command::new(in_path("mkfs.ext4", "e2fsprogs")?);
        run(mkfs.args(["-q", "-F"]).arg(&image), b"")?.success()?;
        let mut mount = Command::new(in_path("mount", "mount")?);
        run(mount.args(["-o", "loop"]).args([&image, &path]), b"")?.success().with_context(|| {
            "temporary files lie on no local disk, and no image can be mounted: run as root, or \
             set TMPDIR to a folder on ext4, XFS or Btrfs"
        })?;
        Ok(Self {
            path,
            loop_mounted: true,
            _folder: folder,
        })
    }

    /// The folder.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// A new volume with `settings` in the folder, mounted for all users.
    ///
    /// # Errors
    /// When it cannot be made or mounted, or the caller is not root.
    pub fn public_mount(&self, program: Program, settings: &Settings) -> Result<Mounted> {
        ensure!(
            rustix::process::geteuid().is_root(),
            "this test mounts for several users and becomes each of them: run it as root"
        );
        use std::os::unix::fs::PermissionsExt;
        // Other users must reach the mount point.
        let open = std::fs::Permissions::from_mode(0o755);
        std::fs::set_permissions(self.path.parent().context("no parent")?, open)?;
        let [raw, point] = ["raw", "mnt"].map(|name| self.path.join(name));
        std::fs::create_dir(&raw)?;
        std::fs::create_dir(&point)?;
        settings.write_config(&raw)?;
        Mounted::volume(program, &raw, &point, PASSWORD, &["--public"])
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        if self.loop_mounted
            && let Err(error) = unmount_now(&self.path, true)
        {
            eprintln!("while leaving {}: {error:#}", self.path.display());
        }
    }
}
