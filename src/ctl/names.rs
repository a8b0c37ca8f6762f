//! `decode` and `encode`: paths from one side of the encryption to the other.
//!
//! Programs keep these running and talk to them line by line, so each line of input is
//! answered, and the answer flushed, before the next one is read. What cannot be coded gives an
//! empty line, a word on standard error, and does not end the conversation.

use std::io::{self, BufRead, BufReader, Write};
use std::os::unix::ffi::OsStrExt;

use super::open;
use crate::cli::ctl_request::{Paths, VolumeRequest};
use crate::cli::exit::Failure;
use crate::cli::output::stdout_is_terminal;
use crate::nameio::{self, NameCoding};
use crate::term::{Console, printable, printable_name};

/// Prints the plain form of encrypted paths.
pub(super) fn decode(
    request: &VolumeRequest,
    paths: &Paths,
    console: Console,
) -> Result<(), Failure> {
    translate(request, paths, console, "decode", |names, raw| {
        // Only targets of links begin so.
        if raw.first() == Some(&b'+')
            && let Ok(target) = names.decode_link_target(raw)
        {
            return Ok(target);
        }
        Ok(names.decode_path(raw)?.0)
    })
}

/// Prints the encrypted form of plain paths.
pub(super) fn encode(
    request: &VolumeRequest,
    paths: &Paths,
    console: Console,
) -> Result<(), Failure> {
    translate(request, paths, console, "encode", |names, plain| {
        Ok(names.encode_path(plain)?.0)
    })
}

fn translate(
    request: &VolumeRequest,
    paths: &Paths,
    mut console: Console,
    verb: &str,
    code: impl Fn(&NameCoding, &[u8]) -> Result<Vec<u8>, nameio::Error>,
) -> Result<(), Failure> {
    let volume = open::volume(request, &paths.passwords, &mut console)?;
    let to_terminal = stdout_is_terminal();
    let mut out = io::stdout().lock();
    let mut answer = |path: &[u8]| -> io::Result<()> {
        let coded = code(&volume.names, path).unwrap_or_else(|error| {
            eprintln!("encfsctl-rs: cannot {verb} {}: {error}", printable(path));
            Vec::new()
        });
        out.write_all(&printable_name(&coded, to_terminal))?;
        out.write_all(b"\n")?;
        out.flush()
    };
    if paths.paths.is_empty() {
        for line in BufReader::new(console.into_input()).split(b'\n') {
            answer(&line?)?;
        }
    } else {
        for path in paths.paths.iter().map(|path| path.as_bytes()) {
            answer(path)?;
        }
    }
    Ok(())
}
