//! Block coding: CBC over whole cipher blocks, without padding (format 5.4).
//!
//! A run is many equal, independent blocks in one buffer, each with its own IV. An [`Engine`] is
//! chosen once, when the volume is opened, and matched once per run:
//!
//! * AES by the `aes` crate where the processor has AES instructions; else by OpenSSL, as the
//!   crate's constant-time code is slow there;
//! * Blowfish by its crate, because OpenSSL 3 keeps it in a module that may be absent;
//! * Camellia by OpenSSL.
//!
//! Engines also offer full-block CFB, on which stream coding stands.

use aes::cipher::KeyInit;

use super::cbc_lanes::Lanes;
use super::cbc_openssl::OpenSsl;
use super::iv::Iv;
use super::{Algorithm, CipherSuite, Error};

/// A keyed cipher.
pub(super) enum Engine {
    /// Nothing is encrypted.
    Null,
    /// AES, 128 bits of key, with the processor's help.
    Aes128(Box<Lanes<aes::Aes128>>),
    /// AES, 192 bits.
    Aes192(Box<Lanes<aes::Aes192>>),
    /// AES, 256 bits.
    Aes256(Box<Lanes<aes::Aes256>>),
    /// Blowfish, any key size.
    Blowfish(Box<Lanes<blowfish::Blowfish>>),
    /// Camellia, and AES without the processor's help.
    OpenSsl(Box<OpenSsl>),
}

/// Calls one method of whichever engine it is; the null cipher does nothing.
macro_rules! on_engine {
    ($self:ident, $engine:ident => $call:expr) => {
        match $self {
            Engine::Null => {}
            Engine::Aes128($engine) => $call,
            Engine::Aes192($engine) => $call,
            Engine::Aes256($engine) => $call,
            Engine::Blowfish($engine) => $call,
            Engine::OpenSsl($engine) => $call,
        }
    };
}

impl Engine {
    /// The best engine of this machine for `suite`, keyed with K bytes.
    pub(super) fn new(suite: &CipherSuite, key: &[u8]) -> Result<Self, Error> {
        match suite.algorithm() {
            Algorithm::Null => Ok(Self::Null),
            Algorithm::Aes if aes::hardware_accelerated() => Self::aes_crate(suite, key),
            Algorithm::Blowfish => Ok(Self::Blowfish(lanes(suite, key)?)),
            Algorithm::Aes | Algorithm::Camellia => Self::openssl(suite, key),
        }
    }

    /// AES by the `aes` crate, whatever the processor has.
    pub(super) fn aes_crate(suite: &CipherSuite, key: &[u8]) -> Result<Self, Error> {
        match suite.key_bits() {
            128 => Ok(Self::Aes128(lanes(suite, key)?)),
            192 => Ok(Self::Aes192(lanes(suite, key)?)),
            _ => Ok(Self::Aes256(lanes(suite, key)?)),
        }
    }

    /// AES or Camellia by OpenSSL.
    pub(super) fn openssl(suite: &CipherSuite, key: &[u8]) -> Result<Self, Error> {
        Ok(Self::OpenSsl(Box::new(OpenSsl::new(suite, key)?)))
    }

    /// Encrypts a run in place: `data` is a whole number of blocks of `block_size` bytes, a
    /// multiple of the cipher block; `iv_of(i)` is the IV of block i of this run.
    pub(super) fn encrypt_run(
        &self,
        data: &mut [u8],
        block_size: usize,
        iv_of: impl Fn(u64) -> Iv,
    ) {
        on_engine!(self, engine => engine.encrypt_run(data, block_size, iv_of));
    }

    /// Decrypts a run in place; arguments as in [`Engine::encrypt_run`].
    pub(super) fn decrypt_run(
        &self,
        data: &mut [u8],
        block_size: usize,
        iv_of: impl Fn(u64) -> Iv,
    ) {
        on_engine!(self, engine => engine.decrypt_run(data, block_size, iv_of));
    }

    /// Encrypts `data` of any length in full-block CFB.
    pub(super) fn cfb_encrypt(&self, data: &mut [u8], iv: &Iv) {
        on_engine!(self, engine => engine.cfb_encrypt(data, iv));
    }

    /// Decrypts `data` of any length in full-block CFB.
    pub(super) fn cfb_decrypt(&self, data: &mut [u8], iv: &Iv) {
        on_engine!(self, engine => engine.cfb_decrypt(data, iv));
    }
}

/// A RustCrypto cipher with its key set up.
fn lanes<C: KeyInit>(suite: &CipherSuite, key: &[u8]) -> Result<Box<Lanes<C>>, Error> {
    let cipher = C::new_from_slice(key).map_err(|_| Error::KeyLength {
        want: suite.key_len(),
        got: key.len(),
    })?;
    Ok(Box::new(Lanes::new(cipher)))
}
