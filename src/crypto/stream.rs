//! Stream coding: data of any length from 1 byte on (format 5.2, 5.3).
//!
//! Two passes of full-block CFB under two IVs, with mixing passes around them, so that every
//! byte depends on every other. The last, partial block of a file, headers, names of the stream
//! encoding and the wrapped key go through it.

use super::cbc::Engine;
use super::iv::IvSeeder;

/// Encodes `data` in place; no bytes are no work.
pub(super) fn encode(engine: &Engine, ivs: &IvSeeder, data: &mut [u8], seed: u64) {
    shuffle(data);
    engine.cfb_encrypt(data, &ivs.iv(seed));
    flip(data);
    shuffle(data);
    engine.cfb_encrypt(data, &ivs.iv(seed.wrapping_add(1)));
}

/// Decodes `data` in place.
pub(super) fn decode(engine: &Engine, ivs: &IvSeeder, data: &mut [u8], seed: u64) {
    engine.cfb_decrypt(data, &ivs.iv(seed.wrapping_add(1)));
    unshuffle(data);
    flip(data);
    engine.cfb_decrypt(data, &ivs.iv(seed));
    unshuffle(data);
}

/// Adds each byte, as changed, to the next.
fn shuffle(data: &mut [u8]) {
    let mut running = 0;
    for byte in data {
        running ^= *byte;
        *byte = running;
    }
}

/// Undoes [`shuffle`].
fn unshuffle(data: &mut [u8]) {
    let mut before = 0;
    for byte in data {
        let coded = *byte;
        *byte ^= before;
        before = coded;
    }
}

/// Reverses each piece of 64 bytes, the last may be shorter. Its own inverse.
fn flip(data: &mut [u8]) {
    for piece in data.chunks_mut(64) {
        piece.reverse();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn helper_passes_undo_themselves() {
        for len in [0, 1, 2, 63, 64, 65, 128, 200] {
            let plain: Vec<u8> = (0..len).map(|i: u8| i.wrapping_mul(37)).collect();
            let mut data = plain.clone();
            shuffle(&mut data);
            unshuffle(&mut data);
            assert_eq!(data, plain);
            flip(&mut data);
            flip(&mut data);
            assert_eq!(data, plain);
        }
        let mut data = [1, 2, 4];
        shuffle(&mut data);
        assert_eq!(data, [1, 3, 7]);
        let mut data: Vec<u8> = (0..66).collect();
        flip(&mut data);
        assert_eq!((data[0], data[63], data[64], data[65]), (63, 0, 65, 64));
    }
}
