//! Space and limits.

use super::{EncFs, FsError};
use crate::raw::SpaceInfo;

/// Space of the storage, with the longest plain name that fits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Space {
    /// As the storage reports it.
    pub raw: SpaceInfo,
    /// Longest shown name in bytes.
    pub name_max: u64,
}

impl EncFs {
    /// Space and limits, with the longest shown name that really fits (format 6.5).
    ///
    /// # Errors
    /// What the storage answered.
    pub fn statfs(&self) -> Result<Space, FsError> {
        let raw = self.volume.root.space()?;
        let limit = usize::try_from(raw.name_max).unwrap_or(255);
        Ok(Space {
            raw,
            name_max: self.shown_name_max(limit),
        })
    }
}
