//! The life cycle of a mount.
//!
//! Words to a request ([`crate::cli::request`]); the two directories; the configuration, or a
//! new volume; the password; the opened volume; then the fork, the mount, the verdict to the
//! waiting parent, and the wait for the end. Every question and every derivation of a key
//! happens before the fork, everything that starts a thread after it.

mod daemon;
mod directories;
mod log;
mod unmount;
