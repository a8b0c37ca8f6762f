//! What the article did with its files, on any storage: a volume is made, rsync fills it, a
//! second run sends nothing, files are rewritten shorter, appended to, renamed, deleted; everything
//! is unmounted, mounted again and compared, and EncFS 1.9.5 reads the same.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, SystemTime};

use anyhow::{Context, Result, ensure};

use super::Storage;
use crate::mounted::Mounted;
use crate::ops::bytes;
use crate::oracle::{Program, in_path};
use crate::pair::first_few;
use crate::run::{Finished, run};
use crate::tree::{self, Look};

/// The password of volumes on storage.
pub const PASSWORD: &str = "storage password";

/// What some storage cannot do, encrypted or not.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// How a volume is made.
    pub create: &'static [&'static str],
    /// More words for rsync, such as `--modify-window=1`.
    pub rsync: &'static [&'static str],
    /// A file that exists can be written to.
    pub rewrite: bool,
    /// Modification times survive a new mount.
    pub times: bool,
    /// The size of a file is right when its times were set before it was closed.
    pub times_while_open: bool,
    /// More words for rsync once it is mounted anew.
    pub rsync_later: &'static [&'static str],
    /// Folders can be renamed.
    pub rename_folder: bool,
}

/// Storage that can do all of it.
pub const EVERYTHING: Limits = Limits {
    create: CREATE,
    rsync: &[],
    rewrite: true,
    times: true,
    times_while_open: true,
    rsync_later: &[],
    rename_folder: true,
};

/// How a new volume is made on storage: with what suits it.
pub const CREATE: &[&str] = &["--profile", "auto"];

/// Mounts the volume on `storage`, which is mounted too if it is not yet. `args` of a new volume
/// are [`CREATE`].
///
/// # Errors
/// When either cannot be mounted.
pub fn mount(storage: &mut dyn Storage, program: Program, args: &[&str]) -> Result<Mounted> {
    storage.mount()?;
    let point = storage.folder().join("point");
    let volume = Mounted::volume(program, &storage.raw(), &point, PASSWORD, args)?;
    // Whatever the answer is: the program serves, and can be unmounted from now on.
    let _ = fs::metadata(volume.path());
    Ok(volume)
}

/// Files as somebody has them, `count` of them, of 0 to `largest` bytes, in a few folders; times
/// are long ago.
///
/// # Errors
/// When they cannot be written.
pub fn documents(at: &Path, count: usize, largest: usize) -> Result<()> {
    for number in 0..count {
        let folder = match number % 4 {
            0 => at.to_path_buf(),
            1 => at.join("letters"),
            2 => at.join("letters/to friends"),
            _ => at.join("photos"),
        };
        fs::create_dir_all(&folder)?;
        // Sizes of all kinds, most of them small, as those of real files are.
        let len = largest * number * number / (count * count).max(1);
        let path = folder.join(format!("file {number}"));
        fs::write(&path, bytes(number as u64, len))?;
        fs::File::open(&path)?.set_modified(long_ago(number as u64))?;
    }
    Ok(())
}

fn long_ago(seconds: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_200_000_000 + seconds)
}

/// Runs `rsync -a` from one folder to another and says how many files were sent.
///
/// # Errors
/// When rsync fails, with all it said.
pub fn rsync(from: &Path, to: &Path, more: &[&str]) -> Result<usize> {
    let finished = try_rsync(from, to, more)?.success()?;
    let out = finished.out();
    let line = out
        .lines()
        .find_map(|line| line.strip_prefix("Number of regular files transferred: "));
    let sent = line.with_context(|| format!("no statistics: {finished}"))?;
    Ok(sent.replace(',', "").parse()?)
}

fn try_rsync(from: &Path, to: &Path, more: &[&str]) -> Result<Finished> {
    let mut command = Command::new(in_path("rsync", "rsync")?);
    command
        .args(["-a", "--no-owner", "--no-group", "--stats"])
        .args(more);
    command.arg(slash(from)).arg(slash(to)).env("LC_ALL", "C");
    run(&mut command, b"")
}

/// The path with a slash, by which rsync means what is in the folder.
fn slash(path: &Path) -> PathBuf {
    path.join("")
}

