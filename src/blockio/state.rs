//! What is known of one raw file while it is open.

use std::sync::OnceLock;

use crate::secret::Zeroizing;

use super::{BlockCodec, Error};

/// What is known of one raw file while it is open: raw length, file IV, last partial block.
///
/// All of it comes from this program's own reads and writes, so it must be shared by whoever has
/// the same raw file open, under one lock.
#[derive(Debug)]
pub struct ContentState {
    pub(super) raw_len: u64,
    pub(super) file_iv: OnceLock<u64>,
    pub(super) external_iv: u64,
    pub(super) tail: Option<Tail>,
    pub(super) stale: bool,
}

/// Plain bytes of the last, partial block, kept so that appending needs no read.
#[derive(Debug)]
pub(super) struct Tail {
    pub(super) block: u64,
    pub(super) plain: Zeroizing<Vec<u8>>,
}

impl ContentState {
    /// A file of `raw_len` bytes whose path gives `external_iv` (0 without external IV chaining).
    #[must_use]
    pub fn new(raw_len: u64, external_iv: u64) -> Self {
        Self {
            raw_len,
            file_iv: OnceLock::new(),
            external_iv,
            tail: None,
            stale: false,
        }
    }

    /// Raw length in bytes, as far as known.
    #[must_use]
    pub fn raw_len(&self) -> u64 {
        self.raw_len
    }

    /// Plain length in bytes.
    ///
    /// # Errors
    /// [`Error::CutHeader`].
    pub fn plain_len(&self, codec: &BlockCodec) -> Result<u64, Error> {
        codec
            .layout()
            .plain_size(self.raw_len)
            .map(|size| size.bytes)
            .ok_or(Error::CutHeader {
                raw_len: self.raw_len,
            })
    }

    /// Whether a failed write left the raw length unknown: [`refresh`](Self::refresh) first.
    #[must_use]
    pub fn is_stale(&self) -> bool {
        self.stale
    }

    /// Takes the raw length that storage reports. If it is another than the known one, somebody
    /// else wrote: what was remembered of the contents is forgotten.
    pub fn refresh(&mut self, raw_len: u64) {
        if self.stale || raw_len != self.raw_len {
            self.tail = None;
            if raw_len == 0 || self.raw_len == 0 {
                self.file_iv = OnceLock::new();
            }
            self.raw_len = raw_len;
        }
        self.stale = false;
    }

    /// Another path gives another external IV; the file IV in the header stays.
    pub fn set_external_iv(&mut self, external_iv: u64) {
        self.external_iv = external_iv;
    }

    pub(super) fn known_file_iv(&self) -> Option<u64> {
        self.file_iv.get().copied()
    }

    pub(super) fn forget_tail_from(&mut self, block: u64) {
        if self.tail.as_ref().is_some_and(|tail| tail.block >= block) {
            self.tail = None;
        }
    }
}
