//! Renaming where names or headers depend on the path (format 7.9): a directory under name IV
//! chaining, a file or directory under external IV chaining.
//!
//! Everything below is changed in place first, children before their directory: raw names become
//! those under the new path, headers are wrapped under the new external IV with the same file IV.
//! Then the entry itself is renamed. If a step fails, all that was done is undone in reverse
//! order and the step's own error is reported. Entries that do not decode are moved along as
//! they are. Times of directories and files are what they were before.
//!
//! The names below are held exclusively meanwhile; open files go on reading and writing by
//! descriptor, and wait only while their own header changes.

use super::rename::{Ends, RenameMode};
use super::tree::{Link, NodeId};
use super::{EncFs, FsError};
use crate::blockio::{self, HEADER_LEN};
use crate::nameio::PlainName;
use crate::raw::{Access, Dir, Errno, File, Kind, Name, SetTime, Stat};

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
struct Entry<'a> {
    name: &'a Name,
    kind: Kind,
    node: Option<NodeId>,
    old_iv: u64,
    new_iv: u64,
}

struct TreeRename<'a> {
    fs: &'a EncFs,
    done: Vec<Done>,
}

impl EncFs {
    /// Renames with everything below. The caller holds both ends.
    pub(super) fn rename_tree(&self, ends: &Ends, mode: RenameMode) -> Result<(), FsError> {
        if mode == RenameMode::Replace && ends.replaced == Some(Kind::Dir) {
            self.check_empty(&ends.to)?;
        }
        let mut work = TreeRename {
            fs: self,
            done: Vec::new(),
        };
        let result = work
            .convert_end(&ends.from, ends.kind, ends.to.iv)
            .and_then(|()| match ends.replaced {
                Some(kind) if mode == RenameMode::Exchange => {
                    work.convert_end(&ends.to, kind, ends.from.iv)
                }
                _ => Ok(()),
            })
            .and_then(|()| self.rename_entry(ends, mode));
        if result.is_err() {
            work.undo();
        }
        result
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
}

impl TreeRename<'_> {
    /// Changes what lies below one end, whose IV becomes `new_iv`.
    fn convert_end(&mut self, end: &Link, kind: Kind, new_iv: u64) -> Result<(), FsError> {
        let dir = self.fs.raw_dir(end.parent)?;
        let dir = dir.as_deref().unwrap_or(&self.fs.volume.root);
        let at = At {
            parent: end.parent,
            path: Vec::new(),
        };
        let entry = Entry {
            name: end.raw.as_name(),
            kind,
            node: self.fs.tree.child(end.parent, &end.name),
            old_iv: end.iv,
            new_iv,
        };
        self.convert(dir, &at, &entry)
    }

