//! Requests that fail: which, when, how.
//!
//! Each [`Fault`] counts the requests that it looks at from the moment it is armed. The first
//! armed fault that has something to say about a request decides.

use rustix::io::Errno;

use super::op::Op;
use crate::ops::Rng;

/// Which requests a fault looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Which {
    /// All of them.
    Every,
    /// Those that change what is stored.
    Changing,
    /// Those of one kind.
    Kind(Op),
}

impl Which {
    fn takes(self, op: Op) -> bool {
        match self {
            Self::Every => true,
            Self::Changing => op.changes(),
            Self::Kind(kind) => kind == op,
        }
    }
}

/// Which of these it hits; the first is number 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    /// Each.
    Always,
    /// One.
    Nth(u64),
    /// This one and those after it.
    From(u64),
    /// So many of a thousand, by a row of numbers that the seed gives.
    Random {
        /// Of a thousand requests.
        per_mille: u64,
        /// Of the row.
        seed: u64,
    },
}

/// What happens to a request that is hit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// It is not done, and this is the answer.
    Refuse(Errno),
    /// It is done, and this is the answer all the same.
    Unanswered(Errno),
    /// A read or write stops after so many bytes, and says so.
    Short(usize),
    /// A write stops after so many bytes, and the answer is this error.
    Torn(usize, Errno),
}

/// One fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Looks at these.
    pub which: Which,
    /// Hits these of them.
    pub when: When,
    /// Does this.
    pub effect: Effect,
    /// After the hit every request of whatever kind is answered with this.
    pub then_all: Option<Errno>,
}

impl Fault {
    /// `which` requests `when` fail by `effect`; others go on.
    #[must_use]
    pub fn new(which: Which, when: When, effect: Effect) -> Self {
        Self {
            which,
            when,
            effect,
            then_all: None,
        }
    }

    /// The connection is lost for good before change `n` is done: it and all after it are refused.
    #[must_use]
    pub fn lost_before(n: u64) -> Self {
        Self {
            then_all: Some(Errno::NOTCONN),
            ..Self::new(
                Which::Changing,
                When::Nth(n),
                Effect::Refuse(Errno::NOTCONN),
            )
        }
    }

    /// The connection is lost for good after change `n` is done and before that is told.
    #[must_use]
    pub fn lost_untold(n: u64) -> Self {
        Self {
            then_all: Some(Errno::NOTCONN),
            ..Self::new(
                Which::Changing,
                When::Nth(n),
                Effect::Unanswered(Errno::NOTCONN),
            )
        }
    }

    /// The connection is lost for good once change `n` is done and told.
    #[must_use]
    pub fn lost_after(n: u64) -> Self {
        Self {
            then_all: Some(Errno::NOTCONN),
            ..Self::new(Which::Changing, When::Nth(n), Effect::Short(usize::MAX))
        }
    }
}

/// Space that is left. Only what makes files longer takes of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Space {
    /// Bytes that still fit.
    pub left: u64,
    /// What becomes of a write of which only a part fits.
    pub partly: Partly,
    /// The answer to what does not fit: `ENOSPC` or `EDQUOT`.
    pub errno: Errno,
}

/// A write of which only a part fits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Partly {
    /// Nothing of it is written.
    Whole,
    /// The part is written and its length told, as a disk that fills does.
    Told,
    /// The part is written and the error told, as a connection that buffers does.
    Untold,
}

impl Space {
    /// How a write of `len` bytes at `offset` into a file of `size` bytes goes: how much of it is
    /// written, and the error if that is the answer.
    pub(super) fn take(&mut self, offset: u64, len: usize, size: u64) -> (usize, Option<Errno>) {
        let wanted = u64::try_from(len).unwrap_or(u64::MAX);
        let growth = (offset + wanted).saturating_sub(size);
        if growth <= self.left {
            self.left -= growth;
            return (len, None);
        }
        let fits = usize::try_from(wanted.saturating_sub(growth - self.left)).unwrap_or(0);
        match self.partly {
            Partly::Whole => (0, Some(self.errno)),
            Partly::Told if fits > 0 => {
                self.left = 0;
                (fits, None)
            }
            Partly::Told => (0, Some(self.errno)),
            Partly::Untold => {
                self.left = 0;
                (fits, Some(self.errno))
            }
        }
    }
}

/// What is to be done with one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Go,
    Hit(Effect),
}

/// The faults that are armed.
#[derive(Debug, Default)]
pub(super) struct Faults {
    armed: Vec<Armed>,
    gone: Option<Errno>,
    pub(super) space: Option<Space>,
    hits: u64,
}

