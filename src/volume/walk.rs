//! The directories of an opened volume without a mount: every entry with its plain and raw name and its IV.
//!
//! For `ls`, `export`, `showcruft`, `check`. Only raw names that decode are entries; the others are listed
//! apart. Configuration files in the root are neither.

use super::{AccessError, Volume};
use crate::nameio::{DirNames, PlainName, RawName, is_reserved_in_root};
use crate::raw::{self, Kind, Stat};

/// One directory of a volume.
pub struct VolumeDir<'v> {
    volume: &'v Volume,
    dir: Handle<'v>,
    names: DirNames,
    plain_path: Vec<u8>,
    raw_path: Vec<u8>,
}

/// The root directory belongs to the volume, others to whoever opened them.
enum Handle<'v> {
    Root(&'v raw::Dir),
    Below(raw::Dir),
}

/// An entry whose name decodes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The name that the user sees.
    pub plain: PlainName,
    /// The name in storage.
    pub raw: RawName,
    /// Chain after this name: IV of the names in this directory, or external IV of this file. 0 where names
    /// do not depend on the path.
    pub iv: u64,
    /// What it is.
    pub kind: Kind,
}

/// What a directory holds, in the storage's order.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Listing {
    /// What the user sees.
    pub entries: Vec<Entry>,
    /// Raw names that are not the encoding of anything in this place.
    pub undecodable: Vec<Box<[u8]>>,
}

impl<'v> VolumeDir<'v> {
    /// The root directory.
    #[must_use]
    pub fn root(volume: &'v Volume) -> Self {
        Self {
            volume,
            dir: Handle::Root(&volume.root),
            names: DirNames::root(std::sync::Arc::clone(&volume.names)),
            plain_path: Vec::new(),
            raw_path: Vec::new(),
        }
    }

    /// The volume that it belongs to.
    #[must_use]
    pub fn volume(&self) -> &'v Volume {
        self.volume
    }

    /// The directory in storage.
    #[must_use]
    pub fn dir(&self) -> &raw::Dir {
        match &self.dir {
            Handle::Root(dir) => dir,
            Handle::Below(dir) => dir,
        }
    }

    /// The coding of names in it.
    #[must_use]
    pub fn names(&self) -> &DirNames {
        &self.names
    }

    /// Its plain path from the root, without a leading slash; empty for the root.
    #[must_use]
    pub fn plain_path(&self) -> &[u8] {
        &self.plain_path
    }

    /// Its raw path from the root, without a leading slash; empty for the root.
    #[must_use]
    pub fn raw_path(&self) -> &[u8] {
        &self.raw_path
    }

    /// Everything in it.
    ///
    /// # Errors
    /// What the storage answered.
    pub fn list(&self) -> Result<Listing, raw::Error> {
        let mut listing = Listing::default();
        for entry in self.dir().entries()? {
            if self.is_reserved(&entry.name) {
                continue;
            }
            if raw::replace::is_temporary(&entry.name) {
                listing.undecodable.push(entry.name);
                continue;
            }
            let decoded = self.names.decode(&entry.name);
            let (Ok((plain, iv)), Ok(raw)) = (decoded, RawName::new(entry.name.clone())) else {
                listing.undecodable.push(entry.name);
                continue;
            };
            let kind = match entry.kind {
                Some(kind) => kind,
                None => match self.dir().stat(raw.as_name()) {
                    Ok(stat) => stat.kind,
                    // removed meanwhile
                    Err(error) if error.errno == raw::Errno::NOENT => continue,
                    Err(error) => return Err(error),
                },
            };
            listing.entries.push(Entry {
                plain,
                raw,
                iv,
                kind,
            });
        }
        Ok(listing)
    }

    /// The entry of a plain name.
    ///
    /// # Errors
    /// [`AccessError::Name`] if the name cannot be encoded; `ENOENT` and what else the storage answered.
    pub fn lookup(&self, plain: PlainName) -> Result<Entry, AccessError> {
        let (raw, iv) = self.names.encode(&plain)?;
        self.existing(plain, raw, iv)
    }

    /// The entry of a raw name.
    ///
    /// # Errors
    /// [`AccessError::Name`] if the name does not decode; `ENOENT` and what else the storage answered.
    pub fn lookup_raw(&self, raw: RawName) -> Result<Entry, AccessError> {
        let (plain, iv) = self.names.decode(raw.as_bytes())?;
        self.existing(plain, raw, iv)
    }

    fn existing(&self, plain: PlainName, raw: RawName, iv: u64) -> Result<Entry, AccessError> {
        if self.is_reserved(raw.as_bytes()) {
            return Err(AccessError::Raw(raw::Error {
                op: raw::Op::Stat,
                name: Some(raw.as_name().clone()),
                errno: raw::Errno::NOENT,
            }));
        }
        let kind = self.dir().stat(raw.as_name())?.kind;
        Ok(Entry {
            plain,
            raw,
            iv,
            kind,
        })
    }

    /// The directory `entry` in this one.
    ///
    /// # Errors
    /// `ENOTDIR` if it is none; what the storage answered.
    pub fn open(&self, entry: &Entry) -> Result<Self, raw::Error> {
        Ok(Self {
            volume: self.volume,
            dir: Handle::Below(self.dir().open_dir(entry.raw.as_name())?),
            names: self.names.child(entry.iv),
            plain_path: joined(&self.plain_path, entry.plain.as_bytes()),
            raw_path: joined(&self.raw_path, entry.raw.as_bytes()),
        })
    }

    /// Attributes of an entry, with the raw size; see [`Volume::plain_size`].
    ///
    /// # Errors
    /// What the storage answered.
    pub fn stat(&self, entry: &Entry) -> Result<Stat, raw::Error> {
        self.dir().stat(entry.raw.as_name())
    }

    /// The plain target of the symbolic link `entry`.
    ///
    /// # Errors
    /// [`AccessError::Name`] if the target does not decode; what the storage answered.
    pub fn link_target(&self, entry: &Entry) -> Result<Vec<u8>, AccessError> {
        let target = self.dir().read_link(entry.raw.as_name())?;
        Ok(self.volume.names.decode_link_target(&target)?)
    }

    /// Configuration files are no names of the user's, whatever the encoding.
    fn is_reserved(&self, raw: &[u8]) -> bool {
        matches!(self.dir, Handle::Root(_)) && is_reserved_in_root(raw)
    }
}

