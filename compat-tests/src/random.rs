//! Random changes to a tree: every operation is one that a plain directory allows.

use std::collections::BTreeMap;

use crate::ops::{Name, Op, Rng};
use crate::script::name_of;
use crate::volumes::Settings;

/// Entries that the tree has at the most; beyond, more is removed than made.
const MOST: usize = 60;

/// What a name stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Dir,
    /// A file; names of one file have one number.
    File(u64),
    /// A link or FIFO.
    Other,
}

/// A tree as the operations given out so far have left it.
#[derive(Debug)]
pub struct RandomTree {
    rng: Rng,
    entries: BTreeMap<Name, Kind>,
    next: u64,
    block: u64,
    longest: usize,
    links: bool,
}

impl RandomTree {
    /// An empty tree; equal seeds give equal operations.
    #[must_use]
    pub fn new(settings: &Settings, seed: u64) -> Self {
        Self {
            rng: Rng::new(seed),
            entries: BTreeMap::from([(Name::new(), Kind::Dir)]),
            next: 0,
            block: settings.data_bytes(),
            longest: settings.name_limit(),
            links: settings.hard_links(),
        }
    }

    /// The next `count` operations.
    pub fn ops(&mut self, count: usize) -> Vec<Op> {
        let mut ops = Vec::new();
        while ops.len() < count {
            ops.extend(self.op());
        }
        ops
    }

    fn op(&mut self) -> Option<Op> {
        let full = self.entries.len() > MOST;
        match self.rng.below(28) {
            0..5 if !full => {
                let path = self.new_name()?;
                self.add_file(&path);
                let len = self.len();
                Some(self.write(path, 0, len))
            }
            5..8 => {
                let path = self.file()?;
                let offset = self.position();
                let len = self.len();
                Some(self.write(path, offset, len))
            }
            8..11 => {
                let path = self.file()?;
                let (len, seed) = (self.len(), self.rng.next());
                Some(Op::Append { path, len, seed })
            }
            11..13 => {
                let path = self.file()?;
                let (len, seed) = (self.len(), self.rng.next());
                Some(Op::Replace { path, len, seed })
            }
            13..16 => Some(Op::Truncate(self.file()?, self.position())),
            16..19 => self.rename(),
            19 | 20 if !full => {
                let path = self.new_name()?;
                self.entries.insert(path.clone(), Kind::Dir);
                Some(Op::MakeDir(path))
            }
            21 | 22 => self.remove(),
            23 if !full => {
                let path = self.new_name()?;
                self.entries.insert(path.clone(), Kind::Other);
                let target = self.any()?;
                Some(Op::Symlink([&b"../"[..], &target].concat(), path))
            }
            24 if !full && self.links => {
                let old = self.file()?;
                let path = self.new_name()?;
                self.entries.insert(path.clone(), self.entries[&old]);
                Some(Op::Link(old, path))
            }
            25 => {
                let mode = 0o600 | u32::try_from(self.rng.below(0o200)).ok()?;
                Some(Op::Chmod(self.file()?, mode))
            }
            26 if !full => {
                let path = self.new_name()?;
                self.entries.insert(path.clone(), Kind::Other);
                Some(Op::Fifo(path))
            }
            27 => {
                let value = self.rng.next().to_le_bytes().to_vec();
                Some(Op::SetXattr(self.file()?, b"user.random".to_vec(), value))
            }
            _ => None,
        }
    }

    fn write(&mut self, path: Name, offset: u64, len: usize) -> Op {
        Op::Write {
            path,
            offset,
            len,
            seed: self.rng.next(),
        }
    }

    fn add_file(&mut self, path: &Name) {
        self.next += 1;
        self.entries.insert(path.clone(), Kind::File(self.next));
    }

