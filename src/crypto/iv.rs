//! From a 64-bit seed to the IV of a coding step (format 5.1).
//!
//! Interface majors from 3 on take HMAC-SHA1 over IV base and seed, 24 bytes at most. Both of
//! HMAC's hash states, with the key absorbed, are made once; an IV then costs two compressions
//! and nothing else. Keying HMAC anew doubles that, and going through OpenSSL costs many times
//! as much. (The `hmac` crate's cloned state is a third slower, so this is written out here; it
//! is tested against the crate.)

use crate::secret::{Zeroize, Zeroizing};
use sha1::block_api::compress;
use sha1::{Digest, Sha1};

use super::{CipherSuite, Error};

/// An IV in the first V bytes; the rest is not looked at.
pub(super) type Iv = [u8; 16];

/// Bytes that SHA-1 compresses at once.
type HashBlock = [u8; 64];

/// Makes IVs under one key.
pub(super) enum IvSeeder {
    /// Majors 3 and up.
    Hmac(Box<HmacSeeder>),
    /// Majors 1 and 2: only the low 32 bits of the seed count, so block n and block n + 2^32
    /// of a file share their IV.
    Old(Zeroizing<Iv>),
}

impl IvSeeder {
    /// The seeder of a cipher key and IV base.
    pub(super) fn new(suite: &CipherSuite, key: &[u8], iv_base: &[u8]) -> Result<Self, Error> {
        if suite.hmac_ivs() {
            return Ok(Self::Hmac(Box::new(HmacSeeder::new(key, iv_base)?)));
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
            Self::Hmac(seeder) => seeder.iv(seed),
            Self::Old(base) => old_iv(base, seed),
        }
    }
}

/// HMAC-SHA1 of `IV base || LE64(seed)`, prepared.
pub(super) struct HmacSeeder {
    /// SHA-1 after the key xor ipad.
    inner: [u32; 5],
    /// SHA-1 after the key xor opad.
    outer: [u32; 5],
    /// The inner hash's last block, in which the seed alone is missing.
    message: HashBlock,
    /// Where the seed goes.
    seed_at: usize,
}

impl HmacSeeder {
    fn new(key: &[u8], iv_base: &[u8]) -> Result<Self, Error> {
        let seed_at = iv_base.len();
        // Keys have at most 32 bytes, IV bases 16: each fits one block of the hash.
        if key.len() > size_of::<HashBlock>() || seed_at > size_of::<Iv>() {
            return Err(Error::KeyLength {
                want: size_of::<HashBlock>(),
                got: key.len(),
            });
        }
        let mut message = last_block(seed_at + size_of::<u64>());
        message[..seed_at].copy_from_slice(iv_base);
        Ok(Self {
            inner: after_key(key, 0x36),
            outer: after_key(key, 0x5c),
            message,
            seed_at,
        })
    }

    fn iv(&self, seed: u64) -> Iv {
        let mut block = self.message;
        for (slot, byte) in block.iter_mut().skip(self.seed_at).zip(seed.to_le_bytes()) {
            *slot = byte;
        }
        let mut state = self.inner;
        compress(&mut state, &[block]);

        let mut block = const { last_block(20) };
        for (slot, word) in block.chunks_exact_mut(4).zip(state) {
            slot.copy_from_slice(&word.to_be_bytes());
        }
        let mut state = self.outer;
        compress(&mut state, &[block]);

        let mut iv = Iv::default();
        for (slot, word) in iv.chunks_exact_mut(4).zip(state) {
            slot.copy_from_slice(&word.to_be_bytes());
        }
        iv
    }
}

impl Drop for HmacSeeder {
    fn drop(&mut self) {
        self.inner.zeroize();
        self.outer.zeroize();
        self.message.zeroize();
    }
}

/// SHA-1's state after one block: the key, zero padded, xor `pad`.
fn after_key(key: &[u8], pad: u8) -> [u32; 5] {
    let mut block = Zeroizing::new([pad; 64]);
    for (slot, byte) in block.iter_mut().zip(key) {
        *slot ^= byte;
    }
    let mut state = [
        0x6745_2301,
        0xefcd_ab89,
        0x98ba_dcfe,
        0x1032_5476,
        0xc3d2_e1f0,
    ];
    compress(&mut state, &[*block]);
    state
}

/// The last block of a hash of one block and `len` bytes more, which are zeros here: a 1 bit
/// after them, and the number of all bits at the end.
const fn last_block(len: usize) -> HashBlock {
    let mut block = [0; 64];
    block[len] = 0x80;
    let bits = ((64 + len as u64) * 8).to_be_bytes();
    // Less than 2^16 bits.
    block[62] = bits[6];
    block[63] = bits[7];
    block
}

/// The file IV that the view of a plain file has in reverse mode: it is made of the file's inode
/// number, so that the view is the same after every mount (format 8).
#[must_use]
pub fn inode_file_iv(inode: u64) -> u64 {
    let digest: [u8; 20] = Sha1::digest(inode.to_le_bytes()).into();
    let (first, _) = digest.split_at(8);
    first.iter().fold(0, |iv, &byte| iv << 8 | u64::from(byte))
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

#[cfg(test)]
mod tests {
    use hmac::Mac;

    use super::*;
    use crate::crypto::mac;
    use crate::crypto::testing::Noise;

    #[test]
    fn the_written_out_hmac_is_that_of_the_crate() {
        let mut noise = Noise::new(11);
        for key_len in [0, 16, 20, 24, 28, 32, 64] {
            for base_len in [0, 8, 16] {
                let (key, base) = (noise.bytes(key_len), noise.bytes(base_len));
                let seeder = HmacSeeder::new(&key, &base).unwrap();
                for seed in [0, 1, u64::MAX, noise.next()] {
                    let mut hmac = mac::keyed(&key).unwrap();
                    hmac.update(&base);
                    hmac.update(&seed.to_le_bytes());
                    assert_eq!(seeder.iv(seed), hmac.finalize().into_bytes()[..16]);
                }
            }
        }
        assert!(HmacSeeder::new(&[0; 65], &[]).is_err());
    }
}
