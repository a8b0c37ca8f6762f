//! Kinds of operations, as the kernel sends them to the raw storage.

/// One kind. `setattr` is told apart by what it sets; a size counts before all else.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[allow(missing_docs, reason = "the names are those of the requests")]
pub enum Op {
    Lookup,
    Getattr,
    Truncate,
    Chmod,
    Chown,
    Utimens,
    Readlink,
    Mknod,
    Mkdir,
    Unlink,
    Rmdir,
    Symlink,
    Rename,
    Link,
    Open,
    Create,
    Read,
    Write,
    Flush,
    Release,
    Fsync,
    Opendir,
    Readdir,
    Releasedir,
    Fsyncdir,
    Statfs,
    Setxattr,
    Getxattr,
    Listxattr,
    Removexattr,
    Fallocate,
    Lseek,
    CopyRange,
}

/// Every kind with its name.
const NAMES: &[(Op, &str)] = &[
    (Op::Lookup, "lookup"),
    (Op::Getattr, "getattr"),
    (Op::Truncate, "truncate"),
    (Op::Chmod, "chmod"),
    (Op::Chown, "chown"),
    (Op::Utimens, "utimens"),
    (Op::Readlink, "readlink"),
    (Op::Mknod, "mknod"),
    (Op::Mkdir, "mkdir"),
    (Op::Unlink, "unlink"),
    (Op::Rmdir, "rmdir"),
    (Op::Symlink, "symlink"),
    (Op::Rename, "rename"),
    (Op::Link, "link"),
    (Op::Open, "open"),
    (Op::Create, "create"),
    (Op::Read, "read"),
    (Op::Write, "write"),
    (Op::Flush, "flush"),
    (Op::Release, "release"),
    (Op::Fsync, "fsync"),
    (Op::Opendir, "opendir"),
    (Op::Readdir, "readdir"),
    (Op::Releasedir, "releasedir"),
    (Op::Fsyncdir, "fsyncdir"),
    (Op::Statfs, "statfs"),
    (Op::Setxattr, "setxattr"),
    (Op::Getxattr, "getxattr"),
    (Op::Listxattr, "listxattr"),
    (Op::Removexattr, "removexattr"),
    (Op::Fallocate, "fallocate"),
    (Op::Lseek, "lseek"),
    (Op::CopyRange, "copy_range"),
];

/// How many kinds there are.
pub(super) const KINDS: usize = NAMES.len();

impl Op {
    /// Every kind.
    pub fn all() -> impl Iterator<Item = Self> {
        NAMES.iter().map(|(op, _)| *op)
    }

    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        NAMES.get(self.index()).map_or("?", |(_, name)| name)
    }

    /// The kind of this name.
    #[must_use]
    pub fn by_name(name: &str) -> Option<Self> {
        let found = NAMES.iter().find(|(_, known)| *known == name);
        found.map(|(op, _)| *op)
    }

    /// Whether it changes what is stored.
    #[must_use]
    pub fn changes(self) -> bool {
        matches!(
            self,
            Self::Truncate
                | Self::Chmod
                | Self::Chown
                | Self::Utimens
                | Self::Mknod
                | Self::Mkdir
                | Self::Unlink
                | Self::Rmdir
                | Self::Symlink
                | Self::Rename
                | Self::Link
                | Self::Create
                | Self::Write
                | Self::Setxattr
                | Self::Removexattr
                | Self::Fallocate
                | Self::CopyRange
        )
    }

    pub(super) fn index(self) -> usize {
        self as usize
    }
}

#[cfg(test)]
mod tests {
    use super::{NAMES, Op};

    #[test]
    fn every_kind_has_its_own_name() {
        for (index, (op, name)) in NAMES.iter().enumerate() {
            assert_eq!(op.index(), index, "{name}");
            assert_eq!(op.name(), *name);
            assert_eq!(Op::by_name(name), Some(*op));
        }
        assert_eq!(Op::by_name("nothing"), None);
    }
}
