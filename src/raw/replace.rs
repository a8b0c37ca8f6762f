//! Replacing a small file so that a crash leaves the old contents or the new, never neither.
//!
//! [`replace_file`] writes a temporary file beside the old one, makes it safe, gives it the old one's owner
//! and mode, renames it over the old one and makes the rename safe. The temporary name begins with
//! `.encfs-rs-tmp-`: it is none of the six configuration names, and its leading dot keeps it from decoding as
//! a name of a volume (format 6.1). A crash may leave such a file behind; it may be removed at any time.
//!
//! # Where a rename cannot work
//! A file that is itself a mount point (a bind mount: `EBUSY`), a directory that we may not write to
//! (`EACCES`, `EPERM`, `EROFS`), a file of another owner that we may write but whose owner we cannot give to
//! a new file: there, and only there, the file is **overwritten in place**, as EncFS itself does. A crash in
//! that moment can leave a mixture. The new bytes are written before the file is cut to their length, and
//! synced; if the storage refuses in the middle, the old bytes are put back.
//!
//! A full disk is no such case: it is an error, and the old file stays. A symbolic link is followed, and the
//! file it leads to is replaced. Another hard link to the old file keeps the old contents.

use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use super::{Access, Dir, Errno, Error, File, Kind, Name, Op, RenameFlags, Stat};

#[cfg(test)]
mod tests;

/// How often another temporary name is tried when one is taken.
const NAME_TRIES: u32 = 16;
/// How much of the old contents is kept for putting back, in bytes.
const MAX_KEPT: u64 = 16 << 20;

/// What is about to be done; tests fail or crash there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    Create,
    Write,
    SetOwner,
    SetMode,
    Sync,
    Flush,
    Rename,
    SyncDir,
    OverwriteOpen,
    OverwriteWrite,
    OverwriteCut,
    OverwriteSync,
}

/// Asked before each step; an errno makes the step fail with it.
type Hook<'a> = &'a mut dyn FnMut(Step) -> Result<(), Errno>;

/// Replaces the contents of the file at `path`, keeping its owner and mode.
///
/// # Errors
/// What the storage answered. `ENOENT` if there is no such file, `EINVAL` if it is not a regular file. After
/// an error of the last sync of the directory the new contents are in place, though not surely safe; after
/// any other the old ones are.
pub fn replace_file(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    let real = std::fs::canonicalize(path).map_err(|error| Error {
        op: Op::Stat,
        name: last_name(path).ok(),
        errno: Errno::from_io_error(&error).unwrap_or(Errno::IO),
    })?;
    let (dir, name) = locate(&real)?;
    dir.stat(&name)?;
    replace_in(&dir, &name, bytes)
}

/// Replaces the contents of the regular file `name` in `dir`, keeping its owner and mode; makes it with mode
/// 0600 if there is none. Where a rename cannot work, see the module's description.
///
/// # Errors
/// As for [`replace_file`].
pub fn replace_in(dir: &Dir, name: &Name, bytes: &[u8]) -> Result<(), Error> {
    replace(dir, name, bytes, &mut |_| Ok(()))
}

/// Makes the file at `path`, which must not exist, with mode 0666 less the umask. It is there whole or not at
/// all, unless the storage cannot rename without replacing; there a crash can leave a part of it.
///
/// # Errors
/// `EEXIST` if anything of that name is there, even a dangling symbolic link; what the storage answered.
pub fn create_new(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    let (dir, name) = locate(path)?;
    create(&dir, &name, bytes, &mut |_| Ok(()))
}

/// How names of temporary files begin.
const TEMPORARY: &[u8] = b".encfs-rs-tmp-";

/// Whether a stored name is that of a temporary file, perhaps of a program that died: no file of
/// the user's, though under null naming it decodes.
#[must_use]
pub fn is_temporary(name: &[u8]) -> bool {
    name.starts_with(TEMPORARY)
}

/// A new file in `dir` under a name that nothing else has and that is none of a volume's; whoever
/// made it renames or removes it.
///
/// # Errors
/// What the storage answered.
pub fn new_temporary(dir: &Dir, mode: u32) -> Result<(Name, File), Error> {
    temporary(dir, mode, &mut |_| Ok(()))
}

