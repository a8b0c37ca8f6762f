//! Generation 4, `.encfs4`: EncFS 1.0 (format 2.4). Four keys; all else is fixed.

#![warn(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use super::error::Error;
use super::fields::{ConfigFields, Generation, Interface, VolumeConfig};
use super::map::{Map, MapWriter};

/// Reads the file.
///
/// # Errors
/// [`Error::Damaged`] if it cannot be read, the others of [`Error`] if its values make no volume.
pub fn read(data: &[u8]) -> Result<VolumeConfig, Error> {
    let map = Map::read(data)?;
    VolumeConfig::new(ConfigFields {
        generation: Generation::V4,
        sub_version: 0,
        creator: "EncFS 1.0.x".to_owned(),
        cipher: map.interface("cipher")?,
        naming: Interface::new("nameio/stream", 1, 0),
        key_bits: map.int("keySize")?,
        block_size: map.int("blockSize")?,
        key_data: map.bytes("keyData")?.to_vec(),
        salt: Vec::new(),
        kdf_iterations: 0,
        kdf_duration_ms: 500,
        plain_data: false,
        unique_iv: false,
        chained_name_iv: false,
        external_iv: false,
        mac_bytes: 0,
        rand_bytes: 0,
        allow_holes: false,
    })
}

/// The file of `config`.
#[must_use]
pub fn write(config: &VolumeConfig) -> Vec<u8> {
    let mut map = MapWriter::default();
    map.interface("cipher", &config.cipher);
    map.int("keySize", config.key_bits);
    map.int("blockSize", config.block_size);
    map.bytes("keyData", &config.key_data);
    map.finish()
}
