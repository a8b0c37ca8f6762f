//! Where one question is asked: a folder of its own topic, time to wait, and the way to an outcome.

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use super::{Outcome, Plan};
use crate::raw::{Access, Dir, Errno, Error, File, Name};

/// Moments at which it is looked whether an order has been carried out, in milliseconds after it
/// was given.
const LOOKS: [u32; 8] = [0, 20, 50, 100, 250, 500, 1200, 3000];
/// What is seen within so many milliseconds is seen at once: a file that is closed is given back
/// to its storage a moment later only.
const AT_ONCE: u32 = 100;
/// What was seen at once is looked at again after so many milliseconds: kernels believe names and
/// attributes for a second.
const CONFIRM: u32 = 1200;
/// Waiting is done in pieces of so many milliseconds, between which an interrupt is seen.
const PIECE: u32 = 20;
/// No file of the examination is longer than this, in bytes.
const MOST: usize = 16 * 1024;
/// Length of the file that most questions start from, in bytes: not a multiple of any block.
pub(super) const LENGTH: usize = 5000;

impl Outcome {
    /// What was seen so many milliseconds after it was ordered.
    pub(super) fn seen_after(millis: u32) -> Self {
        if millis > AT_ONCE {
            Self::Late(millis)
        } else {
            Self::Honoured
        }
    }
}

/// Why a question has no answer of the usual kind.
#[derive(Debug)]
pub(super) enum Halt {
    /// The examination was told to stop.
    Stopped,
    /// The order that the question is about was refused.
    Refused(Errno),
    /// Something else failed, so the question could not be asked.
    Failed(Errno),
}

/// The examination was told to stop.
#[derive(Debug)]
pub(super) struct Stopped;

impl From<Error> for Halt {
    fn from(error: Error) -> Self {
        Self::Failed(error.errno)
    }
}

impl Halt {
    /// What failed belongs to the order that the question is about.
    pub(super) fn refusal(self) -> Self {
        match self {
            Self::Failed(errno) => Self::Refused(errno),
            other => other,
        }
    }
}

/// The order that the question is about was refused: for `map_err`.
pub(super) fn refused(error: Error) -> Halt {
    Halt::Refused(error.errno)
}

/// What a look shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sight {
    /// What was ordered.
    Done,
    /// What was before.
    Before,
    /// Neither.
    Other,
}

impl Sight {
    /// Compares what is seen with what was before and with what was ordered.
    pub(super) fn of<T: PartialEq + ?Sized>(seen: &T, before: &T, ordered: &T) -> Self {
        if seen == ordered {
            Self::Done
        } else if seen == before {
            Self::Before
        } else {
            Self::Other
        }
    }

    /// The outcome, if this is how it stays.
    pub(super) fn in_the_end(self) -> Outcome {
        match self {
            Self::Done => Outcome::Honoured,
            Self::Before => Outcome::Ignored,
            Self::Other => Outcome::Wrong,
        }
    }
}

/// Where a question is asked.
pub(super) struct Site<'a> {
    dir: Dir,
    plan: &'a Plan<'a>,
    habits: Habits,
}

/// What spoils every look at this storage, unless it is known.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Habits {
    /// Milliseconds until what was written is seen.
    pub(super) settle: u32,
    /// Reads past the end give bytes, so the size says where the end is.
    pub(super) bytes_past_end: bool,
}

impl<'a> Site<'a> {
    pub(super) fn new(dir: Dir, plan: &'a Plan<'a>) -> Self {
        Self {
            dir,
            plan,
            habits: Habits::default(),
        }
    }

    /// The same, with more known of the storage.
    pub(super) fn knowing(self, habits: Habits) -> Self {
        Self { habits, ..self }
    }

    /// The folder, unless it is time to stop.
    pub(super) fn dir(&self) -> Result<&Dir, Halt> {
        if self.plan.stop.load(Ordering::Relaxed) {
            return Err(Halt::Stopped);
        }
        Ok(&self.dir)
    }

