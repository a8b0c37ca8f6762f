//! Block encoding: `nameio/block` and `nameio/block32` (format 6.2).
//!
//! A name is padded to whole cipher blocks, always by at least one byte, and coded in CBC under
//! a seed that is its own checksum; the checksum stands in front.

use super::alphabet::Alphabet;
use crate::crypto::{VolumeCipher, mac16_of};

/// Bytes of the checksum in front.
const CHECK_LEN: usize = 2;

/// One of the two block encodings.
pub(super) struct BlockCoding {
    pub(super) alphabet: &'static Alphabet,
    /// Version of the interface, 2 to 4.
    pub(super) major: u32,
}

impl BlockCoding {
    /// The raw name of `plain`, and the MAC that a chain goes on with.
    pub(super) fn encode(
        &self,
        cipher: &VolumeCipher,
        plain: &[u8],
        chain: Option<u64>,
    ) -> (Vec<u8>, u64) {
        let block = cipher.suite().cipher_block();
        let pad_len = block - plain.len() % block;
        let mut bytes = Vec::with_capacity(CHECK_LEN + plain.len() + pad_len);
        bytes.extend_from_slice(&[0; CHECK_LEN]);
        bytes.extend_from_slice(plain);
        // A cipher block has at most 16 bytes.
        let pad = u8::try_from(pad_len).unwrap_or_default();
        bytes.resize(bytes.len() + pad_len, pad);

        let (front, body) = bytes.split_at_mut(CHECK_LEN);
        let mac = cipher.mac64(body, chain);
        let check = mac16_of(mac);
        front.copy_from_slice(&check.to_be_bytes());
        cipher.encrypt_block(body, self.seed(check, chain));
        (self.alphabet.encode(&bytes), mac)
    }

    /// The plain name whose raw name is exactly `raw`, and the MAC; empty, or with any bytes.
    ///
    /// Strict characters, strict padding and the right checksum together mean that encoding
    /// gives `raw` again: the checksum fixes the seed, and the seed the coded bytes.
    pub(super) fn decode(
        &self,
        cipher: &VolumeCipher,
        raw: &[u8],
        chain: Option<u64>,
    ) -> Option<(Vec<u8>, u64)> {
        let block = cipher.suite().cipher_block();
        let mut bytes = self.alphabet.decode(raw)?;
        let (front, body) = bytes.split_first_chunk_mut::<CHECK_LEN>()?;
        if body.is_empty() || !body.len().is_multiple_of(block) {
            return None;
        }
        let check = u16::from_be_bytes(*front);
        cipher.decrypt_block(body, self.seed(check, chain));
        let mac = cipher.mac64(body, chain);
        if mac16_of(mac) != check {
            return None;
        }
        let &pad = body.last()?;
        let pad_len = usize::from(pad);
        if pad_len == 0 || pad_len > block {
            return None;
        }
        let (plain, padding) = body.split_at_checked(body.len().checked_sub(pad_len)?)?;
        if padding.iter().any(|&byte| byte != pad) {
            return None;
        }
        Some((plain.to_vec(), mac))
    }

    /// From major 3 on the chain goes into the seed, not only into the checksum.
    fn seed(&self, check: u16, chain: Option<u64>) -> u64 {
        match chain {
            Some(chain) if self.major >= 3 => u64::from(check) ^ chain,
            _ => u64::from(check),
        }
    }

    /// The longest plain name whose raw name has at most `raw_limit` bytes.
    pub(super) fn max_plain_len(&self, block: usize, raw_limit: usize) -> usize {
        let body = self
            .alphabet
            .decoded_len(raw_limit)
            .saturating_sub(CHECK_LEN);
        (body / block * block).saturating_sub(1)
    }
}
