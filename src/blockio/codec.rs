//! Runs of blocks, coded in place: cipher layer, MAC layer, holes (format 7.3, 7.4, 7.6).

use std::sync::Arc;

use super::layout::BlockLayout;
use super::scratch::{Pool, Scratch};
use super::{Error, HEADER_LEN, header};
use crate::crypto::{VolumeCipher, random_bytes};

/// The settings of a volume that decide how contents are coded (format 2.2).
#[derive(Debug, Clone, Copy)]
pub struct ContentSettings {
    /// Raw bytes of a block.
    pub block_size: u32,
    /// Whether each file has a header with an IV of its own.
    pub unique_iv: bool,
    /// MAC bytes in each block, 0 to 8.
    pub mac_bytes: u32,
    /// Random bytes in each block.
    pub rand_bytes: u32,
    /// Whether a full raw block of zeros stands for a plain block of zeros.
    pub allow_holes: bool,
    /// Contents are not encrypted at all.
    pub plain_data: bool,
    /// Data of blocks that fail their authentication are returned all the same.
    pub force_decode: bool,
}

/// Codes runs of blocks of one volume's files. Shared by all threads.
#[derive(Clone)]
pub struct BlockCodec {
    cipher: Arc<VolumeCipher>,
    layout: BlockLayout,
    mac_bytes: usize,
    rand_bytes: usize,
    settings: ContentSettings,
    /// Plain and raw have changed places: see [`inverse`](Self::inverse).
    inverse: bool,
    pool: Arc<Pool>,
}

impl BlockCodec {
    /// A codec for the contents of a volume.
    #[must_use]
    pub fn new(cipher: Arc<VolumeCipher>, settings: &ContentSettings) -> Self {
        let overhead = settings.mac_bytes.saturating_add(settings.rand_bytes);
        Self {
            cipher,
            layout: BlockLayout::new(settings.block_size, overhead, settings.unique_iv),
            mac_bytes: settings.mac_bytes.min(8) as usize,
            rand_bytes: settings.rand_bytes as usize,
            settings: *settings,
            inverse: false,
            pool: Arc::default(),
        }
    }

    /// The codec that takes encrypted blocks for the plain ones and stores them decrypted: what
    /// writing into the view of reverse mode does. `None` where a view cannot be written: its
    /// blocks must be as long as those stored, and the header is not the writer's to choose.
    pub(super) fn inverse(&self) -> Option<Self> {
        let possible = self.layout.overhead() == 0 && !self.has_header();
        possible.then(|| Self {
            inverse: !self.inverse,
            ..self.clone()
        })
    }

    /// Where bytes lie.
    #[must_use]
    pub fn layout(&self) -> &BlockLayout {
        &self.layout
    }

    /// Whether a full raw block of zeros is a plain block of zeros.
    #[must_use]
    pub fn holes(&self) -> bool {
        self.settings.allow_holes
    }

    /// Whether files have a header.
    #[must_use]
    pub fn has_header(&self) -> bool {
        self.settings.unique_iv
    }

    pub(super) fn scratch(&self, len: usize) -> Scratch {
        self.pool.take(len)
    }

    pub(super) fn seal_header(&self, file_iv: u64, external_iv: u64) -> [u8; HEADER_LEN] {
        header::seal(&self.cipher, file_iv, external_iv)
    }

    pub(super) fn open_header(
        &self,
        raw: [u8; HEADER_LEN],
        external_iv: u64,
    ) -> Result<u64, Error> {
        header::open(&self.cipher, raw, external_iv)
    }

    /// The file IV in a raw header, for a file whose path gives `external_iv`.
    ///
    /// # Errors
    /// [`Error::BadHeader`].
    pub fn header_iv(&self, raw: [u8; HEADER_LEN], external_iv: u64) -> Result<u64, Error> {
        self.open_header(raw, external_iv)
    }

    /// The same header for another path: the file IV stays, the external IV changes (7.9).
    ///
    /// # Errors
    /// [`Error::BadHeader`] if the header is none under the old external IV.
    pub fn rewrap_header(
        &self,
        raw: [u8; HEADER_LEN],
        old_external_iv: u64,
        new_external_iv: u64,
    ) -> Result<[u8; HEADER_LEN], Error> {
        let file_iv = self.open_header(raw, old_external_iv)?;
        Ok(self.seal_header(file_iv, new_external_iv))
    }

