//! The one place that does raw I/O: every system call on the storage below.
//!
//! [`Dir`] holds a directory by an `O_PATH` descriptor; each of its methods takes one stored
//! [`Name`] and makes one `*at` call that follows no symbolic link. [`File`] holds an open raw
//! file. Neither knows keys, plain names or the format; both count what they do in a [`Meter`].
//!
//! # What is tried again, and what never
//! A call that a signal interrupted (`EINTR`), and the rest of a short read or write, are
//! completed here. **Nothing else is repeated**: a write or rename whose answer was lost may
//! have been done, and doing it twice is not the same as once.
//!
//! # What no call here does
//! Follow a link, block on a FIFO, or leave the root directory: names are single components,
//! opens say `O_NOFOLLOW | O_NONBLOCK | O_NOCTTY`.

mod bytes_at;
mod caller;
mod dir;
mod dir_attr;
mod entries;
mod error;
mod file;
mod filesystem_type;
mod meter;
mod name;
mod pinned;
pub mod replace;
pub mod small_file;
mod stat;

pub use bytes_at::BytesAt;
pub use caller::{Ids, create_as, forget_process_umask, own_groups, own_ids};
pub use dir::{Access, Dir, RenameFlags};
pub use entries::Entry;
pub use error::{Errno, Error, Op};
pub use file::{Allocate, File};
pub use meter::Meter;
pub use name::{BadName, Name};
pub use pinned::Pinned;
pub use stat::{Kind, RawId, SetTime, SpaceInfo, Stat, Time};
