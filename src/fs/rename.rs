//! Renaming. Here the simple case: nothing below depends on the path, so it is one raw rename.
//! `rename_tree` has the other (format 7.9).

use std::sync::Arc;

use super::direction::ShownName;
use super::tree::{Link, NodeId};
use super::{EncFs, FsError};
use crate::raw::{Kind, Pinned, RenameFlags};

/// What `renameat2(2)` can be asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RenameMode {
    /// An existing entry with the new name is replaced.
    Replace,
    /// An existing entry with the new name is an error.
    NoReplace,
    /// The two entries change places.
    Exchange,
}

impl RenameMode {
    pub(super) fn raw_flags(self) -> RenameFlags {
        match self {
            Self::Replace => RenameFlags::empty(),
            Self::NoReplace => RenameFlags::NOREPLACE,
            Self::Exchange => RenameFlags::EXCHANGE,
        }
    }
}

/// Both ends of a rename, as they are stored.
pub(super) struct Ends {
    pub(super) from: Link,
    pub(super) to: Link,
    /// Kind of what is renamed.
    pub(super) kind: Kind,
    /// Kind of what has the new name now, if something has.
    pub(super) replaced: Option<Kind>,
}

impl EncFs {
    /// Renames `name` in `parent` to `new_name` in `new_parent`. Flags that the storage lacks
    /// are refused, not imitated.
    ///
    /// # Errors
    /// What the storage answered; all names are then what they were.
    pub fn rename(
        &self,
        parent: NodeId,
        name: &[u8],
        new_parent: NodeId,
        new_name: &[u8],
        mode: RenameMode,
    ) -> Result<(), FsError> {
        let child = self.tree.child(parent, &ShownName::new(name)?);
        let target = self.tree.child(new_parent, &ShownName::new(new_name)?);
        let changed: Vec<NodeId> = [child, target].into_iter().flatten().collect();
        let _held = self.tree.hold(&[parent, new_parent], &changed);

        // A name that nothing can have is told before all is refused.
        let to = self.link_to_change(new_parent, new_name)?;
        let from = self.link_to_change(parent, name)?;
        let mut ends = Ends {
            kind: self.kind_of(child, &from)?,
            replaced: None,
            from,
            to,
        };
        // A directory in the way must be empty before anything below changes.
        let dir_moves = ends.kind == Kind::Dir && self.below_depends_on_path(ends.kind);
        if dir_moves || mode == RenameMode::Exchange {
            ends.replaced = self.kind_if_any(target, &ends.to)?;
        }
        let pinned = match (mode, target) {
            (RenameMode::Replace, Some(target)) => self.pin(target, &ends.to),
            _ => None,
        };
        let other_depends = mode == RenameMode::Exchange
            && ends
                .replaced
                .is_some_and(|kind| self.below_depends_on_path(kind));
        if self.below_depends_on_path(ends.kind) || other_depends {
            self.rename_tree(&ends, mode)?;
        } else {
            self.rename_entry(&ends, mode)?;
        }
        if let (Some(pinned), Some(target)) = (pinned, target) {
            self.tree.with(target, |node| node.pinned = Some(pinned));
        }
        self.renamed(ends, mode);
        Ok(())
    }

    /// Holds a file that is about to be replaced: a reader that has looked it up gets it, as the
    /// kernel's own filesystems do. Without it the reader would have to look up again, and again
    /// while the name keeps changing.
    fn pin(&self, target: NodeId, link: &Link) -> Option<Arc<Pinned>> {
        let is_file = self.tree.with(target, |node| node.kind) == Some(Kind::File);
        if !is_file {
            return self.pin_open_dir(target, link);
        }
        let pinned = self.in_dir(link.parent, false, |dir| dir.pin(link.raw.as_name()));
        pinned.ok().map(Arc::new)
    }

    /// The raw rename of the entry itself.
    pub(super) fn rename_entry(&self, ends: &Ends, mode: RenameMode) -> Result<(), FsError> {
        let to = self.raw_dir(ends.to.parent)?;
        let to = to.as_deref().unwrap_or(&self.volume.root);
        self.in_dir(ends.from.parent, false, |dir| {
            dir.rename(
                ends.from.raw.as_name(),
                to,
                ends.to.raw.as_name(),
                mode.raw_flags(),
            )
        })
    }

    /// The nodes follow what was done in storage.
    fn renamed(&self, ends: Ends, mode: RenameMode) {
        let Ends { from, to, .. } = ends;
        let moved = self.tree.child(from.parent, &from.name);
        let mut changed = vec![moved];
        if mode == RenameMode::Exchange {
            changed.push(self.tree.child(to.parent, &to.name));
            self.tree.exchange(from, to);
        } else {
            // Some storage numbers files by their paths: the one that was there is not meant any more.
            let replaced = self.tree.child(to.parent, &to.name);
            let replaced = replaced.and_then(|id| self.tree.with(id, |node| node.raw_id));
            if let Some(raw_id) = replaced {
                self.recent.forget(raw_id);
            }
            self.tree.rename(from.parent, &from.name, to);
        }
        if !self.volume.names.depends_on_path() {
            return;
        }
        for node in changed.into_iter().flatten() {
            for (node, iv) in self.tree.encode_below(node, &self.volume.names) {
                if let Some(open) = self.open_files.get(node) {
                    open.content.write().set_external_iv(self.external_iv(iv));
                }
            }
        }
    }

    /// Whether renaming something of this kind changes names below it or its header.
    fn below_depends_on_path(&self, kind: Kind) -> bool {
        match kind {
            Kind::Dir => self.volume.names.depends_on_path(),
            Kind::File => self.headers_depend_on_path(),
            _ => false,
        }
    }

    fn kind_of(&self, node: Option<NodeId>, link: &Link) -> Result<Kind, FsError> {
        match node.and_then(|node| self.tree.with(node, |node| node.kind)) {
            Some(kind) => Ok(kind),
            None => {
                let stat = self.in_dir(link.parent, false, |dir| dir.stat(link.raw.as_name()))?;
                Ok(stat.kind)
            }
        }
    }

    fn kind_if_any(&self, node: Option<NodeId>, link: &Link) -> Result<Option<Kind>, FsError> {
        match self.kind_of(node, link) {
            Ok(kind) => Ok(Some(kind)),
            Err(error) if error.raw_errno() == Some(crate::raw::Errno::NOENT) => Ok(None),
            Err(error) => Err(error),
        }
    }
}
