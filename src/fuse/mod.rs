//! Adapter to the FUSE library: translate, reply, errno. No decisions.
//!
//! | file | what it holds |
//! |---|---|
//! | `filesystem` | the kernel's requests, each one call into [`fs`](crate::fs) and a reply |
//! | `listing` | the replies that list a directory |
//! | `served` | the filesystem behind a mount, which may come and go |
//! | `shown` | owners and permissions shown in place of the raw files' own |
//! | `convert` | types of the library to ours and back |
//! | `errno` | **the** mapping of errors to errno |
//! | `session` | mounting, capabilities asked of the kernel, serving |

mod convert;
mod errno;
mod filesystem;
mod listing;
mod served;
mod session;
mod shown;

pub use served::{Reopen, Served};
pub use session::{MountError, MountSettings, Mounted, mount};
pub use shown::Shown;
