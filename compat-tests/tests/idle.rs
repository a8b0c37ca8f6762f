//! Mounts that end, or close their volume, when nobody uses them; volumes opened when needed.
//!
//! The real clock: one minute is the shortest idle time there is. All cases run side by side.

use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use compat_tests::manifest::Fixture;
use compat_tests::mounted::{is_mounted, unmount_now};
use compat_tests::oracle::Program;
use compat_tests::run::wait;

/// A minute of idleness is noticed within 80 s; the rest is for slow machines.
const LIMIT: Duration = Duration::from_secs(180);

struct Place {
    raw: PathBuf,
    mnt: PathBuf,
    /// The password program writes a line here each time it runs.
    asked: PathBuf,
    password: PathBuf,
    _folder: tempfile::TempDir,
}

/// A program in the foreground with its log, line by line.
struct Served {
    child: Child,
    log: Receiver<String>,
}

impl Place {
    fn new() -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let path = folder.path().canonicalize()?;
        let place = Self {
            raw: path.join("raw"),
            mnt: path.join("mnt"),
            asked: path.join("asked"),
            password: path.join("password"),
            _folder: folder,
        };
        std::fs::create_dir(&place.raw)?;
        std::fs::create_dir(&place.mnt)?;
        let fixture = Fixture::named("standard")?;
        fixture.unpack(&place.raw)?;
        std::fs::write(&place.password, fixture.password()?)?;
        std::fs::write(&place.asked, b"")?;
        Ok(place)
    }

    fn extpass(&self) -> String {
        format!(
            "--extpass=echo asked >> '{}'; cat '{}'",
            self.asked.display(),
            self.password.display()
        )
    }

    fn times_asked(&self) -> Result<usize> {
        Ok(std::fs::read_to_string(&self.asked)?.lines().count())
    }

    /// Runs in the foreground; returns when the mount is in place.
    fn serve(&self, options: &[&str]) -> Result<Served> {
        let mut command: Command = Program::EncfsRs.encfs()?;
        command
            .args(["-f", "-v", &self.extpass()])
            .args(options)
            .args([&self.raw, &self.mnt])
            .stdin(Stdio::null())
            .stderr(Stdio::piped());
        let mut child = command.spawn()?;
        let (send, log) = channel();
        let lines = BufReader::new(child.stderr.take().context("its log")?).lines();
        thread::spawn(move || {
            lines
                .map_while(Result::ok)
                .try_for_each(|line| send.send(line))
        });
        let served = Served { child, log };
        served.until("Filesystem mounted")?;
        ensure!(is_mounted(&self.mnt)?, "said mounted before it was");
        Ok(served)
    }

    fn first_file(&self) -> Result<Vec<u8>> {
        Ok(std::fs::read(self.mnt.join("sizes/f9")).or_else(|_| {
            let any = std::fs::read_dir(&self.mnt)?
                .filter_map(Result::ok)
                .find(|entry| entry.metadata().is_ok_and(|m| m.is_file() && m.len() > 0));
            let any = any.ok_or(std::io::ErrorKind::NotFound)?;
            std::fs::read(any.path())
        })?)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if is_mounted(&self.mnt).unwrap_or(false) {
            let _ = unmount_now(&self.mnt, true);
        }
    }
}

impl Served {
    /// Waits for a line of the log that holds `text`.
    fn until(&self, text: &str) -> Result<()> {
        let end = Instant::now() + LIMIT;
        loop {
            let left = end.saturating_duration_since(Instant::now());
            let line = self
                .log
                .recv_timeout(left)
                .with_context(|| format!("the log never said {text:?}"))?;
            println!("{line}");
            if line.contains(text) {
                return Ok(());
            }
        }
    }

    fn ended(mut self) -> Result<()> {
        let status = wait(&mut self.child, LIMIT)?.context("it goes on")?;
        ensure!(status.success(), "{status}");
        Ok(())
    }
}

fn an_idle_mount_ends_with_status_0() -> Result<()> {
    let place = Place::new()?;
    let served = place.serve(&["-i", "1"])?;
    let contents = place.first_file()?;
    ensure!(!contents.is_empty());
    served.until("unmounting")?;
    served.ended()?;
    ensure!(!is_mounted(&place.mnt)?, "still mounted");
    Ok(())
}