    /// Decodes raw blocks in place. `raw` begins with block `first`; its last block may be
    /// short, as at the end of a file. The plain bytes then stand at the front of `raw`; their
    /// number is the result.
    ///
    /// # Errors
    /// [`Error::BlockMac`].
    pub fn decode(&self, file_iv: u64, first: u64, raw: &mut [u8]) -> Result<usize, Error> {
        if self.inverse {
            // Zeros are encrypted like anything else: a view has no holes (format 8).
            self.encrypt(file_iv, first, raw);
            return Ok(raw.len());
        }
        let block = self.block_len();
        let full = raw.len() / block;
        let (blocks, last) = raw.split_at_mut(full * block);
        self.decrypt_full(file_iv, first, blocks);
        let overhead = self.mac_bytes + self.rand_bytes;
        let last_number = first.wrapping_add(full as u64);
        let last_has_data = last.len() > overhead;
        if last_has_data && !self.settings.plain_data {
            self.cipher.decrypt_stream(last, last_number ^ file_iv);
        }
        if overhead == 0 {
            return Ok(raw.len());
        }
        for (number, block) in (first..).zip(blocks.chunks_exact(block)) {
            self.check_mac(number, block)?;
        }
        if last_has_data {
            self.check_mac(last_number, last)?;
        }
        let mut plain = 0;
        let mut at = 0;
        while at + overhead < raw.len() {
            let end = (at + block).min(raw.len());
            raw.copy_within(at + overhead..end, plain);
            plain += end - at - overhead;
            at = end;
        }
        Ok(plain)
    }

    /// Encodes raw-shaped blocks in place: `raw` begins with block `first`, each block has its
    /// plain data behind room for MAC and random bytes, and the last block may be short but
    /// holds data. See [`place`](Self::place).
    ///
    /// # Errors
    /// Only if the system gives no random bytes.
    pub fn encode(&self, file_iv: u64, first: u64, raw: &mut [u8]) -> Result<(), Error> {
        self.encode_with(file_iv, first, raw, |random| Ok(random_bytes(random)?))
    }

    /// [`encode`](Self::encode) with a source of the random bytes of blocks.
    pub(super) fn encode_with(
        &self,
        file_iv: u64,
        first: u64,
        raw: &mut [u8],
        random: impl FnMut(&mut [u8]) -> Result<(), Error>,
    ) -> Result<(), Error> {
        if self.inverse {
            self.decrypt(file_iv, first, raw);
            return Ok(());
        }
        if self.overhead_len() > 0 {
            self.fill_block_headers(raw, random)?;
        }
        self.encrypt(file_iv, first, raw);
        Ok(())
    }

    /// The cipher layer alone (7.3), of blocks from `first` on, the last perhaps short.
    fn encrypt(&self, file_iv: u64, first: u64, blocks: &mut [u8]) {
        if self.settings.plain_data {
            return;
        }
        let block = self.block_len();
        let full = blocks.len() / block;
        let (blocks, last) = blocks.split_at_mut(full * block);
        self.cipher.encrypt_run(blocks, block, first, file_iv);
        self.cipher
            .encrypt_stream(last, first.wrapping_add(full as u64) ^ file_iv);
    }

    /// The cipher layer alone, without holes.
    fn decrypt(&self, file_iv: u64, first: u64, blocks: &mut [u8]) {
        if self.settings.plain_data {
            return;
        }
        let block = self.block_len();
        let full = blocks.len() / block;
        let (blocks, last) = blocks.split_at_mut(full * block);
        self.cipher.decrypt_run(blocks, block, first, file_iv);
        self.cipher
            .decrypt_stream(last, first.wrapping_add(full as u64) ^ file_iv);
    }

    /// Puts `data` at plain position `at` of a raw-shaped run whose first block begins at plain
    /// position 0; bytes outside the run are left out.
    pub(super) fn place(&self, raw: &mut [u8], at: u64, data: &[u8]) {
        self.for_each_piece(raw, at, data.len(), |piece, from| {
            piece.copy_from_slice(&data[from..from + piece.len()]);
        });
    }

    /// Like [`place`](Self::place), with `len` zeros.
    pub(super) fn place_zeros(&self, raw: &mut [u8], at: u64, len: usize) {
        self.for_each_piece(raw, at, len, |piece, _| piece.fill(0));
    }

