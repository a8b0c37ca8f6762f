//! The name encodings that a new volume can have.

use crate::config::Interface;

/// A name encoding, in the order in which they are offered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NamingChoice {
    /// Hides the length of names up to a cipher block.
    Block,
    /// The same for storage that ignores case; longer names.
    Block32,
    /// Names are not encrypted.
    Null,
    /// Shortest; the length of names shows.
    Stream,
}

impl NamingChoice {
    /// All of them; the first has number 1.
    pub const ALL: [Self; 4] = [Self::Block, Self::Block32, Self::Null, Self::Stream];

    /// The interface as new volumes have it (format 3.1).
    #[must_use]
    pub fn interface(self) -> Interface {
        match self {
            Self::Block => Interface::new("nameio/block", 4, 0),
            Self::Block32 => Interface::new("nameio/block32", 4, 0),
            Self::Null => Interface::new("nameio/null", 1, 0),
            Self::Stream => Interface::new("nameio/stream", 2, 1),
        }
    }
}
