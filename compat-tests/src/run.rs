//! Programs run to their end within a bounded time.
//!
//! Waiting is on a process descriptor, never a sleep. What a program prints goes to unnamed files,
//! not to pipes: a daemon that keeps its standard streams open cannot hold up the caller.

use std::fs::File;
use std::io::{Read, Seek, Write};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, PidfdFlags, pidfd_open};

/// How long any single program may take. Generous: it only ends runs that hang.
pub const LIMIT: Duration = Duration::from_secs(120);

/// A program that has ended.
#[derive(Debug)]
pub struct Finished {
    /// How it ended.
    pub status: ExitStatus,
    /// Everything it wrote to standard output.
    pub stdout: Vec<u8>,
    /// Everything it wrote to standard error.
    pub stderr: Vec<u8>,
    /// The command, for messages.
    pub command: String,
}

impl Finished {
    /// The exit status as a number; `None` after a signal.
    #[must_use]
    pub fn code(&self) -> Option<i32> {
        self.status.code()
    }

    /// Standard output as text.
    #[must_use]
    pub fn out(&self) -> String {
        String::from_utf8_lossy(&self.stdout).into_owned()
    }

    /// Standard error as text.
    #[must_use]
    pub fn err(&self) -> String {
        String::from_utf8_lossy(&self.stderr).into_owned()
    }

    /// This result if the status is 0, else an error with all that was printed.
    ///
    /// # Errors
    /// When the status is not 0.
    pub fn success(self) -> Result<Self> {
        ensure!(self.status.success(), "{self}");
        Ok(self)
    }
}

impl std::fmt::Display for Finished {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "{}: {}\n--- stdout\n{}\n--- stderr\n{}",
            self.command,
            self.status,
            self.out(),
            self.err()
        )
    }
}

/// A command as a person would read it.
#[must_use]
pub fn describe(command: &Command) -> String {
    let mut words = vec![command.get_program().to_string_lossy().into_owned()];
    words.extend(
        command
            .get_args()
            .map(|arg| arg.to_string_lossy().into_owned()),
    );
    words.join(" ")
}

/// Runs `command` with `stdin` as its input and waits at most `limit`.
///
/// # Errors
/// When it cannot be started, or does not end in time (it is killed then).
pub fn run_within(command: &mut Command, stdin: &[u8], limit: Duration) -> Result<Finished> {
    let name = describe(command);
    let mut out = tempfile::tempfile()?;
    let mut err = tempfile::tempfile()?;
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(out.try_clone()?)
        .stderr(err.try_clone()?)
        .spawn()
        .with_context(|| format!("cannot start {name}"))?;
    let writer = feed(&mut child, stdin.to_vec());
    let status = wait(&mut child, limit)?;
    drop(writer);
    let Some(status) = status else {
        let _ = child.kill();
        let _ = child.wait();
        bail!(
            "{name}: did not end within {limit:?}\n--- stdout\n{}\n--- stderr\n{}",
            String::from_utf8_lossy(&contents(&mut out)?),
            String::from_utf8_lossy(&contents(&mut err)?)
        );
    };
    Ok(Finished {
        status,
        stdout: contents(&mut out)?,
        stderr: contents(&mut err)?,
        command: name,
    })
}

/// [`run_within`] the usual [`LIMIT`].
///
/// # Errors
/// As [`run_within`].
pub fn run(command: &mut Command, stdin: &[u8]) -> Result<Finished> {
    run_within(command, stdin, LIMIT)
}

/// Writes `bytes` to the child's input from a thread and closes it. A child that does not read its
/// input is not at fault, so errors of the pipe are ignored.
fn feed(child: &mut Child, bytes: Vec<u8>) -> Option<std::thread::JoinHandle<()>> {
    let mut pipe = child.stdin.take()?;
    Some(std::thread::spawn(move || {
        let _ = pipe.write_all(&bytes);
    }))
}

fn contents(file: &mut File) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    file.rewind()?;
    file.read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Waits for `child` at most `limit`; `None` when it still runs then.
///
/// # Errors
/// When the process cannot be waited for.
pub fn wait(child: &mut Child, limit: Duration) -> Result<Option<ExitStatus>> {
    let end = Instant::now() + limit;
    if let Some(status) = child.try_wait()? {
        return Ok(Some(status));
    }
    let pidfd = pidfd_open(Pid::from_child(child), PidfdFlags::empty())?;
    loop {
        let left = end.saturating_duration_since(Instant::now());
        let mut fds = [PollFd::new(&pidfd, PollFlags::IN)];
        poll_for(&mut fds, left)?;
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status));
        }
        if left.is_zero() {
            return Ok(None);
        }
    }
}

/// `poll` for at most `left`, with an interruption taken as "nothing yet".
///
/// # Errors
/// When `poll` itself fails.
pub fn poll_for(fds: &mut [PollFd<'_>], left: Duration) -> Result<()> {
    let timeout = Timespec::try_from(left)?;
    match poll(fds, Some(&timeout)) {
        Ok(_) | Err(rustix::io::Errno::INTR) => Ok(()),
        Err(errno) => Err(errno.into()),
    }
}
