//! Contents that are sent off when a file is closed.
//!
//! Whoever opens a file for writing works on a copy of what is seen then. When the last such open
//! is closed the copy is on its way, and replaces what is seen when its time comes, whatever was
//! sent off in between.

use std::collections::HashMap;
use std::fs::File;
use std::io::{Seek, SeekFrom};
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use rustix::fs::{Stat, Timespec, Timestamps, UTIME_OMIT, fstat, futimens};
use rustix::io::Errno;

use super::nodes::{Id, id_of};
use super::pass_through::errno_of;

/// The copy that writers work on.
#[derive(Debug)]
pub(super) struct Staged {
    id: Id,
    copy: File,
    /// The file that it is a copy of.
    seen: File,
    /// It was changed: a copy that was not is never sent.
    changed: AtomicBool,
}

impl Staged {
    /// It is about to be changed.
    pub(super) fn change(&self) {
        self.changed.store(true, Ordering::Relaxed);
    }

    pub(super) fn copy(&self) -> Result<File, Errno> {
        self.copy.try_clone().map_err(|e| errno_of(&e))
    }
}

/// All copies.
#[derive(Debug, Default)]
pub(super) struct Uploads {
    open: HashMap<Id, (Arc<Staged>, u64)>,
    sent: Vec<(Duration, Arc<Staged>)>,
}

impl Uploads {
    /// Another writer opens the file behind `seen`, which can be read and written.
    pub(super) fn open(&mut self, seen: OwnedFd) -> Result<Arc<Staged>, Errno> {
        let stat = fstat(&seen)?;
        let id = id_of(&stat);
        if let Some((staged, writers)) = self.open.get_mut(&id) {
            *writers += 1;
            return Ok(Arc::clone(staged));
        }
        let mut staged = Staged {
            id,
            copy: tempfile::tempfile().map_err(|e| errno_of(&e))?,
            seen: File::from(seen),
            changed: AtomicBool::new(false),
        };
        transfer(&mut staged.seen, &mut staged.copy)?;
        set_mtime(&staged.copy, &stat)?;
        let staged = Arc::new(staged);
        self.open.insert(id, (Arc::clone(&staged), 1));
        Ok(staged)
    }

    /// A writer is gone; the last one sends off.
    pub(super) fn close(&mut self, staged: &Arc<Staged>, due: Duration) {
        if let Some((_, writers)) = self.open.get_mut(&staged.id) {
            *writers -= 1;
            if *writers == 0 {
                self.open.remove(&staged.id);
                if !staged.changed.load(Ordering::Relaxed) {
                    return;
                }
                self.sent.push((due, Arc::clone(staged)));
            }
        }
    }

    /// Size and time of a file that is open for writing.
    pub(super) fn size_while_open(&self, stat: &mut Stat) -> Result<(), Errno> {
        if let Some((staged, _)) = self.open.get(&id_of(stat)) {
            let copy = fstat(&staged.copy)?;
            stat.st_size = copy.st_size;
            stat.st_mtime = copy.st_mtime;
            stat.st_mtime_nsec = copy.st_mtime_nsec;
        }
        Ok(())
    }

    /// Times that were set hold for what is on its way as well.
    pub(super) fn set_times(&self, id: Id, times: &Timestamps) -> Result<(), Errno> {
        let open = self.open.get(&id).map(|(staged, _)| staged);
        let sent = self.sent.iter().map(|(_, staged)| staged);
        for staged in sent.filter(|staged| staged.id == id).chain(open) {
            futimens(&staged.copy, times)?;
        }
        Ok(())
    }

    pub(super) fn settle(&mut self, now: Duration) -> Result<(), Errno> {
        for (_, staged) in self.sent.extract_if(.., |(due, _)| *due <= now) {
            let (mut copy, mut seen) = (&staged.copy, &staged.seen);
            transfer(&mut copy, &mut seen)?;
            set_mtime(&staged.seen, &fstat(&staged.copy)?)?;
        }
        Ok(())
    }

    /// Everything arrives: also what is open still.
    pub(super) fn settle_all(&mut self) -> Result<(), Errno> {
        let open = self.open.drain().map(|(_, (staged, _))| staged);
        let changed = open.filter(|staged| staged.changed.load(Ordering::Relaxed));
        self.sent
            .extend(changed.map(|staged| (Duration::ZERO, staged)));
        self.settle(Duration::MAX)
    }
}

/// Makes `to` what `from` is.
fn transfer<F, T>(from: &mut F, to: &mut T) -> Result<(), Errno>
where
    F: std::io::Read + Seek + std::os::fd::AsFd,
    T: std::io::Write + Seek + std::os::fd::AsFd,
{
    rustix::fs::ftruncate(&to, 0)?;
    from.seek(SeekFrom::Start(0))
        .and_then(|_| to.seek(SeekFrom::Start(0)))
        .and_then(|_| std::io::copy(from, to))
        .map_err(|e| errno_of(&e))?;
    Ok(())
}

fn set_mtime(file: &File, stat: &Stat) -> Result<(), Errno> {
    let omit = Timespec {
        tv_sec: 0,
        tv_nsec: UTIME_OMIT,
    };
    let last_modification = Timespec {
        tv_sec: stat.st_mtime,
        tv_nsec: stat.st_mtime_nsec.try_into().unwrap_or(0),
    };
    futimens(
        file,
        &Timestamps {
            last_access: omit,
            last_modification,
        },
    )
}
