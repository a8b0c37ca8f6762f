//! Plain reads and writes of one file over any [`BytesAt`]: one raw read or write per request
//! wherever the format allows it (format 7.2, 7.6, 7.7).

use std::ops::{Deref, Range};

use crate::secret::Zeroizing;

use super::scratch::Scratch;
use super::state::Tail;
use super::{BlockCodec, ContentState, Error, HEADER_LEN, header};
use crate::raw::BytesAt;

/// A read that begins at most this many raw bytes into a file fetches the header along with it:
/// storage reads about that much at once anyway, and a second read would be a round trip.
const NEAR_HEADER: u64 = 16 * 1024;
/// Zeros written per step where a gap must be filled, in plain bytes.
const GAP_STEP: u64 = 1024 * 1024;

/// The plain contents of one raw file. Positions and lengths are plain bytes.
pub struct Content<'a, B> {
    pub(super) codec: &'a BlockCodec,
    pub(super) bytes: &'a B,
}

/// Bytes that were read, plain in forward mode; zeroised when dropped.
pub struct PlainData {
    buf: Option<Scratch>,
    range: Range<usize>,
}

impl PlainData {
    /// The bytes `range` of a buffer.
    pub(super) fn new(buf: Scratch, range: Range<usize>) -> Self {
        Self {
            buf: Some(buf),
            range,
        }
    }

    /// No bytes.
    pub(super) fn none() -> Self {
        Self {
            buf: None,
            range: 0..0,
        }
    }
}

impl Deref for PlainData {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        self.buf
            .as_ref()
            .and_then(|buf| buf.get(self.range.clone()))
            .unwrap_or_default()
    }
}

/// What a write would destroy if it broke off: old plain data of the blocks it covers in part.
#[derive(Default)]
struct OldBlocks(Vec<(u64, Zeroizing<Vec<u8>>)>);

impl<'a, B: BytesAt> Content<'a, B> {
    /// The contents of `bytes`, coded by `codec`.
    pub fn new(codec: &'a BlockCodec, bytes: &'a B) -> Self {
        Self { codec, bytes }
    }

    /// Reads up to `len` bytes from `at`; fewer only at the end of the file. The first read
    /// fetches the header along with the data if it begins near the start of the file; another
    /// first read costs one small raw read more.
    ///
    /// # Errors
    /// A block that fails its MAC, a cut or empty header, and what the storage answered.
    pub fn read_at(&self, state: &ContentState, at: u64, len: usize) -> Result<PlainData, Error> {
        let layout = self.codec.layout();
        let size = state.plain_len(self.codec)?;
        if at >= size || len == 0 {
            return Ok(PlainData::none());
        }
        let end = at.saturating_add(len as u64).min(size);
        let first = layout.block_of(at);
        let last = layout.block_of(end - 1);
        if let Some(tail) = state.tail.as_ref().filter(|_| state.is_held())
            && last == tail.block
        {
            return self.read_held(state, tail, at, end);
        }
        let run = self.read_run(state, first, last)?;
        let base = layout.plain_start(first);
        // Both differences are below the length of the buffer.
        let from = run.start + usize_of(at - base)?;
        let to = (run.start + usize_of(end - base)?).min(run.end);
        Ok(PlainData {
            range: from.min(to)..to,
            buf: Some(run.buf),
        })
    }

    /// Reads what ends in the held block: from storage as far as that has it.
    fn read_held(
        &self,
        state: &ContentState,
        tail: &Tail,
        at: u64,
        end: u64,
    ) -> Result<PlainData, Error> {
        let held_from = self.codec.layout().plain_start(tail.block);
        let mut buf = self.codec.scratch(usize_of(end - at)?);
        let stored = usize_of(held_from.saturating_sub(at))?;
        if stored > 0 {
            let data = self.read_at(state, at, stored)?;
            if data.len() < stored {
                let range = 0..data.len();
                buf[range.clone()].copy_from_slice(&data);
                return Ok(PlainData {
                    buf: Some(buf),
                    range,
                });
            }
            buf[..stored].copy_from_slice(&data);
        }
        let from = usize_of(at.saturating_sub(held_from))?;
        let to = usize_of(end - held_from)?;
        let held = tail.plain.get(from..to).unwrap_or_default();
        buf[stored..stored + held.len()].copy_from_slice(held);
        Ok(PlainData {
            range: 0..stored + held.len(),
            buf: Some(buf),
        })
    }

