//! Bounds that hold before anything is allocated, derived or mounted (format 2.2, 9).
//!
//! EncFS 1.9.5 checks little of this: some wrong values make it crash, hang, or say that the password is wrong.

#![warn(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use super::error::{Error, InterfaceKind};
use super::fields::{ConfigFields, Generation, Interface, SUB_VERSION_V6_SALT};
use crate::crypto::{self, Algorithm, CipherSuite};

/// Largest configuration file that is read, in bytes. Real ones have less than 3000.
pub const MAX_FILE: usize = 1 << 20;
/// Largest block size, in bytes. EncFS offers up to 4096 and opens 65536; larger ones are surely damage.
pub const MAX_BLOCK_SIZE: u32 = 16 << 20;
/// Largest salt, in bytes. EncFS makes 20.
pub const MAX_SALT: usize = 4096;
/// Most rounds of PBKDF2: the largest number that EncFS can hold.
pub const MAX_ITERATIONS: u32 = i32::MAX.unsigned_abs();
/// Longest aim of a key derivation, in ms. EncFS knows 500 and 3000.
pub const MAX_DURATION_MS: u32 = 3_600_000;

const UNKNOWN_NAME: &str = "the name is unknown";
const OTHER_VERSION: &str = "the name is known, but not this version";

/// Checks everything that format 2.2 demands.
pub(super) fn check(f: &ConfigFields) -> Result<(), Error> {
    let suite = check_cipher(&f.cipher, f.key_bits)?;
    check_naming(&f.naming)?;
    check_blocks(f, &suite)?;
    if f.key_data.len() != suite.wrapped_key_len() {
        return Err(Error::WrappedKeyLength {
            found: f.key_data.len(),
            expected: suite.wrapped_key_len(),
        });
    }
    check_derivation(f)?;
    check_form(f)
}

fn check_cipher(cipher: &Interface, key_bits: u32) -> Result<CipherSuite, Error> {
    let unsupported = |why| Error::UnsupportedInterface {
        kind: InterfaceKind::Cipher,
        interface: cipher.clone(),
        why,
    };
    let Some(algorithm) = Algorithm::from_interface_name(&cipher.name) else {
        return Err(unsupported(UNKNOWN_NAME));
    };
    CipherSuite::new(&cipher.name, cipher.major, key_bits).map_err(|error| match error {
        crypto::Error::KeySize { .. } => {
            let sizes = algorithm.key_sizes();
            let demand = format!("{} takes one of {sizes:?} bits", cipher.name);
            Error::invalid("keySize", key_bits, demand)
        }
        _ => unsupported(OTHER_VERSION),
    })
}

/// The majors that we serve of a name encoding (format 3.1); `None` if there is no such encoding.
#[must_use]
pub fn naming_majors(name: &str) -> Option<std::ops::RangeInclusive<u32>> {
    match name {
        "nameio/block" | "nameio/block32" => Some(2..=4),
        "nameio/stream" => Some(0..=2),
        "nameio/null" => Some(1..=1),
        _ => None,
    }
}

fn check_naming(naming: &Interface) -> Result<(), Error> {
    let unsupported = |why| Error::UnsupportedInterface {
        kind: InterfaceKind::Naming,
        interface: naming.clone(),
        why,
    };
    match naming_majors(&naming.name) {
        None => Err(unsupported(UNKNOWN_NAME)),
        Some(majors) if !majors.contains(&naming.major) => Err(unsupported(OTHER_VERSION)),
        Some(_) => Ok(()),
    }
}

fn check_blocks(f: &ConfigFields, suite: &CipherSuite) -> Result<(), Error> {
    let block = suite.cipher_block();
    let whole = (f.block_size as usize).is_multiple_of(block);
    if f.block_size == 0 || !whole || f.block_size > MAX_BLOCK_SIZE {
        return Err(Error::invalid(
            "blockSize",
            f.block_size,
            format!("a multiple of {block} up to {MAX_BLOCK_SIZE} is needed"),
        ));
    }
    if f.mac_bytes > 8 {
        return Err(Error::invalid(
            "blockMACBytes",
            f.mac_bytes,
            "at most 8 are possible",
        ));
    }
    // at least two bytes of data in each block
    if f.mac_bytes.saturating_add(f.rand_bytes).saturating_add(2) > f.block_size {
        return Err(Error::invalid(
            "blockMACRandBytes",
            f.rand_bytes,
            format!(
                "a block of {} bytes then has no room for data",
                f.block_size
            ),
        ));
    }
    Ok(())
}

fn check_derivation(f: &ConfigFields) -> Result<(), Error> {
    if f.salt.len() > MAX_SALT {
        return Err(Error::invalid(
            "saltLen",
            f.salt.len(),
            format!("at most {MAX_SALT} bytes are taken"),
        ));
    }
    let least = u32::from(!f.salt.is_empty());
    if f.kdf_iterations < least || f.kdf_iterations > MAX_ITERATIONS {
        return Err(Error::invalid(
            "kdfIterations",
            f.kdf_iterations,
            format!("with salt 1 to {MAX_ITERATIONS} are needed"),
        ));
    }
    if f.kdf_duration_ms > MAX_DURATION_MS {
        return Err(Error::invalid(
            "desiredKDFDuration",
            f.kdf_duration_ms,
            format!("at most {MAX_DURATION_MS} ms are taken"),
        ));
    }
    Ok(())
}

/// What the kind of file can hold at all; files that were read always pass.
fn check_form(f: &ConfigFields) -> Result<(), Error> {
    let form = |value, found: &dyn ToString| {
        Err(Error::invalid(
            value,
            found.to_string(),
            format!("a file of generation {} cannot hold it", f.generation),
        ))
    };
    if f.generation == Generation::V6 {
        if f.sub_version < SUB_VERSION_V6_SALT && !f.salt.is_empty() {
            return form("saltLen", &f.salt.len());
        }
        return Ok(());
    }
    if !f.salt.is_empty() {
        return form("saltLen", &f.salt.len());
    }
    if f.plain_data {
        return form("plainData", &1);
    }
    if f.generation == Generation::V5 {
        if f.allow_holes && f.sub_version != super::v5::SUB_VERSION_HOLES {
            return form("allowHoles", &1);
        }
        return Ok(());
    }
    if f.naming.name != "nameio/stream" || f.naming.major != 1 {
        return form("nameAlg", &f.naming);
    }
    if f.unique_iv || f.chained_name_iv || f.external_iv || f.allow_holes {
        return form("uniqueIV", &1);
    }
    if f.mac_bytes > 0 || f.rand_bytes > 0 {
        return form("blockMACBytes", &f.mac_bytes.max(f.rand_bytes));
    }
    Ok(())
}
