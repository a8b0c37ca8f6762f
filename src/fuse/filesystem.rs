//! The kernel's requests: each is one call into the filesystem and a reply.

use std::ffi::OsStr;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use fuser::{
    AccessFlags, BsdFileFlags, CopyFileRangeFlags, Errno, FileAttr, FileHandle, Filesystem,
    FopenFlags, Generation, INodeNo, KernelConfig, LockOwner, OpenFlags, RenameFlags, ReplyAttr,
    ReplyCreate, ReplyData, ReplyDirectory, ReplyDirectoryPlus, ReplyEmpty, ReplyEntry, ReplyLseek,
    ReplyOpen, ReplyStatfs, ReplyWrite, ReplyXattr, Request, TimeOrNow, WriteFlags,
};

use super::convert::{caller, file_attr, kind_of_mode, new_time, node, open_flags};
use super::errno::errno;
use super::served::Served;
use super::shown::Shown;
use crate::fs::{
    Attr, AttrChange, EncFs, Entry, FsError, HandleId, NewNode, ROOT, RenameMode, Reserve,
};

/// Serves one mount.
pub(super) struct Adapter {
    pub(super) served: Arc<Served>,
    pub(super) attr_ttl: Duration,
    pub(super) entry_ttl: Duration,
    pub(super) shown: Shown,
    pub(super) kernel_permissions: bool,
}

impl Adapter {
    /// Runs one request: logs what fails by the storage's or the data's fault, and answers EIO
    /// for a panic, which must not take the mount down.
    pub(super) fn run<T>(
        &self,
        op: &str,
        act: impl FnOnce(&EncFs) -> Result<T, FsError>,
    ) -> Result<T, Errno> {
        self.served.used();
        self.run_unused(op, act)
    }

    /// The same for a request that is no sign of use.
    fn run_unused<T>(
        &self,
        op: &str,
        act: impl FnOnce(&EncFs) -> Result<T, FsError>,
    ) -> Result<T, Errno> {
        let result = catch_unwind(AssertUnwindSafe(|| act(&*self.served.get()?)));
        let error = match result {
            Ok(Ok(value)) => return Ok(value),
            Ok(Err(error)) => error,
            Err(_) => FsError::Internal,
        };
        let errno = errno(&error);
        if matches!(
            errno.code(),
            code if code == Errno::EIO.code() || code == Errno::EBADMSG.code()
        ) {
            tracing::warn!("{op}: {error}");
        } else {
            tracing::debug!("{op}: {error}");
        }
        Err(errno)
    }

    /// Attributes as the kernel gets them.
    pub(super) fn file_attr(&self, attr: &Attr) -> FileAttr {
        file_attr(&self.shown.of(attr))
    }

    fn reply_entry(&self, entry: Result<Entry, Errno>, reply: ReplyEntry) {
        match entry {
            Ok(entry) => reply.entry_with_ttls(
                &self.attr_ttl,
                &self.entry_ttl,
                &self.file_attr(&entry.attr),
                Generation(0),
            ),
            Err(errno) => reply.error(errno),
        }
    }
}

fn reply_empty(result: Result<(), Errno>, reply: ReplyEmpty) {
    match result {
        Ok(()) => reply.ok(),
        Err(errno) => reply.error(errno),
    }
}

fn reply_xattr(result: Result<Vec<u8>, Errno>, size: u32, reply: ReplyXattr) {
    match result {
        Ok(value) if size == 0 => reply.size(u32::try_from(value.len()).unwrap_or(u32::MAX)),
        Ok(value) if value.len() > size as usize => reply.error(Errno::ERANGE),
        Ok(value) => reply.data(&value),
        Err(errno) => reply.error(errno),
    }
}

fn handle(fh: FileHandle) -> HandleId {
    HandleId(fh.0)
}

impl Filesystem for Adapter {
    fn init(&mut self, _: &Request, config: &mut KernelConfig) -> io::Result<()> {
        // Owners that only we show are not those that ACLs were written for.
        let acls = self.kernel_permissions && self.shown.is_nothing();
        super::session::ask_kernel(config, acls);
        Ok(())
    }

    fn destroy(&mut self) {
        if let Some(fs) = self.served.there() {
            fs.close();
        }
    }

    fn lookup(&self, _: &Request, parent: INodeNo, name: &OsStr, reply: ReplyEntry) {
        let entry = self.run("lookup", |fs| fs.lookup(node(parent), name.as_bytes()));
        self.reply_entry(entry, reply);
    }

    fn forget(&self, _: &Request, ino: INodeNo, nlookup: u64) {
        self.served.forget(node(ino), nlookup);
    }

