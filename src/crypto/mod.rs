//! Primitives: ciphers, IVs, MACs, key derivation, key wrapping (format 3, 4, 5).
//!
//! Bytes and 64-bit seeds in, bytes out: this module never sees a file, a path or an errno,
//! and no key material leaves it. Upper floors hold a [`VolumeCipher`]; [`VolumeKey`],
//! [`UserKey`] and the functions around them are for opening and making volumes.
//!
//! | file | what | format |
//! |---|---|---|
//! | `suite` | cipher interfaces by name and version; sizes | 3 |
//! | `kdf` | password to user key, both derivations; calibration | 4.1, 4.2 |
//! | `key_wrap` | the volume key under the user key | 4.3 |
//! | `iv` | seed to IV, both schemes | 5.1 |
//! | `stream` | stream coding | 5.2, 5.3 |
//! | `cbc`, `cbc_lanes`, `cbc_openssl` | block coding of many blocks at once | 5.4 |
//! | `mac` | 64-, 32- and 16-bit MACs | 5.5 |
//! | `null` | the null cipher | 3.3 |
//! | `volume_cipher` | all of it under one volume key | |

mod cbc;
mod cbc_lanes;
mod cbc_openssl;
mod error;
mod iv;
mod kdf;
mod key;
mod key_wrap;
mod mac;
mod null;
mod stream;
mod suite;
#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;
mod volume_cipher;

pub use error::Error;
pub use iv::inode_file_iv;
pub use kdf::{Kdf, calibrate_iterations, derive_user_key};
pub use key::{UserKey, VolumeKey, random_bytes};
pub use key_wrap::{unwrap_volume_key, wrap_under_itself, wrap_volume_key};
pub use mac::{chain_after, mac16_of, mac32_of};
pub use suite::{Algorithm, CipherSuite};
pub use volume_cipher::VolumeCipher;
