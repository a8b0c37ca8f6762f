//! What serves one mount, and how its answers are made.

use std::ffi::OsStr;
use std::fmt::Display;
use std::sync::Arc;

use fuser::{FopenFlags, Generation, ReplyAttr, ReplyEmpty, ReplyEntry, ReplyXattr, Request};
use rustix::fs::Stat;
use rustix::io::Errno;

use super::Options;
use super::control::Shared;
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

    /// [`run`](Self::run), or nothing where the storage only says that it does.
    pub(super) fn run_unless_ignored(
        &self,
        op: Op,
        detail: impl FnOnce() -> String,
        act: impl FnOnce(&Backing) -> Result<(), Errno>,
    ) -> Result<(), Errno> {
        let ignored = self.shared.quirks.behaviour.ignored.contains(&op);
        self.run(
            op,
            detail,
            |backing| if ignored { Ok(()) } else { act(backing) },
        )
    }

    /// An entry with its attributes as they are told.
    pub(super) fn told(&self, (number, stat): Entry) -> Entry {
        (number, self.shared.quirks.told(stat).unwrap_or(stat))
    }

    pub(super) fn reply_entry(&self, entry: Result<Entry, Errno>, reply: ReplyEntry) {
        match entry.map(|entry| self.told(entry)) {
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