    fn convert(&mut self, dir: &Dir, at: &At, entry: &Entry<'_>) -> Result<(), FsError> {
        match entry.kind {
            Kind::Dir => self.convert_dir(dir, at, entry),
            Kind::File if self.fs.headers_depend_on_path() => {
                let (old_iv, new_iv) = (entry.old_iv, entry.new_iv);
                if self
                    .fs
                    .rewrap(dir, entry.name, entry.node, old_iv, new_iv)?
                {
                    self.done.push(Done::Rewrapped {
                        at: at.clone(),
                        name: entry.name.clone(),
                        node: entry.node,
                        old_iv,
                        new_iv,
                    });
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn convert_dir(&mut self, dir: &Dir, at: &At, entry: &Entry<'_>) -> Result<(), FsError> {
        let names = &self.fs.volume.names;
        let below = dir.open_dir(entry.name)?;
        let listed = below.entries()?;
        if listed.is_empty() || entry.old_iv == entry.new_iv {
            return Ok(());
        }
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
        for listed in listed {
            let Ok((plain, old_iv)) = names.decode(&listed.name, entry.old_iv) else {
                continue;
            };
            let Ok(raw) = Name::new(listed.name) else {
                continue;
            };
            let (new_raw, new_iv) = names.encode(&plain, entry.new_iv)?;
            let kind = match listed.kind {
                Some(kind) => kind,
                None => below.stat(&raw)?.kind,
            };
            let child = Entry {
                name: &raw,
                kind,
                node: self.child(entry.node, &plain),
                old_iv,
                new_iv,
            };
            self.convert(&below, &at_below, &child)?;
            below.rename(
                &raw,
                &below,
                new_raw.as_name(),
                RenameMode::Replace.raw_flags(),
            )?;
            self.done.push(Done::Renamed {
                at: at_below.clone(),
                from: raw,
                to: new_raw.as_name().clone(),
            });
        }
        put_back_times(dir, entry.name, &stat)?;
        Ok(())
    }

    fn child(&self, parent: Option<NodeId>, name: &PlainName) -> Option<NodeId> {
        self.fs.tree.child(parent?, name)
    }

    /// Undoes everything in reverse order, as far as the storage lets us.
    fn undo(self) {
        for done in self.done.into_iter().rev() {
            let result = match &done {
                Done::Renamed { at, from, to } => self.fs.open_at_path(at).and_then(|dir| {
                    let flags = RenameMode::Replace.raw_flags();
                    Ok(dir.rename(to, &dir, from, flags)?)
                }),
                Done::Rewrapped {
                    at,
                    name,
                    node,
                    old_iv,
                    new_iv,
                } => self
                    .fs
                    .open_at_path(at)
                    .and_then(|dir| self.fs.rewrap(&dir, name, *node, *new_iv, *old_iv))
                    .map(|_| ()),
                Done::Entered { at, name, stat } => self
                    .fs
                    .open_at_path(at)
                    .and_then(|dir| put_back_times(&dir, name, stat)),
            };
            if let Err(error) = result {
                tracing::error!("a step of a failed rename could not be undone: {error}");
            }
        }
    }
}

impl EncFs {
    fn open_at_path(&self, at: &At) -> Result<Dir, FsError> {
        let parent = self.raw_dir(at.parent)?;
        let parent = parent.as_deref().unwrap_or(&self.volume.root);
        let mut dir = parent.reopen()?;
        for name in &at.path {
            dir = dir.open_dir(name)?;
        }
        Ok(dir)
    }

    /// Wraps the header of the raw file `name` under another external IV. The result: whether
    /// there was one to change.
    fn rewrap(
        &self,
        dir: &Dir,
        name: &Name,
        node: Option<NodeId>,
        old_iv: u64,
        new_iv: u64,
    ) -> Result<bool, FsError> {
        let open = node.and_then(|node| self.open_files.get(node));
        // Whoever has the file open waits, so that nobody reads or writes one header under the
        // external IV of the other.
        let content = open.as_ref().map(|open| open.content.write());
        let file = open_for_header(dir, name)?;
        let stat = file.stat()?;
        let changed = if stat.kind == Kind::File && stat.size >= HEADER_LEN as u64 {
            self.rewrap_open(&file, &stat, old_iv, new_iv)?
        } else {
            if stat.size > 0 {
                tracing::warn!("{name} is shorter than its header: renamed as it is");
            }
            false
        };
        if let Some(mut content) = content {
            content.set_external_iv(new_iv);
            return Ok(true);
        }
        Ok(changed)
    }

    fn rewrap_open(
        &self,
        file: &File,
        stat: &Stat,
        old_iv: u64,
        new_iv: u64,
    ) -> Result<bool, FsError> {
        let mut header = [0_u8; HEADER_LEN];
        if file.read_at(&mut header, 0)? < HEADER_LEN {
            return Ok(false);
        }
        let new_header = match self.volume.codec.rewrap_header(header, old_iv, new_iv) {
            Ok(new_header) => new_header,
            Err(blockio::Error::BadHeader) => {
                tracing::warn!("a damaged header is left as it is");
                return Ok(false);
            }
            Err(error) => return Err(error.into()),
        };
        let kept = Kept::of(file, stat)?;
        if let Err(error) = file.write_at(&new_header, 0) {
            if let Err(error) = file.write_at(&header, 0) {
                tracing::error!("a header could not be put back after a failed write: {error}");
            }
            return Err(error.into());
        }
        kept.put_back(file)?;
        // The header must not reach storage after the name, or a crash in between leaves a
        // file that was safe before unreadable.
        file.sync(true)?;
        Ok(true)
    }
}

/// What writing a header takes from a file: times, file capabilities, set-ID bits.
struct Kept<'a> {
    stat: &'a Stat,
    capabilities: Option<Vec<u8>>,
}

impl<'a> Kept<'a> {
    fn of(file: &File, stat: &'a Stat) -> Result<Self, FsError> {
        // Only root could put them back.
        let capabilities = if crate::raw::own_ids().uid == 0 && stat.mode & 0o111 != 0 {
            match file.xattr(c"security.capability") {
                Ok(value) => Some(value),
                Err(error)
                    if matches!(error.errno, Errno::NODATA | Errno::OPNOTSUPP | Errno::NOSYS) =>
                {
                    None
                }
                Err(error) => return Err(error.into()),
            }
        } else {
            None
        };
        Ok(Self { stat, capabilities })
    }

    fn put_back(&self, file: &File) -> Result<(), FsError> {
        if let Some(value) = &self.capabilities {
            file.set_xattr(c"security.capability", value, 0)?;
        }
        if self.stat.mode & 0o6000 != 0 {
            file.set_mode(self.stat.mode)?;
        }
        file.set_times(SetTime::To(self.stat.atime), SetTime::To(self.stat.mtime))?;
        Ok(())
    }
}

fn put_back_times(dir: &Dir, name: &Name, stat: &Stat) -> Result<(), FsError> {
    Ok(dir.set_times(name, SetTime::To(stat.atime), SetTime::To(stat.mtime))?)
}

/// Opens a raw file whose header is to change, also if its mode forbids that to its owner.
fn open_for_header(dir: &Dir, name: &Name) -> Result<File, FsError> {
    match dir.open_file(name, Access::ReadWrite) {
        Err(error) if error.errno == Errno::ACCESS => {
            let stat = dir.stat(name)?;
            if stat.kind != Kind::File || stat.uid != crate::raw::own_ids().uid {
                return Err(error.into());
            }
            dir.set_mode(name, stat.mode | 0o600)?;
            let opened = dir.open_file(name, Access::ReadWrite);
            dir.set_mode(name, stat.mode)?;
            Ok(opened?)
        }
        result => Ok(result?),
    }
}
