//! The budget of round trips over sshfs: rsync of small files straight to the storage, through
//! EncFS 1.9.5 and through encfs-rs. Counts are asserted, no times.
//!
//! `cargo test -p compat-tests --test storage budget -- --nocapture` prints the table;
//! `ROUND_TRIP_MS=20` in the environment makes the line longer.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use compat_tests::oracle::Program;
use compat_tests::storage::Storage;
use compat_tests::storage::line::Said;
use compat_tests::storage::sshd::Ssh;
use compat_tests::storage::story::{CREATE, documents, mount, rsync};
use parking_lot::Mutex;

const FILES: usize = 200;
/// Bytes of the largest file.
const LARGEST: usize = 24_000;
/// Round trips a file that the first run may take: three more than straight to the storage. Two of
/// them are the folder's attributes, which the kernel asks for after each name that comes or goes
/// in it, to check permissions; one is the temporary name, looked up by the kernel and once more
/// by the storage's when it is made.
const FIRST: f64 = 19.5;
/// Round trips in all that a second run, with nothing to send, may take.
const SECOND: u64 = 80;
/// What docs/storage.md recommends for sshfs; the log, by which requests are counted by kind.
const OPTIONS: &[&str] = &["negative_timeout=1", "sshfs_debug"];

/// One run of rsync.
struct Run {
    said: Said,
    requests: BTreeMap<String, u32>,
    took: Duration,
}

/// What one round trip takes. The counts hardly depend on it.
fn round_trip() -> Result<Duration> {
    let ms = std::env::var("ROUND_TRIP_MS").unwrap_or_else(|_| "4".to_owned());
    Ok(Duration::from_millis(ms.parse()?))
}

/// A first and a second run, through `program` or straight to the storage.
fn measure(program: Option<Program>, source: &Path) -> Result<[Run; 2]> {
    let mut ssh = Ssh::new(OPTIONS)?;
    ssh.mount()?;
    let volume = match program {
        None => None,
        Some(program) => {
            // Both programs on volumes made by encfs-rs, so that both have the same.
            mount(&mut ssh, Program::EncfsRs, CREATE)?.unmount()?;
            Some(mount(&mut ssh, program, &[])?)
        }
    };
    let top = volume
        .as_ref()
        .map_or(ssh.raw(), |volume| volume.path().to_path_buf());
    let sink = top.join("backup");
    std::fs::create_dir(&sink)?;
    ssh.line().set_round_trip(round_trip()?);
    let mut runs = Vec::new();
    for should in [FILES, 0] {
        ssh.line().take();
        let (before, begun) = (ssh.log().len(), Instant::now());
        let sent = rsync(source, &sink, &["--delete-after"])?;
        let (said, took) = (ssh.line().take(), begun.elapsed());
        ensure!(sent == should, "{sent} files sent, should be {should}");
        let requests = requests(ssh.log().get(before..).unwrap_or_default());
        runs.push(Run {
            said,
            requests,
            took,
        });
    }
    ssh.line().set_round_trip(Duration::ZERO);
    if let Some(volume) = volume {
        volume.unmount()?;
    }
    ssh.unmount()?;
    runs.try_into().ok().context("two runs")
}

/// Requests by kind in the log of sshfs, which has lines such as `[00017] LSTAT`.
fn requests(log: &str) -> BTreeMap<String, u32> {
    let mut kinds = BTreeMap::new();
    for line in log.lines() {
        if let Some((id, kind)) = line.split_once("] ")
            && id.starts_with('[')
        {
            *kinds.entry(kind.to_owned()).or_default() += 1;
        }
    }
    kinds
}

#[test]
fn round_trips_of_rsync() -> Result<()> {
    let source = tempfile::tempdir()?;
    documents(source.path(), FILES, LARGEST)?;
    let programs = [None, Some(Program::Encfs195), Some(Program::EncfsRs)];
    let measured = Mutex::new(BTreeMap::new());
    // All at once: they wait for the line, not for processors.
    std::thread::scope(|scope| {
        for (index, program) in programs.into_iter().enumerate() {
            let (measured, source) = (&measured, source.path());
            scope.spawn(move || {
                let label = program.map_or("straight", Program::label);
                let runs = measure(program, source).context(label);
                measured.lock().insert(index, (label, runs));
            });
        }
    });
    println!(
        "| rsync -a of {FILES} files | round trips a file | up, KiB | s | second run, round trips | s |"
    );
    println!("|---|---|---|---|---|---|");
    let (mut ours, mut kinds) = (None, String::new());
    for (label, runs) in measured.into_inner().into_values() {
        let [first, second] = runs?;
        let per_file = first.said.round_trips as f64 / FILES as f64;
        let again = second.said.round_trips;
        println!(
            "| {label} | {per_file:.1} | {} | {:.1} | {again} | {:.1} |",
            first.said.up >> 10,
            first.took.as_secs_f64(),
            second.took.as_secs_f64()
        );
        kinds += &format!(
            "{label}: {:?}, then {:?}\n",
            first.requests, second.requests
        );
        ours = Some((per_file, again));
    }
    println!("{kinds}");
    let (first, second) = ours.context("nothing measured")?;
    ensure!(
        first <= FIRST,
        "{first:.1} round trips a file, {FIRST} may be"
    );
    ensure!(
        second <= SECOND,
        "{second} round trips of a second run, {SECOND} may be"
    );
    Ok(())
}
