//! Growing and shrinking (format 7.6).

use super::content::usize_of;
use super::{Content, ContentState, Error, HEADER_LEN};
use crate::raw::{self, BytesAt};
use crate::secret::Zeroizing;

/// Takes raw bytes and their raw position.
pub type Put<'a> = &'a mut dyn FnMut(&[u8], u64) -> Result<(), raw::Error>;

/// Raw bytes copied per step where a file cannot be cut.
const COPY_STEP: u64 = 256 * 1024;

impl<B: BytesAt> Content<'_, B> {
    /// Cuts or extends the file to `len` plain bytes.
    ///
    /// A file cut to 0 is cut to 0 raw bytes, its header included: storage that ignores cutting
    /// to any size but zero must not leave old bytes behind, and EncFS reads 0 and 8 raw bytes
    /// alike. The file IV is kept in `state` for the next write.
    ///
    /// # Errors
    /// As [`write_at`](Self::write_at). If a step fails the old last block is put back.
    pub fn set_len(&self, state: &mut ContentState, len: u64) -> Result<(), Error> {
        let raw_len = self.codec.layout().raw_size(len).ok_or(Error::TooLarge)?;
        if len == 0 {
            return self.set_raw_len(state, 0);
        }
        self.flush_held(state)?;
        let size = state.plain_len(self.codec)?;
        if len == size {
            // Asked for all the same: the storage decides what becomes of the times.
            return self.set_raw_len(state, raw_len);
        }
        if len > size {
            let result = self.grow(state, len, raw_len);
            if result.is_err() {
                self.undo_growth(state, size);
            }
            result
        } else {
            self.shrink(state, len, raw_len)
        }
    }

    fn grow(&self, state: &mut ContentState, len: u64, raw_len: u64) -> Result<(), Error> {
        let layout = *self.codec.layout();
        let aligned = len.is_multiple_of(layout.data_size());
        if !(self.codec.holes() && aligned) {
            let at = self.bridge_gap(state, len)?;
            return self.write_region(state, at, len - at, &[]);
        }
        let size = state.plain_len(self.codec)?;
        let old_end = size.next_multiple_of(layout.data_size());
        if old_end > size {
            self.write_region(state, size, old_end - size, &[])?;
        }
        if old_end == len {
            return Ok(());
        }
        self.flush_held(state)?;
        if self.codec.has_header() && state.raw_len == 0 {
            let file_iv = self.file_iv_for_writing(state)?;
            let sealed = self.codec.seal_header(file_iv, state.external_iv);
            self.bytes.write_at(&sealed, 0)?;
            state.raw_len = HEADER_LEN as u64;
            state.stored_len = state.raw_len;
        }
        self.set_raw_len(state, raw_len)
    }

    fn shrink(&self, state: &mut ContentState, len: u64, raw_len: u64) -> Result<(), Error> {
        let layout = *self.codec.layout();
        let keep = usize_of(len % layout.data_size())?;
        let block = layout.block_of(len);
        if keep == 0 {
            state.forget_tail_from(block);
            return self.set_raw_len(state, raw_len);
        }
        let old = self.old_block(state, block)?;
        let kept = old.get(..keep).unwrap_or(&old);
        let file_iv = self.file_iv_for_writing(state)?;
        let raw = self.encode_block(file_iv, block, kept)?;
        state.forget_tail_from(block);
        // The block first: should cutting fail, it can be put back where it was.
        let result = self
            .bytes
            .write_at(&raw, layout.raw_start(block))
            .and_then(|()| self.bytes.set_len(raw_len))
            .map_err(Error::from)
            .and_then(|()| self.cut(state, raw_len));
        if result.is_err() {
            state.stale = true;
            let restored = self
                .encode_block(file_iv, block, &old)
                .and_then(|raw| Ok(self.bytes.write_at(&raw, layout.raw_start(block))?));
            if let Err(error) = restored {
                tracing::warn!("block {block} could not be restored after a failed cut: {error}");
            }
        }
        result
    }

    /// What the raw file would hold once cut to `len` plain bytes, given to `put` from front to
    /// back, each piece with its raw position; for storage that cannot cut. Raw holes are left
    /// out. The result: its raw length.
    ///
    /// # Errors
    /// As [`read_at`](Self::read_at); [`Error::Missing`]; what `put` answered.
    pub fn shortened(&self, state: &ContentState, len: u64, put: Put<'_>) -> Result<u64, Error> {
        let layout = *self.codec.layout();
        let raw_len = layout.raw_size(len).ok_or(Error::TooLarge)?;
        if len == 0 {
            return Ok(0);
        }
        let block = layout.block_of(len);
        let keep = usize_of(len % layout.data_size())?;
        let whole = layout.raw_start(block);
        let mut buf = self.codec.scratch(usize_of(COPY_STEP.min(whole))?);
        let mut at = 0;
        while at < whole {
            let step = usize_of(COPY_STEP.min(whole - at))?;
            let piece = &mut buf[..step];
            let got = self.bytes.read_at(piece, at)?;
            if got < step {
                return Err(Error::Missing {
                    wanted: step as u64,
                    found: got as u64,
                });
            }
            let ends = keep == 0 && at + step as u64 == whole;
            if ends || !self.codec.holes() || piece.iter().any(|&byte| byte != 0) {
                put(piece, at)?;
            }
            at += step as u64;
        }
        if keep > 0 {
            let old = self.old_block(state, block)?;
            let kept = old.get(..keep).ok_or(Error::Missing {
                wanted: keep as u64,
                found: old.len() as u64,
            })?;
            let raw = self.encode_block(self.file_iv_for_writing(state)?, block, kept)?;
            put(&raw, whole)?;
        }
        Ok(raw_len)
    }

    /// Plain bytes of one block as it is.
    fn old_block(&self, state: &ContentState, block: u64) -> Result<Zeroizing<Vec<u8>>, Error> {
        if let Some(tail) = state.tail.as_ref().filter(|tail| tail.block == block) {
            return Ok(tail.plain.clone());
        }
        let run = self.read_run(state, block, block)?;
        let plain = run.buf.get(run.start..run.end).unwrap_or_default();
        Ok(Zeroizing::new(plain.to_vec()))
    }

    fn set_raw_len(&self, state: &mut ContentState, raw_len: u64) -> Result<(), Error> {
        if let Err(error) = self.bytes.set_len(raw_len) {
            state.stale = true;
            return Err(error.into());
        }
        if raw_len < state.stored_len {
            return self.cut(state, raw_len);
        }
        state.raw_len = raw_len;
        state.stored_len = raw_len;
        if raw_len == 0 {
            state.tail = None;
            state.surely_empty = true;
        }
        Ok(())
    }

    /// The storage was told to cut the file: some takes the order and does nothing.
    fn cut(&self, state: &mut ContentState, raw_len: u64) -> Result<(), Error> {
        if raw_len == 0 {
            state.tail = None;
        }
        let found = match self.bytes.len() {
            Ok(found) => found,
            Err(error) => {
                state.stale = true;
                return Err(error.into());
            }
        };
        // Storage that reports sizes late has cut it all the same: then nothing can be read there.
        if found > raw_len && !self.bytes.ends_by(raw_len).unwrap_or(false) {
            state.stale = true;
            return Err(Error::NotCut {
                wanted: raw_len,
                found,
            });
        }
        state.raw_len = raw_len;
        state.stored_len = raw_len;
        state.surely_empty = raw_len == 0;
        Ok(())
    }
}
