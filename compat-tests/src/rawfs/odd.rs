//! Requests in which the behaviour of the storage has a say.

use std::ffi::OsStr;

use fuser::TimeOrNow;
use rustix::fs::{Stat, Timestamps};
use rustix::io::Errno;

use super::behaviour::{Act, Order, Overwrite};
use super::control::Limit;
use super::convert::new_time;
use super::op::Op;
use super::pass_through::{Caller, Entry};
use super::simulator::Simulator;

/// What a `setattr` sets.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct NewAttrs {
    pub(super) mode: Option<u32>,
    pub(super) uid: Option<u32>,
    pub(super) gid: Option<u32>,
    pub(super) size: Option<u64>,
    pub(super) atime: Option<TimeOrNow>,
    pub(super) mtime: Option<TimeOrNow>,
}

impl NewAttrs {
    /// The kind that it counts as.
    pub(super) fn op(&self) -> Op {
        match (self.size, self.mode, self.uid.or(self.gid)) {
            (Some(_), ..) => Op::Truncate,
            (_, Some(_), _) => Op::Chmod,
            (_, _, Some(_)) => Op::Chown,
            _ => Op::Utimens,
        }
    }
}

impl Simulator {
    /// Attributes as they are told.
    pub(super) fn attributes(&self, number: u64) -> Result<Stat, Errno> {
        self.shared.quirks.told(self.backing.getattr(number)?)
    }

    /// Whether this shall be carried out: it may be ignored, or refused.
    fn carries_out(&self, op: Op) -> Result<bool, Errno> {
        let behaviour = &self.shared.quirks.behaviour;
        match behaviour.refused.get(&op) {
            Some(errno) => Err(*errno),
            None => Ok(!behaviour.ignored.contains(&op)),
        }
    }

    pub(super) fn set_attributes(
        &self,
        number: u64,
        handle: Option<u64>,
        new: &NewAttrs,
    ) -> Result<Stat, Errno> {
        let quirks = &self.shared.quirks;
        let old = self.backing.getattr(number)?;
        if let Some(size) = new.size {
            let open = handle.map(|handle| self.backing.file(handle)).transpose()?;
            self.take_space(size, u64::try_from(old.st_size).unwrap_or(0))?;
            quirks.changes(old);
            quirks.truncate(&self.backing, number, open.as_deref(), size)?;
        }
        let owner = new.uid.is_some() || new.gid.is_some();
        if owner && self.carries_out(Op::Chown)? {
            self.backing.chown(number, new.uid, new.gid)?;
        }
        if let Some(mode) = new.mode
            && self.carries_out(Op::Chmod)?
        {
            self.backing.chmod(number, mode)?;
        }
        let times = new.atime.is_some() || new.mtime.is_some();
        if times && self.carries_out(Op::Utimens)? {
            let times = Timestamps {
                last_access: new_time(new.atime),
                last_modification: new_time(new.mtime),
            };
            quirks.changes(old);
            self.backing.utimens(number, &times)?;
            quirks.times(&old, &times)?;
        }
        self.attributes(number)
    }

    pub(super) fn open_file(&self, number: u64, flags: i32) -> Result<u64, Errno> {
        self.backing.open(number, flags, |number| {
            self.shared.quirks.stage(&self.backing, number)
        })
    }

    pub(super) fn create_file(
        &self,
        at: (u64, &OsStr),
        mode: u32,
        flags: i32,
        caller: Caller,
    ) -> Result<(Entry, u64), Errno> {
        self.backing.create(at, mode, flags, caller, |number| {
            self.shared.quirks.stage(&self.backing, number)
        })
    }

    pub(super) fn release_file(&self, handle: u64) {
        let open = self.backing.release(handle);
        if let Some(staged) = open.and_then(|open| open.staged.clone()) {
            self.shared.quirks.unstage(&staged);
        }
    }

    pub(super) fn read_some(
        &self,
        handle: u64,
        offset: u64,
        size: usize,
        limit: Limit,
    ) -> Result<Vec<u8>, Errno> {
        let open = self.backing.file(handle)?;
        let mut bytes = open.read(offset, limit.of(size))?;
        if self.shared.quirks.behaviour.rubbish {
            bytes.resize(limit.of(size), 0xa5);
        }
        Ok(bytes)
    }

