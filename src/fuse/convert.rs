//! Types of the FUSE library to ours and back.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use fuser::{FileAttr, FileType, INodeNo, Request, TimeOrNow};

use crate::fs::{Attr, Caller, NewTime, NodeId, OpenFlags};
use crate::raw::{Kind, Time};

/// Type bits of a mode.
const TYPE_MASK: u32 = 0o170_000;
/// `O_ACCMODE`, `O_RDONLY` and `O_EXCL` of Linux.
const ACCESS_MODE: i32 = 0o3;
const READ_ONLY: i32 = 0;
const EXCLUSIVE: i32 = 0o200;

pub(super) fn node(ino: INodeNo) -> NodeId {
    NodeId(ino.0)
}

pub(super) fn caller(request: &Request) -> Caller {
    Caller {
        uid: request.uid(),
        gid: request.gid(),
    }
}

pub(super) fn open_flags(flags: i32) -> OpenFlags {
    OpenFlags {
        write: flags & ACCESS_MODE != READ_ONLY,
        exclusive: flags & EXCLUSIVE != 0,
    }
}

pub(super) fn file_type(kind: Kind) -> FileType {
    match kind {
        Kind::File => FileType::RegularFile,
        Kind::Dir => FileType::Directory,
        Kind::Symlink => FileType::Symlink,
        Kind::Fifo => FileType::NamedPipe,
        Kind::Socket => FileType::Socket,
        Kind::CharDevice => FileType::CharDevice,
        Kind::BlockDevice => FileType::BlockDevice,
    }
}

/// The kind in the type bits of a mode; without any it is a regular file.
pub(super) fn kind_of_mode(mode: u32) -> Option<Kind> {
    Some(match mode & TYPE_MASK {
        0 | 0o100_000 => Kind::File,
        0o040_000 => Kind::Dir,
        0o120_000 => Kind::Symlink,
        0o010_000 => Kind::Fifo,
        0o140_000 => Kind::Socket,
        0o020_000 => Kind::CharDevice,
        0o060_000 => Kind::BlockDevice,
        _ => return None,
    })
}

pub(super) fn file_attr(attr: &Attr) -> FileAttr {
    FileAttr {
        ino: INodeNo(attr.node.0),
        size: attr.size,
        blocks: attr.blocks,
        atime: system_time(attr.atime),
        mtime: system_time(attr.mtime),
        ctime: system_time(attr.ctime),
        crtime: UNIX_EPOCH,
        kind: file_type(attr.kind),
        perm: u16::try_from(attr.mode & 0o7777).unwrap_or(0),
        nlink: u32::try_from(attr.nlink).unwrap_or(u32::MAX),
        uid: attr.uid,
        gid: attr.gid,
        rdev: u32::try_from(attr.rdev).unwrap_or(0),
        blksize: attr.blksize,
        flags: 0,
    }
}

/// Attributes of an entry that the kernel reads no attributes of: `.` and `..`.
pub(super) fn bare_dir(ino: u64) -> FileAttr {
    FileAttr {
        ino: INodeNo(ino),
        size: 0,
        blocks: 0,
        atime: UNIX_EPOCH,
        mtime: UNIX_EPOCH,
        ctime: UNIX_EPOCH,
        crtime: UNIX_EPOCH,
        kind: FileType::Directory,
        perm: 0o700,
        nlink: 2,
        uid: 0,
        gid: 0,
        rdev: 0,
        blksize: 4096,
        flags: 0,
    }
}

fn system_time(time: Time) -> SystemTime {
    let nanos = Duration::new(0, time.nanos);
    let whole = Duration::from_secs(time.secs.unsigned_abs());
    let start = if time.secs >= 0 {
        UNIX_EPOCH.checked_add(whole)
    } else {
        UNIX_EPOCH.checked_sub(whole)
    };
    start
        .and_then(|start| start.checked_add(nanos))
        .unwrap_or(UNIX_EPOCH)
}

pub(super) fn new_time(time: TimeOrNow) -> NewTime {
    match time {
        TimeOrNow::Now => NewTime::Now,
        TimeOrNow::SpecificTime(time) => NewTime::At(requested_time(time)),
    }
}

/// A time of a request. Before 1970 fuser 0.18 subtracts the nanoseconds of the request instead
/// of adding them: both numbers can be had back from the difference.
fn requested_time(time: SystemTime) -> Time {
    match time.duration_since(UNIX_EPOCH) {
        Ok(since) => Time {
            secs: i64::try_from(since.as_secs()).unwrap_or(i64::MAX),
            nanos: since.subsec_nanos(),
        },
        Err(before) => {
            let before = before.duration();
            Time {
                secs: i64::try_from(before.as_secs()).map_or(i64::MIN, |secs| -secs),
                nanos: before.subsec_nanos(),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_before_1970_keep_their_nanoseconds() {
        let time = Time {
            secs: -2,
            nanos: 300_000_000,
        };
        let shown = system_time(time);
        let before = UNIX_EPOCH.duration_since(shown).unwrap();
        assert_eq!(before, Duration::new(1, 700_000_000));
        // What fuser makes of a request for that time.
        let request = UNIX_EPOCH - Duration::new(2, 300_000_000);
        assert_eq!(requested_time(request), time);
    }

    #[test]
    fn kinds_and_mode_bits_agree() {
        for kind in [0o100_644, 0o040_755, 0o120_777, 0o010_600, 0o140_600, 0o644] {
            assert!(kind_of_mode(kind).is_some());
        }
        assert_eq!(kind_of_mode(0o170_000), None);
        assert_eq!(kind_of_mode(0o644), Some(Kind::File));
    }
}
