//! [`VolumeCipher`]: everything that is coded under one key.

use super::cbc::Engine;
use super::iv::IvSeeder;
use super::mac::{self, KeyedHmac};
use super::{Algorithm, CipherSuite, Error, VolumeKey, key, null, stream};

/// A keyed cipher with its IVs and MACs: the only crypto type that upper floors hold.
///
/// All contexts are made by [`VolumeCipher::new`]; from then on nothing fails, and nothing is
/// allocated per block. Shared by all threads.
pub struct VolumeCipher {
    suite: CipherSuite,
    engine: Engine,
    ivs: IvSeeder,
    hmac: KeyedHmac,
}

impl VolumeCipher {
    /// The cipher of a volume.
    ///
    /// # Errors
    /// [`Error::KeyLength`] if the key belongs to another suite; [`Error::OpenSsl`] if OpenSSL
    /// lacks the cipher.
    pub fn new(suite: CipherSuite, key: &VolumeKey) -> Result<Self, Error> {
        Self::from_material(suite, key.material())
    }

    /// The cipher of a `key || IV base`.
    pub(super) fn from_material(suite: CipherSuite, material: &[u8]) -> Result<Self, Error> {
        let (cipher_key, _) = key::split(&suite, material)?;
        let engine = Engine::new(&suite, cipher_key)?;
        Self::with_engine(suite, engine, material)
    }

    /// The cipher of a `key || IV base` on a given engine, which has the same key.
    pub(super) fn with_engine(
        suite: CipherSuite,
        engine: Engine,
        material: &[u8],
    ) -> Result<Self, Error> {
        let (cipher_key, iv_base) = key::split(&suite, material)?;
        Ok(Self {
            suite,
            engine,
            ivs: IvSeeder::new(&suite, cipher_key, iv_base)?,
            hmac: mac::keyed(cipher_key)?,
        })
    }

    /// The null cipher: contents of volumes with plain data (format 3.3).
    ///
    /// # Errors
    /// None in practice; the type is that of [`VolumeCipher::new`].
    pub fn null() -> Result<Self, Error> {
        Self::from_material(CipherSuite::NULL, &[])
    }

    /// The suite that this cipher is of.
    #[must_use]
    pub const fn suite(&self) -> &CipherSuite {
        &self.suite
    }

    /// Encrypts whole blocks in place. `data` is a whole number of blocks of `block_size` bytes;
    /// block i of it has the seed `(first_block + i) ^ file_iv` (format 7.3).
    ///
    /// # Panics
    /// If `data` is not a whole number of blocks, or `block_size` not a multiple of the cipher
    /// block: bytes would be left plain.
    pub fn encrypt_run(&self, data: &mut [u8], block_size: usize, first_block: u64, file_iv: u64) {
        self.check_run(data.len(), block_size);
        self.engine.encrypt_run(data, block_size, |i| {
            self.ivs.iv(first_block.wrapping_add(i) ^ file_iv)
        });
    }

    /// Decrypts whole blocks in place; arguments as in [`VolumeCipher::encrypt_run`].
    ///
    /// # Panics
    /// As [`VolumeCipher::encrypt_run`].
    pub fn decrypt_run(&self, data: &mut [u8], block_size: usize, first_block: u64, file_iv: u64) {
        self.check_run(data.len(), block_size);
        self.engine.decrypt_run(data, block_size, |i| {
            self.ivs.iv(first_block.wrapping_add(i) ^ file_iv)
        });
    }

    /// Encrypts one piece, a whole number of cipher blocks, under ivec(`seed`) (format 5.4).
    ///
    /// # Panics
    /// If `data` is not a whole number of cipher blocks.
    pub fn encrypt_block(&self, data: &mut [u8], seed: u64) {
        if !data.is_empty() {
            self.encrypt_run(data, data.len(), 0, seed);
        }
    }

    /// Decrypts one piece; arguments as in [`VolumeCipher::encrypt_block`].
    ///
    /// # Panics
    /// As [`VolumeCipher::encrypt_block`].
    pub fn decrypt_block(&self, data: &mut [u8], seed: u64) {
        if !data.is_empty() {
            self.decrypt_run(data, data.len(), 0, seed);
        }
    }

    /// Encodes any number of bytes in stream mode (format 5.3).
    pub fn encrypt_stream(&self, data: &mut [u8], seed: u64) {
        if !matches!(self.engine, Engine::Null) {
            stream::encode(&self.engine, &self.ivs, data, seed);
        }
    }

    /// Decodes any number of bytes in stream mode (format 5.3).
    pub fn decrypt_stream(&self, data: &mut [u8], seed: u64) {
        if !matches!(self.engine, Engine::Null) {
            stream::decode(&self.engine, &self.ivs, data, seed);
        }
    }

    /// MAC_64 of `data`, with a chain if there is one (format 5.5).
    ///
    /// The chain's new value is [`VolumeCipher::chain_after`]. Under the null cipher every MAC
    /// is 0.
    #[must_use]
    pub fn mac64(&self, data: &[u8], chain: Option<u64>) -> u64 {
        match self.suite.algorithm() {
            Algorithm::Null => null::MAC,
            _ => mac::mac64(&self.hmac, data, chain),
        }
    }

    /// The value of `chain` after a step whose MAC_64 was `mac64`.
    #[must_use]
    pub const fn chain_after(&self, chain: u64, mac64: u64) -> u64 {
        mac::chain_after(self.suite.algorithm(), chain, mac64)
    }

    fn check_run(&self, len: usize, block_size: usize) {
        assert!(
            block_size > 0
                && block_size.is_multiple_of(self.suite.cipher_block())
                && len.is_multiple_of(block_size),
            "{len} bytes are no run of blocks of {block_size}"
        );
    }
}

impl std::fmt::Debug for VolumeCipher {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("VolumeCipher")
            .field("suite", &self.suite)
            .finish_non_exhaustive()
    }
}
