//! The values of a configuration, and the type that holds only valid ones.

use std::fmt;
use std::ops::Deref;

use super::error::Error;
use super::limits;

/// Sub-version that every rewritten file of generation 6 gets (format 2.5).
pub const SUB_VERSION_V6: u32 = 20_100_713;
/// First sub-version of generation 6 that has salt, iterations and duration (format 2.3).
pub const SUB_VERSION_V6_SALT: u32 = 20_080_816;

/// Name and version of a cipher or name encoding (format 3.1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Interface {
    /// For example `ssl/aes`.
    pub name: String,
    /// Version that decides compatibility ("current").
    pub major: u32,
    /// Revision; means nothing to us.
    pub minor: u32,
    /// How many majors back the writer could go. Not stored by generation 6 (reads as 0).
    pub age: u32,
}

impl Interface {
    /// An interface of age 0.
    #[must_use]
    pub fn new(name: &str, major: u32, minor: u32) -> Self {
        Self {
            name: name.to_owned(),
            major,
            minor,
            age: 0,
        }
    }
}

impl fmt::Display for Interface {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{:?}, version {}:{}:{}",
            self.name, self.major, self.minor, self.age
        )
    }
}

/// Kind of configuration file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Generation {
    /// `.encfs4`, EncFS 1.0.
    V4,
    /// `.encfs5`, EncFS 1.1 to 1.4.2.
    V5,
    /// `.encfs6.xml`, everything since.
    V6,
}

impl fmt::Display for Generation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::V4 => "4",
            Self::V5 => "5",
            Self::V6 => "6",
        })
    }
}

/// The values of a configuration, unchecked (format 2.2).
///
/// To be used, they must become a [`VolumeConfig`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigFields {
    /// Kind of file; a password change keeps it.
    pub generation: Generation,
    /// Date-like number of the form; 0 in generation 4.
    pub sub_version: u32,
    /// Program that made the volume.
    pub creator: String,
    /// Cipher.
    pub cipher: Interface,
    /// Name encoding.
    pub naming: Interface,
    /// Key size in bits.
    pub key_bits: u32,
    /// Bytes of one unit of file contents, MAC header included.
    pub block_size: u32,
    /// The wrapped volume key (format 4.3).
    pub key_data: Vec<u8>,
    /// Salt of PBKDF2; empty means the old derivation (format 4.2).
    pub salt: Vec<u8>,
    /// Rounds of PBKDF2; without salt a mere mark.
    pub kdf_iterations: u32,
    /// How long deriving a key should take, in ms; used when a new password is set.
    pub kdf_duration_ms: u32,
    /// File contents are not encrypted.
    pub plain_data: bool,
    /// Each file has a header with its own IV.
    pub unique_iv: bool,
    /// Names depend on the whole path.
    pub chained_name_iv: bool,
    /// The file header depends on the path.
    pub external_iv: bool,
    /// MAC bytes at the front of each block, 0 to 8.
    pub mac_bytes: u32,
    /// Random bytes after the MAC of each block.
    pub rand_bytes: u32,
    /// Blocks of zeros stand for themselves.
    pub allow_holes: bool,
}

/// An element of `.encfs6.xml` that we do not know, kept so that saving loses nothing.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Extra {
    /// Name of the element.
    pub name: String,
    /// Attributes in their order.
    pub attributes: Vec<(String, String)>,
    /// Its text, without that of its children.
    pub text: String,
    /// Elements in it.
    pub children: Vec<Extra>,
}

/// A configuration that passed every check of format 2.2.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VolumeConfig {
    fields: ConfigFields,
    extras: Vec<Extra>,
}

impl VolumeConfig {
    /// Checks `fields`.
    ///
    /// # Errors
    /// [`Error::UnsupportedInterface`], [`Error::InvalidValue`] or [`Error::WrappedKeyLength`].
    pub fn new(fields: ConfigFields) -> Result<Self, Error> {
        Self::with_extras(fields, Vec::new())
    }

    /// Like [`new`](Self::new), with unknown elements of the file to be kept.
    ///
    /// # Errors
    /// As for [`new`](Self::new).
    pub fn with_extras(fields: ConfigFields, extras: Vec<Extra>) -> Result<Self, Error> {
        limits::check(&fields)?;
        Ok(Self { fields, extras })
    }

    /// The same volume under another user key: what a change of password writes (format 2.5).
    ///
    /// Generation 6 comes back with the sub-version of today, as with EncFS 1.9.5; 5 and 4 keep theirs and
    /// take no salt.
    ///
    /// # Errors
    /// As for [`new`](Self::new), for example if a salt is given to generation 5.
    pub fn with_key(
        &self,
        key_data: Vec<u8>,
        salt: Vec<u8>,
        iterations: u32,
    ) -> Result<Self, Error> {
        let mut fields = self.fields.clone();
        if fields.generation == Generation::V6 {
            fields.sub_version = SUB_VERSION_V6;
        }
        fields.key_data = key_data;
        fields.salt = salt;
        fields.kdf_iterations = iterations;
        Self::with_extras(fields, self.extras.clone())
    }

    /// Whether reverse mode can show the volume: nothing in it depends on a path or is stored beside the data.
    #[must_use]
    pub fn fits_reverse(&self) -> bool {
        let path = self.chained_name_iv || self.external_iv;
        !path && self.mac_bytes == 0 && self.rand_bytes == 0
    }

    /// Elements of the file that we do not know, in their order.
    #[must_use]
    pub fn extras(&self) -> &[Extra] {
        &self.extras
    }
}

impl Deref for VolumeConfig {
    type Target = ConfigFields;

    fn deref(&self) -> &ConfigFields {
        &self.fields
    }
}
