//! Listings: decoded once per read from the start, so that positions stay valid.

use std::sync::Arc;

use parking_lot::Mutex;

use super::direction::{BothNames, ShownName, StoredName};
use super::handles::DirHandle;
use super::tree::{Link, NodeId, ROOT};
use super::{EncFs, Entry, FsError, HandleId};
use crate::raw::{Errno, Kind, RawId, Stat, Time};

/// One entry of a listing.
#[derive(Debug, Clone)]
pub struct Listed {
    /// Name as the kernel sees it.
    pub name: ShownName,
    raw: StoredName,
    iv: u64,
    /// Kind, where the storage's listing says it.
    pub kind: Option<Kind>,
    /// Inode number as the listing has it; the node's id if the node is known.
    pub ino: u64,
}

/// A listing of a directory, without `.` and `..`.
#[derive(Debug)]
pub struct Listing {
    /// The directory.
    pub node: NodeId,
    /// Its parent; the root's is itself.
    pub parent: NodeId,
    /// The entries, in the storage's order. Undecodable raw names are left out (format 6.8).
    pub entries: Vec<Listed>,
}

impl EncFs {
    /// Opens a directory.
    ///
    /// # Errors
    /// [`FsError::NoSuchNode`].
    pub fn opendir(&self, id: NodeId) -> Result<HandleId, FsError> {
        self.tree.with(id, |_| ()).ok_or(FsError::NoSuchNode)?;
        self.tree.count_open(id, 1);
        Ok(self.handles.add_dir(DirHandle {
            node: id,
            listing: Mutex::new(None),
        }))
    }

    /// The listing of an open directory; with `from_start` it is read anew.
    ///
    /// # Errors
    /// What the storage answered.
    pub fn listing(&self, handle: HandleId, from_start: bool) -> Result<Arc<Listing>, FsError> {
        let handle = self.handles.dir(handle)?;
        if !from_start && let Some(listing) = handle.listing.lock().clone() {
            return Ok(listing);
        }
        let listing = Arc::new(self.list(handle.node)?);
        *handle.listing.lock() = Some(Arc::clone(&listing));
        Ok(listing)
    }

    fn list(&self, id: NodeId) -> Result<Listing, FsError> {
        let _steady = self.tree.steady(&[id]);
        let dir_iv = match self.tree.dir_iv(id) {
            Some(iv) => iv,
            // A removed directory that is still open is empty.
            None => {
                return Ok(Listing {
                    node: id,
                    parent: id,
                    entries: Vec::new(),
                });
            }
        };
        let parent = self.tree.place(id).map_or(ROOT, |place| place.parent);
        let raw = self.in_dir(id, true, crate::raw::Dir::entries)?;
        let mut entries = Vec::with_capacity(raw.len());
        for entry in raw {
            if self.is_config(id, &entry.name) {
                continue;
            }
            let Some(BothNames { shown, stored, iv }) = self.by_stored(entry.name, dir_iv) else {
                continue;
            };
            entries.push(Listed {
                name: shown,
                raw: stored,
                iv,
                kind: entry.kind,
                ino: entry.ino,
            });
        }
        Ok(Listing {
            node: id,
            parent,
            entries,
        })
    }

    /// Kind of a listed entry. Where the storage's listing does not say it, it is asked for: a
    /// program that is told a wrong kind passes over whole directories.
    ///
    /// # Errors
    /// What the storage answered.
    pub fn listed_kind(&self, listing: &Listing, entry: &Listed) -> Result<Kind, FsError> {
        if let Some(kind) = entry.kind {
            return Ok(kind);
        }
        let _steady = self.tree.steady(&[listing.node]);
        // Its directory may have been renamed since, which changes raw names.
        let link = self.link_to(listing.node, entry.name.as_bytes())?;
        let stat = self.in_dir(listing.node, false, |dir| dir.stat(link.raw.as_name()))?;
        Ok(stat.kind)
    }

    /// Inode number of a listed entry as users see it.
    #[must_use]
    pub fn listed_ino(&self, listing: &Listing, entry: &Listed) -> u64 {
        self.tree
            .child(listing.node, &entry.name)
            .map_or(entry.ino, |node| node.0)
    }

    /// A listed entry with its attributes, as `lookup` gives it; the kernel gets one reference.
    /// `None` if it is gone meanwhile.
    ///
    /// # Errors
    /// What the storage answered.
    pub fn enter_listed(
        &self,
        listing: &Listing,
        entry: &Listed,
    ) -> Result<Option<Entry>, FsError> {
        let _steady = self.tree.steady(&[listing.node]);
        if self.tree.dir_iv(listing.node).is_none() {
            return Ok(None);
        }
        // The directory may have been renamed since it was listed: its names are other ones then.
        let link = self.link_to(listing.node, entry.name.as_bytes())?;
        let link = if link.raw == entry.raw {
            Link {
                iv: entry.iv,
                ..link
            }
        } else {
            link
        };
        if self.is_own_mount(&link) {
            return Err(FsError::OwnMount);
        }
        match self.in_dir(listing.node, false, |dir| dir.stat(link.raw.as_name())) {
            Ok(stat) => self.enter(link, &stat).map(Some),
            Err(error) if error.raw_errno() == Some(Errno::NOENT) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// A listed entry whose attributes cannot be had, so that its name is shown all the same; the
    /// kernel gets one reference, and must not believe the attributes.
    ///
    /// # Errors
    /// If the name has no raw form any more.
    pub fn enter_unread(&self, listing: &Listing, entry: &Listed) -> Result<Entry, FsError> {
        let _steady = self.tree.steady(&[listing.node]);
        let link = self.link_to(listing.node, entry.name.as_bytes())?;
        let epoch = Time { secs: 0, nanos: 0 };
        let mut stat = Stat {
            id: RawId {
                dev: u64::MAX,
                ino: entry.ino,
            },
            kind: entry.kind.unwrap_or(Kind::File),
            mode: 0,
            nlink: 1,
            uid: 0,
            gid: 0,
            rdev: 0,
            size: 0,
            blocks: 0,
            blksize: 4096,
            atime: epoch,
            mtime: epoch,
            ctime: epoch,
        };
        // A node that is known stays what it is: an error that passes must not cut off who works
        // in that directory, nor move the end of a file that is being appended to.
        let node = match self.tree.enter_known(&link) {
            Some((node, kind)) => {
                stat.kind = kind;
                if let Some(open) = self.open_files.get(node) {
                    stat.size = open.content.read().raw_len();
                }
                node
            }
            None => self.tree.enter(link, &stat, false),
        };
        match self.attr(node, &stat, Some(0)) {
            Ok(attr) => Ok(Entry { node, attr }),
            Err(error) => {
                self.tree.forget(node, 1);
                Err(error)
            }
        }
    }

    /// The last user of a directory handle is gone.
    pub fn releasedir(&self, handle: HandleId) {
        if let Some(handle) = self.handles.remove_dir(handle) {
            self.tree.count_open(handle.node, -1);
            // The kernel may have forgotten it before.
            self.forget(handle.node, 0);
        }
    }

    /// Makes changes of names in an open directory survive a crash.
    ///
    /// # Errors
    /// What the storage answered.
    pub fn fsyncdir(&self, handle: HandleId) -> Result<(), FsError> {
        let handle = self.handles.dir(handle)?;
        let _steady = self.tree.steady(&[handle.node]);
        self.in_dir(handle.node, true, crate::raw::Dir::sync)
    }
}
