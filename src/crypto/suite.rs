//! Cipher interfaces by name and version, and the sizes that follow from them (format 3).
//!
//! A [`CipherSuite`] can only be made for a combination that EncFS serves, so nobody above
//! has to check key sizes again.

use super::Error;

/// The ciphers of the format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Algorithm {
    /// `ssl/aes`.
    Aes,
    /// `ssl/blowfish`.
    Blowfish,
    /// `ssl/camellia`.
    Camellia,
    /// `nullCipher`: nothing is encrypted (format 3.3).
    Null,
}

impl Algorithm {
    /// The ciphers that a new volume can be made with, in the order in which they are offered.
    pub const OFFERED: [Self; 3] = [Self::Aes, Self::Blowfish, Self::Camellia];

    /// The cipher of an interface name, as it stands in a configuration.
    #[must_use]
    pub fn from_interface_name(name: &str) -> Option<Self> {
        [Self::Aes, Self::Blowfish, Self::Camellia, Self::Null]
            .into_iter()
            .find(|algorithm| algorithm.interface_name() == name)
    }

    /// The name of the cipher's interface in a configuration.
    #[must_use]
    pub const fn interface_name(self) -> &'static str {
        match self {
            Self::Aes => "ssl/aes",
            Self::Blowfish => "ssl/blowfish",
            Self::Camellia => "ssl/camellia",
            Self::Null => "nullCipher",
        }
    }

    /// The major version of the interface that new volumes get.
    #[must_use]
    pub const fn current_major(self) -> u32 {
        match self {
            Self::Null => 1,
            _ => 3,
        }
    }

    /// The key sizes of the cipher, in bits, ascending; none for the null cipher.
    #[must_use]
    pub const fn key_sizes(self) -> &'static [u32] {
        match self {
            Self::Aes | Self::Camellia => &[128, 192, 256],
            Self::Blowfish => &[128, 160, 192, 224, 256],
            Self::Null => &[],
        }
    }

    /// The key size that is taken when none is asked for, in bits.
    #[must_use]
    pub const fn default_key_bits(self) -> u32 {
        match self {
            Self::Aes | Self::Camellia => 192,
            Self::Blowfish => 160,
            Self::Null => 0,
        }
    }

    /// The valid key size nearest to `bits` (the greater of two equally near); for choosers.
    #[must_use]
    pub fn nearest_key_bits(self, bits: u32) -> u32 {
        self.key_sizes()
            .iter()
            .copied()
            .min_by_key(|&size| (size.abs_diff(bits), u32::MAX - size))
            .unwrap_or(0)
    }

    /// Bytes of a cipher block, of which every block size is a multiple; 1 for the null cipher.
    #[must_use]
    pub const fn cipher_block(self) -> usize {
        match self {
            Self::Aes | Self::Camellia => 16,
            Self::Blowfish => 8,
            Self::Null => 1,
        }
    }

    /// The step, in bytes, between the block sizes that a new volume can have.
    #[must_use]
    pub const fn block_size_step(self) -> u32 {
        match self {
            Self::Aes | Self::Camellia => 16,
            Self::Blowfish => 8,
            Self::Null => 1,
        }
    }
}

/// A cipher, its key size and the version of its interface: all that codings depend on
/// besides the key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct CipherSuite {
    algorithm: Algorithm,
    major: u32,
    key_bits: u32,
}

impl CipherSuite {
    /// The suite of a configuration; the null cipher ignores `key_bits`.
    ///
    /// # Errors
    /// [`Error::UnknownCipher`], [`Error::UnsupportedVersion`], [`Error::KeySize`].
    pub fn new(name: &str, major: u32, key_bits: u32) -> Result<Self, Error> {
        let algorithm =
            Algorithm::from_interface_name(name).ok_or_else(|| Error::UnknownCipher {
                name: name.to_owned(),
            })?;
        if !(1..=algorithm.current_major()).contains(&major) {
            return Err(Error::UnsupportedVersion {
                name: algorithm.interface_name(),
                major,
            });
        }
        let key_bits = match algorithm {
            Algorithm::Null => 0,
            _ if algorithm.key_sizes().contains(&key_bits) => key_bits,
            _ => {
                return Err(Error::KeySize {
                    algorithm,
                    bits: key_bits,
                });
            }
        };
        Ok(Self {
            algorithm,
            major,
            key_bits,
        })
    }

