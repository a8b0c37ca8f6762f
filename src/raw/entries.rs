//! Reading a directory.

use super::Kind;

/// One entry of a raw directory, as the storage lists it. `.` and `..` are left out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The raw name, any bytes.
    pub name: Box<[u8]>,
    /// The kind, where the storage says it in the listing.
    pub kind: Option<Kind>,
    /// The inode number of the listing.
    pub ino: u64,
}
