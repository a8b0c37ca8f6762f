//! Why a filesystem operation failed. Mapped to errno in one place: `fuse/errno.rs`.

use crate::{blockio, nameio, raw};

/// Why a filesystem operation failed.
#[derive(Debug, thiserror::Error)]
pub enum FsError {
    /// The storage refused.
    #[error(transparent)]
    Raw(#[from] raw::Error),
    /// Contents cannot be read or written.
    #[error(transparent)]
    Content(#[from] blockio::Error),
    /// The kernel gave a name that no directory entry can have, or that has no raw form.
    #[error(transparent)]
    Name(#[from] nameio::Error),
    /// The kernel names a node that is not known: it was forgotten, or never given out.
    #[error("no such node")]
    NoSuchNode,
    /// The kernel names a handle that is not open.
    #[error("no such handle")]
    NoSuchHandle,
    /// There is no such entry: its raw name would be that of a temporary file.
    #[error("no such entry")]
    NoSuchEntry,
    /// The name is that of another file since it was looked up; looking up once more helps.
    #[error("the name belongs to another file now")]
    Stale,
    /// A raw file that should be a regular file has become something else.
    #[error("the raw file is not a regular file any more")]
    NotRegular,
    /// The raw target of a symbolic link does not decode.
    #[error("the target of the symbolic link does not decode")]
    BadLinkTarget,
    /// Under external IV chaining a file's header fits one name only.
    #[error("hard links are impossible under external IV chaining")]
    HardLink,
    /// The entry is a configuration file of the volume or has the name of a temporary one.
    #[error("this name is reserved for the configuration and for temporary files")]
    Reserved,
    /// A flag or mode that this operation does not know.
    #[error("not supported")]
    NotSupported,
    /// An argument that makes no sense.
    #[error("invalid argument")]
    Invalid,
    /// The caller may not do this.
    #[error("permission denied")]
    Denied,
    /// The handle was opened for reading only.
    #[error("the handle is for reading only")]
    NotWritable,
    /// Nothing may be changed here.
    #[error("read-only")]
    ReadOnly,
    /// The entry leads from the mount into itself.
    #[error("the mount point itself lies here")]
    OwnMount,
    /// A directory that has entries would be replaced.
    #[error("the directory to be replaced is not empty")]
    NotEmpty,
    /// A handler panicked; the fault is in this program.
    #[error("internal fault")]
    Internal,
}

impl FsError {
    /// The storage's errno, if the storage refused.
    #[must_use]
    pub fn raw_errno(&self) -> Option<raw::Errno> {
        match self {
            Self::Raw(error) | Self::Content(blockio::Error::Raw(error)) => Some(error.errno),
            _ => None,
        }
    }
}
