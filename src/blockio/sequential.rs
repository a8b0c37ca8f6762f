//! A whole file from front to back: for `cat` and whatever else reads without a mount.

use super::{BlockCodec, Content, ContentState, Error};
use crate::raw::BytesAt;

/// Plain bytes per step.
const STEP: usize = 1024 * 1024;

/// Reads the plain contents of one raw file from the start to the end.
pub struct Reader<'a, B> {
    codec: &'a BlockCodec,
    content: Content<'a, B>,
    state: ContentState,
    at: u64,
}

impl<'a, B: BytesAt> Reader<'a, B> {
    /// A reader of `bytes`, a raw file whose path gives `external_iv`.
    ///
    /// # Errors
    /// What the storage answered.
    pub fn new(codec: &'a BlockCodec, bytes: &'a B, external_iv: u64) -> Result<Self, Error> {
        Ok(Self {
            codec,
            state: ContentState::new(bytes.len()?, external_iv),
            content: Content::new(codec, bytes),
            at: 0,
        })
    }

    /// Appends the next plain bytes, at most 1 MiB, to `out`; the result is their number, 0 at
    /// the end. All blocks in front of a damaged one are read before it is told.
    ///
    /// # Errors
    /// What [`Content::read_at`] says; calling again tries the same place again.
    pub fn read(&mut self, out: &mut Vec<u8>) -> Result<usize, Error> {
        let data = match self.content.read_at(&self.state, self.at, STEP) {
            Err(Error::BlockMac { block }) => {
                // What is whole in front of the damaged block is worth having.
                let damage = self.codec.layout().plain_start(block);
                let whole = usize::try_from(damage.saturating_sub(self.at)).unwrap_or(STEP);
                if whole == 0 {
                    return Err(Error::BlockMac { block });
                }
                self.content.read_at(&self.state, self.at, whole)?
            }
            read => read?,
        };
        out.extend_from_slice(&data);
        self.at += data.len() as u64;
        Ok(data.len())
    }
}
