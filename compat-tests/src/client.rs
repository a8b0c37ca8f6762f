//! The folder of a program that finds `encfs` and `encfsctl` on its search path.
//!
//! Either program under test stands there under these two names, so the same lines can be run
//! against both: what a client needs is first shown to hold of EncFS 1.9.5.

use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};

use anyhow::{Context, Result, bail, ensure};
use tempfile::TempDir;

use crate::daemon::Daemon;
use crate::manifest::Fixture;
use crate::mounted::{
    is_mounted, mount_source_and_type, mounts_below, unmount_now, wait_until_unmounted,
};
use crate::oracle::{Program, in_path};
use crate::run::{Finished, LIMIT, describe, run, wait};

/// A file that every volume here has, once [`Home::with_volume`] has unpacked it.
pub const A_FILE: &str = "size-1";

/// Folders of the system's own programs.
const SYSTEM_PATH: &str = "/usr/local/bin:/usr/bin:/bin:/usr/local/sbin:/usr/sbin:/sbin";

/// Runs `scenario` with EncFS 1.9.5, which must satisfy it, and with encfs-rs.
///
/// # Errors
/// Those of the scenario, with the program's name.
pub fn with_each(scenario: impl Fn(Program) -> Result<()>) -> Result<()> {
    for program in [Program::Encfs195, Program::EncfsRs] {
        scenario(program).context(program.label())?;
    }
    Ok(())
}

/// A folder with `bin`, `raw`, `mnt` and a home folder. All mounts in it go when it is dropped.
#[derive(Debug)]
pub struct Home {
    path: PathBuf,
    password: String,
    folder: TempDir,
}

impl Home {
    /// A folder whose `raw` is empty. The password is for a volume that is made there.
    ///
    /// # Errors
    /// When the folder cannot be made or `program` is missing.
    pub fn new(program: Program) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let path = folder.path().canonicalize()?;
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755))?;
        for name in ["bin", "raw", "mnt", "home"] {
            std::fs::create_dir(path.join(name))?;
        }
        symlink(program.encfs_path()?, path.join("bin/encfs"))?;
        symlink(program.encfsctl_path()?, path.join("bin/encfsctl"))?;
        Ok(Self {
            path,
            password: "the client's password".to_owned(),
            folder,
        })
    }

    /// A folder with the fixture volume `standard` in `raw`, whose key is derived quickly.
    ///
    /// # Errors
    /// As [`Home::new`], or when the volume cannot be unpacked.
    pub fn with_volume(program: Program) -> Result<Self> {
        let mut home = Self::new(program)?;
        let fixture = Fixture::named("standard")?;
        fixture.unpack(&home.raw())?;
        fixture.password()?.clone_into(&mut home.password);
        Ok(home)
    }

    /// The folder itself.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The folder of encrypted files.
    #[must_use]
    pub fn raw(&self) -> PathBuf {
        self.path.join("raw")
    }

    /// The mount point.
    #[must_use]
    pub fn mnt(&self) -> PathBuf {
        self.path.join("mnt")
    }

    /// The password of the volume.
    #[must_use]
    pub fn password(&self) -> &str {
        &self.password
    }

    /// The password as a line.
    #[must_use]
    pub fn line(&self) -> String {
        format!("{}\n", self.password)
    }

    /// The program `name`, looked for on the search path of the client, in a session without a
    /// terminal. Of the caller's environment it gets nothing; `DIR`, `RAW`, `MNT` and `PW` are the
    /// folder, its parts and the password.
    ///
    /// # Errors
    /// When `setsid` is missing.
    pub fn client(&self, name: &str) -> Result<Command> {
        let mut command = Command::new(in_path("setsid", "util-linux")?);
        command.arg(name).current_dir(&self.path).env_clear();
        command
            .env(
                "PATH",
                format!("{}:{SYSTEM_PATH}", self.path.join("bin").display()),
            )
            .env("HOME", self.path.join("home"))
            .env("LC_ALL", "C")
            .env("DIR", &self.path)
            .env("RAW", self.raw())
            .env("MNT", self.mnt())
            .env("PW", &self.password);
        Ok(command)
    }

    /// Runs `script` by `/bin/sh -eu`, the way a client runs its lines.
    ///
    /// # Errors
    /// When it does not end.
    pub fn sh(&self, script: &str, stdin: &str) -> Result<Finished> {
        run(
            self.client("/bin/sh")?.args(["-euc", script]),
            stdin.as_bytes(),
        )
    }

    /// Runs `script` as root of a world of its own: mounts and processes in it are seen by it only
    /// and end with it. `/usr/local/bin` is our `bin` there, for clients that know where programs
    /// lie, and `/dev/fuse` is open to all.
    ///
    /// # Errors
    /// When it does not end, or the world cannot be made.
    pub fn private(&self, script: &str, stdin: &str) -> Result<Finished> {
        let begin = "rm -f fuse; mknod fuse c 10 229; chmod 666 fuse; mount --bind fuse /dev/fuse; \
                     mount --bind bin /usr/local/bin; ";
        let mut command = self.client(&in_path("unshare", "util-linux")?.to_string_lossy())?;
        command
            .args(["--mount", "--pid", "--fork", "--kill-child", "--mount-proc"])
            .args(["/bin/sh", "-euc", &format!("{begin}{script}")]);
        run(&mut command, stdin.as_bytes())
    }

    /// Whether the volume is mounted.
    ///
    /// # Errors
    /// When the mount table cannot be read.
    pub fn is_mounted(&self) -> Result<bool> {
        is_mounted(&self.mnt())
    }

    /// Source and type of the mount.
    ///
    /// # Errors
    /// When nothing is mounted.
    pub fn table(&self) -> Result<(String, String)> {
        mount_source_and_type(&self.mnt())
    }

    /// Whether the mount shows the files of the volume, and the program under test serves it.
    ///
    /// # Errors
    /// When it does not.
    pub fn shows_files(&self) -> Result<()> {
        ensure!(
            self.is_mounted()?,
            "{} is not mounted",
            self.mnt().display()
        );
        std::fs::metadata(self.mnt().join(A_FILE)).context("a file of the volume is not shown")?;
        let (served, meant) = (self.daemon()?.link("exe")?, self.program()?);
        ensure!(
            served == meant,
            "served by {}, not {}",
            served.display(),
            meant.display()
        );
        Ok(())
    }

    /// The file that `encfs` is.
    ///
    /// # Errors
    /// When it is gone.
    pub fn program(&self) -> Result<PathBuf> {
        Ok(self.path.join("bin/encfs").canonicalize()?)
    }

    /// The process that serves the mount.
    ///
    /// # Errors
    /// When it is not one.
    pub fn daemon(&self) -> Result<Daemon> {
        match Daemon::all_for(&self.mnt())?[..] {
            [pid] => Daemon::open(pid),
            ref all => bail!("processes with the mount point: {all:?}"),
        }
    }

    /// Waits for the end of all who have served the mount point, after a client has unmounted it.
    ///
    /// # Errors
    /// When one of them goes on.
    pub fn settled(&self) -> Result<()> {
        for pid in Daemon::all_for(&self.mnt())? {
            // One that is not there any more is what is waited for.
            if let Ok(daemon) = Daemon::open(pid) {
                daemon.wait()?;
            }
        }
        Ok(())
    }

    /// Unmounts as a user does and waits for the end of the daemon.
    ///
    /// # Errors
    /// When it is not mounted, or the daemon goes on.
    pub fn unmount(&self) -> Result<()> {
        let daemon = self.daemon()?;
        unmount_now(&self.mnt(), true)?;
        wait_until_unmounted(&self.mnt())?;
        daemon.wait()
    }

    /// Whether the folder of encrypted files holds a volume.
    #[must_use]
    pub fn has_configuration(&self) -> bool {
        self.raw().join(".encfs6.xml").exists()
    }

    /// Starts a script that an interactive client would be, with its streams as pipes.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn coprocess(&self, words: &[&str]) -> Result<Coprocess> {
        let (name, args) = words.split_first().context("no program")?;
        Coprocess::start(self.client(name)?.args(args))
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        // The innermost last mounted one first.
        for point in mounts_below(self.folder.path()).unwrap_or_default() {
            if let Err(error) = unmount_now(&point, true) {
                eprintln!("while leaving {}: {error:#}", point.display());
            }
        }
    }
}

