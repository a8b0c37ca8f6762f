//! Raw directory descriptors by node: each spares a walk from the root.

use std::num::NonZeroUsize;
use std::sync::Arc;

use lru::LruCache;
use parking_lot::Mutex;

use super::tree::{NodeId, ROOT};
use super::{EncFs, FsError};
use crate::raw::{Dir, Errno, Error};

/// Descriptors kept at most. An rsync of a deep tree uses a few dozen at a time.
const CAPACITY: NonZeroUsize = NonZeroUsize::new(256).unwrap();

/// A bounded cache of raw directories.
pub(super) struct DirsCache(Mutex<LruCache<NodeId, Arc<Dir>>>);

impl Default for DirsCache {
    fn default() -> Self {
        Self(Mutex::new(LruCache::new(CAPACITY)))
    }
}

impl DirsCache {
    pub(super) fn get(&self, id: NodeId) -> Option<Arc<Dir>> {
        self.0.lock().get(&id).cloned()
    }

    fn put(&self, id: NodeId, dir: &Arc<Dir>) {
        // What falls out is closed outside the lock.
        let _old = self.0.lock().push(id, Arc::clone(dir));
    }

    /// Forgets a directory that nobody uses or that is not what it was.
    pub(super) fn forget(&self, id: NodeId) {
        let _old = self.0.lock().pop(&id);
    }
}

impl EncFs {
    /// Runs `act` in the raw directory of the node `id`, whose names the caller holds steady.
    ///
    /// If the descriptor came from the cache and the directory behind it is gone (`ESTALE`, or
    /// `ENOENT` where `must_exist` says that the name was there), all is opened anew from the
    /// root and `act` is tried once more: it did nothing yet.
    pub(super) fn in_dir<T>(
        &self,
        id: NodeId,
        must_exist: bool,
        act: impl Fn(&Dir) -> Result<T, Error>,
    ) -> Result<T, FsError> {
        if id == ROOT {
            return act(&self.volume.root).map_err(|error| self.loggable(error));
        }
        if let Some(dir) = self.dirs.get(id) {
            match act(&dir) {
                Err(error)
                    if error.errno == Errno::STALE
                        || (must_exist && error.errno == Errno::NOENT) =>
                {
                    self.dirs.forget(id);
                }
                result => return result.map_err(|error| self.loggable(error)),
            }
        }
        let dir = self.open_dir(id)?;
        act(&dir).map_err(|error| self.loggable(error))
    }

    /// The raw directory of a node, from the cache or opened by its name.
    pub(super) fn raw_dir(&self, id: NodeId) -> Result<Option<Arc<Dir>>, FsError> {
        if id == ROOT {
            return Ok(None);
        }
        match self.dirs.get(id) {
            Some(dir) => Ok(Some(dir)),
            None => self.open_dir(id).map(Some),
        }
    }

    /// Opens the raw directory of a node below the nearest ancestor that is open.
    fn open_dir(&self, id: NodeId) -> Result<Arc<Dir>, FsError> {
        let mut missing = Vec::new();
        let mut next = id;
        let mut above = loop {
            if next == ROOT {
                break None;
            }
            if next != id
                && let Some(dir) = self.dirs.get(next)
            {
                break Some(dir);
            }
            let place = self.tree.place(next).ok_or(FsError::NoSuchNode)?;
            missing.push((next, place.raw));
            next = place.parent;
        };
        for (node, name) in missing.into_iter().rev() {
            let dir = match &above {
                Some(dir) => dir.open_dir(name.as_name()),
                None => self.volume.root.open_dir(name.as_name()),
            };
            let dir = match dir {
                Err(error) if error.errno == Errno::NOTDIR => return Err(FsError::Stale),
                dir => Arc::new(dir.map_err(|error| self.loggable(error))?),
            };
            self.dirs.put(node, &dir);
            above = Some(dir);
        }
        above.ok_or(FsError::NoSuchNode)
    }
}
