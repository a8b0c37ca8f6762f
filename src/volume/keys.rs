//! From a password to the volume key and back into a configuration.

use super::Error;
use super::config_file::{parse, serialize};
use crate::config::{Generation, VolumeConfig, limits};
use crate::crypto::{self, CipherSuite, Kdf, UserKey, VolumeKey};
use crate::secret::Password;

/// Length of the salt where there was none before, in bytes.
const SALT_LEN: usize = 20;

/// The cipher of a volume. Configurations are checked for this, so it cannot fail for one that exists.
///
/// # Errors
/// [`Error::Crypto`].
pub fn suite(config: &VolumeConfig) -> Result<CipherSuite, Error> {
    let cipher = &config.cipher;
    Ok(CipherSuite::new(
        &cipher.name,
        cipher.major,
        config.key_bits,
    )?)
}

/// Unwraps the volume key. Without `check` any password gives a key, though only the right one gives the
/// right key.
///
/// # Errors
/// [`Error::WrongPassword`], [`Error::EmptyPassword`], [`Error::Crypto`].
pub fn volume_key(
    config: &VolumeConfig,
    password: &Password,
    check: bool,
) -> Result<VolumeKey, Error> {
    let suite = suite(config)?;
    let kdf = Kdf::of(&config.salt, config.kdf_iterations);
    let user_key = crypto::derive_user_key(&suite, password, &kdf)?;
    let key = crypto::unwrap_volume_key(&suite, &user_key, &config.key_data, check)?;
    Ok(key)
}

/// How a password is turned into the user key from now on: what goes into the configuration, and the key.
pub(super) struct Derivation {
    pub(super) salt: Vec<u8>,
    pub(super) iterations: u32,
    pub(super) user_key: UserKey,
}

impl Derivation {
    /// New salt, and iterations that take about `duration_ms` here. `old_salt` is the length to keep.
    pub(super) fn salted(
        suite: &CipherSuite,
        password: &Password,
        old_salt: usize,
        duration_ms: u32,
    ) -> Result<Self, Error> {
        if password.is_empty() {
            // before anything is measured
            return Err(Error::EmptyPassword);
        }
        let len = if old_salt == 0 { SALT_LEN } else { old_salt };
        let mut salt = vec![0; len];
        crypto::random_bytes(&mut salt)?;
        let iterations =
            crypto::calibrate_iterations(suite, duration_ms).clamp(1, limits::MAX_ITERATIONS);
        Self::with(suite, password, salt, iterations)
    }

    /// The old derivation, for generations that have no salt; `mark` stays as it is.
    pub(super) fn old(suite: &CipherSuite, password: &Password, mark: u32) -> Result<Self, Error> {
        Self::with(suite, password, Vec::new(), mark)
    }

    fn with(
        suite: &CipherSuite,
        password: &Password,
        salt: Vec<u8>,
        iterations: u32,
    ) -> Result<Self, Error> {
        let user_key = crypto::derive_user_key(suite, password, &Kdf::of(&salt, iterations))?;
        Ok(Self {
            salt,
            iterations,
            user_key,
        })
    }
}

/// The bytes of `config`, after a proof that they are worth writing: read again, they give an equal
/// configuration, and its wrapped key gives `key` back.
///
/// # Errors
/// [`Error::NotProven`].
pub(super) fn proven_bytes(
    config: &VolumeConfig,
    user_key: &UserKey,
    key: &VolumeKey,
) -> Result<Vec<u8>, Error> {
    let bytes = serialize(config);
    prove(&bytes, config, user_key, key).ok_or(Error::NotProven)?;
    Ok(bytes)
}

fn prove(bytes: &[u8], config: &VolumeConfig, user_key: &UserKey, key: &VolumeKey) -> Option<()> {
    let again = parse(bytes, config.generation).ok()?;
    if again != *config {
        return None;
    }
    let suite = suite(&again).ok()?;
    let unwrapped = crypto::unwrap_volume_key(&suite, user_key, &again.key_data, true).ok()?;
    unwrapped.same_as(key).then_some(())
}

/// Whether files of this generation can hold a salt.
pub(super) fn takes_salt(generation: Generation) -> bool {
    generation == Generation::V6
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A damaged byte anywhere in the bytes to be written must not pass the proof unseen.
    #[test]
    fn the_proof_notices_other_bytes_and_other_keys() {
        let cases =
            crate::config::vectors::cases(include_str!("../../fixtures/vectors/config_xml.json"));
        let document = cases[0]["document"].as_str().unwrap();
        let config = crate::config_xml::read(document.as_bytes()).unwrap();
        let suite = suite(&config).unwrap();
        let password = Password::new(b"proof".to_vec());
        let derivation = Derivation::salted(&suite, &password, 0, 0).unwrap();
        let key = VolumeKey::generate(&suite).unwrap();
        let wrapped = crypto::wrap_volume_key(&suite, &derivation.user_key, &key).unwrap();
        let config = config
            .with_key(wrapped, derivation.salt.clone(), derivation.iterations)
            .unwrap();

        let bytes = proven_bytes(&config, &derivation.user_key, &key).unwrap();
        let other_key = VolumeKey::generate(&suite).unwrap();
        assert_eq!(
            proven_bytes(&config, &derivation.user_key, &other_key),
            Err(Error::NotProven)
        );
        let text = String::from_utf8(bytes).unwrap();
        for (from, to) in [
            ("<saltLen>20", "<saltLen>19"),
            ("<blockSize>1024", "<blockSize>2048"),
            ("<kdfIterations>1000", "<kdfIterations>1001"),
            ("</cfg>", ""),
        ] {
            let changed = text.replace(from, to);
            assert_ne!(changed, text, "{from}");
            let proof = prove(changed.as_bytes(), &config, &derivation.user_key, &key);
            assert!(proof.is_none(), "{from}");
        }
    }
}
