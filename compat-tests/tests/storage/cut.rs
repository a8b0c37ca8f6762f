//! The connection to storage breaks in the middle: errors are told, nothing hangs, the mount
//! works again when the server is back, and nothing that was acknowledged is lost.

use std::fs::{self, File};
use std::io::Write;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use compat_tests::mounted::wait_until_unmounted;
use compat_tests::ops::bytes;
use compat_tests::oracle::Program;
use compat_tests::run::run_within;
use compat_tests::storage::Storage;
use compat_tests::storage::sshd::Ssh;
use compat_tests::storage::story::{CREATE, mount};

/// No call may take longer: ssh gives a dead connection up after 3 times 1 s, and connects again.
const LIMIT: Duration = Duration::from_secs(60);
const OPTIONS: &[&str] = &[
    "reconnect",
    "ServerAliveInterval=1",
    "ServerAliveCountMax=3",
];

/// What `act` answered, within [`LIMIT`].
fn in_time<T: Send + 'static>(what: &str, act: impl FnOnce() -> T + Send + 'static) -> Result<T> {
    let (tell, hear) = mpsc::channel();
    std::thread::spawn(move || {
        // The test may have given up.
        let _ = tell.send(act());
    });
    hear.recv_timeout(LIMIT)
        .with_context(|| format!("{what} hangs"))
}

fn content(number: usize) -> Vec<u8> {
    bytes(number as u64, 20_000 + 777 * number)
}

fn name(number: usize) -> String {
    format!("file {number}")
}

/// Writes files one after the other until one fails; the number of those that were acknowledged,
/// and the error.
fn write_on(point: &Path, synced: bool, begun: &mpsc::Sender<()>) -> (usize, std::io::Error) {
    let mut number = 0;
    loop {
        let write = || {
            let mut file = File::create(point.join(name(number)))?;
            file.write_all(&content(number))?;
            if synced {
                file.sync_all()?;
            }
            nix::unistd::close(file)?;
            Ok(())
        };
        if let Err(error) = write() {
            return (number, error);
        }
        number += 1;
        if number == 5 {
            let _ = begun.send(());
        }
    }
}

/// The server is killed while files are written, some of them synced.
fn killed(synced: bool) -> Result<()> {
    let mut ssh = Ssh::new(OPTIONS)?;
    let volume = mount(&mut ssh, Program::EncfsRs, CREATE)?;
    let point = volume.path().to_path_buf();
    let open = File::options()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(point.join("open"))?;
    open.write_all_at(&content(90), 0)?;
    open.sync_all()?;

    let (begun, started) = mpsc::channel();
    let writer = {
        let point = point.clone();
        std::thread::spawn(move || write_on(&point, synced, &begun))
    };
    started.recv_timeout(LIMIT).context("no file was written")?;
    ssh.stop();
    let (acknowledged, error) = in_time("writing", move || writer.join())?
        .map_err(|_| anyhow::anyhow!("the writer panicked"))?;
    ensure!(acknowledged >= 5, "{acknowledged}: {error}");
    // While the server is away everything fails, and soon.
    let at = point.clone();
    let made = in_time("a new file", move || File::create(at.join("while away")))?;
    ensure!(
        made.is_err(),
        "a file was made on a server that is not there"
    );

    ssh.start()?;
    // What was opened before belongs to a connection that is gone: it may fail, but not hang.
    let _ = in_time("writing to an old handle", move || {
        let written = open.write_all_at(b"after", 0);
        let closed: std::io::Result<()> = nix::unistd::close(open).map_err(Into::into);
        written.and(closed)
    })?;
    let at = point.clone();
    in_time("a new file", move || {
        fs::write(at.join("afterwards"), content(91))
    })?
    .context("the mount does not work again")?;
    let check = move |point: PathBuf| -> Result<()> {
        for number in 0..acknowledged {
            let seen = fs::read(point.join(name(number)));
            let seen = seen.with_context(|| name(number))?;
            ensure!(
                seen == content(number),
                "file {number} was acknowledged and is wrong"
            );
        }
        let mut open = content(90);
        let seen = fs::read(point.join("open"))?;
        let as_synced = seen == open;
        open.splice(0..5, *b"after");
        ensure!(as_synced || seen == open, "the open file is wrong");
        ensure!(fs::read(point.join("afterwards"))? == content(91));
        Ok(())
    };
    let at = point.clone();
    in_time("reading", move || check(at))??;
    volume.unmount()?;
    ssh.unmount()?;

    for program in [Program::EncfsRs, Program::Encfs195] {
        let volume = mount(&mut ssh, program, &[])?;
        check(volume.path().to_path_buf()).context(program.label())?;
        volume.unmount()?;
        ssh.unmount()?;
    }
    Ok(())
}

#[test]
fn a_server_is_killed_under_closed_files() -> Result<()> {
    killed(false)
}

#[test]
fn a_server_is_killed_under_synced_files() -> Result<()> {
    killed(true)
}

/// The server stands still. The call that waits for it does not keep the volume from being
/// unmounted, and once the storage's own program is gone, nothing is left.
#[test]
fn unmounting_while_storage_hangs() -> Result<()> {
    let mut ssh = Ssh::new(&[])?;
    let volume = mount(&mut ssh, Program::EncfsRs, CREATE)?;
    let point = volume.path().to_path_buf();
    fs::write(point.join("there"), content(1))?;
    ssh.freeze();
    let (tell, hear) = mpsc::channel();
    let at = point.clone();
    let hanging = std::thread::spawn(move || {
        let _ = tell.send(());
        fs::write(at.join("hangs"), content(2))
    });
    hear.recv_timeout(LIMIT)?;
    let mut unmount = Program::EncfsRs.encfs()?;
    run_within(unmount.arg("-u").arg(&point), b"", LIMIT)?.success()?;
    wait_until_unmounted(&point)?;
    ensure!(!hanging.is_finished(), "the storage did answer");

    ssh.kill_sshfs()?;
    let told = in_time("the call", move || hanging.join())?;
    ensure!(told.is_ok_and(|told| told.is_err()), "it was acknowledged");
    in_time("encfs-rs", move || volume.ended())??;
    ssh.thaw();
    let volume = mount(&mut ssh, Program::EncfsRs, &[])?;
    ensure!(fs::read(volume.path().join("there"))? == content(1));
    volume.unmount()?;
    ssh.unmount()
}
