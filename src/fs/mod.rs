//! The filesystem by inode, without FUSE: plain request in, result out.
//!
//! | file | what it holds |
//! |---|---|
//! | `direction` | forward or reverse: all that differs between them |
//! | `tree`, `tree_lock` | nodes the kernel knows; names held steady |
//! | `dirs_cache` | raw directory descriptors by node |
//! | `open_files`, `handles` | state shared by all handles of one raw file; the handles |
//! | `lookup`, `attr`, `attr_set` | names to nodes; attributes |
//! | `create`, `remove`, `link`, `symlink` | entries made and removed |
//! | `rename`, `rename_tree` | the simple rename; the one that changes names or headers below |
//! | `rewrap` | a file's header under another external IV |
//! | `shorten` | cutting a file on storage that cannot |
//! | `intent`, `recover` | the record of such a rename; settling a broken one at mount |
//! | `remains` | the nodes of a volume that is closed and stays mounted |
//! | `recent` | what was changed here and storage may not show yet |
//! | `read_write`, `space` | contents; holes, reservation, copying |
//! | `readdir` | listings |
//! | `xattr`, `statfs` | extended attributes; space and limits |
//!
//! # Locks, in order
//! 1. `PathGuard` (tree_lock): names held steady, across raw I/O, for paths through one node.
//! 2. `OpenFile::content`: one file's contents, across raw I/O of this file alone.
//! 3. Short mutexes (tree, tables, caches): microseconds, never across raw I/O, never two.

mod attr;
mod attr_set;
mod create;
mod direction;
mod dirs_cache;
mod error;
mod handles;
mod intent;
mod link;
mod lookup;
mod open;
mod open_files;
mod read_write;
mod readdir;
mod recent;
mod recover;
mod remains;
mod remove;
mod rename;
mod rename_tree;
mod rewrap;
mod shorten;
mod space;
mod statfs;
mod symlink;
mod tree;
mod tree_lock;
mod xattr;

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

pub use attr::Attr;
pub use attr_set::{AttrChange, NewTime};
pub use create::NewNode;
pub use direction::{Direction, OwnMount, ShownName};
pub use error::FsError;
pub use handles::HandleId;
pub use open::OpenFlags;
pub use readdir::{Listed, Listing};
pub use remains::Remains;
pub use rename::RenameMode;
pub use space::Reserve;
pub use statfs::Space;
pub use tree::{NodeId, ROOT};

use crate::volume::Volume;
use dirs_cache::DirsCache;
use handles::Handles;
use open_files::OpenFiles;
use tree::Tree;

/// Who asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Caller {
    /// User.
    pub uid: u32,
    /// Group.
    pub gid: u32,
}

/// How a volume is to be served.
#[derive(Debug, Clone, Default)]
pub struct FsOptions {
    /// New nodes belong to the caller, not to this process (which must be root).
    pub public: bool,
    /// Nothing in storage may be changed.
    pub read_only: bool,
    /// Which side of the encryption is shown.
    pub direction: Direction,
    /// Where the mount point is, if it lies inside the stored tree.
    pub own_mount: Option<OwnMount>,
}

/// An entry that was looked up or made; the kernel holds one reference to its node.
#[derive(Debug, Clone, Copy)]
pub struct Entry {
    /// The node.
    pub node: NodeId,
    /// Its attributes.
    pub attr: Attr,
}

/// An opened volume, served by inode. Shared by all threads.
pub struct EncFs {
    volume: Volume,
    options: FsOptions,
    tree: Tree,
    dirs: DirsCache,
    open_files: OpenFiles,
    handles: Handles,
    intents: intent::Intents,
    /// Every raw operation is a round trip: partial blocks wait for the rest of theirs.
    remote: bool,
    /// Files that were changed and closed.
    recent: recent::Recent,
    /// The storage was seen to report old sizes.
    lags: AtomicBool,
    /// What cutting files does here.
    cuts: shorten::Cuts,
    /// The storage's inode numbers were seen to differ between name and descriptor.
    inodes_vary: AtomicBool,
}

impl EncFs {
    /// Serves `volume`, after settling renames that an earlier mount left half done.
    ///
    /// # Errors
    /// If the root directory cannot be read, or a broken rename cannot be settled.
    pub fn new(volume: Volume, options: FsOptions) -> Result<Self, FsError> {
        let root = volume.root.stat_self()?;
        let fs = Self {
            tree: Tree::new(&root),
            dirs: DirsCache::default(),
            open_files: OpenFiles::default(),
            handles: Handles::default(),
            intents: intent::Intents::default(),
            remote: volume.root.is_remote(),
            recent: recent::Recent::default(),
            lags: AtomicBool::new(false),
            cuts: shorten::Cuts::default(),
            inodes_vary: AtomicBool::new(false),
            volume,
            options,
        };
        if !fs.options.read_only {
            fs.recover()?;
        }
        Ok(fs)
    }

    /// The mount has ended: nothing that only this program knows is left in storage.
    pub fn close(&self) {
        self.close_intents();
    }

    /// Number of open handles of files.
    #[must_use]
    pub fn open_handles(&self) -> usize {
        self.handles.open_files()
    }

    /// Whether the kernel holds a handle of a file or directory.
    #[must_use]
    pub fn in_use(&self) -> bool {
        self.handles.open_files() + self.handles.open_dirs() > 0
    }

    /// Counters of raw operations.
    #[must_use]
    pub fn meter(&self) -> &Arc<crate::raw::Meter> {
        self.volume.root.meter()
    }

    /// Whether a file's header depends on its path.
    fn headers_depend_on_path(&self) -> bool {
        self.volume.config.external_iv
            && self.volume.codec.has_header()
            && self.volume.names.depends_on_path()
    }

    /// The external IV of a file whose name gives `iv`.
    fn external_iv(&self, iv: u64) -> u64 {
        if self.headers_depend_on_path() { iv } else { 0 }
    }
}
