//! Keys: the secret of a volume, and the one that a password gives (format 1).
//!
//! Both are `key || IV base`, K + V bytes. They can be made and used, but not looked at from
//! outside `crypto`.

use super::{CipherSuite, Error};
use crate::secret::SecretBytes;

/// The volume key: random, and the same for the life of a volume.
#[derive(Debug)]
pub struct VolumeKey(SecretBytes);

/// The user key: derived from the password; only wraps the volume key.
#[derive(Debug)]
pub struct UserKey(SecretBytes);

impl VolumeKey {
    /// A new random key for `suite`.
    ///
    /// # Errors
    /// [`Error::OpenSsl`] if there are no random bytes.
    pub fn generate(suite: &CipherSuite) -> Result<Self, Error> {
        let mut material = SecretBytes::zeroed(suite.material_len());
        random_bytes(material.as_mut_bytes())?;
        Ok(Self(material))
    }

    /// A known key: K bytes of cipher key, then V bytes of IV base.
    ///
    /// The length is checked where the key is used.
    #[must_use]
    pub fn from_material(material: SecretBytes) -> Self {
        Self(material)
    }

    /// Whether both are the same key; takes the same time wherever they differ.
    #[must_use]
    pub fn same_as(&self, other: &Self) -> bool {
        let (a, b) = (self.0.as_bytes(), other.0.as_bytes());
        a.len() == b.len() && openssl::memcmp::eq(a, b)
    }

    /// `key || IV base`.
    pub(super) fn material(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

impl UserKey {
    /// `key || IV base` as a derivation made it.
    pub(super) fn from_material(material: SecretBytes) -> Self {
        Self(material)
    }

    /// `key || IV base`.
    pub(super) fn material(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

/// Splits `key || IV base` into its two parts.
pub(super) fn split<'a>(
    suite: &CipherSuite,
    material: &'a [u8],
) -> Result<(&'a [u8], &'a [u8]), Error> {
    if material.len() != suite.material_len() {
        return Err(Error::KeyLength {
            want: suite.material_len(),
            got: material.len(),
        });
    }
    Ok(material.split_at(suite.key_len()))
}

/// Fills `buf` with random bytes that are fit for keys, salts and IVs.
///
/// # Errors
/// [`Error::OpenSsl`] if there are none.
pub fn random_bytes(buf: &mut [u8]) -> Result<(), Error> {
    Ok(openssl::rand::rand_bytes(buf)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn generated_keys_have_the_length_of_the_suite_and_differ() {
        let suite = CipherSuite::new("ssl/blowfish", 3, 160).unwrap();
        let a = VolumeKey::generate(&suite).unwrap();
        let b = VolumeKey::generate(&suite).unwrap();
        assert_eq!(a.material().len(), 28);
        assert!(a.same_as(&a));
        assert!(!a.same_as(&b));
        assert!(!a.same_as(&VolumeKey::from_material(SecretBytes::zeroed(3))));
    }
}
