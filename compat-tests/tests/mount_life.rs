//! The life of a mount, from the word of the parent to the end of the daemon.

use std::io::{BufRead, BufReader, Lines, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, Command, Output, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use compat_tests::daemon::Daemon;
use compat_tests::manifest::Fixture;
use compat_tests::mounted::{is_mounted, unmount_now, wait_until_unmounted};
use compat_tests::oracle::{Program, in_path};
use compat_tests::run::{run, wait};
use rustix::process::{Pid, Signal};

const LIMIT: Duration = Duration::from_secs(60);

/// A volume whose key is derived quickly, and a place to mount it.
struct Place {
    raw: PathBuf,
    mnt: PathBuf,
    password: String,
    /// Removed when dropped.
    _folder: tempfile::TempDir,
}

impl Place {
    fn new() -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let path = folder.path().canonicalize()?;
        let (raw, mnt) = (path.join("raw"), path.join("mnt"));
        std::fs::create_dir(&raw)?;
        std::fs::create_dir(&mnt)?;
        let fixture = Fixture::named("standard")?;
        fixture.unpack(&raw)?;
        let password = format!("{}\n", fixture.password()?);
        Ok(Self {
            raw,
            mnt,
            password,
            _folder: folder,
        })
    }

    fn encfs(&self, options: &[&str]) -> Result<Command> {
        let mut command = Program::EncfsRs.encfs()?;
        command
            .arg("-S")
            .args(options)
            .arg(&self.raw)
            .arg(&self.mnt);
        Ok(command)
    }

    /// Mounts as a daemon; gives the daemon.
    fn daemon(&self) -> Result<Daemon> {
        let before = Daemon::all_for(&self.mnt)?;
        run(&mut self.encfs(&[])?, self.password.as_bytes())?.success()?;
        ensure!(
            is_mounted(&self.mnt)?,
            "the parent ended before the mount was there"
        );
        let mut new = Daemon::all_for(&self.mnt)?;
        new.retain(|pid| !before.contains(pid));
        ensure!(new.len() == 1, "daemons: {new:?}");
        new.pop().map(Daemon::open).context("no daemon")?
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        while is_mounted(&self.mnt).unwrap_or(false) {
            if unmount_now(&self.mnt, true).is_err() {
                return;
            }
        }
    }
}

/// Everything `command` writes until its streams are closed by all who hold them.
fn output_until_closed(mut command: Command, stdin: Vec<u8>) -> Result<Output> {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    child.stdin.take().context("no pipe")?.write_all(&stdin)?;
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || sender.send(child.wait_with_output()));
    Ok(receiver
        .recv_timeout(LIMIT)
        .context("the streams stay open")??)
}

#[test]
fn each_ending_signal_unmounts_and_ends_with_success() -> Result<()> {
    for (name, signal) in [
        ("INT", Signal::INT),
        ("TERM", Signal::TERM),
        ("HUP", Signal::HUP),
    ] {
        let place = Place::new()?;
        let inner = place.encfs(&["-f", "--annotate"])?;
        // The test may have been started with signals ignored, which would be inherited.
        let mut command = Command::new(in_path("env", "coreutils")?);
        command
            .arg("--default-signal")
            .arg(inner.get_program())
            .args(inner.get_args());
        let (mut child, mut lines) = started(&mut command, &place)?;
        // From this line on no signal is lost, whether the mount is there or not.
        for line in lines.by_ref() {
            if line? == "$STATUS$ fuse_main_start" {
                break;
            }
        }
        rustix::process::kill_process(Pid::from_child(&child), signal)?;
        let status = wait(&mut child, LIMIT)?.with_context(|| format!("{name}: goes on"))?;
        ensure!(status.success(), "{name}: {status}");
        ensure!(!is_mounted(&place.mnt)?, "{name}: still mounted");
        let last = lines.last().transpose()?;
        ensure!(
            last.as_deref() == Some("$STATUS$ fuse_main_end"),
            "{name}: {last:?}"
        );
    }
    Ok(())
}

#[test]
fn the_parent_returns_with_a_usable_mount_and_all_streams_closed() -> Result<()> {
    let place = Place::new()?;
    let output = output_until_closed(place.encfs(&[])?, place.password.clone().into_bytes())?;
    ensure!(output.status.success(), "{output:?}");
    ensure!(
        output.stdout.is_empty() && output.stderr.is_empty(),
        "{output:?}"
    );
    std::fs::metadata(place.mnt.join("size-1"))?;

    let pid = Daemon::all_for(&place.mnt)?;
    ensure!(pid.len() == 1, "{pid:?}");
    let daemon = Daemon::open(pid[0])?;
    assert_eq!(daemon.link("cwd")?, Path::new("/"));
    for descriptor in ["fd/0", "fd/1", "fd/2"] {
        assert_eq!(
            daemon.link(descriptor)?,
            Path::new("/dev/null"),
            "{descriptor}"
        );
    }
    let status = std::fs::read_to_string(format!("/proc/{}/status", daemon.pid))?;
    assert!(status.contains("\nUmask:\t0000\n"), "{status}");
    let session = rustix::process::getsid(Pid::from_raw(daemon.pid))?;
    assert_eq!(session.as_raw_nonzero().get(), daemon.pid);

    run(
        Command::new(in_path("fusermount3", "fuse3")?)
            .arg("-u")
            .arg(&place.mnt),
        b"",
    )?
    .success()?;
    daemon.wait()
}

