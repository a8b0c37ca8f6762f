//! What lies in a directory, and how two directories differ.
//!
//! A [`Tree`] holds everything that must survive encryption: bytes, kinds, modes, modification
//! times, link targets, which names are one file, device numbers, extended attributes.

use std::collections::{BTreeMap, HashMap};
use std::fs::{self, File};
use std::io::Read;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::Path;

use anyhow::{Context, Result};
use sha2::{Digest, Sha256};

/// Kind of an entry, with what only that kind has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A regular file: its size in bytes and the SHA-256 of its contents, as hexadecimal digits.
    File {
        /// Bytes.
        size: u64,
        /// Digest of the contents.
        sha256: String,
    },
    /// A directory.
    Dir,
    /// A symbolic link: its target, and the size that `lstat` gives.
    Link {
        /// The target.
        target: Vec<u8>,
        /// Bytes of the target by `lstat`.
        size: u64,
    },
    /// A FIFO.
    Fifo,
    /// A socket.
    Socket,
    /// A device: whether it is a block device, and its number.
    Device(bool, u64),
}

/// One entry of a tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// What it is.
    pub kind: Kind,
    /// Permission bits.
    pub mode: u32,
    /// Owner and group.
    pub owner: (u32, u32),
    /// Modification time: seconds and nanoseconds.
    pub mtime: (i64, i64),
    /// Of a file with several names in this tree: the first of them in byte order.
    pub same_as: Option<Vec<u8>>,
    /// Number of names that `lstat` gives; not compared for directories.
    pub links: u64,
    /// Extended attributes.
    pub xattrs: BTreeMap<Vec<u8>, Vec<u8>>,
}

/// Everything below a directory, by path without leading slash.
pub type Tree = BTreeMap<Vec<u8>, Entry>;

/// What [`differences`] looks at beyond kinds, contents, targets and links.
#[derive(Clone, Copy, Debug)]
pub struct Look {
    /// Modification times of all entries.
    pub mtimes: bool,
    /// Permission bits.
    pub modes: bool,
    /// Extended attributes.
    pub xattrs: bool,
}

impl Look {
    /// At everything.
    pub const ALL: Self = Self {
        mtimes: true,
        modes: true,
        xattrs: true,
    };
}

/// Reads everything below `root`.
///
/// # Errors
/// When anything cannot be read, with its path.
pub fn read(root: &Path) -> Result<Tree> {
    read_with(root, true)
}

/// The same without extended attributes, for storage that answers errors when asked for them.
///
/// # Errors
/// As [`read`].
pub fn read_without_xattrs(root: &Path) -> Result<Tree> {
    read_with(root, false)
}

fn read_with(root: &Path, with_xattrs: bool) -> Result<Tree> {
    let mut tree = Tree::new();
    let mut first_names = HashMap::new();
    let mut open = vec![Vec::new()];
    while let Some(dir) = open.pop() {
        for name in names_in(&crate::mounted::below(root, &dir))? {
            let mut path = dir.clone();
            if !path.is_empty() {
                path.push(b'/');
            }
            path.extend_from_slice(&name);
            let entry = read_entry(root, &path, with_xattrs)
                .with_context(|| format!("reading {}", show(&path)))?;
            if entry.kind == Kind::Dir {
                open.push(path.clone());
            }
            tree.insert(path, entry);
        }
    }
    // Which names are one file: by inode number, first name in byte order.
    for (path, entry) in &mut tree {
        if entry.kind == Kind::Dir || entry.links < 2 {
            continue;
        }
        let ino = fs::symlink_metadata(crate::mounted::below(root, path))?.ino();
        let first = first_names.entry(ino).or_insert_with(|| path.clone());
        entry.same_as = Some(first.clone());
    }
    Ok(tree)
}

/// Names in a directory, sorted by bytes.
///
/// # Errors
/// When it cannot be listed.
pub fn names_in(dir: &Path) -> Result<Vec<Vec<u8>>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(dir).with_context(|| format!("listing {}", dir.display()))? {
        names.push(entry?.file_name().into_vec());
    }
    names.sort();
    Ok(names)
}

