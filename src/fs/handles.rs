//! The table of open handles.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use parking_lot::{Mutex, RwLock};

use super::FsError;
use super::open_files::{OpenFile, Opened};
use super::readdir::Listing;
use super::tree::NodeId;

/// Number of an open handle.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct HandleId(pub u64);

/// One open of a file.
pub(super) struct FileHandle {
    pub(super) open: Arc<OpenFile>,
    pub(super) raw: Arc<Opened>,
    pub(super) writable: bool,
    /// Something was written through this handle that no flush has followed yet.
    pub(super) dirty: AtomicBool,
    /// Something was written through this handle, flushed or not.
    pub(super) changed: AtomicBool,
    /// Held by whoever flushes: another close waits for the result.
    pub(super) flushing: Mutex<()>,
}

/// One open of a directory.
pub(super) struct DirHandle {
    pub(super) node: NodeId,
    /// The listing as of the last read from the start.
    pub(super) listing: Mutex<Option<Arc<Listing>>>,
}

/// All handles.
#[derive(Default)]
pub(super) struct Handles {
    next: AtomicU64,
    files: RwLock<HashMap<HandleId, Arc<FileHandle>>>,
    dirs: RwLock<HashMap<HandleId, Arc<DirHandle>>>,
}

impl Handles {
    fn number(&self) -> HandleId {
        HandleId(self.next.fetch_add(1, Ordering::Relaxed) + 1)
    }

    pub(super) fn open_files(&self) -> usize {
        self.files.read().len()
    }

    pub(super) fn open_dirs(&self) -> usize {
        self.dirs.read().len()
    }

    pub(super) fn add_file(&self, handle: FileHandle) -> HandleId {
        let id = self.number();
        self.files.write().insert(id, Arc::new(handle));
        id
    }

    pub(super) fn add_dir(&self, handle: DirHandle) -> HandleId {
        let id = self.number();
        self.dirs.write().insert(id, Arc::new(handle));
        id
    }

    pub(super) fn file(&self, id: HandleId) -> Result<Arc<FileHandle>, FsError> {
        let found = self.files.read().get(&id).cloned();
        found.ok_or(FsError::NoSuchHandle)
    }

    pub(super) fn dir(&self, id: HandleId) -> Result<Arc<DirHandle>, FsError> {
        let found = self.dirs.read().get(&id).cloned();
        found.ok_or(FsError::NoSuchHandle)
    }

    pub(super) fn remove_file(&self, id: HandleId) -> Option<Arc<FileHandle>> {
        self.files.write().remove(&id)
    }

    pub(super) fn remove_dir(&self, id: HandleId) -> Option<Arc<DirHandle>> {
        self.dirs.write().remove(&id)
    }
}
