//! The two kinds of names, told apart by type.

use super::Error;
use crate::raw;

/// One component as the user sees it: a possible directory entry (format 6).
///
/// Its debug print shows the name, so it may be logged at debug level only.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PlainName(raw::Name);

/// One component as it lies in storage.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RawName(raw::Name);

impl PlainName {
    /// Takes `bytes` as a component.
    ///
    /// # Errors
    /// [`Error::NotAName`] if no directory entry can have this name.
    pub fn new(bytes: impl Into<Box<[u8]>>) -> Result<Self, Error> {
        raw::Name::new(bytes).map(Self).map_err(|_| Error::NotAName)
    }

    /// The bytes of the name.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }

    /// The name as a stored one: in reverse mode plain names are what storage has.
    #[must_use]
    pub fn as_raw(&self) -> &raw::Name {
        &self.0
    }
}

impl RawName {
    /// Takes `bytes` as a component.
    ///
    /// # Errors
    /// [`Error::NotAName`] if no directory entry can have this name.
    pub fn new(bytes: impl Into<Box<[u8]>>) -> Result<Self, Error> {
        raw::Name::new(bytes).map(Self).map_err(|_| Error::NotAName)
    }

    /// The bytes of the name.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }

    /// The name as system calls take it.
    #[must_use]
    pub fn as_name(&self) -> &raw::Name {
        &self.0
    }
}

impl From<PlainName> for raw::Name {
    fn from(name: PlainName) -> Self {
        name.0
    }
}

impl From<RawName> for raw::Name {
    fn from(name: RawName) -> Self {
        name.0
    }
}

/// Names of configuration files, of every generation (format 2.1).
const RESERVED: [&[u8]; 6] = [
    b".encfs6.xml",
    b".encfs5",
    b".encfs4",
    b".encfs3",
    b".encfs2",
    b".encfs",
];

/// Whether a raw name is that of a configuration file and so, in the root directory, never a
/// name of the user's (format 6.8). With null encoding plain names are raw names.
#[must_use]
pub fn is_reserved_in_root(name: &[u8]) -> bool {
    RESERVED.contains(&name)
}
