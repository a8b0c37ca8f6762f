//! Where plain bytes lie in a raw file: pure arithmetic (format 7.1, 7.5).

use super::header::HEADER_LEN;

/// Sizes that decide where every byte of a raw file is. All in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BlockLayout {
    block: u64,
    overhead: u64,
    header: u64,
}

/// The plain size that belongs to a raw size.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PlainSize {
    /// Plain bytes.
    pub bytes: u64,
    /// Whether a writer produces such a raw size.
    pub state: SizeState,
}

/// Whether a writer produces a raw size.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SizeState {
    /// Yes.
    Sound,
    /// The last block holds MAC and random bytes only.
    NoData,
    /// The last block is shorter than MAC and random bytes: the file was cut.
    Stump,
}

impl BlockLayout {
    /// `block_size`: raw bytes of a block; `overhead`: MAC and random bytes in each; `header`:
    /// whether a per-file IV header comes first. `overhead` must be below `block_size`, as
    /// [`VolumeConfig`](crate::config) makes sure; one data byte per block is assumed otherwise.
    #[must_use]
    pub fn new(block_size: u32, overhead: u32, header: bool) -> Self {
        let block = u64::from(block_size.max(1));
        Self {
            block,
            overhead: u64::from(overhead).min(block - 1),
            header: if header { HEADER_LEN as u64 } else { 0 },
        }
    }

    /// Raw bytes of a full block.
    #[must_use]
    pub fn block_size(&self) -> u64 {
        self.block
    }

    /// MAC and random bytes of a block.
    #[must_use]
    pub fn overhead(&self) -> u64 {
        self.overhead
    }

    /// Plain bytes of a full block.
    #[must_use]
    pub fn data_size(&self) -> u64 {
        self.block - self.overhead
    }

    /// Raw bytes before block 0: 8 or 0.
    #[must_use]
    pub fn header_size(&self) -> u64 {
        self.header
    }

    /// Number of the block that holds the plain byte at `at`.
    #[must_use]
    pub fn block_of(&self, at: u64) -> u64 {
        at / self.data_size()
    }

    /// Plain position of the first byte of `block`.
    #[must_use]
    pub fn plain_start(&self, block: u64) -> u64 {
        block.saturating_mul(self.data_size())
    }

    /// Raw position of `block`.
    #[must_use]
    pub fn raw_start(&self, block: u64) -> u64 {
        block.saturating_mul(self.block).saturating_add(self.header)
    }

    /// Raw bytes of `plain` bytes that begin at the start of a block, without the header.
    #[must_use]
    pub fn run_size(&self, plain: u64) -> u64 {
        plain.saturating_add(
            plain
                .div_ceil(self.data_size())
                .saturating_mul(self.overhead),
        )
    }

    /// Raw size of a written file of `plain` bytes; `None` if no raw file can be that large.
    /// A file of 0 bytes has 0 (it may also have just its header).
    #[must_use]
    pub fn raw_size(&self, plain: u64) -> Option<u64> {
        if plain == 0 {
            return Some(0);
        }
        let overhead = plain
            .div_ceil(self.data_size())
            .checked_mul(self.overhead)?;
        let raw = plain.checked_add(overhead)?.checked_add(self.header)?;
        i64::try_from(raw).is_ok().then_some(raw)
    }

    /// Plain size of a raw file of `raw` bytes; `None` if it is shorter than its header.
    #[must_use]
    pub fn plain_size(&self, raw: u64) -> Option<PlainSize> {
        if raw == 0 {
            return Some(PlainSize {
                bytes: 0,
                state: SizeState::Sound,
            });
        }
        let run = raw.checked_sub(self.header)?;
        let rest = run % self.block;
        let state = match rest {
            0 => SizeState::Sound,
            rest if rest > self.overhead => SizeState::Sound,
            rest if rest == self.overhead => SizeState::NoData,
            _ => SizeState::Stump,
        };
        Some(PlainSize {
            bytes: run / self.block * self.data_size() + rest.saturating_sub(self.overhead),
            state,
        })
    }
}
