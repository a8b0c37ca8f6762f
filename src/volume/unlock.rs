//! From a configuration and a password to an opened volume.

use std::sync::Arc;

use super::keys::{suite, volume_key};
use super::{Error, Volume};
use crate::blockio::{BlockCodec, ContentSettings};
use crate::config::VolumeConfig;
use crate::crypto::{VolumeCipher, VolumeKey};
use crate::nameio::NameCoding;
use crate::raw;
use crate::secret::Password;

/// How strict opening and reading are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UnlockOptions {
    /// Refuse a wrong password. Without it (`--anykey`) any password opens, with another key.
    pub check_password: bool,
    /// Give out the data of blocks that fail their authentication (`--forcedecode`).
    pub force_decode: bool,
}

impl Default for UnlockOptions {
    fn default() -> Self {
        Self {
            check_password: true,
            force_decode: false,
        }
    }
}

/// Opens the volume in `root` with a password.
///
/// # Errors
/// [`Error::WrongPassword`], [`Error::EmptyPassword`], [`Error::Crypto`].
pub fn unlock(
    root: raw::Dir,
    config: &VolumeConfig,
    password: &Password,
    options: &UnlockOptions,
) -> Result<Volume, Error> {
    let key = volume_key(config, password, options.check_password)?;
    unlock_with_key(root, config, &key, options)
}

/// Opens the volume in `root` with its key, which the caller got from [`volume_key`].
///
/// # Errors
/// [`Error::Crypto`], [`Error::Names`].
pub fn unlock_with_key(
    root: raw::Dir,
    config: &VolumeConfig,
    key: &VolumeKey,
    options: &UnlockOptions,
) -> Result<Volume, Error> {
    let cipher = Arc::new(VolumeCipher::new(suite(config)?, key)?);
    let naming = &config.naming;
    let names = NameCoding::new(
        &naming.name,
        naming.major,
        config.chained_name_iv,
        Arc::clone(&cipher),
    )
    .map_err(Error::Names)?;
    let contents = ContentSettings {
        block_size: config.block_size,
        unique_iv: config.unique_iv,
        mac_bytes: config.mac_bytes,
        rand_bytes: config.rand_bytes,
        allow_holes: config.allow_holes,
        plain_data: config.plain_data,
        force_decode: options.force_decode,
    };
    Ok(Volume {
        root,
        config: config.clone(),
        codec: Arc::new(BlockCodec::new(Arc::clone(&cipher), &contents)),
        cipher,
        names: Arc::new(names),
    })
}