    /// The same in a folder below.
    pub(super) fn below(&self, name: &Name) -> Result<Self, Halt> {
        let dir = self.dir()?.open_dir(name)?;
        Ok(Self::new(dir, self.plan).knowing(self.habits))
    }

    /// Lets so many milliseconds pass.
    pub(super) fn wait(&self, millis: u32) -> Result<(), Halt> {
        let mut left = millis;
        while left > 0 {
            self.dir()?;
            let piece = left.min(PIECE);
            (self.plan.wait)(Duration::from_millis(piece.into()));
            left -= piece;
        }
        Ok(())
    }

    /// Answers a question with one outcome.
    pub(super) fn outcome(
        &self,
        ask: impl FnOnce() -> Result<Outcome, Halt>,
    ) -> Result<Outcome, Stopped> {
        match ask() {
            Ok(outcome) => Ok(outcome),
            Err(Halt::Stopped) => Err(Stopped),
            Err(Halt::Refused(errno)) => Ok(Outcome::Refused(errno)),
            Err(Halt::Failed(errno)) => Ok(Outcome::Unknown(errno)),
        }
    }

    /// What became of an order that was just given, of which `look` shows how it stands.
    pub(super) fn watch(&self, look: impl FnMut() -> Result<Sight, Halt>) -> Result<Outcome, Halt> {
        self.watch_for(AT_ONCE, look)
    }

    /// [`watch`](Self::watch) for what may be as late as everything is here.
    pub(super) fn watch_settled(
        &self,
        look: impl FnMut() -> Result<Sight, Halt>,
    ) -> Result<Outcome, Halt> {
        self.watch_for(self.patience(), look)
    }

    /// How late things may be seen that count as seen at once here: now and then it takes longer.
    fn patience(&self) -> u32 {
        AT_ONCE.max((self.habits.settle * 2).min(self.habits.settle + 3000))
    }

    fn watch_for(
        &self,
        at_once: u32,
        mut look: impl FnMut() -> Result<Sight, Halt>,
    ) -> Result<Outcome, Halt> {
        let start = Instant::now();
        let mut seen = Sight::Before;
        let (mut began, mut one_look) = (0, 0);
        self.look_at_moments(&[at_once], |moment| {
            began = moment;
            seen = look()?;
            if moment == 0 {
                // On slow storage the first look takes time in which the second would be due.
                one_look = millis_since(start);
            }
            Ok(seen == Sight::Done)
        })?;
        if seen == Sight::Done && began > at_once + one_look {
            return Ok(Outcome::Late(began));
        }
        if seen == Sight::Done {
            self.wait(CONFIRM)?;
            seen = look()?;
        }
        Ok(seen.in_the_end())
    }

    /// Makes a file with these contents and closes it.
    pub(super) fn file(&self, name: &Name, contents: &[u8]) -> Result<(), Halt> {
        let file = self.dir()?.create_file(name, 0o600)?;
        file.write_at(contents, 0)?;
        self.close(file)
    }

    /// Makes a file with these contents, and waits until they are seen.
    pub(super) fn seen_file(&self, name: &Name, contents: &[u8]) -> Result<(), Halt> {
        self.file(name, contents)?;
        self.await_contents(name, contents)
    }

    /// Waits until a file has these contents.
    pub(super) fn await_contents(&self, name: &Name, contents: &[u8]) -> Result<(), Halt> {
        let more = [self.patience(), self.patience() + 3000];
        if self.look_at_moments(&more, |_| self.shows(name, contents))? {
            Ok(())
        } else {
            Err(Halt::Failed(Errno::TIMEDOUT))
        }
    }