/// A program that is talked to line by line, each answer awaited for a bounded time.
#[derive(Debug)]
pub struct Coprocess {
    name: String,
    child: Child,
    stdin: Option<ChildStdin>,
    stdout: Receiver<String>,
    stderr: Receiver<String>,
}

impl Coprocess {
    fn start(command: &mut Command) -> Result<Self> {
        let name = describe(command);
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .with_context(|| format!("cannot start {name}"))?;
        let stdout = lines_of(child.stdout.take().context("no pipe")?);
        let stderr = lines_of(child.stderr.take().context("no pipe")?);
        Ok(Self {
            name,
            stdin: child.stdin.take(),
            child,
            stdout,
            stderr,
        })
    }

    /// Sends bytes as they are.
    ///
    /// # Errors
    /// When the program has closed its input.
    pub fn send(&mut self, bytes: &[u8]) -> Result<()> {
        let pipe = self.stdin.as_mut().context("the input is closed")?;
        pipe.write_all(bytes)?;
        Ok(pipe.flush()?)
    }

    /// The next line of standard output, without its end.
    ///
    /// # Errors
    /// When none comes in time.
    pub fn line(&mut self) -> Result<String> {
        next(&self.stdout, &self.name)
    }

    /// The next line of standard error, without its end.
    ///
    /// # Errors
    /// When none comes in time.
    pub fn error_line(&mut self) -> Result<String> {
        next(&self.stderr, &self.name)
    }

    /// Sends a line and gives the line that answers it, before the next is sent.
    ///
    /// # Errors
    /// When no answer comes in time.
    pub fn ask(&mut self, line: &str) -> Result<String> {
        self.send(format!("{line}\n").as_bytes())?;
        self.line()
    }

    /// The number of the process.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Closes its input and gives its status, and what it had still to say on standard error.
    ///
    /// # Errors
    /// When it goes on.
    pub fn end(mut self) -> Result<(Option<i32>, Vec<String>)> {
        drop(self.stdin.take());
        let status =
            wait(&mut self.child, LIMIT)?.with_context(|| format!("{} goes on", self.name))?;
        Ok((status.code(), self.stderr.iter().collect()))
    }
}

impl Drop for Coprocess {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn next(lines: &Receiver<String>, name: &str) -> Result<String> {
    lines
        .recv_timeout(LIMIT)
        .with_context(|| format!("{name}: no line comes"))
}

fn lines_of(stream: impl std::io::Read + Send + 'static) -> Receiver<String> {
    let (sender, receiver) = channel();
    std::thread::spawn(move || {
        for line in BufReader::new(stream).split(b'\n').map_while(Result::ok) {
            let line = String::from_utf8_lossy(&line).into_owned();
            if sender.send(line).is_err() {
                return;
            }
        }
    });
    receiver
}
