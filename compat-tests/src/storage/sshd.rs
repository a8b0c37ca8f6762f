//! An SSH server of our own, and sshfs mounts of it.
//!
//! `sshd -i` serves one connection on its standard input; the [`Line`] hands it each that comes
//! in. So the server can be stopped, frozen and started again at the same address, and nothing
//! has to wait for it to listen.
//!
//! The server's user is not the client's and has no rights but its own: it cannot give files
//! away, as with an account on a server of somebody else.

use std::ffi::OsString;
use std::fs;
use std::io::ErrorKind;
use std::net::TcpListener;
use std::os::fd::OwnedFd;
use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::thread::JoinHandle;

use anyhow::{Context, Result};
use nix::unistd::{User, geteuid};
use parking_lot::Mutex;
use rustix::event::{PollFd, PollFlags};
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use super::line::Line;
use super::server::Server;
use super::{Storage, folders, place};
use crate::mounted::Mounted;
use crate::oracle::in_path;
use crate::run::{LIMIT, poll_for, run};

/// Who serves if root tests: a user that owns nothing else.
const SERVED_BY: &str = "nobody";

/// An SSH server with a folder, and sshfs.
#[derive(Debug)]
pub struct Ssh {
    // Dropped in this order: what is mounted, the server, the folder.
    mount: Option<Mounted>,
    serving: Option<Serving>,
    line: Arc<Line>,
    port: u16,
    user: String,
    place: TempDir,
    options: Vec<String>,
}

/// Takes connections while it lives, and ends them all with itself.
#[derive(Debug)]
struct Serving {
    servers: Arc<Mutex<Vec<Server>>>,
    stop: Option<UnixStream>,
    accepting: Option<JoinHandle<()>>,
}

impl Ssh {
    /// A server that listens, with an empty folder; sshfs is to be mounted with `options` (words
    /// of `-o`).
    ///
    /// # Errors
    /// When it cannot be set up.
    pub fn new(options: &[&str]) -> Result<Self> {
        let place = place()?;
        let top = place.path().canonicalize()?;
        let [served, _, _] = folders(&top, ["served", "raw", "point"])?;
        let keygen = in_path("ssh-keygen", "openssh-client")?;
        for name in ["host_key", "key"] {
            let mut command = Command::new(&keygen);
            command.args(["-q", "-t", "ed25519", "-N", "", "-f"]);
            run(command.arg(top.join(name)), b"")?.success()?;
        }
        let mut user =
            User::from_uid(geteuid())?.context("the user of this process has no name")?;
        if user.uid.is_root() {
            user = user_named(SERVED_BY)?;
            for path in [served, top.join("host_key")] {
                chown(path, Some(user.uid.as_raw()), Some(user.gid.as_raw()))?;
            }
        }
        fs::set_permissions(top.join("key.pub"), fs::Permissions::from_mode(0o644))?;
        fs::write(
            top.join("sshd_config"),
            format!(
                "HostKey {top}/host_key\nAuthorizedKeysFile {top}/key.pub\nPidFile none\n\
                 StrictModes no\nUsePAM yes\nPasswordAuthentication no\n\
                 KbdInteractiveAuthentication no\nPrintMotd no\nPrintLastLog no\n\
                 Subsystem sftp internal-sftp\nForceCommand internal-sftp\n",
                top = top.display()
            ),
        )?;
        let mut ssh = Self {
            mount: None,
            serving: None,
            line: Line::new(),
            port: 0,
            user: user.name,
            place,
            options: options.iter().map(|word| (*word).to_owned()).collect(),
        };
        ssh.start()?;
        Ok(ssh)
    }

    /// The line between sshfs and the server.
    #[must_use]
    pub fn line(&self) -> &Line {
        &self.line
    }

    /// The folder that is served.
    #[must_use]
    pub fn served(&self) -> PathBuf {
        self.place.path().join("served")
    }

    /// What sshfs and the servers have printed.
    #[must_use]
    pub fn log(&self) -> String {
        let mounted = self.mount.as_ref().map(Mounted::log);
        let mut text = mounted.and_then(Result::ok).unwrap_or_default();
        if let Some(serving) = &self.serving {
            for server in serving.servers.lock().iter() {
                text.push_str(&server.log());
            }
        }
        text
    }

    /// Listens, at the port of the first time; nothing if it does.
    ///
    /// # Errors
    /// When the port cannot be had.
    pub fn start(&mut self) -> Result<()> {
        if self.serving.is_some() {
            return Ok(());
        }
        let listener = TcpListener::bind(("127.0.0.1", self.port))?;
        self.port = listener.local_addr()?.port();
        self.serving = Some(Serving::new(
            listener,
            Arc::clone(&self.line),
            self.sshd()?,
        )?);
        Ok(())
    }

    /// Kills the server with all that it serves and listens no more: connections are refused.
    pub fn stop(&mut self) {
        self.serving = None;
    }

    /// The server stands still: it takes what is sent and answers nothing.
    pub fn freeze(&self) {
        self.signal(Signal::STOP);
    }