    /// Writes `data` at `at`. Past the end the last block is completed and the gap filled as
    /// the volume's settings demand (7.6).
    ///
    /// # Errors
    /// As [`read_at`](Self::read_at), since partly covered blocks are read first;
    /// [`Error::TooLarge`]. What was stored before stays readable where that can be had; the
    /// state is stale then.
    pub fn write_at(&self, state: &mut ContentState, at: u64, data: &[u8]) -> Result<(), Error> {
        if data.is_empty() {
            return Ok(());
        }
        let end = at.checked_add(data.len() as u64).ok_or(Error::TooLarge)?;
        self.codec.layout().raw_size(end).ok_or(Error::TooLarge)?;
        let size = state.plain_len(self.codec)?;
        let result = self
            .bridge_gap(state, at)
            .and_then(|from| self.write_region(state, from, at - from, data));
        if result.is_err() {
            self.undo_growth(state, size);
        }
        result
    }

    /// After a failed change: a file that grew by its first steps is cut back to `size`.
    pub(super) fn undo_growth(&self, state: &mut ContentState, size: u64) {
        if state.stale {
            match self.bytes.len() {
                Ok(raw_len) => state.refresh(raw_len),
                Err(_) => return,
            }
        }
        if state.plain_len(self.codec).is_ok_and(|now| now > size)
            && let Err(error) = self.set_len(state, size)
        {
            tracing::warn!("a file could not be cut back after a failed change: {error}");
        }
    }

    /// Prepares a write that begins at `at`: if that lies past the end, fills the gap as far as
    /// it must not be part of the same raw write. The result is where the write has to begin,
    /// with zeros from there to `at`.
    pub(super) fn bridge_gap(&self, state: &mut ContentState, at: u64) -> Result<u64, Error> {
        let layout = self.codec.layout();
        let size = state.plain_len(self.codec)?;
        if at <= size {
            return Ok(at);
        }
        if !self.codec.holes() {
            let mut size = size;
            loop {
                // To the end of a block, so that no block is written twice.
                let to = (size + GAP_STEP).next_multiple_of(layout.data_size());
                if to >= at {
                    return Ok(size);
                }
                self.write_region(state, size, to - size, &[])?;
                size = to;
            }
        }
        let old_end = size.next_multiple_of(layout.data_size());
        let block_start = layout.plain_start(layout.block_of(at));
        if block_start <= old_end {
            return Ok(size);
        }
        if old_end > size {
            self.write_region(state, size, old_end - size, &[])?;
        }
        Ok(block_start)
    }

