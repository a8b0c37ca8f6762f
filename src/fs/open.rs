//! Opening, closing, flushing and syncing files.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use std::time::Instant;

use parking_lot::{Mutex, RwLockWriteGuard};

use super::handles::FileHandle;
use super::open_files::{OpenFile, Opened};
use super::recent::Answer;
use super::tree::{NodeId, Place};
use super::{EncFs, FsError, HandleId};
use crate::blockio::ContentState;
use crate::raw::{Access, Errno, File, Kind, Stat};

/// What of `open(2)`'s flags matters here: the kernel does the rest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OpenFlags {
    /// Opened for writing, alone or with reading.
    pub write: bool,
    /// The file must not exist (`O_EXCL`).
    pub exclusive: bool,
}

impl EncFs {
    /// Opens a file.
    ///
    /// # Errors
    /// [`FsError::Stale`] if another file has the name since it was looked up, upon which the
    /// kernel looks it up once more; what the storage answered.
    pub fn open(&self, id: NodeId, flags: OpenFlags) -> Result<HandleId, FsError> {
        let access = if flags.write {
            self.check_node_changeable(id)?;
            Access::ReadWrite
        } else {
            Access::Read
        };
        let _steady = self.tree.steady(&[id]);
        let (raw, open) = self.open_raw(id, access)?;
        Ok(self.add_handle(raw, open, flags.write))
    }

    pub(super) fn add_handle(
        &self,
        raw: Arc<Opened>,
        open: Arc<OpenFile>,
        writable: bool,
    ) -> HandleId {
        self.tree.count_open(open.node, 1);
        self.handles.add_file(FileHandle {
            open,
            raw,
            writable,
            dirty: AtomicBool::new(false),
            changed: AtomicBool::new(false),
            flushing: Mutex::default(),
        })
    }

    /// Opens the raw file of a node and adds it to the node's shared state. The caller holds the
    /// node steady, and takes the file out of the table again.
    pub(super) fn open_raw(
        &self,
        id: NodeId,
        access: Access,
    ) -> Result<(Arc<Opened>, Arc<OpenFile>), FsError> {
        let place = self.tree.place(id);
        let file = match &place {
            Some(place) => self.open_at(place, access)?,
            None => self.pinned(id).ok_or(FsError::NoSuchNode)?.open(access)?,
        };
        let stat = file.stat()?;
        if stat.kind != Kind::File {
            return Err(FsError::NotRegular);
        }
        if let Some(place) = &place {
            self.check_identity(id, place, &stat)?;
        }
        let opened = Opened::new(file, access == Access::ReadWrite);
        // Under external IV chaining the header stays that of the name it had last.
        let last_iv = self.tree.with(id, |node| node.last_iv).unwrap_or_default();
        let external_iv = self.external_iv(place.map_or(last_iv, |place| place.iv));
        let (state, change) = self.opened_state(id, &stat, external_iv);
        let open = self.open_files.add(id, &opened, stat.mode, state, change);
        let content = open.content.read();
        let doubtful = match self.judge(&open, &content, &stat) {
            Answer::Foreign => {
                open.suspect.store(true, Ordering::Relaxed);
                false
            }
            Answer::Late => stat.size != content.stored_len(),
            // The size may be that of a writer who is on the way out, the contents older.
            Answer::Ours => self.may_be_late(&open),
        };
        // Whoever comes to a writer sees what that one wrote; others what storage shows now.
        if doubtful && open.writers() == usize::from(access == Access::ReadWrite) {
            open.unsettled.store(true, Ordering::Relaxed);
        }
        drop(content);
        Ok((opened, open))
    }

    pub(super) fn open_at(&self, place: &Place, access: Access) -> Result<File, FsError> {
        let name = place.raw.as_name();
        let open = || self.in_dir(place.parent, true, |dir| dir.open_file(name, access));
        match open() {
            // A link, a socket or a directory has the name now: looked up once more, it is seen.
            Err(error)
                if matches!(
                    error.raw_errno(),
                    Some(Errno::LOOP | Errno::NXIO | Errno::ISDIR)
                ) =>
            {
                Err(FsError::Stale)
            }
            Err(error) if error.raw_errno() == Some(Errno::ACCESS) => {
                // The kernel has checked the caller's rights. What is missing is ours: a writer
                // must read too, and an owner may write a file whose mode forbids it.
                let stat = self.in_dir(place.parent, true, |dir| dir.stat(name))?;
                if stat.uid != crate::raw::own_ids().uid || stat.mode & 0o600 == 0o600 {
                    return Err(error);
                }
                self.in_dir(place.parent, true, |dir| {
                    dir.set_mode(name, stat.mode | 0o600)
                })?;
                let opened = open();
                let restored = self.in_dir(place.parent, true, |dir| dir.set_mode(name, stat.mode));
                let file = opened?;
                restored?;
                Ok(file)
            }
            result => result,
        }
    }

