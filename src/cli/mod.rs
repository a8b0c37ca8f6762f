//! Words to requests; results to words.
//!
//! Two steps, kept apart: [`request`] turns the words of a command line into one typed request
//! and does nothing else; the questions and passwords that a request still needs are asked by
//! [`dialogue`], [`password_source`] and their neighbours through the one
//! [`crate::term::Console`]. What came of it is said by [`output`] and [`exit`].

mod chooser;
pub mod ctl_request;
mod definitions;
pub mod description;
pub mod dialogue;
mod encfs_args;
mod encfsctl_args;
mod examine;
pub mod exit;
mod expert_dialogue;
mod mount_words;
pub mod new_volume;
pub mod output;
pub mod password_source;
mod probe_advice;
pub mod probe_report;
mod profile_list;
pub mod request;
pub mod storage_words;
pub mod version;

pub use definitions::definitions;
pub use mount_words::{BadWord, LISTED as MOUNT_WORDS_HELP, MountWords};