    /// The null cipher, as it also codes the contents of volumes with plain data (format 3.3).
    pub const NULL: Self = Self {
        algorithm: Algorithm::Null,
        major: 1,
        key_bits: 0,
    };

    /// The cipher.
    #[must_use]
    pub const fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// The interface's name in a configuration.
    #[must_use]
    pub const fn interface_name(&self) -> &'static str {
        self.algorithm.interface_name()
    }

    /// The major version of the interface: 1 and 2 have the old IVs (format 5.1).
    #[must_use]
    pub const fn major(&self) -> u32 {
        self.major
    }

    /// The key size in bits; 0 for the null cipher.
    #[must_use]
    pub const fn key_bits(&self) -> u32 {
        self.key_bits
    }

    /// K: bytes of the cipher key.
    #[must_use]
    pub const fn key_len(&self) -> usize {
        // At most 256 / 8.
        (self.key_bits / 8) as usize
    }

    /// V: bytes of the IV base and of every IV.
    #[must_use]
    pub const fn iv_len(&self) -> usize {
        match self.algorithm {
            Algorithm::Null => 0,
            _ => self.algorithm.cipher_block(),
        }
    }

    /// B: bytes of a cipher block; 1 for the null cipher.
    #[must_use]
    pub const fn cipher_block(&self) -> usize {
        self.algorithm.cipher_block()
    }

    /// K + V: bytes of a volume key or user key.
    #[must_use]
    pub const fn material_len(&self) -> usize {
        self.key_len() + self.iv_len()
    }

    /// Bytes of the wrapped volume key: 4 + K + V, 0 for the null cipher (format 3.3, 4.3).
    #[must_use]
    pub const fn wrapped_key_len(&self) -> usize {
        match self.algorithm {
            Algorithm::Null => 0,
            _ => 4 + self.material_len(),
        }
    }

    /// Whether IVs come from HMAC-SHA1 rather than from the old 32-bit formula (format 5.1).
    pub(super) const fn hmac_ivs(&self) -> bool {
        self.major >= 3
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_those_of_the_format() {
        let aes = CipherSuite::new("ssl/aes", 3, 192).unwrap();
        assert_eq!((aes.key_len(), aes.iv_len()), (24, 16));
        assert_eq!((aes.cipher_block(), aes.wrapped_key_len()), (16, 44));
        let blowfish = CipherSuite::new("ssl/blowfish", 1, 160).unwrap();
        assert_eq!((blowfish.key_len(), blowfish.iv_len()), (20, 8));
        assert_eq!(blowfish.wrapped_key_len(), 32);
        let null = CipherSuite::new("nullCipher", 1, 999).unwrap();
        assert_eq!(null, CipherSuite::NULL);
        assert_eq!((null.key_len(), null.iv_len()), (0, 0));
        assert_eq!((null.cipher_block(), null.wrapped_key_len()), (1, 0));
    }

    #[test]
    fn what_no_release_serves_is_refused() {
        assert!(matches!(
            CipherSuite::new("ssl/des", 3, 192),
            Err(Error::UnknownCipher { .. })
        ));
        for (name, major) in [("ssl/aes", 0), ("ssl/aes", 4), ("nullCipher", 2)] {
            assert!(matches!(
                CipherSuite::new(name, major, 192),
                Err(Error::UnsupportedVersion { .. })
            ));
        }
        for (name, bits) in [("ssl/aes", 160), ("ssl/blowfish", 200), ("ssl/camellia", 0)] {
            assert!(matches!(
                CipherSuite::new(name, 3, bits),
                Err(Error::KeySize { .. })
            ));
        }
    }

    #[test]
    fn choosers_round_to_the_nearest_key_size() {
        assert_eq!(Algorithm::Aes.nearest_key_bits(150), 128);
        assert_eq!(Algorithm::Aes.nearest_key_bits(160), 192);
        assert_eq!(Algorithm::Aes.nearest_key_bits(9999), 256);
        assert_eq!(Algorithm::Blowfish.nearest_key_bits(170), 160);
        assert_eq!(Algorithm::Null.nearest_key_bits(170), 0);
    }
}
