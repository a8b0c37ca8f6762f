//! A mount that is in place when it is returned and gone when it is dropped.
//!
//! Waiting is on the kernel's own notice: `/proc/self/mountinfo` polls readable-with-priority when
//! the mount table changes, and a process descriptor when the program ends. No sleeping.

use std::ffi::OsString;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom, Write};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use rustix::event::{PollFd, PollFlags};
use rustix::mount::{UnmountFlags, unmount};
use rustix::process::{Pid, PidfdFlags, pidfd_open};

use crate::oracle::{Program, in_path};
use crate::run::{describe, poll_for, run, wait};

/// How long a mount may take to come and a daemon to go.
const LIMIT: Duration = Duration::from_secs(60);

/// A mounted volume. Dropping it unmounts and waits for the program's end.
#[derive(Debug)]
pub struct Mounted {
    point: PathBuf,
    child: Option<Child>,
    log: File,
    name: String,
}

impl Mounted {
    /// Mounts `root` on `point` with `program -f -S args`.
    ///
    /// # Errors
    /// When the program ends before the mount is there, or the mount does not come in time; the
    /// message holds all that the program printed.
    pub fn volume(
        program: Program,
        root: &Path,
        point: &Path,
        password: &str,
        args: &[&str],
    ) -> Result<Self> {
        let mut command = program.encfs()?;
        command.arg("-f").arg("-S").args(args).arg(root).arg(point);
        Self::by(&mut command, point, format!("{password}\n").as_bytes())
    }

    /// Mounts by any `command` that stays in the foreground while the mount is there.
    ///
    /// # Errors
    /// As [`Mounted::volume`].
    pub fn by(command: &mut Command, point: &Path, stdin: &[u8]) -> Result<Self> {
        let name = describe(command);
        let point = point.canonicalize()?;
        ensure!(
            !is_mounted(&point)?,
            "{} is a mount point already",
            point.display()
        );
        let log = tempfile::tempfile()?;
        let mut table = MountTable::open()?;
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(log.try_clone()?)
            .stderr(log.try_clone()?)
            .spawn()
            .with_context(|| format!("cannot start {name}"))?;
        if let Some(mut pipe) = child.stdin.take() {
            // A program that has ended without reading shows so below.
            let _ = pipe.write_all(stdin);
        }
        let mut mounted = Self {
            point,
            child: None,
            log,
            name,
        };
        match table.wait_for(&mounted.point, &mut child)? {
            Waited::Mounted => {
                mounted.child = Some(child);
                Ok(mounted)
            }
            Waited::Ended(status) => {
                bail!("{}: ended with {status}\n{}", mounted.name, mounted.log()?)
            }
            Waited::TimedOut => {
                let _ = child.kill();
                let _ = child.wait();
                bail!(
                    "{}: not mounted within {LIMIT:?}\n{}",
                    mounted.name,
                    mounted.log()?
                )
            }
        }
    }

    /// The mount point.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.point
    }

    /// The process that serves the mount.
    #[must_use]
    pub fn pid(&self) -> Option<u32> {
        self.child.as_ref().map(Child::id)
    }

    /// What the program has printed so far, both streams.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub fn log(&self) -> Result<String> {
        let mut bytes = Vec::new();
        // A description of its own: the program goes on writing at its own offset.
        let mut log = File::open(format!("/proc/self/fd/{}", raw_fd(&self.log)))?;
        log.seek(SeekFrom::Start(0))?;
        log.read_to_end(&mut bytes)?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }

    /// Unmounts, waits for the program and checks that it ended with status 0.
    ///
    /// # Errors
    /// When the program ends badly, or not at all since something is still open.
    pub fn unmount(self) -> Result<()> {
        // Lazily: a descriptor may live on for a moment in a child that another thread has forked
        // and that has not come to its `exec`, and the mount would be busy. One that really stays
        // open shows by the program not ending.
        unmount_now(&self.point, true)?;
        self.ended()
    }

    /// Unmounts what is left after the program was killed, and waits for its end.
    ///
    /// # Errors
    /// When it does not go.
    pub fn abandon(mut self) -> Result<()> {
        unmount_now(&self.point, true)?;
        self.reap()?;
        Ok(())
    }

    /// Waits for the program after somebody else has unmounted, and checks that it ended with
    /// status 0.
    ///
    /// # Errors
    /// When the program ends badly or not at all.
    pub fn ended(mut self) -> Result<()> {
        let status = self.reap()?;
        ensure!(
            status.success(),
            "{}: ended with {status}\n{}",
            self.name,
            self.log()?
        );
        Ok(())
    }

    fn reap(&mut self) -> Result<ExitStatus> {
        let Some(mut child) = self.child.take() else {
            bail!("{} is unmounted already", self.point.display());
        };
        match wait(&mut child, LIMIT)? {
            Some(status) => Ok(status),
            None => {
                let _ = child.kill();
                let _ = child.wait();
                bail!(
                    "{}: did not end after the unmount\n{}",
                    self.name,
                    self.log()?
                )
            }
        }
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        if self.child.is_none() {
            return;
        }
        // Not by `unmount`, so something has failed: say what there is to say.
        if let Err(error) = unmount_now(&self.point, true) {
            eprintln!("while leaving {}: {error:#}", self.point.display());
        }
        match self.reap() {
            Ok(status) => eprintln!("{}: ended with {status}", self.name),
            Err(error) => eprintln!("{error:#}"),
        }
        eprintln!("--- log\n{}", self.log().unwrap_or_default());
    }
}

