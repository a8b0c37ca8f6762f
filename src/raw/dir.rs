//! A raw directory, held by descriptor: names in it are looked up, made, removed, renamed.

use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;
use std::sync::Arc;

use rustix::fs::{AtFlags, Mode, OFlags, StatxFlags};
use rustix::io::Errno;

use super::{Entry, Error, File, Kind, Meter, Name, Op, SpaceInfo, Stat};

pub use rustix::fs::RenameFlags;

/// How a raw file is opened: as the user opened it, but for writing always readable too, since
/// blocks are read, changed and written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Reading only. Storage that uploads whatever was open for writing sees a reader.
    Read,
    /// Reading and writing.
    ReadWrite,
}

impl Access {
    pub(super) fn flags(self) -> OFlags {
        match self {
            Self::Read => OFlags::RDONLY,
            Self::ReadWrite => OFlags::RDWR,
        }
    }
}

/// Size of the buffer that a directory is read into, in bytes. The C library's: some storage (davfs2)
/// refuses to fill a larger one.
const ENTRIES_BUFFER: usize = 32 * 1024;

/// A raw directory by an `O_PATH` descriptor: it stays the same directory when it or one of its
/// parents is renamed, and nothing planted in it can lead outside.
#[derive(Debug)]
pub struct Dir {
    fd: OwnedFd,
    pub(super) meter: Arc<Meter>,
}

impl Dir {
    /// Opens the root directory of a volume. Symbolic links on the way to it are followed.
    ///
    /// # Errors
    /// `ENOTDIR`, `ENOENT`, `EACCES` and what else the storage answers.
    pub fn open_root(path: &Path) -> Result<Self, Error> {
        let meter = Arc::new(Meter::default());
        meter.count(Op::OpenDir);
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let fd = rustix::fs::open(path, flags, Mode::empty())
            .map_err(|errno| Error::on_file(Op::OpenDir, errno))?;
        Ok(Self { fd, meter })
    }

    /// Another descriptor of this directory.
    ///
    /// # Errors
    /// If no more descriptors can be had.
    pub fn reopen(&self) -> Result<Self, Error> {
        let fd = rustix::io::fcntl_dupfd_cloexec(&self.fd, 3)
            .map_err(|errno| Error::on_file(Op::OpenDir, errno))?;
        Ok(Self {
            fd,
            meter: Arc::clone(&self.meter),
        })
    }

    /// The counters of this volume's raw operations.
    #[must_use]
    pub fn meter(&self) -> &Arc<Meter> {
        &self.meter
    }

    pub(super) fn fail(op: Op, name: &Name) -> impl FnOnce(Errno) -> Error {
        let name = name.clone();
        move |errno| Error {
            op,
            name: Some(name),
            errno,
        }
    }

    /// Opens the directory `name` in this one. `ENOTDIR` also if it is a symbolic link.
    ///
    /// # Errors
    /// What the storage answered.
    pub fn open_dir(&self, name: &Name) -> Result<Self, Error> {
        self.meter.count(Op::OpenDir);
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let fd = rustix::fs::openat(&self.fd, name.as_os_str(), flags, Mode::empty())
            .map_err(Self::fail(Op::OpenDir, name))?;
        Ok(Self {
            fd,
            meter: Arc::clone(&self.meter),
        })
    }

    /// Attributes of the entry `name`; of a symbolic link, its own.
    ///
    /// # Errors
    /// What the storage answered.
    pub fn stat(&self, name: &Name) -> Result<Stat, Error> {
        self.meter.count(Op::Stat);
        let fail = Self::fail(Op::Stat, name);
        match rustix::fs::statat(&self.fd, name.as_os_str(), AtFlags::SYMLINK_NOFOLLOW) {
            Ok(stat) => Stat::from_sys(&stat).ok_or_else(|| fail(Errno::IO)),
            Err(errno) => Err(fail(errno)),
        }
    }

