//! Adapter to the FUSE library: translate, reply, errno. No decisions.
//!
//! | file | what it holds |
//! |---|---|
//! | `filesystem` | the kernel's requests, each one call into [`fs`](crate::fs) and a reply |
//! | `convert` | types of the library to ours and back |
//! | `errno` | **the** mapping of errors to errno |
//! | `session` | mounting, capabilities asked of the kernel, serving |

mod convert;
mod errno;
mod filesystem;
mod session;

pub use session::{MountError, MountSettings, Mounted, mount};
