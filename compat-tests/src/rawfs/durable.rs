//! What would be left after a power cut: contents that were synced, names as of the last sync.
//!
//! The model is that of local journalling filesystems seen from their worst side: `fsync` of a
//! file keeps its contents and all names that there are at that time; `fsync` of a directory keeps
//! the names. Contents that were never synced are empty afterwards, those that were synced are as
//! they were then. Names since then may have survived or not: see [`Names`].

use std::collections::HashMap;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustix::fs::{AtFlags, CWD, FileType, Mode, OFlags, fstat, open, statat};
use rustix::io::Errno;

use super::nodes::{Id, id_of};
use super::pass_through::{contents, errno_of};

/// What a crash does to names that were not synced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Names {
    /// They are there.
    Kept,
    /// They are those of the last sync.
    Back,
}

/// What is safe.
#[derive(Debug)]
pub(super) struct Durable {
    root: PathBuf,
    /// Contents by file. The descriptor keeps the inode number from being given again.
    files: HashMap<Id, (OwnedFd, Arc<Vec<u8>>)>,
    names: Vec<Named>,
}

/// One name of the last sync; directories come before what is in them.
#[derive(Clone, Debug)]
struct Named {
    path: PathBuf,
    mode: u32,
    what: What,
}

#[derive(Clone, Debug)]
enum What {
    Dir,
    File(Id),
    Link(PathBuf),
}

impl Durable {
    /// All that is there now is safe.
    pub(super) fn new(root: &Path) -> Result<Self, Errno> {
        let mut durable = Self {
            root: root.to_owned(),
            files: HashMap::new(),
            names: Vec::new(),
        };
        durable.synced_names()?;
        for named in durable.names.clone() {
            if let What::File(_) = named.what {
                durable.keep(&named.path)?;
            }
        }
        Ok(durable)
    }

    fn keep(&mut self, path: &Path) -> Result<(), Errno> {
        let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NOFOLLOW;
        let fd = open(path, flags, Mode::empty())?;
        self.synced_file(fd)
    }

    /// A file was synced: its contents are safe, and the names with it.
    pub(super) fn synced_file(&mut self, fd: OwnedFd) -> Result<(), Errno> {
        let id = id_of(&fstat(&fd)?);
        let bytes = contents(&fd)?;
        self.files.insert(id, (fd, Arc::new(bytes)));
        Ok(())
    }

    /// The names that are there now are safe.
    pub(super) fn synced_names(&mut self) -> Result<(), Errno> {
        self.names = walk(&self.root)?;
        Ok(())
    }

    /// Makes the backing folder what a crash leaves.
    pub(super) fn crash(&self, names: Names) -> Result<(), Errno> {
        match names {
            Names::Kept => {
                for named in walk(&self.root)? {
                    if let What::File(id) = named.what {
                        std::fs::write(&named.path, self.safe(id)).map_err(|e| errno_of(&e))?;
                    }
                }
                Ok(())
            }
            Names::Back => self.rebuild().map_err(|e| errno_of(&e)),
        }
    }

    fn safe(&self, id: Id) -> &[u8] {
        self.files.get(&id).map_or(&[], |(_, bytes)| bytes)
    }

    fn rebuild(&self) -> std::io::Result<()> {
        use std::os::unix::fs::PermissionsExt;
        for entry in std::fs::read_dir(&self.root)? {
            let entry = entry?;
            if entry.file_type()?.is_dir() {
                std::fs::remove_dir_all(entry.path())?;
            } else {
                std::fs::remove_file(entry.path())?;
            }
        }
        let mut made: HashMap<Id, PathBuf> = HashMap::new();
        for named in &self.names {
            match &named.what {
                What::Dir => std::fs::create_dir(&named.path)?,
                What::Link(target) => std::os::unix::fs::symlink(target, &named.path)?,
                What::File(id) => match made.get(id) {
                    Some(other) => std::fs::hard_link(other, &named.path)?,
                    None => {
                        std::fs::write(&named.path, self.safe(*id))?;
                        made.insert(*id, named.path.clone());
                    }
                },
            }
            if !matches!(named.what, What::Link(_)) {
                let mode = std::fs::Permissions::from_mode(named.mode);
                std::fs::set_permissions(&named.path, mode)?;
            }
        }
        Ok(())
    }
}

/// Every name below `root`. Anything but files, directories and links is left out.
fn walk(root: &Path) -> Result<Vec<Named>, Errno> {
    let mut found = Vec::new();
    let mut open = vec![root.to_owned()];
    while let Some(dir) = open.pop() {
        for entry in std::fs::read_dir(&dir).map_err(|e| errno_of(&e))? {
            let path = entry.map_err(|e| errno_of(&e))?.path();
            let stat = statat(CWD, &path, AtFlags::SYMLINK_NOFOLLOW)?;
            let what = match FileType::from_raw_mode(stat.st_mode) {
                FileType::Directory => {
                    open.push(path.clone());
                    What::Dir
                }
                FileType::RegularFile => What::File(id_of(&stat)),
                FileType::Symlink => {
                    What::Link(std::fs::read_link(&path).map_err(|e| errno_of(&e))?)
                }
                _ => continue,
            };
            let mode = stat.st_mode & 0o7777;
            found.push(Named { path, mode, what });
        }
    }
    Ok(found)
}
