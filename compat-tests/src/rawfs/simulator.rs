//! What serves one mount, and how its answers are made.

use std::ffi::OsStr;
use std::fmt::Display;
use std::sync::Arc;

use fuser::{FopenFlags, Generation, ReplyAttr, ReplyEmpty, ReplyEntry, ReplyXattr, Request};
use rustix::fs::Stat;
use rustix::io::Errno;

use super::Options;
use super::control::{Limit, Shared};
use super::convert::file_attr;
use super::op::Op;
use super::pass_through::{Backing, Caller, Entry};

/// Serves one mount.
pub(super) struct Simulator {
    pub(super) backing: Backing,
    pub(super) shared: Arc<Shared>,
    pub(super) options: Options,
}

pub(super) fn caller(request: &Request) -> Caller {
    Caller {
        uid: request.uid(),
        gid: request.gid(),
    }
}

pub(super) fn fuse_errno(errno: Errno) -> fuser::Errno {
    fuser::Errno::from_i32(errno.raw_os_error())
}

pub(super) fn reply_empty(result: Result<(), Errno>, reply: ReplyEmpty) {
    match result {
        Ok(()) => reply.ok(),
        Err(errno) => reply.error(fuse_errno(errno)),
    }
}

pub(super) fn reply_xattr(result: Result<Vec<u8>, Errno>, size: u32, reply: ReplyXattr) {
    match result {
        Ok(value) if size == 0 => reply.size(u32::try_from(value.len()).unwrap_or(u32::MAX)),
        Ok(value) if value.len() > size as usize => reply.error(fuse_errno(Errno::RANGE)),
        Ok(value) => reply.data(&value),
        Err(errno) => reply.error(fuse_errno(errno)),
    }
}

pub(super) fn text(name: &OsStr) -> impl Display + '_ {
    name.display()
}

impl Simulator {
    pub(super) fn run<T>(
        &self,
        op: Op,
        detail: impl FnOnce() -> String,
        act: impl FnOnce(&Backing) -> Result<T, Errno>,
    ) -> Result<T, Errno> {
        self.shared
            .serve(op, 0, detail, |_limit| act(&self.backing))
    }

    pub(super) fn reply_entry(&self, entry: Result<Entry, Errno>, reply: ReplyEntry) {
        match entry {
            Ok((number, stat)) => reply.entry_with_ttls(
                &self.options.attr_timeout,
                &self.options.entry_timeout,
                &file_attr(number, &stat),
                Generation(0),
            ),
            Err(errno) => reply.error(fuse_errno(errno)),
        }
    }

    pub(super) fn reply_attr(&self, number: u64, stat: Result<Stat, Errno>, reply: ReplyAttr) {
        match stat {
            Ok(stat) => reply.attr(&self.options.attr_timeout, &file_attr(number, &stat)),
            Err(errno) => reply.error(fuse_errno(errno)),
        }
    }

    pub(super) fn open_flags(&self) -> FopenFlags {
        if self.options.direct_io {
            FopenFlags::FOPEN_DIRECT_IO
        } else {
            FopenFlags::empty()
        }
    }

    /// Writes as much as faults and space allow. The result: how much that was.
    pub(super) fn write_some(
        &self,
        handle: u64,
        offset: u64,
        data: &[u8],
        limit: Limit,
    ) -> Result<usize, Errno> {
        let open = self.backing.file(handle)?;
        let mut len = limit.of(data.len());
        let mut errno = limit.errno;
        // Held while writing: two writes must not take the same space.
        let mut faults = self.shared.faults.lock();
        if let Some(space) = &mut faults.space {
            let (fits, full) = space.take(offset, len, open.len()?);
            len = fits;
            errno = errno.or(full);
        }
        open.write(offset, data.get(..len).unwrap_or_default())?;
        errno.map_or(Ok(len), Err)
    }

    /// Growth by other means than writing takes space as well.
    pub(super) fn take_space(&self, end: u64, size: u64) -> Result<(), Errno> {
        let grows = usize::try_from(end.saturating_sub(size)).unwrap_or(usize::MAX);
        let mut faults = self.shared.faults.lock();
        let Some(space) = &mut faults.space else {
            return Ok(());
        };
        if u64::try_from(grows).unwrap_or(u64::MAX) > space.left {
            return Err(space.errno);
        }
        space.take(size, grows, size);
        Ok(())
    }

    pub(super) fn synced(&self, handle: Option<u64>) -> Result<(), Errno> {
        let mut durable = self.shared.durable.lock();
        let Some(durable) = &mut *durable else {
            return Ok(());
        };
        if let Some(handle) = handle {
            let open = self.backing.file(handle)?;
            let number = open.number;
            durable.synced_file(self.backing.reopen(number, rustix::fs::OFlags::RDONLY)?)?;
        }
        durable.synced_names()
    }
}