    fn getattr(&self, _: &Request, ino: INodeNo, _: Option<FileHandle>, reply: ReplyAttr) {
        // The shell and the desktop look at mount points all the time.
        let result = if node(ino) == ROOT {
            self.run_unused("getattr", |fs| fs.getattr(ROOT))
        } else {
            self.run("getattr", |fs| fs.getattr(node(ino)))
        };
        match result {
            Ok(attr) => reply.attr(&self.attr_ttl, &self.file_attr(&attr)),
            Err(errno) => reply.error(errno),
        }
    }

    fn setattr(
        &self,
        request: &Request,
        ino: INodeNo,
        mode: Option<u32>,
        uid: Option<u32>,
        gid: Option<u32>,
        size: Option<u64>,
        atime: Option<TimeOrNow>,
        mtime: Option<TimeOrNow>,
        _ctime: Option<SystemTime>,
        fh: Option<FileHandle>,
        _crtime: Option<SystemTime>,
        _chgtime: Option<SystemTime>,
        _bkuptime: Option<SystemTime>,
        _flags: Option<BsdFileFlags>,
        reply: ReplyAttr,
    ) {
        let change = AttrChange {
            size,
            mode: mode.map(|mode| mode & 0o7777),
            uid,
            gid,
            atime: atime.map(new_time),
            mtime: mtime.map(new_time),
        };
        let changed = self.run("setattr", |fs| {
            fs.setattr(caller(request), node(ino), fh.map(handle), &change)
        });
        match changed {
            Ok(attr) => reply.attr(&self.attr_ttl, &self.file_attr(&attr)),
            Err(errno) => reply.error(errno),
        }
    }

    fn readlink(&self, _: &Request, ino: INodeNo, reply: ReplyData) {
        match self.run("readlink", |fs| fs.readlink(node(ino))) {
            Ok(target) => reply.data(&target),
            Err(errno) => reply.error(errno),
        }
    }

    fn mknod(
        &self,
        request: &Request,
        parent: INodeNo,
        name: &OsStr,
        mode: u32,
        umask: u32,
        rdev: u32,
        reply: ReplyEntry,
    ) {
        let entry = self.run("mknod", |fs| {
            let new = NewNode {
                kind: kind_of_mode(mode).ok_or(FsError::Invalid)?,
                mode: mode & 0o7777,
                umask,
                rdev: rdev.into(),
            };
            fs.mknod(caller(request), node(parent), name.as_bytes(), new)
        });
        self.reply_entry(entry, reply);
    }

    fn mkdir(
        &self,
        request: &Request,
        parent: INodeNo,
        name: &OsStr,
        mode: u32,
        umask: u32,
        reply: ReplyEntry,
    ) {
        let entry = self.run("mkdir", |fs| {
            let (parent, mode) = (node(parent), mode & 0o7777);
            fs.mkdir(caller(request), parent, name.as_bytes(), mode, umask)
        });
        self.reply_entry(entry, reply);
    }

    fn unlink(&self, _: &Request, parent: INodeNo, name: &OsStr, reply: ReplyEmpty) {
        let result = self.run("unlink", |fs| fs.unlink(node(parent), name.as_bytes()));
        reply_empty(result, reply);
    }

    fn rmdir(&self, _: &Request, parent: INodeNo, name: &OsStr, reply: ReplyEmpty) {
        let result = self.run("rmdir", |fs| fs.rmdir(node(parent), name.as_bytes()));
        reply_empty(result, reply);
    }

    fn symlink(
        &self,
        request: &Request,
        parent: INodeNo,
        link_name: &OsStr,
        target: &Path,
        reply: ReplyEntry,
    ) {
        let entry = self.run("symlink", |fs| {
            let target = target.as_os_str().as_bytes();
            fs.symlink(caller(request), node(parent), link_name.as_bytes(), target)
        });
        self.reply_entry(entry, reply);
    }

    fn rename(
        &self,
        _: &Request,
        parent: INodeNo,
        name: &OsStr,
        newparent: INodeNo,
        newname: &OsStr,
        flags: RenameFlags,
        reply: ReplyEmpty,
    ) {
        let result = self.run("rename", |fs| {
            let mode = match flags {
                flags if flags.is_empty() => RenameMode::Replace,
                RenameFlags::RENAME_NOREPLACE => RenameMode::NoReplace,
                RenameFlags::RENAME_EXCHANGE => RenameMode::Exchange,
                _ => return Err(FsError::Invalid),
            };
            let (from, to) = (node(parent), node(newparent));
            fs.rename(from, name.as_bytes(), to, newname.as_bytes(), mode)
        });
        reply_empty(result, reply);
    }

