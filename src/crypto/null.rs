//! The null cipher, for volumes that exist (format 3.3).
//!
//! Keys are empty, every coding step leaves its bytes as they are, and every MAC is 0; a chain
//! stays what it was (see [`super::chain_after`]). Contents of volumes with plain data go
//! through it as well. "Random" bytes of such a volume are zeros, which is the business of
//! those who write them.

/// The MAC_64 of anything.
pub(super) const MAC: u64 = 0;
