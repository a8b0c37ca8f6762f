//! CBC and CFB by OpenSSL: Camellia, and AES where the processor does not help.
//!
//! Contexts with the key set up are expensive to make and cheap to give another IV, so they are
//! kept in a pool: as many as threads ever worked at once, freed with the volume.

use crate::secret::Zeroizing;
use openssl::cipher::{Cipher, CipherRef};
use openssl::cipher_ctx::{CipherCtx, CipherCtxRef};
use openssl::error::ErrorStack;
use parking_lot::Mutex;

use super::iv::Iv;
use super::{Algorithm, CipherSuite, Error};

/// Bytes that are coded by one call; a multiple of the cipher block.
const PIECE: usize = 2048;
/// OpenSSL wants room for one cipher block more than it writes.
const SPARE: usize = 16;

/// A keyed cipher.
pub(super) struct OpenSsl {
    /// Never used itself; others are copied from it.
    template: Contexts,
    pool: Mutex<Vec<Contexts>>,
}

/// One context per mode and direction, and room for their output.
struct Contexts {
    cbc_encrypt: CipherCtx,
    cbc_decrypt: CipherCtx,
    cfb_encrypt: CipherCtx,
    cfb_decrypt: CipherCtx,
    piece: Zeroizing<Vec<u8>>,
}

impl OpenSsl {
    /// The cipher of `suite`, AES or Camellia, with a key of K bytes.
    pub(super) fn new(suite: &CipherSuite, key: &[u8]) -> Result<Self, Error> {
        let (cbc, cfb) = ciphers(suite)?;
        if key.len() != cbc.key_length() {
            return Err(Error::KeyLength {
                want: cbc.key_length(),
                got: key.len(),
            });
        }
        let mut contexts = Contexts::empty()?;
        contexts
            .cbc_encrypt
            .encrypt_init(Some(cbc), Some(key), None)?;
        contexts.cbc_encrypt.set_padding(false);
        contexts
            .cbc_decrypt
            .decrypt_init(Some(cbc), Some(key), None)?;
        contexts.cbc_decrypt.set_padding(false);
        contexts
            .cfb_encrypt
            .encrypt_init(Some(cfb), Some(key), None)?;
        contexts
            .cfb_decrypt
            .decrypt_init(Some(cfb), Some(key), None)?;
        Ok(Self {
            template: contexts,
            pool: Mutex::new(Vec::new()),
        })
    }

    /// See [`super::cbc::Engine::encrypt_run`].
    pub(super) fn encrypt_run(
        &self,
        data: &mut [u8],
        block_size: usize,
        iv_of: impl Fn(u64) -> Iv,
    ) {
        self.with(|contexts| {
            for (block, index) in data.chunks_exact_mut(block_size).zip(0..) {
                let context = &mut contexts.cbc_encrypt;
                context.encrypt_init(None, None, Some(&iv_of(index)))?;
                in_place(context, block, &mut contexts.piece)?;
            }
            Ok(())
        });
    }

    /// See [`super::cbc::Engine::decrypt_run`].
    pub(super) fn decrypt_run(
        &self,
        data: &mut [u8],
        block_size: usize,
        iv_of: impl Fn(u64) -> Iv,
    ) {
        self.with(|contexts| {
            for (block, index) in data.chunks_exact_mut(block_size).zip(0..) {
                let context = &mut contexts.cbc_decrypt;
                context.decrypt_init(None, None, Some(&iv_of(index)))?;
                in_place(context, block, &mut contexts.piece)?;
            }
            Ok(())
        });
    }

    /// See [`super::cbc::Engine::cfb_encrypt`].
    pub(super) fn cfb_encrypt(&self, data: &mut [u8], iv: &Iv) {
        self.with(|contexts| {
            let context = &mut contexts.cfb_encrypt;
            context.encrypt_init(None, None, Some(iv))?;
            in_place(context, data, &mut contexts.piece)
        });
    }

    /// See [`super::cbc::Engine::cfb_decrypt`].
    pub(super) fn cfb_decrypt(&self, data: &mut [u8], iv: &Iv) {
        self.with(|contexts| {
            let context = &mut contexts.cfb_decrypt;
            context.decrypt_init(None, None, Some(iv))?;
            in_place(context, data, &mut contexts.piece)
        });
    }

    /// Runs `work` with contexts of the pool.
    ///
    /// # Panics
    /// If OpenSSL fails where no input can make it fail, that is, without memory. To go on would
    /// mean to hand half-coded, perhaps plain, bytes to storage.
    #[allow(clippy::panic)]
    fn with(&self, work: impl FnOnce(&mut Contexts) -> Result<(), ErrorStack>) {
        let pooled = self.pool.lock().pop();
        let done = pooled
            .map_or_else(|| self.template.copied(), Ok)
            .and_then(|mut contexts| work(&mut contexts).map(|()| contexts));
        match done {
            Ok(contexts) => self.pool.lock().push(contexts),
            Err(error) => panic!("OpenSSL cannot go on: {error}"),
        }
    }
}

impl Contexts {
    fn empty() -> Result<Self, ErrorStack> {
        Ok(Self {
            cbc_encrypt: CipherCtx::new()?,
            cbc_decrypt: CipherCtx::new()?,
            cfb_encrypt: CipherCtx::new()?,
            cfb_decrypt: CipherCtx::new()?,
            piece: Zeroizing::new(vec![0; PIECE + SPARE]),
        })
    }

    fn copied(&self) -> Result<Self, ErrorStack> {
        let mut copy = Self::empty()?;
        copy.cbc_encrypt.copy(&self.cbc_encrypt)?;
        copy.cbc_decrypt.copy(&self.cbc_decrypt)?;
        copy.cfb_encrypt.copy(&self.cfb_encrypt)?;
        copy.cfb_decrypt.copy(&self.cfb_decrypt)?;
        Ok(copy)
    }
}

/// Codes `data` in place, by way of `piece`; the chain runs on from piece to piece.
fn in_place(
    context: &mut CipherCtxRef,
    data: &mut [u8],
    piece: &mut [u8],
) -> Result<(), ErrorStack> {
    for part in data.chunks_mut(PIECE) {
        let written = context.cipher_update(part, Some(piece))?;
        // Without padding whole cipher blocks come out as they go in.
        assert_eq!(written, part.len(), "OpenSSL held bytes back");
        part.copy_from_slice(&piece[..written]);
    }
    Ok(())
}

/// OpenSSL's CBC and CFB of a suite.
fn ciphers(suite: &CipherSuite) -> Result<(&'static CipherRef, &'static CipherRef), Error> {
    Ok(match (suite.algorithm(), suite.key_bits()) {
        (Algorithm::Aes, 128) => (Cipher::aes_128_cbc(), Cipher::aes_128_cfb128()),
        (Algorithm::Aes, 192) => (Cipher::aes_192_cbc(), Cipher::aes_192_cfb128()),
        (Algorithm::Aes, 256) => (Cipher::aes_256_cbc(), Cipher::aes_256_cfb128()),
        (Algorithm::Camellia, 128) => (Cipher::camellia128_cbc(), Cipher::camellia128_cfb128()),
        (Algorithm::Camellia, 192) => (Cipher::camellia192_cbc(), Cipher::camellia192_cfb128()),
        (Algorithm::Camellia, 256) => (Cipher::camellia256_cbc(), Cipher::camellia256_cfb128()),
        (algorithm, bits) => return Err(Error::KeySize { algorithm, bits }),
    })
}
