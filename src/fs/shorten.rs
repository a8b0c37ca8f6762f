//! Cutting a file on storage that cannot: what stays of it becomes a new raw file.
//!
//! Some storage takes the order to cut a file and does nothing, does it later, or refuses it. The
//! part that stays is then written into a temporary raw file, which is made safe and renamed over
//! the old one; every handle has it open from then on. The node stays what it is, though its raw
//! inode number is another one. A crash leaves the old file or the shorter one, and perhaps a
//! file `.encfs-rs-tmp-*` (see [`replace`]), which decodes as no name.
//!
//! A file with several names, or without any, cannot be replaced: it is cut to zero, which more
//! storage can, and written again from its first byte, its contents being in memory meanwhile.
//! If that cannot be done either, the file stays as it was and the error is told.
//!
//! What storage was seen not to do is not tried again in this mount.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::open_files::{OpenFile, Opened};
use super::recent::Change;
use super::tree::Place;
use super::{EncFs, FsError};
use crate::blockio::{self, Content, ContentState};
use crate::raw::replace::{make_name_safe, new_temporary};
use crate::raw::{self, BytesAt, Dir, Errno, File, Op, RenameFlags, SetTime, Stat};

/// Largest file, in raw bytes, that is held in memory to be written again.
const MAX_HELD: u64 = 64 * 1024 * 1024;

/// What cutting is known to do on this storage.
#[derive(Default)]
pub(super) struct Cuts {
    /// Not even to zero.
    no_zero: AtomicBool,
    /// Not to anything smaller but zero.
    no_shorter: AtomicBool,
}

impl Cuts {
    fn about(&self, size: u64) -> &AtomicBool {
        if size == 0 {
            &self.no_zero
        } else {
            &self.no_shorter
        }
    }

    /// Whether cutting to `size` is known to do nothing.
    fn fail(&self, size: u64) -> bool {
        self.about(size).load(Ordering::Relaxed)
    }

    fn note(&self, size: u64) {
        if !self.about(size).swap(true, Ordering::Relaxed) {
            tracing::warn!("this storage does not cut files: what stays of them is written anew");
        }
    }
}

impl EncFs {
    /// Cuts or extends an open file to `size` plain bytes.
    ///
    /// # Errors
    /// What the storage answered; [`blockio::Error::NotCut`] if it cannot be brought to it.
    pub(super) fn resize(
        &self,
        open: &Arc<OpenFile>,
        opened: &Opened,
        size: u64,
    ) -> Result<(), FsError> {
        if size > 0 {
            self.wait_until_shown(open)?;
        }
        let mut content = open.content.write();
        let file = opened.file();
        self.refresh(open, &file, &mut content)?;
        let stored = content.stored_len();
        let shorter = content.plain_len(&self.volume.codec)? > size;
        if shorter && self.cuts.fail(size) {
            drop(content);
            return self.shorten(open, size, not_cut(0, stored));
        }
        let done = self.set_len(&mut content, &file, size);
        self.note_change(open, &content);
        let error = match done {
            Err(FsError::Content(error)) if shorter && cannot_cut(&error) => error,
            done => {
                if size == 0 && done.is_ok() {
                    // Whatever storage shows: it is nothing of what there is now.
                    open.unsettled.store(false, Ordering::Relaxed);
                }
                return done;
            }
        };
        // Another length than the old one: somebody else is writing, and the cut may have been done.
        match error {
            blockio::Error::NotCut { found, .. } if found != stored => {}
            _ => self.cuts.note(size),
        }
        drop(content);
        self.shorten(open, size, error)
    }

    fn set_len(&self, content: &mut ContentState, file: &File, size: u64) -> Result<(), FsError> {
        let file = Content::new(&self.volume.codec, file);
        file.set_len(content, size)?;
        // The new end may be held; whoever cuts by name has no handle to flush.
        Ok(file.flush_held(content)?)
    }

