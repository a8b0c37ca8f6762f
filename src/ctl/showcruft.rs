//! `showcruft`: raw names that are not the encoding of anything where they lie.

use std::io::{self, BufWriter, Write};
use std::os::unix::ffi::OsStrExt;

use serde_json::{Value, json};

use super::open;
use crate::cli::ctl_request::VolumeRequest;
use crate::cli::exit::Failure;
use crate::cli::output::{Format, json_name, print_json, stdout_is_terminal};
use crate::cli::password_source::PasswordWays;
use crate::term::{Console, Progress, printable_name};
use crate::volume::walk::{Visit, walk};

/// A directory with such names: plain path, and the raw paths from the root.
struct Found {
    plain_path: Vec<u8>,
    raw_paths: Vec<Vec<u8>>,
}

/// Lists them by directory; their number goes to standard error.
pub(super) fn show(
    request: &VolumeRequest,
    format: Format,
    passwords: &PasswordWays,
    console: &mut Console,
) -> Result<(), Failure> {
    let (volume, file) = open::with_configuration(request, passwords, console)?;
    let own = open::own_name(request, &file);
    let mut found = Vec::new();
    let mut unreadable = Vec::new();
    let mut progress = Progress::new("showcruft");
    walk(&volume, &mut |visit| match visit {
        Visit::Dir(dir, listing) => {
            progress.file();
            let in_root = dir.raw_path().is_empty();
            let names = listing.undecodable.iter();
            let names = names.filter(|name| !in_root || own.as_deref() != Some(&***name));
            let raw_paths: Vec<_> = names.map(|name| join(dir.raw_path(), name)).collect();
            if !raw_paths.is_empty() {
                found.push(Found {
                    plain_path: dir.plain_path().to_vec(),
                    raw_paths,
                });
            }
        }
        Visit::Unreadable {
            raw_path, error, ..
        } => unreadable.push((raw_path.to_vec(), error.clone())),
    });
    progress.done();
    match format {
        Format::Human => print_lines(request, &found)?,
        Format::Json => print_json(&as_json(&found))?,
    }
    let count: usize = found.iter().map(|found| found.raw_paths.len()).sum();
    console.complain(&format!("Found {count} invalid files.\n"));
    match unreadable.first() {
        None => Ok(()),
        Some((path, error)) => {
            let text = format!(
                "{} directories could not be read, the first: {error}",
                unreadable.len()
            );
            Err(Failure::new("unreadable", text).at(path))
        }
    }
}

fn print_lines(request: &VolumeRequest, found: &[Found]) -> io::Result<()> {
    let to_terminal = stdout_is_terminal();
    let mut out = BufWriter::new(io::stdout().lock());
    for Found {
        plain_path,
        raw_paths,
    } in found
    {
        out.write_all(b"In directory /")?;
        out.write_all(&printable_name(plain_path, to_terminal))?;
        out.write_all(b": \n")?;
        for raw_path in raw_paths {
            let path = join(request.root.as_os_str().as_bytes(), raw_path);
            out.write_all(&printable_name(&path, to_terminal))?;
            out.write_all(b"\n")?;
        }
    }
    out.flush()
}

fn as_json(found: &[Found]) -> Value {
    let directories = found.iter().map(|found| {
        json!({
            "path": json_name(&found.plain_path),
            "raw_paths": found.raw_paths.iter().map(|path| json_name(path)).collect::<Vec<_>>(),
        })
    });
    Value::Array(directories.collect())
}

fn join(path: &[u8], name: &[u8]) -> Vec<u8> {
    let path = path.strip_suffix(b"/").unwrap_or(path);
    if path.is_empty() {
        return name.to_vec();
    }
    [path, b"/", name].concat()
}
