//! The storage without any fault: each request is done in the backing folder.

use std::collections::HashMap;
use std::ffi::{CString, OsStr};
use std::fs::File;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::Mutex;
use rustix::fs::{
    self, AtFlags, CWD, FallocateFlags, FileType, Gid, Mode, OFlags, Stat, StatVfs, Timestamps,
    Uid, XattrFlags,
};
use rustix::io::Errno;

use super::nodes::{Node, Nodes, Numbers, fd_path, id_of};
use super::order::Written;
use super::uploads::Staged;

/// Flags of an open request that reach the backing file.
const OPEN_FLAGS: OFlags = OFlags::ACCMODE;

/// The backing folder and what is open in it.
#[derive(Debug)]
pub(super) struct Backing {
    nodes: Mutex<Nodes>,
    files: Mutex<HashMap<u64, Arc<OpenFile>>>,
    listings: Mutex<HashMap<u64, Arc<Vec<Listed>>>>,
    next: AtomicU64,
    /// New files belong to the caller; otherwise to the one who runs this.
    gives_away: bool,
}

/// An open file.
#[derive(Debug)]
pub(super) struct OpenFile {
    pub(super) number: u64,
    pub(super) file: File,
    pub(super) writes: bool,
    /// The copy that it works on, if the storage shows contents only later.
    pub(super) staged: Option<Arc<Staged>>,
    pub(super) written: Mutex<Written>,
}

/// Makes the copy for a writer of a file, where there is one.
type Stage = Result<Option<Arc<Staged>>, Errno>;

/// One entry of a listing.
#[derive(Debug)]
pub(super) struct Listed {
    pub(super) name: CString,
    pub(super) kind: FileType,
    pub(super) ino: u64,
}

/// Number and attributes of an entry.
pub(super) type Entry = (u64, Stat);

/// Who asks.
#[derive(Clone, Copy, Debug)]
pub(super) struct Caller {
    pub(super) uid: u32,
    pub(super) gid: u32,
}

impl Backing {
    pub(super) fn new(root: &Path, numbers: Numbers) -> Result<Self, Errno> {
        Ok(Self {
            nodes: Mutex::new(Nodes::new(root, numbers)?),
            files: Mutex::default(),
            listings: Mutex::default(),
            next: AtomicU64::new(1),
            gives_away: rustix::process::geteuid().is_root(),
        })
    }

    pub(super) fn node(&self, number: u64) -> Result<Arc<Node>, Errno> {
        self.nodes.lock().get(number)
    }

    pub(super) fn forget(&self, number: u64, count: u64) {
        self.nodes.lock().forget(number, count);
    }

    pub(super) fn lookup(&self, parent: u64, name: &OsStr) -> Result<Entry, Errno> {
        let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let parent = self.node(parent)?;
        let fd = fs::openat(&parent.fd, name, flags, Mode::empty())?;
        let stat = fs::fstat(&fd)?;
        let number = self.nodes.lock().tell(fd, id_of(&stat));
        Ok((number, stat))
    }

    pub(super) fn getattr(&self, number: u64) -> Result<Stat, Errno> {
        fs::fstat(&self.node(number)?.fd)
    }

    pub(super) fn chmod(&self, number: u64, mode: u32) -> Result<(), Errno> {
        let mode = Mode::from_raw_mode(mode & 0o7777);
        fs::chmodat(CWD, self.node(number)?.path(), mode, AtFlags::empty())
    }

    pub(super) fn chown(
        &self,
        number: u64,
        uid: Option<u32>,
        gid: Option<u32>,
    ) -> Result<(), Errno> {
        let (uid, gid) = (uid.map(Uid::from_raw), gid.map(Gid::from_raw));
        fs::chownat(&self.node(number)?.fd, "", uid, gid, AtFlags::EMPTY_PATH)
    }

    pub(super) fn utimens(&self, number: u64, times: &Timestamps) -> Result<(), Errno> {
        fs::utimensat(CWD, self.node(number)?.path(), times, AtFlags::empty())
    }

