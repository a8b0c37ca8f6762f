//! The filesystem behind a mount, which may be there or not.
//!
//! A mount can outlive its opened volume: after a while without use key and names are dropped,
//! and the next request asks for the password anew (`--ondemand`); or the first request does
//! (`--delaymount`). The numbers of nodes that the kernel holds stay what they were. Without either the filesystem is there from the start and stays.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::{Mutex, RwLock};

use crate::fs::{EncFs, FsError, NodeId, Remains};

/// Opens the volume anew. Who calls it logs why that failed.
pub type Reopen = Box<dyn Fn() -> Option<EncFs> + Send + Sync>;

/// The filesystem behind a mount.
pub struct Served {
    current: RwLock<Current>,
    /// Held while the volume is opened, so that it is asked for once.
    opening: Mutex<()>,
    reopen: Option<Reopen>,
    uses: AtomicU64,
}

enum Current {
    Open(Arc<EncFs>),
    /// With what the kernel still refers to of the volume that was open before.
    Closed(Option<Remains>),
}

impl Served {
    /// A filesystem that is there as long as the mount.
    #[must_use]
    pub fn always(fs: EncFs) -> Self {
        Self::new(Some(fs), None)
    }

    /// A filesystem that `reopen` brings back whenever it is needed and not there.
    #[must_use]
    pub fn on_demand(fs: Option<EncFs>, reopen: Reopen) -> Self {
        Self::new(fs, Some(reopen))
    }

    fn new(fs: Option<EncFs>, reopen: Option<Reopen>) -> Self {
        Self {
            current: RwLock::new(match fs {
                Some(fs) => Current::Open(Arc::new(fs)),
                None => Current::Closed(None),
            }),
            opening: Mutex::new(()),
            reopen,
            uses: AtomicU64::new(0),
        }
    }

    /// The filesystem, opened now if it is not there.
    ///
    /// # Errors
    /// [`FsError::Denied`] if it cannot be opened.
    pub(super) fn get(&self) -> Result<Arc<EncFs>, FsError> {
        if let Some(fs) = self.there() {
            return Ok(fs);
        }
        let _opening = self.opening.lock();
        if let Some(fs) = self.there() {
            return Ok(fs);
        }
        let opened = self.reopen.as_ref().and_then(|reopen| reopen());
        let fs = Arc::new(opened.ok_or(FsError::Denied)?);
        let mut current = self.current.write();
        let before = std::mem::replace(&mut *current, Current::Open(Arc::clone(&fs)));
        if let Current::Closed(Some(remains)) = before {
            fs.revive(remains);
        }
        Ok(fs)
    }

    /// The filesystem if it is there.
    pub(super) fn there(&self) -> Option<Arc<EncFs>> {
        match &*self.current.read() {
            Current::Open(fs) => Some(Arc::clone(fs)),
            Current::Closed(_) => None,
        }
    }

    /// The kernel gives back `count` references to a node, whether the filesystem is there or not.
    pub(super) fn forget(&self, id: NodeId, count: u64) {
        if let Some(fs) = self.there() {
            return fs.forget(id, count);
        }
        match &mut *self.current.write() {
            // Opened in between.
            Current::Open(fs) => fs.forget(id, count),
            Current::Closed(remains) => {
                if let Some(remains) = remains {
                    remains.forget(id, count);
                }
            }
        }
    }

    /// Notes a request that counts as use.
    pub(super) fn used(&self) {
        self.uses.fetch_add(1, Ordering::Relaxed);
    }

    /// Number of requests so far that count as use.
    pub fn uses(&self) -> u64 {
        self.uses.load(Ordering::Relaxed)
    }

    /// Number of open handles of files.
    pub fn open_files(&self) -> usize {
        self.there().map_or(0, |fs| fs.open_handles())
    }

    /// Whether the volume is open.
    pub fn is_open(&self) -> bool {
        self.there().is_some()
    }

    /// Whether the volume can be dropped and brought back.
    pub fn can_reopen(&self) -> bool {
        self.reopen.is_some()
    }

    /// Drops the opened volume, with key and names, unless a file or directory is open or a
    /// request is under way. The result: whether it is gone.
    pub fn drop_volume(&self) -> bool {
        let mut current = self.current.write();
        let Current::Open(fs) = &mut *current else {
            return true;
        };
        // Nobody else has it now, and nobody can get it while this lock is held.
        match Arc::get_mut(fs) {
            Some(fs) if !fs.in_use() => {
                fs.close();
                let remains = fs.remains();
                *current = Current::Closed(Some(remains));
                true
            }
            _ => false,
        }
    }
}
