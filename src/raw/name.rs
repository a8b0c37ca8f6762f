//! One component of a path as it lies in storage.

use std::ffi::OsStr;
use std::fmt;
use std::os::unix::ffi::OsStrExt;

/// One stored path component: not empty, not `.` or `..`, without `/` or NUL.
///
/// Its length is not checked: the storage says `ENAMETOOLONG` where it must.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Name(Box<[u8]>);

/// The bytes cannot name a directory entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a possible file name")]
pub struct BadName;

impl Name {
    /// Takes `bytes` as a component.
    ///
    /// # Errors
    /// [`BadName`] if no directory entry can have this name.
    pub fn new(bytes: impl Into<Box<[u8]>>) -> Result<Self, BadName> {
        let bytes = bytes.into();
        if bytes.is_empty()
            || &*bytes == b"."
            || &*bytes == b".."
            || bytes.iter().any(|&b| b == b'/' || b == 0)
        {
            return Err(BadName);
        }
        Ok(Self(bytes))
    }

    /// The bytes of the name.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The name as the system calls take it.
    #[must_use]
    pub fn as_os_str(&self) -> &OsStr {
        OsStr::from_bytes(&self.0)
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}\"", self.0.escape_ascii())
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0.escape_ascii())
    }
}