    /// Writes `zeros` zero bytes and then `data` at `at`, which must not lie past the end, or
    /// at the start of a block if the volume allows holes.
    pub(super) fn write_region(
        &self,
        state: &mut ContentState,
        at: u64,
        zeros: u64,
        data: &[u8],
    ) -> Result<(), Error> {
        let layout = *self.codec.layout();
        let size = state.plain_len(self.codec)?;
        let end = at + zeros + data.len() as u64;
        if end == at {
            return Ok(());
        }
        let (first, last) = (layout.block_of(at), layout.block_of(end - 1));
        let base = layout.plain_start(first);
        let region_end = end.max(size.min(layout.plain_start(last + 1)));
        // Before the header is asked for: an edge near the start of the file brings it along.
        let old = self.load_edges(state, first, last, at.min(size) > base, region_end > end)?;
        let file_iv = self.file_iv_for_writing(state)?;
        let new_header = self.codec.has_header() && state.stored_len == 0;
        let lead = if new_header && first == 0 {
            HEADER_LEN
        } else {
            0
        };
        let mut buf = self
            .codec
            .scratch(lead + usize_of(layout.run_size(region_end - base))?);
        let (head, run) = buf.split_at_mut(lead);
        for (block, plain) in &old.0 {
            self.codec
                .place(run, layout.plain_start(*block) - base, plain);
        }
        self.codec.place_zeros(run, at - base, usize_of(zeros)?);
        self.codec.place(run, at - base + zeros, data);
        let reaches_end = region_end >= size;
        let tail = reaches_end
            .then(|| self.tail_of(run, first, region_end))
            .flatten();
        let raw_at = layout.raw_start(first);
        let raw_end = raw_at + run.len() as u64;
        let stored_end = match &tail {
            // What is held must never have been in storage, where it would be old, and must
            // follow what is there without a gap.
            Some(tail)
                if state.may_hold
                    && state.stored_len <= layout.raw_start(tail.block)
                    && raw_at - lead as u64 <= state.stored_len =>
            {
                layout.raw_start(tail.block)
            }
            _ => raw_end,
        };
        let run_len = usize_of(stored_end - raw_at)?;
        if run_len > 0 {
            self.codec.encode(file_iv, first, &mut run[..run_len])?;
            if new_header {
                let sealed = self.codec.seal_header(file_iv, state.external_iv);
                if lead > 0 {
                    head.copy_from_slice(&sealed);
                } else {
                    self.bytes.write_at(&sealed, 0)?;
                    state.stored_len = HEADER_LEN as u64;
                    state.raw_len = state.raw_len.max(state.stored_len);
                }
            }
            let written = self
                .bytes
                .write_at(&buf[..lead + run_len], raw_at - lead as u64);
            if let Err(error) = written {
                self.put_back(state, file_iv, &old, raw_end);
                return Err(error.into());
            }
            state.stored_len = state.stored_len.max(stored_end);
        }
        if reaches_end {
            state.tail = tail;
        }
        state.raw_len = state.raw_len.max(raw_end);
        state.surely_empty = false;
        Ok(())
    }

    /// Writes a held block, so that the storage has everything.
    ///
    /// # Errors
    /// What the storage answered; the block is held on.
    pub fn flush_held(&self, state: &mut ContentState) -> Result<(), Error> {
        let layout = *self.codec.layout();
        let Some(tail) = state.tail.as_ref().filter(|_| state.is_held()) else {
            return Ok(());
        };
        let file_iv = self.file_iv_for_writing(state)?;
        let raw = self.encode_block(file_iv, tail.block, &tail.plain)?;
        let raw_at = layout.raw_start(tail.block);
        if self.codec.has_header() && state.stored_len == 0 {
            // The held block is the first one, and the header goes with it.
            let mut first = self.codec.scratch(HEADER_LEN + raw.len());
            first[..HEADER_LEN]
                .copy_from_slice(&self.codec.seal_header(file_iv, state.external_iv));
            first[HEADER_LEN..].copy_from_slice(&raw);
            self.bytes.write_at(&first, 0)?;
        } else {
            self.bytes.write_at(&raw, raw_at)?;
        }
        state.stored_len = state.raw_len;
        Ok(())
    }

