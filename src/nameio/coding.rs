//! Which of the encodings a volume uses, and how it codes one component.

use std::sync::Arc;

use super::alphabet::{BASE32, BASE64};
use super::block::BlockCoding;
use super::stream::StreamCoding;
use super::{Error, PlainName, RawName};
use crate::crypto::{Algorithm, VolumeCipher};

/// The encodings by their interfaces (format 3.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum NameInterface {
    /// `nameio/block`.
    Block,
    /// `nameio/block32`.
    Block32,
    /// `nameio/null`: names are as they are.
    Null,
    /// `nameio/stream`.
    Stream,
}

impl NameInterface {
    /// All encodings, in the order in which they are offered.
    pub const OFFERED: [Self; 4] = [Self::Block, Self::Block32, Self::Null, Self::Stream];

    /// The encoding of an interface name, as it stands in a configuration.
    #[must_use]
    pub fn from_interface_name(name: &str) -> Option<Self> {
        Self::OFFERED
            .into_iter()
            .find(|interface| interface.interface_name() == name)
    }

    /// The name of the interface in a configuration.
    #[must_use]
    pub const fn interface_name(self) -> &'static str {
        match self {
            Self::Block => "nameio/block",
            Self::Block32 => "nameio/block32",
            Self::Null => "nameio/null",
            Self::Stream => "nameio/stream",
        }
    }

    /// Major and minor version that new volumes get.
    #[must_use]
    pub const fn current_version(self) -> (u32, u32) {
        match self {
            Self::Block | Self::Block32 => (4, 0),
            Self::Null => (1, 0),
            Self::Stream => (2, 1),
        }
    }

    /// The longest plain name, in bytes, whose raw name has at most `raw_limit` bytes, for a cipher with blocks
    /// of `cipher_block` bytes.
    #[must_use]
    pub fn max_plain_len(self, cipher_block: usize, raw_limit: usize) -> usize {
        let block = |alphabet| BlockCoding {
            alphabet,
            major: self.current_version().0,
        };
        match self {
            Self::Block => block(&BASE64).max_plain_len(cipher_block, raw_limit),
            Self::Block32 => block(&BASE32).max_plain_len(cipher_block, raw_limit),
            Self::Stream => StreamCoding::max_plain_len(raw_limit),
            Self::Null => raw_limit,
        }
    }

    /// Whether volumes of this major version can be served.
    #[must_use]
    pub const fn serves(self, major: u32) -> bool {
        match self {
            Self::Block | Self::Block32 => matches!(major, 2..=4),
            Self::Null => major == 1,
            Self::Stream => matches!(major, 0..=2),
        }
    }
}

/// How a volume codes its names. Shared by all threads.
pub struct NameCoding {
    kind: Kind,
    chained: bool,
    cipher: Arc<VolumeCipher>,
}

enum Kind {
    Block(BlockCoding),
    Stream(StreamCoding),
    Null,
}

impl NameCoding {
    /// The coding of a configuration; `chained` says whether names depend on the whole path
    /// where encoding and cipher make that possible.
    ///
    /// # Errors
    /// [`Error::UnknownInterface`], [`Error::UnsupportedVersion`].
    pub fn new(
        interface_name: &str,
        major: u32,
        chained: bool,
        cipher: Arc<VolumeCipher>,
    ) -> Result<Self, Error> {
        let interface = NameInterface::from_interface_name(interface_name).ok_or_else(|| {
            Error::UnknownInterface {
                name: interface_name.to_owned(),
            }
        })?;
        if !interface.serves(major) {
            return Err(Error::UnsupportedVersion {
                name: interface.interface_name(),
                major,
            });
        }
        let kind = match interface {
            NameInterface::Block => Kind::Block(BlockCoding {
                alphabet: &BASE64,
                major,
            }),
            NameInterface::Block32 => Kind::Block(BlockCoding {
                alphabet: &BASE32,
                major,
            }),
            NameInterface::Stream => Kind::Stream(StreamCoding { major }),
            NameInterface::Null => Kind::Null,
        };
        Ok(Self {
            kind,
            chained,
            cipher,
        })
    }

