//! Removing names.

use super::direction::ShownName;
use super::tree::NodeId;
use super::{EncFs, FsError};
use crate::raw::Dir;

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
        let link = self.old_link(parent, name)?;
        self.in_dir(parent, false, |dir| remove(dir, link.raw.as_name()))?;
        self.tree.remove(parent, &link.name);
        Ok(())
    }
}
