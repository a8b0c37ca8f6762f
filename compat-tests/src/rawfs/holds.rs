//! Requests that hang until they are let go.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex};

use super::op::Op;

/// Kinds that hang, each with the number of requests that do.
#[derive(Debug, Default)]
pub(super) struct Holds {
    hanging: Mutex<HashMap<Op, u64>>,
    changed: Condvar,
}

impl Holds {
    pub(super) fn begin(&self, op: Op) {
        self.hanging.lock().insert(op, 0);
    }

    pub(super) fn end(&self, op: Op) {
        self.hanging.lock().remove(&op);
        self.changed.notify_all();
    }

    /// Returns at once unless this kind hangs.
    pub(super) fn pass(&self, op: Op) {
        let mut hanging = self.hanging.lock();
        if let Some(count) = hanging.get_mut(&op) {
            *count += 1;
            self.changed.notify_all();
        }
        while hanging.contains_key(&op) {
            self.changed.wait(&mut hanging);
        }
    }

    /// Waits until so many requests of this kind hang at the same time. The result: how many do,
    /// which is fewer only when `limit` is over.
    pub(super) fn wait_for(&self, op: Op, wanted: u64, limit: Duration) -> u64 {
        let end = Instant::now() + limit;
        let mut hanging = self.hanging.lock();
        loop {
            let count = hanging.get(&op).copied().unwrap_or(0);
            if count >= wanted || self.changed.wait_until(&mut hanging, end).timed_out() {
                return count;
            }
        }
    }
}