    fn link(
        &self,
        _: &Request,
        ino: INodeNo,
        newparent: INodeNo,
        newname: &OsStr,
        reply: ReplyEntry,
    ) {
        let entry = self.run("link", |fs| {
            fs.link(node(ino), node(newparent), newname.as_bytes())
        });
        self.reply_entry(entry, reply);
    }

    fn open(&self, _: &Request, ino: INodeNo, flags: OpenFlags, reply: ReplyOpen) {
        match self.run("open", |fs| fs.open(node(ino), open_flags(flags.0))) {
            Ok(id) => reply.opened(FileHandle(id.0), FopenFlags::empty()),
            Err(errno) => reply.error(errno),
        }
    }

    fn create(
        &self,
        request: &Request,
        parent: INodeNo,
        name: &OsStr,
        mode: u32,
        umask: u32,
        flags: i32,
        reply: ReplyCreate,
    ) {
        let created = self.run("create", |fs| {
            let new = NewNode {
                kind: crate::raw::Kind::File,
                mode: mode & 0o7777,
                umask,
                rdev: 0,
            };
            let name = name.as_bytes();
            fs.create(caller(request), node(parent), name, new, open_flags(flags))
        });
        match created {
            Ok((entry, id)) => reply.created(
                &self.attr_ttl.min(self.entry_ttl),
                &self.file_attr(&entry.attr),
                Generation(0),
                FileHandle(id.0),
                FopenFlags::empty(),
            ),
            Err(errno) => reply.error(errno),
        }
    }

    fn read(
        &self,
        _: &Request,
        _: INodeNo,
        fh: FileHandle,
        offset: u64,
        size: u32,
        _: OpenFlags,
        _: Option<LockOwner>,
        reply: ReplyData,
    ) {
        match self.run("read", |fs| fs.read(handle(fh), offset, size as usize)) {
            Ok(data) => reply.data(&data),
            Err(errno) => reply.error(errno),
        }
    }

    fn write(
        &self,
        _: &Request,
        _: INodeNo,
        fh: FileHandle,
        offset: u64,
        data: &[u8],
        write_flags: WriteFlags,
        _: OpenFlags,
        _: Option<LockOwner>,
        reply: ReplyWrite,
    ) {
        let kill = write_flags.contains(WriteFlags::FUSE_WRITE_KILL_SUIDGID);
        match self.run("write", |fs| fs.write(handle(fh), offset, data, kill)) {
            Ok(()) => reply.written(u32::try_from(data.len()).unwrap_or(u32::MAX)),
            Err(errno) => reply.error(errno),
        }
    }

    fn flush(&self, _: &Request, _: INodeNo, fh: FileHandle, _: LockOwner, reply: ReplyEmpty) {
        // The end of a use is no use: what was open counts until now.
        reply_empty(self.run_unused("flush", |fs| fs.flush(handle(fh))), reply);
    }

    fn release(
        &self,
        _: &Request,
        _: INodeNo,
        fh: FileHandle,
        _: OpenFlags,
        _: Option<LockOwner>,
        _flush: bool,
        reply: ReplyEmpty,
    ) {
        if let Some(fs) = self.served.there() {
            fs.release(handle(fh));
        }
        reply.ok();
    }

    fn fsync(&self, _: &Request, _: INodeNo, fh: FileHandle, datasync: bool, reply: ReplyEmpty) {
        reply_empty(
            self.run("fsync", |fs| fs.fsync(handle(fh), datasync)),
            reply,
        );
    }

    fn opendir(&self, _: &Request, ino: INodeNo, _: OpenFlags, reply: ReplyOpen) {
        match self.run("opendir", |fs| fs.opendir(node(ino))) {
            Ok(id) => reply.opened(FileHandle(id.0), FopenFlags::empty()),
            Err(errno) => reply.error(errno),
        }
    }

    fn readdir(&self, _: &Request, _: INodeNo, fh: FileHandle, offset: u64, reply: ReplyDirectory) {
        self.reply_names(handle(fh), offset, reply);
    }

    fn readdirplus(
        &self,
        _: &Request,
        _: INodeNo,
        fh: FileHandle,
        offset: u64,
        reply: ReplyDirectoryPlus,
    ) {
        self.reply_entries(handle(fh), offset, reply);
    }

    fn releasedir(&self, _: &Request, _: INodeNo, fh: FileHandle, _: OpenFlags, reply: ReplyEmpty) {
        if let Some(fs) = self.served.there() {
            fs.releasedir(handle(fh));
        }
        reply.ok();
    }

    fn fsyncdir(&self, _: &Request, _: INodeNo, fh: FileHandle, _: bool, reply: ReplyEmpty) {
        reply_empty(self.run("fsyncdir", |fs| fs.fsyncdir(handle(fh))), reply);
    }

