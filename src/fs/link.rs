//! Hard links: another name for the same node.

use super::tree::NodeId;
use super::{EncFs, Entry, FsError};

impl EncFs {
    /// Gives the file `id` another name in `parent`; the kernel gets one reference.
    ///
    /// # Errors
    /// [`FsError::HardLink`] under external IV chaining (format 7.8); what the storage answered.
    pub fn link(&self, id: NodeId, parent: NodeId, name: &[u8]) -> Result<Entry, FsError> {
        if self.volume.config.external_iv {
            return Err(FsError::HardLink);
        }
        let _steady = self.tree.steady(&[id, parent]);
        let link = self.link_to_change(parent, name)?;
        // Another name would open the configuration for writing.
        self.check_node_changeable(id)?;
        let place = self.tree.place(id).ok_or(FsError::NoSuchNode)?;
        let to = self.raw_dir(parent)?;
        let to = to.as_deref().unwrap_or(&self.volume.root);
        self.in_dir(place.parent, true, |dir| {
            dir.link(place.raw.as_name(), to, link.raw.as_name())
        })?;
        self.tree.add_link(id, link);
        let attr = self.stat_by_name(id).and_then(|stat| {
            let link_len = match stat.kind {
                crate::raw::Kind::Symlink => Some(self.link_len(id)?),
                _ => None,
            };
            self.attr(id, &stat, link_len)
        });
        match attr {
            Ok(attr) => Ok(Entry { node: id, attr }),
            Err(error) => {
                self.tree.forget(id, 1);
                Err(error)
            }
        }
    }
}