    /// Old plain data of the first and last block of a write, where they are covered in part:
    /// from the tail cache, else read; one raw read if they are the same or neighbours.
    fn load_edges(
        &self,
        state: &ContentState,
        first: u64,
        last: u64,
        head: bool,
        tail: bool,
    ) -> Result<OldBlocks, Error> {
        let mut old = OldBlocks::default();
        let mut wanted = [head.then_some(first), tail.then_some(last)];
        if head && tail && first == last {
            wanted[1] = None;
        }
        for block in &mut wanted {
            if let (Some(number), Some(tail)) = (*block, &state.tail)
                && number == tail.block
            {
                old.0.push((number, tail.plain.clone()));
                *block = None;
            }
        }
        match wanted {
            [Some(first), Some(last)] if last == first + 1 => {
                self.read_old(state, first, last, &mut old)?;
            }
            [first, last] => {
                for block in [first, last].into_iter().flatten() {
                    self.read_old(state, block, block, &mut old)?;
                }
            }
        }
        Ok(old)
    }

    fn read_old(
        &self,
        state: &ContentState,
        first: u64,
        last: u64,
        old: &mut OldBlocks,
    ) -> Result<(), Error> {
        let run = self.read_run(state, first, last)?;
        let data_size = usize_of(self.codec.layout().data_size())?;
        let plain = run.buf.get(run.start..run.end).unwrap_or_default();
        for (number, block) in (first..=last).zip(plain.chunks(data_size)) {
            old.0.push((number, Zeroizing::new(block.to_vec())));
        }
        Ok(())
    }

    /// After a write that broke off: old data of partly covered blocks are written again, and a
    /// file that grew is cut back, so that what was acknowledged can be read.
    fn put_back(&self, state: &mut ContentState, file_iv: u64, old: &OldBlocks, raw_end: u64) {
        let layout = self.codec.layout();
        let held = state.is_held();
        if !held {
            state.stale = true;
            state.tail = None;
        }
        let old_len = state.raw_len;
        for (number, plain) in &old.0 {
            if held && layout.raw_start(*number) >= state.stored_len {
                continue;
            }
            let result = self
                .encode_block(file_iv, *number, plain)
                .and_then(|raw| Ok(self.bytes.write_at(&raw, layout.raw_start(*number))?));
            if let Err(error) = result {
                tracing::warn!(
                    "block {number} could not be restored after a failed write: {error}"
                );
            }
        }
        if held {
            // The held block is safe here; what arrived of the rest goes.
            if let Err(error) = self.bytes.set_len(state.stored_len) {
                tracing::warn!("a file could not be cut back after a failed write: {error}");
            }
            return;
        }
        if raw_end > old_len {
            let partial = (old_len.saturating_sub(layout.header_size())) % layout.block_size();
            let last = old_len.saturating_sub(layout.header_size()) / layout.block_size();
            let restored = partial == 0 || old.0.iter().any(|(number, _)| *number == last);
            let cut_to = if restored {
                Some(old_len)
            } else {
                // The old last block was overwritten whole: keep the blocks that are complete.
                self.bytes.len().ok().map(|len| {
                    let run = len.saturating_sub(layout.header_size());
                    layout.raw_start(run / layout.block_size()).min(len)
                })
            };
            if let Some(Err(error)) = cut_to.map(|len| self.bytes.set_len(len)) {
                tracing::warn!("a file could not be cut back after a failed write: {error}");
            }
        }
    }

    /// One block, full or partial, as it is stored.
    pub(super) fn encode_block(
        &self,
        file_iv: u64,
        number: u64,
        plain: &[u8],
    ) -> Result<Scratch, Error> {
        let len = self.codec.layout().run_size(plain.len() as u64);
        let mut raw = self.codec.scratch(usize_of(len)?);
        self.codec.place(&mut raw, 0, plain);
        self.codec.encode(file_iv, number, &mut raw)?;
        Ok(raw)
    }

    /// The partial last block of a raw-shaped run that is not yet encoded.
    fn tail_of(&self, run: &[u8], first: u64, plain_end: u64) -> Option<Tail> {
        let layout = self.codec.layout();
        let partial = plain_end % layout.data_size();
        if partial == 0 {
            return None;
        }
        let block = layout.block_of(plain_end);
        let start = (block - first) * layout.block_size() + layout.overhead();
        let start = usize::try_from(start).ok()?;
        let end = start.checked_add(usize::try_from(partial).ok()?)?;
        Some(Tail {
            block,
            plain: Zeroizing::new(run.get(start..end)?.to_vec()),
        })
    }

