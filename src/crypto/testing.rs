//! What tests of this and the upper floors share: known answers from `fixtures/vectors`, and
//! deterministic bytes.

// Lengths and noise of tests fit where they are put.
#![allow(clippy::cast_possible_truncation)]

use std::path::Path;

use serde_json::Value;

use super::{CipherSuite, VolumeCipher, VolumeKey};
use crate::secret::SecretBytes;

/// The cases of `fixtures/vectors/<name>.json`.
pub(crate) fn cases(name: &str) -> Vec<Value> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("fixtures/vectors")
        .join(name)
        .with_extension("json");
    let text = std::fs::read_to_string(&path).unwrap();
    let mut document: Value = serde_json::from_str(&text).unwrap();
    match document["cases"].take() {
        Value::Array(cases) if !cases.is_empty() => cases,
        _ => panic!("{} has no cases", path.display()),
    }
}

/// The elements of an array that may be missing.
pub(crate) fn items<'a>(case: &'a Value, field: &str) -> &'a [Value] {
    case[field].as_array().map_or(&[], Vec::as_slice)
}

/// A field of hex digits.
pub(crate) fn hex(case: &Value, field: &str) -> Vec<u8> {
    let text = case[field]
        .as_str()
        .unwrap_or_else(|| panic!("no {field} in {case}"));
    assert_eq!(text.len() % 2, 0);
    (0..text.len())
        .step_by(2)
        .map(|i| u8::from_str_radix(&text[i..i + 2], 16).unwrap())
        .collect()
}

/// A 64-bit number: a decimal string or a JSON number.
pub(crate) fn number(value: &Value) -> u64 {
    value
        .as_u64()
        .or_else(|| value.as_str()?.parse().ok())
        .unwrap_or_else(|| panic!("{value} is no number"))
}

/// A number that fits 32 bits.
pub(crate) fn small(value: &Value) -> u32 {
    number(value).try_into().unwrap()
}

/// The bytes that a `pattern` number stands for.
pub(crate) fn pattern(start: u64, len: usize) -> Vec<u8> {
    (0..len as u64)
        .map(|j| ((131 * j + 17 * (j >> 8) + start) % 256) as u8)
        .collect()
}

/// The suite of a case. Derivations by PBKDF2 depend on no major and give none.
pub(crate) fn suite(case: &Value) -> CipherSuite {
    let name = case["cipher"].as_str().unwrap();
    let major = match &case["cipher_major"] {
        Value::Null if name == "nullCipher" => 1,
        Value::Null => 3,
        major => small(major),
    };
    CipherSuite::new(name, major, small(&case["key_bits"])).unwrap()
}

/// `key || IV base` of a case.
pub(crate) fn material(case: &Value, key: &str, iv_base: &str) -> Vec<u8> {
    [hex(case, key), hex(case, iv_base)].concat()
}

/// The cipher of a case that has `key` and `iv_base`.
pub(crate) fn cipher(case: &Value) -> VolumeCipher {
    let key = VolumeKey::from_material(SecretBytes::new(material(case, "key", "iv_base")));
    VolumeCipher::new(suite(case), &key).unwrap()
}

/// Deterministic noise (xorshift64*): the same for the same seed at every run.
pub(crate) struct Noise(u64);

impl Noise {
    /// Noise from a seed other than 0.
    pub(crate) fn new(seed: u64) -> Self {
        assert_ne!(seed, 0);
        Self(seed)
    }

    /// The next 64 bits.
    pub(crate) fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    /// A number below `bound`.
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound as u64) as usize
    }

    /// `len` bytes.
    pub(crate) fn bytes(&mut self, len: usize) -> Vec<u8> {
        (0..len).map(|_| (self.next() >> 32) as u8).collect()
    }
}
