//! The replies that list a directory: names alone, or names with attributes.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::sync::Arc;
use std::time::Duration;

use fuser::{FileType, Generation, INodeNo, ReplyDirectory, ReplyDirectoryPlus};

use super::convert::{bare_dir, file_type};
use super::filesystem::Adapter;
use crate::fs::{EncFs, FsError, HandleId, Listed, Listing};
use crate::raw::Errno;

/// Entries of a listing come after `.` and `..`.
const FIRST_ENTRY: u64 = 2;

/// A listing and the filesystem it came from.
type Read = (Arc<EncFs>, Arc<Listing>);

impl Adapter {
    fn listing(&self, op: &str, handle: HandleId, offset: u64) -> Result<Read, fuser::Errno> {
        self.run(op, |fs| fs.listing(handle, offset == 0))
            .and_then(|listing| {
                // It cannot have gone: the listing's handle keeps it.
                let fs = self.served.there().ok_or(fuser::Errno::EIO)?;
                Ok((fs, listing))
            })
    }

    /// Names from `offset` on, as many as fit.
    pub(super) fn reply_names(&self, handle: HandleId, offset: u64, mut reply: ReplyDirectory) {
        let (fs, listing) = match self.listing("readdir", handle, offset) {
            Ok(read) => read,
            Err(errno) => return reply.error(errno),
        };
        for (at, name, ino) in dots(&listing).skip(skip(offset)) {
            let name = OsStr::from_bytes(name);
            if reply.add(INodeNo(ino), at, FileType::Directory, name) {
                return reply.ok();
            }
        }
        for (at, entry) in entries(&listing, offset) {
            let kind = match self.run("readdir", |fs| gone(fs.listed_kind(&listing, entry))) {
                Ok(Some(kind)) => file_type(kind),
                Ok(None) => continue,
                // The name is shown; whoever asks for its attributes is told the error.
                Err(_) => FileType::RegularFile,
            };
            let ino = INodeNo(fs.listed_ino(&listing, entry));
            if reply.add(ino, at, kind, OsStr::from_bytes(entry.name.as_bytes())) {
                break;
            }
        }
        reply.ok();
    }

    /// Entries with their attributes from `offset` on, as many as fit.
    pub(super) fn reply_entries(
        &self,
        handle: HandleId,
        offset: u64,
        mut reply: ReplyDirectoryPlus,
    ) {
        let (fs, listing) = match self.listing("readdirplus", handle, offset) {
            Ok(read) => read,
            Err(errno) => return reply.error(errno),
        };
        let generation = Generation(0);
        for (at, name, ino) in dots(&listing).skip(skip(offset)) {
            let (attr, ttl) = (bare_dir(ino), Duration::ZERO);
            let name = OsStr::from_bytes(name);
            if reply.add(INodeNo(ino), at, name, &ttl, &attr, generation) {
                return reply.ok();
            }
        }
        for (at, listed) in entries(&listing, offset) {
            let mut ttl = self.attr_ttl.min(self.entry_ttl);
            let entry = match self.run("readdirplus", |fs| fs.enter_listed(&listing, listed)) {
                Ok(Some(entry)) => entry,
                Ok(None) => continue,
                // The name is shown; whoever asks for its attributes is told the error.
                Err(_) => match fs.enter_unread(&listing, listed) {
                    Ok(entry) => {
                        ttl = Duration::ZERO;
                        entry
                    }
                    Err(_) => continue,
                },
            };
            let (ino, attr) = (INodeNo(entry.node.0), self.file_attr(&entry.attr));
            let name = OsStr::from_bytes(listed.name.as_bytes());
            if reply.add(ino, at, name, &ttl, &attr, generation) {
                fs.forget(entry.node, 1);
                break;
            }
        }
        reply.ok();
    }
}

/// An entry that is gone since it was listed is none.
fn gone<T>(result: Result<T, FsError>) -> Result<Option<T>, FsError> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(error) if error.raw_errno() == Some(Errno::NOENT) => Ok(None),
        Err(error) => Err(error),
    }
}

/// The entries from `offset` on, each with the position of the one after it.
fn entries(listing: &Listing, offset: u64) -> impl Iterator<Item = (u64, &Listed)> {
    let first = offset.saturating_sub(FIRST_ENTRY);
    (first + FIRST_ENTRY + 1..).zip(listing.entries.iter().skip(skip(first)))
}

/// `.` and `..` of a listing: position of the next entry, name, inode number.
fn dots(listing: &Listing) -> impl Iterator<Item = (u64, &'static [u8], u64)> {
    [
        (1, &b"."[..], listing.node.0),
        (2, &b".."[..], listing.parent.0),
    ]
    .into_iter()
}

fn skip(count: u64) -> usize {
    usize::try_from(count).unwrap_or(usize::MAX)
}
