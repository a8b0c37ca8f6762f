//! The known answers of `fixtures/vectors/config_*.json`, for the tests of `config` and `config_xml`.

use serde_json::Value;

use super::{ConfigFields, Error, Generation, Interface};

/// The cases of one file.
pub(crate) fn cases(json: &str) -> Vec<Value> {
    let document: Value = serde_json::from_str(json).unwrap();
    document["cases"].as_array().unwrap().clone()
}

pub(crate) fn hex(text: &Value) -> Vec<u8> {
    let text = text.as_str().unwrap();
    (0..text.len())
        .step_by(2)
        .map(|i| u8::from_str_radix(&text[i..i + 2], 16).unwrap())
        .collect()
}

fn number(value: &Value) -> u32 {
    u32::try_from(value.as_u64().unwrap()).unwrap()
}

fn interface(value: &Value) -> Interface {
    Interface {
        name: value["name"].as_str().unwrap().to_owned(),
        major: number(&value["major"]),
        minor: number(&value["minor"]),
        age: number(&value["age"]),
    }
}

/// The values that a case expects.
pub(crate) fn fields(v: &Value) -> ConfigFields {
    let flag = |name: &str| v[name].as_bool().unwrap();
    ConfigFields {
        generation: match v["generation"].as_u64().unwrap() {
            4 => Generation::V4,
            5 => Generation::V5,
            _ => Generation::V6,
        },
        sub_version: number(&v["sub_version"]),
        creator: v["creator"].as_str().unwrap().to_owned(),
        cipher: interface(&v["cipher"]),
        naming: interface(&v["naming"]),
        key_bits: number(&v["key_bits"]),
        block_size: number(&v["block_size"]),
        key_data: hex(&v["key_data"]),
        salt: hex(&v["salt"]),
        kdf_iterations: number(&v["kdf_iterations"]),
        kdf_duration_ms: number(&v["kdf_duration_ms"]),
        plain_data: flag("plain_data"),
        unique_iv: flag("unique_iv"),
        chained_name_iv: flag("chained_name_iv"),
        external_iv: flag("external_iv"),
        mac_bytes: number(&v["mac_bytes"]),
        rand_bytes: number(&v["rand_bytes"]),
        allow_holes: flag("allow_holes"),
    }
}

/// The stage at which an error arises, in the words of the known answers.
pub(crate) fn stage(error: &Error) -> &'static str {
    match error {
        Error::Damaged { .. } | Error::UnsupportedVersion { .. } => "parse",
        Error::UnsupportedInterface { .. }
        | Error::InvalidValue { .. }
        | Error::WrappedKeyLength { .. } => "check",
    }
}

/// A stream of numbers that is the same at every run (xorshift64*).
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    pub(crate) fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.next() >> 33).unwrap() % bound
    }

    /// `bytes` with a few deterministic wounds: changed, cut, doubled and moved pieces.
    pub(crate) fn wound(&mut self, bytes: &[u8]) -> Vec<u8> {
        let mut out = bytes.to_vec();
        for _ in 0..=self.below(4) {
            if out.is_empty() {
                break;
            }
            let at = self.below(out.len());
            match self.below(6) {
                0 => out[at] ^= 1 << self.below(8),
                1 => out[at] = self.next().to_le_bytes()[0],
                2 => out.truncate(at),
                3 => {
                    let end = (at + 1 + self.below(40)).min(out.len());
                    out.drain(at..end);
                }
                4 => {
                    let end = (at + 1 + self.below(40)).min(out.len());
                    let piece = out[at..end].to_vec();
                    let to = self.below(out.len());
                    out.splice(to..to, piece);
                }
                _ => out.insert(at, b"\0\xff\x80<>&\"9-"[self.below(9)]),
            }
        }
        out
    }
}
