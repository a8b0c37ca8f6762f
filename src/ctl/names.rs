//! `decode` and `encode`: paths from one side of the encryption to the other.
//!
//! Programs keep these running and talk to them line by line, so each line of input is
//! answered, and the answer flushed, before the next one is read. What cannot be coded gives an
//! empty line, a word on standard error, and does not end the conversation.

use std::io::{self, BufRead, BufReader, Write};
use std::os::unix::ffi::OsStrExt;

use serde_json::{Map, Value};

use super::open;
use crate::cli::ctl_request::{Paths, VolumeRequest};
use crate::cli::exit::Failure;
use crate::cli::output::{Format, json_name, stdout_is_terminal};
use crate::nameio::{self, NameCoding};
use crate::term::{Console, printable, printable_name};

/// Prints the plain form of encrypted paths.
pub(super) fn decode(
    request: &VolumeRequest,
    paths: &Paths,
    console: Console,
) -> Result<(), Failure> {
    translate(request, paths, console, &DECODE, |names, raw| {
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
    let reverse = paths.reverse;
    translate(request, paths, console, &ENCODE, |names, plain| {
        // As the target of a link in the view, which the folder's own absolute targets become.
        if reverse && plain.first() == Some(&b'/') {
            return names.encode_link_target(plain);
        }
        Ok(names.encode_path(plain)?.0)
    })
}

/// One way of the two, in words.
struct Way {
    verb: &'static str,
    from: &'static str,
    to: &'static str,
}

const DECODE: Way = Way {
    verb: "decode",
    from: "raw",
    to: "plain",
};
const ENCODE: Way = Way {
    verb: "encode",
    from: "plain",
    to: "raw",
};

fn translate(
    request: &VolumeRequest,
    paths: &Paths,
    mut console: Console,
    way: &Way,
    code: impl Fn(&NameCoding, &[u8]) -> Result<Vec<u8>, nameio::Error>,
) -> Result<(), Failure> {
    let open = if paths.reverse {
        open::reverse
    } else {
        open::volume
    };
    let volume = open(request, &paths.passwords, &mut console)?;
    let to_terminal = stdout_is_terminal();
    let mut out = io::stdout().lock();
    let mut answer = |path: &[u8]| -> io::Result<()> {
        let coded = code(&volume.names, path);
        if paths.format == Format::Json {
            writeln!(out, "{}", as_json(way, path, coded))?;
            return out.flush();
        }
        let coded = coded.unwrap_or_else(|error| {
            let (program, verb) = (&request.program, way.verb);
            // Whoever reads only the answers has perhaps closed the other stream.
            let _ = writeln!(
                io::stderr(),
                "{program}: cannot {verb} {}: {error}",
                printable(path)
            );
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

fn as_json(way: &Way, path: &[u8], coded: Result<Vec<u8>, nameio::Error>) -> Value {
    let mut record = Map::new();
    record.insert(way.from.to_owned(), json_name(path));
    let (coded, error) = match coded {
        Ok(coded) => (json_name(&coded), None),
        Err(error) => (Value::Null, Some(error)),
    };
    record.insert(way.to.to_owned(), coded);
    if let Some(error) = error {
        record.insert("message".to_owned(), error.to_string().into());
    }
    Value::Object(record)
}
