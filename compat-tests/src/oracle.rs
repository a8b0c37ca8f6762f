//! The programs under test: the real EncFS 1.9.5 and encfs-rs, by one interface.
//!
//! Both take `PROG [-f] -S [options] root mountpoint` with the password as a line on standard
//! input, so one runner serves both. A program that is missing is an error that says what to do;
//! no test goes on without it.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use anyhow::{Context, Result, bail, ensure};

use crate::run::{Finished, run};

/// Which EncFS.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Program {
    /// The C++ program, version 1.9.5, as Debian packages it: the oracle.
    Encfs195,
    /// Ours.
    EncfsRs,
}

/// OpenSSL with the provider that has Blowfish: without it Debian's EncFS 1.9.5 crashes on every
/// Blowfish volume.
const LEGACY_OPENSSL: &str = "openssl_conf = init
[init]
providers = providers
[providers]
default = on
legacy = on
[on]
activate = 1
";

impl Program {
    /// The one that is not this one.
    #[must_use]
    pub fn other(self) -> Self {
        match self {
            Self::Encfs195 => Self::EncfsRs,
            Self::EncfsRs => Self::Encfs195,
        }
    }

    /// Name for messages.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::Encfs195 => "EncFS 1.9.5",
            Self::EncfsRs => "encfs-rs",
        }
    }

    /// Whether the faults of 1.9.5 must be kept out of the way of this program.
    #[must_use]
    pub fn is_oracle(self) -> bool {
        self == Self::Encfs195
    }

    /// The program that mounts (`encfs`), ready for arguments.
    ///
    /// # Errors
    /// When it is not there, with what to install or build.
    pub fn encfs(self) -> Result<Command> {
        self.command("encfs", "encfs-rs")
    }

    /// The program that manages (`encfsctl`), ready for arguments.
    ///
    /// # Errors
    /// When it is not there, with what to install or build.
    pub fn encfsctl(self) -> Result<Command> {
        self.command("encfsctl", "encfsctl-rs")
    }

    /// Runs `encfsctl` with `args` to its end.
    ///
    /// # Errors
    /// When it cannot be started or does not end.
    pub fn ctl<A: AsRef<OsStr>>(self, args: &[A], stdin: &[u8]) -> Result<Finished> {
        run(self.encfsctl()?.args(args), stdin)
    }

    /// Where the program that mounts lies.
    ///
    /// # Errors
    /// As [`Program::encfs`].
    pub fn encfs_path(self) -> Result<PathBuf> {
        self.path("encfs", "encfs-rs")
    }

    /// Where the program that manages lies.
    ///
    /// # Errors
    /// As [`Program::encfs`].
    pub fn encfsctl_path(self) -> Result<PathBuf> {
        self.path("encfsctl", "encfsctl-rs")
    }

    fn path(self, theirs: &str, ours: &str) -> Result<PathBuf> {
        match self {
            Self::Encfs195 => real_program(theirs),
            Self::EncfsRs => our_program(ours),
        }
    }

    fn command(self, theirs: &str, ours: &str) -> Result<Command> {
        let path = self.path(theirs, ours)?;
        // In a session of its own, without a terminal: both programs ask there for passwords, and
        // else on standard input. `setsid` becomes the program, so its process id is the program's.
        let mut command = Command::new(in_path("setsid", "util-linux")?);
        command.arg(path);
        command
            .env("LC_ALL", "C")
            .env_remove("ENCFS6_CONFIG")
            .env_remove("ENCFS5_CONFIG");
        if self == Self::Encfs195 {
            command.env("OPENSSL_CONF", legacy_openssl_conf()?);
        }
        Ok(command)
    }
}

fn real_program(name: &str) -> Result<PathBuf> {
    let path = in_path(name, "encfs")?;
    static CHECKED: OnceLock<Result<(), String>> = OnceLock::new();
    let checked = CHECKED.get_or_init(|| match Command::new(&path).arg("--version").output() {
        Err(error) => Err(error.to_string()),
        Ok(output) => {
            let text = String::from_utf8_lossy(&output.stderr).into_owned();
            if text.contains("version 1.9.5") {
                Ok(())
            } else {
                Err(text)
            }
        }
    });
    if let Err(text) = checked {
        bail!("{} is not EncFS 1.9.5 but says: {text}", path.display());
    }
    Ok(path)
}

fn our_program(name: &str) -> Result<PathBuf> {
    let folder = match std::env::var_os("ENCFS_RS_BIN_DIR") {
        Some(folder) => PathBuf::from(folder),
        None => {
            // .../target/debug/deps/test-0123 -> .../target/debug
            let exe = std::env::current_exe()?;
            let deps = exe.parent().context("the test program lies in no folder")?;
            if deps.ends_with("deps") {
                deps.parent().context("no target folder")?.to_path_buf()
            } else {
                deps.to_path_buf()
            }
        }
    };
    let path = folder.join(name);
    ensure!(
        path.is_file(),
        "{} is missing: run `cargo build` first (`make test` does), or set ENCFS_RS_BIN_DIR",
        path.display()
    );
    Ok(path)
}

/// Finds `name` on the search path.
///
/// # Errors
/// When it is not there; the message names the Debian `package` that has it.
pub fn in_path(name: &str, package: &str) -> Result<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .chain(["/usr/sbin", "/sbin"].map(PathBuf::from))
        .map(|folder| folder.join(name))
        .find(|candidate| candidate.is_file())
        .with_context(|| {
            format!("`{name}` is missing: apt-get install {package} (`make deps-test` does)")
        })
}

/// A test suite that `make tools` has installed with cargo.
///
/// # Errors
/// When it is not there.
pub fn suite(name: &str) -> Result<PathBuf> {
    installed(&format!("bin/{name}")).context("`make tools` installs it")
}

/// A program that make has installed, by its path below `target/tools`.
///
/// # Errors
/// When it is not there.
pub fn installed(path: &str) -> Result<PathBuf> {
    // .../target/debug/deps/test-0123 -> .../target/tools
    let exe = std::env::current_exe()?;
    let target = exe.ancestors().nth(3).context("no target folder")?;
    let path = target.join("tools").join(path);
    ensure!(path.is_file(), "{} is missing", path.display());
    Ok(path)
}

fn legacy_openssl_conf() -> Result<&'static Path> {
    static CONF: OnceLock<Result<tempfile::NamedTempFile, String>> = OnceLock::new();
    let made = CONF.get_or_init(|| {
        let file = tempfile::NamedTempFile::new().map_err(|e| e.to_string())?;
        std::fs::write(file.path(), LEGACY_OPENSSL).map_err(|e| e.to_string())?;
        Ok(file)
    });
    match made {
        Ok(file) => Ok(file.path()),
        Err(error) => bail!("cannot write an OpenSSL configuration: {error}"),
    }
}