/// `path/name`, or `name` in the root.
fn joined(path: &[u8], name: &[u8]) -> Vec<u8> {
    let mut joined = path.to_vec();
    if !joined.is_empty() {
        joined.push(b'/');
    }
    joined.extend_from_slice(name);
    joined
}

/// What [`walk`] shows.
pub enum Visit<'a, 'v> {
    /// A directory with all that is in it; its subdirectories follow.
    Dir(&'a VolumeDir<'v>, &'a Listing),
    /// A directory that could not be opened or listed.
    Unreadable {
        /// Its plain path from the root.
        plain_path: &'a [u8],
        /// Its raw path from the root.
        raw_path: &'a [u8],
        /// Why.
        error: &'a raw::Error,
    },
}

/// Shows every directory of the volume, each before those below it. Directories whose names do not decode are
/// not entered; those that cannot be read are shown as such, and the walk goes on.
pub fn walk<'v>(volume: &'v Volume, visit: &mut dyn FnMut(Visit<'_, 'v>)) {
    walk_from(&VolumeDir::root(volume), visit);
}

/// [`walk`] for the part of the tree that begins with `dir`.
pub fn walk_from<'v>(dir: &VolumeDir<'v>, visit: &mut dyn FnMut(Visit<'_, 'v>)) {
    let listing = match dir.list() {
        Ok(listing) => listing,
        Err(error) => {
            return visit(Visit::Unreadable {
                plain_path: dir.plain_path(),
                raw_path: dir.raw_path(),
                error: &error,
            });
        }
    };
    visit(Visit::Dir(dir, &listing));
    for entry in listing.entries.iter().filter(|e| e.kind == Kind::Dir) {
        match dir.open(entry) {
            Ok(child) => walk_from(&child, visit),
            Err(error) => visit(Visit::Unreadable {
                plain_path: &joined(dir.plain_path(), entry.plain.as_bytes()),
                raw_path: &joined(dir.raw_path(), entry.raw.as_bytes()),
                error: &error,
            }),
        }
    }
}