    /// The raw name of `plain` in the directory whose IV is `dir_iv`; with it the chain after
    /// this name: the IV of the names in that directory, or the external IV of that file. It
    /// is 0 where names do not depend on the path.
    ///
    /// # Errors
    /// None in practice: every plain name has a raw one.
    pub fn encode(&self, plain: &PlainName, dir_iv: u64) -> Result<(RawName, u64), Error> {
        let (raw, iv) = self.encode_bytes(plain.as_bytes(), self.chain(dir_iv))?;
        Ok((RawName::new(raw)?, iv))
    }

    /// The plain name that `raw` stands for in the directory whose IV is `dir_iv`; with it the
    /// chain, as in [`NameCoding::encode`].
    ///
    /// # Errors
    /// [`Error::Undecodable`] if no plain name has this raw name here; [`Error::NotAName`] if
    /// what was encoded is no possible directory entry.
    pub fn decode(&self, raw: &[u8], dir_iv: u64) -> Result<(PlainName, u64), Error> {
        let (plain, iv) = self.decode_bytes(raw, self.chain(dir_iv))?;
        Ok((PlainName::new(plain)?, iv))
    }

    /// Whether raw names (and the IVs with them) depend on the directories above.
    #[must_use]
    pub fn depends_on_path(&self) -> bool {
        self.chained && !self.is_null() && self.cipher.suite().algorithm() != Algorithm::Null
    }

    /// The longest plain name, in bytes, whose raw name has at most `raw_limit` bytes.
    #[must_use]
    pub fn max_plain_len(&self, raw_limit: usize) -> usize {
        match &self.kind {
            Kind::Block(block) => {
                block.max_plain_len(self.cipher.suite().cipher_block(), raw_limit)
            }
            Kind::Stream(_) => StreamCoding::max_plain_len(raw_limit),
            Kind::Null => raw_limit,
        }
    }

    /// Whether names are stored as they are.
    pub(super) const fn is_null(&self) -> bool {
        matches!(self.kind, Kind::Null)
    }

    /// The chain to begin a directory with: there is one only with chaining.
    pub(super) fn chain(&self, dir_iv: u64) -> Option<u64> {
        self.chained.then_some(dir_iv)
    }

    /// Encodes any bytes as one name: also such that are none, in link targets.
    pub(super) fn encode_bytes(
        &self,
        plain: &[u8],
        chain: Option<u64>,
    ) -> Result<(Vec<u8>, u64), Error> {
        let (raw, mac) = match &self.kind {
            Kind::Block(block) => block.encode(&self.cipher, plain, chain),
            Kind::Stream(_) if plain.is_empty() => return Err(Error::Inexpressible),
            Kind::Stream(stream) => stream.encode(&self.cipher, plain, chain),
            Kind::Null => return Ok((plain.to_vec(), chain.unwrap_or(0))),
        };
        Ok((raw, self.iv_after(chain, mac)))
    }

    /// Decodes to any bytes whose raw name is exactly `raw`.
    pub(super) fn decode_bytes(
        &self,
        raw: &[u8],
        chain: Option<u64>,
    ) -> Result<(Vec<u8>, u64), Error> {
        let (plain, mac) = match &self.kind {
            Kind::Block(block) => block.decode(&self.cipher, raw, chain),
            Kind::Stream(stream) => stream.decode(&self.cipher, raw, chain),
            Kind::Null => return Ok((raw.to_vec(), chain.unwrap_or(0))),
        }
        .ok_or(Error::Undecodable)?;
        Ok((plain, self.iv_after(chain, mac)))
    }

    fn iv_after(&self, chain: Option<u64>, mac: u64) -> u64 {
        chain.map_or(0, |chain| self.cipher.chain_after(chain, mac))
    }
}

impl std::fmt::Debug for NameCoding {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let kind = match &self.kind {
            Kind::Block(BlockCoding { major, .. }) => ("block", *major),
            Kind::Stream(StreamCoding { major }) => ("stream", *major),
            Kind::Null => ("null", 1),
        };
        f.debug_struct("NameCoding")
            .field("kind", &kind)
            .field("chained", &self.chained)
            .finish_non_exhaustive()
    }
}
