//! The one place that maps errors to errno. No `_` arm: a new variant does not compile until
//! somebody decides what a program sees.

use fuser::Errno;

use crate::fs::FsError;
use crate::{blockio, nameio};

/// What the calling program sees.
pub(super) fn errno(error: &FsError) -> Errno {
    match error {
        // The storage's own answer, unchanged.
        FsError::Raw(error) => Errno::from_i32(error.errno.raw_os_error()),
        FsError::Content(error) => content(error),
        FsError::Name(error) => name(error),
        // Both make the kernel look the path up once more, and tell ENOENT if that finds nothing.
        FsError::NoSuchNode | FsError::Stale | FsError::NotRegular => Errno::ESTALE,
        FsError::NoSuchHandle | FsError::NotWritable => Errno::EBADF,
        FsError::NoSuchEntry => Errno::ENOENT,
        // EncFS 1.9.5 hands out the raw target, or whatever errno was left over.
        FsError::BadLinkTarget => Errno::EIO,
        // As EncFS 1.9.5.
        FsError::HardLink => Errno::EPERM,
        FsError::Reserved => Errno::EPERM,
        FsError::NotSupported => Errno::EOPNOTSUPP,
        FsError::Invalid => Errno::EINVAL,
        FsError::Denied => Errno::EACCES,
        FsError::ReadOnly => Errno::EROFS,
        // As EncFS 1.9.5.
        FsError::OwnMount => Errno::EIO,
        FsError::NotEmpty => Errno::ENOTEMPTY,
        FsError::Internal => Errno::EIO,
    }
}

fn content(error: &blockio::Error) -> Errno {
    match error {
        blockio::Error::Raw(error) => Errno::from_i32(error.errno.raw_os_error()),
        // "Bad message", as EncFS has it since 1.0: distinct from trouble of the storage.
        blockio::Error::BlockMac { .. } => Errno::EBADMSG,
        blockio::Error::CutHeader { .. } | blockio::Error::BadHeader => Errno::EIO,
        // The storage did not do what it said.
        blockio::Error::Unsettled { .. }
        | blockio::Error::Missing { .. }
        | blockio::Error::NotCut { .. } => Errno::EIO,
        blockio::Error::TooLarge => Errno::EFBIG,
        blockio::Error::ViewNotWritable => Errno::EROFS,
        blockio::Error::Crypto(_) => Errno::EIO,
    }
}

fn name(error: &nameio::Error) -> Errno {
    match error {
        // Cannot happen once a volume is open.
        nameio::Error::UnknownInterface { .. } | nameio::Error::UnsupportedVersion { .. } => {
            Errno::EIO
        }
        nameio::Error::Undecodable => Errno::ENOENT,
        nameio::Error::NotAName => Errno::EINVAL,
        // A link target with no raw form, such as "/" under stream names (format 6.7).
        nameio::Error::Inexpressible => Errno::EINVAL,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::raw;

    #[test]
    fn every_error_has_the_errno_a_user_can_tell_by() {
        let storage = || raw::Error {
            op: raw::Op::Write,
            name: None,
            errno: raw::Errno::DQUOT,
        };
        let table = [
            (FsError::Raw(storage()), Errno::EDQUOT),
            (
                FsError::Content(blockio::Error::Raw(storage())),
                Errno::EDQUOT,
            ),
            (
                FsError::Content(blockio::Error::BlockMac { block: 1 }),
                Errno::EBADMSG,
            ),
            (
                FsError::Content(blockio::Error::CutHeader { raw_len: 3 }),
                Errno::EIO,
            ),
            (FsError::Content(blockio::Error::BadHeader), Errno::EIO),
            (FsError::Content(blockio::Error::TooLarge), Errno::EFBIG),
            (
                FsError::Content(blockio::Error::ViewNotWritable),
                Errno::EROFS,
            ),
            (
                FsError::Content(blockio::Error::Unsettled { found: 8 }),
                Errno::EIO,
            ),
            (
                FsError::Content(blockio::Error::NotCut {
                    wanted: 1,
                    found: 2,
                }),
                Errno::EIO,
            ),
            (FsError::Name(nameio::Error::Undecodable), Errno::ENOENT),
            (FsError::Name(nameio::Error::NotAName), Errno::EINVAL),
            (FsError::Name(nameio::Error::Inexpressible), Errno::EINVAL),
            (FsError::NoSuchNode, Errno::ESTALE),
            (FsError::Stale, Errno::ESTALE),
            (FsError::NotRegular, Errno::ESTALE),
            (FsError::NoSuchHandle, Errno::EBADF),
            (FsError::NotWritable, Errno::EBADF),
            (FsError::NoSuchEntry, Errno::ENOENT),
            (FsError::BadLinkTarget, Errno::EIO),
            (FsError::HardLink, Errno::EPERM),
            (FsError::Reserved, Errno::EPERM),
            (FsError::NotSupported, Errno::EOPNOTSUPP),
            (FsError::Invalid, Errno::EINVAL),
            (FsError::Denied, Errno::EACCES),
            (FsError::ReadOnly, Errno::EROFS),
            (FsError::OwnMount, Errno::EIO),
            (FsError::NotEmpty, Errno::ENOTEMPTY),
            (FsError::Internal, Errno::EIO),
        ];
        for (error, expected) in table {
            assert_eq!(errno(&error).code(), expected.code(), "{error}");
        }
    }
}
