//! The encrypted view of a plain file: what reverse mode shows (format 8).
//!
//! Nothing is kept of a file between two requests, since in reverse mode others change the plain
//! files all the time: each read takes what the storage has at that moment, in whole blocks, and
//! a read that ends short tells where the last, partial block is. So the view of an unchanged
//! file is the same bytes after every mount.
//!
//! Writing goes the other way through the same steps as in forward mode, with plain and raw
//! in each other's place ([`BlockCodec::inverse`]): whole blocks of the view are decrypted, the
//! last one by stream coding. A writer that begins or ends inside a block gets that block
//! re-made from its old view, so what it writes in any pieces is in the end what it meant.

use super::content::usize_of;
use super::{BlockCodec, Content, ContentState, Error, HEADER_LEN, PlainData};
use crate::crypto::inode_file_iv;
use crate::raw::BytesAt;

/// The view of one plain file. Positions and lengths are bytes of the view.
pub struct CipherView<'a, B> {
    codec: &'a BlockCodec,
    bytes: &'a B,
    file_iv: u64,
}

impl<'a, B: BytesAt> CipherView<'a, B> {
    /// The view of `bytes`, a plain file with this inode number. The volume must have neither
    /// MACs nor random bytes in its blocks.
    pub fn new(codec: &'a BlockCodec, bytes: &'a B, inode: u64) -> Self {
        let file_iv = if codec.has_header() {
            inode_file_iv(inode)
        } else {
            0
        };
        Self {
            codec,
            bytes,
            file_iv,
        }
    }

    /// Reads up to `len` bytes from `at`; fewer only at the end. One raw read.
    ///
    /// # Errors
    /// What the storage answered; [`Error::TooLarge`] for a position that no file reaches.
    pub fn read_at(&self, at: u64, len: usize) -> Result<PlainData, Error> {
        let layout = self.codec.layout();
        let end = at.checked_add(len as u64).ok_or(Error::TooLarge)?;
        if len == 0 {
            return Ok(PlainData::none());
        }
        let header = layout.header_size();
        let first = layout.block_of(at.saturating_sub(header));
        // Of a range within the header too, a block is read: an empty file has no header.
        let last = layout.block_of(end.saturating_sub(header).saturating_sub(1));
        let lead = if at < header { HEADER_LEN } else { 0 };
        let from = layout.plain_start(first);
        let run = layout.plain_start(last + 1) - from;
        let mut buf = self.codec.scratch(lead + usize_of(run)?);
        let (head, blocks) = buf.split_at_mut(lead);
        let got = self.bytes.read_at(blocks, from)?;
        if got == 0 {
            return Ok(PlainData::none());
        }
        let blocks = blocks.get_mut(..got).unwrap_or_default();
        self.codec.encode(self.file_iv, first, blocks)?;
        if lead > 0 {
            head.copy_from_slice(&self.codec.seal_header(self.file_iv, 0));
        }
        let start = if lead > 0 { 0 } else { header + from };
        let to = usize_of(end - start)?.min(lead + got);
        let from = usize_of(at - start)?.min(to);
        Ok(PlainData::new(buf, from..to))
    }

    /// Writes encrypted `data` at `at`: the plain file gets what it decrypts to. The caller
    /// keeps other writers of the file away.
    ///
    /// # Errors
    /// [`Error::ViewNotWritable`] where files have headers; as [`Content::write_at`].
    pub fn write_at(&self, at: u64, data: &[u8]) -> Result<(), Error> {
        self.change(|content, state| content.write_at(state, at, data))
    }

    /// Cuts or extends the view to `len` bytes. What is kept of it stays as it is; whole blocks
    /// that are added are zeros in the plain file, if the volume allows holes.
    ///
    /// # Errors
    /// As [`write_at`](Self::write_at).
    pub fn set_len(&self, len: u64) -> Result<(), Error> {
        self.change(|content, state| content.set_len(state, len))
    }

    fn change(
        &self,
        act: impl FnOnce(&Content<'_, B>, &mut ContentState) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let inverse = self.codec.inverse().ok_or(Error::ViewNotWritable)?;
        let mut state = ContentState::new(self.bytes.len()?, 0);
        act(&Content::new(&inverse, self.bytes), &mut state)
    }
}
