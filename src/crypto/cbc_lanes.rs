//! CBC and CFB over a block cipher of the RustCrypto family.
//!
//! Encryption in CBC is a serial chain inside a block, but the blocks of a run are independent:
//! eight chains advance together, one cipher block each per step, which fills the processor's
//! AES pipeline (a block after the other is about four times slower; more lanes gain nothing).
//! Decryption is parallel inside each block already, so the `cbc` crate gets a block at a time.

use aes::cipher::{
    Array, Block, BlockCipherDecrypt, BlockCipherEncBackend, BlockCipherEncClosure,
    BlockCipherEncrypt, BlockModeDecrypt, BlockSizeUser, InnerIvInit, array::ArraySize,
};

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
            self.0.encrypt_with_backend(Together {
                lanes: &mut lanes[..used],
                states: &mut states[..used],
            });
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
        let (blocks, rest) = Array::slice_as_chunks_mut(data);
        for block in blocks {
            self.0.encrypt_block(&mut feedback);
            feedback = xor(block, &feedback);
            block.copy_from_slice(&feedback);
        }
        self.0.encrypt_block(&mut feedback);
        xor_into(rest, &feedback);
    }

    /// See [`super::cbc::Engine::cfb_decrypt`]: here the key stream is known beforehand, so it
    /// is made for eight cipher blocks at once.
    pub(super) fn cfb_decrypt(&self, data: &mut [u8], iv: &Iv) {
        let mut feedback = first_block::<C>(iv);
        let (blocks, rest) = Array::slice_as_chunks_mut(data);
        for group in blocks.chunks_mut(LANES) {
            let mut keys: [Block<C>; LANES] = std::array::from_fn(|_| Block::<C>::default());
            let keys = &mut keys[..group.len()];
            for (key, block) in keys.iter_mut().zip(group.iter()) {
                *key = std::mem::replace(&mut feedback, block.clone());
            }
            self.0.encrypt_blocks(keys);
            for (block, key) in group.iter_mut().zip(keys.iter()) {
                *block = xor(block, key);
            }
        }
        self.0.encrypt_block(&mut feedback);
        xor_into(rest, &feedback);
    }
}

/// Chains that advance together: lanes equally long, and as many states, at first the IVs.
///
/// A closure of the cipher's back end is compiled as a whole for the processor's AES
/// instructions; entering the cipher anew at every step takes three times as long.
struct Together<'a, 'd, N: ArraySize> {
    lanes: &'a mut [&'d mut [Array<u8, N>]],
    states: &'a mut [Array<u8, N>],
}

impl<N: ArraySize> BlockSizeUser for Together<'_, '_, N> {
    type BlockSize = N;
}

impl<N: ArraySize> BlockCipherEncClosure for Together<'_, '_, N> {
    #[inline(always)]
    fn call<B: BlockCipherEncBackend<BlockSize = N>>(self, backend: &B) {
        let Self { lanes, states } = self;
        let full = (
            <&mut [_; LANES]>::try_from(&mut *lanes),
            <&mut [_; LANES]>::try_from(&mut *states),
        );
        match full {
            // The usual case, compiled for loops of known length.
            (Ok(lanes), Ok(states)) => advance(backend, lanes, states),
            _ => advance(backend, lanes, states),
        }
    }
}

/// Encrypts all lanes from their states on.
#[inline(always)]
fn advance<N: ArraySize, B: BlockCipherEncBackend<BlockSize = N>>(
    backend: &B,
    lanes: &mut [&mut [Array<u8, N>]],
    states: &mut [Array<u8, N>],
) {
    let steps = lanes.first().map_or(0, |lane| lane.len());
    for step in 0..steps {
        for (lane, state) in lanes.iter().zip(states.iter_mut()) {
            *state = xor(state, &lane[step]);
        }
        let (parallel, rest) = Array::slice_as_chunks_mut(states);
        for blocks in parallel {
            backend.encrypt_par_blocks_inplace(blocks);
        }
        for block in rest {
            backend.encrypt_block_inplace(block);
        }
        for (lane, state) in lanes.iter_mut().zip(states.iter()) {
            lane[step].copy_from_slice(state);
        }
    }
}

/// The first bytes of an IV as a cipher block.
fn first_block<C: BlockSizeUser>(iv: &Iv) -> Block<C> {
    Array::from_fn(|i| iv.get(i).copied().unwrap_or_default())
}

/// `a ^ b`. By way of a block of its own, so that the compiler sees that nothing overlaps and
/// does it in one instruction; byte by byte it would be the slowest part of a step.
#[inline(always)]
fn xor<N: ArraySize>(a: &Array<u8, N>, b: &Array<u8, N>) -> Array<u8, N> {
    let mut mixed = a.clone();
    for (byte, other) in mixed.iter_mut().zip(b) {
        *byte ^= other;
    }
    mixed
}

/// `data ^= key` for less than a cipher block.
fn xor_into<N: ArraySize>(data: &mut [u8], key: &Array<u8, N>) {
    for (byte, key) in data.iter_mut().zip(key) {
        *byte ^= key;
    }
}
