//! The expert's questions, and what counts as an answer.

use crate::crypto::Algorithm;
use crate::nameio::NameInterface;

/// Smallest block size that is offered, in bytes.
pub(super) const LEAST_BLOCK: u32 = 64;
/// Largest block size that is offered, in bytes.
pub(super) const MOST_BLOCK: u32 = 4096;
/// Most random bytes of a block.
pub(super) const MOST_RANDOM: u32 = 8;

/// A question, with what the prompt needs to know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Question {
    /// Which cipher, by its number in the list, from 1.
    Cipher {
        /// The list.
        choices: &'static [Algorithm],
        /// What an empty answer means; without it there has to be one.
        default: Option<Algorithm>,
    },
    /// How many bits of key.
    KeySize {
        /// The possible sizes, ascending.
        sizes: &'static [u32],
        /// What an empty answer means, in bits.
        default: u32,
    },
    /// How many bytes in a block.
    BlockSize {
        /// Smallest, in bytes.
        least: u32,
        /// Largest, in bytes.
        most: u32,
        /// Distance from one possible size to the next, in bytes.
        step: u32,
        /// What an empty answer means, in bytes.
        default: u32,
    },
    /// Which name encoding, by its number in the list, from 1.
    Naming {
        /// The list.
        choices: &'static [NameInterface],
        /// What an empty answer means; without it there has to be one.
        default: Option<NameInterface>,
    },
    /// How many random bytes in each block.
    RandomBytes {
        /// Most of them.
        most: u32,
    },
    /// Yes or no.
    YesNo {
        /// What is asked.
        about: YesNo,
        /// What an empty answer means.
        default: bool,
    },
}

/// What a yes-or-no question is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum YesNo {
    /// Store file contents unencrypted?
    PlainData,
    /// Do names depend on the whole path?
    NameChaining,
    /// Does each file have its own IV?
    UniqueIv,
    /// Does the file header depend on the path?
    ExternalIv,
    /// Does each block have a MAC?
    BlockMac,
    /// Do holes stay holes?
    Holes,
}

/// The number at the front of a line, as the C library reads it: blanks, sign, digits, then anything.
pub(super) fn leading_number(line: &[u8]) -> Option<i64> {
    let text = line.trim_ascii_start();
    let (negative, digits) = match text.split_first() {
        Some((b'-', rest)) => (true, rest),
        Some((b'+', rest)) => (false, rest),
        _ => (false, text),
    };
    let mut number: Option<i64> = None;
    for digit in digits.iter().take_while(|b| b.is_ascii_digit()) {
        let ten = number.unwrap_or(0).saturating_mul(10);
        number = Some(ten.saturating_add(i64::from(digit - b'0')));
    }
    number.map(|n| if negative { -n } else { n })
}

/// The choice with the number in `line`; the default for an empty line.
pub(super) fn choice<T: Copy>(line: &[u8], choices: &[T], default: Option<T>) -> Option<T> {
    if line.trim_ascii().is_empty() {
        return default;
    }
    let number = usize::try_from(leading_number(line)?).ok()?;
    choices.get(number.checked_sub(1)?).copied()
}

/// `y` or `n`, also written out and in capitals, which EncFS before 1.9 took.
#[must_use]
pub fn yes_no(line: &[u8], default: bool) -> Option<bool> {
    match line.trim_ascii().to_ascii_lowercase().as_slice() {
        b"" => Some(default),
        b"y" | b"yes" => Some(true),
        b"n" | b"no" => Some(false),
        _ => None,
    }
}

/// The possible block size nearest to what `line` says; the default for an empty, wrong or too small answer.
pub(super) fn block_size(line: &[u8], step: u32, default: u32) -> u32 {
    let asked = leading_number(line).and_then(|n| u32::try_from(n.min(MOST_BLOCK.into())).ok());
    match asked {
        Some(size) if size >= LEAST_BLOCK => {
            let rounded = (size + step / 2) / step * step;
            rounded.clamp(LEAST_BLOCK, MOST_BLOCK)
        }
        _ => default,
    }
}

/// The possible key size nearest to what `line` says, or to the default.
pub(super) fn key_bits(line: &[u8], cipher: Algorithm, default: u32) -> u32 {
    let asked = leading_number(line)
        .unwrap_or(default.into())
        .clamp(0, 1 << 20);
    cipher.nearest_key_bits(u32::try_from(asked).unwrap_or(0))
}

/// Random bytes within their bounds; not a number means none.
pub(super) fn random_bytes(line: &[u8]) -> u32 {
    let asked = leading_number(line).unwrap_or(0);
    u32::try_from(asked.clamp(0, MOST_RANDOM.into())).unwrap_or(0)
}