    fn statfs(&self, _: &Request, _: INodeNo, reply: ReplyStatfs) {
        match self.run("statfs", EncFs::statfs) {
            Ok(space) => {
                let small = |bytes: u64| u32::try_from(bytes).unwrap_or(u32::MAX);
                reply.statfs(
                    space.raw.blocks,
                    space.raw.blocks_free,
                    space.raw.blocks_available,
                    space.raw.files,
                    space.raw.files_free,
                    small(space.raw.block_size),
                    small(space.name_max),
                    small(space.raw.fragment_size),
                );
            }
            Err(errno) => reply.error(errno),
        }
    }

    fn setxattr(
        &self,
        _: &Request,
        ino: INodeNo,
        name: &OsStr,
        value: &[u8],
        flags: i32,
        _position: u32,
        reply: ReplyEmpty,
    ) {
        let result = self.run("setxattr", |fs| {
            let flags = u32::try_from(flags).map_err(|_| FsError::Invalid)?;
            fs.setxattr(node(ino), name.as_bytes(), value, flags)
        });
        reply_empty(result, reply);
    }

    fn getxattr(&self, _: &Request, ino: INodeNo, name: &OsStr, size: u32, reply: ReplyXattr) {
        let value = self.run("getxattr", |fs| fs.getxattr(node(ino), name.as_bytes()));
        reply_xattr(value, size, reply);
    }

    fn listxattr(&self, _: &Request, ino: INodeNo, size: u32, reply: ReplyXattr) {
        let names = self.run("listxattr", |fs| fs.listxattr(node(ino)));
        reply_xattr(names, size, reply);
    }

    fn removexattr(&self, _: &Request, ino: INodeNo, name: &OsStr, reply: ReplyEmpty) {
        let result = self.run("removexattr", |fs| {
            fs.removexattr(node(ino), name.as_bytes())
        });
        reply_empty(result, reply);
    }

    fn access(&self, request: &Request, ino: INodeNo, mask: AccessFlags, reply: ReplyEmpty) {
        let result = self.run("access", |fs| {
            let wanted = u32::try_from(mask.bits()).map_err(|_| FsError::Invalid)?;
            let attr = self.shown.of(&fs.getattr(node(ino))?);
            attr.check_access(caller(request), wanted)
        });
        reply_empty(result, reply);
    }

    fn fallocate(
        &self,
        request: &Request,
        _: INodeNo,
        fh: FileHandle,
        offset: u64,
        length: u64,
        mode: i32,
        reply: ReplyEmpty,
    ) {
        let result = self.run("fallocate", |fs| {
            let what = match mode {
                0 => Reserve::Grow,
                0x01 => Reserve::KeepSize,
                0x03 => Reserve::PunchHole,
                0x10 => Reserve::Zero,
                0x11 => Reserve::ZeroKeepSize,
                _ => return Err(FsError::NotSupported),
            };
            fs.fallocate(handle(fh), what, offset, length, request.uid() != 0)
        });
        reply_empty(result, reply);
    }

    fn lseek(
        &self,
        _: &Request,
        _: INodeNo,
        fh: FileHandle,
        offset: i64,
        whence: i32,
        reply: ReplyLseek,
    ) {
        const SEEK_DATA: i32 = 3;
        const SEEK_HOLE: i32 = 4;
        let found = self.run("lseek", |fs| {
            let at = u64::try_from(offset).map_err(|_| FsError::Invalid)?;
            let hole = match whence {
                SEEK_DATA => false,
                SEEK_HOLE => true,
                _ => return Err(FsError::Invalid),
            };
            fs.lseek(handle(fh), at, hole)
        });
        match found {
            Ok(at) => reply.offset(i64::try_from(at).unwrap_or(i64::MAX)),
            Err(errno) => reply.error(errno),
        }
    }

    fn copy_file_range(
        &self,
        request: &Request,
        _: INodeNo,
        fh_in: FileHandle,
        offset_in: u64,
        _: INodeNo,
        fh_out: FileHandle,
        offset_out: u64,
        len: u64,
        _flags: CopyFileRangeFlags,
        reply: ReplyWrite,
    ) {
        let copied = self.run("copy_file_range", |fs| {
            let (from, to) = ((handle(fh_in), offset_in), (handle(fh_out), offset_out));
            // Unlike a write, this comes without the kernel's word on set-ID bits.
            fs.copy_range(from, to, len, request.uid() != 0)
        });
        match copied {
            Ok(copied) => reply.written(u32::try_from(copied).unwrap_or(u32::MAX)),
            Err(errno) => reply.error(errno),
        }
    }
}
