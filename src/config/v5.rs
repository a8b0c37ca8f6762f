//! Generation 5, `.encfs5`: EncFS 1.1 to 1.4.2 (format 2.4).

#![warn(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use super::error::Error;
use super::fields::{ConfigFields, Generation, VolumeConfig};
use super::map::{Map, MapWriter};

/// Sub-version of all releases up to 1.4.1.
pub const SUB_VERSION: u32 = 20_040_813;
/// Sub-version of EncFS 1.4.2 alone, which added `allowHoles`; EncFS 1.5 to 1.9.5 refuse it.
pub const SUB_VERSION_HOLES: u32 = 20_080_411;

/// Reads the file.
///
/// # Errors
/// [`Error::Damaged`] or [`Error::UnsupportedVersion`] if it cannot be read, the others of [`Error`] if its
/// values make no volume.
pub fn read(data: &[u8]) -> Result<VolumeConfig, Error> {
    let map = Map::read(data)?;
    let sub_version = map.int_or_0("subVersion")?;
    check_sub_version(sub_version)?;
    VolumeConfig::new(ConfigFields {
        generation: Generation::V5,
        sub_version,
        creator: map.text("creator")?,
        cipher: map.interface("cipher")?,
        naming: map.interface("naming")?,
        key_bits: map.int("keySize")?,
        block_size: map.int("blockSize")?,
        key_data: map.bytes("keyData")?.to_vec(),
        salt: Vec::new(),
        kdf_iterations: 0,
        kdf_duration_ms: 500,
        plain_data: false,
        unique_iv: map.flag("uniqueIV")?,
        chained_name_iv: map.flag("chainedIV")?,
        external_iv: map.flag("externalIV")?,
        mac_bytes: map.int_or_0("blockMACBytes")?,
        rand_bytes: map.int_or_0("blockMACRandBytes")?,
        allow_holes: sub_version == SUB_VERSION_HOLES && map.flag("allowHoles")?,
    })
}

fn check_sub_version(sub_version: u32) -> Result<(), Error> {
    let (writer, remedy) = match sub_version {
        SUB_VERSION | SUB_VERSION_HOLES => return Ok(()),
        0..SUB_VERSION => (
            "it was written by a development version of EncFS 1.1 that laid out file blocks differently",
            "copy the files out with that version",
        ),
        SUB_VERSION..SUB_VERSION_HOLES => (
            "no release of EncFS wrote this number, so the file may be damaged",
            "restore the configuration from a backup",
        ),
        _ => (
            "releases after EncFS 1.4.2 write .encfs6.xml instead, so the file may be damaged",
            "restore the configuration from a backup",
        ),
    };
    Err(Error::UnsupportedVersion {
        generation: Generation::V5,
        sub_version: sub_version.to_string(),
        writer,
        remedy,
    })
}

/// The file of `config`, as the release wrote it whose sub-version it has.
#[must_use]
pub fn write(config: &VolumeConfig) -> Vec<u8> {
    let mut map = MapWriter::default();
    map.bytes("creator", config.creator.as_bytes());
    map.int("subVersion", config.sub_version);
    map.interface("cipher", &config.cipher);
    map.interface("naming", &config.naming);
    map.int("keySize", config.key_bits);
    map.int("blockSize", config.block_size);
    map.bytes("keyData", &config.key_data);
    map.int("blockMACBytes", config.mac_bytes);
    map.int("blockMACRandBytes", config.rand_bytes);
    map.flag("uniqueIV", config.unique_iv);
    map.flag("chainedIV", config.chained_name_iv);
    map.flag("externalIV", config.external_iv);
    if config.sub_version == SUB_VERSION_HOLES {
        map.flag("allowHoles", config.allow_holes);
    }
    map.finish()
}