    /// Brings a file to `size` without cutting it. `error` is what cutting it gave.
    fn shorten(
        &self,
        open: &Arc<OpenFile>,
        size: u64,
        error: blockio::Error,
    ) -> Result<(), FsError> {
        loop {
            let place = self.tree.place(open.node);
            let parent: Vec<_> = place.iter().map(|place| place.parent).collect();
            let _held = self.tree.hold(&parent, &[open.node]);
            let now = self.tree.place(open.node);
            if now.as_ref().map(|now| now.parent) != place.map(|place| place.parent) {
                // Renamed meanwhile.
                continue;
            }
            let mut content = open.content.write();
            let Some(opened) = open.writable() else {
                return Err(error.into());
            };
            let file = opened.file();
            self.refresh(open, &file, &mut content)?;
            if content.plain_len(&self.volume.codec)? <= size {
                return self.set_len(&mut content, &file, size);
            }
            Content::new(&self.volume.codec, &*file).flush_held(&mut content)?;
            let replaced = match &now {
                Some(place) => self.replace_by_shorter(open, place, &file, &mut content, size),
                None => Err(Failed::Otherwise),
            };
            let done = match replaced {
                Err(Failed::Otherwise) if !self.cuts.fail(0) => {
                    self.write_again(&file, &mut content, size)
                }
                done => done,
            };
            self.note_change(open, &content);
            return done.map_err(|failed| {
                if let Failed::With(why) = failed {
                    tracing::warn!("a file cannot be cut, nor written anew: {why}");
                }
                error.into()
            });
        }
    }

    /// Puts a shorter raw file in the place of the one that is open.
    fn replace_by_shorter(
        &self,
        open: &OpenFile,
        place: &Place,
        file: &File,
        content: &mut ContentState,
        size: u64,
    ) -> Result<(), Failed> {
        let dir = self.raw_dir(place.parent)?;
        let dir = dir.as_deref().unwrap_or(&self.volume.root);
        let name = place.raw.as_name();
        let named = dir.stat(name)?;
        let known = self.tree.with(open.node, |node| node.raw_id);
        if known != Some(named.id) {
            return Err(FsError::Stale.into());
        }
        let old = file.stat()?;
        if named.nlink > 1 || old.nlink > 1 {
            return Err(Failed::Otherwise);
        }
        let (temporary, shorter) = match new_temporary(dir, 0o600) {
            Err(error) if may_not(&error) => return Err(Failed::Otherwise),
            made => made?,
        };
        let filled = self
            .fill(file, &old, content, size, &shorter)
            .and_then(
                |raw_len| match dir.rename(&temporary, dir, name, RenameFlags::empty()) {
                    Err(error) if may_not(&error) => Err(Failed::Otherwise),
                    renamed => Ok(renamed.map(|()| raw_len)?),
                },
            );
        let raw_len = filled.inspect_err(|_| {
            // The error that counts is the first one.
            let _ = dir.unlink(&temporary);
        })?;
        self.take_place(open, dir, place, shorter)?;
        content.shortened_to(raw_len);
        Ok(())
    }

    /// The node and its handles go over to the file that has taken the name.
    fn take_place(
        &self,
        open: &OpenFile,
        dir: &Dir,
        place: &Place,
        shorter: File,
    ) -> Result<(), raw::Error> {
        let name = place.raw.as_name();
        // As lookups tell it: by descriptor some storage has other numbers.
        let stat = dir.stat(name).or_else(|_| shorter.stat());
        open.exchange(shorter);
        let stat = stat?;
        self.tree.exchange_raw(open.node, stat.id);
        *open.change.lock() = Change::none(&stat);
        if let Err(error) = make_name_safe(dir, name) {
            tracing::warn!("a shortened file may come back as it was after a crash: {error}");
        }
        Ok(())
    }

    /// Writes what stays of `file`, with its attributes, and makes it safe. The result: the raw
    /// length.
    fn fill(
        &self,
        file: &File,
        old: &Stat,
        content: &ContentState,
        size: u64,
        shorter: &File,
    ) -> Result<u64, Failed> {
        let raw_len =
            Content::new(&self.volume.codec, file)
                .shortened(content, size, &mut |bytes, at| shorter.write_at(bytes, at))?;
        copy_attributes(file, old, shorter).map_err(|error| {
            tracing::info!("a file with other attributes cannot take its place: {error}");
            Failed::Otherwise
        })?;
        shorter.sync(false)?;
        shorter.flush()?;
        Ok(raw_len)
    }

