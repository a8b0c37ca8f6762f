//! Attributes of an entry of a raw directory: mode, owner, times, extended attributes.
//!
//! The kernel has no call that changes the mode, or reaches extended attributes, of a name
//! below a descriptor without following a link; `/proc/self/fd` stands in for it.

use std::ffi::{CStr, CString};
use std::os::fd::{AsRawFd, BorrowedFd};

use rustix::fs::{AtFlags, Gid, Mode, OFlags, Timespec, Timestamps, Uid, XattrFlags};
use rustix::io::Errno;

use super::{Dir, Error, Name, Op, SetTime};

/// Largest value of an extended attribute, and longest list of names, in bytes (Linux).
const XATTR_MAX: usize = 64 * 1024;

impl Dir {
    /// Changes the permission bits of `name`, which must not be a symbolic link.
    ///
    /// # Errors
    /// `EOPNOTSUPP` for a link; what the storage answered.
    pub fn set_mode(&self, name: &Name, mode: u32) -> Result<(), Error> {
        self.meter.count(Op::SetMode);
        let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        rustix::fs::openat(self, name.as_os_str(), flags, Mode::empty())
            .and_then(|fd| {
                let path = format!("/proc/self/fd/{}", fd.as_raw_fd());
                rustix::fs::chmod(path, Mode::from_raw_mode(mode))
            })
            .map_err(Self::fail(Op::SetMode, name))
    }

    /// Changes owner, group or both of `name`; of a symbolic link, its own.
    ///
    /// # Errors
    /// What the storage answered.
    pub fn set_owner(&self, name: &Name, uid: Option<u32>, gid: Option<u32>) -> Result<(), Error> {
        self.meter.count(Op::SetOwner);
        rustix::fs::chownat(
            self,
            name.as_os_str(),
            uid.map(Uid::from_raw),
            gid.map(Gid::from_raw),
            AtFlags::SYMLINK_NOFOLLOW,
        )
        .map_err(Self::fail(Op::SetOwner, name))
    }

    /// Sets one or both times of `name`; of a symbolic link, its own.
    ///
    /// # Errors
    /// What the storage answered.
    pub fn set_times(&self, name: &Name, atime: SetTime, mtime: SetTime) -> Result<(), Error> {
        self.meter.count(Op::SetTimes);
        rustix::fs::utimensat(
            self,
            name.as_os_str(),
            &timestamps(atime, mtime),
            AtFlags::SYMLINK_NOFOLLOW,
        )
        .map_err(Self::fail(Op::SetTimes, name))
    }

    /// Changes the permission bits of this directory itself.
    ///
    /// # Errors
    /// What the storage answered.
    pub fn set_own_mode(&self, mode: u32) -> Result<(), Error> {
        self.meter.count(Op::SetMode);
        rustix::fs::chmodat(self, c".", Mode::from_raw_mode(mode), AtFlags::empty())
            .map_err(|errno| entry_error(Op::SetMode, None, errno))
    }

    /// Changes owner, group or both of this directory itself.
    ///
    /// # Errors
    /// What the storage answered.
    pub fn set_own_owner(&self, uid: Option<u32>, gid: Option<u32>) -> Result<(), Error> {
        self.meter.count(Op::SetOwner);
        let (uid, gid) = (uid.map(Uid::from_raw), gid.map(Gid::from_raw));
        rustix::fs::chownat(self, c".", uid, gid, AtFlags::empty())
            .map_err(|errno| entry_error(Op::SetOwner, None, errno))
    }

    /// Sets one or both times of this directory itself.
    ///
    /// # Errors
    /// What the storage answered.
    pub fn set_own_times(&self, atime: SetTime, mtime: SetTime) -> Result<(), Error> {
        self.meter.count(Op::SetTimes);
        rustix::fs::utimensat(self, c".", &timestamps(atime, mtime), AtFlags::empty())
            .map_err(|errno| entry_error(Op::SetTimes, None, errno))
    }

