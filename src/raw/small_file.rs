//! Looking for a small file by its path, and reading it whole: the configuration.
//!
//! It may be a FIFO or `/dev/fd/N`, through which programs hand over a configuration that is nowhere stored:
//! so it is opened once, and read once from front to back.

use std::io::Read as _;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use super::{Errno, Error, Name, Op};

/// Whether anything of that name is there, be it a symbolic link to nowhere.
///
/// # Errors
/// What the storage answered, unless that means that there is nothing.
pub fn exists(path: &Path) -> Result<bool, Error> {
    match rustix::fs::lstat(path) {
        Ok(_) => Ok(true),
        Err(Errno::NOENT | Errno::NOTDIR) => Ok(false),
        Err(errno) => Err(failed(Op::Stat, path, errno)),
    }
}

/// All bytes of the file, or `None` if there are more than `max`. Symbolic links are followed; a FIFO is
/// waited for.
///
/// # Errors
/// What the storage answered.
pub fn read_small(path: &Path, max: usize) -> Result<Option<Vec<u8>>, Error> {
    let file = std::fs::File::open(path).map_err(|e| from_std(Op::OpenFile, path, &e))?;
    let mut bytes = Vec::new();
    file.take(max as u64 + 1)
        .read_to_end(&mut bytes)
        .map_err(|e| from_std(Op::Read, path, &e))?;
    Ok((bytes.len() <= max).then_some(bytes))
}

fn from_std(op: Op, path: &Path, error: &std::io::Error) -> Error {
    failed(op, path, Errno::from_io_error(error).unwrap_or(Errno::IO))
}

fn failed(op: Op, path: &Path, errno: Errno) -> Error {
    let name = path.file_name().map(OsStrExt::as_bytes);
    Error {
        op,
        name: name.and_then(|n| Name::new(n).ok()),
        errno,
    }
}
