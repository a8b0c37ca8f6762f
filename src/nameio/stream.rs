//! Stream encoding: `nameio/stream` (format 6.3).
//!
//! The name, coded in stream mode under a seed that is its own checksum, and the checksum. Raw
//! names are as short as they can be, and their length shows that of the plain name.

use super::alphabet::BASE64;
use crate::crypto::{VolumeCipher, mac16_of};

/// Bytes of the checksum.
const CHECK_LEN: usize = 2;

/// The stream encoding.
pub(super) struct StreamCoding {
    /// Version of the interface, 0 to 2.
    pub(super) major: u32,
}

impl StreamCoding {
    /// The raw name of `plain`, which is not empty, and the MAC that a chain goes on with.
    pub(super) fn encode(
        &self,
        cipher: &VolumeCipher,
        plain: &[u8],
        chain: Option<u64>,
    ) -> (Vec<u8>, u64) {
        let mac = cipher.mac64(plain, chain);
        let check = mac16_of(mac);
        let mut coded = plain.to_vec();
        cipher.encrypt_stream(&mut coded, self.seed(check, chain));
        let check = check.to_be_bytes();
        let bytes = if self.check_is_in_front() {
            [&check, coded.as_slice()].concat()
        } else {
            [coded.as_slice(), &check].concat()
        };
        (BASE64.encode(&bytes), mac)
    }

    /// The plain name whose raw name is exactly `raw`, and the MAC; never empty, but with any
    /// bytes. Strict characters and the right checksum make it exact, as with block encoding.
    pub(super) fn decode(
        &self,
        cipher: &VolumeCipher,
        raw: &[u8],
        chain: Option<u64>,
    ) -> Option<(Vec<u8>, u64)> {
        let bytes = BASE64.decode(raw)?;
        let (&check, coded) = if self.check_is_in_front() {
            bytes.split_first_chunk::<CHECK_LEN>()?
        } else {
            let (coded, check) = bytes.split_last_chunk::<CHECK_LEN>()?;
            (check, coded)
        };
        if coded.is_empty() {
            return None;
        }
        let check = u16::from_be_bytes(check);
        let mut plain = coded.to_vec();
        cipher.decrypt_stream(&mut plain, self.seed(check, chain));
        let mac = cipher.mac64(&plain, chain);
        (mac16_of(mac) == check).then_some((plain, mac))
    }

    const fn check_is_in_front(&self) -> bool {
        self.major >= 1
    }

    /// From major 2 on the chain goes into the seed, not only into the checksum.
    fn seed(&self, check: u16, chain: Option<u64>) -> u64 {
        match chain {
            Some(chain) if self.major >= 2 => u64::from(check) ^ chain,
            _ => u64::from(check),
        }
    }

    /// The longest plain name whose raw name has at most `raw_limit` bytes.
    pub(super) fn max_plain_len(raw_limit: usize) -> usize {
        BASE64.decoded_len(raw_limit).saturating_sub(CHECK_LEN)
    }
}
