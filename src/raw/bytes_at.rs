//! The only trait of storage: bytes at positions.

use super::{Error, File};

/// A run of bytes that can be read and written at any position.
///
/// Besides [`File`] it is implemented by what tests record into and by sources that are no
/// files; nothing else about storage is abstract.
pub trait BytesAt {
    /// Fills `buf` from position `at` (bytes). The result is the number of bytes read; it is
    /// smaller than `buf.len()` only at the end of the bytes.
    ///
    /// # Errors
    /// What the storage answered.
    fn read_at(&self, buf: &mut [u8], at: u64) -> Result<usize, Error>;

    /// Writes all of `buf` at position `at` (bytes).
    ///
    /// # Errors
    /// What the storage answered; a part may have been written.
    fn write_at(&self, buf: &[u8], at: u64) -> Result<(), Error>;

    /// Cuts or extends to `len` bytes; what is added reads as zeros.
    ///
    /// # Errors
    /// What the storage answered.
    fn set_len(&self, len: u64) -> Result<(), Error>;

    /// The number of bytes there are.
    ///
    /// # Errors
    /// What the storage answered.
    fn len(&self) -> Result<u64, Error>;

    /// Whether nothing can be read from position `at` on, whatever [`len`](Self::len) says: the
    /// size that storage reports may be an old one.
    ///
    /// # Errors
    /// What the storage answered.
    fn ends_by(&self, at: u64) -> Result<bool, Error> {
        Ok(self.read_at(&mut [0], at)? == 0)
    }

    /// Whether there are no bytes.
    ///
    /// # Errors
    /// What the storage answered.
    fn is_empty(&self) -> Result<bool, Error> {
        Ok(self.len()? == 0)
    }
}

impl BytesAt for File {
    fn read_at(&self, buf: &mut [u8], at: u64) -> Result<usize, Error> {
        File::read_at(self, buf, at)
    }

    fn write_at(&self, buf: &[u8], at: u64) -> Result<(), Error> {
        File::write_at(self, buf, at)
    }

    fn set_len(&self, len: u64) -> Result<(), Error> {
        File::set_len(self, len)
    }

    fn len(&self) -> Result<u64, Error> {
        Ok(self.stat()?.size)
    }

    fn ends_by(&self, at: u64) -> Result<bool, Error> {
        self.drop_cached(at);
        Ok(File::read_at(self, &mut [0], at)? == 0)
    }
}