    /// Writes as much as behaviour, faults and space allow. The result: how much that was.
    pub(super) fn write_some(
        &self,
        handle: u64,
        offset: u64,
        data: &[u8],
        limit: Limit,
    ) -> Result<usize, Errno> {
        let quirks = &self.shared.quirks;
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
        let end = offset + u64::try_from(len).map_err(|_| Errno::FBIG)?;
        let (order, overwrite) = (quirks.behaviour.order, quirks.behaviour.overwrite);
        let size = open.len()?;
        let parts = open
            .written
            .lock()
            .write(offset..end, size, order, overwrite)?;
        if let Ok(stat) = self.backing.getattr(open.number) {
            quirks.changes(stat);
        }
        for part in parts {
            let index = |at: u64| usize::try_from(at - offset).unwrap_or(usize::MAX);
            let bytes = data.get(index(part.start)..index(part.end));
            open.write(part.start, bytes.unwrap_or_default())?;
        }
        quirks.written(&open, end)?;
        errno.map_or(Ok(len), Err)
    }

    pub(super) fn copy(
        &self,
        from: (u64, u64),
        to: (u64, u64),
        len: usize,
    ) -> Result<usize, Errno> {
        let behaviour = &self.shared.quirks.behaviour;
        // The kernel then reads and writes.
        if behaviour.order != Order::Any || behaviour.overwrite != Overwrite::Kept {
            return Err(Errno::OPNOTSUPP);
        }
        self.backing.copy_range(from, to, len)
    }

    /// Renames, as the storage does.
    pub(super) fn rename_entry(
        &self,
        from: (u64, &OsStr),
        to: (u64, &OsStr),
        flags: u32,
    ) -> Result<(), Errno> {
        let behaviour = &self.shared.quirks.behaviour;
        if let (Some(errno), true) = (behaviour.rename_flags, flags != 0) {
            return Err(errno);
        }
        behaviour.spelling.check(to.1)?;
        let old = behaviour.spelling.stored(&self.backing, from.0, from.1);
        let new = behaviour.spelling.stored(&self.backing, to.0, to.1);
        let same = from.0 == to.0 && old == new;
        // To another case of the same letters, the name is not in the way of itself.
        let new = if same { to.1 } else { &*new };
        let in_the_way = if flags == 0 && !same {
            self.backing.look(to.0, new).ok()
        } else {
            None
        };
        if let Some(stat) = in_the_way {
            match behaviour.rename_over {
                Act::Refuse(errno) => return Err(errno),
                Act::Ignore => return Ok(()),
                Act::Do | Act::Late(_) => {}
            }
            if behaviour.rename_in_steps {
                let is_dir = rustix::fs::FileType::from_raw_mode(stat.st_mode).is_dir();
                let op = if is_dir { Op::Rmdir } else { Op::Unlink };
                let detail = || format!("{}/{} on the way", to.0, new.display());
                self.run(op, detail, |backing| match op {
                    Op::Rmdir => backing.rmdir(to.0, new),
                    _ => backing.unlink(to.0, new),
                })?;
            }
        }
        self.backing.rename((from.0, &old), (to.0, new), flags)
    }

    /// Does `act` with the name under which an entry is stored.
    pub(super) fn named<T>(
        &self,
        parent: u64,
        name: &OsStr,
        act: impl FnOnce(&OsStr) -> Result<T, Errno>,
    ) -> Result<T, Errno> {
        let spelling = &self.shared.quirks.behaviour.spelling;
        act(&spelling.stored(&self.backing, parent, name))
    }

    /// Does `act`, which makes an entry, if the storage takes its name.
    pub(super) fn making<T>(
        &self,
        parent: u64,
        name: &OsStr,
        act: impl FnOnce(&OsStr) -> Result<T, Errno>,
    ) -> Result<T, Errno> {
        self.shared.quirks.behaviour.spelling.check(name)?;
        self.named(parent, name, act)
    }
}
