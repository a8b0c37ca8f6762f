//! An opened volume, and the way there: find the configuration, ask for the key, make or change one.
//!
//! | file | what |
//! |---|---|
//! | `config_file` | which file is the configuration; reading and saving it (format 2.1, 2.5) |
//! | `keys` | password to volume key, and the proof before anything is written |
//! | `create`, `passwd` | new volumes, new passwords |
//!
//! A wrong password, a damaged configuration and an unsupported one are different variants of [`Error`].

pub mod config_file;
mod create;
mod error;
mod keys;
pub mod passwd;

#[cfg(test)]
mod tests;

pub use config_file::ConfigFile;
pub use create::create;
pub use error::Error;
pub use keys::{suite, volume_key};