/// All of it on `storage`, which is empty and unmounted, as it is again afterwards.
///
/// # Errors
/// The step that went wrong.
pub fn story(storage: &mut dyn Storage, limits: Limits) -> Result<()> {
    const FILES: usize = 40;
    let model = tempfile::tempdir()?;
    let model = model.path();
    documents(model, FILES, 300_000)?;

    let volume = mount(storage, Program::EncfsRs, limits.create)?;
    let backup = volume.path().join("backup");
    fs::create_dir(&backup)?;
    let sent = rsync(model, &backup, limits.rsync).context("first rsync")?;
    ensure!(sent == FILES, "{sent} files sent");
    let sent = rsync(model, &backup, limits.rsync).context("second rsync")?;
    ensure!(sent == 0, "the second rsync sent {sent} files");
    fs::write(model.join("photos/file 3"), b"changed")?;
    fs::remove_file(model.join("letters/file 5"))?;
    let more = [limits.rsync, &["--delete"]].concat();
    let sent = rsync(model, &backup, &more).context("rsync after a change")?;
    ensure!(sent == 1, "{sent} files sent after one change");

    for (name, cut, text) in [
        ("file 36", true, "much shorter than before\n"),
        ("letters/file 37", false, "appended\n"),
    ] {
        let before = fs::read(backup.join(name)).with_context(|| format!("reading {name}"))?;
        let change = |top: &Path| {
            let mut options = OpenOptions::new();
            options.write(true).truncate(cut).append(!cut);
            let mut file = options.open(top.join(name))?;
            file.write_all(text.as_bytes())?;
            if limits.times_while_open {
                file.set_modified(long_ago(100_000_000))?;
            }
            // `close` tells what only came to light late; dropping the file would hide that.
            Ok(nix::unistd::close(file)?)
        };
        let changed: std::io::Result<()> = change(&backup);
        if limits.rewrite {
            changed.with_context(|| format!("changing {name}"))?;
            change(model)?;
        } else {
            ensure!(changed.is_err(), "{name}: the storage took it after all");
            // rclone gives errors for a file that it has cut until it is mounted anew.
            if !cut {
                let now = fs::read(backup.join(name)).context("after a refused append")?;
                ensure!(now == before, "{name} has changed");
            }
            // What was refused is made right the way that always works: a new file.
            rsync(
                model,
                &backup,
                &[limits.rsync, &["--ignore-times"]].concat(),
            )?;
        }
        let seen = fs::read(backup.join(name))?;
        let wanted = fs::read(model.join(name))?;
        let same = seen.iter().zip(&wanted).take_while(|(a, b)| a == b).count();
        ensure!(
            seen == wanted,
            "{name} is read back wrong: {} bytes, right up to {same} of {}",
            seen.len(),
            wanted.len()
        );
    }
    storage.settle()?;
    for top in [&backup, model] {
        if limits.rename_folder {
            fs::rename(top.join("letters"), top.join("old letters"))
                .context("renaming a folder")?;
        }
        fs::remove_file(top.join("file 8")).context("deleting a file")?;
    }
    compare(model, &backup, limits, "at once")?;
    volume.unmount()?;
    storage.unmount()?;

    let volume = mount(storage, Program::EncfsRs, &[])?;
    compare(model, &backup, limits, "mounted again")?;
    let more = [limits.rsync, limits.rsync_later].concat();
    let sent = rsync(model, &backup, &more).context("rsync after mounting again")?;
    ensure!(sent == 0, "mounted again, rsync sent {sent} files");
    let sent = rsync(
        model,
        &backup,
        &[limits.rsync, &["--dry-run", "--checksum"]].concat(),
    )?;
    ensure!(sent == 0, "{sent} files differ by their checksums");
    volume.unmount()?;
    storage.unmount()?;

    let volume = mount(storage, Program::Encfs195, &[])?;
    compare(model, &backup, limits, "by EncFS 1.9.5")?;
    volume.unmount()?;
    storage.unmount()
}

fn compare(model: &Path, seen: &Path, limits: Limits, when: &str) -> Result<()> {
    let look = Look {
        mtimes: false,
        modes: false,
        xattrs: false,
    };
    let (model, seen) = (
        tree::read_without_xattrs(model)?,
        tree::read_without_xattrs(seen)?,
    );
    let mut wrong = tree::differences(&model, &seen, look);
    if limits.times {
        for (path, entry) in &model {
            let now = seen.get(path).map(|entry| entry.mtime.0);
            // Whole seconds, as sshfs has no others.
            if matches!(entry.kind, tree::Kind::File { .. }) && now != Some(entry.mtime.0) {
                wrong.push(format!("{}: another time", tree::show(path)));
            }
        }
    }
    ensure!(wrong.is_empty(), "{when}:\n  {}", first_few(&wrong));
    Ok(())
}
