//! The map of keys and values that generations 5 and 4 share (format 2.4).

#![warn(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use std::collections::BTreeMap;

use super::cursor::{Cursor, put_bytes, put_int};
use super::error::{Error, Fault, Place};
use super::fields::{Generation, Interface};
use super::limits;

/// The entries of a file, as they stand there. Of two equal keys the first counts.
pub(super) struct Map<'a> {
    entries: Vec<(&'a [u8], Cursor<'a>)>,
}

impl<'a> Map<'a> {
    /// Reads the entries; bytes after the last are ignored.
    pub(super) fn read(data: &'a [u8]) -> Result<Self, Error> {
        if data.len() > limits::MAX_FILE {
            return Err(Error::damaged(
                Place::Whole,
                Fault::TooLarge(limits::MAX_FILE),
            ));
        }
        let mut cursor = Cursor::new(data, 0);
        let count = cursor.int()?;
        let mut entries = Vec::new();
        for _ in 0..count {
            let place = Place::Offset(cursor.offset());
            let key = cursor.bytes()?;
            if key.is_empty() {
                return Err(Error::damaged(place, Fault::EmptyKey));
            }
            entries.push((key, cursor.value()?));
        }
        Ok(Self { entries })
    }

    fn find(&self, key: &str) -> Option<Cursor<'a>> {
        let found = self.entries.iter().find(|(k, _)| *k == key.as_bytes());
        found.map(|(_, value)| value.clone())
    }

    fn need(&self, key: &'static str) -> Result<Cursor<'a>, Error> {
        self.find(key)
            .ok_or(Error::damaged(Place::Whole, Fault::Missing(key)))
    }

    pub(super) fn has(&self, key: &str) -> bool {
        self.find(key).is_some()
    }

    pub(super) fn int(&self, key: &'static str) -> Result<u32, Error> {
        self.need(key)?.int()
    }

    pub(super) fn int_or_0(&self, key: &'static str) -> Result<u32, Error> {
        self.find(key).map_or(Ok(0), |mut value| value.int())
    }

    pub(super) fn flag(&self, key: &'static str) -> Result<bool, Error> {
        Ok(self.int_or_0(key)? != 0)
    }

    pub(super) fn bytes(&self, key: &'static str) -> Result<&'a [u8], Error> {
        self.need(key)?.bytes()
    }

    /// A text. Bytes that are not UTF-8 are replaced: only creators could hold them, and none did.
    pub(super) fn text(&self, key: &'static str) -> Result<String, Error> {
        Ok(String::from_utf8_lossy(self.bytes(key)?).into_owned())
    }

    pub(super) fn interface(&self, key: &'static str) -> Result<Interface, Error> {
        let mut value = self.need(key)?;
        Ok(Interface {
            name: String::from_utf8_lossy(value.bytes()?).into_owned(),
            major: value.int()?,
            minor: value.int()?,
            age: value.int()?,
        })
    }
}

/// Which binary generation `data` is, if it is one at all.
///
/// For files whose name does not tell. Generation 4 has no naming and no sub-version.
#[must_use]
pub fn sniff(data: &[u8]) -> Option<Generation> {
    let map = Map::read(data).ok()?;
    if !map.has("cipher") || !map.has("keyData") {
        return None;
    }
    if map.has("naming") || map.has("subVersion") {
        Some(Generation::V5)
    } else {
        Some(Generation::V4)
    }
}

/// Entries to be written; the map sorts them by key.
#[derive(Default)]
pub(super) struct MapWriter {
    entries: BTreeMap<&'static str, Vec<u8>>,
}

impl MapWriter {
    pub(super) fn int(&mut self, key: &'static str, value: u32) {
        put_int(self.entries.entry(key).or_default(), value);
    }

    pub(super) fn flag(&mut self, key: &'static str, value: bool) {
        self.int(key, u32::from(value));
    }

    pub(super) fn bytes(&mut self, key: &'static str, value: &[u8]) {
        put_bytes(self.entries.entry(key).or_default(), value);
    }

    pub(super) fn interface(&mut self, key: &'static str, value: &Interface) {
        self.bytes(key, value.name.as_bytes());
        self.int(key, value.major);
        self.int(key, value.minor);
        self.int(key, value.age);
    }

    pub(super) fn finish(self) -> Vec<u8> {
        let mut out = Vec::new();
        put_int(
            &mut out,
            u32::try_from(self.entries.len()).unwrap_or_default(),
        );
        for (key, value) in self.entries {
            put_bytes(&mut out, key.as_bytes());
            put_bytes(&mut out, &value);
        }
        out
    }
}