    /// Cuts to zero and writes again what stays.
    fn write_again(
        &self,
        file: &File,
        content: &mut ContentState,
        size: u64,
    ) -> Result<(), Failed> {
        let len = content.stored_len();
        if len > MAX_HELD {
            return Err(Failed::Otherwise);
        }
        let mut kept = Vec::new();
        let raw_len =
            Content::new(&self.volume.codec, file).shortened(content, size, &mut |bytes, at| {
                kept.resize(usize::try_from(at).unwrap_or_default(), 0);
                kept.extend_from_slice(bytes);
                Ok(())
            })?;
        let mut old = vec![0; usize::try_from(len).unwrap_or_default()];
        if file.read_at(&mut old, 0)? < old.len() {
            return Err(Failed::Otherwise);
        }
        let written = file.set_len(0).and_then(|()| {
            if file.stat()?.size > 0 && !file.ends_by(0)? {
                self.cuts.note(0);
                return Err(raw::Error::on_file(Op::Truncate, Errno::IO));
            }
            file.write_at(&kept, 0)
        });
        if let Err(error) = written {
            content.mark_stale();
            // The cut may still come.
            file.write_at(&old, 0)?;
            return Err(error.into());
        }
        content.shortened_to(raw_len);
        Ok(())
    }
}

/// Why a file was not replaced.
enum Failed {
    /// It cannot be replaced; cutting to zero may help.
    Otherwise,
    /// Nothing would help.
    With(FsError),
}

impl<E: Into<FsError>> From<E> for Failed {
    fn from(error: E) -> Self {
        Self::With(error.into())
    }
}

fn not_cut(wanted: u64, found: u64) -> blockio::Error {
    blockio::Error::NotCut { wanted, found }
}

/// Whether storage did not cut because it cannot: it does nothing, refuses to cut, or refuses that
/// the new last block is written where it lies.
fn cannot_cut(error: &blockio::Error) -> bool {
    match error {
        blockio::Error::NotCut { .. } => true,
        blockio::Error::Raw(error) => match error.op {
            Op::Truncate => {
                matches!(error.errno, Errno::OPNOTSUPP | Errno::NOSYS | Errno::PERM)
            }
            Op::Write => matches!(error.errno, Errno::OPNOTSUPP | Errno::INVAL | Errno::PERM),
            _ => false,
        },
        _ => false,
    }
}

/// Whether making or renaming entries is what is not allowed or not possible here.
fn may_not(error: &raw::Error) -> bool {
    matches!(
        error.errno,
        Errno::ACCESS
            | Errno::PERM
            | Errno::ROFS
            | Errno::BUSY
            | Errno::XDEV
            | Errno::NOSYS
            | Errno::OPNOTSUPP
    )
}

/// Gives `to` the owner, mode, time of access and extended attributes of `from`.
fn copy_attributes(from: &File, old: &Stat, to: &File) -> Result<(), raw::Error> {
    let new = to.stat()?;
    let uid = (new.uid != old.uid).then_some(old.uid);
    let gid = (new.gid != old.gid).then_some(old.gid);
    if uid.is_some() || gid.is_some() {
        to.set_owner(uid, gid)?;
    }
    let (wanted, had) = (xattrs(from)?, xattrs(to)?);
    for name in had.iter().filter(|name| !wanted.contains(name)) {
        // From the directory's default ACL.
        to.remove_xattr(name)?;
    }
    for name in &wanted {
        let value = from.xattr(name)?;
        if !(had.contains(name) && to.xattr(name)? == value) {
            to.set_xattr(name, &value, 0)?;
        }
    }
    // Last: an owner takes set-ID bits, an ACL the group's bits.
    to.set_mode(old.mode)?;
    super::rewrap::unless_not_ours(to.set_times(SetTime::To(old.atime), SetTime::Keep))
}

fn xattrs(file: &File) -> Result<Vec<std::ffi::CString>, raw::Error> {
    let names = match file.list_xattrs() {
        Err(error) if matches!(error.errno, Errno::OPNOTSUPP | Errno::NOSYS) => {
            return Ok(Vec::new());
        }
        names => names?,
    };
    let names = names.split_inclusive(|&byte| byte == 0);
    Ok(names
        .filter_map(|name| std::ffi::CStr::from_bytes_with_nul(name).ok())
        .map(Into::into)
        .collect())
}
