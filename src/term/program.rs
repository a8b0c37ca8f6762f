//! A password from a program.

use std::ffi::OsStr;
use std::io::{self, Read};
use std::os::fd::{AsRawFd, OwnedFd};
use std::path::Path;
use std::process::{Command, Stdio};

use crate::secret::Zeroizing;

use crate::secret::Password;

/// What `command` writes, less one line feed at its end.
///
/// It is run by `/bin/sh -c` with our standard input and error, and finds in its environment
/// `encfs_root` and the numbers of two descriptors which duplicate our standard output and
/// error (its own output is the password). Its exit status does not matter.
///
/// # Errors
/// The shell could not be started, or its output not be read.
pub fn program_password(command: &OsStr, root: &Path) -> io::Result<Password> {
    let duplicates = duplicates()?;
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
    let mut child = child.spawn()?;
    drop(duplicates);
    let read = match child.stdout.take() {
        Some(mut output) => read_secret(&mut output),
        None => Ok(Zeroizing::new(Vec::new())),
    };
    // Reaped whatever became of it; 1.9.5 ignores the status as well.
    let _ = child.wait();
    let bytes = read?;
    let password = bytes.strip_suffix(b"\n").unwrap_or(&bytes);
    Ok(Password::new(password.to_vec()))
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