    /// The server goes on after [`Ssh::freeze`].
    pub fn thaw(&self) {
        self.signal(Signal::CONT);
    }

    /// sshfs is killed, as one does when storage hangs; what it leaves of its mount goes too.
    ///
    /// # Errors
    /// When it is not mounted, or the mount does not go.
    pub fn kill_sshfs(&mut self) -> Result<()> {
        let mount = self.mount.take().context("not mounted")?;
        let pid = mount.pid().and_then(|pid| Pid::from_raw(pid.cast_signed()));
        kill_process(pid.context("sshfs has ended")?, Signal::KILL)?;
        mount.abandon()
    }

    fn signal(&self, signal: Signal) {
        let Some(serving) = &self.serving else {
            return;
        };
        for server in serving.servers.lock().iter() {
            server.signal(signal);
        }
    }

    /// The words that serve a connection.
    fn sshd(&self) -> Result<Vec<OsString>> {
        let mut words: Vec<OsString> = Vec::new();
        if rustix::process::geteuid().is_root() {
            let user = user_named(&self.user)?;
            words.push(in_path("setpriv", "util-linux")?.into());
            words.push(format!("--reuid={}", user.uid).into());
            words.push(format!("--regid={}", user.gid).into());
            words.push("--clear-groups".into());
        }
        words.push(in_path("sshd", "openssh-server")?.into());
        words.extend(["-i", "-e", "-f"].map(OsString::from));
        words.push(self.place.path().join("sshd_config").into());
        Ok(words)
    }
}

impl Storage for Ssh {
    fn mount(&mut self) -> Result<()> {
        if self.mount.is_some() {
            return Ok(());
        }
        let top = self.place.path();
        let mut command = Command::new(in_path("sshfs", "sshfs")?);
        command.args(["-f", "-F", "/dev/null", "-p"]);
        command.arg(self.port.to_string());
        command
            .arg("-o")
            .arg(format!("IdentityFile={}/key", top.display()));
        command.args(["-o", "UserKnownHostsFile=/dev/null"]);
        command.args(["-o", "StrictHostKeyChecking=no"]);
        for word in &self.options {
            command.arg("-o").arg(word);
        }
        command.arg(format!(
            "{}@127.0.0.1:{}",
            self.user,
            self.served().display()
        ));
        command.arg(self.raw());
        let mounted = Mounted::by(&mut command, &self.raw(), b"");
        self.mount = Some(mounted.with_context(|| self.log())?);
        Ok(())
    }

    fn unmount(&mut self) -> Result<()> {
        self.mount.take().map_or(Ok(()), Mounted::unmount)
    }

    fn raw(&self) -> PathBuf {
        self.place.path().join("raw")
    }

    fn folder(&self) -> &Path {
        self.place.path()
    }
}

impl Serving {
    fn new(listener: TcpListener, line: Arc<Line>, sshd: Vec<OsString>) -> Result<Self> {
        let servers = Arc::new(Mutex::new(Vec::new()));
        let (stop, stopped) = UnixStream::pair()?;
        let list = Arc::clone(&servers);
        let accepting = std::thread::spawn(move || {
            if let Err(error) = accept(&listener, &stopped, &line, &sshd, &list) {
                eprintln!("the SSH server listens no more: {error:#}");
            }
        });
        Ok(Self {
            servers,
            stop: Some(stop),
            accepting: Some(accepting),
        })
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        // Closing one end wakes the thread that polls the other.
        drop(self.stop.take());
        if self
            .accepting
            .take()
            .is_some_and(|thread| thread.join().is_err())
        {
            eprintln!("the thread of the SSH server panicked");
        }
        self.servers.lock().clear();
    }
}

/// Serves each connection by a process of its own until `stopped` is closed.
fn accept(
    listener: &TcpListener,
    stopped: &UnixStream,
    line: &Arc<Line>,
    sshd: &[OsString],
    servers: &Mutex<Vec<Server>>,
) -> Result<()> {
    // A connection may be given up between the two calls; then `accept` must not wait.
    listener.set_nonblocking(true)?;
    loop {
        let mut fds = [
            PollFd::new(listener, PollFlags::IN),
            PollFd::new(stopped, PollFlags::IN),
        ];
        poll_for(&mut fds, LIMIT)?;
        if !fds[1].revents().is_empty() {
            return Ok(());
        }
        let client = match listener.accept() {
            Ok((client, _)) => client,
            Err(error) if error.kind() == ErrorKind::WouldBlock => continue,
            Err(error) => return Err(error.into()),
        };
        client.set_nonblocking(false)?;
        let (ours, theirs) = UnixStream::pair()?;
        let mut words = sshd.iter();
        let mut command = Command::new(words.next().context("no command")?);
        command
            .args(words)
            .stdin(OwnedFd::from(theirs.try_clone()?));
        command.stdout(OwnedFd::from(theirs));
        servers.lock().push(Server::start(&mut command)?);
        line.join(client, ours)?;
    }
}

fn user_named(name: &str) -> Result<User> {
    User::from_name(name)?.with_context(|| format!("there is no user `{name}`"))
}