    /// Value of the extended attribute `attr` of `name`; of this directory with no name.
    ///
    /// # Errors
    /// `ENODATA` if there is none; what the storage answered.
    pub fn xattr(&self, name: Option<&Name>, attr: &CStr) -> Result<Vec<u8>, Error> {
        self.meter.count(Op::GetXattr);
        let path = self.proc_path(name);
        let result = if name.is_some() {
            read_growing(|buf| rustix::fs::lgetxattr(&*path, attr, buf))
        } else {
            read_growing(|buf| rustix::fs::getxattr(&*path, attr, buf))
        };
        result.map_err(|errno| entry_error(Op::GetXattr, name, errno))
    }

    /// Sets the extended attribute `attr` of `name` (or of this directory) with the flags of
    /// `setxattr(2)`.
    ///
    /// # Errors
    /// What the storage answered.
    pub fn set_xattr(
        &self,
        name: Option<&Name>,
        attr: &CStr,
        value: &[u8],
        flags: u32,
    ) -> Result<(), Error> {
        self.meter.count(Op::SetXattr);
        let path = self.proc_path(name);
        let result = match XattrFlags::from_bits(flags) {
            None => Err(Errno::INVAL),
            Some(flags) if name.is_some() => rustix::fs::lsetxattr(&*path, attr, value, flags),
            Some(flags) => rustix::fs::setxattr(&*path, attr, value, flags),
        };
        result.map_err(|errno| entry_error(Op::SetXattr, name, errno))
    }

    /// Names of the extended attributes of `name` (or of this directory), each with a NUL.
    ///
    /// # Errors
    /// What the storage answered.
    pub fn list_xattrs(&self, name: Option<&Name>) -> Result<Vec<u8>, Error> {
        self.meter.count(Op::ListXattr);
        let path = self.proc_path(name);
        let result = if name.is_some() {
            read_growing(|buf| rustix::fs::llistxattr(&*path, buf))
        } else {
            read_growing(|buf| rustix::fs::listxattr(&*path, buf))
        };
        result.map_err(|errno| entry_error(Op::ListXattr, name, errno))
    }

    /// Removes the extended attribute `attr` of `name` (or of this directory).
    ///
    /// # Errors
    /// `ENODATA` if there is none; what the storage answered.
    pub fn remove_xattr(&self, name: Option<&Name>, attr: &CStr) -> Result<(), Error> {
        self.meter.count(Op::RemoveXattr);
        let path = self.proc_path(name);
        let result = if name.is_some() {
            rustix::fs::lremovexattr(&*path, attr)
        } else {
            rustix::fs::removexattr(&*path, attr)
        };
        result.map_err(|errno| entry_error(Op::RemoveXattr, name, errno))
    }

    fn proc_path(&self, name: Option<&Name>) -> CString {
        let fd: BorrowedFd<'_> = std::os::fd::AsFd::as_fd(self);
        let mut path = format!("/proc/self/fd/{}", fd.as_raw_fd()).into_bytes();
        if let Some(name) = name {
            path.push(b'/');
            path.extend_from_slice(name.as_bytes());
        }
        // A name holds no NUL, so nothing is cut here.
        CString::new(path).unwrap_or_default()
    }
}

fn entry_error(op: Op, name: Option<&Name>, errno: Errno) -> Error {
    Error {
        op,
        name: name.cloned(),
        errno,
    }
}

/// Reads into a small buffer first, and into the largest that the kernel allows if that was too
/// small. A query by an empty buffer is no help: rustix answers it with 0.
pub(super) fn read_growing(
    mut read: impl FnMut(&mut [u8]) -> Result<usize, Errno>,
) -> Result<Vec<u8>, Errno> {
    let mut buf = vec![0; 1024];
    let len = match read(&mut buf) {
        Err(Errno::RANGE) => {
            buf.resize(XATTR_MAX, 0);
            read(&mut buf)?
        }
        other => other?,
    };
    buf.truncate(len);
    Ok(buf)
}

pub(super) fn timestamps(atime: SetTime, mtime: SetTime) -> Timestamps {
    let spec = |time| match time {
        SetTime::Keep => Timespec {
            tv_sec: 0,
            tv_nsec: rustix::fs::UTIME_OMIT,
        },
        SetTime::Now => Timespec {
            tv_sec: 0,
            tv_nsec: rustix::fs::UTIME_NOW,
        },
        SetTime::To(time) => Timespec {
            tv_sec: time.secs,
            tv_nsec: time.nanos.into(),
        },
    };
    Timestamps {
        last_access: spec(atime),
        last_modification: spec(mtime),
    }
}