fn an_open_file_keeps_a_mount_until_it_is_closed() -> Result<()> {
    let place = Place::new()?;
    let served = place.serve(&["--idle=1"])?;
    let file = std::fs::File::create(place.mnt.join("open"))?;
    served.until("files are open: not unmounted")?;
    ensure!(is_mounted(&place.mnt)?, "unmounted under an open file");
    drop(file);
    served.until("unmounting")?;
    served.ended()
}

fn on_demand_the_volume_closes_and_the_mount_stays() -> Result<()> {
    let place = Place::new()?;
    let served = place.serve(&["-m", "-i1"])?;
    let contents = place.first_file()?;
    ensure!(place.times_asked()? == 1);
    served.until("volume closed")?;
    ensure!(is_mounted(&place.mnt)?, "the mount did not stay");
    ensure!(place.times_asked()? == 1, "asked before it was needed");
    // A wrong password: refused, and the next access tries again.
    let right = std::fs::read(&place.password)?;
    std::fs::write(&place.password, b"wrong")?;
    let error = std::fs::read_dir(&place.mnt).err().context("let in")?;
    ensure!(
        error.kind() == std::io::ErrorKind::PermissionDenied,
        "{error}"
    );
    served.until("could not be opened again")?;
    std::fs::write(&place.password, right)?;
    ensure!(place.first_file()? == contents, "other contents");
    unmount_now(&place.mnt, false)?;
    served.ended()
}

/// The kernel goes on holding nodes of a volume that is closed.
fn a_shell_inside_finds_its_directory_again() -> Result<()> {
    let place = Place::new()?;
    let served = place.serve(&["-m", "-i1"])?;
    let look = "pwd -P; ls -ial . ..; cksum ../moved inner/file";
    let mut shell = Command::new("/bin/sh")
        .args([
            "-euc",
            &format!("{look}; echo ----; read go; {look}; touch new; rm new"),
        ])
        .current_dir(place.mnt.join("tree/after"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::inherit())
        .spawn()?;
    served.until("volume closed")?;
    ensure!(place.times_asked()? == 1, "asked before it was needed");
    drop(shell.stdin.take().map(|mut pipe| pipe.write_all(b"go\n")));
    let output = shell.wait_with_output()?;
    ensure!(output.status.success(), "{output:?}");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let (before, after) = text.split_once("----\n").context("nothing seen")?;
    ensure!(before.contains("inner"), "{before}");
    ensure!(before == after, "other entries:\n{before}\n---\n{after}");
    ensure!(
        place.times_asked()? == 2,
        "asked {} times",
        place.times_asked()?
    );
    unmount_now(&place.mnt, false)?;
    served.ended()
}

fn delayed_the_password_is_asked_for_at_the_first_access() -> Result<()> {
    let place = Place::new()?;
    let served = place.serve(&["--ondemand", "--delaymount"])?;
    ensure!(place.times_asked()? == 0, "asked before the first access");
    ensure!(std::fs::metadata(&place.mnt)?.is_dir());
    ensure!(
        place.times_asked()? == 1,
        "a stat of the mount point opens it"
    );
    ensure!(!place.first_file()?.is_empty());
    ensure!(place.times_asked()? == 1, "asked twice");
    unmount_now(&place.mnt, false)?;
    served.ended()
}

/// One after the other they would take five minutes.
#[test]
fn idle_and_on_demand_mounts() {
    type Case = (&'static str, fn() -> Result<()>);
    let cases: [Case; 5] = [
        ("an idle mount ends", an_idle_mount_ends_with_status_0),
        (
            "an open file keeps it",
            an_open_file_keeps_a_mount_until_it_is_closed,
        ),
        ("on demand", on_demand_the_volume_closes_and_the_mount_stays),
        ("a shell inside", a_shell_inside_finds_its_directory_again),
        (
            "delayed",
            delayed_the_password_is_asked_for_at_the_first_access,
        ),
    ];
    let failures: Vec<String> = thread::scope(|scope| {
        let running: Vec<_> = cases
            .iter()
            .map(|(name, case)| (name, scope.spawn(case)))
            .collect();
        let ended = running.into_iter().map(|(name, case)| (name, case.join()));
        ended
            .filter_map(|(name, result)| match result {
                Ok(Ok(())) => None,
                Ok(Err(error)) => Some(format!("{name}: {error:#}")),
                Err(_) => Some(format!("{name}: panicked")),
            })
            .collect()
    });
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}
