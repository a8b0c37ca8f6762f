//! Why a configuration is refused.

use std::fmt;

use super::fields::{Generation, Interface};

/// Why a configuration was not accepted.
///
/// `Damaged` and `UnsupportedVersion` come from reading the file, the others from checking what it says.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The file is not what its writer wrote: cut, overwritten, or never a configuration.
    #[error("the configuration is damaged ({place}): {fault}")]
    Damaged {
        /// Where the fault was noticed.
        place: Place,
        /// What is wrong there.
        fault: Fault,
    },

    /// A version of the file that we cannot read, or that nobody ever wrote.
    #[error(
        "configuration of generation {generation}, sub-version {sub_version}, is not supported: {writer}; {remedy}"
    )]
    UnsupportedVersion {
        /// Generation of the file.
        generation: Generation,
        /// The sub-version as it stands in the file.
        sub_version: String,
        /// Which program wrote it, as far as the number tells.
        writer: &'static str,
        /// What the user can do.
        remedy: &'static str,
    },

    /// The volume asks for a cipher or a name encoding that we do not have, or not in this version.
    #[error("{kind} {interface} is not supported: {why}")]
    UnsupportedInterface {
        /// Cipher or name encoding.
        kind: InterfaceKind,
        /// What the volume asks for.
        interface: Interface,
        /// Unknown name, or known name with another version.
        why: &'static str,
    },

    /// A value that no usable volume can have.
    #[error("the configuration has an impossible value: {value} = {found}, but {demand}")]
    InvalidValue {
        /// Name of the value, as the XML form spells it.
        value: &'static str,
        /// What the file says.
        found: String,
        /// What is demanded of the value.
        demand: String,
    },

    /// The wrapped volume key cannot be whole.
    #[error(
        "the configuration is damaged: the wrapped volume key has {found} bytes, expected {expected}"
    )]
    WrappedKeyLength {
        /// Bytes in the file.
        found: usize,
        /// Bytes that cipher and key size demand (format 4.3).
        expected: usize,
    },
}

impl Error {
    pub(crate) fn damaged(place: Place, fault: Fault) -> Self {
        Self::Damaged { place, fault }
    }

    pub(crate) fn invalid(
        value: &'static str,
        found: impl ToString,
        demand: impl Into<String>,
    ) -> Self {
        Self::InvalidValue {
            value,
            found: found.to_string(),
            demand: demand.into(),
        }
    }
}

/// Where in the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// The file as a whole.
    Whole,
    /// Line of the XML text, from 1.
    Line(u64),
    /// Byte of a binary file, from 0.
    Offset(usize),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Whole => f.write_str("the whole file"),
            Self::Line(line) => write!(f, "line {line}"),
            Self::Offset(offset) => write!(f, "byte {offset}"),
        }
    }
}

/// What is wrong with a damaged file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// Not well-formed XML; the text is the parser's.
    #[error("not well-formed XML: {0}")]
    Syntax(String),
    /// Well-formed, but not the XML of a configuration.
    #[error("no element {0}")]
    NotAConfiguration(&'static str),
    /// A needed element or key is not there.
    #[error("{0} is missing")]
    Missing(&'static str),
    /// A number is demanded.
    #[error("{what} is not a number: {text:?}")]
    NotANumber {
        /// Name of the element.
        what: &'static str,
        /// What stands there, shortened.
        text: String,
    },
    /// The text is not base64.
    #[error("{0} is not base64")]
    Base64(&'static str),
    /// Text and size element disagree.
    #[error("{what} has {found} bytes, but the file says {expected}")]
    Length {
        /// Name of the element.
        what: &'static str,
        /// Bytes found.
        found: usize,
        /// Bytes announced.
        expected: String,
    },
    /// An integer or string of a binary file runs past its end.
    #[error("{0} runs past the end of the data")]
    EndOfData(&'static str),
    /// An integer of a binary file above 2^31 - 1.
    #[error("an integer is too large")]
    IntegerTooLarge,
    /// An entry of a binary file has no key.
    #[error("an entry has an empty key")]
    EmptyKey,
    /// Larger than any configuration can be.
    #[error("larger than {0} bytes")]
    TooLarge(usize),
    /// Elements nested deeper than any configuration has them.
    #[error("elements are nested too deeply")]
    TooDeep,
    /// The document declares entities of its own, which no configuration does.
    #[error("the document declares entities")]
    Entities,
}

/// Which of a volume's two interfaces.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InterfaceKind {
    /// The cipher.
    Cipher,
    /// The encoding of file names.
    Naming,
}

impl fmt::Display for InterfaceKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Cipher => "cipher",
            Self::Naming => "name encoding",
        })
    }
}