    /// Another descriptor of a file that the kernel knows.
    pub(super) fn reopen(&self, number: u64, flags: OFlags) -> Result<OwnedFd, Errno> {
        let node = self.node(number)?;
        fs::openat(CWD, node.path(), flags | OFlags::CLOEXEC, Mode::empty())
    }

    pub(super) fn readlink(&self, number: u64) -> Result<Vec<u8>, Errno> {
        let node = self.node(number)?;
        Ok(fs::readlinkat(&node.fd, "", Vec::new())?.into_bytes())
    }

    pub(super) fn mknod(
        &self,
        (parent, name): (u64, &OsStr),
        mode: u32,
        rdev: u64,
        caller: Caller,
    ) -> Result<Entry, Errno> {
        let kind = match FileType::from_raw_mode(mode) {
            FileType::Unknown => FileType::RegularFile,
            kind => kind,
        };
        let mode = Mode::from_raw_mode(mode & 0o7777);
        fs::mknodat(&self.node(parent)?.fd, name, kind, mode, rdev)?;
        self.made(parent, name, Some(mode), caller)
    }

    pub(super) fn mkdir(
        &self,
        (parent, name): (u64, &OsStr),
        mode: u32,
        caller: Caller,
    ) -> Result<Entry, Errno> {
        let mode = Mode::from_raw_mode(mode & 0o7777);
        fs::mkdirat(&self.node(parent)?.fd, name, mode)?;
        self.made(parent, name, Some(mode), caller)
    }

    pub(super) fn symlink(
        &self,
        (parent, name): (u64, &OsStr),
        target: &Path,
        caller: Caller,
    ) -> Result<Entry, Errno> {
        fs::symlinkat(target, &self.node(parent)?.fd, name)?;
        self.made(parent, name, None, caller)
    }

    /// A new entry gets its mode, which the umask of this process must not touch, and its owner.
    fn made(
        &self,
        parent: u64,
        name: &OsStr,
        mode: Option<Mode>,
        caller: Caller,
    ) -> Result<Entry, Errno> {
        let (number, _) = self.lookup(parent, name)?;
        let done = self.give(number, mode, caller);
        if let Err(errno) = done {
            self.forget(number, 1);
            return Err(errno);
        }
        Ok((number, self.getattr(number)?))
    }

    fn give(&self, number: u64, mode: Option<Mode>, caller: Caller) -> Result<(), Errno> {
        if self.gives_away {
            self.chown(number, Some(caller.uid), Some(caller.gid))?;
        }
        match mode {
            Some(mode) => self.chmod(number, mode.as_raw_mode()),
            None => Ok(()),
        }
    }

    pub(super) fn unlink(&self, parent: u64, name: &OsStr) -> Result<(), Errno> {
        fs::unlinkat(&self.node(parent)?.fd, name, AtFlags::empty())
    }

    pub(super) fn rmdir(&self, parent: u64, name: &OsStr) -> Result<(), Errno> {
        fs::unlinkat(&self.node(parent)?.fd, name, AtFlags::REMOVEDIR)
    }

    pub(super) fn rename(
        &self,
        (parent, name): (u64, &OsStr),
        (new_parent, new_name): (u64, &OsStr),
        flags: u32,
    ) -> Result<(), Errno> {
        let (from, to) = (self.node(parent)?, self.node(new_parent)?);
        let flags = fs::RenameFlags::from_bits_retain(flags);
        fs::renameat_with(&from.fd, name, &to.fd, new_name, flags)
    }

    pub(super) fn link(&self, number: u64, parent: u64, name: &OsStr) -> Result<Entry, Errno> {
        let (node, parent_node) = (self.node(number)?, self.node(parent)?);
        let follow = AtFlags::SYMLINK_FOLLOW;
        fs::linkat(CWD, node.path(), &parent_node.fd, name, follow)?;
        self.lookup(parent, name)
    }

    pub(super) fn open(
        &self,
        number: u64,
        flags: i32,
        stage: impl FnOnce(u64) -> Stage,
    ) -> Result<u64, Errno> {
        let flags = OFlags::from_bits_retain(flags.cast_unsigned()) & OPEN_FLAGS;
        let fd = self.reopen(number, flags)?;
        self.enter(number, fd, flags, stage)
    }

