//! Names to nodes.

use std::sync::atomic::Ordering;

use super::direction::BothNames;
use super::tree::{Link, NodeId};
use super::{EncFs, Entry, FsError};
use crate::raw::{Kind, Stat};

impl EncFs {
    /// The entry `name` of the directory `parent`; the kernel gets one reference.
    ///
    /// # Errors
    /// `ENOENT`; what the storage answered.
    pub fn lookup(&self, parent: NodeId, name: &[u8]) -> Result<Entry, FsError> {
        let _steady = self.tree.steady(&[parent]);
        let link = self.link_to(parent, name)?;
        if self.is_own_mount(&link) {
            return Err(FsError::OwnMount);
        }
        let stat = self.in_dir(parent, false, |dir| dir.stat(link.raw.as_name()))?;
        self.enter(link, &stat)
    }

    /// The kernel gives back `count` references to a node.
    pub fn forget(&self, id: NodeId, count: u64) {
        self.tree.forget(id, count);
        if self.tree.with(id, |_| ()).is_none() {
            self.dirs.forget(id);
        }
    }

    /// A shown name in a directory as it is stored. The caller holds `parent` steady.
    pub(super) fn link_to(&self, parent: NodeId, name: &[u8]) -> Result<Link, FsError> {
        let dir_iv = self.tree.dir_iv(parent).ok_or(FsError::NoSuchNode)?;
        let BothNames { shown, stored, iv } = self.by_shown(name, dir_iv)?;
        if self.is_temporary(stored.as_bytes()) {
            return Err(FsError::NoSuchEntry);
        }
        Ok(Link {
            parent,
            name: shown,
            raw: stored,
            iv,
        })
    }

    /// The same for a name that shall be made, removed or become another one: the configuration
    /// file's is refused.
    pub(super) fn link_to_change(&self, parent: NodeId, name: &[u8]) -> Result<Link, FsError> {
        match self.link_to(parent, name) {
            Err(FsError::NoSuchEntry) => Err(FsError::Reserved),
            Err(error) => Err(error),
            Ok(link) => {
                self.check_changeable(parent, link.raw.as_bytes())?;
                Ok(link)
            }
        }
    }

    /// The entry behind a name with these raw attributes.
    pub(super) fn enter(&self, link: Link, stat: &Stat) -> Result<Entry, FsError> {
        self.enter_known(link, stat, None)
    }

    /// The same; `link_len` is the plain length of a link's target, where it is known.
    pub(super) fn enter_known(
        &self,
        link: Link,
        stat: &Stat,
        link_len: Option<u64>,
    ) -> Result<Entry, FsError> {
        let join = !self.inodes_vary.load(Ordering::Relaxed);
        if stat.kind == Kind::File {
            // Before the node exists: a file without a size must not leave a reference.
            self.shown_size(stat.size)?;
        }
        let node = self.tree.enter(link, stat, join);
        let link_len = match stat.kind {
            Kind::Symlink => {
                if link_len.is_some() {
                    self.tree.with(node, |node| node.link_len = link_len);
                }
                self.link_len(node)
            }
            _ => Ok(stat.size),
        };
        match link_len.and_then(|len| self.attr(node, stat, Some(len))) {
            Ok(attr) => Ok(Entry { node, attr }),
            Err(error) => {
                self.tree.forget(node, 1);
                Err(error)
            }
        }
    }
}
