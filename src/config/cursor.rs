//! Reading and writing the integers and strings of the binary forms (format 2.4), within bounds.

#![warn(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use super::error::{Error, Fault, Place};

/// A position in bytes from outside. No method panics; none reads past the end.
#[derive(Debug, Clone)]
pub(super) struct Cursor<'a> {
    rest: &'a [u8],
    /// Where `rest` begins in the file.
    offset: usize,
}

impl<'a> Cursor<'a> {
    /// Reads `data`, which begins at byte `offset` of the file.
    pub(super) fn new(data: &'a [u8], offset: usize) -> Self {
        Self { rest: data, offset }
    }

    /// Where the next byte lies in the file.
    pub(super) fn offset(&self) -> usize {
        self.offset
    }

    /// The error of a value that ends too early, or otherwise does not fit, here.
    fn fault(&self, fault: Fault) -> Error {
        Error::damaged(Place::Offset(self.offset), fault)
    }

    /// An integer: base 128, most significant group first, bit 7 set in every byte but the last. 0 to 2^31 - 1.
    pub(super) fn int(&mut self) -> Result<u32, Error> {
        let mut value: u32 = 0;
        for (i, &byte) in self.rest.iter().enumerate() {
            if value > (u32::MAX >> 8) {
                // 7 more bits would pass 2^31 - 1
                return Err(self.fault(Fault::IntegerTooLarge));
            }
            value = (value << 7) | u32::from(byte & 0x7f);
            if byte & 0x80 == 0 {
                self.take(i.saturating_add(1));
                return Ok(value);
            }
        }
        Err(self.fault(Fault::EndOfData("an integer")))
    }

    /// The contents of a string, to be read in turn.
    pub(super) fn value(&mut self) -> Result<Self, Error> {
        let value = self.bytes()?;
        let offset = self.offset.saturating_sub(value.len());
        Ok(Self::new(value, offset))
    }

    /// A string: its length as an integer, then that many bytes.
    pub(super) fn bytes(&mut self) -> Result<&'a [u8], Error> {
        let len = self.int()? as usize;
        self.take(len)
            .ok_or_else(|| self.fault(Fault::EndOfData("a string")))
    }

    /// The next `len` bytes, if there are as many.
    fn take(&mut self, len: usize) -> Option<&'a [u8]> {
        let (bytes, rest) = self.rest.split_at_checked(len)?;
        self.rest = rest;
        self.offset = self.offset.saturating_add(len);
        Some(bytes)
    }
}

/// Appends `value` in the shortest form. `value` is at most 2^31 - 1.
pub(super) fn put_int(out: &mut Vec<u8>, value: u32) {
    for shift in [28, 21, 14, 7] {
        let above = value >> shift;
        if above > 0 {
            out.push(0x80 | low7(above));
        }
    }
    out.push(low7(value));
}

fn low7(value: u32) -> u8 {
    value.to_le_bytes()[0] & 0x7f
}

/// Appends a string. No configuration holds one of 2^31 bytes; a longer one would be cut.
pub(super) fn put_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    let len = u32::try_from(bytes.len()).unwrap_or(u32::MAX >> 1);
    put_int(out, len);
    out.extend(bytes.iter().take(len as usize));
}