/// Makes a rename to `name` in `dir` survive a crash, where storage can.
///
/// # Errors
/// What the storage answered.
pub fn make_name_safe(dir: &Dir, name: &Name) -> Result<(), Error> {
    sync_dir(dir, name, &mut |_| Ok(()))
}

/// The directory and last component of a path.
fn locate(path: &Path) -> Result<(Dir, Name), Error> {
    let name = last_name(path)?;
    let parent = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    Ok((Dir::open_root(parent)?, name))
}

fn last_name(path: &Path) -> Result<Name, Error> {
    let invalid = || Error::on_file(Op::Stat, Errno::INVAL);
    let name = path.file_name().ok_or_else(invalid)?;
    Name::new(name.as_bytes()).map_err(|_| invalid())
}

fn replace(dir: &Dir, name: &Name, bytes: &[u8], hook: Hook<'_>) -> Result<(), Error> {
    let old = match dir.stat(name) {
        Ok(stat) if stat.kind == Kind::File => Some(stat),
        Ok(_) => return Err(failed(Op::Stat, name, Errno::INVAL)),
        Err(error) if error.errno == Errno::NOENT => None,
        Err(error) => return Err(error),
    };
    let (temporary, file) = match temporary(dir, 0o600, hook) {
        Ok(made) => made,
        Err(error) => return fall_back(dir, name, bytes, old, error, hook),
    };
    let prepared = prepare(&file, bytes, old.as_ref(), hook).and_then(|()| {
        ask(hook, Step::Rename, Op::Rename, name)?;
        dir.rename(&temporary, dir, name, RenameFlags::empty())
    });
    match prepared {
        Ok(()) => sync_dir(dir, name, hook),
        Err(error) => {
            // the error that counts is the first one
            let _ = dir.unlink(&temporary);
            fall_back(dir, name, bytes, old, error, hook)
        }
    }
}

/// Overwrites in place if `error` says that a rename cannot work here, else gives `error` back.
fn fall_back(
    dir: &Dir,
    name: &Name,
    bytes: &[u8],
    old: Option<Stat>,
    error: Error,
    hook: Hook<'_>,
) -> Result<(), Error> {
    let Some(old) = old else { return Err(error) };
    let hopeless = match error.op {
        Op::Create => matches!(error.errno, Errno::ACCESS | Errno::PERM | Errno::ROFS),
        Op::SetOwner | Op::SetMode => true,
        Op::Rename => matches!(
            error.errno,
            Errno::BUSY
                | Errno::XDEV
                | Errno::ACCESS
                | Errno::PERM
                | Errno::ROFS
                | Errno::NOSYS
                | Errno::OPNOTSUPP
        ),
        _ => false,
    };
    if !hopeless {
        return Err(error);
    }
    tracing::info!(%name, %error, "cannot be replaced by a rename, so it is overwritten in place");
    overwrite(dir, name, bytes, &old, hook)
}

/// Fills the temporary file and makes it safe.
fn prepare(file: &File, bytes: &[u8], old: Option<&Stat>, hook: Hook<'_>) -> Result<(), Error> {
    let ask = |hook: Hook<'_>, step, op| hook(step).map_err(|errno| Error::on_file(op, errno));
    ask(hook, Step::Write, Op::Write)?;
    file.write_at(bytes, 0)?;
    if let Some(old) = old {
        let new = file.stat()?;
        let uid = (new.uid != old.uid).then_some(old.uid);
        let gid = (new.gid != old.gid).then_some(old.gid);
        ask(hook, Step::SetOwner, Op::SetOwner)?;
        if uid.is_some() || gid.is_some() {
            file.set_owner(uid, gid)?;
        }
        ask(hook, Step::SetMode, Op::SetMode)?;
        if new.mode != old.mode {
            file.set_mode(old.mode)?;
        }
    }
    ask(hook, Step::Sync, Op::Sync)?;
    file.sync(false)?;
    ask(hook, Step::Flush, Op::Flush)?;
    file.flush()
}

