//! Zeroised bytes: keys, passwords, plain buffers.
//!
//! What these types hold is overwritten when they are dropped, is never copied by them, and
//! never shows in a debug print. The lowest floor: every module may use them.

use std::fmt;

pub use zeroize::{Zeroize, Zeroizing};

/// Bytes that are overwritten with zeros when dropped.
///
/// Deliberately neither `Clone` nor `Display`: a copy must be made on purpose.
pub struct SecretBytes(Box<[u8]>);

impl SecretBytes {
    /// Takes over `bytes`; spare capacity of the vector is wiped too.
    #[must_use]
    pub fn new(bytes: Vec<u8>) -> Self {
        if bytes.capacity() == bytes.len() {
            return Self(bytes.into_boxed_slice());
        }
        // Shrinking might move the bytes and leave the old ones behind: copy, then wipe all.
        let bytes = Zeroizing::new(bytes);
        Self(Box::from(bytes.as_slice()))
    }

    /// `len` zero bytes, to be filled in place.
    #[must_use]
    pub fn zeroed(len: usize) -> Self {
        Self(vec![0; len].into_boxed_slice())
    }

    /// The secret itself.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The secret itself, to be filled in place.
    #[must_use]
    pub fn as_mut_bytes(&mut self) -> &mut [u8] {
        &mut self.0
    }

    /// Number of bytes.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are no bytes.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Drop for SecretBytes {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl fmt::Debug for SecretBytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[secret]")
    }
}

/// A password: any bytes, as they are handed to the key derivation.
#[derive(Debug)]
pub struct Password(SecretBytes);

impl Password {
    /// Takes over `bytes`, from which a trailing newline must already be gone.
    #[must_use]
    pub fn new(bytes: Vec<u8>) -> Self {
        Self(SecretBytes::new(bytes))
    }

    /// The bytes of the password.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }

    /// Whether the password has no bytes; key derivation refuses it then.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_prints_do_not_show_the_bytes() {
        let secret = SecretBytes::new(b"hunter2".to_vec());
        assert_eq!(format!("{secret:?}"), "[secret]");
        let password = Password::new(b"hunter2".to_vec());
        assert!(!format!("{password:?}").contains("hunter2"));
        assert!(!format!("{password:?}").contains("104"));
    }

    #[test]
    fn spare_capacity_does_not_change_the_contents() {
        let mut bytes = Vec::with_capacity(64);
        bytes.extend_from_slice(b"abc");
        assert_eq!(SecretBytes::new(bytes).as_bytes(), b"abc");
        assert_eq!(SecretBytes::new(b"abc".to_vec()).len(), 3);
        assert_eq!(SecretBytes::zeroed(4).as_bytes(), [0; 4]);
        assert!(Password::new(Vec::new()).is_empty());
    }
}
