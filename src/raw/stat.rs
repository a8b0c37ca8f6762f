//! Attributes of a raw file as the storage reports them.

use rustix::fs::FileType;

/// Identity of a raw file while it exists: device and inode number.
///
/// Some storage hands out numbers that change or repeat; whoever joins files by this must ask
/// first whether the storage can be trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct RawId {
    /// Device number.
    pub dev: u64,
    /// Inode number.
    pub ino: u64,
}

/// Kind of a raw file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[allow(missing_docs)]
pub enum Kind {
    File,
    Dir,
    Symlink,
    Fifo,
    Socket,
    CharDevice,
    BlockDevice,
}

impl Kind {
    pub(crate) fn of(file_type: FileType) -> Option<Self> {
        Some(match file_type {
            FileType::RegularFile => Self::File,
            FileType::Directory => Self::Dir,
            FileType::Symlink => Self::Symlink,
            FileType::Fifo => Self::Fifo,
            FileType::Socket => Self::Socket,
            FileType::CharacterDevice => Self::CharDevice,
            FileType::BlockDevice => Self::BlockDevice,
            FileType::Unknown => return None,
        })
    }
}

/// A point in time: seconds since 1970 and nanoseconds (0 to 999,999,999) after that second.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Time {
    /// Seconds since 1970-01-01 00:00 UTC; negative before.
    pub secs: i64,
    /// Nanoseconds after `secs`.
    pub nanos: u32,
}

/// What to do with one of the two times of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SetTime {
    /// Leave it.
    Keep,
    /// The time of the call, as the storage sees it.
    Now,
    /// This time.
    To(Time),
}

/// Attributes of a raw file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stat {
    /// Identity in storage.
    pub id: RawId,
    /// Kind of file.
    pub kind: Kind,
    /// Permission bits, with set-user-ID, set-group-ID and sticky (0 to 0o7777).
    pub mode: u32,
    /// Number of names.
    pub nlink: u64,
    /// Owner.
    pub uid: u32,
    /// Group.
    pub gid: u32,
    /// Device number of a device file.
    pub rdev: u64,
    /// Raw size in bytes.
    pub size: u64,
    /// Space taken, in units of 512 bytes.
    pub blocks: u64,
    /// Preferred size of requests in bytes.
    pub blksize: u32,
    /// Last access.
    pub atime: Time,
    /// Last change of the contents.
    pub mtime: Time,
    /// Last change of contents or attributes.
    pub ctime: Time,
}

impl Stat {
    #[allow(
        clippy::cast_sign_loss,
        clippy::cast_possible_truncation,
        clippy::unnecessary_cast
    )]
    pub(crate) fn from_sys(s: &rustix::fs::Stat) -> Option<Self> {
        let time = |secs, nanos| Time {
            secs,
            nanos: nanos as u32,
        };
        Some(Self {
            id: RawId {
                dev: s.st_dev as u64,
                ino: s.st_ino as u64,
            },
            kind: Kind::of(FileType::from_raw_mode(s.st_mode))?,
            mode: s.st_mode & 0o7777,
            nlink: s.st_nlink as u64,
            uid: s.st_uid,
            gid: s.st_gid,
            rdev: s.st_rdev as u64,
            size: u64::try_from(s.st_size).unwrap_or(0),
            blocks: u64::try_from(s.st_blocks).unwrap_or(0),
            blksize: u32::try_from(s.st_blksize).unwrap_or(4096),
            atime: time(s.st_atime as i64, s.st_atime_nsec),
            mtime: time(s.st_mtime as i64, s.st_mtime_nsec),
            ctime: time(s.st_ctime as i64, s.st_ctime_nsec),
        })
    }

    pub(crate) fn from_statx(s: &rustix::fs::Statx) -> Option<Self> {
        let time = |time: rustix::fs::StatxTimestamp| Time {
            secs: time.tv_sec,
            nanos: time.tv_nsec,
        };
        Some(Self {
            id: RawId {
                dev: rustix::fs::makedev(s.stx_dev_major, s.stx_dev_minor),
                ino: s.stx_ino,
            },
            kind: Kind::of(FileType::from_raw_mode(s.stx_mode.into()))?,
            mode: u32::from(s.stx_mode) & 0o7777,
            nlink: s.stx_nlink.into(),
            uid: s.stx_uid,
            gid: s.stx_gid,
            rdev: rustix::fs::makedev(s.stx_rdev_major, s.stx_rdev_minor),
            size: s.stx_size,
            blocks: s.stx_blocks,
            blksize: s.stx_blksize,
            atime: time(s.stx_atime),
            mtime: time(s.stx_mtime),
            ctime: time(s.stx_ctime),
        })
    }
}

/// Space and limits of the storage, as `statvfs` reports them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct SpaceInfo {
    /// Unit of the block counts, in bytes.
    pub fragment_size: u64,
    /// Preferred size of requests, in bytes.
    pub block_size: u64,
    pub blocks: u64,
    pub blocks_free: u64,
    pub blocks_available: u64,
    pub files: u64,
    pub files_free: u64,
    /// Longest raw name, in bytes.
    pub name_max: u64,
}
