//! Processes that serve a mount in the background.

use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use rustix::event::{PollFd, PollFlags};
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};

use crate::run::poll_for;

const LIMIT: Duration = Duration::from_secs(60);

/// A process that serves a mount, held by a descriptor so that its number cannot be another's.
#[derive(Debug)]
pub struct Daemon {
    /// Its number.
    pub pid: i32,
    handle: OwnedFd,
}

impl Daemon {
    /// The living processes that have `point` among their words.
    ///
    /// # Errors
    /// When the processes cannot be listed.
    pub fn all_for(point: &Path) -> Result<Vec<i32>> {
        let mut found = Vec::new();
        for entry in std::fs::read_dir("/proc")? {
            let entry = entry?;
            let Some(pid) = entry
                .file_name()
                .to_str()
                .and_then(|name| name.parse().ok())
            else {
                continue;
            };
            // A process may have ended since; one that has ended has no words.
            let line = std::fs::read(entry.path().join("cmdline")).unwrap_or_default();
            if line
                .split(|&b| b == 0)
                .any(|word| word == point.as_os_str().as_bytes())
            {
                found.push(pid);
            }
        }
        Ok(found)
    }

    /// Holds the process `pid`.
    ///
    /// # Errors
    /// When there is none.
    pub fn open(pid: i32) -> Result<Self> {
        let number = Pid::from_raw(pid).context("no process")?;
        Ok(Self {
            pid,
            handle: pidfd_open(number, PidfdFlags::empty())?,
        })
    }

    /// Sends it `signal`.
    ///
    /// # Errors
    /// When it has ended.
    pub fn signal(&self, signal: Signal) -> Result<()> {
        Ok(pidfd_send_signal(&self.handle, signal)?)
    }

    /// Whether it has ended, now or within `limit`.
    ///
    /// # Errors
    /// When it cannot be waited for.
    pub fn has_ended_within(&self, limit: Duration) -> Result<bool> {
        let mut fds = [PollFd::new(&self.handle, PollFlags::IN)];
        poll_for(&mut fds, limit)?;
        Ok(!fds[0].revents().is_empty())
    }

    /// Waits for its end.
    ///
    /// # Errors
    /// When it goes on for a minute.
    pub fn wait(&self) -> Result<()> {
        ensure!(self.has_ended_within(LIMIT)?, "the daemon goes on");
        Ok(())
    }

    /// Where a link in its folder of `/proc` leads, such as `cwd` or `fd/1`.
    ///
    /// # Errors
    /// When there is no such link.
    pub fn link(&self, name: &str) -> Result<PathBuf> {
        Ok(std::fs::read_link(format!("/proc/{}/{name}", self.pid))?)
    }
}
