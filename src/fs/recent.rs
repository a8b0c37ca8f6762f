//! What this mount has changed and storage may not show yet.
//!
//! Some storage reports sizes and times of a while ago, or shows contents only once they are
//! uploaded. The size and the end of a file that was changed here come from our own writes: as long
//! as storage reports what it reported before, or a length that the file has had since, ours is
//! told. Any other value means that somebody else wrote, and wins. All is remembered from
//! answers that were given anyway: storage that does not lag is asked nothing more.

use std::num::NonZeroUsize;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use lru::LruCache;
use parking_lot::Mutex;

use super::open_files::OpenFile;
use super::tree::NodeId;
use super::{EncFs, FsError};
use crate::blockio::{self, ContentState, Kept};
use crate::raw::{Access, BytesAt, Errno, File, RawId, Stat, Time};

/// How long a length that the file has had is taken for an old one, in a file that is open or on
/// storage that was seen to lag. What was reported before the change is one for ever.
pub(super) const LONGEST_LAG: Duration = Duration::from_secs(60);
/// The same of a closed file, on storage of which nothing is known: as long as the kernel trusts
/// what it knows.
const USUAL_LAG: Duration = Duration::from_secs(1);
/// How often, and in which steps, is looked again for what is waited for: 5 s in all.
pub(super) const LAG_TRIES: u32 = 50;
pub(super) const LAG_STEP: Duration = Duration::from_millis(100);
/// Changed files that are remembered after they were closed.
const REMEMBERED: NonZeroUsize = NonZeroUsize::new(1024).unwrap();

/// Raw length and time of change, as storage reports them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Seen {
    size: u64,
    mtime: Time,
}

/// What was reported of a file before it was changed here, and what it has been since.
#[derive(Debug, Clone)]
pub(super) struct Change {
    before: Seen,
    /// Shortest and longest raw length since.
    least: u64,
    most: u64,
    /// The last change, if there was one.
    last: Option<(Instant, Time)>,
    /// The time of change, if it was set.
    mtime: Option<Time>,
}

/// What an answer of the storage means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Answer {
    /// It is what we know.
    Ours,
    /// It is an old one.
    Late,
    /// Somebody else wrote.
    Foreign,
}

impl Seen {
    fn of(stat: &Stat) -> Self {
        Self {
            size: stat.size,
            mtime: stat.mtime,
        }
    }
}

impl Change {
    /// None yet: the file is what `stat` says.
    pub(super) fn none(stat: &Stat) -> Self {
        Self {
            before: Seen::of(stat),
            least: stat.size,
            most: stat.size,
            last: None,
            mtime: None,
        }
    }

    /// The contents were changed and storage should have `len` raw bytes.
    fn changed(&mut self, len: u64) {
        self.least = self.least.min(len);
        self.most = self.most.max(len);
        self.last = Some((Instant::now(), now()));
        self.mtime = None;
    }

    /// The time of change of a file of `len` raw bytes was set, and storage answers with `stat`.
    fn time_set(&mut self, len: u64, mtime: Time, stat: &Stat) {
        if self.last.is_none() && stat.mtime == mtime {
            return;
        }
        if self.last.is_none() || stat.size != len || stat.mtime != mtime {
            // The old version, perhaps with the new time, or the old time alone.
            self.before = Seen::of(stat);
        }
        self.last.get_or_insert((Instant::now(), mtime));
        self.mtime = Some(mtime);
    }

    /// What `stat` means for a file that should have `len` raw bytes, where storage may lag for
    /// `longest`.
    fn judge(&mut self, len: u64, stat: &Stat, longest: Duration) -> Answer {
        let seen = Seen::of(stat);
        match self.last {
            Some(_) if seen == self.before => Answer::Late,
            _ if seen.size == len => {
                // What was reported before may come again: some storage is right only while a file
                // is open.
                (self.least, self.most) = (len, len);
                Answer::Ours
            }
            Some((last, _))
                if (self.least..=self.most).contains(&seen.size) && last.elapsed() < longest =>
            {
                Answer::Late
            }
            _ => Answer::Foreign,
        }
    }

    /// Whether storage may still come back to what it reported before.
    fn is_recent(&self) -> bool {
        self.last
            .is_some_and(|(last, _)| last.elapsed() < LONGEST_LAG)
    }

    /// An old answer as it should be.
    fn correct(&self, len: u64, stat: &mut Stat) {
        if let Some(mtime) = self.mtime {
            stat.mtime = mtime;
        } else if stat.size != len
            && let Some((_, when)) = self.last
        {
            stat.mtime = when;
        }
        stat.size = len;
    }
}

