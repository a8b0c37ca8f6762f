//! From a 64-bit seed to the IV of a coding step (format 5.1).
//!
//! Interface majors from 3 on take HMAC-SHA1 over IV base and seed. Its state, with key and
//! IV base absorbed, is made once and cloned per IV: keying it anew doubles the cost, and going
//! through OpenSSL costs many times as much.

use hmac::Mac;
use zeroize::Zeroizing;

use super::mac::{KeyedHmac, keyed};
use super::{CipherSuite, Error};

/// An IV in the first V bytes; the rest is not looked at.
pub(super) type Iv = [u8; 16];

/// Makes IVs under one key.
pub(super) enum IvSeeder {
    /// Majors 3 and up: HMAC-SHA1 that has taken in the IV base.
    Hmac(Box<KeyedHmac>),
    /// Majors 1 and 2: only the low 32 bits of the seed count, so block n and block n + 2^32
    /// of a file share their IV.
    Old(Zeroizing<Iv>),
}

impl IvSeeder {
    /// The seeder of a cipher key and IV base.
    pub(super) fn new(suite: &CipherSuite, key: &[u8], iv_base: &[u8]) -> Result<Self, Error> {
        if suite.hmac_ivs() {
            let mut state = keyed(key)?;
            state.update(iv_base);
            return Ok(Self::Hmac(Box::new(state)));
        }
        let mut base = Zeroizing::new(Iv::default());
        for (slot, byte) in base.iter_mut().zip(iv_base) {
            *slot = *byte;
        }
        Ok(Self::Old(base))
    }

    /// ivec(`seed`).
    pub(super) fn iv(&self, seed: u64) -> Iv {
        match self {
            Self::Hmac(state) => {
                let mut state = KeyedHmac::clone(state);
                state.update(&seed.to_le_bytes());
                let hash: [u8; 20] = state.finalize().into_bytes().into();
                let [iv @ .., _, _, _, _] = hash;
                iv
            }
            Self::Old(base) => old_iv(base, seed),
        }
    }
}

/// The IV of majors 1 and 2: two products of the seed, woven into the IV base.
fn old_iv(base: &Iv, seed: u64) -> Iv {
    // Only the low 32 bits of the seed count.
    #[allow(clippy::cast_possible_truncation)]
    let s = seed as u32;
    let [a3, a2, a1, a0] = 0x060a_4011_u32.wrapping_mul(s).to_be_bytes();
    let [b3, b2, b1, b0] = 0x0221_040d_u32.wrapping_mul(s ^ 0xd3fe_a11c).to_be_bytes();
    let woven = [
        a3, b2, a1, b0, b3, a2, b1, a0, //
        a0, b1, a2, b3, a3, b2, a1, b0,
    ];
    let mut iv = *base;
    for (slot, byte) in iv.iter_mut().zip(woven) {
        *slot ^= byte;
    }
    iv
}
