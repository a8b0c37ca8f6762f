//! From a password to the user key (format 4.1, 4.2).

use std::time::{Duration, Instant};

use crate::secret::Zeroize;
use sha1::{Digest, Sha1};

use super::{Algorithm, CipherSuite, Error, UserKey};
use crate::secret::{Password, SecretBytes};

/// Iterations with which the measuring begins.
const FIRST_ITERATIONS: u32 = 1000;

/// How a volume derives its user key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kdf {
    /// PBKDF2-HMAC-SHA1, in volumes with a salt.
    Pbkdf2 {
        /// The salt, any number of bytes.
        salt: Vec<u8>,
        /// Iterations, at least 1.
        iterations: u32,
    },
    /// The derivation of volumes without a salt: 16 rounds of SHA-1.
    Old,
}

impl Kdf {
    /// The derivation of a configuration: the old one if there is no salt.
    #[must_use]
    pub fn of(salt: &[u8], iterations: u32) -> Self {
        if salt.is_empty() {
            Self::Old
        } else {
            Self::Pbkdf2 {
                salt: salt.to_vec(),
                iterations,
            }
        }
    }
}

/// Derives the user key.
///
/// # Errors
/// [`Error::EmptyPassword`]; [`Error::NoIterations`].
pub fn derive_user_key(
    suite: &CipherSuite,
    password: &Password,
    kdf: &Kdf,
) -> Result<UserKey, Error> {
    if password.is_empty() {
        return Err(Error::EmptyPassword);
    }
    let mut material = SecretBytes::zeroed(suite.material_len());
    match kdf {
        Kdf::Pbkdf2 { iterations: 0, .. } => return Err(Error::NoIterations),
        Kdf::Pbkdf2 { salt, iterations } => pbkdf2(
            password.as_bytes(),
            salt,
            *iterations,
            material.as_mut_bytes(),
        ),
        Kdf::Old => derive_old(suite, password.as_bytes(), material.as_mut_bytes()),
    }
    Ok(UserKey::from_material(material))
}

fn pbkdf2(password: &[u8], salt: &[u8], iterations: u32, out: &mut [u8]) {
    pbkdf2::pbkdf2_hmac::<Sha1>(password, salt, iterations, out);
}

/// The old derivation: a chain of hashes, cut into key and IV base.
///
/// Blowfish of interface major 1 takes 16 bytes of key from the chain, whatever its key size,
/// and fills up with zero bytes.
fn derive_old(suite: &CipherSuite, password: &[u8], material: &mut [u8]) {
    let (key, iv_base) = material.split_at_mut(suite.key_len());
    let derived = match (suite.algorithm(), suite.major()) {
        (Algorithm::Blowfish, 1) => key.len().min(16),
        _ => key.len(),
    };
    let mut hash = hashed_16_times(&[], password);
    let mut at = 0;
    for slot in key.iter_mut().take(derived).chain(iv_base) {
        if at == hash.len() {
            let next = hashed_16_times(&hash, password);
            hash.zeroize();
            hash = next;
            at = 0;
        }
        if let Some(byte) = hash.get(at) {
            *slot = *byte;
        }
        at += 1;
    }
    hash.zeroize();
}

/// SHA-1 of `before || password`, and fifteen times SHA-1 of that.
fn hashed_16_times(before: &[u8], password: &[u8]) -> [u8; 20] {
    let mut hash: [u8; 20] = Sha1::new()
        .chain_update(before)
        .chain_update(password)
        .finalize()
        .into();
    for _ in 1..16 {
        hash = Sha1::digest(hash).into();
    }
    hash
}

/// The number of PBKDF2 iterations that takes about `duration_ms` milliseconds here, measured
/// as format 4.1 says.
#[must_use]
pub fn calibrate_iterations(suite: &CipherSuite, duration_ms: u32) -> u32 {
    let mut out = SecretBytes::zeroed(suite.material_len().max(1));
    let wanted = Duration::from_millis(u64::from(duration_ms));
    calibrate(wanted, |iterations| {
        let start = Instant::now();
        pbkdf2(b"measuring", &[0; 20], iterations, out.as_mut_bytes());
        start.elapsed()
    })
}

/// Finds the number of iterations for which `time_of` tells about `wanted`.
fn calibrate(wanted: Duration, mut time_of: impl FnMut(u32) -> Duration) -> u32 {
    let mut iterations = FIRST_ITERATIONS;
    loop {
        let took = time_of(iterations);
        let scaled = if took < wanted / 8 {
            u64::from(iterations) * 4
        } else if took < wanted * 5 / 6 {
            in_proportion(iterations, wanted, took)
        } else {
            return iterations;
        };
        let next = u32::try_from(scaled).unwrap_or(u32::MAX);
        if next <= iterations {
            return iterations;
        }
        iterations = next;
    }
}

/// `iterations * wanted / took`, truncated; `took` is not 0.
fn in_proportion(iterations: u32, wanted: Duration, took: Duration) -> u64 {
    let scaled = u128::from(iterations) * wanted.as_nanos() / took.as_nanos().max(1);
    u64::try_from(scaled).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A machine that does `per_ms` iterations per millisecond.
    fn machine(per_ms: u32) -> impl FnMut(u32) -> Duration {
        move |iterations| Duration::from_secs(u64::from(iterations)) / per_ms / 1000
    }

    #[test]
    fn iterations_grow_by_four_then_in_proportion() {
        // 1000, 4000 and 16000 take 10, 40 and 160 ms; only the last is an eighth of 500 ms,
        // so then come 16000 * 500 / 160.
        assert_eq!(calibrate(Duration::from_millis(500), machine(100)), 50_000);
        // 1000 take 100 ms, between an eighth and five sixths.
        assert_eq!(calibrate(Duration::from_millis(500), machine(10)), 5_000);
        // 1000 take 450 ms, more than five sixths.
        let wanted = Duration::from_millis(500);
        assert_eq!(calibrate(wanted, |_| Duration::from_millis(450)), 1000);
    }

    #[test]
    fn no_duration_is_the_first_guess_and_a_stopped_clock_ends() {
        assert_eq!(calibrate(Duration::ZERO, machine(1)), 1000);
        let wanted = Duration::from_millis(500);
        assert_eq!(calibrate(wanted, |_| Duration::ZERO), u32::MAX);
    }

    #[test]
    fn a_real_measurement_ends_with_at_least_the_first_guess() {
        let suite = CipherSuite::new("ssl/aes", 3, 192).unwrap();
        assert!(calibrate_iterations(&suite, 5) >= FIRST_ITERATIONS);
    }

    #[test]
    fn no_salt_means_the_old_derivation() {
        assert_eq!(Kdf::of(&[], 16), Kdf::Old);
        let salted = Kdf::of(&[1], 16);
        assert!(matches!(salted, Kdf::Pbkdf2 { iterations: 16, .. }));
    }
}