/// The time of this machine.
fn now() -> Time {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    let now = now.unwrap_or_default();
    Time {
        secs: i64::try_from(now.as_secs()).unwrap_or(0),
        nanos: now.subsec_nanos(),
    }
}

/// A file that was changed and closed.
struct Closed {
    /// Raw length.
    len: u64,
    change: Change,
    kept: Option<Kept>,
}

/// Files that were changed and closed.
pub(super) struct Recent(Mutex<LruCache<RawId, Closed>>);

impl Default for Recent {
    fn default() -> Self {
        Self(Mutex::new(LruCache::new(REMEMBERED)))
    }
}

impl Recent {
    /// The raw file is gone, or was just made.
    pub(super) fn forget(&self, id: RawId) {
        self.0.lock().pop(&id);
    }
}

impl EncFs {
    /// How long storage may lag with what it says of a closed file.
    fn longest_lag(&self) -> Duration {
        if self.lags.load(Ordering::Relaxed) {
            LONGEST_LAG
        } else {
            USUAL_LAG
        }
    }

    /// Storage was told to change an open file's contents.
    pub(super) fn note_change(&self, open: &OpenFile, content: &ContentState) {
        if self.remote {
            open.change.lock().changed(content.stored_len());
        }
    }

    /// A file is closed: what may not be shown yet is kept.
    pub(super) fn keep_change(&self, open: &OpenFile, content: &ContentState) {
        let change = open.change.lock().clone();
        if !self.remote || change.last.is_none() || content.is_stale() {
            return;
        }
        // Without a name it will not be looked up again, and its number may be given to another.
        let named = |node: &mut super::tree::Node| (!node.links.is_empty()).then_some(node.raw_id);
        if let Some(id) = self.tree.with(open.node, named).flatten() {
            let closed = Closed {
                len: content.stored_len(),
                change,
                kept: Some(content.kept()),
            };
            self.recent.0.lock().put(id, closed);
        }
    }

    /// A file is opened that storage describes by `stat`: its contents, and what of it is not shown
    /// yet.
    pub(super) fn opened_state(
        &self,
        node: NodeId,
        stat: &Stat,
        external_iv: u64,
    ) -> (ContentState, Change) {
        let id = self.tree.with(node, |node| node.raw_id);
        let known = id.filter(|_| self.remote);
        let known = known.and_then(|id| self.recent.0.lock().pop(&id));
        let state = |len| ContentState::new(len, external_iv).holding(self.remote);
        match known {
            Some(Closed {
                len,
                mut change,
                kept,
            }) => match change.judge(len, stat, self.longest_lag()) {
                Answer::Late => {
                    // Of the same length it may be another file that was put there meanwhile: what
                    // is shown has a header of its own.
                    let known = kept.filter(|_| stat.size != len).into_iter();
                    (known.fold(state(len), ContentState::knowing), change)
                }
                Answer::Ours if change.is_recent() => (state(len), change),
                _ => (state(stat.size), Change::none(stat)),
            },
            None => (state(stat.size), Change::none(stat)),
        }
    }

    /// What storage says of an open file.
    pub(super) fn judge(&self, open: &OpenFile, content: &ContentState, stat: &Stat) -> Answer {
        let len = content.stored_len();
        if !self.remote {
            return if stat.size == len {
                Answer::Ours
            } else {
                Answer::Foreign
            };
        }
        let mut change = open.change.lock();
        let answer = change.judge(len, stat, LONGEST_LAG);
        match answer {
            Answer::Late if stat.size != len => {
                self.lags.store(true, Ordering::Relaxed);
                // A writer sees what it wrote.
                if open.writers() == 0 {
                    open.unsettled.store(true, Ordering::Relaxed);
                }
            }
            _ => {}
        }
        answer
    }

    /// Whether an open file was changed just now, on storage that was seen to lag.
    pub(super) fn may_be_late(&self, open: &OpenFile) -> bool {
        self.lags.load(Ordering::Relaxed) && open.change.lock().is_recent()
    }

    /// Raw attributes of a file with what this mount knows better: the kernel takes sizes from
    /// lookups too, and appends where it believes the end to be.
    pub(super) fn as_changed(&self, node: NodeId, stat: &Stat) -> Stat {
        let mut stat = *stat;
        if !self.remote {
            return stat;
        }
        let Some(open) = self.open_files.get(node) else {
            self.as_closed(node, &mut stat);
            return stat;
        };
        let content = open.content.read();
        let mut answer = self.judge(&open, &content, &stat);
        if answer == Answer::Foreign && !content.is_held() {
            // A block may have been held when `stat` was asked for, and not be any more. Unlike
            // a write, that is nothing by which the kernel could tell that the size is an old one.
            if let Some(now) = open.any_file().and_then(|file| file.stat().ok()) {
                stat = now;
                answer = self.judge(&open, &content, &stat);
            }
        }
        if answer == Answer::Late {
            open.change.lock().correct(content.stored_len(), &mut stat);
        }
        if content.is_held() {
            stat.size = content.raw_len();
        }
        stat
    }

