//! Opening one file of a volume, to be read from front to back: for `cat` and `export`.

use std::collections::VecDeque;

use super::walk::{Entry, VolumeDir};
use super::{AccessError, Volume};
use crate::blockio::Reader;
use crate::nameio::{PlainName, RawName};
use crate::raw::{self, Access, Kind};

/// How many symbolic links are followed on the way to one file, as with the kernel.
const MAX_LINKS: u32 = 40;

/// A regular file of a volume, open for reading.
pub struct PlainFile<'v> {
    volume: &'v Volume,
    file: raw::File,
    external_iv: u64,
}

impl<'v> PlainFile<'v> {
    /// Opens the file `entry` in `dir`. A symbolic link is not followed.
    ///
    /// # Errors
    /// [`AccessError::NotAFile`]; what the storage answered.
    pub fn open(dir: &VolumeDir<'v>, entry: &Entry) -> Result<Self, AccessError> {
        if entry.kind != Kind::File {
            return Err(AccessError::NotAFile(entry.kind));
        }
        let file = dir.dir().open_file(entry.raw.as_name(), Access::Read)?;
        // what was opened need not be what was listed
        match file.stat()?.kind {
            Kind::File => {}
            other => return Err(AccessError::NotAFile(other)),
        }
        let volume = dir.volume();
        Ok(Self {
            volume,
            file,
            external_iv: volume.external_iv(entry.iv),
        })
    }

    /// The plain contents from the start.
    ///
    /// # Errors
    /// What the storage answered.
    pub fn reader(&self) -> Result<Reader<'_, raw::File>, AccessError> {
        Ok(Reader::new(
            &self.volume.codec,
            &self.file,
            self.external_iv,
        )?)
    }

    /// Attributes, with the raw size.
    ///
    /// # Errors
    /// What the storage answered.
    pub fn stat(&self) -> Result<raw::Stat, raw::Error> {
        self.file.stat()
    }
}

/// Opens the file at a path from the root: a plain path, or if there is no such file a raw one. Slashes in
/// front do not matter. Symbolic links are followed as the user of a mount would see them, as long as they
/// stay inside the volume.
///
/// # Errors
/// [`AccessError`], for a plain path; if the path is no raw path either, that of the plain one.
pub fn open<'v>(volume: &'v Volume, path: &[u8]) -> Result<PlainFile<'v>, AccessError> {
    let (dir, entry) = find(volume, path)?;
    PlainFile::open(&dir, &entry)
}

/// The entry at a plain or raw path, and the directory that it lies in; links are followed.
///
/// # Errors
/// As for [`open`].
pub fn find<'v>(volume: &'v Volume, path: &[u8]) -> Result<(VolumeDir<'v>, Entry), AccessError> {
    let plain = resolve(volume, path, false);
    match plain {
        Err(AccessError::Raw(error)) if error.errno == raw::Errno::NOENT => {
            resolve(volume, path, true).map_err(|_| AccessError::Raw(error))
        }
        Err(AccessError::Name(error)) => {
            resolve(volume, path, true).map_err(|_| AccessError::Name(error))
        }
        result => result,
    }
}

/// One component still to be walked: given by the user (perhaps raw), or by a link (always plain).
struct Component {
    bytes: Vec<u8>,
    raw: bool,
}

fn components(path: &[u8], raw: bool) -> impl DoubleEndedIterator<Item = Component> {
    path.split(|&b| b == b'/')
        .filter(|part| !part.is_empty() && *part != b".")
        .map(move |part| Component {
            bytes: part.to_vec(),
            raw,
        })
}

fn resolve<'v>(
    volume: &'v Volume,
    path: &[u8],
    raw: bool,
) -> Result<(VolumeDir<'v>, Entry), AccessError> {
    let mut todo: VecDeque<Component> = components(path, raw).collect();
    let mut above: Vec<VolumeDir<'v>> = Vec::new();
    let mut here = VolumeDir::root(volume);
    let mut links = MAX_LINKS;
    while let Some(component) = todo.pop_front() {
        if component.bytes == b".." {
            here = above.pop().ok_or(AccessError::OutsideVolume)?;
            continue;
        }
        let entry = if component.raw {
            here.lookup_raw(RawName::new(component.bytes)?)?
        } else {
            here.lookup(PlainName::new(component.bytes)?)?
        };
        if entry.kind == Kind::Symlink {
            let target = here.link_target(&entry)?;
            if target.starts_with(b"/") {
                return Err(AccessError::OutsideVolume);
            }
            links = links.checked_sub(1).ok_or(AccessError::TooManyLinks)?;
            for part in components(&target, false).rev() {
                todo.push_front(part);
            }
        } else if todo.is_empty() {
            return Ok((here, entry));
        } else {
            let next = here.open(&entry)?;
            above.push(std::mem::replace(&mut here, next));
        }
    }
    // the path ends in the root, in "..", or in a link to a directory above
    Err(AccessError::NotAFile(Kind::Dir))
}
