//! A view that is for reading only: what is refused, and how.

use std::ffi::CString;
use std::fs::OpenOptions;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::Path;

use anyhow::{Context, Result, ensure};
use compat_tests::mounted::Mounted;
use compat_tests::oracle::Program;
use compat_tests::tree::{Look, read};
use compat_tests::volumes::Settings;
use rustix::fs::{AtFlags, CWD, FileType, Mode, Timespec, Timestamps, XattrFlags};

use super::scene::{CONFIG, Scene, at, same_but, standard};

/// Numbers of errors.
const ENOENT: i32 = 2;
const EIO: i32 = 5;
const EROFS: i32 = 30;

/// Entries of the view that calls are made on.
struct Names {
    file: std::path::PathBuf,
    other: std::path::PathBuf,
    dir: std::path::PathBuf,
    /// Not there, and decodes.
    new: std::path::PathBuf,
    /// Not there, and does not decode.
    undecodable: std::path::PathBuf,
}

type Outcome = std::io::Result<()>;

fn outcome(result: rustix::io::Result<()>) -> Outcome {
    Ok(result?)
}

fn create(path: &Path) -> Outcome {
    OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(false)
        .open(path)
        .map(drop)
}

fn fifo(path: &Path) -> Outcome {
    outcome(rustix::fs::mknodat(
        CWD,
        path,
        FileType::Fifo,
        Mode::RUSR,
        0,
    ))
}

fn times(path: &Path) -> Outcome {
    let time = Timespec {
        tv_sec: 1,
        tv_nsec: 0,
    };
    let times = Timestamps {
        last_access: time,
        last_modification: time,
    };
    outcome(rustix::fs::utimensat(
        CWD,
        path,
        &times,
        AtFlags::SYMLINK_NOFOLLOW,
    ))
}

/// What changes something, by name.
fn calls(n: &Names) -> Vec<(&'static str, Outcome)> {
    let mode = std::fs::Permissions::from_mode(0o600);
    let attribute = CString::from(c"user.x");
    vec![
        (
            "open for writing",
            OpenOptions::new().write(true).open(&n.file).map(drop),
        ),
        (
            "open for both",
            OpenOptions::new()
                .read(true)
                .write(true)
                .open(&n.file)
                .map(drop),
        ),
        (
            "open with O_TRUNC",
            OpenOptions::new()
                .write(true)
                .truncate(true)
                .open(&n.file)
                .map(drop),
        ),
        ("create", create(&n.new)),
        ("mkdir", std::fs::create_dir(&n.new)),
        ("mkfifo", fifo(&n.new)),
        ("symlink", symlink("x", &n.new)),
        ("link", std::fs::hard_link(&n.file, &n.new)),
        ("rename", std::fs::rename(&n.file, &n.new)),
        ("rename over", std::fs::rename(&n.file, &n.other)),
        ("rename of a directory", std::fs::rename(&n.dir, &n.new)),
        ("unlink", std::fs::remove_file(&n.file)),
        ("rmdir", std::fs::remove_dir(&n.dir)),
        ("chmod", std::fs::set_permissions(&n.file, mode.clone())),
        (
            "chmod of a directory",
            std::fs::set_permissions(&n.dir, mode),
        ),
        (
            "chown",
            std::os::unix::fs::lchown(&n.file, Some(1), Some(1)),
        ),
        ("utime", times(&n.file)),
        (
            "truncate",
            Ok(nix::unistd::truncate(&n.file, 0)).and_then(|r| Ok(r?)),
        ),
        (
            "setxattr",
            outcome(rustix::fs::lsetxattr(
                &n.file,
                &attribute,
                b"1",
                XattrFlags::empty(),
            )),
        ),
        (
            "removexattr",
            outcome(rustix::fs::lremovexattr(&n.file, &attribute)),
        ),
        (
            "fsync",
            std::fs::File::open(&n.file).and_then(|file| file.sync_all()),
        ),
        (
            "fdatasync",
            std::fs::File::open(&n.file).and_then(|file| file.sync_data()),
        ),
    ]
}

/// The same for names that no plain name has.
fn undecodable(n: &Names) -> Vec<(&'static str, Outcome)> {
    vec![
        (
            "lookup",
            std::fs::symlink_metadata(&n.undecodable).map(drop),
        ),
        ("create", create(&n.undecodable)),
        ("mkdir", std::fs::create_dir(&n.undecodable)),
        ("mkfifo", fifo(&n.undecodable)),
        ("symlink", symlink("x", &n.undecodable)),
        ("link", std::fs::hard_link(&n.file, &n.undecodable)),
        ("rename", std::fs::rename(&n.file, &n.undecodable)),
    ]
}

