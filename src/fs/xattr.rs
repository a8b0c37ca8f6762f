//! Extended attributes: names and values pass through unencrypted (format 7.10). ACLs are among
//! them, and the kernel enforces them.

use std::ffi::{CStr, CString};
use std::sync::atomic::Ordering;

use super::symlink::raw_error;
use super::tree::NodeId;
use super::{EncFs, FsError};
use crate::raw::{Errno, Op};

/// File capabilities. The kernel asks for them before the first write to every file.
const CAPABILITIES: &CStr = c"security.capability";

impl EncFs {
    /// Value of an extended attribute.
    ///
    /// # Errors
    /// `ENODATA`; what the storage answered.
    pub fn getxattr(&self, id: NodeId, name: &[u8]) -> Result<Vec<u8>, FsError> {
        let name = attribute_name(name)?;
        if *name == *CAPABILITIES
            && let Some(open) = self.open_files.get(id)
            && open.no_capabilities.load(Ordering::Relaxed)
        {
            return Err(raw_error(Op::GetXattr, Errno::NODATA));
        }
        if let Some(file) = self.nameless(id) {
            return Ok(file.xattr(&name)?);
        }
        let _steady = self.tree.steady(&[id]);
        self.at_place(id, |dir, raw| dir.xattr(raw, &name))
    }

    /// Sets an extended attribute, with the flags of `setxattr(2)`.
    ///
    /// # Errors
    /// What the storage answered.
    pub fn setxattr(
        &self,
        id: NodeId,
        name: &[u8],
        value: &[u8],
        flags: u32,
    ) -> Result<(), FsError> {
        self.check_node_changeable(id)?;
        let name = attribute_name(name)?;
        if let Some(open) = self.open_files.get(id) {
            open.no_capabilities.store(false, Ordering::Relaxed);
        }
        if let Some(file) = self.nameless(id) {
            return Ok(file.set_xattr(&name, value, flags)?);
        }
        let _steady = self.tree.steady(&[id]);
        self.at_place(id, |dir, raw| dir.set_xattr(raw, &name, value, flags))
    }

    /// Names of the extended attributes, each with a NUL.
    ///
    /// # Errors
    /// What the storage answered.
    pub fn listxattr(&self, id: NodeId) -> Result<Vec<u8>, FsError> {
        if let Some(file) = self.nameless(id) {
            return Ok(file.list_xattrs()?);
        }
        let _steady = self.tree.steady(&[id]);
        self.at_place(id, crate::raw::Dir::list_xattrs)
    }

    /// Removes an extended attribute.
    ///
    /// # Errors
    /// `ENODATA`; what the storage answered.
    pub fn removexattr(&self, id: NodeId, name: &[u8]) -> Result<(), FsError> {
        self.check_node_changeable(id)?;
        let name = attribute_name(name)?;
        if let Some(file) = self.nameless(id) {
            return Ok(file.remove_xattr(&name)?);
        }
        let _steady = self.tree.steady(&[id]);
        self.at_place(id, |dir, raw| dir.remove_xattr(raw, &name))
    }

    /// An open file that has no name any more is reached by its handle.
    fn nameless(&self, id: NodeId) -> Option<std::sync::Arc<crate::raw::File>> {
        let has_name = self.tree.with(id, |node| !node.links.is_empty())?;
        if has_name || id == super::ROOT {
            return None;
        }
        self.open_files.get(id)?.any_file()
    }
}

fn attribute_name(name: &[u8]) -> Result<CString, FsError> {
    CString::new(name).map_err(|_| FsError::Invalid)
}
