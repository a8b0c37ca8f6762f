//! Renaming where names or headers depend on the path (format 7.9): a directory under name IV
//! chaining, a file or directory under external IV chaining.
//!
//! Everything below is changed in place first, children before their directory: raw names become
//! those under the new path, headers are wrapped under the new external IV with the same file IV.
//! Then the entry itself is renamed. Before the first step the rename is recorded (`intent`).
//! If a step fails, all that was done is undone in reverse order and the step's own error is
//! reported; what cannot be undone, and what a crash leaves, the next mount settles (`recover`).
//! Entries that do not decode are moved along as they are. Times are what they were before.
//!
//! The names below are held exclusively meanwhile; open files go on reading and writing by
//! descriptor, and wait only while their own header changes.

use std::collections::HashSet;

use super::direction::ShownName;
use super::intent::Intent;
use super::rename::{Ends, RenameMode};
use super::rewrap::unless_not_ours;
use super::symlink::raw_error;
use super::tree::{Link, NodeId};
use super::{EncFs, FsError};
use crate::raw::{Dir, Errno, Kind, Name, Op, SetTime, Stat};

/// Files of a directory whose headers are held ready at a time, to be recorded together.
const BATCH: usize = 64;

/// Something that was done in storage and can be undone.
enum Done {
    /// An entry was renamed in its directory.
    Renamed { at: At, from: Name, to: Name },
    /// A file's header was wrapped under another external IV.
    Rewrapped {
        at: At,
        name: Name,
        node: Option<NodeId>,
        old_iv: u64,
        new_iv: u64,
    },
    /// Entries of a directory are about to be renamed: its times are to be put back.
    Entered { at: At, name: Name, stat: Stat },
}

/// A directory as it was when a step was done: raw names below one of the two parents.
#[derive(Clone)]
struct At {
    parent: NodeId,
    path: Vec<Name>,
}

/// What is being renamed: raw name, node if known, and the IVs that change.
struct Entry {
    name: Name,
    new_name: Name,
    kind: Kind,
    node: Option<NodeId>,
    old_iv: u64,
    new_iv: u64,
}

struct TreeRename<'a> {
    fs: &'a EncFs,
    intent: Intent,
    recorded: bool,
    done: Vec<Done>,
}

impl EncFs {
    /// Renames with everything below. The caller holds both ends.
    pub(super) fn rename_tree(&self, ends: &Ends, mode: RenameMode) -> Result<(), FsError> {
        if mode == RenameMode::Replace && ends.replaced == Some(Kind::Dir) {
            self.check_empty(&ends.to)?;
        }
        let exchange = mode == RenameMode::Exchange;
        let mut work = TreeRename {
            fs: self,
            intent: Intent::Move {
                exchange,
                from: self.plain_path(&ends.from)?,
                to: self.plain_path(&ends.to)?,
            },
            recorded: false,
            done: Vec::new(),
        };
        let result = work
            .convert_end(&ends.from, ends.kind, &ends.to)
            .and_then(|()| match ends.replaced {
                Some(kind) if exchange => work.convert_end(&ends.to, kind, &ends.from),
                _ => Ok(()),
            })
            .and_then(|()| self.rename_entry(ends, mode));
        work.finish(result)
    }

    /// Before anything is changed: a directory with entries cannot be replaced.
    fn check_empty(&self, link: &Link) -> Result<(), FsError> {
        let entries = self.in_dir(link.parent, false, |dir| {
            dir.open_dir(link.raw.as_name())?.entries()
        })?;
        if entries.is_empty() {
            Ok(())
        } else {
            Err(FsError::NotEmpty)
        }
    }

