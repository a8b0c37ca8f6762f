//! How many files and folders are open, for tests that must not go on before a close has come through.
//!
//! The kernel tells the end of an open file some time after `close` has returned.

use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex};

/// Files and folders that are open.
#[derive(Debug, Default)]
pub(super) struct OpenCount {
    open: Mutex<usize>,
    changed: Condvar,
}

impl OpenCount {
    pub(super) fn opened(&self) {
        *self.open.lock() += 1;
        self.changed.notify_all();
    }

    pub(super) fn closed(&self) {
        let mut open = self.open.lock();
        *open = open.saturating_sub(1);
        self.changed.notify_all();
    }

    /// Waits until no more than `wanted` are open. The result: how many are, which is more only
    /// when `limit` is over.
    pub(super) fn wait_for(&self, wanted: usize, limit: Duration) -> usize {
        let end = Instant::now() + limit;
        let mut open = self.open.lock();
        while *open > wanted && !self.changed.wait_until(&mut open, end).timed_out() {}
        *open
    }
}