    fn as_closed(&self, node: NodeId, stat: &mut Stat) {
        let id = self.tree.with(node, |node| node.raw_id);
        let mut recent = self.recent.0.lock();
        if recent.is_empty() {
            return;
        }
        let Some(id) = id else { return };
        let Some(Closed { len, change, .. }) = recent.peek_mut(&id) else {
            return;
        };
        match change.judge(*len, stat, self.longest_lag()) {
            Answer::Late => {
                if stat.size != *len {
                    self.lags.store(true, Ordering::Relaxed);
                }
                change.correct(*len, stat);
            }
            Answer::Ours if change.is_recent() => {}
            Answer::Ours | Answer::Foreign => {
                recent.pop(&id);
            }
        }
    }

    /// The time of change was set, and storage answers with `stat`.
    pub(super) fn note_time(&self, node: NodeId, mtime: Time, stat: &Stat) {
        if !self.remote {
            return;
        }
        if let Some(open) = self.open_files.get(node) {
            let content = open.content.read();
            let mut change = open.change.lock();
            change.time_set(content.stored_len(), mtime, stat);
            return;
        }
        let Some(id) = self.tree.with(node, |node| node.raw_id) else {
            return;
        };
        let mut recent = self.recent.0.lock();
        if let Some(closed) = recent.get_mut(&id) {
            closed.change.time_set(closed.len, mtime, stat);
        } else if stat.mtime != mtime {
            let mut change = Change::none(stat);
            change.time_set(stat.size, mtime, stat);
            let closed = Closed {
                len: stat.size,
                change,
                kept: None,
            };
            recent.put(id, closed);
        }
    }

    /// Waits until storage shows an open file's contents as they were left here: what is read before
    /// is an older version, and what is written would go into one. Storage that gives each writer
    /// a copy gives another once it is opened anew.
    ///
    /// # Errors
    /// [`blockio::Error::Unsettled`] if it does not in time; what the storage answered.
    pub(super) fn wait_until_shown(&self, open: &OpenFile) -> Result<(), FsError> {
        if !open.unsettled.load(Ordering::Relaxed) {
            return Ok(());
        }
        for _ in 0..LAG_TRIES {
            if self.is_shown(open)? {
                return Ok(());
            }
            std::thread::sleep(LAG_STEP);
        }
        tracing::warn!("a file was written here and the storage does not show it yet");
        Err(blockio::Error::Unsettled { found: 0 }.into())
    }

    fn is_shown(&self, open: &OpenFile) -> Result<bool, FsError> {
        let _steady = self.tree.steady(&[open.node]);
        // Handles get another raw file.
        let content = open.content.write();
        if !open.unsettled.load(Ordering::Relaxed) {
            return Ok(true);
        }
        let shown = |file: &File| shows(file, content.stored_len());
        let current = open.any_file().ok_or(FsError::NoSuchHandle)?;
        // What the kernel has read of it is perhaps of the older version.
        current.drop_cached(0);
        if shown(&current)? {
            current.drop_cached(0);
            open.unsettled.store(false, Ordering::Relaxed);
            return Ok(true);
        }
        drop(current);
        if let Some(place) = self.tree.place(open.node) {
            let access = match open.writable() {
                Some(_) => Access::ReadWrite,
                None => Access::Read,
            };
            // No writer is left in between.
            open.exchange(self.open_at(&place, Access::Read)?);
            open.exchange(self.open_at(&place, access)?);
        }
        Ok(false)
    }
}

/// Whether the contents of a raw file end at `len`, whatever size is reported.
///
/// # Errors
/// What the storage answered.
pub(super) fn shows(file: &File, len: u64) -> Result<bool, FsError> {
    let reaches = match len.checked_sub(1) {
        None => true,
        // The kernel reads no further than the size that is reported; this goes through to storage.
        Some(last) => {
            matches!(file.seek(last, false), Ok(at) if at == last)
                || file.read_at(&mut [0], last)? == 1
        }
    };
    let ends = || match file.seek(len, false) {
        Err(error) if error.errno == Errno::NXIO => Ok(true),
        _ => file.ends_by(len),
    };
    Ok(reaches && ends()?)
}
