//! An open raw file.

use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;

use rustix::fs::{AtFlags, FallocateFlags, SeekFrom, StatxFlags, Timestamps};
use rustix::io::Errno;

use super::dir_attr::timestamps;
use super::{Error, Meter, Op, SetTime, Stat};

/// An open raw file. Positions and lengths are in bytes.
#[derive(Debug)]
pub struct File {
    fd: OwnedFd,
    meter: Arc<Meter>,
}

/// What [`File::allocate`] does with a range.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Allocate {
    /// Reserve space; the size stays what it is.
    KeepSize,
    /// Reserve space; the file grows to cover the range.
    Grow,
    /// Give the space back; the range reads as zeros, the size stays.
    PunchHole,
}

impl File {
    pub(crate) fn new(fd: OwnedFd, meter: Arc<Meter>) -> Self {
        Self { fd, meter }
    }

    fn done<T>(op: Op, result: Result<T, Errno>) -> Result<T, Error> {
        result.map_err(|errno| Error::on_file(op, errno))
    }

    /// Fills `buf` from position `at`; fewer bytes mean the end of the file.
    ///
    /// # Errors
    /// What the storage answered.
    pub fn read_at(&self, buf: &mut [u8], at: u64) -> Result<usize, Error> {
        let mut done = 0;
        while done < buf.len() {
            self.meter.count(Op::Read);
            match rustix::io::pread(&self.fd, &mut buf[done..], at + done as u64) {
                Ok(0) => break,
                Ok(n) => done += n,
                Err(Errno::INTR) => {}
                Err(errno) => return Err(Error::on_file(Op::Read, errno)),
            }
        }
        self.meter.read(done);
        Ok(done)
    }

    /// Writes all of `buf` at position `at`.
    ///
    /// # Errors
    /// What the storage answered; a part may have been written.
    pub fn write_at(&self, buf: &[u8], at: u64) -> Result<(), Error> {
        let mut done = 0;
        while done < buf.len() {
            self.meter.count(Op::Write);
            match rustix::io::pwrite(&self.fd, &buf[done..], at + done as u64) {
                // Storage that takes nothing and says so without an error will not take the rest.
                Ok(0) => return Err(Error::on_file(Op::Write, Errno::IO)),
                Ok(n) => done += n,
                Err(Errno::INTR) => {}
                Err(errno) => return Err(Error::on_file(Op::Write, errno)),
            }
        }
        self.meter.written(done);
        Ok(())
    }

    /// Cuts or extends the file to `len` bytes.
    ///
    /// # Errors
    /// What the storage answered.
    pub fn set_len(&self, len: u64) -> Result<(), Error> {
        self.meter.count(Op::Truncate);
        Self::done(
            Op::Truncate,
            rustix::io::retry_on_intr(|| rustix::fs::ftruncate(&self.fd, len)),
        )
    }

    /// Lets the kernel forget what it has read from position `at` on, so that the next read asks
    /// the storage. What has not been written yet stays.
    pub fn drop_cached(&self, at: u64) {
        /// The kernel forgets whole pages only, and none is larger than this.
        const LARGEST_PAGE: u64 = 64 * 1024;
        let from = at - at % LARGEST_PAGE;
        // A kernel without it has cached nothing, or the answer is an old one.
        let _ = rustix::fs::fadvise(&self.fd, from, None, rustix::fs::Advice::DontNeed);
    }

    /// Attributes of the open file, also when it has no name any more.
    ///
    /// # Errors
    /// What the storage answered.
    pub fn stat(&self) -> Result<Stat, Error> {
        self.meter.count(Op::FileStat);
        let stat = Self::done(Op::FileStat, rustix::fs::fstat(&self.fd))?;
        Stat::from_sys(&stat).ok_or(Error::on_file(Op::FileStat, Errno::IO))
    }

    /// [`stat`](Self::stat), asked of the storage whatever the kernel may believe still.
    ///
    /// # Errors
    /// What the storage answered.
    pub fn stat_fresh(&self) -> Result<Stat, Error> {
        self.meter.count(Op::FileStat);
        let flags = AtFlags::EMPTY_PATH | AtFlags::STATX_FORCE_SYNC;
        let stat = rustix::fs::statx(&self.fd, "", flags, StatxFlags::BASIC_STATS);
        let stat = Self::done(Op::FileStat, stat)?;
        Stat::from_statx(&stat).ok_or(Error::on_file(Op::FileStat, Errno::IO))
    }

    /// Makes what was written survive a crash; with `data_only` attributes that reading does
    /// not need may be left out.
    ///
    /// # Errors
    /// What the storage answered; writes that it took before may be lost.
    pub fn sync(&self, data_only: bool) -> Result<(), Error> {
        self.meter.count(Op::Sync);
        let result = rustix::io::retry_on_intr(|| {
            if data_only {
                rustix::fs::fdatasync(&self.fd)
            } else {
                rustix::fs::fsync(&self.fd)
            }
        });
        Self::done(Op::Sync, result)
    }

    /// Locks the file for this process, unless another has it locked; storage without locks
    /// locks nothing. The result: whether the file is ours. The lock ends when it is closed.
    ///
    /// # Errors
    /// What the storage answered.
    pub fn try_lock(&self) -> Result<bool, Error> {
        self.meter.count(Op::Lock);
        let operation = rustix::fs::FlockOperation::NonBlockingLockExclusive;
        match rustix::fs::flock(&self.fd, operation) {
            Err(Errno::WOULDBLOCK) => Ok(false),
            Err(Errno::NOSYS | Errno::OPNOTSUPP | Errno::NOLCK) => Ok(true),
            result => Self::done(Op::Lock, result.map(|()| true)),
        }
    }

