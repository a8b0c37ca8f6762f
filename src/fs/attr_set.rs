//! Changing attributes: size, owner, mode, times, each alone or together.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::open_files::{OpenFile, Opened};
use super::tree::{NodeId, ROOT};
use super::{Attr, Caller, EncFs, FsError, HandleId};
use crate::raw::{Access, File, Kind, SetTime, Stat, Time};

/// Set-user-ID, and set-group-ID with the group's execute bit: what a change of the contents by
/// others than root takes away.
const SET_UID: u32 = 0o4000;
const SET_GID: u32 = 0o2000;
const GROUP_EXEC: u32 = 0o0010;

/// A new time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NewTime {
    /// The time of the call, as the storage sees it.
    Now,
    /// This time.
    At(Time),
}

/// What is to change; `None` stays as it is.
#[derive(Debug, Clone, Copy, Default)]
pub struct AttrChange {
    /// Plain size in bytes.
    pub size: Option<u64>,
    /// Permission bits.
    pub mode: Option<u32>,
    /// Owner.
    pub uid: Option<u32>,
    /// Group.
    pub gid: Option<u32>,
    /// Last access.
    pub atime: Option<NewTime>,
    /// Last change of the contents.
    pub mtime: Option<NewTime>,
}

impl EncFs {
    /// Changes attributes of a node, through an open handle if there is one.
    ///
    /// # Errors
    /// The first change that fails; those before it are done.
    pub fn setattr(
        &self,
        caller: Caller,
        id: NodeId,
        handle: Option<HandleId>,
        change: &AttrChange,
    ) -> Result<Attr, FsError> {
        self.check_node_changeable(id)?;
        if let Some(size) = change.size {
            self.set_size(id, handle, size)?;
        }
        let open = self.open_files.get(id);
        let file = open.as_ref().and_then(|open| open.any_file());
        if let (Some(open), Some(file)) = (&open, file) {
            self.change_open(open, &file, change)?;
            let stat = self.stat_open(id)?;
            let stat = match stat {
                Some(stat) => stat,
                None => file.stat()?,
            };
            let stat = self.drop_set_ids(caller, &stat, change, |mode| {
                open.mode.store(mode, Ordering::Relaxed);
                Ok(file.set_mode(mode)?)
            })?;
            self.note_new_time(id, change, &stat);
            return self.attr(id, &stat, None);
        }
        let _steady = self.tree.steady(&[id]);
        self.change_by_name(id, change)?;
        let stat = self.stat_by_name(id)?;
        let stat = self.drop_set_ids(caller, &stat, change, |mode| self.set_mode(id, mode))?;
        self.note_new_time(id, change, &stat);
        let link_len = match stat.kind {
            Kind::Symlink => Some(self.link_len(id)?),
            _ => None,
        };
        self.attr(id, &stat, link_len)
    }

    fn note_new_time(&self, id: NodeId, change: &AttrChange, stat: &Stat) {
        if let Some(NewTime::At(mtime)) = change.mtime
            && stat.kind == Kind::File
        {
            self.note_time(id, mtime, stat);
        }
    }

    fn change_open(
        &self,
        open: &OpenFile,
        file: &File,
        change: &AttrChange,
    ) -> Result<(), FsError> {
        if change.uid.is_some() || change.gid.is_some() {
            file.set_owner(change.uid, change.gid)?;
        }
        if let Some(mode) = change.mode {
            file.set_mode(mode)?;
            open.mode.store(mode, Ordering::Relaxed);
        }
        if change.atime.is_some() || change.mtime.is_some() {
            // Written later, it would take the time of its writing.
            self.flush_held(open)?;
            file.set_times(set_time(change.atime), set_time(change.mtime))?;
        }
        Ok(())
    }

