//! Making files, directories and special files.

use std::sync::atomic::Ordering;

use super::open_files::Opened;
use super::recent::Change;
use super::tree::{Link, NodeId};
use super::{Caller, EncFs, Entry, FsError, HandleId, OpenFlags};
use crate::blockio::ContentState;
use crate::raw::{self, Dir, Errno, Ids, Kind, Name, Stat, create_as};

/// A node to be made.
#[derive(Debug, Clone, Copy)]
pub struct NewNode {
    /// Kind; directories and links have calls of their own.
    pub kind: Kind,
    /// Permission bits as the caller gave them.
    pub mode: u32,
    /// The caller's umask.
    pub umask: u32,
    /// Device number of a device file.
    pub rdev: u64,
}

impl EncFs {
    /// Makes the file `name` in `parent` and opens it.
    ///
    /// # Errors
    /// `EEXIST` if `flags` demand a new file; [`FsError::Stale`] if they do not and there is one,
    /// upon which the kernel looks it up; what the storage answered.
    pub fn create(
        &self,
        caller: Caller,
        parent: NodeId,
        name: &[u8],
        new: NewNode,
        flags: OpenFlags,
    ) -> Result<(Entry, HandleId), FsError> {
        let _steady = self.tree.steady(&[parent]);
        let link = self.link_to_change(parent, name)?;
        let create = |dir: &Dir, name: &Name, mode: u32| dir.create_file(name, mode);
        let made = self.make_node(caller, parent, &link, new.mode, new.umask, create);
        let file = match made {
            // Somebody else made it since the kernel looked. The kernel shall look again: it must
            // check permissions and cut the file, which it does not for a new one.
            Err(error) if error.raw_errno() == Some(Errno::EXIST) && !flags.exclusive => {
                return Err(FsError::Stale);
            }
            made => made?,
        };
        let stat = file.stat()?;
        let external_iv = self.external_iv(link.iv);
        // Another file may have had the number.
        self.recent.forget(stat.id);
        let entry = self.enter(link, &stat)?;
        let opened = Opened::new(file, true);
        let state = ContentState::new_file(external_iv).holding(self.remote);
        let change = Change::none(&stat);
        let open = self
            .open_files
            .add(entry.node, &opened, stat.mode, state, change);
        open.no_capabilities.store(true, Ordering::Relaxed);
        let handle = self.add_handle(opened, open, true);
        Ok((entry, handle))
    }

    /// Makes a special file, or a regular one that is not opened.
    ///
    /// # Errors
    /// What the storage answered.
    pub fn mknod(
        &self,
        caller: Caller,
        parent: NodeId,
        name: &[u8],
        new: NewNode,
    ) -> Result<Entry, FsError> {
        let _steady = self.tree.steady(&[parent]);
        let link = self.link_to_change(parent, name)?;
        let stat = self.make(
            caller,
            parent,
            &link,
            new.mode,
            new.umask,
            |dir, name, mode| dir.make_node(name, new.kind, mode, new.rdev),
        )?;
        self.enter(link, &stat)
    }

    /// Makes a directory.
    ///
    /// # Errors
    /// What the storage answered.
    pub fn mkdir(
        &self,
        caller: Caller,
        parent: NodeId,
        name: &[u8],
        mode: u32,
        umask: u32,
    ) -> Result<Entry, FsError> {
        let _steady = self.tree.steady(&[parent]);
        let link = self.link_to_change(parent, name)?;
        let stat = self.make(caller, parent, &link, mode, umask, Dir::make_dir)?;
        self.enter(link, &stat)
    }

    /// Makes an entry by `make` as the caller would, and asks for its attributes.
    pub(super) fn make(
        &self,
        caller: Caller,
        parent: NodeId,
        link: &Link,
        mode: u32,
        umask: u32,
        make: impl Fn(&Dir, &Name, u32) -> Result<(), raw::Error>,
    ) -> Result<Stat, FsError> {
        self.make_node(caller, parent, link, mode, umask, make)?;
        self.in_dir(parent, true, |dir| dir.stat(link.raw.as_name()))
    }

    fn make_node<T>(
        &self,
        caller: Caller,
        parent: NodeId,
        link: &Link,
        mode: u32,
        umask: u32,
        make: impl Fn(&Dir, &Name, u32) -> Result<T, raw::Error>,
    ) -> Result<T, FsError> {
        let ids = self.options.public.then_some(Ids {
            uid: caller.uid,
            gid: caller.gid,
        });
        let name = link.raw.as_name();
        let as_caller = |dir: &Dir| create_as(ids, mode, umask, |mode| make(dir, name, mode));
        match self.in_dir(parent, false, as_caller) {
            Err(error) if ids.is_some() && error.raw_errno() == Some(Errno::ACCESS) => {
                // The kernel has allowed it, perhaps by a group that only it knows the caller
                // to be in.
                let made = self.in_dir(parent, false, |dir| {
                    create_as(None, mode, umask, |mode| make(dir, name, mode))
                })?;
                self.in_dir(parent, true, |dir| {
                    let inherits_group = dir.stat_self()?.mode & 0o2000 != 0;
                    let gid = (!inherits_group).then_some(caller.gid);
                    dir.set_owner(name, Some(caller.uid), gid)
                })?;
                Ok(made)
            }
            result => result,
        }
    }
}
