//! A volume on storage that misbehaves, and the same volume on good storage afterwards.
//!
//! What is prepared is made once, by encfs-rs on good storage, and copied for each case.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use tempfile::TempDir;

use super::{Control, Names, Options, RawFs};
use crate::mounted::Mounted;
use crate::oracle::Program;
use crate::run::run;
use crate::tree::{self, Tree};
use crate::volumes::{PASSWORD, Settings};

/// A volume with contents, on good storage, that cases start from.
#[derive(Debug)]
pub struct Prepared {
    folder: TempDir,
    /// What is in it.
    pub tree: Tree,
}

impl Prepared {
    /// A volume of these settings in which `fill` was done.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn new(settings: &Settings, fill: impl FnOnce(&Path) -> Result<()>) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let raw = folder.path().join("raw");
        std::fs::create_dir(&raw)?;
        std::fs::create_dir(folder.path().join("point"))?;
        settings.write_config(&raw)?;
        let point = folder.path().join("point");
        let mount = Mounted::volume(Program::EncfsRs, &raw, &point, PASSWORD, &[])?;
        fill(mount.path())?;
        let tree = tree::read(mount.path())?;
        mount.unmount()?;
        Ok(Self { folder, tree })
    }

    fn raw(&self) -> PathBuf {
        self.folder.path().join("raw")
    }

    /// A copy of it on simulated storage, not mounted as a volume yet.
    ///
    /// # Errors
    /// When the storage cannot be mounted.
    pub fn stage(&self, options: &Options) -> Result<Stage> {
        let folder = tempfile::tempdir()?;
        let at = |name: &str| folder.path().join(name);
        let mut copy = Command::new("cp");
        run(copy.arg("-a").arg(self.raw()).arg(at("backing")), b"")?.success()?;
        for name in ["raw", "point"] {
            std::fs::create_dir(at(name))?;
        }
        let storage = RawFs::mount(&at("backing"), &at("raw"), options)?;
        Ok(Stage {
            control: storage.control().clone(),
            mount: None,
            storage: Some(storage),
            folder,
        })
    }
}

/// A volume on simulated storage.
#[derive(Debug)]
pub struct Stage {
    control: Control,
    // Unmounted before the storage that it is on.
    mount: Option<Mounted>,
    storage: Option<RawFs>,
    folder: TempDir,
}

impl Stage {
    /// What changes the storage.
    #[must_use]
    pub fn control(&self) -> &Control {
        &self.control
    }

    /// The folder behind the storage.
    #[must_use]
    pub fn backing(&self) -> PathBuf {
        self.folder.path().join("backing")
    }

    /// The raw root on the simulated storage.
    #[must_use]
    pub fn raw(&self) -> PathBuf {
        self.folder.path().join("raw")
    }

    /// Mounts the volume on the simulated storage; the result is the mount point.
    ///
    /// # Errors
    /// When it cannot be mounted.
    pub fn mount(&mut self, program: Program) -> Result<PathBuf> {
        let point = self.folder.path().join("point");
        let mount = Mounted::volume(program, &self.raw(), &point, PASSWORD, &[])?;
        self.mount = Some(mount);
        // Whatever the answer is: the program serves, and can be unmounted from now on.
        let _ = std::fs::metadata(&point);
        Ok(point)
    }

    /// Unmounts the volume; the storage stays.
    ///
    /// # Errors
    /// When it does not go.
    pub fn unmount_volume(&mut self) -> Result<()> {
        match self.mount.take() {
            Some(mount) => mount.unmount(),
            None => Ok(()),
        }
    }

    /// Unmounts volume and storage, and mounts storage that is like `options` on the same folder.
    ///
    /// # Errors
    /// When one of them does not go, or the storage cannot be mounted.
    pub fn remount(&mut self, options: &Options) -> Result<()> {
        self.leave()?;
        let storage = RawFs::mount(&self.backing(), &self.raw(), options)?;
        self.control = storage.control().clone();
        self.storage = Some(storage);
        Ok(())
    }

    /// Unmounts volume and storage. The volume's program must end well whatever the storage did.
    ///
    /// # Errors
    /// When one of them does not go.
    pub fn leave(&mut self) -> Result<()> {
        self.unmount_volume()?;
        match self.storage.take() {
            Some(storage) => storage.unmount(),
            None => Ok(()),
        }
    }

    /// The power is cut: as [`Stage::leave`], and what was not safe is taken back.
    ///
    /// # Errors
    /// When one of them does not go, or the storage was mounted without `may_crash`.
    pub fn cut_power(&mut self, names: Names) -> Result<()> {
        self.unmount_volume()?;
        let storage = self.storage.take().context("no storage")?;
        storage.crash(names)
    }

    /// Everything in the volume, mounted by `program` on good storage. [`Stage::leave`] first.
    ///
    /// # Errors
    /// When it cannot be mounted, or anything in it cannot be read.
    pub fn on_good_storage(&self, program: Program) -> Result<Tree> {
        self.visit(program, tree::read)
    }

    /// Mounts the volume by `program` on good storage and looks at it.
    ///
    /// # Errors
    /// When it cannot be mounted, and what `look` says.
    pub fn visit<T>(&self, program: Program, look: impl FnOnce(&Path) -> Result<T>) -> Result<T> {
        self.visit_with(program, PASSWORD, look)
    }

    /// [`Stage::visit`] with another password.
    ///
    /// # Errors
    /// As [`Stage::visit`].
    pub fn visit_with<T>(
        &self,
        program: Program,
        password: &str,
        look: impl FnOnce(&Path) -> Result<T>,
    ) -> Result<T> {
        ensure!(self.storage.is_none(), "still on the simulated storage");
        let point = self.folder.path().join("point");
        let mount = Mounted::volume(program, &self.backing(), &point, password, &[])?;
        let seen = look(mount.path());
        let seen = seen.with_context(|| mount.log().unwrap_or_default())?;
        mount.unmount()?;
        Ok(seen)
    }
}
