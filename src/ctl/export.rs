//! `export`: the plain tree of a volume, copied out without a mount.
//!
//! Directories, files, links and special files with mode and times, hard links as such, and owners
//! for root. Nothing that exists is overwritten: what is there with the size and the time of the
//! original counts as done, so an export can be started again, and anything else is told. What
//! cannot be read is told too, and the rest goes on: the exit status is 1 then.

use std::collections::HashMap;
use std::fs::DirBuilder;
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::json;

use super::open;
use crate::cli::ctl_request::VolumeRequest;
use crate::cli::exit::Failure;
use crate::cli::output::{Format, print_json};
use crate::cli::password_source::PasswordWays;
use crate::raw::{Dir, Errno, Kind, Name, RawId, SetTime, Stat};
use crate::secret::Zeroize;
use crate::term::{Console, Progress, printable};
use crate::volume::read::PlainFile;
use crate::volume::walk::{Entry, VolumeDir};

/// What an export has done and found.
struct Export<'a> {
    console: &'a mut Console,
    progress: Progress,
    stop: Arc<AtomicBool>,
    /// Raw files with several names: the path of the first copy.
    linked: HashMap<RawId, Vec<Name>>,
    target: Dir,
    /// Entries that are complete in the target.
    files: u64,
    /// Those of them that were there already.
    existing: u64,
    failed: u64,
    /// Raw names that are not the encoding of anything: nothing of the volume's.
    undecodable: u64,
    /// One of these that is no stranger: the configuration.
    own: Option<Vec<u8>>,
    as_root: bool,
}

/// Why one entry was not copied.
type Problem = String;

/// Copies the volume to `target`, which is made after a question if it is not there.
pub(super) fn export(
    request: &VolumeRequest,
    target: &Path,
    format: Format,
    passwords: &PasswordWays,
    console: &mut Console,
) -> Result<(), Failure> {
    let (volume, file) = open::with_configuration(request, passwords, console)?;
    ensure(console, target)?;
    let stop = Arc::new(AtomicBool::new(false));
    for signal in [signal_hook::consts::SIGINT, signal_hook::consts::SIGTERM] {
        signal_hook::flag::register(signal, Arc::clone(&stop))?;
    }
    // Modes are copied, and nobody sees a file before it has its own.
    let mut export = Export {
        console,
        progress: Progress::new("export"),
        stop,
        linked: HashMap::new(),
        target: Dir::open_root(target)?,
        files: 0,
        existing: 0,
        failed: 0,
        undecodable: 0,
        own: open::own_name(request, &file),
        as_root: crate::raw::own_ids().uid == 0,
    };
    let target_dir = export.target.reopen()?;
    export.directory(&VolumeDir::root(&volume), &target_dir, &mut Vec::new());
    export.progress.done();
    let (files, failed) = (export.files, export.failed);
    let undecodable = export.undecodable;
    let stopped = export.stop.load(Ordering::Relaxed);
    if format == Format::Json {
        print_json(&json!({
            "exported": files,
            "existing": export.existing,
            "failed": failed,
            "undecodable": undecodable,
            "stopped": stopped,
        }))?;
    }
    if undecodable > 0 {
        let line = format!(
            "{undecodable} raw names do not decode and were left out: {} showcruft lists them\n",
            request.program
        );
        export.console.complain(&line);
    }
    let shown = target.display();
    if stopped {
        let text = format!("stopped: {files} entries are complete in {shown}");
        return Err(Failure::new("stopped", text)
            .at_path(target)
            .advise("Start it again to go on: what is complete is not copied again."));
    }
    if failed > 0 {
        let text = format!("{failed} entries were not exported, {files} were, to {shown}");
        return Err(Failure::new("incomplete", text).at_path(target));
    }
    Ok(())
}

