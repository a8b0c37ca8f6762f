//! Changing the password: the volume key stays, it is only wrapped anew (format 2.5).

use super::Error;
use super::config_file::{ConfigFile, save_bytes};
use super::keys::{Derivation, proven_bytes, suite, takes_salt, volume_key};
use crate::crypto::{VolumeKey, wrap_volume_key};
use crate::secret::Password;

/// A change that has begun: the old password was right.
#[derive(Debug)]
pub struct Change {
    file: ConfigFile,
    key: VolumeKey,
}

impl Change {
    /// Checks the old password.
    ///
    /// # Errors
    /// [`Error::WrongPassword`], [`Error::EmptyPassword`].
    pub fn begin(file: &ConfigFile, old: &Password) -> Result<Self, Error> {
        Ok(Self {
            key: volume_key(&file.config, old, true)?,
            file: file.clone(),
        })
    }

    /// Writes the configuration for the new password, and gives back what the file now is.
    ///
    /// Generation 6 gets a new salt of the same length (20 bytes if it had none) and iterations measured to
    /// the file's own duration; 5 and 4 have neither. Everything else stays. The new bytes are read again
    /// and the key unwrapped from them before they replace the old ones; a crash leaves the old file or the
    /// new.
    ///
    /// # Errors
    /// [`Error::EmptyPassword`], [`Error::Storage`]; the old password is then still the right one.
    pub fn finish(self, new: &Password) -> Result<ConfigFile, Error> {
        let Self { file, key } = self;
        let config = &file.config;
        let suite = suite(config)?;
        let derivation = if takes_salt(config.generation) {
            Derivation::salted(&suite, new, config.salt.len(), config.kdf_duration_ms)?
        } else {
            Derivation::old(&suite, new, config.kdf_iterations)?
        };
        let wrapped = wrap_volume_key(&suite, &derivation.user_key, &key)?;
        let config = config
            .with_key(wrapped, derivation.salt, derivation.iterations)
            .map_err(Error::Settings)?;
        let bytes = proven_bytes(&config, &derivation.user_key, &key)?;
        save_bytes(&file.path, &bytes)?;
        Ok(ConfigFile { config, ..file })
    }
}

/// Changes the password of the volume from `old` to `new`.
///
/// # Errors
/// As for [`Change::begin`] and [`Change::finish`].
pub fn change(file: &ConfigFile, old: &Password, new: &Password) -> Result<ConfigFile, Error> {
    Change::begin(file, old)?.finish(new)
}
