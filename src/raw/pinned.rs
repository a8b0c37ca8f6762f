//! A raw file held by descriptor without being open: it can be opened and asked for attributes
//! after it has lost its name.

use std::os::fd::{AsRawFd, OwnedFd};
use std::sync::Arc;

use rustix::fs::{Mode, OFlags};

use super::{Access, Dir, Errno, Error, File, Meter, Name, Op, Stat};

/// A raw file by an `O_PATH` descriptor. To storage it is not open: holding it costs a lookup.
#[derive(Debug)]
pub struct Pinned {
    fd: OwnedFd,
    meter: Arc<Meter>,
}

impl Dir {
    /// Holds the entry `name`; of a symbolic link, the link.
    ///
    /// # Errors
    /// What the storage answered.
    pub fn pin(&self, name: &Name) -> Result<Pinned, Error> {
        self.meter.count(Op::Pin);
        let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let fd = rustix::fs::openat(self, name.as_os_str(), flags, Mode::empty())
            .map_err(Self::fail(Op::Pin, name))?;
        Ok(Pinned {
            fd,
            meter: Arc::clone(&self.meter),
        })
    }
}

impl Pinned {
    /// Attributes.
    ///
    /// # Errors
    /// What the storage answered.
    pub fn stat(&self) -> Result<Stat, Error> {
        self.meter.count(Op::FileStat);
        let fail = |errno| Error::on_file(Op::FileStat, errno);
        let stat = rustix::fs::fstat(&self.fd).map_err(fail)?;
        Stat::from_sys(&stat).ok_or_else(|| fail(Errno::IO))
    }

    /// Opens the file, which the caller knows to be a regular one.
    ///
    /// # Errors
    /// What the storage answered.
    pub fn open(&self, access: Access) -> Result<File, Error> {
        self.meter.count(Op::OpenFile);
        let path = format!("/proc/self/fd/{}", self.fd.as_raw_fd());
        let flags = access.flags() | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
        let fd = rustix::io::retry_on_intr(|| rustix::fs::open(&*path, flags, Mode::empty()))
            .map_err(|errno| Error::on_file(Op::OpenFile, errno))?;
        Ok(File::new(fd, Arc::clone(&self.meter)))
    }
}
