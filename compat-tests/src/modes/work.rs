//! The article's workload: files made, rewritten, appended to, changed in the middle, cut,
//! replaced, and three runs of rsync.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::mpsc;
use std::time::Duration;

use anyhow::Result;
use rustix::fs::{AtFlags, CWD, StatxFlags, Timespec, Timestamps, statx, utimensat};

use super::kinds::LATE;
use crate::ops::bytes;
use crate::oracle::in_path;
use crate::rawfs::Control;
use crate::run::run as run_program;

/// What a file may be in the end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum May {
    /// Just this.
    Be(Vec<u8>),
    /// The beginning of this, perhaps nothing of it: it was cut to zero, and a write was refused.
    Begin(Vec<u8>),
    /// A change in place was refused halfway: each byte is of one or the other.
    Mix(Vec<u8>, Vec<u8>),
    /// Not there.
    Lack,
}

/// One file.
#[derive(Clone, Debug)]
pub(super) struct Known {
    /// One of these is right.
    pub(super) may: Vec<May>,
    /// Everything that it was on the way.
    pub(super) versions: Vec<Vec<u8>>,
}

/// What was done and told.
#[derive(Debug, Default)]
pub(super) struct Work {
    /// By path.
    pub(super) files: BTreeMap<&'static str, Known>,
    /// Steps of which an error was told.
    pub(super) refused: Vec<&'static str>,
}

/// How a file is changed: it decides what may be there when that is refused.
#[derive(Clone, Copy)]
enum How {
    /// Made, or cut to zero and written.
    Rewritten,
    /// Written or cut in place.
    InPlace,
    /// Another takes its name.
    Replaced,
}

/// Files that are there from the start, by their size.
const START: &[(&str, usize)] = &[
    ("date", 53),
    ("shorter", 20_000),
    ("appended", 20_000),
    ("patched", 20_000),
    ("same", 20_000),
    ("cut", 20_000),
    ("replaced", 20_000),
    ("log", 100),
];
/// Nothing asked for so long: somebody waits.
const IDLE: Duration = Duration::from_millis(60);
/// What rsync fills.
const SYNC: &str = "sync";
pub(super) const CUT_BY_RSYNC: &str = "sync/shortened";
const GROWN_BY_RSYNC: &str = "sync/grown";

/// Makes what is there from the start, on good storage.
pub(super) fn fill(at: &Path) -> Result<()> {
    fs::create_dir(at.join(SYNC))?;
    for (name, known) in start() {
        if let Some(contents) = known.versions.first() {
            fs::write(at.join(name), contents)?;
        }
    }
    Ok(())
}

fn start() -> BTreeMap<&'static str, Known> {
    let lacking = ["new", CUT_BY_RSYNC, GROWN_BY_RSYNC].map(|name| {
        let known = Known {
            may: vec![May::Lack],
            versions: Vec::new(),
        };
        (name, known)
    });
    (1..)
        .zip(START)
        .map(|(seed, (name, len))| {
            let contents = bytes(seed, *len);
            let known = Known {
                may: vec![May::Be(contents.clone())],
                versions: vec![contents],
            };
            (*name, known)
        })
        .chain(lacking)
        .collect()
}

/// Does `act`. Time passes for the storage whenever nothing is asked of it: for a program that
/// waits until what is late has arrived.
pub(super) fn as_time_passes<T>(control: &Control, act: impl FnOnce() -> T) -> T {
    let (done, is_done) = mpsc::channel::<()>();
    let control = control.clone();
    let clock = std::thread::spawn(move || {
        control.take_counts();
        while is_done.recv_timeout(IDLE) == Err(mpsc::RecvTimeoutError::Timeout) {
            if control.take_counts().total() == 0 {
                control.advance(LATE + LATE);
            }
        }
    });
    let result = act();
    drop(done);
    // It ends when `done` is gone, and cannot fail.
    let _ = clock.join();
    result
}

/// What is between two steps.
pub(super) struct Pauses<'a> {
    control: &'a Control,
    intents: PathBuf,
    point: &'a Path,
    pauses: bool,
}

