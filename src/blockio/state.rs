//! What is known of one raw file while it is open.
//!
//! On storage where every operation is a round trip, or that takes only sequential writes, a
//! partial last block is *held*: it stays here until the next write completes it, or until the
//! file is flushed, so that every raw byte is written once and in order.

use std::sync::OnceLock;

use crate::secret::Zeroizing;

use super::{BlockCodec, Error};

/// What is known of one raw file while it is open: raw length, file IV, last partial block.
///
/// All of it comes from this program's own reads and writes, so it must be shared by whoever has
/// the same raw file open, under one lock.
#[derive(Debug)]
pub struct ContentState {
    /// Raw length with everything that was written, held or not.
    pub(super) raw_len: u64,
    /// Raw length that the storage has; smaller while the tail is held.
    pub(super) stored_len: u64,
    /// Whether a partial last block may be held.
    pub(super) may_hold: bool,
    /// The file is empty by our own doing, not only by the size that storage reports.
    pub(super) surely_empty: bool,
    pub(super) file_iv: OnceLock<u64>,
    pub(super) external_iv: u64,
    pub(super) tail: Option<Tail>,
    pub(super) stale: bool,
}

/// What is known of the contents of a file that was closed.
#[derive(Debug, Clone)]
pub struct Kept {
    file_iv: Option<u64>,
    tail: Option<Tail>,
}

/// Plain bytes of the last, partial block, kept so that appending needs no read.
#[derive(Debug, Clone)]
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
            stored_len: raw_len,
            may_hold: false,
            surely_empty: false,
            file_iv: OnceLock::new(),
            external_iv,
            tail: None,
            stale: false,
        }
    }

    /// A file that was just made, and is known to be empty.
    #[must_use]
    pub fn new_file(external_iv: u64) -> Self {
        Self {
            surely_empty: true,
            ..Self::new(0, external_iv)
        }
    }

    /// What is known of the file besides its length, for whoever opens it again.
    #[must_use]
    pub fn kept(&self) -> Kept {
        Kept {
            file_iv: self.known_file_iv(),
            tail: self.tail.clone(),
        }
    }

    /// Of the same file, with what was known of it when it was closed.
    #[must_use]
    pub fn knowing(mut self, kept: Kept) -> Self {
        self.file_iv = kept.file_iv.map(OnceLock::from).unwrap_or_default();
        self.tail = kept.tail;
        self
    }

    /// Lets a partial last block wait here for the next write or the next
    /// [`flush_held`](super::Content::flush_held).
    #[must_use]
    pub fn holding(self, may_hold: bool) -> Self {
        Self { may_hold, ..self }
    }

    /// Raw length in bytes with everything that was written.
    #[must_use]
    pub fn raw_len(&self) -> u64 {
        self.raw_len
    }

    /// Raw length in bytes that the storage should report.
    #[must_use]
    pub fn stored_len(&self) -> u64 {
        self.stored_len
    }

    /// Whether the last block waits here and the storage has it not.
    #[must_use]
    pub fn is_held(&self) -> bool {
        self.stored_len < self.raw_len
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
    /// else wrote: what was remembered of the contents is forgotten, but for a held block.
    pub fn refresh(&mut self, raw_len: u64) {
        if self.is_held() {
            self.stale = false;
            return;
        }
        if self.stale || raw_len != self.raw_len {
            self.tail = None;
            if raw_len == 0 || self.raw_len == 0 {
                self.file_iv = OnceLock::new();
            }
            self.surely_empty = false;
            self.raw_len = raw_len;
            self.stored_len = raw_len;
        }
        self.stale = false;
    }

    /// The raw file was exchanged for one of `raw_len` bytes that holds the same, but is shorter.
    pub fn shortened_to(&mut self, raw_len: u64) {
        self.raw_len = raw_len;
        self.stored_len = raw_len;
        self.tail = None;
        self.stale = false;
        self.surely_empty = raw_len == 0;
    }

    /// The raw length is unknown: [`refresh`](Self::refresh) first.
    pub fn mark_stale(&mut self) {
        self.stale = true;
        self.tail = None;
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
