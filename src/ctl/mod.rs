//! The subcommands of encfsctl-rs, one file each.
