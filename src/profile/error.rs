//! Wishes that contradict each other.

/// Why there is no such volume.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Paranoia settings need what reverse mode cannot have.
    #[error("paranoia settings are not compatible with reverse mode")]
    ParanoiaReverse,
    /// Block MACs have no place in a reverse view.
    #[error("block MACs (--require-macs) are not compatible with reverse mode")]
    MacsReverse,
}