    /// The opened raw file must be the one that was looked up.
    fn check_identity(&self, id: NodeId, place: &Place, opened: &Stat) -> Result<(), FsError> {
        let known = self.tree.with(id, |node| node.raw_id);
        if known == Some(opened.id) || self.inodes_vary.load(Ordering::Relaxed) {
            return Ok(());
        }
        // Some storage gives other inode numbers by descriptor than by name.
        let named = self.in_dir(place.parent, true, |dir| dir.stat(place.raw.as_name()))?;
        if known == Some(named.id) {
            tracing::warn!("this storage changes inode numbers: hard links are not recognised");
            self.inodes_vary.store(true, Ordering::Relaxed);
            return Ok(());
        }
        Err(FsError::Stale)
    }

    /// The end of one `close(2)`: storage that uploads or checks then tells its errors.
    ///
    /// # Errors
    /// What the storage answered: what was written may be lost.
    pub fn flush(&self, handle: HandleId) -> Result<(), FsError> {
        let handle = self.handles.file(handle)?;
        // A program that was started meanwhile closes its copy of the descriptor and reads no
        // errors: the one that wrote must not be told "done" before it is, nor if it is not.
        let _alone = handle.flushing.lock();
        if handle.dirty.swap(false, Ordering::Relaxed) {
            handle.changed.store(true, Ordering::Relaxed);
            let flushed = self
                .flush_held(&handle.open)
                .and_then(|()| Ok(handle.raw.file().flush()?));
            if flushed.is_err() {
                handle.dirty.store(true, Ordering::Relaxed);
            }
            return flushed;
        }
        let open = &handle.open;
        if open.dirty.swap(false, Ordering::Relaxed)
            && let Some(opened) = open.writable()
        {
            // Cut by its name: the first close tells, whoever's it is.
            handle.changed.store(true, Ordering::Relaxed);
            return opened.file().flush().map_err(|error| {
                open.dirty.store(true, Ordering::Relaxed);
                error.into()
            });
        }
        Ok(())
    }

    /// Makes written contents survive a crash.
    ///
    /// # Errors
    /// What the storage answered.
    pub fn fsync(&self, handle: HandleId, data_only: bool) -> Result<(), FsError> {
        self.check_writable()?;
        let handle = self.handles.file(handle)?;
        self.flush_held(&handle.open)?;
        handle.raw.file().sync(data_only)?;
        Ok(())
    }

    /// Writes what the state holds back, through any file that can write.
    pub(super) fn flush_held(&self, open: &OpenFile) -> Result<(), FsError> {
        if !open.content.read().is_held() {
            return Ok(());
        }
        let mut content = open.content.write();
        if let Some(opened) = open.writable() {
            self.content(&opened.file()).flush_held(&mut content)?;
            self.note_change(open, &content);
        }
        Ok(())
    }

    /// The last user of a handle is gone.
    pub fn release(&self, handle: HandleId) {
        if let Some(handle) = self.handles.remove_file(handle) {
            if let Err(error) = self.flush_held(&handle.open) {
                tracing::error!("the end of a file could not be written: {error}");
            }
            let changed = &handle.changed;
            let changed = changed.load(Ordering::Relaxed) || handle.dirty.load(Ordering::Relaxed);
            self.leave(&handle.open, &handle.raw, changed);
            self.tree.count_open(handle.open.node, -1);
        }
    }

    /// Takes a raw file out of the table of open ones. What this mount knows of its length is
    /// kept for as long as storage may lag.
    pub(super) fn leave(&self, open: &Arc<OpenFile>, raw: &Arc<Opened>, changed: bool) {
        let content = open.content.read();
        self.keep_change(open, &content);
        if changed && self.remote {
            let left = (!content.is_stale()).then(|| (Instant::now(), content.stored_len()));
            self.tree.with(open.node, |node| node.left = left);
        }
        drop(content);
        self.open_files.remove(open, raw);
    }

    /// Asks the storage for the raw length where it is not known for sure: after a failed
    /// write, or when somebody else seems to have written.
    pub(super) fn refresh(
        &self,
        open: &OpenFile,
        file: &File,
        content: &mut RwLockWriteGuard<'_, ContentState>,
    ) -> Result<(), FsError> {
        if open.suspect.swap(false, Ordering::Relaxed) || content.is_stale() {
            match file.stat() {
                Ok(stat) => {
                    if content.is_stale() || self.judge(open, content, &stat) != Answer::Late {
                        content.refresh(stat.size);
                    }
                }
                Err(error) => {
                    open.suspect.store(true, Ordering::Relaxed);
                    return Err(error.into());
                }
            }
        }
        Ok(())
    }
}
