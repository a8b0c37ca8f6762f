//! Changes to a tree as data, done alike on a mount and on a plain directory beside it.

use std::ffi::OsStr;
use std::fs::{self, File, OpenOptions};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileExt, PermissionsExt};
use std::path::Path;

use anyhow::{Context, Result};
use rustix::fs::{AtFlags, CWD, FileType, Mode, Timespec, Timestamps, XattrFlags};

use crate::mounted::below;
use crate::tree::show;

/// A path below the root of the tree, without leading slash.
pub type Name = Vec<u8>;

/// One change. Contents are given by length and seed, see [`bytes`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Op {
    /// `mkdir`.
    MakeDir(Name),
    /// Writes `len` bytes at `offset`; makes the file when it is not there.
    Write {
        /// The file.
        path: Name,
        /// First byte.
        offset: u64,
        /// Number of bytes.
        len: usize,
        /// Seed of the contents.
        seed: u64,
    },
    /// Opens with `O_APPEND` and writes.
    Append {
        /// The file.
        path: Name,
        /// Number of bytes.
        len: usize,
        /// Seed of the contents.
        seed: u64,
    },
    /// Opens with `O_TRUNC` and writes.
    Replace {
        /// The file.
        path: Name,
        /// Number of bytes.
        len: usize,
        /// Seed of the contents.
        seed: u64,
    },
    /// Sets the size, by path or through an open file.
    Truncate(Name, u64),
    /// Renames, over what is there.
    Rename(Name, Name),
    /// Makes a link with this target (first) of this name (second).
    Symlink(Vec<u8>, Name),
    /// Makes a second name (second) for a file (first).
    Link(Name, Name),
    /// Removes a name that is not a directory.
    Unlink(Name),
    /// Removes an empty directory.
    RemoveDir(Name),
    /// Sets the permission bits.
    Chmod(Name, u32),
    /// Makes a FIFO.
    Fifo(Name),
    /// Sets an extended attribute.
    SetXattr(Name, Vec<u8>, Vec<u8>),
    /// Sets both times to these seconds and nanoseconds, of a link those of the link itself.
    Times(Name, i64, u32),
}

/// How a side must be dealt with so that known faults of EncFS 1.9.5 do not hide ours.
#[derive(Clone, Copy, Debug, Default)]
pub struct Habits {
    /// Set sizes through an open file. EncFS 1.9.5 answers EIO to `truncate` by path of a file with
    /// a MAC layer that nobody has open.
    pub truncate_open: bool,
    /// Grow by writing a last zero byte in place of `truncate`. EncFS 1.9.5 turns the old last
    /// block into garbage when a file without per-file IV and without MAC layer grows by
    /// `truncate`.
    pub grow_by_write: bool,
    /// Cut times to whole seconds. EncFS 1.9.5 sets microseconds, and whole seconds by a rename.
    pub whole_seconds: bool,
}

/// `len` bytes of contents that `seed` determines. They hold runs of zeros, as real files do.
#[must_use]
pub fn bytes(seed: u64, len: usize) -> Vec<u8> {
    let mut rng = Rng::new(seed);
    let mut out = Vec::with_capacity(len + 64);
    while out.len() < len {
        let word = rng.next();
        if word.is_multiple_of(61) {
            out.extend_from_slice(&[0; 48]);
        }
        out.extend_from_slice(&word.to_le_bytes());
    }
    out.truncate(len);
    out
}

/// Does `op` below `root`.
///
/// # Errors
/// What the system says, with the operation and the path.
pub fn apply(op: &Op, root: &Path, habits: Habits) -> Result<()> {
    perform(op, root, habits).with_context(|| describe(op))
}

