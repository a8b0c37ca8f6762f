//! A folder on a filesystem of a local disk, and two volumes mounted on one: where whole test
//! suites run.
//!
//! Suites must fail nothing on the storage itself. So it is ext4, XFS or Btrfs: if the folder for
//! temporary files lies on something else (tmpfs, overlay), an ext4 image is made there and
//! mounted through a loop device.

use std::os::unix::fs::PermissionsExt;
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
    // Dropped in this order: an image is unmounted before the folder that holds it goes.
    _image: Option<Image>,
    _folder: Option<TempDir>,
}

/// A filesystem of its own: an ext4 image mounted through a loop device.
#[derive(Debug)]
pub struct Image {
    path: PathBuf,
    _folder: TempDir,
}

impl Image {
    /// An empty filesystem on a disk of `size` bytes.
    ///
    /// # Errors
    /// When it cannot be made or mounted, as by any user but root.
    pub fn new(size: u64) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let (path, image) = (folder.path().join("disk"), folder.path().join("image"));
        std::fs::create_dir(&path)?;
        std::fs::File::create(&image)?.set_len(size)?;
        let mut mkfs = Command::new(in_path("mkfs.ext4", "e2fsprogs")?);
        run(mkfs.args(["-q", "-F", "-m", "0"]).arg(&image), b"")?.success()?;
        let mut mount = Command::new(in_path("mount", "mount")?);
        run(mount.args(["-o", "loop"]).args([&image, &path]), b"")?.success()?;
        Ok(Self {
            path,
            _folder: folder,
        })
    }

    /// Where it is mounted.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Image {
    fn drop(&mut self) {
        if let Err(error) = unmount_now(&self.path, true) {
            eprintln!("while leaving {}: {error:#}", self.path.display());
        }
    }
}

impl Disk {
    /// A new empty folder.
    ///
    /// # Errors
    /// When there is no local disk below the folder for temporary files and no image can be
    /// mounted.
    pub fn new() -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let kind = rustix::fs::statfs(folder.path())?.f_type;
        if LOCAL.contains(&u64::try_from(kind)?) {
            let path = folder.path().join("disk");
            std::fs::create_dir(&path)?;
            return Ok(Self {
                path,
                _image: None,
                _folder: Some(folder),
            });
        }
        let image = Image::new(2 << 30).context(
            "temporary files lie on no local disk, and no image can be mounted: run as root, or \
             set TMPDIR to a folder on ext4, XFS or Btrfs",
        )?;
        let path = image.path().join("disk");
        std::fs::create_dir(&path)?;
        Ok(Self {
            path,
            _image: Some(image),
            _folder: None,
        })
    }

    /// Lets every user reach the folder.
    ///
    /// # Errors
    /// When its mode cannot be set.
    pub fn open_to_all(&self) -> Result<()> {
        let open = std::fs::Permissions::from_mode(0o755);
        let temporary = std::env::temp_dir();
        for folder in self
            .path
            .ancestors()
            .take_while(|folder| *folder != temporary)
        {
            std::fs::set_permissions(folder, open.clone())?;
        }
        Ok(())
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
        self.open_to_all()?;
        let [raw, point] = ["raw", "mnt"].map(|name| self.path.join(name));
        std::fs::create_dir(&raw)?;
        std::fs::create_dir(&point)?;
        settings.write_config(&raw)?;
        Mounted::volume(program, &raw, &point, PASSWORD, &["--public"])
    }
}
