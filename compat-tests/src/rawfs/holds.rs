//! Requests that hang until they are let go.

use std::collections::HashMap;

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

    /// Returns when a request of this kind hangs, or none does any more.
    pub(super) fn wait_for_one(&self, op: Op) {
        let mut hanging = self.hanging.lock();
        while hanging.get(&op) == Some(&0) {
            self.changed.wait(&mut hanging);
        }
    }
}