/// Programs under `expect` leave descriptors open in what they start, and wait for their end.
#[test]
fn whatever_else_the_caller_left_open_is_closed_once_it_is_mounted() -> Result<()> {
    let place = Place::new()?;
    let passed = place.raw.with_file_name("password");
    std::fs::write(&passed, &place.password)?;
    // The password program still has them.
    let inner = place.encfs(&["--extpass=cat <&8; cat >&7"])?;
    let mut command = Command::new(in_path("sh", "dash")?);
    command
        .arg("-c")
        .arg("exec 7>&1 8<\"$0\" >/dev/null 2>&1; exec \"$@\"")
        .arg(&passed)
        .arg(inner.get_program())
        .args(inner.get_args());
    let output = output_until_closed(command, b"from the program".to_vec())?;
    ensure!(output.status.success(), "{output:?}");
    assert_eq!(output.stdout, b"from the program");
    std::fs::metadata(place.mnt.join("size-1"))?;
    unmount_now(&place.mnt, true)
}

/// The program, which was given the password, and what it says on standard error.
fn started(command: &mut Command, place: &Place) -> Result<(Child, Lines<BufReader<ChildStderr>>)> {
    let mut child = command
        .stdin(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    child
        .stdin
        .take()
        .context("no pipe")?
        .write_all(place.password.as_bytes())?;
    let lines = BufReader::new(child.stderr.take().context("no pipe")?).lines();
    Ok((child, lines))
}

#[test]
fn a_log_that_nobody_reads_any_more_stops_nothing() -> Result<()> {
    let place = Place::new()?;
    let mut command = place.encfs(&["-f", "-d"])?;
    let (mut child, mut log) = started(&mut command, &place)?;
    let mounted = |line: &std::io::Result<String>| {
        line.as_ref()
            .is_ok_and(|line| line.contains("Filesystem mounted"))
    };
    ensure!(log.any(|line| mounted(&line)), "it ended");
    drop(log);
    // Each of these is logged.
    for _ in 0..3 {
        ensure!(std::fs::read(place.mnt.join("size-1"))?.len() == 1);
        ensure!(std::fs::metadata(place.mnt.join("none")).is_err());
        ensure!(std::fs::read_dir(&place.mnt)?.count() > 10);
    }
    rustix::process::kill_process(Pid::from_child(&child), Signal::TERM)?;
    let status = wait(&mut child, LIMIT)?.context("goes on")?;
    ensure!(status.success(), "{status}");
    ensure!(!is_mounted(&place.mnt)?, "still mounted");
    Ok(())
}

#[test]
fn a_mount_that_fails_after_the_fork_is_told_to_the_caller() -> Result<()> {
    let place = Place::new()?;
    let inner = place.encfs(&[])?;
    let mut command = Command::new(in_path("setpriv", "util-linux")?);
    if rustix::process::geteuid().is_root() {
        command.arg("--bounding-set=-sys_admin");
    } else {
        command.arg("--no-new-privs");
    }
    command.arg(inner.get_program()).args(inner.get_args());
    let output = output_until_closed(command, place.password.clone().into_bytes())?;
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{told}");
    assert!(told.starts_with("encfs-rs: cannot mount at "), "{told}");
    assert!(!is_mounted(&place.mnt)?);
    assert_eq!(Daemon::all_for(&place.mnt)?, Vec::<i32>::new());
    Ok(())
}

#[test]
fn a_dead_mount_is_named_and_taken_away() -> Result<()> {
    let place = Place::new()?;
    let daemon = place.daemon()?;
    // The kernel goes on knowing its attributes for a second.
    std::fs::metadata(&place.mnt)?;
    daemon.signal(Signal::KILL)?;
    daemon.wait()?;

    let refused = run(&mut place.encfs(&[])?, place.password.as_bytes())?;
    assert_eq!(refused.code(), Some(1), "{refused}");
    assert!(
        refused.err().contains("is a mount whose program is gone"),
        "{refused}"
    );

    let mut unmount = Program::EncfsRs.encfs()?;
    run(unmount.arg("-u").arg(&place.mnt), b"")?.success()?;
    assert!(!is_mounted(&place.mnt)?);
    std::fs::read_dir(&place.mnt)?;
    Ok(())
}

/// fuser unmounts by path when its session ends; this must not hit the next mount.
#[test]
fn a_detached_mount_that_ends_late_leaves_the_next_one_alone() -> Result<()> {
    let place = Place::new()?;
    let old = place.daemon()?;
    let file = std::fs::File::open(place.mnt.join("size-1"))?;
    old.signal(Signal::TERM)?;
    wait_until_unmounted(&place.mnt)?;
    assert!(
        !old.has_ended_within(Duration::ZERO)?,
        "a file is open, and the daemon has ended"
    );

    let new = place.daemon()?;
    // A second signal to the old one, with the new one in its place.
    old.signal(Signal::TERM)?;
    drop(file);
    old.wait()?;
    assert!(is_mounted(&place.mnt)?, "the new mount is gone");
    std::fs::metadata(place.mnt.join("size-1"))?;

    new.signal(Signal::TERM)?;
    new.wait()?;
    assert!(!is_mounted(&place.mnt)?);
    Ok(())
}

#[test]
fn the_same_place_can_be_mounted_twice_and_unmounted_twice() -> Result<()> {
    let place = Place::new()?;
    let lower = place.daemon()?;
    run(
        &mut place.encfs(&["-o", "nonempty"])?,
        place.password.as_bytes(),
    )?
    .success()?;
    for still_mounted in [true, false] {
        let mut unmount = Program::EncfsRs.encfs()?;
        let told = run(unmount.arg("-u").arg(&place.mnt), b"")?.success()?;
        assert_eq!(told.err(), "");
        if still_mounted {
            std::fs::metadata(place.mnt.join("size-1"))?;
        }
        assert_eq!(is_mounted(&place.mnt)?, still_mounted);
    }
    lower.wait()
}
