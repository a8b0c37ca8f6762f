//! One file of a plain tree, encrypted as reverse mode shows it (format 8): for `cat --reverse`.

use super::{AccessError, Volume};
use crate::blockio::{CipherView, PlainData};
use crate::raw::{self, Access, Errno, Kind, Name};

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
    /// encrypted one. Slashes in front do not matter; symbolic links are not followed.
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
        let mut dir = volume.root.reopen()?;
        let mut parts = path
            .split(|&byte| byte == b'/')
            .filter(|part| !part.is_empty() && *part != b".")
            .peekable();
        while let Some(part) = parts.next() {
            let name = Name::new(part).map_err(|_| AccessError::OutsideVolume)?;
            if parts.peek().is_some() {
                dir = dir.open_dir(&name)?;
                continue;
            }
            let file = dir.open_file(&name, Access::Read)?;
            let stat = file.stat()?;
            if stat.kind != Kind::File {
                return Err(AccessError::NotAFile(stat.kind));
            }
            return Ok(Self {
                volume,
                file,
                inode: stat.id.ino,
            });
        }
        Err(AccessError::NotAFile(Kind::Dir))
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