    /// [`stat`](Self::stat), asked of the storage whatever the kernel may believe still.
    ///
    /// # Errors
    /// What the storage answered.
    pub fn stat_fresh(&self, name: &Name) -> Result<Stat, Error> {
        self.meter.count(Op::Stat);
        let flags = AtFlags::SYMLINK_NOFOLLOW | AtFlags::STATX_FORCE_SYNC;
        let mask = StatxFlags::BASIC_STATS;
        let fail = Self::fail(Op::Stat, name);
        match rustix::fs::statx(&self.fd, name.as_os_str(), flags, mask) {
            Ok(stat) => Stat::from_statx(&stat).ok_or_else(|| fail(Errno::IO)),
            Err(errno) => Err(fail(errno)),
        }
    }

    /// Attributes of this directory itself.
    ///
    /// # Errors
    /// What the storage answered.
    pub fn stat_self(&self) -> Result<Stat, Error> {
        self.meter.count(Op::Stat);
        let stat = rustix::fs::fstat(&self.fd).map_err(|errno| Error::on_file(Op::Stat, errno))?;
        Stat::from_sys(&stat).ok_or(Error::on_file(Op::Stat, Errno::IO))
    }

    /// Space and limits of the storage.
    ///
    /// # Errors
    /// What the storage answered.
    pub fn space(&self) -> Result<SpaceInfo, Error> {
        self.meter.count(Op::StatFs);
        let s =
            rustix::fs::fstatvfs(&self.fd).map_err(|errno| Error::on_file(Op::StatFs, errno))?;
        Ok(SpaceInfo {
            fragment_size: s.f_frsize,
            block_size: s.f_bsize,
            blocks: s.f_blocks,
            blocks_free: s.f_bfree,
            blocks_available: s.f_bavail,
            files: s.f_files,
            files_free: s.f_ffree,
            name_max: s.f_namemax,
        })
    }

    /// Whether every operation here is likely to be a round trip to somewhere else, by the kind of
    /// filesystem. Asks the kernel only.
    #[must_use]
    pub fn is_remote(&self) -> bool {
        // FUSE, NFS, SMB 1, CIFS and SMB 2, Ceph, AFS, 9p.
        const REMOTE: [u32; 8] = [
            0x6573_5546,
            0x6969,
            0x517b,
            0xff53_4d42,
            0xfe53_4d42,
            0x00c3_6400,
            0x5346_414f,
            0x0102_1997,
        ];
        // The type has another width and sign on other machines; its low half is the same.
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        let kind = rustix::fs::fstatfs(&self.fd).map(|stat| stat.f_type as u32);
        kind.is_ok_and(|kind| REMOTE.contains(&kind))
    }

    /// Opens the file `name`. The caller checks by [`File::stat`] that it got a regular file
    /// before it reads or writes.
    ///
    /// # Errors
    /// `ELOOP` for a symbolic link; what the storage answered.
    pub fn open_file(&self, name: &Name, access: Access) -> Result<File, Error> {
        self.meter.count(Op::OpenFile);
        let access = match access {
            Access::Read => OFlags::RDONLY,
            Access::ReadWrite => OFlags::RDWR,
        };
        let flags = access | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
        let fd = rustix::io::retry_on_intr(|| {
            rustix::fs::openat(&self.fd, name.as_os_str(), flags, Mode::empty())
        })
        .map_err(Self::fail(Op::OpenFile, name))?;
        Ok(File::new(fd, Arc::clone(&self.meter)))
    }

    /// Opens the file at a relative `path` for reading, links and `..` followed wherever they lead. For plain
    /// folders whose owner named the path; nothing in a raw tree is opened this way.
    ///
    /// # Errors
    /// What the storage answered.
    pub fn open_followed(&self, path: &Path) -> Result<File, Error> {
        self.meter.count(Op::OpenFile);
        let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
        let fd =
            rustix::io::retry_on_intr(|| rustix::fs::openat(&self.fd, path, flags, Mode::empty()))
                .map_err(|errno| Error {
                    op: Op::OpenFile,
                    name: None,
                    errno,
                })?;
        Ok(File::new(fd, Arc::clone(&self.meter)))
    }