impl<'a> Pauses<'a> {
    pub(super) fn new(control: &'a Control, backing: &Path, point: &'a Path, pauses: bool) -> Self {
        Self {
            control,
            // encfs-rs keeps this one open from the first rename that needs it on.
            intents: backing.join(".encfs-rs-renames"),
            point,
            pauses,
        }
    }

    /// Every close has come through.
    pub(super) fn closed(&self) -> Result<()> {
        let kept = usize::from(self.intents.exists());
        self.control.wait_until_open(kept)
    }

    fn pause(&self) -> Result<()> {
        self.closed()?;
        if self.pauses {
            self.control.advance(LATE + LATE);
            self.refresh();
        }
        Ok(())
    }

    /// The kernel forgets the attributes that it has of each file.
    pub(super) fn refresh(&self) {
        for name in start().keys() {
            let path = self.point.join(name);
            // What cannot be had is no attribute that the kernel could keep.
            let _ = statx(CWD, &path, AtFlags::STATX_FORCE_SYNC, StatxFlags::ALL);
        }
    }
}

impl Work {
    /// `name` was to become `new`.
    fn note<T>(
        &mut self,
        step: &'static str,
        name: &'static str,
        how: How,
        told: &io::Result<T>,
        new: &[u8],
    ) {
        if told.is_err() {
            self.refuse(step);
        }
        let Some(known) = self.files.get_mut(name) else {
            return;
        };
        let new = new.to_vec();
        if told.is_ok() {
            known.may = vec![May::Be(new.clone())];
        } else {
            let also: Vec<May> = match how {
                How::Rewritten => vec![May::Begin(new.clone())],
                How::Replaced => vec![May::Be(new.clone())],
                How::InPlace => (known.may.iter())
                    .map(|may| match may {
                        May::Be(old) => May::Mix(old.clone(), new.clone()),
                        _ => May::Begin(new.clone()),
                    })
                    .collect(),
            };
            known.may.extend(also);
        }
        known.versions.push(new);
    }

    fn refuse(&mut self, step: &'static str) {
        if !self.refused.contains(&step) {
            self.refused.push(step);
        }
    }
}

/// Does all of it.
pub(super) fn run(at: &Path, pauses: &Pauses<'_>) -> Result<Work> {
    let mut work = Work {
        files: start(),
        refused: Vec::new(),
    };
    once_each(at, pauses, &mut work)?;
    one_after_the_other(at, pauses, &mut work)?;
    by_rsync(at, pauses, &mut work)?;
    Ok(work)
}

/// `close(2)`, which storage may refuse.
fn close(file: File) -> io::Result<()> {
    Ok(nix::unistd::close(file)?)
}

fn write(file: io::Result<File>, offset: Option<u64>, data: &[u8]) -> io::Result<()> {
    let mut file = file?;
    let written = match offset {
        Some(offset) => file.write_all_at(data, offset),
        None => file.write_all(data),
    };
    written.and(close(file))
}

fn rewrite(path: &Path, data: &[u8]) -> io::Result<()> {
    write(File::create(path), None, data)
}

fn append(path: &Path, data: &[u8]) -> io::Result<()> {
    write(OpenOptions::new().append(true).open(path), None, data)
}

fn patch(path: &Path, offset: u64, data: &[u8]) -> io::Result<()> {
    write(
        OpenOptions::new().write(true).open(path),
        Some(offset),
        data,
    )
}

