//! Attributes as users see them: those of the raw file, with the plain size.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::tree::{NodeId, ROOT};
use super::{Caller, EncFs, FsError};
use crate::raw::{Kind, Pinned, Stat, Time};

/// Attributes of a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Attr {
    /// The node; users see it as inode number.
    pub node: NodeId,
    /// Kind of file.
    pub kind: Kind,
    /// Permission bits (0 to 0o7777).
    pub mode: u32,
    /// Number of names.
    pub nlink: u64,
    /// Owner.
    pub uid: u32,
    /// Group.
    pub gid: u32,
    /// Device number of a device file.
    pub rdev: u64,
    /// Plain size in bytes; of a symbolic link, the length of its plain target.
    pub size: u64,
    /// Space taken in storage, in units of 512 bytes.
    pub blocks: u64,
    /// Preferred size of requests in bytes.
    pub blksize: u32,
    /// Last access.
    pub atime: Time,
    /// Last change of the contents.
    pub mtime: Time,
    /// Last change of contents or attributes.
    pub ctime: Time,
}

impl EncFs {
    /// Attributes of a node, from an open handle if there is one, else by its name.
    ///
    /// # Errors
    /// A raw file shorter than its header; what the storage answered.
    pub fn getattr(&self, id: NodeId) -> Result<Attr, FsError> {
        if let Some(stat) = self.stat_open(id)? {
            return self.attr(id, &stat, None);
        }
        let _steady = self.tree.steady(&[id]);
        let stat = self.stat_by_name(id)?;
        let link_len = match stat.kind {
            Kind::Symlink => Some(self.link_len(id)?),
            _ => None,
        };
        self.attr(id, &stat, link_len)
    }

    /// Whether the caller may read (4), write (2), execute (1) a node, by owner, group and mode.
    /// Asked only where the kernel does not check permissions itself.
    ///
    /// # Errors
    /// [`FsError::Denied`]; as [`getattr`](Self::getattr).
    pub fn access(&self, caller: Caller, id: NodeId, wanted: u32) -> Result<(), FsError> {
        let attr = self.getattr(id)?;
        let granted = if caller.uid == 0 {
            // Root executes only what somebody may execute.
            let execute = u32::from(attr.kind == Kind::Dir || attr.mode & 0o111 != 0);
            6 | execute
        } else if caller.uid == attr.uid {
            attr.mode >> 6
        } else if caller.gid == attr.gid {
            attr.mode >> 3
        } else {
            attr.mode
        };
        if wanted & 7 & !granted == 0 {
            Ok(())
        } else {
            Err(FsError::Denied)
        }
    }

    /// Raw attributes through an open handle. A raw length that our own writes do not explain is
    /// noted, so that the next read or write asks the storage.
    pub(super) fn stat_open(&self, id: NodeId) -> Result<Option<Stat>, FsError> {
        let Some(open) = self.open_files.get(id) else {
            return Ok(None);
        };
        let Some(file) = open.any_file() else {
            return Ok(None);
        };
        let content = open.content.read();
        let mut stat = file.stat()?;
        if stat.size != content.stored_len() {
            open.suspect.store(true, Ordering::Relaxed);
        }
        if content.is_held() {
            stat.size = content.raw_len();
        }
        drop(content);
        open.mode.store(stat.mode, Ordering::Relaxed);
        Ok(Some(stat))
    }

    /// Raw attributes by name; the caller holds the node steady.
    pub(super) fn stat_by_name(&self, id: NodeId) -> Result<Stat, FsError> {
        if id == ROOT {
            return Ok(self.volume.root.stat_self()?);
        }
        let Some(place) = self.tree.place(id) else {
            if let Some(pinned) = self.pinned(id) {
                return Ok(pinned.stat()?);
            }
            // A removed directory that somebody still uses.
            let dir = self.dirs.get(id).ok_or(FsError::NoSuchNode)?;
            return Ok(dir.stat_self()?);
        };
        let stat = self.in_dir(place.parent, true, |dir| dir.stat(place.raw.as_name()))?;
        let kind = self.tree.with(id, |node| node.kind);
        if kind.is_some_and(|kind| kind != stat.kind) {
            // Another kind of file has the name now: the kernel must look it up anew.
            return Err(FsError::Stale);
        }
        Ok(stat)
    }

    /// A file that lost its name to another.
    pub(super) fn pinned(&self, id: NodeId) -> Option<Arc<Pinned>> {
        self.tree.with(id, |node| node.pinned.clone()).flatten()
    }

    /// Raw attributes as users see them. `link_len`: the plain length of a link's target.
    pub(super) fn attr(
        &self,
        node: NodeId,
        stat: &Stat,
        link_len: Option<u64>,
    ) -> Result<Attr, FsError> {
        let size = match stat.kind {
            Kind::File => self.shown_size(self.with_held(node, stat.size))?,
            _ => link_len.unwrap_or(stat.size),
        };
        Ok(Attr {
            node,
            kind: stat.kind,
            mode: stat.mode,
            nlink: stat.nlink,
            uid: stat.uid,
            gid: stat.gid,
            rdev: stat.rdev,
            size,
            blocks: stat.blocks,
            blksize: stat.blksize,
            atime: stat.atime,
            mtime: stat.mtime,
            ctime: stat.ctime,
        })
    }

    /// The raw length of a file with what this mount still holds of it: the kernel takes sizes
    /// from lookups too, and appends where it believes the end to be.
    fn with_held(&self, node: NodeId, raw_len: u64) -> u64 {
        if !self.remote {
            return raw_len;
        }
        let Some(open) = self.open_files.get(node) else {
            return raw_len;
        };
        let content = open.content.read();
        if content.is_held() {
            content.raw_len()
        } else {
            raw_len
        }
    }
}
