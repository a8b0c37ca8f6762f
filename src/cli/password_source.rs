//! Where a password comes from: a program, a line of standard input, the terminal.
//!
//! The order differs: on opening a volume `--extpass` wins over `--stdinpass`, on creating one
//! it is the other way round (clients rely on both). Whichever it is, a password is bytes, is
//! asked for once, and must not be empty. With `--annotate` a marker line goes to standard
//! error just before the answer is read, so that a program knows what is wanted of it.

use std::ffi::{OsStr, OsString};
use std::io::{self, Read};
use std::os::fd::{AsRawFd, OwnedFd};
use std::path::Path;
use std::process::{Command, Stdio};

use crate::secret::Zeroizing;

use crate::secret::Password;
use crate::term::{
    Console, LIMIT_NEW, LIMIT_OPEN, PROMPT_NEW, PROMPT_OPEN, PROMPT_VERIFY, ask_password,
    line_password,
};

/// The ways the command line offers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PasswordWays {
    /// `--extpass`: a command for `/bin/sh`.
    pub program: Option<OsString>,
    /// `--stdinpass`.
    pub stdin: bool,
    /// `--annotate`.
    pub annotate: bool,
}

/// There is no password.
#[derive(Debug, thiserror::Error)]
pub enum PasswordError {
    /// Nothing was typed, or the program wrote nothing.
    #[error("the password is empty")]
    Empty,
    /// `--stdinpass`, and no line came.
    #[error("no password on standard input")]
    EndOfInput,
    /// `/bin/sh` could not be started or read.
    #[error("cannot run the password program: {0}")]
    Program(#[source] io::Error),
    /// The terminal or standard input failed.
    #[error("cannot read the password: {0}")]
    Input(#[source] io::Error),
}

impl PasswordWays {
    /// The password of the existing volume in `root`.
    ///
    /// # Errors
    /// [`PasswordError`]
    pub fn for_opening(
        &self,
        console: &mut Console,
        root: &Path,
    ) -> Result<Password, PasswordError> {
        keep_out_of_dumps();
        if let Some(program) = &self.program {
            return from_program(program, root);
        }
        if self.annotate {
            console.complain("$PROMPT$ passwd\n");
        }
        if self.stdin {
            return from_line(console);
        }
        let password =
            ask_password(console, PROMPT_OPEN, LIMIT_OPEN).map_err(PasswordError::Input)?;
        not_empty(password)
    }

    /// The password of a volume about to be created in `root`.
    ///
    /// # Errors
    /// [`PasswordError`]
    pub fn for_creating(
        &self,
        console: &mut Console,
        root: &Path,
    ) -> Result<Password, PasswordError> {
        keep_out_of_dumps();
        if self.stdin {
            if self.annotate {
                console.complain("$PROMPT$ new_passwd\n");
            }
            return from_line(console);
        }
        match &self.program {
            Some(program) => from_program(program, root),
            None => new_at_prompt(console),
        }
    }
}

/// A new password, typed twice until both are the same.
///
/// # Errors
/// [`PasswordError`]; the end of input counts as an empty password, so this ends.
pub fn new_at_prompt(console: &mut Console) -> Result<Password, PasswordError> {
    keep_out_of_dumps();
    loop {
        let first = ask_password(console, PROMPT_NEW, LIMIT_NEW).map_err(PasswordError::Input)?;
        let first = not_empty(first)?;
        let second =
            ask_password(console, PROMPT_VERIFY, LIMIT_NEW).map_err(PasswordError::Input)?;
        if first.as_bytes() == second.as_bytes() {
            return Ok(first);
        }
        console.complain("The two passwords differ. Please type the same one twice.\n");
    }
}

/// A password from one line of standard input.
///
/// # Errors
/// [`PasswordError`]
pub fn from_line(console: &mut Console) -> Result<Password, PasswordError> {
    keep_out_of_dumps();
    let line = line_password(console).map_err(PasswordError::Input)?;
    not_empty(line.ok_or(PasswordError::EndOfInput)?)
}

/// No core dump of this process from now on, and no other process of the same user may look
/// into its memory: passwords and keys are in it.
///
/// A system that refuses is no reason not to open the volume.
fn keep_out_of_dumps() {
    use rustix::process::{DumpableBehavior, Resource, Rlimit, set_dumpable_behavior, setrlimit};
    let _ = set_dumpable_behavior(DumpableBehavior::NotDumpable);
    let _ = setrlimit(
        Resource::Core,
        Rlimit {
            current: Some(0),
            maximum: Some(0),
        },
    );
}

/// What `command` writes, less one line feed at its end.
///
/// It is run by `/bin/sh -c` with our standard input and error, and finds in its environment
/// `encfs_root` and the numbers of two descriptors which duplicate our standard output and
/// error (its own output is the password). Its exit status does not matter.
fn from_program(command: &OsStr, root: &Path) -> Result<Password, PasswordError> {
    let duplicates = duplicates().map_err(PasswordError::Program)?;
    let mut child = Command::new("/bin/sh");
    child
        .arg("-c")
        .arg(command)
        .stdin(Stdio::inherit())
        .stderr(Stdio::inherit());
    child.stdout(Stdio::piped()).env("encfs_root", root);
    if let Some([out, err]) = &duplicates {
        child.env("encfs_stdout", out.as_raw_fd().to_string());
        child.env("encfs_stderr", err.as_raw_fd().to_string());
    }
    let mut child = child.spawn().map_err(PasswordError::Program)?;
    drop(duplicates);
    let read = match child.stdout.take() {
        Some(mut output) => read_secret(&mut output),
        None => Ok(Zeroizing::new(Vec::new())),
    };
    // Reaped whatever became of it; 1.9.5 ignores the status as well.
    let _ = child.wait();
    let bytes = read.map_err(PasswordError::Program)?;
    let password = bytes.strip_suffix(b"\n").unwrap_or(&bytes);
    not_empty(Password::new(password.to_vec()))
}

/// Inheritable duplicates of standard output and error; `None` if one of them is closed.
fn duplicates() -> io::Result<Option<[OwnedFd; 2]>> {
    let copies = rustix::io::dup(rustix::stdio::stdout())
        .and_then(|out| Ok([out, rustix::io::dup(rustix::stdio::stderr())?]));
    match copies {
        Ok(copies) => Ok(Some(copies)),
        Err(rustix::io::Errno::BADF) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Everything until end of file; a buffer that grows leaves no copy behind.
fn read_secret(input: &mut impl Read) -> io::Result<Zeroizing<Vec<u8>>> {
    let mut kept = Zeroizing::new(Vec::with_capacity(512));
    let mut piece = Zeroizing::new([0; 512]);
    loop {
        let count = match input.read(&mut *piece) {
            Ok(0) => return Ok(kept),
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        if kept.capacity() - kept.len() < count {
            let mut larger = Zeroizing::new(Vec::with_capacity(2 * kept.capacity()));
            larger.extend_from_slice(&kept);
            kept = larger;
        }
        kept.extend(piece.iter().take(count));
    }
}

fn not_empty(password: Password) -> Result<Password, PasswordError> {
    if password.is_empty() {
        Err(PasswordError::Empty)
    } else {
        Ok(password)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn console(input: &'static str) -> Console {
        Console::of_streams(
            Box::new(input.as_bytes()),
            Box::new(io::sink()),
            Box::new(io::sink()),
        )
    }

    fn ways(program: Option<&str>, stdin: bool) -> PasswordWays {
        PasswordWays {
            program: program.map(OsString::from),
            stdin,
            annotate: false,
        }
    }

    fn opened(ways: &PasswordWays, input: &'static str) -> Result<Vec<u8>, PasswordError> {
        let password = ways.for_opening(&mut console(input), Path::new("/raw/"))?;
        Ok(password.as_bytes().to_vec())
    }

    #[test]
    fn the_program_wins_on_opening_and_the_line_on_creating() {
        let both = ways(Some("echo program"), true);
        assert_eq!(opened(&both, "line\n").unwrap(), b"program");
        let created = both
            .for_creating(&mut console("line\n"), Path::new("/raw/"))
            .unwrap();
        assert_eq!(created.as_bytes(), b"line");
        let program = ways(Some("echo program"), false);
        let created = program
            .for_creating(&mut console(""), Path::new("/raw/"))
            .unwrap();
        assert_eq!(created.as_bytes(), b"program");
    }

    #[test]
    fn a_program_may_write_anything_and_fail() {
        let cases: [(&str, &[u8]); 5] = [
            ("printf 'a\\n\\n'", b"a\n"),
            ("printf 'a\\0b'; exit 3", b"a\0b"),
            ("printf %s \"$encfs_root\"", b"/raw/"),
            ("printf x | tr x '\\377'", b"\xff"),
            (
                ": >&$encfs_stdout && : >&$encfs_stderr && echo open",
                b"open",
            ),
        ];
        for (command, expected) in cases {
            let ways = ways(Some(command), false);
            assert_eq!(opened(&ways, "").unwrap(), expected, "{command}");
        }
        let long = ways(Some("head -c 5000 /dev/zero | tr '\\0' y"), false);
        assert_eq!(opened(&long, "").unwrap(), [b'y'; 5000]);
    }

    #[test]
    fn an_empty_password_is_none() {
        assert!(matches!(
            opened(&ways(Some("true"), false), ""),
            Err(PasswordError::Empty)
        ));
        assert!(matches!(
            opened(&ways(None, true), ""),
            Err(PasswordError::EndOfInput)
        ));
        assert!(matches!(
            opened(&ways(None, true), "\n"),
            Err(PasswordError::Empty)
        ));
        assert!(matches!(
            opened(&ways(None, false), ""),
            Err(PasswordError::Empty)
        ));
    }

    #[test]
    fn a_new_password_is_asked_for_until_both_entries_agree() {
        let mut console = console("one\ntwo\nthree\nthree\nleft\n");
        assert_eq!(new_at_prompt(&mut console).unwrap().as_bytes(), b"three");
        assert_eq!(console.answer().unwrap().as_deref(), Some("left"));
    }
}
