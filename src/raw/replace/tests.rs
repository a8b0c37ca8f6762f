use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;

use super::*;

/// A directory of its own for one test, removed at the end.
struct Scratch(PathBuf);

impl Scratch {
    fn new(test: &str) -> Self {
        let path = std::env::temp_dir().join(format!("encfs-rs-{}-{test}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        fs::create_dir(&path).unwrap();
        Self(path)
    }

    fn file(&self) -> PathBuf {
        self.0.join("config")
    }

    fn with_old(test: &str) -> Self {
        let scratch = Self::new(test);
        fs::write(scratch.file(), OLD).unwrap();
        fs::set_permissions(scratch.file(), fs::Permissions::from_mode(0o640)).unwrap();
        scratch
    }

    fn contents(&self) -> Vec<u8> {
        fs::read(self.file()).unwrap()
    }

    fn entries(&self) -> usize {
        fs::read_dir(&self.0).unwrap().count()
    }

    fn replace(&self, hook: Hook<'_>) -> Result<(), Error> {
        let dir = Dir::open_root(&self.0).unwrap();
        let name = Name::new(b"config".to_vec()).unwrap();
        replace(&dir, &name, NEW, hook)
    }

    fn create(&self, hook: Hook<'_>) -> Result<(), Error> {
        let dir = Dir::open_root(&self.0).unwrap();
        let name = Name::new(b"config".to_vec()).unwrap();
        create(&dir, &name, NEW, hook)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

const OLD: &[u8] = b"the old contents, which are the longer ones";
const NEW: &[u8] = b"the new contents";

const RENAMING: [Step; 8] = [
    Step::Create,
    Step::Write,
    Step::SetOwner,
    Step::SetMode,
    Step::Sync,
    Step::Flush,
    Step::Rename,
    Step::SyncDir,
];

fn fail_at(at: Step, errno: Errno) -> impl FnMut(Step) -> Result<(), Errno> {
    move |step| if step == at { Err(errno) } else { Ok(()) }
}

#[test]
fn contents_change_and_mode_stays() {
    let scratch = Scratch::with_old("replace");
    let before = fs::metadata(scratch.file()).unwrap();
    replace_file(&scratch.file(), NEW).unwrap();
    let after = fs::metadata(scratch.file()).unwrap();
    assert_eq!(scratch.contents(), NEW);
    assert_eq!(after.mode() & 0o7777, 0o640);
    assert_eq!((after.uid(), after.gid()), (before.uid(), before.gid()));
    assert_ne!(after.ino(), before.ino(), "replaced by a rename");
    assert_eq!(scratch.entries(), 1);
}

#[test]
fn a_failing_step_leaves_the_old_file_and_nothing_else() {
    for step in RENAMING {
        let scratch = Scratch::with_old("fail");
        let error = scratch
            .replace(&mut fail_at(step, Errno::NOSPC))
            .map_err(|e| e.errno);
        // owner and mode that cannot be given are a reason to overwrite instead
        if matches!(step, Step::SetOwner | Step::SetMode) {
            assert_eq!(error, Ok(()), "{step:?}");
            assert_eq!(scratch.contents(), NEW, "{step:?}");
        } else {
            assert_eq!(error, Err(Errno::NOSPC), "{step:?}");
            let expected = if step == Step::SyncDir { NEW } else { OLD };
            assert_eq!(scratch.contents(), expected, "{step:?}");
        }
        assert_eq!(scratch.entries(), 1, "{step:?}");
    }
}

#[test]
fn a_crash_leaves_old_or_new() {
    for at in RENAMING {
        let scratch = Scratch::with_old("crash");
        let crash = |step| {
            if step == at {
                // not a panic: no message
                std::panic::resume_unwind(Box::new(()));
            }
            Ok(())
        };
        let mut crash = crash;
        let result = catch_unwind(AssertUnwindSafe(|| scratch.replace(&mut crash)));
        assert!(result.is_err(), "{at:?} was reached");
        let expected = if at == Step::SyncDir { NEW } else { OLD };
        assert_eq!(scratch.contents(), expected, "{at:?}");
        // and the next attempt is not disturbed by what is left
        scratch.replace(&mut |_| Ok(())).unwrap();
        assert_eq!(scratch.contents(), NEW, "{at:?}");
    }
}

#[test]
fn where_a_rename_cannot_work_the_file_is_overwritten() {
    for (step, errno) in [
        (Step::Create, Errno::ACCESS),
        (Step::Create, Errno::ROFS),
        (Step::SetOwner, Errno::PERM),
        (Step::Rename, Errno::BUSY),
        (Step::Rename, Errno::PERM),
    ] {
        let scratch = Scratch::with_old("overwrite");
        let inode = fs::metadata(scratch.file()).unwrap().ino();
        scratch.replace(&mut fail_at(step, errno)).unwrap();
        assert_eq!(scratch.contents(), NEW, "{step:?}");
        assert_eq!(fs::metadata(scratch.file()).unwrap().ino(), inode);
        assert_eq!(scratch.entries(), 1, "{step:?}");
    }
}

#[test]
fn a_failing_overwrite_puts_the_old_bytes_back() {
    for at in [
        Step::OverwriteWrite,
        Step::OverwriteCut,
        Step::OverwriteSync,
    ] {
        let scratch = Scratch::with_old("put-back");
        let mut hook = |step| match step {
            Step::Rename => Err(Errno::BUSY),
            step if step == at => Err(Errno::NOSPC),
            _ => Ok(()),
        };
        let error = scratch.replace(&mut hook).unwrap_err();
        assert_eq!(error.errno, Errno::NOSPC);
        assert_eq!(scratch.contents(), OLD, "{at:?}");
    }
}

#[test]
fn links_are_followed_and_odd_files_refused() {
    let scratch = Scratch::with_old("links");
    let link = scratch.0.join("link");
    symlink("config", &link).unwrap();
    replace_file(&link, NEW).unwrap();
    assert_eq!(scratch.contents(), NEW);
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink());

    let missing = replace_file(&scratch.0.join("missing"), NEW).unwrap_err();
    assert_eq!(missing.errno, Errno::NOENT);
    let directory = replace_file(&scratch.0, NEW).unwrap_err();
    assert_eq!(directory.errno, Errno::INVAL);
}

#[test]
fn a_missing_file_is_made_private() {
    let scratch = Scratch::new("private");
    scratch.replace(&mut |_| Ok(())).unwrap();
    assert_eq!(scratch.contents(), NEW);
    let mode = fs::metadata(scratch.file()).unwrap().mode();
    assert_eq!(mode & 0o7777, 0o600);
}

#[test]
fn create_new_never_overwrites() {
    let scratch = Scratch::new("create");
    create_new(&scratch.file(), NEW).unwrap();
    assert_eq!(scratch.contents(), NEW);
    let mode = fs::metadata(scratch.file()).unwrap().mode() & 0o7777;
    assert_eq!(mode & !0o666, 0, "{mode:o}");
    assert_eq!(mode & 0o600, 0o600, "{mode:o}");
    let error = create_new(&scratch.file(), OLD).unwrap_err();
    assert_eq!(error.errno, Errno::EXIST);
    assert_eq!(scratch.contents(), NEW);

    let dangling = scratch.0.join("dangling");
    symlink("nowhere", &dangling).unwrap();
    let error = create_new(&dangling, NEW).unwrap_err();
    assert_eq!(error.errno, Errno::EXIST);
    assert_eq!(scratch.entries(), 2);
}

#[test]
fn create_new_never_overwrites_a_file_made_meanwhile() {
    let scratch = Scratch::new("race");
    let file = scratch.file();
    let mut hook = |step| {
        if step == Step::Rename {
            fs::write(&file, OLD).unwrap();
        }
        Ok(())
    };
    let error = scratch.create(&mut hook).unwrap_err();
    assert_eq!(error.errno, Errno::EXIST);
    assert_eq!(scratch.contents(), OLD);
    assert_eq!(scratch.entries(), 1);
}

#[test]
fn create_new_works_without_rename_flags_and_leaves_nothing_on_failure() {
    let scratch = Scratch::new("flags");
    scratch
        .create(&mut fail_at(Step::Rename, Errno::INVAL))
        .unwrap();
    assert_eq!(scratch.contents(), NEW);
    assert_eq!(scratch.entries(), 1);

    let scratch = Scratch::new("flags-fail");
    let error = scratch
        .create(&mut fail_at(Step::Sync, Errno::NOSPC))
        .unwrap_err();
    assert_eq!(error.errno, Errno::NOSPC);
    assert_eq!(scratch.entries(), 0);
}
