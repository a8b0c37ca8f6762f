//! File names: plain to raw and back (format 6).
//!
//! A [`NameCoding`] codes one component, given the IV of the directory that it lies in;
//! [`DirNames`] is that for one directory, and the only place where names and IVs meet. Whole
//! paths and link targets build on it. This module sees no directory and makes no system call.
//!
//! **Rule.** A raw name is valid only if it is what encoding its plain name gives (format 6.1),
//! and only if that plain name can be a directory entry. Whatever bytes come in, decoding
//! answers with a name or an [`Error`].
//!
//! | file | what | format |
//! |---|---|---|
//! | `name` | [`PlainName`], [`RawName`]; reserved names | 6.8 |
//! | `alphabet` | bytes to characters | 6.1 |
//! | `block` | `nameio/block` and `nameio/block32` | 6.2 |
//! | `stream` | `nameio/stream` | 6.3 |
//! | `coding` | the choice of coding, null encoding, length limits | 6.4, 6.5 |
//! | `dir_names` | names of one directory | 6.6 |
//! | `path` | paths and link targets | 6.6, 6.7 |

mod alphabet;
mod block;
mod coding;
mod dir_names;
mod error;
mod name;
mod path;
mod stream;
#[cfg(test)]
mod tests;

pub use coding::{NameCoding, NameInterface};
pub use dir_names::{DirNames, ROOT_IV};
pub use error::Error;
pub use name::{PlainName, RawName, is_reserved_in_root};

/// `bytes` in the characters of file names (format 6.1): the form in which a key is shown.
#[must_use]
pub fn to_base64(bytes: &[u8]) -> String {
    alphabet::BASE64
        .encode(bytes)
        .into_iter()
        .map(char::from)
        .collect()
}
