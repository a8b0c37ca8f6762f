//! An opened volume, and the way there: find the configuration, ask for the key, make or change one.
//!
//! | file | what |
//! |---|---|
//! | `config_file` | which file is the configuration; reading and saving it (format 2.1, 2.5) |
//! | `keys` | password to volume key, and the proof before anything is written |
//! | `create`, `passwd` | new volumes, new passwords |
//! | `unlock` | the opened [`Volume`] |
//! | `walk`, `read` | its directories and files without a mount |
//! | `view` | the encrypted form of a file, where the tree is a plain one |
//!
//! A wrong password, a damaged configuration and an unsupported one are different variants of [`Error`].

pub mod config_file;
mod create;
mod error;
mod keys;
pub mod passwd;
pub mod read;
mod unlock;
pub mod view;
pub mod walk;

#[cfg(test)]
mod tests;
#[cfg(test)]
mod tree_tests;

use std::sync::Arc;

use crate::blockio::{BlockCodec, PlainSize};
use crate::config::VolumeConfig;
use crate::crypto::VolumeCipher;
use crate::nameio::NameCoding;
use crate::raw;

pub use config_file::ConfigFile;
pub use create::create;
pub use error::{AccessError, Error};
pub use keys::{suite, volume_key};
pub use unlock::{UnlockOptions, unlock, unlock_with_key};

/// An opened volume: storage, settings, and what codes its names and contents.
pub struct Volume {
    /// The raw root directory.
    pub root: raw::Dir,
    /// The settings.
    pub config: VolumeConfig,
    /// Holds the volume key.
    pub cipher: Arc<VolumeCipher>,
    /// Codes names.
    pub names: Arc<NameCoding>,
    /// Codes contents.
    pub codec: Arc<BlockCodec>,
}

impl Volume {
    /// The external IV of a file whose path ends with chain `iv`: 0 if headers do not depend on the path.
    #[must_use]
    pub fn external_iv(&self, iv: u64) -> u64 {
        if self.config.external_iv { iv } else { 0 }
    }

    /// The plain size of a file of `raw` bytes; `None` if no intact file has that size (format 7.5).
    #[must_use]
    pub fn plain_size(&self, raw: u64) -> Option<PlainSize> {
        self.codec.layout().plain_size(raw)
    }
}
