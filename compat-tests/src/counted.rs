//! A volume served without a mount, whose raw operations are counted call by call.

use std::fmt::Write as _;

use anyhow::{Context, Result};
use encfs_rs::config::NewVolume;
use encfs_rs::fs::{
    Caller, EncFs, Entry, FsError, FsOptions, HandleId, NewNode, NodeId, OpenFlags,
};
use encfs_rs::raw::{Dir, Kind, Op};
use encfs_rs::secret::Password;
use encfs_rs::volume::{UnlockOptions, create, unlock};
use tempfile::TempDir;

/// Opened for writing.
pub const WRITE: OpenFlags = OpenFlags {
    write: true,
    exclusive: false,
};
/// Opened for reading.
pub const READ: OpenFlags = OpenFlags {
    write: false,
    exclusive: false,
};

/// A new volume in a folder of its own, and what was counted on it.
pub struct Counted {
    /// The filesystem.
    pub fs: EncFs,
    /// Who asks: the user of this process.
    pub caller: Caller,
    rows: Vec<(&'static str, String)>,
    folder: TempDir,
}

impl Counted {
    /// A new volume with these settings; few iterations spare time.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn new(settings: NewVolume) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let settings = NewVolume {
            kdf_duration_ms: 1,
            ..settings
        };
        let password = || Password::new(b"counted".to_vec());
        let made = create(folder.path(), &settings, &password())?;
        let root = Dir::open_root(folder.path())?;
        let volume = unlock(root, &made.config, &password(), &UnlockOptions::default())?;
        Ok(Self {
            fs: EncFs::new(volume, FsOptions::default())?,
            caller: Caller {
                uid: rustix::process::geteuid().as_raw(),
                gid: rustix::process::getegid().as_raw(),
            },
            rows: Vec::new(),
            folder,
        })
    }

    /// Runs `act` and notes its raw operations as the row `call`.
    ///
    /// # Errors
    /// What `act` answered.
    pub fn count<T>(
        &mut self,
        call: &'static str,
        act: impl FnOnce(&EncFs) -> Result<T, FsError>,
    ) -> Result<T> {
        let result = self.try_count(call, act);
        result.with_context(|| call)
    }

    /// The same for a call that may fail: its raw operations count all the same.
    ///
    /// # Errors
    /// What `act` answered.
    pub fn try_count<T>(
        &mut self,
        call: &'static str,
        act: impl FnOnce(&EncFs) -> Result<T, FsError>,
    ) -> Result<T, FsError> {
        self.fs.meter().reset();
        let result = act(&self.fs);
        let counts = words(&self.fs.meter().counts());
        self.rows.push((call, counts));
        result
    }

    /// All rows, in the order of the calls.
    #[must_use]
    pub fn rows(self) -> Vec<(&'static str, String)> {
        drop(self.fs);
        drop(self.folder);
        self.rows
    }

    /// Makes a file and leaves it open.
    ///
    /// # Errors
    /// What the filesystem answered.
    pub fn create(&self, parent: NodeId, name: &str) -> Result<(Entry, HandleId), FsError> {
        create_file(&self.fs, self.caller, parent, name)
    }

    /// Makes a file of `len` bytes, closed.
    ///
    /// # Errors
    /// What the filesystem answered.
    pub fn file(&self, parent: NodeId, name: &str, len: usize) -> Result<NodeId, FsError> {
        let (entry, handle) = self.create(parent, name)?;
        if len > 0 {
            self.fs.write(handle, 0, &vec![7; len], false)?;
        }
        close(&self.fs, handle)?;
        Ok(entry.node)
    }

    /// Makes a folder; its raw directory is open afterwards.
    ///
    /// # Errors
    /// What the filesystem answered.
    pub fn folder(&self, parent: NodeId, name: &str) -> Result<NodeId, FsError> {
        let entry = self
            .fs
            .mkdir(self.caller, parent, name.as_bytes(), 0o755, 0)?;
        let _none = self.fs.lookup(entry.node, b"opens the folder");
        Ok(entry.node)
    }

    /// Makes a folder with `count` files of 100 bytes.
    ///
    /// # Errors
    /// What the filesystem answered.
    pub fn folder_of(&self, parent: NodeId, name: &str, count: usize) -> Result<NodeId, FsError> {
        let folder = self.folder(parent, name)?;
        for number in 0..count {
            self.file(folder, &format!("file {number}"), 100)?;
        }
        Ok(folder)
    }
}

/// Makes a file and leaves it open.
///
/// # Errors
/// What the filesystem answered.
pub fn create_file(
    fs: &EncFs,
    caller: Caller,
    parent: NodeId,
    name: &str,
) -> Result<(Entry, HandleId), FsError> {
    let new = NewNode {
        kind: Kind::File,
        mode: 0o644,
        umask: 0,
        rdev: 0,
    };
    fs.create(caller, parent, name.as_bytes(), new, WRITE)
}

/// The end of `close(2)`.
///
/// # Errors
/// What the filesystem answered.
pub fn close(fs: &EncFs, handle: HandleId) -> Result<(), FsError> {
    let flushed = fs.flush(handle);
    fs.release(handle);
    flushed
}

/// Counts in words: `1 open, 2 pread`.
fn words(counts: &[(Op, u64)]) -> String {
    let mut text = String::new();
    for (op, count) in counts {
        if *op == Op::GetXattr && counts.iter().any(|(op, _)| *op == Op::SetTimes) {
            // Only root, who can put file capabilities back, asks for them before a header
            // changes: it is left out here, so that the counts are everybody's.
            continue;
        }
        let comma = if text.is_empty() { "" } else { ", " };
        let _ = write!(text, "{comma}{count} {}", call(*op));
    }
    if text.is_empty() {
        text.push_str("none");
    }
    text
}

/// An operation by the system call that does it.
fn call(op: Op) -> &'static str {
    match op {
        Op::OpenDir => "open folder",
        Op::OpenList => "opendir",
        Op::OpenFile => "open",
        Op::Create => "create",
        Op::Stat => "stat",
        Op::FileStat => "fstat",
        Op::Read => "pread",
        Op::Write => "pwrite",
        Op::Truncate => "ftruncate",
        Op::Sync => "fsync",
        Op::MakeDir => "mkdir",
        Op::MakeNode => "mknod",
        Op::Symlink => "symlink",
        Op::ReadLink => "readlink",
        Op::RemoveDir => "rmdir",
        Op::ReadDir => "getdents",
        Op::SetMode => "chmod",
        Op::SetOwner => "chown",
        Op::SetTimes => "utimens",
        Op::GetXattr => "getxattr",
        Op::SetXattr => "setxattr",
        Op::ListXattr => "listxattr",
        Op::RemoveXattr => "removexattr",
        Op::StatFs => "statfs",
        Op::Allocate => "fallocate",
        Op::Seek => "lseek",
        Op::Lock => "flock",
        Op::Pin => "hold file",
        other => other.as_str(),
    }
}
