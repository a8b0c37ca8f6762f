//! Symbolic links: their targets are encoded on their own (format 6.7).

use super::tree::NodeId;
use super::{Caller, EncFs, Entry, FsError};
use crate::raw::{Errno, Error, Kind, Op};

impl EncFs {
    /// The shown target of a symbolic link.
    ///
    /// # Errors
    /// [`FsError::BadLinkTarget`]; what the storage answered.
    pub fn readlink(&self, id: NodeId) -> Result<Vec<u8>, FsError> {
        let _steady = self.tree.steady(&[id]);
        self.target(id)
    }

    /// Makes the symbolic link `name` in `parent` to the plain `target`.
    ///
    /// # Errors
    /// `ENAMETOOLONG` if the encoded target is longer than the storage takes; what the storage
    /// answered.
    pub fn symlink(
        &self,
        caller: Caller,
        parent: NodeId,
        name: &[u8],
        target: &[u8],
    ) -> Result<Entry, FsError> {
        let _steady = self.tree.steady(&[parent]);
        let link = self.link_to_change(parent, name)?;
        let raw_target = self.stored_target(target)?;
        let stat = self.make(caller, parent, &link, 0o777, 0, |dir, name, _| {
            dir.symlink(&raw_target, name)
        })?;
        let len = (stat.kind == Kind::Symlink).then_some(target.len() as u64);
        self.enter_known(link, &stat, len)
    }

    /// Length of the plain target in bytes; asked from the storage once. 0 if the target does
    /// not decode: such a link can be seen and removed, not followed.
    pub(super) fn link_len(&self, id: NodeId) -> Result<u64, FsError> {
        if let Some(len) = self.tree.with(id, |node| node.link_len).flatten() {
            return Ok(len);
        }
        let len = match self.target(id) {
            Ok(target) => target.len() as u64,
            Err(FsError::BadLinkTarget) => 0,
            Err(error) => return Err(error),
        };
        self.tree.with(id, |node| node.link_len = Some(len));
        Ok(len)
    }

    fn target(&self, id: NodeId) -> Result<Vec<u8>, FsError> {
        let place = self.tree.place(id).ok_or(FsError::NoSuchNode)?;
        let raw = self.in_dir(place.parent, true, |dir| dir.read_link(place.raw.as_name()))?;
        self.shown_target(raw).inspect_err(|_| {
            let name = self.log_name(place.raw.as_name());
            let name = name.map_or_else(String::new, |name| name.to_string());
            tracing::warn!("the target of the symbolic link {name} does not decode");
        })
    }
}

/// The error of an operation that storage cannot do, for calls that never reach it.
pub(super) fn raw_error(op: Op, errno: Errno) -> FsError {
    FsError::Raw(Error {
        op,
        name: None,
        errno,
    })
}
