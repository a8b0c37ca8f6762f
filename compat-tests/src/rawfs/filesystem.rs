//! The kernel's requests: each is counted, delayed, perhaps made to fail, done, and answered.

use std::ffi::OsStr;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::time::SystemTime;

use fuser::{
    BsdFileFlags, CopyFileRangeFlags, FileHandle, Filesystem, FopenFlags, Generation, INodeNo,
    InitFlags, KernelConfig, LockOwner, OpenFlags, RenameFlags, ReplyAttr, ReplyCreate, ReplyData,
    ReplyDirectory, ReplyDirectoryPlus, ReplyEmpty, ReplyEntry, ReplyLseek, ReplyOpen, ReplyStatfs,
    ReplyWrite, ReplyXattr, Request, TimeOrNow, WriteFlags,
};
use rustix::io::Errno;

use super::convert::{file_attr, kind};
use super::odd::NewAttrs;
use super::op::Op;
use super::simulator::{Simulator, caller, fuse_errno, reply_empty, reply_xattr, text};

impl Filesystem for Simulator {
    fn init(&mut self, _: &Request, config: &mut KernelConfig) -> io::Result<()> {
        for flag in [
            InitFlags::FUSE_DO_READDIRPLUS,
            InitFlags::FUSE_READDIRPLUS_AUTO,
            InitFlags::FUSE_PARALLEL_DIROPS,
            InitFlags::FUSE_ASYNC_DIO,
        ] {
            // What a kernel lacks is left out.
            let _ = config.add_capabilities(flag);
        }
        let size = self.options.max_request;
        if let Err(nearest) = config.set_max_write(size) {
            let _ = config.set_max_write(nearest);
        }
        if let Err(nearest) = config.set_max_readahead(size) {
            let _ = config.set_max_readahead(nearest);
        }
        Ok(())
    }

    fn lookup(&self, _: &Request, parent: INodeNo, name: &OsStr, reply: ReplyEntry) {
        let detail = || format!("{}/{}", parent.0, text(name));
        let entry = self.run(Op::Lookup, detail, |backing| {
            self.named(parent.0, name, |name| backing.lookup(parent.0, name))
        });
        self.reply_entry(entry, reply);
    }

    fn forget(&self, _: &Request, ino: INodeNo, nlookup: u64) {
        self.backing.forget(ino.0, nlookup);
    }

    fn getattr(&self, _: &Request, ino: INodeNo, _: Option<FileHandle>, reply: ReplyAttr) {
        let detail = || ino.0.to_string();
        let stat = self.run(Op::Getattr, detail, |_| self.attributes(ino.0));
        self.reply_attr(ino.0, stat, reply);
    }

    fn setattr(
        &self,
        _: &Request,
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
        let new = NewAttrs {
            mode,
            uid,
            gid,
            size,
            atime,
            mtime,
        };
        let detail = || match (size, mode) {
            (Some(size), _) => format!("{} to {size}", ino.0),
            (_, Some(mode)) => format!("{} {:04o}", ino.0, mode & 0o7777),
            _ => ino.0.to_string(),
        };
        let stat = self.run(new.op(), detail, |_| {
            self.set_attributes(ino.0, fh.map(|fh| fh.0), &new)
        });
        self.reply_attr(ino.0, stat, reply);
    }

    fn readlink(&self, _: &Request, ino: INodeNo, reply: ReplyData) {
        let detail = || ino.0.to_string();
        match self.run(Op::Readlink, detail, |backing| backing.readlink(ino.0)) {
            Ok(target) => reply.data(&target),
            Err(errno) => reply.error(fuse_errno(errno)),
        }
    }

    fn mknod(
        &self,
        request: &Request,
        parent: INodeNo,
        name: &OsStr,
        mode: u32,
        _umask: u32,
        rdev: u32,
        reply: ReplyEntry,
    ) {
        let detail = || format!("{}/{}", parent.0, text(name));
        let entry = self.run(Op::Mknod, detail, |backing| {
            self.making(parent.0, name, |name| {
                backing.mknod((parent.0, name), mode, rdev.into(), caller(request))
            })
        });
        self.reply_entry(entry, reply);
    }

    fn mkdir(
        &self,
        request: &Request,
        parent: INodeNo,
        name: &OsStr,
        mode: u32,
        _umask: u32,
        reply: ReplyEntry,
    ) {
        let detail = || format!("{}/{}", parent.0, text(name));
        let entry = self.run(Op::Mkdir, detail, |backing| {
            self.making(parent.0, name, |name| {
                backing.mkdir((parent.0, name), mode, caller(request))
            })
        });
        self.reply_entry(entry, reply);
    }