    /// The plain path of a name, from the root. The caller holds it steady.
    fn plain_path(&self, link: &Link) -> Result<Vec<u8>, FsError> {
        let mut parts = vec![link.name.clone()];
        let mut next = link.parent;
        while next != super::ROOT {
            let above = self.tree.with(next, |node| {
                node.links
                    .first()
                    .map(|link| (link.parent, link.name.clone()))
            });
            let (parent, name) = above.flatten().ok_or(FsError::NoSuchNode)?;
            parts.push(name);
            next = parent;
        }
        parts.reverse();
        let parts: Vec<&[u8]> = parts.iter().map(ShownName::as_bytes).collect();
        Ok(parts.join(&b'/'))
    }

    fn open_place(&self, at: &At) -> Result<Dir, FsError> {
        let parent = self.raw_dir(at.parent)?;
        let parent = parent.as_deref().unwrap_or(&self.volume.root);
        let mut dir = parent.reopen()?;
        for name in &at.path {
            dir = dir.open_dir(name)?;
        }
        Ok(dir)
    }
}

impl TreeRename<'_> {
    /// Changes what lies below one end, which is to go to `new`.
    fn convert_end(&mut self, end: &Link, kind: Kind, new: &Link) -> Result<(), FsError> {
        let dir = self.fs.raw_dir(end.parent)?;
        let dir = dir.as_deref().unwrap_or(&self.fs.volume.root);
        let at = At {
            parent: end.parent,
            path: Vec::new(),
        };
        let entry = Entry {
            name: end.raw.as_name().clone(),
            new_name: new.raw.as_name().clone(),
            kind,
            node: self.fs.tree.child(end.parent, &end.name),
            old_iv: end.iv,
            new_iv: new.iv,
        };
        self.convert(dir, &at, std::slice::from_ref(&entry))
    }

    /// Changes what lies below, or in front of, some entries of one directory, not their names.
    fn convert(&mut self, dir: &Dir, at: &At, entries: &[Entry]) -> Result<(), FsError> {
        if self.fs.headers_depend_on_path() {
            self.rewrap(dir, at, entries)?;
        }
        for entry in entries.iter().filter(|entry| entry.kind == Kind::Dir) {
            self.convert_dir(dir, at, entry)?;
        }
        Ok(())
    }

    fn rewrap(&mut self, dir: &Dir, at: &At, entries: &[Entry]) -> Result<(), FsError> {
        let mut headers = Vec::new();
        for entry in entries.iter().filter(|entry| entry.kind == Kind::File) {
            let header = self
                .fs
                .open_header(dir, &entry.name, entry.node, entry.old_iv)?;
            headers.push((entry, header));
        }
        let file_ivs: Vec<u64> = headers
            .iter()
            .filter_map(|(_, header)| header.file_iv())
            .collect();
        if !file_ivs.is_empty() {
            self.record(Some(file_ivs))?;
        }
        for (entry, header) in headers {
            let (old_iv, new_iv) = (entry.old_iv, entry.new_iv);
            if self.fs.rewrap_header(&header, old_iv, new_iv)? {
                self.done.push(Done::Rewrapped {
                    at: at.clone(),
                    name: entry.name.clone(),
                    node: entry.node,
                    old_iv,
                    new_iv,
                });
            }
        }
        Ok(())
    }

    fn convert_dir(&mut self, dir: &Dir, at: &At, entry: &Entry) -> Result<(), FsError> {
        let below = dir.open_dir(&entry.name)?;
        let entries = self.entries_below(&below, entry)?;
        if entries.is_empty() || entry.old_iv == entry.new_iv {
            return Ok(());
        }
        self.record(None)?;
        let stat = below.stat_self()?;
        self.done.push(Done::Entered {
            at: at.clone(),
            name: entry.name.clone(),
            stat,
        });
        let mut path = at.path.clone();
        path.push(entry.name.clone());
        let at_below = At {
            parent: at.parent,
            path,
        };
        for batch in entries.chunks(BATCH) {
            self.convert(&below, &at_below, batch)?;
            for Entry { name, new_name, .. } in batch {
                let flags = RenameMode::Replace.raw_flags();
                below.rename(name, &below, new_name, flags)?;
                self.done.push(Done::Renamed {
                    at: at_below.clone(),
                    from: name.clone(),
                    to: new_name.clone(),
                });
            }
        }
        put_back_times(dir, &entry.name, &stat)
    }

    /// The entries of a directory that decode, with what they will be.
    fn entries_below(&self, below: &Dir, entry: &Entry) -> Result<Vec<Entry>, FsError> {
        let names = &self.fs.volume.names;
        let all = below.entries()?;
        let taken: HashSet<&[u8]> = all.iter().map(|listed| &*listed.name).collect();
        let mut entries = Vec::new();
        for listed in &all {
            let Ok((plain, old_iv)) = names.decode(&listed.name, entry.old_iv) else {
                continue;
            };
            let Ok(name) = Name::new(listed.name.clone()) else {
                continue;
            };
            let (new_raw, new_iv) = names.encode(&plain, entry.new_iv)?;
            if taken.contains(new_raw.as_bytes()) && entry.new_iv != entry.old_iv {
                // What a rename that broke off left behind, by whatever program: nobody sees it
                // now, and it must not be replaced.
                tracing::warn!("{new_raw:?} is in the way of renaming {name}");
                return Err(raw_error(Op::Rename, Errno::EXIST));
            }
            let kind = match listed.kind {
                Some(kind) => kind,
                None => below.stat(&name)?.kind,
            };
            let shown = ShownName::from(plain);
            entries.push(Entry {
                name,
                new_name: new_raw.as_name().clone(),
                kind,
                node: entry.node.and_then(|node| self.fs.tree.child(node, &shown)),
                old_iv,
                new_iv,
            });
        }
        Ok(entries)
    }

    /// Records the rename before its first step, and the file IVs of headers before they are
    /// written.
    fn record(&mut self, file_ivs: Option<Vec<u64>>) -> Result<(), FsError> {
        match (self.recorded, file_ivs) {
            (true, None) => return Ok(()),
            (true, Some(file_ivs)) => return self.fs.note_file_ivs(file_ivs),
            (false, None) => self.fs.begin_intent(&[&self.intent])?,
            (false, Some(file_ivs)) => {
                let file_ivs = Intent::FileIvs(file_ivs);
                self.fs.begin_intent(&[&self.intent, &file_ivs])?;
            }
        }
        self.recorded = true;
        Ok(())
    }

    fn finish(self, result: Result<(), FsError>) -> Result<(), FsError> {
        let (fs, recorded) = (self.fs, self.recorded);
        let settled = result.is_ok() || self.undo();
        if recorded {
            fs.finish_intent(settled);
        }
        result
    }

    /// Undoes everything in reverse order. The result: whether all could be undone.
    fn undo(self) -> bool {
        let mut undone = true;
        for done in self.done.into_iter().rev() {
            let result = match &done {
                Done::Renamed { at, from, to } => self.fs.open_place(at).and_then(|dir| {
                    let flags = RenameMode::Replace.raw_flags();
                    Ok(dir.rename(to, &dir, from, flags)?)
                }),
                Done::Rewrapped {
                    at,
                    name,
                    node,
                    old_iv,
                    new_iv,
                } => self.fs.open_place(at).and_then(|dir| {
                    let header = self.fs.open_header(&dir, name, *node, *new_iv)?;
                    self.fs.rewrap_header(&header, *new_iv, *old_iv)?;
                    Ok(())
                }),
                Done::Entered { at, name, stat } => self
                    .fs
                    .open_place(at)
                    .and_then(|dir| put_back_times(&dir, name, stat)),
            };
            if let Err(error) = result {
                tracing::error!("a step of a failed rename could not be undone: {error}");
                undone = false;
            }
        }
        undone
    }
}

/// Sets the times of an entry to what they were.
pub(super) fn put_back_times(dir: &Dir, name: &Name, stat: &Stat) -> Result<(), FsError> {
    let (atime, mtime) = (SetTime::To(stat.atime), SetTime::To(stat.mtime));
    Ok(unless_not_ours(dir.set_times(name, atime, mtime))?)
}
