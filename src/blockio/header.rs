//! The per-file IV header: eight bytes before block 0 (format 7.2).

use super::Error;
use crate::crypto::{VolumeCipher, random_bytes};

/// Length of the header in bytes.
pub const HEADER_LEN: usize = 8;

/// A new random file IV, never 0.
pub(super) fn new_file_iv() -> Result<u64, Error> {
    loop {
        let mut bytes = [0; HEADER_LEN];
        random_bytes(&mut bytes)?;
        let iv = u64::from_be_bytes(bytes);
        if iv != 0 {
            return Ok(iv);
        }
    }
}

/// The raw header of a file with this file IV and external IV.
pub(super) fn seal(cipher: &VolumeCipher, file_iv: u64, external_iv: u64) -> [u8; HEADER_LEN] {
    let mut bytes = file_iv.to_be_bytes();
    cipher.encrypt_stream(&mut bytes, external_iv);
    bytes
}

/// The file IV in a raw header.
///
/// # Errors
/// [`Error::BadHeader`] if it is 0. A wrong external IV goes unnoticed: there is no checksum.
pub(super) fn open(
    cipher: &VolumeCipher,
    mut header: [u8; HEADER_LEN],
    external_iv: u64,
) -> Result<u64, Error> {
    cipher.decrypt_stream(&mut header, external_iv);
    match u64::from_be_bytes(header) {
        0 => Err(Error::BadHeader),
        iv => Ok(iv),
    }
}
