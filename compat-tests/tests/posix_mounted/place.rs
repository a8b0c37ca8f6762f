//! Where a case runs, and how it says what it expects.

use std::io;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Result, bail, ensure};
use compat_tests::run::{Finished, run};
use rustix::io::Errno;

/// What is below the directory of a case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The local disk itself.
    Storage,
    /// A volume with standard settings.
    Standard,
    /// A volume with paranoia settings.
    Paranoia,
}

/// An empty directory for one case.
pub(crate) struct Place {
    pub(crate) dir: PathBuf,
    pub(crate) kind: Kind,
}

/// Name and test.
pub(crate) type Case = (&'static str, fn(&Place) -> Result<()>);

impl Place {
    /// A path in the directory.
    pub(crate) fn at(&self, name: &str) -> PathBuf {
        self.dir.join(name)
    }

    /// Whether a file may have two names: not where its header is bound to its path.
    pub(crate) fn hard_links(&self) -> bool {
        self.kind != Kind::Paranoia
    }

    /// Longest name in bytes.
    pub(crate) fn name_limit(&self) -> usize {
        if self.kind == Kind::Storage { 255 } else { 175 }
    }

    /// Runs a shell command in the directory as the user with this number (and group).
    pub(crate) fn shell_as(&self, user: u32, script: &str) -> Result<Finished> {
        use std::os::unix::process::CommandExt;
        let mut command = Command::new("sh");
        command
            .current_dir(&self.dir)
            .uid(user)
            .gid(user)
            .args(["-c", script]);
        run(&mut command, b"")
    }

    /// Runs a shell command in the directory that must succeed; what it prints.
    pub(crate) fn shell(&self, script: &str) -> Result<String> {
        let mut command = Command::new("sh");
        command.current_dir(&self.dir).args(["-e", "-c", script]);
        Ok(run(&mut command, b"")?.success()?.out())
    }
}

/// Checks that `result` is this error.
pub(crate) fn refused<T>(
    what: &str,
    result: Result<T, impl Into<io::Error>>,
    want: Errno,
) -> Result<()> {
    match result {
        Ok(_) => bail!("{what} succeeded, should be {want}"),
        Err(error) => {
            let error = error.into();
            let code = error.raw_os_error();
            ensure!(
                code == Some(want.raw_os_error()),
                "{what}: {error}, should be {want}"
            );
            Ok(())
        }
    }
}

/// Checks that two values are equal.
pub(crate) fn same<T: PartialEq + std::fmt::Debug>(what: &str, is: T, want: T) -> Result<()> {
    ensure!(is == want, "{what}: is {is:?}, should be {want:?}");
    Ok(())
}