    fn unlink(&self, _: &Request, parent: INodeNo, name: &OsStr, reply: ReplyEmpty) {
        let detail = || format!("{}/{}", parent.0, text(name));
        let done = self.run(Op::Unlink, detail, |backing| {
            self.named(parent.0, name, |name| backing.unlink(parent.0, name))
        });
        reply_empty(done, reply);
    }

    fn rmdir(&self, _: &Request, parent: INodeNo, name: &OsStr, reply: ReplyEmpty) {
        let detail = || format!("{}/{}", parent.0, text(name));
        let done = self.run(Op::Rmdir, detail, |backing| {
            self.named(parent.0, name, |name| backing.rmdir(parent.0, name))
        });
        reply_empty(done, reply);
    }

    fn symlink(
        &self,
        request: &Request,
        parent: INodeNo,
        link_name: &OsStr,
        target: &Path,
        reply: ReplyEntry,
    ) {
        let detail = || format!("{}/{}", parent.0, text(link_name));
        let entry = self.run(Op::Symlink, detail, |backing| {
            self.making(parent.0, link_name, |name| {
                backing.symlink((parent.0, name), target, caller(request))
            })
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
        let detail = || {
            let (from, to) = (text(name), text(newname));
            format!("{}/{from} to {}/{to} {flags:?}", parent.0, newparent.0)
        };
        let done = self.run(Op::Rename, detail, |_| {
            self.rename_entry((parent.0, name), (newparent.0, newname), flags.bits())
        });
        reply_empty(done, reply);
    }

    fn link(
        &self,
        _: &Request,
        ino: INodeNo,
        newparent: INodeNo,
        newname: &OsStr,
        reply: ReplyEntry,
    ) {
        let detail = || format!("{} to {}/{}", ino.0, newparent.0, text(newname));
        let entry = self.run(Op::Link, detail, |backing| {
            self.making(newparent.0, newname, |name| {
                backing.link(ino.0, newparent.0, name)
            })
        });
        self.reply_entry(entry, reply);
    }

    fn open(&self, _: &Request, ino: INodeNo, flags: OpenFlags, reply: ReplyOpen) {
        let detail = || format!("{} {:#o}", ino.0, flags.0);
        match self.run(Op::Open, detail, |_| self.open_file(ino.0, flags.0)) {
            Ok(handle) => reply.opened(FileHandle(handle), self.open_flags()),
            Err(errno) => reply.error(fuse_errno(errno)),
        }
    }

    fn create(
        &self,
        request: &Request,
        parent: INodeNo,
        name: &OsStr,
        mode: u32,
        _umask: u32,
        flags: i32,
        reply: ReplyCreate,
    ) {
        let detail = || format!("{}/{} {flags:#o}", parent.0, text(name));
        let created = self.run(Op::Create, detail, |_| {
            self.making(parent.0, name, |name| {
                self.create_file((parent.0, name), mode, flags, caller(request))
            })
        });
        match created {
            Ok(((number, stat), handle)) => reply.created(
                &self.options.entry_timeout.min(self.options.attr_timeout),
                &file_attr(number, &stat),
                Generation(0),
                FileHandle(handle),
                self.open_flags(),
            ),
            Err(errno) => reply.error(fuse_errno(errno)),
        }
    }

    fn read(
        &self,
        _: &Request,
        ino: INodeNo,
        fh: FileHandle,
        offset: u64,
        size: u32,
        _: OpenFlags,
        _: Option<LockOwner>,
        reply: ReplyData,
    ) {
        let size = size as usize;
        let detail = || format!("{} {offset}+{size}", ino.0);
        let bytes = self.shared.serve(Op::Read, size, detail, |limit| {
            self.read_some(fh.0, offset, size, limit)
        });
        match bytes {
            Ok(bytes) => reply.data(&bytes),
            Err(errno) => reply.error(fuse_errno(errno)),
        }
    }

    fn write(
        &self,
        _: &Request,
        ino: INodeNo,
        fh: FileHandle,
        offset: u64,
        data: &[u8],
        _: WriteFlags,
        _: OpenFlags,
        _: Option<LockOwner>,
        reply: ReplyWrite,
    ) {
        let detail = || format!("{} {offset}+{}", ino.0, data.len());
        let written = self.shared.serve(Op::Write, data.len(), detail, |limit| {
            self.write_some(fh.0, offset, data, limit)
        });
        match written {
            Ok(len) => reply.written(u32::try_from(len).unwrap_or(u32::MAX)),
            Err(errno) => reply.error(fuse_errno(errno)),
        }
    }

    fn flush(&self, _: &Request, ino: INodeNo, _: FileHandle, _: LockOwner, reply: ReplyEmpty) {
        let detail = || ino.0.to_string();
        reply_empty(self.run(Op::Flush, detail, |_| Ok(())), reply);
    }

    fn release(
        &self,
        _: &Request,
        ino: INodeNo,
        fh: FileHandle,
        _: OpenFlags,
        _: Option<LockOwner>,
        _flush: bool,
        reply: ReplyEmpty,
    ) {
        let detail = || ino.0.to_string();
        let done = self.run(Op::Release, detail, |_| {
            self.release_file(fh.0);
            Ok(())
        });
        reply_empty(done, reply);
    }

    fn fsync(&self, _: &Request, ino: INodeNo, fh: FileHandle, datasync: bool, reply: ReplyEmpty) {
        let detail = || ino.0.to_string();
        let done = self.run_unless_ignored(Op::Fsync, detail, |backing| {
            backing.file(fh.0)?.sync(datasync)?;
            self.synced(Some(fh.0))
        });
        reply_empty(done, reply);
    }

    fn opendir(&self, _: &Request, ino: INodeNo, _: OpenFlags, reply: ReplyOpen) {
        let detail = || ino.0.to_string();
        match self.run(Op::Opendir, detail, |backing| backing.opendir(ino.0)) {
            Ok(handle) => reply.opened(FileHandle(handle), FopenFlags::empty()),
            Err(errno) => reply.error(fuse_errno(errno)),
        }
    }

    fn readdir(
        &self,
        _: &Request,
        ino: INodeNo,
        fh: FileHandle,
        offset: u64,
        mut reply: ReplyDirectory,
    ) {
        let detail = || format!("{} from {offset}", ino.0);
        let listing = match self.run(Op::Readdir, detail, |backing| backing.listing(fh.0)) {
            Ok(listing) => listing,
            Err(errno) => return reply.error(fuse_errno(errno)),
        };
        let skip = usize::try_from(offset).unwrap_or(usize::MAX);
        for (at, entry) in (offset + 1..).zip(listing.iter().skip(skip)) {
            let name = OsStr::from_bytes(entry.name.as_bytes());
            if reply.add(INodeNo(entry.ino), at, kind(entry.kind), name) {
                break;
            }
        }
        reply.ok();
    }

    fn readdirplus(
        &self,
        _: &Request,
        ino: INodeNo,
        fh: FileHandle,
        offset: u64,
        mut reply: ReplyDirectoryPlus,
    ) {
        let detail = || format!("{} from {offset} with attributes", ino.0);
        let listing = match self.run(Op::Readdir, detail, |backing| backing.listing(fh.0)) {
            Ok(listing) => listing,
            Err(errno) => return reply.error(fuse_errno(errno)),
        };
        let ttl = self.options.entry_timeout.min(self.options.attr_timeout);
        let skip = usize::try_from(offset).unwrap_or(usize::MAX);
        for (at, entry) in (offset + 1..).zip(listing.iter().skip(skip)) {
            let name = OsStr::from_bytes(entry.name.as_bytes());
            let dots = name == "." || name == "..";
            // The kernel takes no account of these two.
            let found = if dots {
                self.attributes(ino.0).map(|stat| (ino.0, stat))
            } else {
                self.backing
                    .lookup(ino.0, name)
                    .map(|found| self.told(found))
            };
            // An entry that is gone meanwhile is left out.
            let Ok((number, stat)) = found else { continue };
            let attr = file_attr(number, &stat);
            if reply.add(INodeNo(number), at, name, &ttl, &attr, Generation(0)) {
                if !dots {
                    self.backing.forget(number, 1);
                }
                break;
            }
        }
        reply.ok();
    }

    fn releasedir(
        &self,
        _: &Request,
        ino: INodeNo,
        fh: FileHandle,
        _: OpenFlags,
        reply: ReplyEmpty,
    ) {
        let detail = || ino.0.to_string();
        let done = self.run(Op::Releasedir, detail, |backing| {
            backing.releasedir(fh.0);
            Ok(())
        });
        reply_empty(done, reply);
    }

    fn fsyncdir(&self, _: &Request, ino: INodeNo, _: FileHandle, _: bool, reply: ReplyEmpty) {
        let detail = || ino.0.to_string();
        let done = self.run_unless_ignored(Op::Fsyncdir, detail, |backing| {
            backing.fsyncdir(ino.0)?;
            self.synced(None)
        });
        reply_empty(done, reply);
    }

    fn statfs(&self, _: &Request, ino: INodeNo, reply: ReplyStatfs) {
        let detail = || ino.0.to_string();
        let small = |number: u64| u32::try_from(number).unwrap_or(u32::MAX);
        match self.run(Op::Statfs, detail, |backing| backing.statfs(ino.0)) {
            Ok(stat) => reply.statfs(
                stat.f_blocks,
                stat.f_bfree,
                stat.f_bavail,
                stat.f_files,
                stat.f_ffree,
                small(stat.f_bsize),
                small(stat.f_namemax),
                small(stat.f_frsize),
            ),
            Err(errno) => reply.error(fuse_errno(errno)),
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
        let detail = || format!("{} {}", ino.0, text(name));
        let done = self.run_unless_ignored(Op::Setxattr, detail, |backing| {
            backing.setxattr(ino.0, name, value, flags)
        });
        reply_empty(done, reply);
    }

    fn getxattr(&self, _: &Request, ino: INodeNo, name: &OsStr, size: u32, reply: ReplyXattr) {
        let detail = || format!("{} {}", ino.0, text(name));
        let value = self.run(Op::Getxattr, detail, |backing| {
            backing.getxattr(ino.0, name)
        });
        reply_xattr(value, size, reply);
    }

    fn listxattr(&self, _: &Request, ino: INodeNo, size: u32, reply: ReplyXattr) {
        let detail = || ino.0.to_string();
        let names = self.run(Op::Listxattr, detail, |backing| backing.listxattr(ino.0));
        reply_xattr(names, size, reply);
    }

    fn removexattr(&self, _: &Request, ino: INodeNo, name: &OsStr, reply: ReplyEmpty) {
        let detail = || format!("{} {}", ino.0, text(name));
        let done = self.run_unless_ignored(Op::Removexattr, detail, |backing| {
            backing.removexattr(ino.0, name)
        });
        reply_empty(done, reply);
    }

    fn fallocate(
        &self,
        _: &Request,
        ino: INodeNo,
        fh: FileHandle,
        offset: u64,
        length: u64,
        mode: i32,
        reply: ReplyEmpty,
    ) {
        let detail = || format!("{} {offset}+{length} {mode:#x}", ino.0);
        let done = self.run(Op::Fallocate, detail, |backing| {
            let open = backing.file(fh.0)?;
            self.take_space(offset + length, open.len()?)?;
            if let Some(staged) = &open.staged {
                staged.change();
            }
            open.fallocate(mode, offset, length)
        });
        reply_empty(done, reply);
    }

    fn lseek(
        &self,
        _: &Request,
        ino: INodeNo,
        fh: FileHandle,
        offset: i64,
        whence: i32,
        reply: ReplyLseek,
    ) {
        const SEEK_HOLE: i32 = 4;
        let detail = || format!("{} {offset} {whence}", ino.0);
        let found = self.run(Op::Lseek, detail, |backing| {
            let at = u64::try_from(offset).map_err(|_| Errno::INVAL)?;
            backing.file(fh.0)?.seek(at, whence == SEEK_HOLE)
        });
        match found {
            Ok(at) => reply.offset(i64::try_from(at).unwrap_or(i64::MAX)),
            Err(errno) => reply.error(fuse_errno(errno)),
        }
    }

    fn copy_file_range(
        &self,
        _: &Request,
        ino_in: INodeNo,
        fh_in: FileHandle,
        offset_in: u64,
        ino_out: INodeNo,
        fh_out: FileHandle,
        offset_out: u64,
        len: u64,
        _flags: CopyFileRangeFlags,
        reply: ReplyWrite,
    ) {
        let detail = || {
            format!(
                "{} {offset_in}+{len} to {} {offset_out}",
                ino_in.0, ino_out.0
            )
        };
        let copied = self.run(Op::CopyRange, detail, |_| {
            let (from, to) = ((fh_in.0, offset_in), (fh_out.0, offset_out));
            let len = usize::try_from(len).unwrap_or(usize::MAX);
            self.copy(from, to, len)
        });
        match copied {
            Ok(copied) => reply.written(u32::try_from(copied).unwrap_or(u32::MAX)),
            Err(errno) => reply.error(fuse_errno(errno)),
        }
    }
}
