//! Counts raw operations by kind. Always on: atomics only.
//!
//! On remote storage each raw operation is a round trip, so the counts are the contract that
//! `compat-tests/tests/op_counts.rs` holds.

use std::sync::atomic::{AtomicU64, Ordering};

use super::Op;

/// Counters of raw operations and bytes, shared by all [`Dir`](super::Dir)s and
/// [`File`](super::File)s of one volume.
#[derive(Debug)]
pub struct Meter {
    counts: [AtomicU64; Op::ALL.len()],
    bytes_read: AtomicU64,
    bytes_written: AtomicU64,
}

impl Default for Meter {
    fn default() -> Self {
        Self {
            counts: std::array::from_fn(|_| AtomicU64::new(0)),
            bytes_read: AtomicU64::new(0),
            bytes_written: AtomicU64::new(0),
        }
    }
}

impl Meter {
    pub(crate) fn count(&self, op: Op) {
        self.counts[op as usize].fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn read(&self, bytes: usize) {
        self.bytes_read.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    pub(crate) fn written(&self, bytes: usize) {
        self.bytes_written
            .fetch_add(bytes as u64, Ordering::Relaxed);
    }

    /// How often each operation was done since the meter was made; zeros left out.
    #[must_use]
    pub fn counts(&self) -> Vec<(Op, u64)> {
        Op::ALL
            .iter()
            .map(|&op| (op, self.counts[op as usize].load(Ordering::Relaxed)))
            .filter(|&(_, n)| n > 0)
            .collect()
    }

    /// Bytes read from and written to raw files.
    #[must_use]
    pub fn bytes(&self) -> (u64, u64) {
        (
            self.bytes_read.load(Ordering::Relaxed),
            self.bytes_written.load(Ordering::Relaxed),
        )
    }

    /// Sets all counters to zero.
    pub fn reset(&self) {
        for count in &self.counts {
            count.store(0, Ordering::Relaxed);
        }
        self.bytes_read.store(0, Ordering::Relaxed);
        self.bytes_written.store(0, Ordering::Relaxed);
    }
}