/// The operation for messages.
#[must_use]
pub fn describe(op: &Op) -> String {
    match op {
        Op::MakeDir(path) => format!("mkdir {}", show(path)),
        Op::Write {
            path, offset, len, ..
        } => format!("write {len} at {offset} in {}", show(path)),
        Op::Append { path, len, .. } => format!("append {len} to {}", show(path)),
        Op::Replace { path, len, .. } => format!("replace {} by {len} bytes", show(path)),
        Op::Truncate(path, len) => format!("truncate {} to {len}", show(path)),
        Op::Rename(from, to) => format!("rename {} to {}", show(from), show(to)),
        Op::Symlink(target, path) => format!("symlink {} to {}", show(path), show(target)),
        Op::Link(old, new) => format!("link {} to {}", show(new), show(old)),
        Op::Unlink(path) => format!("unlink {}", show(path)),
        Op::RemoveDir(path) => format!("rmdir {}", show(path)),
        Op::Chmod(path, mode) => format!("chmod {mode:04o} {}", show(path)),
        Op::Fifo(path) => format!("mkfifo {}", show(path)),
        Op::SetXattr(path, name, _) => format!("setxattr {} of {}", show(name), show(path)),
        Op::Times(path, ..) => format!("utimens {}", show(path)),
    }
}

fn perform(op: &Op, root: &Path, habits: Habits) -> Result<()> {
    match op {
        Op::MakeDir(path) => fs::create_dir(below(root, path))?,
        Op::Write {
            path,
            offset,
            len,
            seed,
        } => OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .open(below(root, path))?
            .write_all_at(&bytes(*seed, *len), *offset)?,
        Op::Append { path, len, seed } => {
            let mut file = OpenOptions::new().append(true).open(below(root, path))?;
            std::io::Write::write_all(&mut file, &bytes(*seed, *len))?;
        }
        Op::Replace { path, len, seed } => {
            let mut file = File::create(below(root, path))?;
            std::io::Write::write_all(&mut file, &bytes(*seed, *len))?;
        }
        Op::Truncate(path, len) => set_size(&below(root, path), *len, habits)?,
        Op::Rename(from, to) => fs::rename(below(root, from), below(root, to))?,
        Op::Symlink(target, path) => {
            std::os::unix::fs::symlink(OsStr::from_bytes(target), below(root, path))?;
        }
        Op::Link(old, new) => fs::hard_link(below(root, old), below(root, new))?,
        Op::Unlink(path) => fs::remove_file(below(root, path))?,
        Op::RemoveDir(path) => fs::remove_dir(below(root, path))?,
        Op::Chmod(path, mode) => {
            fs::set_permissions(below(root, path), fs::Permissions::from_mode(*mode))?;
        }
        Op::Fifo(path) => {
            let mode = Mode::from_raw_mode(0o600);
            rustix::fs::mknodat(CWD, below(root, path), FileType::Fifo, mode, 0)?;
        }
        Op::SetXattr(path, name, value) => {
            let name = OsStr::from_bytes(name);
            rustix::fs::lsetxattr(below(root, path), name, value, XattrFlags::empty())?;
        }
        Op::Times(path, secs, nanos) => {
            let nanos = if habits.whole_seconds { 0 } else { *nanos };
            let time = Timespec {
                tv_sec: *secs,
                tv_nsec: nanos.into(),
            };
            let times = Timestamps {
                last_access: time,
                last_modification: time,
            };
            rustix::fs::utimensat(CWD, below(root, path), &times, AtFlags::SYMLINK_NOFOLLOW)?;
        }
    }
    Ok(())
}

fn set_size(path: &Path, len: u64, habits: Habits) -> Result<()> {
    let old = fs::metadata(path)?.len();
    if habits.grow_by_write && len > old {
        OpenOptions::new()
            .write(true)
            .open(path)?
            .write_all_at(&[0], len - 1)?;
    } else if habits.truncate_open {
        OpenOptions::new().write(true).open(path)?.set_len(len)?;
    } else {
        nix::unistd::truncate(path, i64::try_from(len)?)?;
    }
    Ok(())
}

/// Deterministic numbers (SplitMix64); equal seeds give equal rows on every machine.
#[derive(Clone, Debug)]
pub struct Rng(u64);

impl Rng {
    /// Starts from `seed`.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// Starts from a text, such as the label of a setting.
    #[must_use]
    pub fn from_text(text: &str) -> Self {
        // FNV-1a: a fixed mapping, unlike the standard library's hasher.
        Self(text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        }))
    }

    /// The next number.
    #[allow(
        clippy::should_implement_trait,
        reason = "an endless row, not an iterator"
    )]
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `bound`, which is not 0.
    pub fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }
}
