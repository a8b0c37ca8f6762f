//! What can go wrong in `crypto`.

use super::Algorithm;

/// Why a cipher could not be set up, or a key not be had.
///
/// Coding itself never fails: all that could go wrong is found when the cipher is made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The volume names a cipher that no release of EncFS had.
    #[error("unknown cipher \"{name}\"")]
    UnknownCipher {
        /// The interface name as given.
        name: String,
    },
    /// The cipher is known, but not in this version of its interface.
    #[error("cipher {name}: version {major} is not supported")]
    UnsupportedVersion {
        /// The interface name.
        name: &'static str,
        /// The major version that was asked for.
        major: u32,
    },
    /// The key size is not one of the cipher's (format 3.2).
    #[error("cipher {}: {bits} is no valid key size in bits", .algorithm.interface_name())]
    KeySize {
        /// The cipher.
        algorithm: Algorithm,
        /// The size that was asked for, in bits.
        bits: u32,
    },
    /// A key does not have the length that the suite demands: a caller mixed two suites.
    #[error("a key of {got} bytes where {want} are needed")]
    KeyLength {
        /// Bytes that the suite needs: cipher key and IV base.
        want: usize,
        /// Bytes that were given.
        got: usize,
    },
    /// The wrapped volume key in the configuration has the wrong length: it is damaged.
    #[error("the wrapped key has {got} bytes where {want} are needed")]
    WrappedKeyLength {
        /// Bytes that the suite needs.
        want: usize,
        /// Bytes that were given.
        got: usize,
    },
    /// The checksum of the volume key is wrong: wrong password, or (rarely) a damaged key.
    #[error("wrong password")]
    WrongPassword,
    /// The password is empty, which is refused everywhere.
    #[error("the password is empty")]
    EmptyPassword,
    /// A salt, but no iterations: the configuration is damaged (format 2.2).
    #[error("a key derivation of 0 iterations")]
    NoIterations,
    /// OpenSSL refused: no random bytes, or a cipher that this build of it lacks.
    #[error("OpenSSL: {message}")]
    OpenSsl {
        /// What OpenSSL said.
        message: String,
    },
}

impl From<openssl::error::ErrorStack> for Error {
    fn from(stack: openssl::error::ErrorStack) -> Self {
        Self::OpenSsl {
            message: stack.to_string(),
        }
    }
}