#[derive(Debug)]
struct Armed {
    fault: Fault,
    seen: u64,
    rng: Rng,
}

impl Faults {
    pub(super) fn arm(&mut self, fault: Fault) {
        let seed = match fault.when {
            When::Random { seed, .. } => seed,
            _ => 0,
        };
        let rng = Rng::new(seed);
        self.armed.push(Armed {
            fault,
            seen: 0,
            rng,
        });
    }

    /// Nothing fails any more.
    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }

    /// How many requests were hit since the last clearing.
    pub(super) fn hits(&self) -> u64 {
        self.hits
    }

    pub(super) fn verdict(&mut self, op: Op) -> Verdict {
        // Handles that are given back have no answer that anyone reads.
        if matches!(op, Op::Release | Op::Releasedir) {
            return Verdict::Go;
        }
        if let Some(errno) = self.gone {
            self.hits += 1;
            return Verdict::Hit(Effect::Refuse(errno));
        }
        let mut verdict = Verdict::Go;
        for armed in &mut self.armed {
            // Each counts what it looks at, also when another has decided already.
            if armed.hit(op) && verdict == Verdict::Go {
                verdict = Verdict::Hit(armed.fault.effect);
                self.gone = self.gone.or(armed.fault.then_all);
                self.hits += 1;
            }
        }
        verdict
    }
}

impl Armed {
    fn hit(&mut self, op: Op) -> bool {
        if !self.fault.which.takes(op) {
            return false;
        }
        self.seen += 1;
        match self.fault.when {
            When::Always => true,
            When::Nth(n) => self.seen == n,
            When::From(n) => self.seen >= n,
            When::Random { per_mille, .. } => self.rng.below(1000) < per_mille,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Effect, Errno, Fault, Faults, Op, Partly, Space, Verdict, When, Which};

    fn refused(verdict: Verdict) -> bool {
        matches!(verdict, Verdict::Hit(Effect::Refuse(_)))
    }

    #[test]
    fn the_nth_of_a_kind_is_hit_and_no_other() {
        let mut faults = Faults::default();
        let effect = Effect::Refuse(Errno::IO);
        faults.arm(Fault::new(Which::Kind(Op::Write), When::Nth(2), effect));
        let ops = [Op::Write, Op::Read, Op::Write, Op::Write];
        let hit: Vec<bool> = ops.map(|op| refused(faults.verdict(op))).into();
        assert_eq!(hit, [false, false, true, false]);
        assert_eq!(faults.hits(), 1);
    }

    #[test]
    fn a_lost_connection_stays_lost_for_everything() {
        let mut faults = Faults::default();
        faults.arm(Fault::lost_before(2));
        let ops = [
            Op::Read,
            Op::Write,
            Op::Read,
            Op::Rename,
            Op::Read,
            Op::Write,
        ];
        let hit: Vec<bool> = ops.map(|op| refused(faults.verdict(op))).into();
        assert_eq!(hit, [false, false, false, true, true, true]);
        faults.clear();
        assert!(!refused(faults.verdict(Op::Read)));
    }

    #[test]
    fn random_hits_are_the_same_for_the_same_seed() {
        let row = |seed| {
            let mut faults = Faults::default();
            let when = When::Random {
                per_mille: 100,
                seed,
            };
            faults.arm(Fault::new(Which::Every, when, Effect::Refuse(Errno::IO)));
            let row: Vec<bool> = (0..1000)
                .map(|_| refused(faults.verdict(Op::Read)))
                .collect();
            row
        };
        assert_eq!(row(7), row(7));
        assert_ne!(row(7), row(8));
        let hits = row(7).iter().filter(|hit| **hit).count();
        assert!((50..150).contains(&hits), "{hits}");
    }

    #[test]
    fn space_is_taken_by_growth_only() {
        let mut space = Space {
            left: 100,
            partly: Partly::Untold,
            errno: Errno::NOSPC,
        };
        assert_eq!(space.take(0, 50, 60), (50, None));
        assert_eq!(space.take(50, 60, 60), (60, None));
        assert_eq!(space.left, 50);
        assert_eq!(space.take(110, 80, 110), (50, Some(Errno::NOSPC)));
        assert_eq!(space.take(160, 1, 160), (0, Some(Errno::NOSPC)));
        space.left = 10;
        space.partly = Partly::Told;
        assert_eq!(space.take(0, 30, 5), (15, None));
        assert_eq!(space.take(15, 15, 15), (0, Some(Errno::NOSPC)));
        space.left = 10;
        space.partly = Partly::Whole;
        assert_eq!(space.take(0, 30, 5), (0, Some(Errno::NOSPC)));
        assert_eq!(space.left, 10);
    }
}
