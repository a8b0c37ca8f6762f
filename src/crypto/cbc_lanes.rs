//! CBC and CFB over a block cipher of the RustCrypto family.
//!
//! Encryption in CBC is a serial chain inside a block, but the blocks of a run are independent:
//! eight chains advance together, one cipher block each per step, which fills the processor's
//! AES pipeline (a block after the other is about four times slower; more lanes gain nothing).
//! Decryption is parallel inside each block already, so the `cbc` crate gets a block at a time.

use aes::cipher::{
    Array, Block, BlockCipherDecrypt, BlockCipherEncrypt, BlockModeDecrypt, BlockSizeUser,
    InnerIvInit,
};
use zeroize::Zeroizing;

use super::iv::Iv;

/// Chains that are encrypted together.
const LANES: usize = 8;

/// A keyed block cipher.
pub(super) struct Lanes<C>(C);

impl<C> Lanes<C> {
    /// Takes over a cipher with its key set up.
    pub(super) fn new(cipher: C) -> Self {
        Self(cipher)
    }
}

impl<C: BlockCipherEncrypt + BlockCipherDecrypt> Lanes<C> {
    /// See [`super::cbc::Engine::encrypt_run`].
    pub(super) fn encrypt_run(
        &self,
        data: &mut [u8],
        block_size: usize,
        iv_of: impl Fn(u64) -> Iv,
    ) {
        let mut next = 0;
        for group in data.chunks_mut(LANES * block_size) {
            let mut states: [Block<C>; LANES] = std::array::from_fn(|_| Block::<C>::default());
            let mut lanes: [&mut [Block<C>]; LANES] = std::array::from_fn(|_| Default::default());
            let mut used = 0;
            for ((block, lane), state) in group
                .chunks_exact_mut(block_size)
                .zip(&mut lanes)
                .zip(&mut states)
            {
                *lane = Array::slice_as_chunks_mut(block).0;
                *state = first_block::<C>(&iv_of(next));
                next += 1;
                used += 1;
            }
            self.advance_together(&mut lanes[..used], &mut states[..used]);
        }
    }

    /// Encrypts all lanes, which are equally long, from their states (the IVs) on.
    fn advance_together(&self, lanes: &mut [&mut [Block<C>]], states: &mut [Block<C>]) {
        let steps = lanes.first().map_or(0, |lane| lane.len());
        for step in 0..steps {
            for (lane, state) in lanes.iter().zip(states.iter_mut()) {
                xor(state, &lane[step]);
            }
            self.0.encrypt_blocks(states);
            for (lane, state) in lanes.iter_mut().zip(states.iter()) {
                lane[step] = state.clone();
            }
        }
    }

    /// See [`super::cbc::Engine::decrypt_run`].
    pub(super) fn decrypt_run(
        &self,
        data: &mut [u8],
        block_size: usize,
        iv_of: impl Fn(u64) -> Iv,
    ) {
        for (block, index) in data.chunks_exact_mut(block_size).zip(0..) {
            let iv = first_block::<C>(&iv_of(index));
            let blocks = Array::slice_as_chunks_mut(block).0;
            cbc::Decryptor::inner_iv_init(&self.0, &iv).decrypt_blocks(blocks);
        }
    }

    /// See [`super::cbc::Engine::cfb_encrypt`].
    pub(super) fn cfb_encrypt(&self, data: &mut [u8], iv: &Iv) {
        let mut feedback = first_block::<C>(iv);
        for piece in data.chunks_mut(C::block_size()) {
            self.0.encrypt_block(&mut feedback);
            for (byte, key) in piece.iter_mut().zip(&mut feedback) {
                *byte ^= *key;
                *key = *byte;
            }
        }
    }

    /// See [`super::cbc::Engine::cfb_decrypt`]: here the key stream is known beforehand, so it
    /// is made for eight cipher blocks at once.
    pub(super) fn cfb_decrypt(&self, data: &mut [u8], iv: &Iv) {
        let mut feedback = first_block::<C>(iv);
        for group in data.chunks_mut(LANES * C::block_size()) {
            let mut keys = Zeroizing::new([0_u8; LANES * size_of::<Iv>()]);
            let keys = Array::slice_as_chunks_mut(keys.as_mut_slice()).0;
            let mut used = 0;
            for (piece, key) in group.chunks(C::block_size()).zip(keys.iter_mut()) {
                *key = feedback.clone();
                for (slot, byte) in feedback.iter_mut().zip(piece) {
                    *slot = *byte;
                }
                used += 1;
            }
            self.0.encrypt_blocks(&mut keys[..used]);
            for (piece, key) in group.chunks_mut(C::block_size()).zip(keys.iter()) {
                for (byte, key) in piece.iter_mut().zip(key) {
                    *byte ^= *key;
                }
            }
        }
    }
}

/// The first bytes of an IV as a cipher block.
fn first_block<C: BlockSizeUser>(iv: &Iv) -> Block<C> {
    Array::from_fn(|i| iv.get(i).copied().unwrap_or_default())
}

/// `state ^= other`.
fn xor<N: aes::cipher::array::ArraySize>(state: &mut Array<u8, N>, other: &Array<u8, N>) {
    for (a, b) in state.iter_mut().zip(other) {
        *a ^= b;
    }
}
