//! The one temporary folder in which everything happens, and its removal.

use std::sync::atomic::{AtomicU32, Ordering};

use super::Left;
use crate::raw::{Dir, Errno, Error, Kind, Name, Op};

/// How often removal is tried: storage that fails now and then fails less often three times.
const TRIES: u32 = 3;
/// How many names are tried.
const NAMES: u32 = 100;
/// Folders in folders that are removed.
const DEEPEST: u32 = 4;

/// A folder with a name that nothing else has. It goes with everything in it when this is dropped.
pub(super) struct Folder<'a> {
    root: &'a Dir,
    name: Name,
    gone: bool,
}

/// The folder could not be made; perhaps it is there all the same.
pub(super) type NotMade = (Error, Option<Left>);

impl<'a> Folder<'a> {
    /// Makes it.
    pub(super) fn new(root: &'a Dir) -> Result<Self, NotMade> {
        static COUNTER: AtomicU32 = AtomicU32::new(0);
        let mut tries = NAMES;
        loop {
            let count = COUNTER.fetch_add(1, Ordering::Relaxed);
            let text = format!(".encfs-rs-probe-{}-{count}", std::process::id());
            let invalid = |_| (Error::on_file(Op::MakeDir, Errno::INVAL), None);
            let name = Name::new(text.into_bytes()).map_err(invalid)?;
            let made = root.make_dir(&name, 0o700);
            let mut folder = Self {
                root,
                name,
                gone: false,
            };
            match made {
                Ok(()) => return Ok(folder),
                Err(error) if error.errno == Errno::EXIST => {
                    // It belongs to somebody else.
                    folder.gone = true;
                    tries -= 1;
                    if tries == 0 {
                        return Err((error, None));
                    }
                }
                Err(error) => {
                    // The answer of a folder that was made may have been lost.
                    let there = root.stat(&folder.name);
                    folder.gone = there.is_err_and(|error| error.errno == Errno::NOENT);
                    return Err((error, folder.remove().err()));
                }
            }
        }
    }

    /// Where to work.
    pub(super) fn open(&self) -> Result<Dir, Error> {
        self.root.open_dir(&self.name)
    }

    /// Removes it with everything in it.
    pub(super) fn remove(mut self) -> Result<(), Left> {
        self.remove_now()
    }

    fn remove_now(&mut self) -> Result<(), Left> {
        if std::mem::replace(&mut self.gone, true) {
            return Ok(());
        }
        let mut result = Ok(());
        for _ in 0..TRIES {
            if let Ok(dir) = self.open() {
                empty_side_by_side(&dir);
            }
            result = match self.root.remove_dir(&self.name) {
                Err(error) if error.errno != Errno::NOENT => Err(error),
                _ => return Ok(()),
            };
        }
        result.map_err(|error| Left {
            folder: self.name.clone(),
            error,
        })
    }
}

impl Drop for Folder<'_> {
    fn drop(&mut self) {
        // Only on the way out of a panic: `remove` tells, this cannot.
        let _ = self.remove_now();
    }
}

/// Removes what is in `dir`, the folders in it side by side. What stays is seen by who then
/// removes `dir`.
fn empty_side_by_side(dir: &Dir) {
    let folders = empty_but_folders(dir);
    std::thread::scope(|scope| {
        for name in &folders {
            let work = move || remove_folder(dir, name, 1);
            let thread = std::thread::Builder::new().spawn_scoped(scope, work);
            if thread.is_err() {
                remove_folder(dir, name, 1);
            }
        }
    });
}

fn remove_folder(dir: &Dir, name: &Name, depth: u32) {
    if let (Ok(below), true) = (dir.open_dir(name), depth < DEEPEST) {
        for folder in empty_but_folders(&below) {
            remove_folder(&below, &folder, depth + 1);
        }
    }
    let _ = dir.remove_dir(name);
}

/// Removes all but folders, which are the result.
fn empty_but_folders(dir: &Dir) -> Vec<Name> {
    let mut folders = Vec::new();
    for entry in dir.entries().unwrap_or_default() {
        let Ok(name) = Name::new(entry.name) else {
            continue;
        };
        let is_folder = match entry.kind {
            Some(kind) => kind == Kind::Dir,
            None => dir.stat(&name).is_ok_and(|stat| stat.kind == Kind::Dir),
        };
        if is_folder {
            folders.push(name);
        } else {
            let _ = dir.unlink(&name);
        }
    }
    folders
}
