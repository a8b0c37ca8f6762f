//! What the programs say about themselves.
//!
//! Five clients compare versions, each in its own way: the third word of the first line, the
//! first `N.N.N`, the first `d.d.d` of single digits, the last word of the line that starts
//! with `encfs `. A first line that is exactly EncFS's suits them all.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use clap::CommandFactory;

use super::encfs_args::EncfsArgs;
use super::encfsctl_args::EncfsctlArgs;

/// The EncFS whose behaviour ours is.
const COMPATIBLE: &str = "1.9.5";

/// Answer to `encfs-rs --version`. `HAVE_XATTR` is looked for by EncFS's own tests.
#[must_use]
pub fn encfs_version(verbose: bool) -> String {
    let compiled = if verbose {
        "Compiled with : HAVE_XATTR\n"
    } else {
        ""
    };
    format!("encfs version {COMPATIBLE}\n{compiled}{}\n", ours())
}

/// Answer to `encfsctl-rs --version`.
#[must_use]
pub fn encfsctl_version() -> String {
    format!("encfsctl version {COMPATIBLE}\n{}\n", ours())
}

/// The usage of `encfs-rs` called `program`, shown after a mistake.
#[must_use]
pub fn encfs_usage(program: &str) -> String {
    let mut command = EncfsArgs::command().override_usage(ENCFS_USAGE.for_program(program));
    format!(
        "Build: encfs version {COMPATIBLE} ({})\n\n{}",
        ours(),
        command.render_help()
    )
}

/// The usage of `encfsctl-rs` called `program`, shown after a mistake.
#[must_use]
pub fn encfsctl_usage(program: &str) -> String {
    let mut command = EncfsctlArgs::command().override_usage(ENCFSCTL_USAGE.for_program(program));
    format!(
        "encfsctl version {COMPATIBLE} ({})\n\n{}",
        ours(),
        command.render_help()
    )
}

/// How a program is called: its name and what may follow it, one form each.
#[derive(Debug, Clone, Copy)]
pub(super) struct Usage {
    /// Name of the program as it is installed.
    pub(super) name: &'static str,
    forms: [&'static str; 2],
}

pub(super) const ENCFS_USAGE: Usage = Usage {
    name: "encfs-rs",
    forms: [
        "[options] rootDir mountPoint [-- FUSE options]",
        "-u mountPoint",
    ],
};

pub(super) const ENCFSCTL_USAGE: Usage = Usage {
    name: "encfsctl-rs",
    forms: ["rootDir", "COMMAND [options] rootDir [...]"],
};

impl Usage {
    pub(super) fn for_program(self, program: &str) -> String {
        self.forms
            .map(|form| format!("{program} {form}"))
            .join("\n       ")
    }
}

/// The name a program was called by, without its folders: begins its complaints.
#[must_use]
pub fn called_as(first_word: Option<&OsStr>, otherwise: &'static str) -> String {
    first_word
        .and_then(|word| Path::new(word).file_name())
        .map_or_else(
            || otherwise.to_owned(),
            |name| crate::term::printable(name.as_bytes()),
        )
}

fn ours() -> String {
    format!("encfs-rs {}", env!("CARGO_PKG_VERSION"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clients_find_their_version() {
        let text = encfs_version(true);
        let first = text.lines().next().unwrap();
        assert_eq!(first.split(' ').nth(2), Some("1.9.5"));
        let last_word = |line: &str| line.split(' ').next_back().map(str::to_owned);
        let encfs_line = text
            .lines()
            .find(|line| line.starts_with("encfs "))
            .unwrap();
        assert_eq!(last_word(encfs_line).as_deref(), Some("1.9.5"));
        assert!(text.contains("\nCompiled with : HAVE_XATTR\n"));
        assert!(!encfs_version(false).contains("HAVE_XATTR"));
        assert!(encfsctl_version().starts_with("encfsctl version 1.9.5\n"));
    }

    #[test]
    fn the_usage_names_version_and_words() {
        let text = encfs_usage("/usr/bin/encfs");
        assert!(text.starts_with("Build: encfs version 1.9.5"));
        assert!(text.contains("\nUsage: /usr/bin/encfs [options] rootDir mountPoint"));
        assert!(encfsctl_usage("encfsctl").contains("autopasswd"));
    }

    #[test]
    fn the_name_is_the_last_component() {
        assert_eq!(
            called_as(Some(OsStr::new("/usr/bin/encfs")), "encfs-rs"),
            "encfs"
        );
        assert_eq!(called_as(None, "encfs-rs"), "encfs-rs");
    }
}
