//! `cat`: the content of one file.

use std::ffi::OsStr;
use std::io::{self, Write};
use std::os::unix::ffi::OsStrExt;

use crate::secret::{Zeroize, Zeroizing};

use super::open;
use crate::cli::ctl_request::VolumeRequest;
use crate::cli::exit::Failure;
use crate::cli::password_source::PasswordWays;
use crate::term::Console;
use crate::volume::read;
use crate::volume::view::ViewFile;

/// Prints the file at `path`, a plain path or else an encrypted one.
pub(super) fn print(
    request: &VolumeRequest,
    path: &OsStr,
    passwords: &PasswordWays,
    console: &mut Console,
) -> Result<(), Failure> {
    let path = path.as_bytes();
    let volume = open::volume(request, passwords, console)?;
    let file = read::open(&volume, path).map_err(|error| Failure::access(path, &error))?;
    let mut reader = file
        .reader()
        .map_err(|error| Failure::access(path, &error))?;
    let mut out = io::stdout().lock();
    let mut piece = Zeroizing::new(Vec::new());
    loop {
        let count = reader.read(&mut piece).map_err(|error| {
            // What was read so far has been printed: the status alone tells that more is missing.
            Failure::access(path, &error.into()).with_status(255)
        })?;
        if count == 0 {
            break;
        }
        out.write_all(&piece)?;
        piece.zeroize();
    }
    out.flush()?;
    Ok(())
}

/// Prints the file at `path` of a plain folder, encrypted as a reverse mount shows it.
pub(super) fn print_view(
    request: &VolumeRequest,
    path: &OsStr,
    passwords: &PasswordWays,
    console: &mut Console,
) -> Result<(), Failure> {
    let path = path.as_bytes();
    let volume = open::reverse(request, passwords, console)?;
    let file = ViewFile::open(&volume, path).map_err(|error| Failure::access(path, &error))?;
    let mut out = io::stdout().lock();
    let mut at = 0;
    loop {
        let piece = file
            .read(at)
            .map_err(|error| Failure::access(path, &error).with_status(255))?;
        if piece.is_empty() {
            break;
        }
        out.write_all(&piece)?;
        at += piece.len() as u64;
    }
    out.flush()?;
    Ok(())
}
