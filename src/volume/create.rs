//! Making a new volume: a random key, wrapped under the password, in a new configuration file.

use std::path::Path;

use super::Error;
use super::config_file::{ConfigFile, new_path, save_new};
use super::keys::{Derivation, proven_bytes};
use crate::config::NewVolume;
use crate::crypto::{CipherSuite, VolumeKey, wrap_volume_key};
use crate::secret::Password;

/// Makes a volume of these settings in the directory `root`, with a new `.encfs6.xml`.
///
/// The file is read again and its key unwrapped in memory before it is written. An existing configuration of
/// any age is never touched.
///
/// # Errors
/// [`Error::AlreadyAVolume`], [`Error::EmptyPassword`], [`Error::Settings`], [`Error::Storage`].
pub fn create(root: &Path, settings: &NewVolume, password: &Password) -> Result<ConfigFile, Error> {
    let path = new_path(root)?;
    let cipher = &settings.cipher;
    let suite = CipherSuite::new(&cipher.name, cipher.major, settings.key_bits)?;
    let key = VolumeKey::generate(&suite)?;
    let derivation = Derivation::salted(&suite, password, 0, settings.kdf_duration_ms)?;
    let wrapped = wrap_volume_key(&suite, &derivation.user_key, &key)?;
    let config = settings
        .with_key(wrapped, derivation.salt, derivation.iterations)
        .map_err(Error::Settings)?;
    let bytes = proven_bytes(&config, &derivation.user_key, &key)?;
    save_new(&path, &bytes)?;
    Ok(ConfigFile {
        path,
        generation: config.generation,
        config,
    })
}