/// The question of 1.4: `(y,N) ` at its end is *protocol*.
fn ensure(console: &mut Console, target: &Path) -> Result<(), Failure> {
    let shown = target.display();
    match std::fs::metadata(target) {
        Ok(status) if status.is_dir() => return Ok(()),
        Ok(_) => {
            let text = format!("{shown} is not a directory");
            return Err(Failure::new("no_directory", text).at_path(target));
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => {
            let text = format!("{shown} cannot be looked at: {error}");
            return Err(Failure::new("no_directory", text)
                .at_path(target)
                .with_io(&error));
        }
    }
    console.complain(&format!(
        "The directory \"{shown}\" does not exist. Should it be created? (y,N) "
    ));
    let answer = console.answer()?;
    if !answer.is_some_and(|text| text.starts_with(['y', 'Y'])) {
        let text = format!("the directory {shown} was not created");
        return Err(Failure::new("no_directory", text).at_path(target));
    }
    DirBuilder::new()
        .mode(0o700)
        .create(target)
        .map_err(|error| {
            let text = format!("the directory {shown} cannot be created: {error}");
            Failure::new("no_directory", text)
                .at_path(target)
                .with_io(&error)
        })
}

impl Export<'_> {
    /// Copies what is in `from` into `to`, whose path from the target is `path`.
    fn directory(&mut self, from: &VolumeDir<'_>, to: &Dir, path: &mut Vec<Name>) {
        let listing = match from.list() {
            Ok(listing) => listing,
            Err(error) => return self.problem(from.plain_path(), &error.to_string()),
        };
        let in_root = from.raw_path().is_empty();
        let names = listing.undecodable.iter();
        let strange = names.filter(|name| !in_root || self.own.as_deref() != Some(&***name));
        self.undecodable += strange.count() as u64;
        for entry in &listing.entries {
            if self.stop.load(Ordering::Relaxed) {
                return;
            }
            let name = entry.plain.as_raw().clone();
            path.push(name);
            let result = self.entry(from, entry, to, path);
            path.pop();
            match result {
                Ok(()) => {
                    self.files += 1;
                    self.progress.file();
                }
                Err(problem) => {
                    let plain = [from.plain_path(), b"/", entry.plain.as_bytes()].concat();
                    self.problem(plain.strip_prefix(b"/").unwrap_or(&plain), &problem);
                }
            }
        }
    }

    fn problem(&mut self, plain_path: &[u8], problem: &str) {
        self.failed += 1;
        let line = format!("{}: {problem}\n", printable(plain_path));
        let console = &mut *self.console;
        self.progress.beside(|| console.complain(&line));
    }

    fn entry(
        &mut self,
        from: &VolumeDir<'_>,
        entry: &Entry,
        to: &Dir,
        path: &mut Vec<Name>,
    ) -> Result<(), Problem> {
        let stat = from.stat(entry).map_err(text)?;
        let name = entry.plain.as_raw();
        if stat.kind == Kind::Dir {
            let below = from.open(entry).map_err(text)?;
            match to.make_dir(name, 0o700) {
                Err(error) if error.errno == Errno::EXIST => {}
                made => made.map_err(text)?,
            }
            let dir = to.open_dir(name).map_err(text)?;
            self.directory(&below, &dir, path);
            return self.attributes(to, name, &stat);
        }
        if is_there(from, entry, &stat, to, name)? {
            self.existing += 1;
            if stat.nlink > 1 {
                self.linked.entry(stat.id).or_insert_with(|| path.clone());
            }
            return Ok(());
        }
        if stat.nlink > 1
            && let Some(first) = self.linked.get(&stat.id)
        {
            return link(&self.target, first, to, name).map_err(exists_or(name));
        }
        match stat.kind {
            Kind::File => self.file(from, entry, to, name)?,
            Kind::Symlink => {
                let target = from.link_target(entry).map_err(text)?;
                to.symlink(&target, name).map_err(exists_or(name))?;
            }
            kind => to
                .make_node(name, kind, 0o600, stat.rdev)
                .map_err(exists_or(name))?,
        }
        if stat.nlink > 1 {
            self.linked.insert(stat.id, path.clone());
        }
        self.attributes(to, name, &stat)
    }

    fn file(
        &mut self,
        from: &VolumeDir<'_>,
        entry: &Entry,
        to: &Dir,
        name: &Name,
    ) -> Result<(), Problem> {
        let source = PlainFile::open(from, entry).map_err(text)?;
        let mut reader = source.reader().map_err(text)?;
        let copy = to.create_file(name, 0o600).map_err(exists_or(name))?;
        let mut at = 0;
        let mut data = Vec::new();
        let result = loop {
            if self.stop.load(Ordering::Relaxed) {
                break Err("stopped".to_owned());
            }
            data.clear();
            match reader.read(&mut data) {
                Ok(0) => break Ok(()),
                Ok(len) => {
                    if let Err(error) = copy.write_at(&data, at) {
                        break Err(error.to_string());
                    }
                    at += len as u64;
                    self.progress.bytes(len);
                }
                Err(error) => break Err(error.to_string()),
            }
        };
        data.zeroize();
        let result = result.and_then(|()| copy.flush().map_err(text));
        if result.is_err() {
            // Half a file would pass for a whole one at the next start.
            let _ = to.unlink(name);
        }
        result
    }

    /// Owner, mode and times, in the order in which none takes the other away.
    fn attributes(&self, to: &Dir, name: &Name, stat: &Stat) -> Result<(), Problem> {
        if self.as_root {
            to.set_owner(name, Some(stat.uid), Some(stat.gid))
                .map_err(text)?;
        }
        if stat.kind != Kind::Symlink {
            to.set_mode(name, stat.mode).map_err(text)?;
        }
        to.set_times(name, SetTime::To(stat.atime), SetTime::To(stat.mtime))
            .map_err(text)
    }
}

/// Whether the target has this entry already: the same kind, size and time. The time is set last,
/// so a copy that has it is whole. It is compared in seconds, as some storage keeps no less.
fn is_there(
    from: &VolumeDir<'_>,
    entry: &Entry,
    stat: &Stat,
    to: &Dir,
    name: &Name,
) -> Result<bool, Problem> {
    let there = match to.stat(name) {
        Ok(there) => there,
        Err(error) if error.errno == Errno::NOENT => return Ok(false),
        Err(error) => return Err(text(error)),
    };
    if there.kind != stat.kind || there.mtime.secs != stat.mtime.secs {
        return Ok(false);
    }
    Ok(match stat.kind {
        Kind::File => {
            let size = from.volume().plain_size(stat.size);
            size.is_some_and(|size| size.bytes == there.size)
        }
        Kind::Symlink => {
            let target = from.link_target(entry).map_err(text)?;
            to.read_link(name).map_err(text)? == target
        }
        _ => there.rdev == stat.rdev,
    })
}

fn link(target: &Dir, first: &[Name], to: &Dir, name: &Name) -> Result<(), crate::raw::Error> {
    let Some((first_name, dirs)) = first.split_last() else {
        return Ok(());
    };
    let mut dir = target.reopen()?;
    for part in dirs {
        dir = dir.open_dir(part)?;
    }
    dir.link(first_name, to, name)
}

fn text(error: impl std::fmt::Display) -> Problem {
    error.to_string()
}

fn exists_or(name: &Name) -> impl FnOnce(crate::raw::Error) -> Problem {
    let name = name.clone();
    move |error| {
        if error.errno == Errno::EXIST {
            "exists already and was left as it is".to_owned()
        } else {
            format!("{}: {error}", printable(name.as_bytes()))
        }
    }
}