    /// Makes the file `name`, which must not exist, and opens it for reading and writing
    /// whatever `mode` (permission bits, before the umask) allows.
    ///
    /// # Errors
    /// `EEXIST`; what the storage answered.
    pub fn create_file(&self, name: &Name, mode: u32) -> Result<File, Error> {
        self.meter.count(Op::Create);
        let flags = OFlags::RDWR
            | OFlags::CREATE
            | OFlags::EXCL
            | OFlags::NOFOLLOW
            | OFlags::NOCTTY
            | OFlags::CLOEXEC;
        let fd = rustix::fs::openat(&self.fd, name.as_os_str(), flags, Mode::from_raw_mode(mode))
            .map_err(Self::fail(Op::Create, name))?;
        Ok(File::new(fd, Arc::clone(&self.meter)))
    }

    /// Makes a directory.
    ///
    /// # Errors
    /// What the storage answered.
    pub fn make_dir(&self, name: &Name, mode: u32) -> Result<(), Error> {
        self.meter.count(Op::MakeDir);
        rustix::fs::mkdirat(&self.fd, name.as_os_str(), Mode::from_raw_mode(mode))
            .map_err(Self::fail(Op::MakeDir, name))
    }

    /// Makes a file of any kind but directory and symbolic link.
    ///
    /// # Errors
    /// `EINVAL` for those two; what the storage answered.
    pub fn make_node(&self, name: &Name, kind: Kind, mode: u32, rdev: u64) -> Result<(), Error> {
        use rustix::fs::FileType;
        self.meter.count(Op::MakeNode);
        let fail = Self::fail(Op::MakeNode, name);
        let file_type = match kind {
            Kind::File => FileType::RegularFile,
            Kind::Fifo => FileType::Fifo,
            Kind::Socket => FileType::Socket,
            Kind::CharDevice => FileType::CharacterDevice,
            Kind::BlockDevice => FileType::BlockDevice,
            Kind::Dir | Kind::Symlink => return Err(fail(Errno::INVAL)),
        };
        rustix::fs::mknodat(
            &self.fd,
            name.as_os_str(),
            file_type,
            Mode::from_raw_mode(mode),
            rdev,
        )
        .map_err(fail)
    }

    /// Makes the symbolic link `name` with the raw target `target`.
    ///
    /// # Errors
    /// What the storage answered.
    pub fn symlink(&self, target: &[u8], name: &Name) -> Result<(), Error> {
        self.meter.count(Op::Symlink);
        rustix::fs::symlinkat(target, &self.fd, name.as_os_str())
            .map_err(Self::fail(Op::Symlink, name))
    }

    /// The raw target of the symbolic link `name`.
    ///
    /// # Errors
    /// `EINVAL` if it is no link; what the storage answered.
    pub fn read_link(&self, name: &Name) -> Result<Vec<u8>, Error> {
        self.meter.count(Op::ReadLink);
        rustix::fs::readlinkat(&self.fd, name.as_os_str(), Vec::with_capacity(512))
            .map(std::ffi::CString::into_bytes)
            .map_err(Self::fail(Op::ReadLink, name))
    }

    /// Gives the file `name` a second name in `to`. A symbolic link itself is linked.
    ///
    /// # Errors
    /// What the storage answered.
    pub fn link(&self, name: &Name, to: &Self, new_name: &Name) -> Result<(), Error> {
        self.meter.count(Op::Link);
        rustix::fs::linkat(
            &self.fd,
            name.as_os_str(),
            &to.fd,
            new_name.as_os_str(),
            AtFlags::empty(),
        )
        .map_err(Self::fail(Op::Link, new_name))
    }

    /// Removes the name of a file.
    ///
    /// # Errors
    /// What the storage answered.
    pub fn unlink(&self, name: &Name) -> Result<(), Error> {
        self.meter.count(Op::Unlink);
        rustix::fs::unlinkat(&self.fd, name.as_os_str(), AtFlags::empty())
            .map_err(Self::fail(Op::Unlink, name))
    }

