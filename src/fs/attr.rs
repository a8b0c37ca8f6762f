//! Attributes as users see them: those of the raw file, with the plain size.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::recent::Answer;
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

impl Attr {
    /// Whether the caller may read (4), write (2), execute (1), by owner, group and mode. Asked
    /// only where the kernel does not check permissions itself.
    ///
    /// # Errors
    /// [`FsError::Denied`].
    pub fn check_access(&self, caller: Caller, wanted: u32) -> Result<(), FsError> {
        let granted = if caller.uid == 0 {
            // Root executes only what somebody may execute.
            let execute = u32::from(self.kind == Kind::Dir || self.mode & 0o111 != 0);
            6 | execute
        } else if caller.uid == self.uid {
            self.mode >> 6
        } else if caller.gid == self.gid {
            self.mode >> 3
        } else {
            self.mode
        };
        if wanted & 7 & !granted == 0 {
            Ok(())
        } else {
            Err(FsError::Denied)
        }
    }
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

    /// Raw attributes through an open handle. A raw length that our own writes do not explain is
    /// noted, so that the next read or write asks the storage.
    pub(super) fn stat_open(&self, id: NodeId) -> Result<Option<Stat>, FsError> {
        let Some(open) = self.open_files.get(id) else {
            return Ok(None);
        };
        let content = open.content.read();
        let Some(file) = open.any_file() else {
            return Ok(None);
        };
        let stat = file.stat()?;
        if self.judge(&open, &content, &stat) == Answer::Foreign {
            open.suspect.store(true, Ordering::Relaxed);
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
        let (stat, size) = match stat.kind {
            Kind::File => {
                let stat = self.as_changed(node, stat);
                (stat, self.shown_size(stat.size)?)
            }
            _ => (*stat, link_len.unwrap_or(stat.size)),
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
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fs::{FsOptions, NewNode, OpenFlags};
    use crate::profile::{Situation, standard};
    use crate::secret::Password;
    use crate::volume::{UnlockOptions, create, unlock};

    /// The kernel takes the size from every lookup: one that was asked for while a block was
    /// held, or that is answered after it went to storage, must not move the end of the file.
    #[test]
    fn a_size_asked_for_before_the_held_block_was_stored_is_not_believed() {
        let folder = format!("encfs-rs-attr-{}", std::process::id());
        let folder = std::env::temp_dir().join(folder);
        std::fs::create_dir(&folder).unwrap();
        let settings = crate::config::NewVolume {
            kdf_duration_ms: 1,
            ..standard(Situation::default()).unwrap()
        };
        let password = || Password::new(b"attr".to_vec());
        let file = create(&folder, &settings, &password()).unwrap();
        let root = crate::raw::Dir::open_root(&folder).unwrap();
        let options = UnlockOptions::default();
        let volume = unlock(root, &file.config, &password(), &options).unwrap();
        let mut fs = EncFs::new(volume, FsOptions::default()).unwrap();
        fs.remote = true;

        let caller = Caller { uid: 0, gid: 0 };
        let new = NewNode {
            kind: Kind::File,
            mode: 0o600,
            umask: 0,
            rdev: 0,
        };
        let flags = OpenFlags {
            write: true,
            exclusive: true,
        };
        let (entry, handle) = fs.create(caller, ROOT, b"file", new, flags).unwrap();
        fs.write(handle, 0, &[7; 1500], false).unwrap();
        let before = fs.stat_by_name(entry.node).unwrap();
        assert_eq!(before.size, 8 + 1024, "nothing is held");
        assert_eq!(fs.lookup(ROOT, b"file").unwrap().attr.size, 1500);
        fs.flush(handle).unwrap();
        assert_eq!(fs.attr(entry.node, &before, None).unwrap().size, 1500);
        // Another client's change is believed.
        let raw = folder.join(fs.volume.names.encode_path(b"file").map(name).unwrap());
        let raw = std::fs::OpenOptions::new().write(true).open(raw).unwrap();
        raw.set_len(8 + 2048).unwrap();
        assert_eq!(fs.lookup(ROOT, b"file").unwrap().attr.size, 2048);
        drop(fs);
        std::fs::remove_dir_all(&folder).unwrap();
    }

    fn name((raw, _): (Vec<u8>, u64)) -> std::ffi::OsString {
        std::os::unix::ffi::OsStringExt::from_vec(raw)
    }
}
