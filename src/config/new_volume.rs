//! The settings of a volume that is still to be made.

use super::error::Error;
use super::fields::{ConfigFields, Generation, Interface, SUB_VERSION_V6, VolumeConfig};

/// What is chosen of a new volume; the keys come later. Always generation 6.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewVolume {
    /// Cipher.
    pub cipher: Interface,
    /// Key size in bits.
    pub key_bits: u32,
    /// Bytes of one unit of file contents, MAC header included.
    pub block_size: u32,
    /// Name encoding.
    pub naming: Interface,
    /// File contents are not encrypted.
    pub plain_data: bool,
    /// Each file has a header with its own IV.
    pub unique_iv: bool,
    /// Names depend on the whole path.
    pub chained_name_iv: bool,
    /// The file header depends on the path; hard links are then impossible.
    pub external_iv: bool,
    /// MAC bytes at the front of each block, 0 to 8.
    pub mac_bytes: u32,
    /// Random bytes after the MAC of each block.
    pub rand_bytes: u32,
    /// Blocks of zeros stand for themselves.
    pub allow_holes: bool,
    /// How long deriving a key should take, in ms.
    pub kdf_duration_ms: u32,
}

impl NewVolume {
    /// What such a volume names as its creator.
    pub const CREATOR: &str = concat!("encfs-rs ", env!("CARGO_PKG_VERSION"));

    /// The settings of a volume that exists.
    #[must_use]
    pub fn like(config: &VolumeConfig) -> Self {
        Self {
            cipher: config.cipher.clone(),
            key_bits: config.key_bits,
            block_size: config.block_size,
            naming: config.naming.clone(),
            plain_data: config.plain_data,
            unique_iv: config.unique_iv,
            chained_name_iv: config.chained_name_iv,
            external_iv: config.external_iv,
            mac_bytes: config.mac_bytes,
            rand_bytes: config.rand_bytes,
            allow_holes: config.allow_holes,
            kdf_duration_ms: config.kdf_duration_ms,
        }
    }

    /// The configuration with these settings and this key.
    ///
    /// # Errors
    /// As for [`VolumeConfig::new`]: settings are checked only here.
    pub fn with_key(
        &self,
        key_data: Vec<u8>,
        salt: Vec<u8>,
        iterations: u32,
    ) -> Result<VolumeConfig, Error> {
        VolumeConfig::new(ConfigFields {
            generation: Generation::V6,
            sub_version: SUB_VERSION_V6,
            creator: Self::CREATOR.to_owned(),
            cipher: self.cipher.clone(),
            naming: self.naming.clone(),
            key_bits: self.key_bits,
            block_size: self.block_size,
            key_data,
            salt,
            kdf_iterations: iterations,
            kdf_duration_ms: self.kdf_duration_ms,
            plain_data: self.plain_data,
            unique_iv: self.unique_iv,
            chained_name_iv: self.chained_name_iv,
            external_iv: self.external_iv,
            mac_bytes: self.mac_bytes,
            rand_bytes: self.rand_bytes,
            allow_holes: self.allow_holes,
        })
    }
}
