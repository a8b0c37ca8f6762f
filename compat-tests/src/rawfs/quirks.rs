//! The behaviour of one mount and everything that is under way because of it.

use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use rustix::fs::{OFlags, Stat, Timestamps};
use rustix::io::Errno;

use super::behaviour::{Act, Behaviour};
use super::clock::Clock;
use super::cuts::Cuts;
use super::lag::Lag;
use super::nodes::id_of;
use super::pass_through::{Backing, OpenFile};
use super::uploads::{Staged, Uploads};

/// See the module.
#[derive(Debug)]
pub(super) struct Quirks {
    pub(super) behaviour: Behaviour,
    pub(super) clock: Clock,
    lag: Mutex<Lag>,
    cuts: Mutex<Cuts>,
    uploads: Mutex<Uploads>,
}

impl Quirks {
    pub(super) fn new(behaviour: Behaviour) -> Self {
        Self {
            behaviour,
            clock: Clock::new(),
            lag: Mutex::default(),
            cuts: Mutex::default(),
            uploads: Mutex::default(),
        }
    }

    /// What is due takes effect.
    pub(super) fn settle(&self) -> Result<(), Errno> {
        let now = self.clock.now();
        self.uploads.lock().settle(now)?;
        self.cuts.lock().settle(now)
    }

    /// Everything takes effect.
    pub(super) fn settle_all(&self) -> Result<(), Errno> {
        self.uploads.lock().settle_all()?;
        self.cuts.lock().settle(Duration::MAX)
    }

    /// Size or times of a file are about to change.
    pub(super) fn changes(&self, stat: Stat) {
        if !self.behaviour.attr_lag.is_zero() {
            self.lag.lock().changes(self.clock.now(), stat);
        }
    }

    /// Attributes as they are told.
    pub(super) fn told(&self, mut stat: Stat) -> Result<Stat, Errno> {
        let behaviour = &self.behaviour;
        if behaviour.upload.is_some_and(|upload| upload.size_is_right) {
            self.uploads.lock().size_while_open(&mut stat)?;
        }
        if !behaviour.attr_lag.is_zero() {
            let now = self.clock.now();
            self.lag.lock().told(now, behaviour.attr_lag, &mut stat);
        }
        if !behaviour.mtime_step.is_zero() {
            let step = i64::try_from(behaviour.mtime_step.as_secs().max(1)).unwrap_or(1);
            stat.st_mtime -= stat.st_mtime.rem_euclid(step);
            stat.st_mtime_nsec = 0;
        }
        stat.st_mtime += behaviour.mtime_shift;
        if behaviour.hides_links {
            stat.st_nlink = 1;
        }
        Ok(stat)
    }

    /// A writer opens a file: the copy to work on, if it works on one.
    pub(super) fn stage(
        &self,
        backing: &Backing,
        number: u64,
    ) -> Result<Option<Arc<Staged>>, Errno> {
        if self.behaviour.upload.is_none() {
            return Ok(None);
        }
        let seen = backing.reopen(number, OFlags::RDWR)?;
        self.uploads.lock().open(seen).map(Some)
    }

    /// A writer is gone.
    pub(super) fn unstage(&self, staged: &Arc<Staged>) {
        let delay = self.behaviour.upload.map_or(Duration::ZERO, |up| up.delay);
        self.uploads.lock().close(staged, self.clock.now() + delay);
    }

    /// Times are set: what is on its way takes them along.
    pub(super) fn times(&self, stat: &Stat, times: &Timestamps) -> Result<(), Errno> {
        self.uploads.lock().set_times(id_of(stat), times)
    }

    /// Something was written up to `end`.
    pub(super) fn written(&self, open: &OpenFile, end: u64) -> Result<(), Errno> {
        let stat = rustix::fs::fstat(&open.file)?;
        self.cuts.lock().written(id_of(&stat), end);
        Ok(())
    }

    /// Sets a size, as the storage does.
    pub(super) fn truncate(
        &self,
        backing: &Backing,
        number: u64,
        open: Option<&OpenFile>,
        size: u64,
    ) -> Result<(), Errno> {
        if let Some(staged) = open.and_then(|open| open.staged.as_ref()) {
            staged.change();
        }
        let (file, staged): (OwnedFd, _) = match open.filter(|open| open.writes) {
            Some(open) => (
                open.file.try_clone().map_err(|_| Errno::MFILE)?.into(),
                None,
            ),
            None => match self.stage(backing, number)? {
                Some(staged) => {
                    staged.change();
                    (staged.copy()?.into(), Some(staged))
                }
                None => (backing.reopen(number, OFlags::WRONLY)?, None),
            },
        };
        let done = self.cut(file, size);
        if let Some(staged) = staged {
            self.unstage(&staged);
        }
        if let (Ok(()), Some(open)) = (&done, open) {
            open.written.lock().cut(size);
        }
        done
    }

    fn cut(&self, file: OwnedFd, size: u64) -> Result<(), Errno> {
        let old = u64::try_from(rustix::fs::fstat(&file)?.st_size).unwrap_or(0);
        let truncation = &self.behaviour.truncation;
        let act = match size {
            0 => truncation.to_zero,
            size if size < old => truncation.shrink,
            size if size > old => truncation.grow,
            _ => Act::Do,
        };
        match act {
            Act::Do => rustix::fs::ftruncate(&file, size),
            Act::Ignore => Ok(()),
            Act::Refuse(errno) => Err(errno),
            Act::Late(delay) => {
                let due = self.clock.now() + delay;
                self.cuts.lock().order(due, file, size)
            }
        }
    }
}