/// Writes over the old contents; see the module's description.
fn overwrite(
    dir: &Dir,
    name: &Name,
    bytes: &[u8],
    old: &Stat,
    hook: Hook<'_>,
) -> Result<(), Error> {
    if old.size > MAX_KEPT {
        return Err(failed(Op::Write, name, Errno::FBIG));
    }
    ask(hook, Step::OverwriteOpen, Op::OpenFile, name)?;
    let file = dir.open_file(name, Access::ReadWrite)?;
    let mut kept = vec![0; usize::try_from(old.size).unwrap_or_default()];
    let len = file.read_at(&mut kept, 0)?;
    kept.truncate(len);
    let mut write = || {
        ask(hook, Step::OverwriteWrite, Op::Write, name)?;
        file.write_at(bytes, 0)?;
        ask(hook, Step::OverwriteCut, Op::Truncate, name)?;
        file.set_len(bytes.len() as u64)?;
        ask(hook, Step::OverwriteSync, Op::Sync, name)?;
        file.sync(false)?;
        file.flush()
    };
    write().inspect_err(|_| {
        // best effort: the error that counts is the first one
        let _ = file.write_at(&kept, 0);
        let _ = file.set_len(kept.len() as u64);
        let _ = file.sync(false);
    })
}

fn create(dir: &Dir, name: &Name, bytes: &[u8], hook: Hook<'_>) -> Result<(), Error> {
    match dir.stat(name) {
        Ok(_) => return Err(failed(Op::Create, name, Errno::EXIST)),
        Err(error) if error.errno != Errno::NOENT => return Err(error),
        Err(_) => {}
    }
    let (temporary, file) = temporary(dir, 0o666, hook)?;
    let made = prepare(&file, bytes, None, hook).and_then(|()| {
        ask(hook, Step::Rename, Op::Rename, name)?;
        dir.rename(&temporary, dir, name, RenameFlags::NOREPLACE)
    });
    let Err(error) = made else {
        return sync_dir(dir, name, hook);
    };
    let _ = dir.unlink(&temporary);
    let lacks_flag = matches!(error.errno, Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP);
    if error.op != Op::Rename || !lacks_flag {
        return Err(error);
    }
    let file = dir.create_file(name, 0o666)?;
    prepare(&file, bytes, None, hook).inspect_err(|_| {
        let _ = dir.unlink(name);
    })?;
    sync_dir(dir, name, hook)
}

/// A new file of a name that nothing else has.
fn temporary(dir: &Dir, mode: u32, hook: Hook<'_>) -> Result<(Name, File), Error> {
    static COUNTER: AtomicU64 = AtomicU64::new(0);
    let mut tries = NAME_TRIES;
    loop {
        // Uniqueness is O_EXCL's work; this only makes a second try rare.
        let now = SystemTime::now().duration_since(UNIX_EPOCH);
        let nanos = now.map_or(0, |t| t.subsec_nanos());
        let count = COUNTER.fetch_add(1, Ordering::Relaxed);
        let unique = format!("{}-{nanos}-{count}", std::process::id());
        let invalid = |_| Error::on_file(Op::Create, Errno::INVAL);
        let name = Name::new([TEMPORARY, unique.as_bytes()].concat()).map_err(invalid)?;
        ask(hook, Step::Create, Op::Create, &name)?;
        match dir.create_file(&name, mode) {
            Ok(file) => return Ok((name, file)),
            Err(error) if error.errno == Errno::EXIST && tries > 1 => tries -= 1,
            Err(error) => return Err(error),
        }
    }
}

/// Makes the new name safe. Storage that cannot sync a directory has nothing better to offer.
fn sync_dir(dir: &Dir, name: &Name, hook: Hook<'_>) -> Result<(), Error> {
    ask(hook, Step::SyncDir, Op::Sync, name)?;
    match dir.sync() {
        // EACCES: a directory that may be written and searched, but not read, cannot be opened for this
        Err(error)
            if matches!(
                error.errno,
                Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP | Errno::ACCESS
            ) =>
        {
            Ok(())
        }
        result => result,
    }
}

fn ask(hook: Hook<'_>, step: Step, op: Op, name: &Name) -> Result<(), Error> {
    hook(step).map_err(|errno| failed(op, name, errno))
}

fn failed(op: Op, name: &Name, errno: Errno) -> Error {
    Error {
        op,
        name: Some(name.clone()),
        errno,
    }
}
