//! How the settings of a new volume are chosen (format 10).
//!
//! The two presets ([`standard`], [`paranoia`]) and the expert's questions ([`Expert`]), which are data here:
//! asking them, that is prompts and lines, is the command line's work. The result is always a
//! [`NewVolume`](crate::config::NewVolume).

mod error;
mod expert;
mod presets;
mod question;

#[cfg(test)]
mod tests;

/// The name encodings that a new volume can have.
pub use crate::nameio::NameInterface as NamingChoice;
pub use error::Error;
pub use expert::{Expert, Note, Reply};
pub use presets::{Profile, Situation, paranoia, standard};
pub use question::{Question, YesNo};
