//! What can go wrong in `nameio`.

/// Why a name could not be coded, or a coding not be had.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The volume names an encoding that no release of EncFS had.
    #[error("unknown name encoding \"{name}\"")]
    UnknownInterface {
        /// The interface name as given.
        name: String,
    },
    /// The encoding is known, but not in this version of its interface.
    #[error("name encoding {name}: version {major} is not supported")]
    UnsupportedVersion {
        /// The interface name.
        name: &'static str,
        /// The major version that was asked for.
        major: u32,
    },
    /// The raw name is not the encoding of anything in this place: foreign, damaged, or moved
    /// here from another directory.
    #[error("the raw name cannot be decoded")]
    Undecodable,
    /// The bytes cannot name a directory entry: empty, `.`, `..`, or with `/` or NUL.
    #[error("not a possible file name")]
    NotAName,
    /// A link target that this name encoding cannot express (format 6.7); the user's `symlink`
    /// fails with EINVAL.
    #[error("the name encoding cannot express this link target")]
    Inexpressible,
}
