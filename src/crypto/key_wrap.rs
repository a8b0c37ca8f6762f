//! The volume key under the user key, with a checksum that tells a wrong password (format 4.3).
//!
//! A wrapped key is `BE32(check) || stream_encode(key || IV base, seed = check)`, all under the
//! user key. The IV scheme is that of the volume's interface major here too. Under the null
//! cipher nothing is wrapped: 0 bytes.

use super::volume_cipher::VolumeCipher;
use super::{Algorithm, CipherSuite, Error, UserKey, VolumeKey, mac32_of};
use crate::secret::SecretBytes;

/// Bytes of the checksum in front.
const CHECK_LEN: usize = 4;

/// Wraps the volume key under the user key.
///
/// # Errors
/// [`Error::KeyLength`] if a key belongs to another suite; [`Error::OpenSsl`].
pub fn wrap_volume_key(
    suite: &CipherSuite,
    user_key: &UserKey,
    volume_key: &VolumeKey,
) -> Result<Vec<u8>, Error> {
    wrap(suite, user_key.material(), volume_key.material())
}

/// Wraps the volume key under itself: the form in which a key is shown (format 4.3).
///
/// # Errors
/// As [`wrap_volume_key`].
pub fn wrap_under_itself(suite: &CipherSuite, volume_key: &VolumeKey) -> Result<Vec<u8>, Error> {
    wrap(suite, volume_key.material(), volume_key.material())
}

fn wrap(suite: &CipherSuite, under: &[u8], material: &[u8]) -> Result<Vec<u8>, Error> {
    if material.len() != suite.material_len() {
        return Err(Error::KeyLength {
            want: suite.material_len(),
            got: material.len(),
        });
    }
    let cipher = VolumeCipher::from_material(*suite, under)?;
    if suite.algorithm() == Algorithm::Null {
        return Ok(Vec::new());
    }
    let check = mac32_of(cipher.mac64(material, None));
    let mut coded = SecretBytes::new(material.to_vec());
    cipher.encrypt_stream(coded.as_mut_bytes(), u64::from(check));
    let mut wrapped = check.to_be_bytes().to_vec();
    wrapped.extend_from_slice(coded.as_bytes());
    Ok(wrapped)
}

/// Unwraps the volume key. Without `check` whatever comes out is taken, right or wrong.
///
/// # Errors
/// [`Error::WrappedKeyLength`] if the wrapped key is damaged; [`Error::WrongPassword`];
/// [`Error::KeyLength`] if the user key belongs to another suite; [`Error::OpenSsl`].
pub fn unwrap_volume_key(
    suite: &CipherSuite,
    user_key: &UserKey,
    wrapped: &[u8],
    check: bool,
) -> Result<VolumeKey, Error> {
    let cipher = VolumeCipher::from_material(*suite, user_key.material())?;
    let damaged = Error::WrappedKeyLength {
        want: suite.wrapped_key_len(),
        got: wrapped.len(),
    };
    if wrapped.len() != suite.wrapped_key_len() {
        return Err(damaged);
    }
    if suite.algorithm() == Algorithm::Null {
        return Ok(VolumeKey::from_material(SecretBytes::zeroed(0)));
    }
    let (stored, coded) = wrapped.split_first_chunk::<CHECK_LEN>().ok_or(damaged)?;
    let stored = u32::from_be_bytes(*stored);
    let mut material = SecretBytes::new(coded.to_vec());
    cipher.decrypt_stream(material.as_mut_bytes(), u64::from(stored));
    if check && mac32_of(cipher.mac64(material.as_bytes(), None)) != stored {
        return Err(Error::WrongPassword);
    }
    Ok(VolumeKey::from_material(material))
}
