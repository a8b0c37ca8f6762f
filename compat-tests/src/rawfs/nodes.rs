//! The kernel's inode numbers and what of the backing folder they stand for.

use std::collections::HashMap;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;

use rustix::fs::{Mode, OFlags, Stat, fstat, open};
use rustix::io::Errno;

/// Number of the root.
pub(super) const ROOT: u64 = 1;
/// Numbers that are counted up begin here, out of the way of those of local filesystems.
const COUNTED: u64 = 1 << 44;

/// How numbers are given.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Numbers {
    /// Those of the backing folder: the same as long as the file is there.
    #[default]
    Stable,
    /// A new one each time the kernel meets a file that it had forgotten.
    Counted,
    /// A new one at each lookup.
    Fleeting,
}

/// Device and inode number in the backing folder.
pub(super) type Id = (u64, u64);

/// A file or directory that the kernel knows.
#[derive(Debug)]
pub(super) struct Node {
    /// Opened with `O_PATH`: it follows renames.
    pub(super) fd: OwnedFd,
    pub(super) id: Id,
}

impl Node {
    /// A path that leads to this and to nothing else.
    pub(super) fn path(&self) -> String {
        fd_path(self.fd.as_fd())
    }
}

pub(super) fn fd_path(fd: BorrowedFd<'_>) -> String {
    use std::os::fd::AsRawFd;
    format!("/proc/self/fd/{}", fd.as_raw_fd())
}

pub(super) fn id_of(stat: &Stat) -> Id {
    (stat.st_dev, stat.st_ino)
}

#[derive(Debug)]
struct Known {
    node: Arc<Node>,
    lookups: u64,
}

/// All that the kernel knows.
#[derive(Debug)]
pub(super) struct Nodes {
    numbers: Numbers,
    by_number: HashMap<u64, Known>,
    by_id: HashMap<Id, u64>,
    next: u64,
}

impl Nodes {
    pub(super) fn new(root: &std::path::Path, numbers: Numbers) -> Result<Self, Errno> {
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let fd = open(root, flags, Mode::empty())?;
        let id = id_of(&fstat(&fd)?);
        let root = Known {
            node: Arc::new(Node { fd, id }),
            lookups: 1,
        };
        Ok(Self {
            numbers,
            by_number: [(ROOT, root)].into(),
            by_id: [(id, ROOT)].into(),
            next: COUNTED,
        })
    }

    pub(super) fn get(&self, number: u64) -> Result<Arc<Node>, Errno> {
        let known = self.by_number.get(&number).ok_or(Errno::STALE)?;
        Ok(Arc::clone(&known.node))
    }

    /// The number that the kernel shall use for `fd`, which it is told once more.
    pub(super) fn tell(&mut self, fd: OwnedFd, id: Id) -> u64 {
        if self.numbers != Numbers::Fleeting
            && let Some(number) = self.by_id.get(&id)
            && let Some(known) = self.by_number.get_mut(number)
        {
            known.lookups += 1;
            return *number;
        }
        let own = (self.numbers == Numbers::Stable)
            .then_some(id.1)
            .filter(|number| *number > ROOT && !self.by_number.contains_key(number));
        let number = own.unwrap_or_else(|| {
            self.next += 1;
            self.next
        });
        let node = Arc::new(Node { fd, id });
        self.by_number.insert(number, Known { node, lookups: 1 });
        self.by_id.insert(id, number);
        number
    }

    /// The kernel has forgotten `count` of the times it was told `number`.
    pub(super) fn forget(&mut self, number: u64, count: u64) {
        let Some(known) = self.by_number.get_mut(&number) else {
            return;
        };
        known.lookups = known.lookups.saturating_sub(count);
        if known.lookups > 0 || number == ROOT {
            return;
        }
        let id = known.node.id;
        self.by_number.remove(&number);
        if self.by_id.get(&id) == Some(&number) {
            self.by_id.remove(&id);
        }
    }
}
