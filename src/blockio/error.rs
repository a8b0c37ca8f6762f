//! Why contents cannot be read or written.

use crate::{crypto, raw};

/// Why contents cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The storage refused.
    #[error(transparent)]
    Raw(#[from] raw::Error),
    /// The MAC of a block does not fit its contents: the block was damaged or tampered with.
    #[error("block {block} fails its authentication")]
    BlockMac {
        /// Number of the block, from 0.
        block: u64,
    },
    /// A file that must begin with an 8-byte header has 1 to 7 bytes.
    #[error("the file has {raw_len} bytes, fewer than its header")]
    CutHeader {
        /// Raw length in bytes.
        raw_len: u64,
    },
    /// The header decodes to 0, which no writer makes (format 7.2).
    #[error("the file's header holds no valid initialization vector")]
    BadHeader,
    /// Storage says that the file is empty, yet it has contents: it lags behind.
    #[error("the storage calls the file empty, but {found} bytes were read: it lags behind")]
    Unsettled {
        /// Raw bytes found, 8 at most.
        found: u64,
    },
    /// Fewer bytes came than the file has: the storage shows an older version, or somebody else cut
    /// the file.
    #[error("the storage gave {found} bytes where {wanted} should be: it lags behind")]
    Missing {
        /// Raw bytes that should be there.
        wanted: u64,
        /// Raw bytes that came.
        found: u64,
    },
    /// The file was to be cut, the storage took the order and did not obey.
    #[error("the storage did not cut the file to {wanted} bytes, it has {found}")]
    NotCut {
        /// Raw length in bytes that was asked for.
        wanted: u64,
        /// Raw length in bytes that the storage reports.
        found: u64,
    },
    /// The size cannot be reached by a raw file.
    #[error("the file would be too large")]
    TooLarge,
    /// A view with headers made of inode numbers is for reading only (format 8).
    #[error("the encrypted view of this volume cannot be written")]
    ViewNotWritable,
    /// The system gave no random bytes.
    #[error(transparent)]
    Crypto(#[from] crypto::Error),
}