    /// Lengths around block borders, and now and then a long one.
    fn len(&mut self) -> usize {
        let len = match self.rng.below(12) {
            0 => 100_000 + self.rng.below(100_000),
            1..5 => self.block * (1 + self.rng.below(3)) + self.rng.below(3) - 1,
            5 => self.block,
            _ => 1 + self.rng.below(self.block * 3),
        };
        usize::try_from(len).unwrap_or(1)
    }

    fn position(&mut self) -> u64 {
        match self.rng.below(8) {
            0 => 0,
            1 => self.block * self.rng.below(40),
            2 => self.rng.below(250_000),
            _ => self.rng.below(self.block * 5),
        }
    }

    fn pick(&mut self, wanted: impl Fn(Kind) -> bool) -> Option<Name> {
        let names: Vec<&Name> = self
            .entries
            .iter()
            .filter(|(name, kind)| !name.is_empty() && wanted(**kind))
            .map(|(name, _)| name)
            .collect();
        let at = self.rng.below(names.len().max(1) as u64);
        names
            .get(usize::try_from(at).ok()?)
            .map(|name| (*name).clone())
    }

    fn file(&mut self) -> Option<Name> {
        self.pick(|kind| matches!(kind, Kind::File(_)))
    }

    fn any(&mut self) -> Option<Name> {
        self.pick(|_| true)
    }

    fn dir(&mut self) -> Name {
        // The root itself is as likely as any other.
        let root = self.rng.below(3) == 0;
        let dir = self.pick(|kind| kind == Kind::Dir);
        dir.filter(|_| !root).unwrap_or_default()
    }

    fn new_name(&mut self) -> Option<Name> {
        let dir = self.dir();
        let last = match self.rng.below(10) {
            0 => name_of(1 + usize::try_from(self.rng.below(self.longest as u64)).ok()?),
            1 => [
                &b"\xc3\xbc \xff"[..],
                &self.rng.below(99).to_string().into_bytes(),
            ]
            .concat(),
            _ => format!("n{}", self.rng.below(999)).into_bytes(),
        };
        let path = join(&dir, &last);
        (!self.entries.contains_key(&path)).then_some(path)
    }

    fn rename(&mut self) -> Option<Op> {
        let from = self.any()?;
        let kind = self.entries[&from];
        // Onto something of its kind, or to a new name.
        let over = self.rng.below(4) == 0;
        let to = if over {
            self.pick(|other| (other == Kind::Dir) == (kind == Kind::Dir))?
        } else {
            self.new_name()?
        };
        let replaced = self.entries.get(&to).copied();
        let inside = |dir: &Name, path: &Name| path == dir || path.starts_with(&join(dir, b""));
        let same_file = matches!(kind, Kind::File(_)) && replaced == Some(kind);
        if same_file || inside(&from, &to) || inside(&to, &from) {
            return None;
        }
        if replaced == Some(Kind::Dir) && self.has_entries(&to) {
            return None;
        }
        let moved: Vec<(Name, Kind)> = self
            .entries
            .iter()
            .filter(|(path, _)| inside(&from, path))
            .map(|(path, kind)| (path.clone(), *kind))
            .collect();
        for (path, kind) in moved {
            self.entries.remove(&path);
            let new = [&to[..], &path[from.len()..]].concat();
            self.entries.insert(new, kind);
        }
        Some(Op::Rename(from, to))
    }

    fn remove(&mut self) -> Option<Op> {
        let path = self.any()?;
        if self.has_entries(&path) {
            return None;
        }
        match self.entries.remove(&path)? {
            Kind::Dir => Some(Op::RemoveDir(path)),
            _ => Some(Op::Unlink(path)),
        }
    }

    fn has_entries(&self, dir: &Name) -> bool {
        let below = join(dir, b"");
        self.entries.keys().any(|path| path.starts_with(&below))
    }
}

fn join(dir: &[u8], name: &[u8]) -> Name {
    if dir.is_empty() {
        return name.to_vec();
    }
    [dir, b"/", name].concat()
}
