//! A program at a terminal, and somebody who types.

use std::fs::File;
use std::io::{Read, Write};
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use rustix::event::{PollFd, PollFlags};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{LocalModes, tcgetattr};

use crate::oracle::in_path;
use crate::run::{poll_for, wait};

const LIMIT: Duration = Duration::from_secs(60);

/// A program whose controlling terminal is ours to type at.
#[derive(Debug)]
pub struct Typist {
    master: File,
    child: Child,
    seen: String,
}

impl Typist {
    /// Starts a program of the oracle at a terminal of its own.
    ///
    /// # Errors
    /// When there are no terminals, or it cannot be started.
    pub fn start(program: Command) -> Result<Self> {
        let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC)?;
        grantpt(&master)?;
        unlockpt(&master)?;
        let name = ptsname(&master, Vec::new())?.into_string()?;
        let slave = File::options().read(true).write(true).open(name)?;
        // `setsid -c` makes its standard input the controlling terminal of a new session. Waiting
        // for its end it passes on the status, also that of a signal, as 128 and more.
        // Whoever runs the tests may have signals ignored (a shell does so in the background); at a
        // terminal they are not.
        let mut command = Command::new(in_path("env", "coreutils")?);
        command
            .arg("--default-signal")
            .arg(in_path("setsid", "util-linux")?)
            .arg("--ctty")
            .arg("--wait")
            .args(without_setsid(&program)?);
        for (key, value) in program.get_envs() {
            match value {
                Some(value) => command.env(key, value),
                None => command.env_remove(key),
            };
        }
        let child = command
            .stdin(Stdio::from(slave.try_clone()?))
            .stdout(Stdio::from(slave.try_clone()?))
            .stderr(Stdio::from(slave))
            .spawn()?;
        Ok(Self {
            master: File::from(master),
            child,
            seen: String::new(),
        })
    }

    /// Reads until `text` has come; forgets everything up to it, and returns what was before it.
    ///
    /// # Errors
    /// When it does not come.
    pub fn expect(&mut self, text: &str) -> Result<String> {
        let end = Instant::now() + LIMIT;
        loop {
            if let Some((before, after)) = self.seen.split_once(text) {
                let before = before.to_owned();
                self.seen = after.to_owned();
                return Ok(before);
            }
            let left = end.saturating_duration_since(Instant::now());
            ensure!(
                !left.is_zero(),
                "{text:?} does not come, but {:?}",
                self.seen
            );
            let mut fds = [PollFd::new(&self.master, PollFlags::IN)];
            poll_for(&mut fds, left)?;
            if fds[0].revents().is_empty() {
                continue;
            }
            let mut piece = [0; 4096];
            match self.master.read(&mut piece) {
                Ok(count @ 1..) => self
                    .seen
                    .push_str(&String::from_utf8_lossy(&piece[..count])),
                // The last who had the terminal open has closed it.
                _ => bail!("{text:?} has not come before the end, but {:?}", self.seen),
            }
        }
    }

    /// Types.
    ///
    /// # Errors
    /// When the terminal is gone.
    pub fn type_keys(&mut self, keys: &str) -> Result<()> {
        Ok(self.master.write_all(keys.as_bytes())?)
    }

    /// Whether the terminal shows what is typed.
    ///
    /// # Errors
    /// When the terminal is gone.
    pub fn echoes(&self) -> Result<bool> {
        Ok(tcgetattr(&self.master)?
            .local_modes
            .contains(LocalModes::ECHO))
    }

    /// Waits for the end: the exit status, after a signal 128 and its number.
    ///
    /// # Errors
    /// When the program goes on.
    pub fn status(&mut self) -> Result<i32> {
        let status = wait(&mut self.child, LIMIT)?.context("the program goes on")?;
        Ok(status
            .code()
            .or(status.signal().map(|signal| 128 + signal))
            .unwrap_or(-1))
    }
}

impl Drop for Typist {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The program behind the `setsid` that the oracle puts before it, and its words.
fn without_setsid(program: &Command) -> Result<Vec<std::ffi::OsString>> {
    let name = Path::new(program.get_program());
    ensure!(name.ends_with("setsid"), "{}", name.display());
    Ok(program.get_args().map(ToOwned::to_owned).collect())
}