    pub(super) fn create(
        &self,
        (parent, name): (u64, &OsStr),
        mode: u32,
        flags: i32,
        caller: Caller,
        stage: impl FnOnce(u64) -> Stage,
    ) -> Result<(Entry, u64), Errno> {
        let wanted = OFlags::from_bits_retain(flags.cast_unsigned());
        let kept = OPEN_FLAGS | OFlags::EXCL | OFlags::TRUNC;
        let flags = (wanted & kept) | OFlags::CREATE | OFlags::CLOEXEC | OFlags::NOFOLLOW;
        let mode = Mode::from_raw_mode(mode & 0o7777);
        let fd = fs::openat(&self.node(parent)?.fd, name, flags, mode)?;
        let entry = self.made(parent, name, Some(mode), caller)?;
        Ok((entry, self.enter(entry.0, fd, flags, stage)?))
    }

    fn enter(
        &self,
        number: u64,
        fd: OwnedFd,
        flags: OFlags,
        stage: impl FnOnce(u64) -> Stage,
    ) -> Result<u64, Errno> {
        let writes = flags & OFlags::ACCMODE != OFlags::RDONLY;
        let staged = if writes { stage(number)? } else { None };
        let file = match &staged {
            Some(staged) => staged.copy()?,
            None => File::from(fd),
        };
        let size = u64::try_from(fs::fstat(&file)?.st_size).unwrap_or(0);
        let open = OpenFile {
            number,
            file,
            writes,
            staged,
            written: Mutex::new(Written::opened(size)),
        };
        let handle = self.next.fetch_add(1, Ordering::Relaxed);
        self.files.lock().insert(handle, Arc::new(open));
        Ok(handle)
    }

    pub(super) fn file(&self, handle: u64) -> Result<Arc<OpenFile>, Errno> {
        self.files.lock().get(&handle).cloned().ok_or(Errno::BADF)
    }

    pub(super) fn release(&self, handle: u64) -> Option<Arc<OpenFile>> {
        self.files.lock().remove(&handle)
    }

    /// Attributes of an entry of which the kernel is not told.
    pub(super) fn look(&self, parent: u64, name: &OsStr) -> Result<Stat, Errno> {
        fs::statat(&self.node(parent)?.fd, name, AtFlags::SYMLINK_NOFOLLOW)
    }

    /// Names in a directory.
    pub(super) fn names(&self, number: u64) -> Result<Vec<Vec<u8>>, Errno> {
        let fd = self.reopen(number, OFlags::RDONLY | OFlags::DIRECTORY)?;
        let names = fs::Dir::new(fd)?.map(|entry| Ok(entry?.file_name().to_bytes().to_vec()));
        names.collect()
    }

    /// A directory is listed once, when it is opened.
    pub(super) fn opendir(&self, number: u64) -> Result<u64, Errno> {
        let fd = self.reopen(number, OFlags::RDONLY | OFlags::DIRECTORY)?;
        let mut listing = Vec::new();
        for entry in fs::Dir::new(fd)? {
            let entry = entry?;
            listing.push(Listed {
                name: entry.file_name().to_owned(),
                kind: entry.file_type(),
                ino: entry.ino(),
            });
        }
        let handle = self.next.fetch_add(1, Ordering::Relaxed);
        self.listings.lock().insert(handle, Arc::new(listing));
        Ok(handle)
    }

    pub(super) fn listing(&self, handle: u64) -> Result<Arc<Vec<Listed>>, Errno> {
        let listings = self.listings.lock();
        listings.get(&handle).cloned().ok_or(Errno::BADF)
    }

    pub(super) fn releasedir(&self, handle: u64) {
        self.listings.lock().remove(&handle);
    }

    pub(super) fn fsyncdir(&self, number: u64) -> Result<(), Errno> {
        fs::fsync(self.reopen(number, OFlags::RDONLY | OFlags::DIRECTORY)?)
    }

    pub(super) fn statfs(&self, number: u64) -> Result<StatVfs, Errno> {
        fs::fstatvfs(&self.node(number)?.fd)
    }

