//! A server process, ended when it is dropped.

use std::fs::File;
use std::io::{Read, Seek};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use rustix::process::{Pid, Signal, kill_process};

use crate::run::{describe, wait};

/// How long a server may take to answer, and to end.
const LIMIT: Duration = Duration::from_secs(60);

/// A process with whatever it has started.
#[derive(Debug)]
pub struct Server {
    child: Child,
    log: File,
    name: String,
}

impl Server {
    /// Starts `command`, its standard input and output as they are set there.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn start(command: &mut Command) -> Result<Self> {
        let name = describe(command);
        let log = tempfile::tempfile()?;
        let child = command
            .stderr(log.try_clone()?)
            .spawn()
            .with_context(|| format!("cannot start {name}"))?;
        Ok(Self { child, log, name })
    }

    /// Starts a `command` that will listen at `address`, and waits until it does.
    ///
    /// # Errors
    /// When it ends or does not listen in time, with what it printed.
    pub fn listening(command: &mut Command, address: SocketAddr) -> Result<Self> {
        let mut server = Self::start(command.stdin(Stdio::null()).stdout(Stdio::null()))?;
        let end = Instant::now() + LIMIT;
        // Nothing tells when another process listens but trying; it ending ends the wait.
        while TcpStream::connect(address).is_err() {
            if let Some(status) = wait(&mut server.child, Duration::from_millis(20))? {
                bail!("{}: ended with {status}\n{}", server.name, server.log());
            }
            if Instant::now() > end {
                bail!("{}: does not listen\n{}", server.name, server.log());
            }
        }
        Ok(server)
    }

    /// What it has printed to standard error.
    #[must_use]
    pub fn log(&self) -> String {
        let mut text = Vec::new();
        let read = self.log.try_clone().and_then(|mut log| {
            log.rewind()?;
            log.read_to_end(&mut text)
        });
        match read {
            Ok(_) => String::from_utf8_lossy(&text).into_owned(),
            Err(error) => format!("(its log cannot be read: {error})"),
        }
    }

    /// Sends `signal` to the process and all that it has started.
    pub fn signal(&self, signal: Signal) {
        for pid in family(Pid::from_child(&self.child)) {
            // It may have ended by itself.
            let _ = kill_process(pid, signal);
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.signal(Signal::KILL);
        if let Ok(None) | Err(_) = wait(&mut self.child, LIMIT) {
            eprintln!("{}: did not end\n{}", self.name, self.log());
        }
        if std::thread::panicking() {
            eprintln!("--- log of {}\n{}", self.name, self.log());
        }
    }
}

/// `first` and all its descendants, parents first.
fn family(first: Pid) -> Vec<Pid> {
    let mut parents = Vec::new();
    for entry in std::fs::read_dir("/proc").into_iter().flatten().flatten() {
        let stat = std::fs::read_to_string(entry.path().join("stat")).unwrap_or_default();
        // `pid (name) state ppid ...`, where the name may hold anything.
        let Some((_, fields)) = stat.rsplit_once(')') else {
            continue;
        };
        let pid = entry.file_name().to_string_lossy().parse().ok();
        let parent = fields.split_whitespace().nth(1);
        let parent = parent.and_then(|word| word.parse().ok());
        if let (Some(pid), Some(parent)) =
            (pid.and_then(Pid::from_raw), parent.and_then(Pid::from_raw))
        {
            parents.push((pid, parent));
        }
    }
    let mut all = vec![first];
    let mut next = 0;
    while let Some(&parent) = all.get(next) {
        next += 1;
        all.extend(
            parents
                .iter()
                .filter(|(_, of)| *of == parent)
                .map(|(pid, _)| *pid),
        );
    }
    all
}

/// An address on loopback where nothing listens now.
///
/// # Errors
/// When there is none.
pub fn free_address() -> Result<SocketAddr> {
    Ok(TcpListener::bind(("127.0.0.1", 0))?.local_addr()?)
}
