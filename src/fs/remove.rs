//! Removing names.

use std::sync::Arc;

use super::direction::ShownName;
use super::tree::{Link, NodeId};
use super::{EncFs, FsError};
use crate::raw::{Dir, Kind, Pinned};

impl EncFs {
    /// Removes the name of a file. An open file goes on working by its handles.
    ///
    /// # Errors
    /// What the storage answered.
    pub fn unlink(&self, parent: NodeId, name: &[u8]) -> Result<(), FsError> {
        self.remove(parent, name, Dir::unlink)
    }

    /// Removes an empty directory. Raw names that do not decode make it non-empty.
    ///
    /// # Errors
    /// What the storage answered.
    pub fn rmdir(&self, parent: NodeId, name: &[u8]) -> Result<(), FsError> {
        self.remove(parent, name, Dir::remove_dir)
    }

    fn remove(
        &self,
        parent: NodeId,
        name: &[u8],
        remove: impl Fn(&Dir, &crate::raw::Name) -> Result<(), crate::raw::Error>,
    ) -> Result<(), FsError> {
        let child = self.tree.child(parent, &ShownName::new(name)?);
        let _held = self.tree.hold(&[parent], child.as_slice());
        let link = self.link_to_change(parent, name)?;
        let raw_id = child.and_then(|child| {
            let last = self
                .tree
                .with(child, |node| (node.links.len() == 1).then_some(node.raw_id));
            last.flatten()
        });
        let pinned = child.and_then(|child| self.pin_open_dir(child, &link));
        self.in_dir(parent, false, |dir| remove(dir, link.raw.as_name()))?;
        if let (Some(child), Some(pinned)) = (child, pinned) {
            self.tree.with(child, |node| node.pinned = Some(pinned));
        }
        self.tree.remove(parent, &link.name);
        if let Some(raw_id) = raw_id {
            self.recent.forget(raw_id);
        }
        Ok(())
    }

    /// Holds a directory that is open and about to go: who has it open may ask for its attributes.
    pub(super) fn pin_open_dir(&self, child: NodeId, link: &Link) -> Option<Arc<Pinned>> {
        let open = self
            .tree
            .with(child, |node| node.kind == Kind::Dir && node.opens > 0);
        if open != Some(true) {
            return None;
        }
        let pinned = self.in_dir(link.parent, false, |dir| dir.pin(link.raw.as_name()));
        pinned.ok().map(Arc::new)
    }
}