/// Files that are changed once.
fn once_each(at: &Path, pauses: &Pauses<'_>, work: &mut Work) -> Result<()> {
    let old = |work: &Work, name| -> Vec<u8> {
        let known = work.files.get(name);
        known
            .and_then(|known| known.versions.last().cloned())
            .unwrap_or_default()
    };
    for (seed, name, len) in [
        (20, "new", 12_000),
        (21, "date", 29),
        (22, "shorter", 9000),
        (23, "same", 20_000),
    ] {
        let new = bytes(seed, len);
        let told = rewrite(&at.join(name), &new);
        work.note(name, name, How::Rewritten, &told, &new);
        pauses.pause()?;
    }
    let more = bytes(24, 700);
    let told = append(&at.join("appended"), &more);
    let new = [old(work, "appended"), more].concat();
    work.note("appended", "appended", How::InPlace, &told, &new);
    pauses.pause()?;

    let piece = bytes(25, 100);
    let told = patch(&at.join("patched"), 9000, &piece);
    let mut new = old(work, "patched");
    new.splice(9000..9100, piece);
    work.note("patched", "patched", How::InPlace, &told, &new);
    pauses.pause()?;

    let open = OpenOptions::new().write(true).open(at.join("cut"));
    let told = open.and_then(|file| file.set_len(7000).and(close(file)));
    let mut new = old(work, "cut");
    new.truncate(7000);
    work.note("cut", "cut", How::InPlace, &told, &new);
    pauses.pause()?;

    // As rsync and editors do: a temporary file, its time set, renamed.
    let (new, temporary) = (bytes(26, 9000), at.join(".replaced.tmp"));
    let told = rewrite(&temporary, &new);
    if told.is_ok() {
        pauses.pause()?;
    }
    let told = told.and_then(|()| {
        set_mtime(&temporary, 1_000_000_000)?;
        fs::rename(&temporary, at.join("replaced"))
    });
    work.note("replaced", "replaced", How::Replaced, &told, &new);
    pauses.pause()
}

/// One of several steps: how the file is changed, what it becomes, and how to do it.
type Step<'a> = (How, &'a Vec<u8>, &'a dyn Fn() -> io::Result<()>);

/// `date > log`, `date >> log`, and a change in the middle, as far as none is refused.
fn one_after_the_other(at: &Path, pauses: &Pauses<'_>, work: &mut Work) -> Result<()> {
    let log = at.join("log");
    let first = bytes(27, 29);
    let more = bytes(28, 31);
    let appended = [&first[..], &more].concat();
    let mut patched = appended.clone();
    patched.splice(20..25, *b"PATCH");
    let steps: [Step; 3] = [
        (How::Rewritten, &first, &|| rewrite(&log, &first)),
        (How::InPlace, &appended, &|| append(&log, &more)),
        (How::InPlace, &patched, &|| patch(&log, 20, b"PATCH")),
    ];
    for (how, new, step) in steps {
        let told = step();
        work.note("log", "log", how, &told, new);
        pauses.pause()?;
        if told.is_err() {
            break;
        }
    }
    Ok(())
}

/// `rsync -a` twice with a change between, and `rsync -a --inplace` after another.
fn by_rsync(at: &Path, pauses: &Pauses<'_>, work: &mut Work) -> Result<()> {
    let source = tempfile::tempdir()?;
    let runs = [
        ("rsync", [(30, 12_000), (31, 3000)], How::Replaced),
        ("rsync again", [(32, 10_000), (33, 6000)], How::Replaced),
        ("rsync --inplace", [(32, 7000), (33, 6000)], How::InPlace),
    ];
    for (turn, (step, contents, how)) in (1..).zip(runs) {
        let names = [CUT_BY_RSYNC, GROWN_BY_RSYNC];
        for (name, (seed, len)) in names.into_iter().zip(contents) {
            let path = source.path().join(name.rsplit('/').next().unwrap_or(name));
            let contents = bytes(seed, len);
            if fs::read(&path).ok().as_ref() != Some(&contents) {
                fs::write(&path, contents)?;
                set_mtime(&path, 1_000_000_000 + 1000 * turn)?;
            }
        }
        let mut rsync = Command::new(in_path("rsync", "rsync")?);
        rsync.arg("-a").args((turn == 3).then_some("--inplace"));
        rsync.arg(format!("{}/", source.path().display()));
        rsync.arg(format!("{}/", at.join(SYNC).display()));
        let ended = run_program(&mut rsync, b"")?;
        let told = match ended.status.success() {
            true => Ok(()),
            false => Err(io::Error::other(ended.err())),
        };
        for (name, (seed, len)) in names.into_iter().zip(contents) {
            work.note(step, name, how, &told, &bytes(seed, len));
        }
        pauses.pause()?;
    }
    Ok(())
}

/// Sets the time of the last change, in seconds.
fn set_mtime(path: &Path, secs: i64) -> io::Result<()> {
    let time = Timespec {
        tv_sec: secs,
        tv_nsec: 0,
    };
    let times = Timestamps {
        last_access: time,
        last_modification: time,
    };
    Ok(utimensat(CWD, path, &times, AtFlags::empty())?)
}