fn raw_fd(file: &File) -> i32 {
    use std::os::fd::AsRawFd;
    file.as_raw_fd()
}

/// Unmounts `point`; `lazily` also when something is still open there.
///
/// # Errors
/// When it cannot be unmounted.
pub fn unmount_now(point: &Path, lazily: bool) -> Result<()> {
    if rustix::process::geteuid().is_root() {
        let flags = if lazily {
            UnmountFlags::DETACH
        } else {
            UnmountFlags::empty()
        };
        // A program that another thread of this process is just starting has, until it runs, a
        // copy of every descriptor that is open here.
        let busy_until = Instant::now() + Duration::from_secs(20);
        loop {
            match unmount(point, flags) {
                Err(rustix::io::Errno::BUSY) if Instant::now() < busy_until => {
                    std::thread::sleep(Duration::from_millis(5));
                }
                result => {
                    return result.with_context(|| format!("unmounting {}", point.display()));
                }
            }
        }
    }
    let mut command = Command::new(in_path("fusermount3", "fuse3")?);
    command.arg("-u").args(lazily.then_some("-z")).arg(point);
    run(&mut command, b"")?.success()?;
    Ok(())
}

/// Whether `point` (an absolute path without links) is a mount point now.
///
/// # Errors
/// When the mount table cannot be read.
pub fn is_mounted(point: &Path) -> Result<bool> {
    Ok(MountTable::open()?.find(point)?.is_some())
}

/// The line of the mount table for `point`: source and type, as `mount` shows them.
///
/// # Errors
/// When the mount table cannot be read or has no such mount.
pub fn mount_source_and_type(point: &Path) -> Result<(String, String)> {
    let line = MountTable::open()?
        .find(&point.canonicalize()?)?
        .with_context(|| format!("{} is not mounted", point.display()))?;
    let (_, tail) = line
        .split_once(" - ")
        .context("mountinfo without a separator")?;
    let mut words = tail.split(' ');
    let kind = words.next().unwrap_or_default().to_owned();
    Ok((words.next().unwrap_or_default().to_owned(), kind))
}

/// The mount points below `folder`, the last mounted first.
///
/// # Errors
/// When the mount table cannot be read.
pub fn mounts_below(folder: &Path) -> Result<Vec<PathBuf>> {
    let table = std::fs::read("/proc/self/mountinfo")?;
    let points = table.split(|b| *b == b'\n').rev();
    let points = points.filter_map(|line| line.split(|b| *b == b' ').nth(4).map(unescape));
    Ok(points.filter(|point| point.starts_with(folder)).collect())
}

/// Waits until `point` is no longer mounted.
///
/// # Errors
/// When it still is after a minute.
pub fn wait_until_unmounted(point: &Path) -> Result<()> {
    let mut table = MountTable::open()?;
    let end = Instant::now() + LIMIT;
    while table.find(point)?.is_some() {
        let left = end.saturating_duration_since(Instant::now());
        ensure!(!left.is_zero(), "{} is still mounted", point.display());
        let mut fds = [PollFd::new(&table.file, PollFlags::PRI)];
        poll_for(&mut fds, left)?;
    }
    Ok(())
}

enum Waited {
    Mounted,
    Ended(ExitStatus),
    TimedOut,
}

struct MountTable {
    file: File,
}

impl MountTable {
    fn open() -> Result<Self> {
        Ok(Self {
            file: File::open("/proc/self/mountinfo")?,
        })
    }

    fn find(&mut self, point: &Path) -> Result<Option<String>> {
        let mut text = Vec::new();
        self.file.seek(SeekFrom::Start(0))?;
        self.file.read_to_end(&mut text)?;
        let found = text.split(|b| *b == b'\n').rfind(|line| {
            line.split(|b| *b == b' ')
                .nth(4)
                .is_some_and(|field| unescape(field) == point)
        });
        Ok(found.map(|line| String::from_utf8_lossy(line).into_owned()))
    }

    fn wait_for(&mut self, point: &Path, child: &mut Child) -> Result<Waited> {
        let end = Instant::now() + LIMIT;
        let pidfd = pidfd_open(Pid::from_child(child), PidfdFlags::empty())?;
        loop {
            if self.find(point)?.is_some() {
                return Ok(Waited::Mounted);
            }
            if let Some(status) = child.try_wait()? {
                return Ok(Waited::Ended(status));
            }
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(Waited::TimedOut);
            }
            let mut fds = [
                PollFd::new(&self.file, PollFlags::PRI),
                PollFd::new(&pidfd, PollFlags::IN),
            ];
            poll_for(&mut fds, left)?;
        }
    }
}

/// A field of mountinfo: blanks and backslashes stand as three octal digits.
fn unescape(field: &[u8]) -> PathBuf {
    let mut bytes = Vec::new();
    let mut rest = field;
    while let Some((&first, tail)) = rest.split_first() {
        let octal = tail
            .get(..3)
            .filter(|_| first == b'\\')
            .and_then(|digits| u8::from_str_radix(std::str::from_utf8(digits).ok()?, 8).ok());
        match octal {
            Some(byte) => {
                bytes.push(byte);
                rest = tail.get(3..).unwrap_or_default();
            }
            None => {
                bytes.push(first);
                rest = tail;
            }
        }
    }
    PathBuf::from(OsString::from_vec(bytes))
}

/// A path of bytes below `root`.
#[must_use]
pub fn below(root: &Path, path: &[u8]) -> PathBuf {
    root.join(std::ffi::OsStr::from_bytes(path))
}