    fn change_by_name(&self, id: NodeId, change: &AttrChange) -> Result<(), FsError> {
        if change.uid.is_some() || change.gid.is_some() {
            self.at_place(id, |dir, name| match name {
                Some(name) => dir.set_owner(name, change.uid, change.gid),
                None => dir.set_own_owner(change.uid, change.gid),
            })?;
        }
        if let Some(mode) = change.mode {
            self.set_mode(id, mode)?;
        }
        if change.atime.is_some() || change.mtime.is_some() {
            let (atime, mtime) = (set_time(change.atime), set_time(change.mtime));
            self.at_place(id, |dir, name| match name {
                Some(name) => dir.set_times(name, atime, mtime),
                None => dir.set_own_times(atime, mtime),
            })?;
        }
        Ok(())
    }

    fn set_mode(&self, id: NodeId, mode: u32) -> Result<(), FsError> {
        self.at_place(id, |dir, name| match name {
            Some(name) => dir.set_mode(name, mode),
            None => dir.set_own_mode(mode),
        })
    }

    /// Runs `act` where the node's name is: directory and raw name, or for the root itself the
    /// root directory and none. The caller holds the node steady.
    pub(super) fn at_place<T>(
        &self,
        id: NodeId,
        act: impl Fn(&crate::raw::Dir, Option<&crate::raw::Name>) -> Result<T, crate::raw::Error>,
    ) -> Result<T, FsError> {
        if id == ROOT {
            return Ok(act(&self.volume.root, None)?);
        }
        let place = self.tree.place(id).ok_or(FsError::NoSuchNode)?;
        self.in_dir(place.parent, true, |dir| {
            act(dir, Some(place.raw.as_name()))
        })
    }

    /// A change of size by others than root takes set-ID bits away. The kernel leaves that to us
    /// (`FUSE_HANDLE_KILLPRIV_V2`), as it would have to ask for attributes before each write.
    fn drop_set_ids(
        &self,
        caller: Caller,
        stat: &Stat,
        change: &AttrChange,
        set_mode: impl FnOnce(u32) -> Result<(), FsError>,
    ) -> Result<Stat, FsError> {
        let mut stat = *stat;
        if change.size.is_some() && caller.uid != 0 && stat.kind == Kind::File {
            let mode = without_set_ids(stat.mode);
            if mode != stat.mode {
                set_mode(mode)?;
                stat.mode = mode;
            }
        }
        Ok(stat)
    }

    fn set_size(&self, id: NodeId, handle: Option<HandleId>, size: u64) -> Result<(), FsError> {
        if let Some(handle) = handle {
            let handle = self.handles.file(handle)?;
            if handle.writable {
                handle.dirty.store(true, Ordering::Relaxed);
                return self.resize_either(&handle.open, &handle.raw, size);
            }
        }
        if let Some(open) = self.open_files.get(id)
            && let Some(opened) = open.writable()
        {
            open.dirty.store(true, Ordering::Relaxed);
            return self.resize_either(&open, &opened, size);
        }
        let (opened, open) = {
            let _steady = self.tree.steady(&[id]);
            self.open_raw(id, Access::ReadWrite)?
        };
        let result = self.resize_either(&open, &opened, size);
        let flushed = opened.file().flush();
        self.leave(&open, &opened, true);
        result?;
        // Storage that uploads on close tells whether it has taken the change.
        Ok(flushed?)
    }

    fn resize_either(
        &self,
        open: &Arc<OpenFile>,
        opened: &Opened,
        size: u64,
    ) -> Result<(), FsError> {
        match self.resize_view(open, &opened.file(), size) {
            Some(done) => done,
            None => self.resize(open, opened, size),
        }
    }
}

/// The mode that is left when others than root change the contents.
pub(super) fn without_set_ids(mode: u32) -> u32 {
    let mode = mode & !SET_UID;
    if mode & GROUP_EXEC == 0 {
        // Without the execute bit it stands for mandatory locking.
        return mode;
    }
    mode & !SET_GID
}

fn set_time(time: Option<NewTime>) -> SetTime {
    match time {
        None => SetTime::Keep,
        Some(NewTime::Now) => SetTime::Now,
        Some(NewTime::At(time)) => SetTime::To(time),
    }
}
