//! Which file is the configuration, reading it by its form, and saving it (format 2.1, 2.5).

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use super::Error;
use crate::config::{self, Generation, VolumeConfig, limits, v4, v5};
use crate::config_xml;
use crate::raw::replace::{create_new, replace_file};
use crate::raw::small_file::{exists, read_small};

/// The configuration file of a volume, as it was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigFile {
    /// Where it lies; absolute, so that it is found again after a change of the working directory.
    pub path: PathBuf,
    /// Its form, whatever its name says.
    pub generation: Generation,
    /// What it says.
    pub config: VolumeConfig,
}

/// A file name that is looked for in the root, and the variable that names another file.
struct Candidate {
    name: &'static str,
    variable: Option<&'static str>,
    form: Form,
}

/// What is known of a configuration by its name.
#[derive(Clone, Copy)]
enum Form {
    Read(Generation),
    /// Unsupported: who wrote it.
    Older(&'static str),
    Foreign(&'static str),
}

/// In this order; the first that is there is the one.
const CANDIDATES: [Candidate; 9] = [
    candidate(NEW_NAME, Some("ENCFS6_CONFIG"), Form::Read(Generation::V6)),
    candidate(".encfs5", Some("ENCFS5_CONFIG"), Form::Read(Generation::V5)),
    candidate(".encfs4", None, Form::Read(Generation::V4)),
    candidate(".encfs3", None, Form::Older("EncFS 0.x")),
    candidate(".encfs2", None, Form::Older("an early EncFS 0.x")),
    candidate(".encfs", None, Form::Older("an early EncFS 0.x")),
    candidate(".encfs7", None, Form::Foreign(ENCFS_2)),
    candidate(".encfs.txt", None, Form::Foreign(ENCFS_2)),
    // EDS on Android reads it, where names with a dot are hard to handle
    candidate("encfs6.xml", None, Form::Read(Generation::V6)),
];

const ENCFS_2: &str = "Safe or a development version of EncFS 2";

const fn candidate(name: &'static str, variable: Option<&'static str>, form: Form) -> Candidate {
    Candidate {
        name,
        variable,
        form,
    }
}

/// Name of the configuration of a new volume.
const NEW_NAME: &str = ".encfs6.xml";

/// Finds and loads the configuration of the volume in `root`: the file `explicit` if there is one, else what
/// the environment names, else the first of the known names. `None` if there is no volume here.
///
/// # Errors
/// A file that is there but cannot be used is an error, and no further one is tried; likewise a file that
/// was named and does not exist.
pub fn find(root: &Path, explicit: Option<&Path>) -> Result<Option<ConfigFile>, Error> {
    find_with(root, explicit, &|name| std::env::var_os(name))
}

/// [`find`] with the environment as a function.
pub(super) fn find_with(
    root: &Path,
    explicit: Option<&Path>,
    variable: &dyn Fn(&str) -> Option<OsString>,
) -> Result<Option<ConfigFile>, Error> {
    for candidate in &CANDIDATES {
        let named = match (explicit, candidate.variable) {
            (Some(path), _) => Some((path.to_owned(), "--config")),
            // an empty variable counts as set
            (None, Some(name)) => variable(name).map(|value| (value.into(), name)),
            (None, None) => None,
        };
        let (path, named_by) = match named {
            Some((path, named_by)) => (path, Some(named_by)),
            None => (root.join(candidate.name), None),
        };
        let there = exists(&path).map_err(|source| Error::Storage {
            path: path.clone(),
            source,
        })?;
        match (there, named_by, candidate.form) {
            (true, _, Form::Read(generation)) => return load(&path, generation).map(Some),
            (true, _, Form::Older(writer)) => return Err(Error::Prehistoric { path, writer }),
            (true, _, Form::Foreign(writer)) => return Err(Error::Foreign { path, writer }),
            (false, Some(named_by), _) => return Err(Error::NoSuchFile { path, named_by }),
            (false, None, _) => {}
        }
    }
    Ok(None)
}

/// Reads the file at `path`, of the form that its contents show, or else of generation `named`.
fn load(path: &Path, named: Generation) -> Result<ConfigFile, Error> {
    // an unreadable working directory only matters to whoever changes it
    let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let bytes = read_small(&path, limits::MAX_FILE).map_err(|source| Error::Storage {
        path: path.clone(),
        source,
    })?;
    let parsed = match bytes {
        Some(bytes) => parse(&bytes, named),
        None => Err(config::Error::Damaged {
            place: config::Place::Whole,
            fault: config::Fault::TooLarge(limits::MAX_FILE),
        }),
    };
    match parsed {
        Ok(config) => Ok(ConfigFile {
            generation: config.generation,
            path,
            config,
        }),
        Err(source) => Err(Error::refused(path, source)),
    }
}

/// Parses a configuration by what it looks like; `named` decides where that is not clear.
///
/// # Errors
/// As for the reader of that generation.
pub fn parse(bytes: &[u8], named: Generation) -> Result<VolumeConfig, config::Error> {
    let text = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let generation = if text.trim_ascii_start().starts_with(b"<") {
        Generation::V6
    } else if named == Generation::V6 {
        config::sniff(bytes).unwrap_or(Generation::V6)
    } else {
        named
    };
    match generation {
        Generation::V6 => config_xml::read(bytes),
        Generation::V5 => v5::read(bytes),
        Generation::V4 => v4::read(bytes),
    }
}

/// The bytes of the file that `config` makes, in its own generation.
#[must_use]
pub fn serialize(config: &VolumeConfig) -> Vec<u8> {
    match config.generation {
        Generation::V6 => config_xml::write(config),
        Generation::V5 => v5::write(config),
        Generation::V4 => v4::write(config),
    }
}

/// Puts `config` in the place of the file that was read; a crash leaves the old or the new one.
///
/// # Errors
/// [`Error::Storage`].
pub fn save(file: &ConfigFile, config: &VolumeConfig) -> Result<(), Error> {
    save_bytes(&file.path, &serialize(config))
}

pub(super) fn save_bytes(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    replace_file(path, bytes).map_err(|source| Error::Storage {
        path: path.to_owned(),
        source,
    })
}

/// Where the configuration of a new volume in `root` goes.
///
/// # Errors
/// [`Error::AlreadyAVolume`] if a configuration of any age is there.
pub(super) fn new_path(root: &Path) -> Result<PathBuf, Error> {
    for candidate in &CANDIDATES {
        let path = root.join(candidate.name);
        match exists(&path) {
            Ok(false) => {}
            Ok(true) => return Err(Error::AlreadyAVolume { path }),
            Err(source) => return Err(Error::Storage { path, source }),
        }
    }
    let path = root.join(NEW_NAME);
    Ok(std::path::absolute(&path).unwrap_or(path))
}

/// Writes a configuration that is not there yet.
pub(super) fn save_new(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    create_new(path, bytes).map_err(|source| {
        let path = path.to_owned();
        if source.errno == crate::raw::Errno::EXIST {
            Error::AlreadyAVolume { path }
        } else {
            Error::Storage { path, source }
        }
    })
}