fn expect(program: Program, what: &[(&'static str, Outcome)], errno: i32) -> Result<()> {
    for (call, outcome) in what {
        let label = program.label();
        let error = outcome
            .as_ref()
            .err()
            .with_context(|| format!("{call}: done by {label}"))?;
        ensure!(
            error.raw_os_error() == Some(errno),
            "{call} by {label}: {error}, not {errno}"
        );
    }
    Ok(())
}

#[test]
fn every_change_of_a_view_is_refused() -> Result<()> {
    let with_iv = Settings {
        unique_iv: true,
        ..standard()
    };
    for (settings, option) in [
        (standard(), "--reverse"),
        (with_iv.clone(), "--reverse"),
        // With IVs made of inode numbers nothing can be written.
        (with_iv, "--reversewrite"),
    ] {
        let scene = Scene::empty(&settings)?;
        std::fs::write(scene.plain.join("file"), b"contents")?;
        std::fs::write(scene.plain.join("other"), b"contents")?;
        std::fs::create_dir(scene.plain.join("dir"))?;
        let shown = scene.shown(&[b"file", b"dir", b"new", b"other"])?;
        let before = read(&scene.plain)?;
        for program in [Program::Encfs195, Program::EncfsRs] {
            let view = scene.view(program, &[option])?;
            let path = |n: usize| at(&view, shown.get(n).map_or(&b""[..], Vec::as_slice));
            let names = Names {
                file: path(0),
                dir: path(1),
                new: path(2),
                other: path(3),
                undecodable: view.path().join("plain-name"),
            };
            expect(program, &calls(&names), EROFS)?;
            let errno = if program.is_oracle() { EIO } else { ENOENT };
            expect(program, &undecodable(&names), errno)?;
            reads_go_on(&view, &names, program)?;
            view.unmount()?;
        }
        same_but("the plain tree", &before, &read(&scene.plain)?, Look::ALL)?;
    }
    Ok(())
}

/// What changes nothing works.
fn reads_go_on(view: &Mounted, names: &Names, program: Program) -> Result<()> {
    std::fs::File::open(view.path())?.sync_all()?;
    let absent = std::fs::symlink_metadata(&names.new)
        .err()
        .context("it is there")?;
    ensure!(absent.raw_os_error() == Some(ENOENT), "{absent}");
    ensure!(std::fs::metadata(&names.file)?.len() >= 8);
    if program.is_oracle() {
        return Ok(());
    }
    // Longest name that a plain one of 255 bytes has in block encoding.
    let space = rustix::fs::statvfs(view.path())?;
    ensure!(space.f_namemax == 344, "names of {} bytes", space.f_namemax);
    let file = std::fs::File::open(&names.file)?;
    let size = file.metadata()?.size();
    ensure!(rustix::fs::seek(&file, rustix::fs::SeekFrom::Hole(0))? == size);
    ensure!(rustix::fs::seek(&file, rustix::fs::SeekFrom::Data(3))? == 3);
    Ok(())
}

/// The name itself does not decode; under null names it is its own encoded form.
#[test]
fn the_configuration_is_not_there_under_its_own_name() -> Result<()> {
    let null = Settings {
        naming: compat_tests::volumes::Naming::Null,
        ..standard()
    };
    for (settings, there) in [(standard(), false), (null, true)] {
        let scene = Scene::empty(&settings)?;
        for program in [Program::Encfs195, Program::EncfsRs] {
            let view = scene.view(program, &["--reverse"])?;
            let found = std::fs::read(at(&view, CONFIG));
            ensure!(found.is_ok() == there, "{}: {found:?}", program.label());
            ensure!(compat_tests::tree::names_in(view.path())?.is_empty());
            view.unmount()?;
        }
    }
    Ok(())
}

/// In reverse mode the names in storage are the plain ones: the log has them encrypted.
#[test]
fn the_log_has_no_plain_name() -> Result<()> {
    let scene = Scene::empty(&standard())?;
    std::fs::create_dir(scene.plain.join("a-secret-dir"))?;
    let shown = scene.shown(&[b"a-secret-dir", b"a-secret-dir/a-secret-absence"])?;
    let view = scene.view(Program::EncfsRs, &["--reverse", "-v"])?;
    let path = |n: usize| at(&view, shown.get(n).map_or(&b""[..], Vec::as_slice));
    let absent = std::fs::metadata(path(1)).err().context("it is there")?;
    ensure!(absent.raw_os_error() == Some(ENOENT), "{absent}");
    // The entry is known; that it is gone shows when it is listed.
    std::fs::remove_dir(scene.plain.join("a-secret-dir"))?;
    let _ = std::fs::read_dir(path(0)).map(Iterator::count);
    let log = view.log()?;
    view.unmount()?;
    // Both failures are there, under the names of the view.
    let last = |n: usize| -> Result<String> {
        let path = String::from_utf8(shown.get(n).context("no name")?.clone())?;
        Ok(path.rsplit('/').next().unwrap_or_default().to_owned())
    };
    for n in [0, 1] {
        let name = last(n)?;
        ensure!(
            log.contains(&name),
            "no failure of {name} in the log:\n{log}"
        );
    }
    ensure!(!log.contains("secret"), "{log}");
    Ok(())
}
