//! Names of one directory.

use std::sync::Arc;

use super::{Error, NameCoding, PlainName, RawName};

/// The IV of the names in the root directory (format 6.6).
pub const ROOT_IV: u64 = 0;

/// Codes the names in one directory, and gives the IVs of what lies in it.
#[derive(Debug, Clone)]
pub struct DirNames {
    coding: Arc<NameCoding>,
    iv: u64,
}

impl DirNames {
    /// The names of the root directory.
    #[must_use]
    pub fn root(coding: Arc<NameCoding>) -> Self {
        Self::new(coding, ROOT_IV)
    }

    /// The names of the directory with this IV.
    #[must_use]
    pub fn new(coding: Arc<NameCoding>, iv: u64) -> Self {
        Self { coding, iv }
    }

    /// The IV of this directory.
    #[must_use]
    pub const fn iv(&self) -> u64 {
        self.iv
    }

    /// How the volume codes names.
    #[must_use]
    pub fn coding(&self) -> &Arc<NameCoding> {
        &self.coding
    }

    /// The raw name of `plain` here, and its IV; see [`NameCoding::encode`].
    ///
    /// # Errors
    /// As [`NameCoding::encode`].
    pub fn encode(&self, plain: &PlainName) -> Result<(RawName, u64), Error> {
        self.coding.encode(plain, self.iv)
    }

    /// The plain name of `raw` here, and its IV; see [`NameCoding::decode`].
    ///
    /// # Errors
    /// As [`NameCoding::decode`].
    pub fn decode(&self, raw: &[u8]) -> Result<(PlainName, u64), Error> {
        self.coding.decode(raw, self.iv)
    }

    /// The names of the directory in here whose own name gave `iv`.
    #[must_use]
    pub fn child(&self, iv: u64) -> Self {
        Self::new(Arc::clone(&self.coding), iv)
    }
}