    /// The file IV for a change; makes a new one for a file that has no header yet.
    pub(super) fn file_iv_for_writing(&self, state: &ContentState) -> Result<u64, Error> {
        match self.file_iv(state) {
            Some(iv) => Ok(iv),
            None if state.surely_empty => self.new_iv(state),
            None if state.raw_len == 0 => {
                // Storage that lags may call a file empty that is not. A header is made only if
                // reading finds none.
                let mut raw = [0; HEADER_LEN];
                match self.bytes.read_at(&mut raw, 0)? {
                    0 => self.new_iv(state),
                    got => Err(Error::Unsettled { found: got as u64 }),
                }
            }
            None => self.read_header(state),
        }
    }

    fn new_iv(&self, state: &ContentState) -> Result<u64, Error> {
        let iv = header::new_file_iv()?;
        Ok(*state.file_iv.get_or_init(|| iv))
    }

    /// The file IV if it is known without reading; 0 where files have no header.
    pub(super) fn file_iv(&self, state: &ContentState) -> Option<u64> {
        if self.codec.has_header() {
            state.known_file_iv()
        } else {
            Some(0)
        }
    }

    fn read_header(&self, state: &ContentState) -> Result<u64, Error> {
        let mut raw = [0; HEADER_LEN];
        let got = self.bytes.read_at(&mut raw, 0)?;
        if got < HEADER_LEN {
            return Err(Error::CutHeader {
                raw_len: got as u64,
            });
        }
        let iv = self.codec.open_header(raw, state.external_iv)?;
        Ok(*state.file_iv.get_or_init(|| iv))
    }

    /// Reads and decodes the blocks `first` to `last`, as far as the file goes.
    pub(super) fn read_run(
        &self,
        state: &ContentState,
        first: u64,
        last: u64,
    ) -> Result<PlainRun, Error> {
        let layout = self.codec.layout();
        let start = layout.raw_start(first);
        let known = match self.file_iv(state) {
            None if start > NEAR_HEADER => Some(self.read_header(state)?),
            known => known,
        };
        let lead = match known {
            None => usize_of(start)?,
            Some(_) => 0,
        };
        let end = layout
            .raw_start(last.saturating_add(1))
            .min(state.stored_len);
        let mut buf = self
            .codec
            .scratch(lead + usize_of(end.saturating_sub(start))?);
        let got = self.bytes.read_at(&mut buf, start - lead as u64)?;
        if got < buf.len() {
            // A part of a block decodes to rubbish where blocks have no MAC.
            return Err(Error::Missing {
                wanted: buf.len() as u64,
                found: got as u64,
            });
        }
        let file_iv = match known {
            Some(iv) => iv,
            None => {
                let raw = buf
                    .get(..HEADER_LEN.min(got))
                    .and_then(|raw| <[u8; HEADER_LEN]>::try_from(raw).ok())
                    .ok_or(Error::CutHeader {
                        raw_len: got as u64,
                    })?;
                let iv = self.codec.open_header(raw, state.external_iv)?;
                *state.file_iv.get_or_init(|| iv)
            }
        };
        let plain =
            self.codec
                .decode(file_iv, first, buf.get_mut(lead..got).unwrap_or_default())?;
        Ok(PlainRun {
            buf,
            start: lead,
            end: lead + plain,
        })
    }
}

/// Decoded blocks: plain bytes `start..end` of the buffer.
pub(super) struct PlainRun {
    pub(super) buf: Scratch,
    pub(super) start: usize,
    pub(super) end: usize,
}

pub(super) fn usize_of(bytes: u64) -> Result<usize, Error> {
    usize::try_from(bytes).map_err(|_| Error::TooLarge)
}
