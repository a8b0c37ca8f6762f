//! What was asked of the storage: numbers by kind, and if wanted each request in a line.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use parking_lot::Mutex;
use rustix::io::Errno;

use super::op::{KINDS, Op};

/// Counters of one mount. Requests that have no answer (`forget`) are not counted.
#[derive(Debug, Default)]
pub(super) struct Counts {
    numbers: Numbers,
    tracing: AtomicBool,
    trace: Mutex<Vec<Traced>>,
}

#[derive(Debug)]
struct Numbers([AtomicU64; KINDS]);

impl Default for Numbers {
    fn default() -> Self {
        Self(std::array::from_fn(|_| AtomicU64::new(0)))
    }
}

/// One request of a trace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Traced {
    /// Its kind.
    pub op: Op,
    /// Names, positions, sizes.
    pub detail: String,
    /// What was answered when it failed.
    pub errno: Option<Errno>,
}

impl std::fmt::Display for Traced {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.op.name(), self.detail)?;
        match self.errno {
            Some(errno) => write!(f, ": {errno:?}"),
            None => Ok(()),
        }
    }
}

/// Numbers of requests by kind; kinds that did not come are absent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counted(pub BTreeMap<Op, u64>);

impl Counted {
    /// Requests of all kinds.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.0.values().sum()
    }

    /// Requests of one kind.
    #[must_use]
    pub fn of(&self, op: Op) -> u64 {
        self.0.get(&op).copied().unwrap_or(0)
    }

    /// Requests that change what is stored.
    #[must_use]
    pub fn changes(&self) -> u64 {
        let changes = self.0.iter().filter(|(op, _)| op.changes());
        changes.map(|(_, count)| count).sum()
    }
}

impl std::fmt::Display for Counted {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut text = String::new();
        for (op, count) in &self.0 {
            write!(text, ", {count} {}", op.name())?;
        }
        write!(f, "{}: {}", self.total(), text.trim_start_matches(", "))
    }
}

impl Counts {
    pub(super) fn count(&self, op: Op) {
        if let Some(number) = self.numbers.0.get(op.index()) {
            number.fetch_add(1, Ordering::SeqCst);
        }
    }

    pub(super) fn note(&self, op: Op, detail: impl FnOnce() -> String, errno: Option<Errno>) {
        if self.tracing.load(Ordering::Relaxed) {
            let detail = detail();
            self.trace.lock().push(Traced { op, detail, errno });
        }
    }

    /// Everything since the last taking.
    pub(super) fn take(&self) -> Counted {
        let taken = Op::all().filter_map(|op| {
            let number = self.numbers.0.get(op.index())?;
            let count = number.swap(0, Ordering::SeqCst);
            (count > 0).then_some((op, count))
        });
        Counted(taken.collect())
    }

    pub(super) fn trace(&self, on: bool) {
        self.tracing.store(on, Ordering::Relaxed);
    }

    pub(super) fn take_trace(&self) -> Vec<Traced> {
        std::mem::take(&mut self.trace.lock())
    }
}
