//! What a raw operation answers when it fails: operation, raw name, errno.

use std::fmt;

pub use rustix::io::Errno;

use super::Name;

/// The raw operations, as they are counted and named in errors.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[allow(missing_docs)]
pub enum Op {
    OpenDir,
    OpenList,
    OpenFile,
    Create,
    Stat,
    FileStat,
    Read,
    Write,
    Truncate,
    Sync,
    Flush,
    Close,
    MakeDir,
    MakeNode,
    Symlink,
    ReadLink,
    Link,
    Unlink,
    RemoveDir,
    Rename,
    ReadDir,
    SetMode,
    SetOwner,
    SetTimes,
    GetXattr,
    SetXattr,
    ListXattr,
    RemoveXattr,
    StatFs,
    Allocate,
    Seek,
    Lock,
    Pin,
}

impl Op {
    /// Every operation, in the order of their counters.
    pub const ALL: [Self; 33] = [
        Self::OpenDir,
        Self::OpenList,
        Self::OpenFile,
        Self::Create,
        Self::Stat,
        Self::FileStat,
        Self::Read,
        Self::Write,
        Self::Truncate,
        Self::Sync,
        Self::Flush,
        Self::Close,
        Self::MakeDir,
        Self::MakeNode,
        Self::Symlink,
        Self::ReadLink,
        Self::Link,
        Self::Unlink,
        Self::RemoveDir,
        Self::Rename,
        Self::ReadDir,
        Self::SetMode,
        Self::SetOwner,
        Self::SetTimes,
        Self::GetXattr,
        Self::SetXattr,
        Self::ListXattr,
        Self::RemoveXattr,
        Self::StatFs,
        Self::Allocate,
        Self::Seek,
        Self::Lock,
        Self::Pin,
    ];

    /// The operation in words.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::OpenDir => "open directory",
            Self::OpenList => "open directory for reading",
            Self::OpenFile => "open",
            Self::Create => "create",
            Self::Stat => "stat",
            Self::FileStat => "stat open file",
            Self::Read => "read",
            Self::Write => "write",
            Self::Truncate => "truncate",
            Self::Sync => "sync",
            Self::Flush => "flush",
            Self::Close => "close",
            Self::MakeDir => "make directory",
            Self::MakeNode => "make node",
            Self::Symlink => "make symbolic link",
            Self::ReadLink => "read symbolic link",
            Self::Link => "link",
            Self::Unlink => "unlink",
            Self::RemoveDir => "remove directory",
            Self::Rename => "rename",
            Self::ReadDir => "read directory",
            Self::SetMode => "change mode",
            Self::SetOwner => "change owner",
            Self::SetTimes => "set times",
            Self::GetXattr => "get extended attribute",
            Self::SetXattr => "set extended attribute",
            Self::ListXattr => "list extended attributes",
            Self::RemoveXattr => "remove extended attribute",
            Self::StatFs => "stat filesystem",
            Self::Allocate => "allocate",
            Self::Seek => "seek",
            Self::Lock => "lock",
            Self::Pin => "hold",
        }
    }
}

impl fmt::Display for Op {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A raw operation failed. The errno is the storage's own and is passed on unchanged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error {
    /// What was tried.
    pub op: Op,
    /// The raw name it was tried on; none for an open file.
    pub name: Option<Name>,
    /// The storage's answer.
    pub errno: Errno,
}

impl Error {
    pub(crate) fn on_file(op: Op, errno: Errno) -> Self {
        Self {
            op,
            name: None,
            errno,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.op)?;
        if let Some(name) = &self.name {
            write!(f, " {name}")?;
        }
        write!(f, ": {}", std::io::Error::from(self.errno))
    }
}

impl std::error::Error for Error {}
