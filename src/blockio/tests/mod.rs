//! Vectors, a model and faults for file contents.

// Sizes in these tests are small.
#![allow(clippy::cast_possible_truncation)]

mod faults;
mod model;
mod vectors;
mod view;

use std::cell::{Cell, RefCell};
use std::sync::Arc;

use super::{BlockCodec, ContentSettings};
use crate::crypto::testing::{self, Noise};
use crate::crypto::{CipherSuite, VolumeCipher, VolumeKey};
use crate::raw::{BytesAt, Errno, Error, Op};

/// A raw file in memory that counts what is done to it and fails on demand.
#[derive(Default)]
pub(super) struct Memory {
    bytes: RefCell<Vec<u8>>,
    reads: Cell<u32>,
    writes: Cell<u32>,
    cuts: Cell<u32>,
    /// Changes left until one fails; after the failure all work again.
    fail_in: Cell<Option<u32>>,
    /// Bytes of a failing write that still arrive.
    partly: Cell<usize>,
    /// Writes anywhere but at the end fail.
    only_appends: Cell<bool>,
    /// Orders to cut are taken and not obeyed.
    ignores_cuts: Cell<bool>,
}

impl Memory {
    pub(super) fn new(bytes: &[u8]) -> Self {
        Self {
            bytes: RefCell::new(bytes.to_vec()),
            ..Self::default()
        }
    }

    fn contents(&self) -> Vec<u8> {
        self.bytes.borrow().clone()
    }

    fn reset(&self) {
        self.reads.set(0);
        self.writes.set(0);
        self.cuts.set(0);
    }

    fn fails_now(&self) -> bool {
        match self.fail_in.get() {
            Some(0) => {
                self.fail_in.set(None);
                true
            }
            left => {
                self.fail_in.set(left.map(|n| n - 1));
                false
            }
        }
    }
}

impl BytesAt for Memory {
    fn read_at(&self, buf: &mut [u8], at: u64) -> Result<usize, Error> {
        self.reads.set(self.reads.get() + 1);
        let bytes = self.bytes.borrow();
        let rest = bytes.get(at as usize..).unwrap_or_default();
        let n = rest.len().min(buf.len());
        buf[..n].copy_from_slice(&rest[..n]);
        Ok(n)
    }

    fn write_at(&self, buf: &[u8], at: u64) -> Result<(), Error> {
        self.writes.set(self.writes.get() + 1);
        let fails = self.fails_now();
        let buf = if fails {
            &buf[..self.partly.get().min(buf.len())]
        } else {
            buf
        };
        let mut bytes = self.bytes.borrow_mut();
        let at = at as usize;
        if self.only_appends.get() && at != bytes.len() {
            return Err(Error::on_file(Op::Write, Errno::OPNOTSUPP));
        }
        if !buf.is_empty() && bytes.len() < at + buf.len() {
            bytes.resize(at + buf.len(), 0);
        }
        bytes[at..][..buf.len()].copy_from_slice(buf);
        if fails {
            return Err(Error::on_file(Op::Write, Errno::NOSPC));
        }
        Ok(())
    }

    fn set_len(&self, len: u64) -> Result<(), Error> {
        self.cuts.set(self.cuts.get() + 1);
        if self.fails_now() {
            return Err(Error::on_file(Op::Truncate, Errno::IO));
        }
        let mut bytes = self.bytes.borrow_mut();
        if self.ignores_cuts.get() && (len as usize) < bytes.len() {
            return Ok(());
        }
        bytes.resize(len as usize, 0);
        Ok(())
    }

    fn len(&self) -> Result<u64, Error> {
        Ok(self.bytes.borrow().len() as u64)
    }
}

pub(super) fn codec(settings: &ContentSettings) -> BlockCodec {
    let suite = CipherSuite::new("ssl/aes", 3, 192).unwrap();
    let material = Noise::new(7).bytes(24 + 16);
    let key = VolumeKey::from_material(crate::secret::SecretBytes::new(material));
    let cipher = VolumeCipher::new(suite, &key).unwrap();
    BlockCodec::new(Arc::new(cipher), settings)
}

/// Settings of every shape: headers, MACs, random bytes, holes, odd block sizes.
pub(super) fn all_settings() -> Vec<ContentSettings> {
    let mut all = Vec::new();
    for unique_iv in [true, false] {
        for allow_holes in [true, false] {
            for (block_size, mac_bytes, rand_bytes) in [
                (64, 0, 0),
                (64, 8, 8),
                (80, 4, 0),
                (128, 0, 3),
                (256, 8, 0),
                (512, 1, 1),
            ] {
                all.push(ContentSettings {
                    block_size,
                    unique_iv,
                    mac_bytes,
                    rand_bytes,
                    allow_holes,
                    plain_data: false,
                    force_decode: false,
                });
            }
        }
    }
    all
}

pub(super) fn case_settings(case: &serde_json::Value) -> ContentSettings {
    let flag = |name: &str| case[name].as_bool().unwrap_or(false);
    ContentSettings {
        block_size: testing::small(&case["block_size"]),
        unique_iv: flag("unique_iv"),
        mac_bytes: testing::small(&case["mac_bytes"]),
        rand_bytes: testing::small(&case["rand_bytes"]),
        allow_holes: flag("holes"),
        plain_data: flag("plain_data"),
        force_decode: false,
    }
}