    /// Closes a copy of the descriptor, so that storage which uploads or checks quotas on
    /// `close` tells its errors now, to the user's `close`.
    ///
    /// # Errors
    /// What the storage answered.
    pub fn flush(&self) -> Result<(), Error> {
        self.meter.count(Op::Flush);
        let copy = Self::done(Op::Flush, rustix::io::dup(&self.fd))?;
        nix::unistd::close(copy)
            .map_err(|errno| Error::on_file(Op::Flush, Errno::from_raw_os_error(errno as i32)))
    }

    /// Changes the permission bits.
    ///
    /// # Errors
    /// What the storage answered.
    pub fn set_mode(&self, mode: u32) -> Result<(), Error> {
        self.meter.count(Op::SetMode);
        Self::done(
            Op::SetMode,
            rustix::fs::fchmod(&self.fd, rustix::fs::Mode::from_raw_mode(mode)),
        )
    }

    /// Changes owner, group or both.
    ///
    /// # Errors
    /// What the storage answered.
    pub fn set_owner(&self, uid: Option<u32>, gid: Option<u32>) -> Result<(), Error> {
        self.meter.count(Op::SetOwner);
        Self::done(
            Op::SetOwner,
            rustix::fs::fchown(
                &self.fd,
                uid.map(rustix::fs::Uid::from_raw),
                gid.map(rustix::fs::Gid::from_raw),
            ),
        )
    }

    /// Sets one or both times.
    ///
    /// # Errors
    /// What the storage answered.
    pub fn set_times(&self, atime: SetTime, mtime: SetTime) -> Result<(), Error> {
        self.meter.count(Op::SetTimes);
        let times: Timestamps = timestamps(atime, mtime);
        Self::done(Op::SetTimes, rustix::fs::futimens(&self.fd, &times))
    }

    /// Reserves or gives back space.
    ///
    /// # Errors
    /// What the storage answered.
    pub fn allocate(&self, what: Allocate, at: u64, len: u64) -> Result<(), Error> {
        self.meter.count(Op::Allocate);
        let flags = match what {
            Allocate::KeepSize => FallocateFlags::KEEP_SIZE,
            Allocate::Grow => FallocateFlags::empty(),
            Allocate::PunchHole => FallocateFlags::PUNCH_HOLE | FallocateFlags::KEEP_SIZE,
        };
        Self::done(
            Op::Allocate,
            rustix::io::retry_on_intr(|| rustix::fs::fallocate(&self.fd, flags, at, len)),
        )
    }

    /// The first position at or after `at` that holds data, or with `hole` that holds none.
    ///
    /// # Errors
    /// `ENXIO` past the end or past the last data; what the storage answered.
    pub fn seek(&self, at: u64, hole: bool) -> Result<u64, Error> {
        self.meter.count(Op::Seek);
        let at = if hole {
            SeekFrom::Hole(at)
        } else {
            SeekFrom::Data(at)
        };
        Self::done(Op::Seek, rustix::fs::seek(&self.fd, at))
    }

    /// Value of an extended attribute.
    ///
    /// # Errors
    /// `ENODATA` if there is none; what the storage answered.
    pub fn xattr(&self, name: &std::ffi::CStr) -> Result<Vec<u8>, Error> {
        self.meter.count(Op::GetXattr);
        Self::done(
            Op::GetXattr,
            super::dir_attr::read_growing(|buf| rustix::fs::fgetxattr(&self.fd, name, buf)),
        )
    }

    /// Sets an extended attribute, with the flags of `setxattr(2)`.
    ///
    /// # Errors
    /// What the storage answered.
    pub fn set_xattr(&self, name: &std::ffi::CStr, value: &[u8], flags: u32) -> Result<(), Error> {
        self.meter.count(Op::SetXattr);
        let flags = rustix::fs::XattrFlags::from_bits(flags)
            .ok_or(Error::on_file(Op::SetXattr, Errno::INVAL))?;
        Self::done(
            Op::SetXattr,
            rustix::fs::fsetxattr(&self.fd, name, value, flags),
        )
    }

    /// Names of the extended attributes, each with a NUL.
    ///
    /// # Errors
    /// What the storage answered.
    pub fn list_xattrs(&self) -> Result<Vec<u8>, Error> {
        self.meter.count(Op::ListXattr);
        Self::done(
            Op::ListXattr,
            super::dir_attr::read_growing(|buf| rustix::fs::flistxattr(&self.fd, buf)),
        )
    }

    /// Removes an extended attribute.
    ///
    /// # Errors
    /// `ENODATA` if there is none; what the storage answered.
    pub fn remove_xattr(&self, name: &std::ffi::CStr) -> Result<(), Error> {
        self.meter.count(Op::RemoveXattr);
        Self::done(Op::RemoveXattr, rustix::fs::fremovexattr(&self.fd, name))
    }
}

impl Drop for File {
    fn drop(&mut self) {
        self.meter.count(Op::Close);
    }
}

impl AsFd for File {
    fn as_fd(&self) -> std::os::fd::BorrowedFd<'_> {
        self.fd.as_fd()
    }
}