    /// Removes an empty directory.
    ///
    /// # Errors
    /// What the storage answered.
    pub fn remove_dir(&self, name: &Name) -> Result<(), Error> {
        self.meter.count(Op::RemoveDir);
        rustix::fs::unlinkat(&self.fd, name.as_os_str(), AtFlags::REMOVEDIR)
            .map_err(Self::fail(Op::RemoveDir, name))
    }

    /// Renames `name` to `new_name` in `to`, with the flags of `renameat2`. Without flags the
    /// plain call is made, which all storage has.
    ///
    /// # Errors
    /// `EINVAL` where the storage lacks a flag; what the storage answered.
    pub fn rename(
        &self,
        name: &Name,
        to: &Self,
        new_name: &Name,
        flags: RenameFlags,
    ) -> Result<(), Error> {
        self.meter.count(Op::Rename);
        let result = if flags.is_empty() {
            rustix::fs::renameat(&self.fd, name.as_os_str(), &to.fd, new_name.as_os_str())
        } else {
            rustix::fs::renameat_with(
                &self.fd,
                name.as_os_str(),
                &to.fd,
                new_name.as_os_str(),
                flags,
            )
        };
        result.map_err(Self::fail(Op::Rename, name))
    }

    /// All entries of this directory, in the storage's order, without `.` and `..`.
    ///
    /// # Errors
    /// What the storage answered.
    pub fn entries(&self) -> Result<Vec<Entry>, Error> {
        let fail = |errno| Error::on_file(Op::ReadDir, errno);
        let fd = self.open_self().map_err(fail)?;
        let mut buffer = vec![MaybeUninit::uninit(); ENTRIES_BUFFER];
        let mut entries = Vec::new();
        let mut listing = rustix::fs::RawDir::new(fd, &mut buffer);
        loop {
            if listing.is_buffer_empty() {
                self.meter.count(Op::ReadDir);
            }
            let Some(entry) = listing.next() else {
                break;
            };
            let entry = entry.map_err(fail)?;
            let name = entry.file_name().to_bytes();
            if name != b"." && name != b".." {
                entries.push(Entry {
                    name: name.into(),
                    kind: Kind::of(entry.file_type()),
                    ino: entry.ino(),
                });
            }
        }
        Ok(entries)
    }

    /// Makes changes of names in this directory survive a crash.
    ///
    /// # Errors
    /// What the storage answered.
    pub fn sync(&self) -> Result<(), Error> {
        let fail = |errno| Error::on_file(Op::Sync, errno);
        let fd = self.open_self().map_err(fail)?;
        self.meter.count(Op::Sync);
        rustix::io::retry_on_intr(|| rustix::fs::fsync(&fd)).map_err(fail)
    }

    /// Makes everything that the filesystem of this directory was told survive a crash.
    ///
    /// # Errors
    /// What the storage answered.
    pub fn sync_storage(&self) -> Result<(), Error> {
        let fail = |errno| Error::on_file(Op::Sync, errno);
        let fd = self.open_self().map_err(fail)?;
        self.meter.count(Op::Sync);
        rustix::fs::syncfs(&fd).map_err(fail)
    }

    /// A readable descriptor of this directory: `O_PATH` ones cannot be listed or synced.
    fn open_self(&self) -> Result<OpenList<'_>, Errno> {
        self.meter.count(Op::OpenList);
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let fd = rustix::fs::openat(&self.fd, c".", flags, Mode::empty())?;
        Ok(OpenList {
            fd,
            meter: &self.meter,
        })
    }
}

/// A readable descriptor of a directory; closing it is counted.
struct OpenList<'a> {
    fd: OwnedFd,
    meter: &'a Meter,
}

impl AsFd for OpenList<'_> {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

impl Drop for OpenList<'_> {
    fn drop(&mut self) {
        self.meter.count(Op::Close);
    }
}

impl AsFd for Dir {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}
