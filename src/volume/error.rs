//! What can go wrong between a directory and an opened volume.

use std::path::PathBuf;

use crate::{blockio, config, crypto, nameio, raw};

/// Why a volume was not opened, made or changed.
///
/// A wrong password, a damaged and an unsupported configuration are different things to a user, so they are
/// different variants.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The password does not open the volume.
    #[error("wrong password")]
    WrongPassword,

    /// An empty password, which is refused everywhere.
    #[error("the password is empty")]
    EmptyPassword,

    /// The configuration file is not what its writer wrote. The volume's key is in no other place: a backup
    /// of the file is needed.
    #[error("{}: {source}", .path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// Where and what.
        source: config::Error,
    },

    /// The configuration is whole, but of a form, cipher or name encoding that we do not have.
    #[error("{}: {source}", .path.display())]
    Unsupported {
        /// The file.
        path: PathBuf,
        /// What it asks for.
        source: config::Error,
    },

    /// The volume is older than EncFS 1.0.
    #[error(
        "{}: the volume was made by {writer} and is not supported; no release since EncFS 1.5 can open it",
        .path.display()
    )]
    Prehistoric {
        /// The configuration file.
        path: PathBuf,
        /// Who wrote it, by its name.
        writer: &'static str,
    },

    /// The volume belongs to another line of programs, with a configuration of another kind.
    #[error("{}: the volume was made by {writer} and is not supported", .path.display())]
    Foreign {
        /// The configuration file.
        path: PathBuf,
        /// Who wrote it, by its name.
        writer: &'static str,
    },

    /// The configuration file that an option or variable names does not exist.
    #[error("the configuration file {} does not exist ({named_by})", .path.display())]
    NoSuchFile {
        /// The file.
        path: PathBuf,
        /// The option or environment variable.
        named_by: &'static str,
    },

    /// A new volume was to be made where one is already.
    #[error("{} exists: here is a volume already", .path.display())]
    AlreadyAVolume {
        /// Its configuration file.
        path: PathBuf,
    },

    /// A configuration file could not be looked for, read or written.
    #[error("{}: {source}", .path.display())]
    Storage {
        /// The file.
        path: PathBuf,
        /// What the storage answered.
        source: raw::Error,
    },

    /// Settings of a new volume that no volume can have.
    #[error(transparent)]
    Settings(config::Error),

    /// A cipher could not be set up.
    #[error(transparent)]
    Crypto(crypto::Error),

    /// The name encoding could not be set up.
    #[error(transparent)]
    Names(nameio::Error),

    /// The new configuration, read again before it was written, does not give back the volume key. The old
    /// one is unchanged.
    #[error("the new configuration failed its check and was not written; nothing has changed")]
    NotProven,
}

impl Error {
    /// A configuration was refused; which kind of refusal it is decides the variant.
    pub(super) fn refused(path: PathBuf, source: config::Error) -> Self {
        use config::Error as C;
        match source {
            C::Damaged { .. } | C::InvalidValue { .. } | C::WrappedKeyLength { .. } => {
                Self::Damaged { path, source }
            }
            C::UnsupportedVersion { .. } | C::UnsupportedInterface { .. } => {
                Self::Unsupported { path, source }
            }
        }
    }
}

impl From<crypto::Error> for Error {
    fn from(error: crypto::Error) -> Self {
        match error {
            crypto::Error::WrongPassword => Self::WrongPassword,
            crypto::Error::EmptyPassword => Self::EmptyPassword,
            other => Self::Crypto(other),
        }
    }
}

/// Why something in an opened volume cannot be reached or read.
#[derive(Debug, thiserror::Error)]
pub enum AccessError {
    /// What the storage answered; `ENOENT` if there is no such name.
    #[error(transparent)]
    Raw(#[from] raw::Error),

    /// The contents cannot be read.
    #[error(transparent)]
    Content(#[from] blockio::Error),

    /// A name or link target cannot be coded.
    #[error(transparent)]
    Name(#[from] nameio::Error),

    /// Not a regular file.
    #[error("not a regular file")]
    NotAFile(raw::Kind),

    /// The path leads out of the volume, by a link to an absolute path or by `..`.
    #[error("the path leads out of the volume")]
    OutsideVolume,

    /// Links that lead to links without end.
    #[error("too many symbolic links")]
    TooManyLinks,
}
