//! The command lines as data: man pages and completions come from what is parsed.

use clap::{Command, CommandFactory};

use super::encfs_args::EncfsArgs;
use super::encfsctl_args::EncfsctlArgs;

/// The definitions of `encfs-rs` and `encfsctl-rs`, in this order.
#[must_use]
pub fn definitions() -> [Command; 2] {
    [EncfsArgs::command(), EncfsctlArgs::command()]
}
