//! Buffers of the size of a request, kept for the next one.
//!
//! They hold plain data for a while, so what was used is overwritten with zeros when a buffer
//! comes back.

use std::ops::{Deref, DerefMut};
use std::sync::Arc;

use crate::secret::Zeroize;
use parking_lot::Mutex;

/// Buffers kept at most: as many as requests are likely to run at once.
const KEEP: usize = 32;
/// Larger buffers than this are not kept, in bytes.
const KEEP_BYTES: usize = 2 * 1024 * 1024;

/// A pool of buffers.
#[derive(Default)]
pub(super) struct Pool {
    free: Mutex<Vec<Vec<u8>>>,
}

/// A buffer from a [`Pool`]; its contents are arbitrary until written.
pub(super) struct Scratch {
    bytes: Vec<u8>,
    len: usize,
    pool: Arc<Pool>,
}

impl Pool {
    /// A buffer of `len` bytes.
    pub(super) fn take(self: &Arc<Self>, len: usize) -> Scratch {
        let mut bytes = self.free.lock().pop().unwrap_or_default();
        if bytes.len() < len {
            bytes.resize(len, 0);
        }
        Scratch {
            bytes,
            len,
            pool: Arc::clone(self),
        }
    }
}

impl Deref for Scratch {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.bytes[..self.len]
    }
}

impl DerefMut for Scratch {
    fn deref_mut(&mut self) -> &mut [u8] {
        &mut self.bytes[..self.len]
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        self.bytes[..self.len].zeroize();
        let bytes = std::mem::take(&mut self.bytes);
        if bytes.len() <= KEEP_BYTES {
            let mut free = self.pool.free.lock();
            if free.len() < KEEP {
                free.push(bytes);
            }
        }
    }
}