    fn for_each_piece(
        &self,
        raw: &mut [u8],
        at: u64,
        len: usize,
        mut put: impl FnMut(&mut [u8], usize),
    ) {
        let data_len = self.block_len() - self.overhead_len();
        // A position beyond what memory holds lies outside the run.
        let Ok(at) = usize::try_from(at) else { return };
        let mut done = 0;
        while done < len {
            let (number, inside) = ((at + done) / data_len, (at + done) % data_len);
            let start = number * self.block_len() + self.overhead_len() + inside;
            let want = (data_len - inside).min(len - done);
            if start >= raw.len() {
                return;
            }
            let end = (start + want).min(raw.len());
            put(&mut raw[start..end], done);
            done += want;
        }
    }

    fn block_len(&self) -> usize {
        self.settings.block_size.max(1) as usize
    }

    fn overhead_len(&self) -> usize {
        self.mac_bytes + self.rand_bytes
    }

    /// Decrypts full blocks, leaving holes as the zeros they are.
    fn decrypt_full(&self, file_iv: u64, first: u64, blocks: &mut [u8]) {
        if self.settings.plain_data {
            return;
        }
        let block = self.block_len();
        if !self.settings.allow_holes {
            self.cipher.decrypt_run(blocks, block, first, file_iv);
            return;
        }
        let count = blocks.len() / block;
        let is_hole = |blocks: &[u8], n: usize| is_zero(&blocks[n * block..(n + 1) * block]);
        let mut start = 0;
        while start < count {
            if is_hole(blocks, start) {
                start += 1;
                continue;
            }
            let mut end = start + 1;
            while end < count && !is_hole(blocks, end) {
                end += 1;
            }
            let run = &mut blocks[start * block..end * block];
            let number = first.wrapping_add(start as u64);
            self.cipher.decrypt_run(run, block, number, file_iv);
            start = end;
        }
    }

    fn check_mac(&self, number: u64, block: &[u8]) -> Result<(), Error> {
        if self.mac_bytes == 0 || (self.settings.allow_holes && is_zero(block)) {
            return Ok(());
        }
        let (stored, covered) = block.split_at(self.mac_bytes);
        let mac = self.cipher.mac64(covered, None).to_le_bytes();
        // Every byte is compared, so that the time tells nothing of where they differ.
        let differ = stored
            .iter()
            .zip(mac)
            .fold(0, |all, (&stored, mac)| all | (stored ^ mac));
        if differ == 0 {
            return Ok(());
        }
        if self.settings.force_decode {
            tracing::warn!("block {number} fails its authentication; returned as it is");
            return Ok(());
        }
        Err(Error::BlockMac { block: number })
    }

    fn fill_block_headers(
        &self,
        raw: &mut [u8],
        mut random: impl FnMut(&mut [u8]) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let block_len = self.block_len();
        // Random bytes of many blocks at once: a system call for each would be slow.
        let mut pool = [0_u8; 2048];
        let pool_len = pool.len() / self.rand_bytes.max(1) * self.rand_bytes;
        let mut used = pool_len;
        for block in raw.chunks_mut(block_len) {
            if block.len() <= self.overhead_len() {
                continue;
            }
            let (mac, covered) = block.split_at_mut(self.mac_bytes);
            if pool_len == 0 && self.rand_bytes > 0 {
                random(&mut covered[..self.rand_bytes])?;
            } else if self.rand_bytes > 0 {
                if used == pool_len {
                    random(&mut pool[..pool_len])?;
                    used = 0;
                }
                let next = used + self.rand_bytes;
                covered[..self.rand_bytes].copy_from_slice(&pool[used..next]);
                used = next;
            }
            if self.mac_bytes > 0 {
                let full = self.cipher.mac64(covered, None).to_le_bytes();
                mac.copy_from_slice(&full[..self.mac_bytes]);
            }
        }
        Ok(())
    }
}

impl std::fmt::Debug for BlockCodec {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("BlockCodec")
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}

/// Whether all bytes are zero; ends at the first piece that is not.
fn is_zero(bytes: &[u8]) -> bool {
    bytes
        .chunks(64)
        .all(|piece| piece.iter().fold(0, |all, &byte| all | byte) == 0)
}
