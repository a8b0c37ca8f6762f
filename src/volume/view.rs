//! One file of a plain tree, encrypted as reverse mode shows it (format 8): for `cat --reverse`.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use super::{AccessError, Volume};
use crate::blockio::{CipherView, PlainData};
use crate::raw::{self, Errno, Kind};

/// Bytes per step.
const STEP: usize = 1024 * 1024;

/// A regular file of the plain tree, open for reading.
pub struct ViewFile<'v> {
    volume: &'v Volume,
    file: raw::File,
    inode: u64,
}

impl<'v> ViewFile<'v> {
    /// Opens the file at a path from the root: a plain path, or if there is no such file an
    /// encrypted one. Slashes in front do not matter; symbolic links are followed wherever they lead, as by any
    /// program that reads the plain folder.
    ///
    /// # Errors
    /// [`AccessError`] for the plain path, if the path is no encrypted one either.
    pub fn open(volume: &'v Volume, path: &[u8]) -> Result<Self, AccessError> {
        let error = match Self::open_plain(volume, path) {
            Err(AccessError::Raw(error)) if error.errno == Errno::NOENT => error,
            result => return result,
        };
        let decoded = volume.names.decode_path(path);
        decoded
            .map_err(|_| AccessError::Raw(error))
            .and_then(|(plain, _)| Self::open_plain(volume, &plain))
    }

    fn open_plain(volume: &'v Volume, path: &[u8]) -> Result<Self, AccessError> {
        let start = path.iter().position(|&byte| byte != b'/');
        let below = start.and_then(|at| path.get(at..)).unwrap_or(b".");
        let below = Path::new(OsStr::from_bytes(below));
        let file = volume.root.open_followed(below)?;
        let stat = file.stat()?;
        if stat.kind != Kind::File {
            return Err(AccessError::NotAFile(stat.kind));
        }
        Ok(Self {
            volume,
            file,
            inode: stat.id.ino,
        })
    }

    /// The encrypted bytes from `at`, at most 1 MiB of them; none at the end.
    ///
    /// # Errors
    /// What the storage answered.
    pub fn read(&self, at: u64) -> Result<PlainData, AccessError> {
        let view = CipherView::new(&self.volume.codec, &self.file, self.inode);
        Ok(view.read_at(at, STEP)?)
    }
}
