//! Where a password comes from: a program, a line of standard input, the terminal.
//!
//! The order differs: on opening a volume `--extpass` wins over `--stdinpass`, on creating one
//! it is the other way round (clients rely on both). Whichever it is, a password is bytes, is
//! asked for once, and must not be empty. With `--annotate` a marker line goes to standard
//! error just before the answer is read, so that a program knows what is wanted of it.

use std::ffi::{OsStr, OsString};
use std::io;
use std::path::Path;

use crate::secret::Password;
use crate::term::{
    Console, LIMIT_NEW, LIMIT_OPEN, PROMPT_NEW, PROMPT_OPEN, PROMPT_VERIFY, ask_password,
    keep_out_of_dumps, line_password, program_password,
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
            return of_program(program, root);
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
            Some(program) => of_program(program, root),
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

fn of_program(program: &OsStr, root: &Path) -> Result<Password, PasswordError> {
    not_empty(program_password(program, root).map_err(PasswordError::Program)?)
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
