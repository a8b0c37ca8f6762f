//! Punching holes, finding data: plain ranges as ranges of whole raw blocks (format 7.6).

use super::{Content, ContentState, Error};
use crate::raw::{Allocate, Errno, File};

impl Content<'_, File> {
    /// Makes `len` bytes from `at` read as zeros; the size stays. Whole blocks become holes
    /// where the volume allows them, the rest is written.
    ///
    /// # Errors
    /// As [`write_at`](Self::write_at).
    pub fn zero(&self, state: &mut ContentState, at: u64, len: u64) -> Result<(), Error> {
        self.flush_held(state)?;
        let layout = *self.codec.layout();
        let size = state.plain_len(self.codec)?;
        let end = at.saturating_add(len).min(size);
        if at >= end {
            return Ok(());
        }
        let first = at.next_multiple_of(layout.data_size()).min(end);
        // The partial last block is coded by its length and cannot be a hole.
        let last = layout.plain_start(layout.block_of(end)).max(first);
        self.zero_by_writing(state, at, first)?;
        if last > first && self.codec.holes() {
            let (from, to) = (layout.block_of(first), layout.block_of(last));
            state.forget_tail_from(from);
            let raw_from = layout.raw_start(from);
            let raw_len = layout.raw_start(to) - raw_from;
            match self.bytes.allocate(Allocate::PunchHole, raw_from, raw_len) {
                Err(error) if matches!(error.errno, Errno::OPNOTSUPP | Errno::NOSYS) => {
                    self.zero_by_writing(state, first, last)?;
                }
                result => result?,
            }
        } else {
            self.zero_by_writing(state, first, last)?;
        }
        self.zero_by_writing(state, last, end)
    }

    fn zero_by_writing(&self, state: &mut ContentState, at: u64, end: u64) -> Result<(), Error> {
        const STEP: u64 = 1024 * 1024;
        let mut at = at;
        while at < end {
            let step = STEP.min(end - at);
            self.write_region(state, at, step, &[])?;
            at += step;
        }
        Ok(())
    }

    /// Reserves space for `len` bytes from `at`; with `grow` the file then reaches to their end.
    ///
    /// # Errors
    /// `EOPNOTSUPP` where the storage cannot; as [`write_at`](Self::write_at).
    pub fn reserve(
        &self,
        state: &mut ContentState,
        at: u64,
        len: u64,
        grow: bool,
    ) -> Result<(), Error> {
        self.flush_held(state)?;
        let layout = *self.codec.layout();
        let end = at.checked_add(len).ok_or(Error::TooLarge)?;
        let raw_end = layout.raw_size(end).ok_or(Error::TooLarge)?;
        let raw_at = layout.raw_start(layout.block_of(at));
        let raw_len = raw_end.saturating_sub(raw_at).max(1);
        self.bytes.allocate(Allocate::KeepSize, raw_at, raw_len)?;
        if grow && end > state.plain_len(self.codec)? {
            self.set_len(state, end)?;
        }
        Ok(())
    }

    /// The first position from `at` on that holds data, or with `hole` that is in a hole; the
    /// end of the file is a hole.
    ///
    /// # Errors
    /// `ENXIO` at or past the end, or if no data follow.
    pub fn seek(&self, state: &ContentState, at: u64, hole: bool) -> Result<u64, Error> {
        let layout = *self.codec.layout();
        let size = state.plain_len(self.codec)?;
        let no_such = || {
            Error::Raw(crate::raw::Error::on_file(
                crate::raw::Op::Seek,
                Errno::NXIO,
            ))
        };
        if at >= size {
            return Err(no_such());
        }
        if !self.codec.holes() {
            return Ok(if hole { size } else { at });
        }
        let mut block = layout.block_of(at);
        loop {
            let raw_start = layout.raw_start(block);
            if raw_start >= state.stored_len {
                return if hole { Ok(size) } else { Err(no_such()) };
            }
            let data = match self.bytes.seek(raw_start, false) {
                Ok(data) => data,
                // No data up to the end. A partial last block is never a hole (7.6), but it is
                // zeros to the storage only if it was never written.
                Err(error) if error.errno == Errno::NXIO => state.stored_len,
                Err(error) => return Err(error.into()),
            };
            let data_block = data.saturating_sub(layout.header_size()) / layout.block_size();
            if hole {
                if data_block > block {
                    return Ok(layout.plain_start(block).max(at));
                }
                let end = self.bytes.seek(raw_start.max(data), true)?;
                let run = end.saturating_sub(layout.header_size());
                block = run.div_ceil(layout.block_size()).max(block + 1);
                if layout.plain_start(block) >= size {
                    return Ok(size);
                }
            } else {
                let found = layout.plain_start(data_block).max(at);
                return if found < size {
                    Ok(found)
                } else {
                    Err(no_such())
                };
            }
        }
    }
}