    /// Looks at the usual moments and those in `more` until `look`, which is told how many
    /// milliseconds have passed, has seen enough. The result: whether it has.
    pub(super) fn look_at_moments(
        &self,
        more: &[u32],
        mut look: impl FnMut(u32) -> Result<bool, Halt>,
    ) -> Result<bool, Halt> {
        let mut clock = Clock::new();
        for moment in moments(more) {
            self.wait(moment - clock.waited)?;
            clock.waited = moment;
            let began = if moment == 0 { 0 } else { clock.millis() };
            if look(began)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Whether a file is there and has these contents.
    pub(super) fn shows(&self, name: &Name, contents: &[u8]) -> Result<bool, Halt> {
        match self.contents(name) {
            Ok(seen) => Ok(seen == contents),
            Err(Halt::Failed(Errno::NOENT)) => Ok(false),
            Err(other) => Err(other),
        }
    }

    /// A file with [`LENGTH`] bytes that are seen.
    pub(super) fn full_file(&self, name: &Name) -> Result<Vec<u8>, Halt> {
        let contents = pattern(LENGTH);
        self.seen_file(name, &contents)?;
        Ok(contents)
    }

    /// Opens a file for reading and writing.
    pub(super) fn open(&self, name: &Name) -> Result<File, Halt> {
        Ok(self.dir()?.open_file(name, Access::ReadWrite)?)
    }

    /// Closes a file; errors of an upload come now.
    pub(super) fn close(&self, file: File) -> Result<(), Halt> {
        self.dir()?;
        file.flush()?;
        drop(file);
        Ok(())
    }

    /// All bytes of a file, as a new open reads them.
    pub(super) fn contents(&self, name: &Name) -> Result<Vec<u8>, Halt> {
        let file = self.dir()?.open_file(name, Access::Read)?;
        self.read(&file)
    }

    /// All bytes of an open file.
    pub(super) fn read(&self, file: &File) -> Result<Vec<u8>, Halt> {
        // The kernel reads as far as it believes that the file goes.
        let size = usize::try_from(file.stat_fresh()?.size);
        let mut bytes = read_all(file)?;
        if self.habits.bytes_past_end {
            bytes.truncate(size.unwrap_or(usize::MAX));
        }
        Ok(bytes)
    }

    /// Gives an order on the open file, which has the contents `before` and shall then have
    /// `ordered`, closes it, and watches.
    pub(super) fn change(
        &self,
        name: &Name,
        before: &[u8],
        ordered: &[u8],
        order: impl FnOnce(&File) -> Result<(), Error>,
    ) -> Result<Outcome, Halt> {
        let file = self.open(name).map_err(Halt::refusal)?;
        order(&file).map_err(refused)?;
        self.close(file)?;
        self.watch_contents(name, before, ordered)
    }

    /// Watches contents become what was ordered.
    pub(super) fn watch_contents(
        &self,
        name: &Name,
        before: &[u8],
        ordered: &[u8],
    ) -> Result<Outcome, Halt> {
        self.watch_settled(|| Ok(Sight::of(&*self.contents(name)?, before, ordered)))
    }
}

/// Milliseconds since something: those that were waited for, or more if looking took time.
struct Clock {
    start: Instant,
    waited: u32,
}

impl Clock {
    fn new() -> Self {
        Self {
            start: Instant::now(),
            waited: 0,
        }
    }

    fn millis(&self) -> u32 {
        self.waited.max(millis_since(self.start))
    }
}

fn millis_since(start: Instant) -> u32 {
    u32::try_from(start.elapsed().as_millis()).unwrap_or(u32::MAX)
}

/// The moments of [`LOOKS`] and `more`, in order.
fn moments(more: &[u32]) -> Vec<u32> {
    let mut moments = [&LOOKS, more].concat();
    moments.sort_unstable();
    moments
}

/// All bytes that an open file gives.
pub(super) fn read_all(file: &File) -> Result<Vec<u8>, Halt> {
    let mut bytes = vec![0; MOST];
    let len = file.read_at(&mut bytes, 0)?;
    bytes.truncate(len);
    Ok(bytes)
}

/// Bytes of which none is zero.
pub(super) fn pattern(len: usize) -> Vec<u8> {
    (1..=251).cycle().take(len).collect()
}

/// A name of the examination's own.
pub(super) fn name(text: impl Into<Vec<u8>>) -> Result<Name, Halt> {
    Name::new(text.into()).map_err(|_| Halt::Failed(Errno::INVAL))
}
