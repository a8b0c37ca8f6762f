//! The time that late things wait for. Tests put it forward instead of sleeping.

use std::time::{Duration, Instant};

use parking_lot::Mutex;

/// Time since the mount, and what it was put forward by.
#[derive(Debug)]
pub(super) struct Clock {
    start: Instant,
    forward: Mutex<Duration>,
}

impl Clock {
    pub(super) fn new() -> Self {
        Self {
            start: Instant::now(),
            forward: Mutex::default(),
        }
    }

    pub(super) fn now(&self) -> Duration {
        self.start.elapsed() + *self.forward.lock()
    }

    pub(super) fn advance(&self, by: Duration) {
        *self.forward.lock() += by;
    }
}