    pub(super) fn setxattr(
        &self,
        number: u64,
        name: &OsStr,
        value: &[u8],
        flags: i32,
    ) -> Result<(), Errno> {
        let flags = XattrFlags::from_bits_retain(flags.cast_unsigned());
        fs::setxattr(self.node(number)?.path(), name, value, flags)
    }

    pub(super) fn getxattr(&self, number: u64, name: &OsStr) -> Result<Vec<u8>, Errno> {
        let path = self.node(number)?.path();
        let mut value = vec![0; fs::getxattr_query(&path, name)?];
        if !value.is_empty() {
            let len = fs::getxattr(&path, name, &mut value)?;
            value.truncate(len);
        }
        Ok(value)
    }

    pub(super) fn listxattr(&self, number: u64) -> Result<Vec<u8>, Errno> {
        let path = self.node(number)?.path();
        let mut names = vec![0; fs::listxattr_query(&path)?];
        if !names.is_empty() {
            let len = fs::listxattr(&path, &mut names)?;
            names.truncate(len);
        }
        Ok(names)
    }

    pub(super) fn removexattr(&self, number: u64, name: &OsStr) -> Result<(), Errno> {
        fs::removexattr(self.node(number)?.path(), name)
    }

    pub(super) fn copy_range(
        &self,
        from: (u64, u64),
        to: (u64, u64),
        len: usize,
    ) -> Result<usize, Errno> {
        let (source, target) = (self.file(from.0)?, self.file(to.0)?);
        let (mut at, mut into) = (from.1, to.1);
        let (source, target) = (&source.file, &target.file);
        fs::copy_file_range(source, Some(&mut at), target, Some(&mut into), len)
    }
}

impl OpenFile {
    /// Reads until `size` bytes are there or the file ends.
    pub(super) fn read(&self, offset: u64, size: usize) -> Result<Vec<u8>, Errno> {
        let mut bytes = vec![0; size];
        let mut filled = 0;
        while let Some(rest) = bytes.get_mut(filled..).filter(|rest| !rest.is_empty()) {
            let at = offset + u64::try_from(filled).map_err(|_| Errno::OVERFLOW)?;
            match self.file.read_at(rest, at).map_err(|e| errno_of(&e))? {
                0 => break,
                read => filled += read,
            }
        }
        bytes.truncate(filled);
        Ok(bytes)
    }

    pub(super) fn write(&self, offset: u64, bytes: &[u8]) -> Result<(), Errno> {
        let written = self.file.write_all_at(bytes, offset);
        written.map_err(|e| errno_of(&e))
    }

    pub(super) fn len(&self) -> Result<u64, Errno> {
        let stat = fs::fstat(&self.file)?;
        Ok(u64::try_from(stat.st_size).unwrap_or(0))
    }

    pub(super) fn sync(&self, data_only: bool) -> Result<(), Errno> {
        if data_only {
            fs::fdatasync(&self.file)
        } else {
            fs::fsync(&self.file)
        }
    }

    pub(super) fn fallocate(&self, mode: i32, offset: u64, len: u64) -> Result<(), Errno> {
        let mode = FallocateFlags::from_bits_retain(mode.cast_unsigned());
        fs::fallocate(&self.file, mode, offset, len)
    }

    pub(super) fn seek(&self, offset: u64, hole: bool) -> Result<u64, Errno> {
        // A description of its own: `lseek` moves the position, `pread` and `pwrite` do not mind.
        let from = if hole {
            fs::SeekFrom::Hole(offset)
        } else {
            fs::SeekFrom::Data(offset)
        };
        fs::seek(&self.file, from)
    }
}

/// The errno in an error of the standard library.
pub(super) fn errno_of(error: &std::io::Error) -> Errno {
    Errno::from_io_error(error).unwrap_or(Errno::IO)
}

/// Everything of a file, by whatever descriptor.
pub(super) fn contents(fd: impl AsFd) -> Result<Vec<u8>, Errno> {
    let path = fd_path(fd.as_fd());
    std::fs::read(OsStr::from_bytes(path.as_bytes())).map_err(|e| errno_of(&e))
}
