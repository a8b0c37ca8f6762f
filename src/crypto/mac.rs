//! MACs: 64, 32 and 16 bits, with and without a chained IV (format 5.5).

use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;

use super::Error;

/// The keyed HMAC-SHA1 state, made once and cloned for each MAC or IV.
pub(super) type KeyedHmac = Hmac<Sha1>;

/// The HMAC state of a cipher key.
pub(super) fn keyed(key: &[u8]) -> Result<KeyedHmac, Error> {
    KeyedHmac::new_from_slice(key).map_err(|_| Error::KeyLength {
        want: 32,
        got: key.len(),
    })
}

/// MAC_64 of `data`, followed by the chain if there is one.
///
/// A chain of 0 is not the same as none: it appends eight zero bytes.
pub(super) fn mac64(keyed: &KeyedHmac, data: &[u8], chain: Option<u64>) -> u64 {
    let mut state = keyed.clone();
    state.update(data);
    if let Some(chain) = chain {
        state.update(&chain.to_le_bytes());
    }
    fold(&state.finalize().into_bytes().into())
}

/// Folds the first 19 bytes of a hash into eight; the 20th is left out.
fn fold(hash: &[u8; 20]) -> u64 {
    let mut folded = [0; 8];
    for (i, byte) in hash.iter().take(19).enumerate() {
        if let Some(slot) = folded.get_mut(i % 8) {
            *slot ^= byte;
        }
    }
    u64::from_be_bytes(folded)
}

/// MAC_32 from MAC_64.
#[must_use]
pub const fn mac32_of(mac64: u64) -> u32 {
    let mixed = (mac64 >> 32) ^ (mac64 & 0xffff_ffff);
    // Both halves are below 2^32.
    #[allow(clippy::cast_possible_truncation)]
    let mac32 = mixed as u32;
    mac32
}

/// MAC_16 from MAC_64.
#[must_use]
pub const fn mac16_of(mac64: u64) -> u16 {
    let mac32 = mac32_of(mac64);
    let mixed = (mac32 >> 16) ^ (mac32 & 0xffff);
    // Both halves are below 2^16.
    #[allow(clippy::cast_possible_truncation)]
    let mac16 = mixed as u16;
    mac16
}

/// The value of `chain` after a step whose MAC_64 was `mac64`, under `algorithm`: the MAC
/// itself, but under the null cipher the chain stays as it was (format 3.3).
#[must_use]
pub const fn chain_after(algorithm: super::Algorithm, chain: u64, mac64: u64) -> u64 {
    match algorithm {
        super::Algorithm::Null => chain,
        _ => mac64,
    }
}
