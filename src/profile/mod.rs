//! How the settings of a new volume are chosen (format 10).
//!
//! Profiles by name ([`Profile`]), what of them suits a storage ([`advice`]), and the expert's questions
//! ([`Expert`]). All is data here: words, prompts and lines are the command line's work. The result is always
//! a [`NewVolume`](crate::config::NewVolume).
//!
//! | file | holds |
//! |---|---|
//! | `presets` | three sets of settings: standard, paranoia, storage |
//! | `named` | profiles by name: a set of settings, and names that suit the storage |
//! | `known` | what is known of a storage, by an examination or by the kernel alone |
//! | `concerns` | what each setting costs or risks there |
//! | `storage` | which profile suits it, and why |
//! | `expert`, `question` | the questions, one by one |

mod concerns;
mod error;
mod expert;
mod known;
mod named;
mod presets;
mod question;
mod storage;

#[cfg(test)]
mod tests;

/// The name encodings that a new volume can have.
pub use crate::nameio::NameInterface as NamingChoice;
pub use concerns::{Caveat, Concern, Cuts, Setting, caveats, concerns, mismatches};
pub use error::Error;
pub use expert::{Expert, Note, Reply};
pub use known::Storage;
pub use named::{Base, MenuAnswer, Names, Profile};
pub use presets::{Situation, paranoia, standard};
pub use question::{Question, YesNo, yes_no};
pub use storage::{Advice, Reason, advice, writers_matter};