fn read_entry(root: &Path, path: &[u8], with_xattrs: bool) -> Result<Entry> {
    let full = crate::mounted::below(root, path);
    let meta = fs::symlink_metadata(&full)?;
    let kind = meta.file_type();
    let kind = if kind.is_dir() {
        Kind::Dir
    } else if kind.is_symlink() {
        let target = fs::read_link(&full)?.into_os_string().into_vec();
        Kind::Link {
            target,
            size: meta.size(),
        }
    } else if kind.is_fifo() {
        Kind::Fifo
    } else if kind.is_socket() {
        Kind::Socket
    } else if kind.is_file() {
        Kind::File {
            size: meta.size(),
            sha256: digest(&full)?,
        }
    } else {
        Kind::Device(kind.is_block_device(), meta.rdev())
    };
    let xattrs = if !with_xattrs || matches!(kind, Kind::Link { .. }) {
        BTreeMap::new()
    } else {
        xattrs(&full)?
    };
    Ok(Entry {
        kind,
        mode: meta.mode() & 0o7777,
        owner: (meta.uid(), meta.gid()),
        mtime: (meta.mtime(), meta.mtime_nsec()),
        same_as: None,
        links: meta.nlink(),
        xattrs,
    })
}

/// SHA-256 of a file's contents, as hexadecimal digits.
///
/// # Errors
/// When it cannot be read.
pub fn digest(path: &Path) -> Result<String> {
    let mut file = File::open(path)?;
    let mut hash = Sha256::new();
    let mut buffer = vec![0; 256 << 10];
    loop {
        let got = file.read(&mut buffer)?;
        if got == 0 {
            return Ok(hex(&hash.finalize()));
        }
        hash.update(buffer.get(..got).unwrap_or_default());
    }
}

/// SHA-256 of `bytes`, as hexadecimal digits.
#[must_use]
pub fn digest_of(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn xattrs(path: &Path) -> Result<BTreeMap<Vec<u8>, Vec<u8>>> {
    let mut list = vec![0; 64 << 10];
    let got = match rustix::fs::llistxattr(path, &mut list) {
        Ok(got) => got,
        Err(rustix::io::Errno::OPNOTSUPP) => 0,
        Err(errno) => return Err(errno.into()),
    };
    let mut all = BTreeMap::new();
    for name in list
        .get(..got)
        .unwrap_or_default()
        .split(|b| *b == 0)
        .filter(|n| !n.is_empty())
    {
        let mut value = vec![0; 64 << 10];
        let got = rustix::fs::lgetxattr(path, std::ffi::OsStr::from_bytes(name), &mut value)?;
        value.truncate(got);
        all.insert(name.to_vec(), value);
    }
    Ok(all)
}

/// How `seen` differs from `wanted`, one line each; empty when it does not.
#[must_use]
pub fn differences(wanted: &Tree, seen: &Tree, look: Look) -> Vec<String> {
    let mut lines = Vec::new();
    for (path, want) in wanted {
        match seen.get(path) {
            None => lines.push(format!("{}: missing", show(path))),
            Some(have) => compare(path, want, have, look, &mut lines),
        }
    }
    for path in seen.keys().filter(|path| !wanted.contains_key(*path)) {
        lines.push(format!("{}: should not be there", show(path)));
    }
    lines
}

fn compare(path: &[u8], want: &Entry, have: &Entry, look: Look, lines: &mut Vec<String>) {
    let mut say = |what: &str, want: String, have: String| {
        lines.push(format!(
            "{}: {what} should be {want}, is {have}",
            show(path)
        ));
    };
    if want.kind != have.kind {
        say(
            "kind",
            format!("{:?}", want.kind),
            format!("{:?}", have.kind),
        );
    }
    if look.modes && want.mode != have.mode {
        say(
            "mode",
            format!("{:04o}", want.mode),
            format!("{:04o}", have.mode),
        );
    }
    if look.mtimes && want.mtime != have.mtime {
        say(
            "mtime",
            format!("{:?}", want.mtime),
            format!("{:?}", have.mtime),
        );
    }
    if want.same_as != have.same_as {
        let name = |same: &Option<Vec<u8>>| same.as_deref().map_or("no other".into(), show);
        say("hard link to", name(&want.same_as), name(&have.same_as));
    }
    if want.kind != Kind::Dir && want.links != have.links {
        say(
            "number of names",
            want.links.to_string(),
            have.links.to_string(),
        );
    }
    if look.xattrs && want.xattrs != have.xattrs {
        say(
            "xattrs",
            format!("{:?}", want.xattrs),
            format!("{:?}", have.xattrs),
        );
    }
}

/// A path for messages: printable, at most some 80 characters.
#[must_use]
pub fn show(path: &[u8]) -> String {
    let text = path.escape_ascii().to_string();
    match text.get(..60) {
        Some(head) if text.len() > 80 => format!("{head}...({} bytes)", path.len()),
        _ => text,
    }
}
