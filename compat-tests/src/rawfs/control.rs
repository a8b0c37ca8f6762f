//! What the tests hold while the storage is mounted: faults, counts, times.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Result, ensure};
use parking_lot::Mutex;
use rustix::io::Errno;

use super::Options;
use super::counts::{Counted, Counts, Traced};
use super::durable::Durable;
use super::faults::{Effect, Fault, Faults, Space, Verdict};
use super::holds::Holds;
use super::latency::Latency;
use super::op::Op;
use super::open_count::OpenCount;
use super::quirks::Quirks;
use crate::ops::Rng;
use crate::run::LIMIT;

/// What the serving threads and the tests share.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) counts: Counts,
    pub(super) faults: Mutex<Faults>,
    pub(super) latency: Mutex<(Latency, Rng)>,
    pub(super) durable: Mutex<Option<Durable>>,
    pub(super) holds: Holds,
    pub(super) open: OpenCount,
    pub(super) quirks: Quirks,
}

impl Shared {
    pub(super) fn new(options: &Options) -> Self {
        let mut faults = Faults::default();
        for fault in &options.faults {
            faults.arm(*fault);
        }
        faults.space = options.space;
        let counts = Counts::default();
        counts.trace(options.trace);
        Self {
            counts,
            faults: Mutex::new(faults),
            latency: Mutex::new((options.latency.clone(), Rng::new(1))),
            durable: Mutex::default(),
            holds: Holds::default(),
            open: OpenCount::default(),
            quirks: Quirks::new(options.behaviour.clone()),
        }
    }

    /// Counts a request, makes it wait, and does what the faults say. `act` is told how many bytes
    /// of a read or write to do, and whether an error follows all the same.
    pub(super) fn serve<T>(
        &self,
        op: Op,
        bytes: usize,
        detail: impl FnOnce() -> String,
        act: impl FnOnce(Limit) -> Result<T, Errno>,
    ) -> Result<T, Errno> {
        self.counts.count(op);
        let time = {
            let mut latency = self.latency.lock();
            let (latency, rng) = &mut *latency;
            latency.time(op, bytes, rng)
        };
        if !time.is_zero() {
            std::thread::sleep(time);
        }
        self.holds.pass(op);
        let verdict = self.faults.lock().verdict(op);
        let act = |limit| {
            self.quirks.settle()?;
            match self.quirks.behaviour.refused.get(&op) {
                Some(errno) => Err(*errno),
                None => act(limit),
            }
        };
        let result = match verdict {
            Verdict::Go => act(Limit::default()),
            Verdict::Hit(Effect::Refuse(errno)) => Err(errno),
            Verdict::Hit(Effect::Unanswered(errno)) => {
                act(Limit::default()).and_then(|_| Err(errno))
            }
            Verdict::Hit(Effect::Short(bytes)) => act(Limit {
                bytes: Some(bytes),
                errno: None,
            }),
            Verdict::Hit(Effect::Torn(bytes, errno)) => act(Limit {
                bytes: Some(bytes),
                errno: Some(errno),
            }),
        };
        match (op, &result) {
            (Op::Open | Op::Create | Op::Opendir, Ok(_)) => self.open.opened(),
            (Op::Release | Op::Releasedir, Ok(_)) => self.open.closed(),
            _ => {}
        }
        let errno = result.as_ref().err().copied();
        self.counts.note(op, detail, errno);
        result
    }
}

/// How much of a read or write is done.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Limit {
    pub(super) bytes: Option<usize>,
    pub(super) errno: Option<Errno>,
}

impl Limit {
    pub(super) fn of(self, wanted: usize) -> usize {
        self.bytes.map_or(wanted, |bytes| bytes.min(wanted))
    }
}

/// Changes what the storage does while it is mounted, and tells what it was asked.
#[derive(Clone, Debug)]
pub struct Control(pub(super) Arc<Shared>);

impl Control {
    /// Arms a fault, besides those that are armed.
    pub fn arm(&self, fault: Fault) {
        self.0.faults.lock().arm(fault);
    }

    /// Space is limited from now on.
    pub fn limit_space(&self, space: Space) {
        self.0.faults.lock().space = Some(space);
    }

    /// Every fault and limit is gone: the storage is good.
    pub fn heal(&self) {
        self.0.faults.lock().clear();
    }

    /// How many requests were hit by a fault since it was last healed.
    #[must_use]
    pub fn hits(&self) -> u64 {
        self.0.faults.lock().hits()
    }

    /// Numbers of requests since the last call.
    #[allow(clippy::must_use_candidate, reason = "taking them starts anew")]
    pub fn take_counts(&self) -> Counted {
        self.0.counts.take()
    }

    /// Notes each request from now on, or no longer.
    pub fn trace(&self, on: bool) {
        self.0.counts.trace(on);
    }

    /// The requests noted since the last call.
    #[must_use]
    pub fn take_trace(&self) -> Vec<Traced> {
        self.0.counts.take_trace()
    }

    /// Requests of this kind hang from now on, until what is returned is dropped.
    #[must_use]
    pub fn hold(&self, op: Op) -> Held {
        self.0.holds.begin(op);
        Held {
            shared: Arc::clone(&self.0),
            op,
        }
    }

    /// Waits until no more than `wanted` files and folders are open: the kernel tells the end of an
    /// open file some time after `close` has returned.
    ///
    /// # Errors
    /// When more stay open.
    pub fn wait_until_open(&self, wanted: usize) -> Result<()> {
        let open = self.0.open.wait_for(wanted, LIMIT);
        ensure!(open <= wanted, "{open} files stay open, not {wanted}");
        Ok(())
    }

    /// What waits for its time has waited so much longer.
    pub fn advance(&self, by: Duration) {
        self.0.quirks.clock.advance(by);
    }

    /// Sets how long requests take.
    pub fn set_latency(&self, latency: Latency) {
        self.0.latency.lock().0 = latency;
    }
}

/// Requests of one kind hang as long as this lives.
#[derive(Debug)]
pub struct Held {
    shared: Arc<Shared>,
    op: Op,
}

impl Held {
    /// Waits until so many requests hang at the same time.
    ///
    /// # Errors
    /// When there are fewer, since what would ask is itself waiting.
    pub fn wait_for(&self, wanted: u64) -> Result<()> {
        let hang = self.shared.holds.wait_for(self.op, wanted, LIMIT);
        ensure!(
            hang >= wanted,
            "{hang} {} hang, not {wanted}",
            self.op.name()
        );
        Ok(())
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.shared.holds.end(self.op);
    }
}
