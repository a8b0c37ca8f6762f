//! From bytes to the characters of file names and back (format 6.1).
//!
//! Not the usual base64: bits are taken least significant first. Decoding is strict: it accepts
//! only what encoding can give, where EncFS 1.9.5 lets foreign characters, surplus characters
//! and lower case pass. Such a name could be seen, but not be opened.

/// A set of 2^`bits` characters.
pub(super) struct Alphabet {
    bits: u32,
    characters: &'static [u8],
    /// Value of each character; [`NO_VALUE`] for those outside the alphabet.
    values: [u8; 256],
}

const NO_VALUE: u8 = 0xff;

/// Six bits per character.
pub(super) static BASE64: Alphabet = Alphabet::new(
    6,
    b",-0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz",
);

/// Five bits per character, no lower case.
pub(super) static BASE32: Alphabet = Alphabet::new(5, b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567");

impl Alphabet {
    const fn new(bits: u32, characters: &'static [u8]) -> Self {
        assert!(characters.len() == 1 << bits);
        let mut values = [NO_VALUE; 256];
        let mut value = 0_u8;
        while (value as usize) < characters.len() {
            values[characters[value as usize] as usize] = value;
            value += 1;
        }
        Self {
            bits,
            characters,
            values,
        }
    }

    /// Characters that `len` bytes give.
    pub(super) fn encoded_len(&self, len: usize) -> usize {
        len.saturating_mul(8).div_ceil(self.bits as usize)
    }

    /// Bytes that `len` characters can carry.
    pub(super) fn decoded_len(&self, len: usize) -> usize {
        len.saturating_mul(self.bits as usize) / 8
    }

    /// The bytes, read as one little-endian number, in characters of `bits` bits each.
    pub(super) fn encode(&self, bytes: &[u8]) -> Vec<u8> {
        let mut characters = Vec::with_capacity(self.encoded_len(bytes.len()));
        let mask = (1_u32 << self.bits) - 1;
        let (mut held, mut held_bits) = (0_u32, 0_u32);
        for &byte in bytes {
            held |= u32::from(byte) << held_bits;
            held_bits += 8;
            while held_bits >= self.bits {
                characters.push(self.character(held & mask));
                held >>= self.bits;
                held_bits -= self.bits;
            }
        }
        if held_bits > 0 {
            characters.push(self.character(held & mask));
        }
        characters
    }

    /// The bytes that encode to exactly these characters, if there are any.
    pub(super) fn decode(&self, characters: &[u8]) -> Option<Vec<u8>> {
        let mut bytes = Vec::with_capacity(self.decoded_len(characters.len()));
        let (mut held, mut held_bits) = (0_u32, 0_u32);
        for &character in characters {
            let value = self.values.get(usize::from(character)).copied()?;
            if value == NO_VALUE {
                return None;
            }
            held |= u32::from(value) << held_bits;
            held_bits += self.bits;
            if held_bits >= 8 {
                let [byte, ..] = held.to_le_bytes();
                bytes.push(byte);
                held >>= 8;
                held_bits -= 8;
            }
        }
        // Left over bits must be the zeros that encoding put there, and no whole character.
        (held == 0 && held_bits < self.bits).then_some(bytes)
    }

    fn character(&self, value: u32) -> u8 {
        // Callers mask the value to the size of the alphabet.
        self.characters
            .get(value as usize)
            .copied()
            .unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::testing::Noise;

    #[test]
    fn every_length_comes_back_and_has_the_length_of_the_format() {
        let mut noise = Noise::new(2);
        for alphabet in [&BASE64, &BASE32] {
            for len in 0..100 {
                let bytes = noise.bytes(len);
                let characters = alphabet.encode(&bytes);
                assert_eq!(characters.len(), (8 * len).div_ceil(alphabet.bits as usize));
                assert_eq!(characters.len(), alphabet.encoded_len(len));
                assert_eq!(alphabet.decoded_len(characters.len()), len);
                assert_eq!(alphabet.decode(&characters).unwrap(), bytes);
            }
        }
    }

    #[test]
    fn decoding_accepts_exactly_what_encoding_gives() {
        let mut noise = Noise::new(3);
        let (mut accepted, mut refused) = (0, 0);
        for alphabet in [&BASE64, &BASE32] {
            for _ in 0..4000 {
                let len = noise.below(9);
                let mut characters: Vec<u8> = (0..len)
                    .map(|_| alphabet.characters[noise.below(alphabet.characters.len())])
                    .collect();
                if noise.below(4) == 0 && len > 0 {
                    let at = noise.below(len);
                    characters[at] = noise.bytes(1)[0];
                }
                match alphabet.decode(&characters) {
                    Some(bytes) => {
                        assert_eq!(alphabet.encode(&bytes), characters);
                        accepted += 1;
                    }
                    None => refused += 1,
                }
            }
        }
        assert!(accepted > 100 && refused > 100);
    }

    #[test]
    fn bits_are_taken_least_significant_first() {
        assert_eq!(BASE64.encode(&[0x41]), b"--");
        assert_eq!(BASE32.encode(&[0x21]), b"BB");
        assert_eq!(BASE64.decode(b"_-"), None);
        assert_eq!(BASE32.decode(b"bB"), None);
    }
}
