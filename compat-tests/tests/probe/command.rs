//! `encfsctl-rs probe`: what is printed, for people and for programs; Ctrl-C.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use compat_tests::disk::Image;
use compat_tests::oracle::Program;
use compat_tests::rawfs::{Behaviour, Latency, Op, Options, Partly, Space, preset};
use compat_tests::run::{Finished, LIMIT, run, wait};
use compat_tests::tree::{self, Look};
use compat_tests::volumes::standard;
use rustix::io::Errno;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use super::{Storage, storage};

fn probe(place: &Path, words: &[&str]) -> Result<Finished> {
    let mut command = Program::EncfsRs.encfsctl()?;
    command.arg("probe").args(words).arg(place);
    run(&mut command, b"")
}

/// Lines of a transcript; numbers that depend on the computer are `#`.
fn transcript(name: &str) -> Result<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/probe")
        .join(name);
    std::fs::read_to_string(&path).with_context(|| path.display().to_string())
}

/// What was printed, as it stands in a transcript: words only, as lines are broken by length;
/// without how much space there is and how long things take.
fn words(text: &str, place: &Path) -> Vec<String> {
    let text = text.replace(&place.display().to_string(), "[ROOT]");
    let mut kept = Vec::new();
    let mut measured = false;
    for line in text.lines() {
        let continued = line.starts_with("     ");
        measured = line.starts_with("  free space")
            || line.starts_with("  one operation takes")
            || (measured && continued);
        if !measured {
            kept.extend(line.split_whitespace());
        }
    }
    let mut words: Vec<String> = kept.into_iter().map(str::to_owned).collect();
    for at in 1..words.len() {
        let number = words[at - 1].starts_with(|c: char| c.is_ascii_digit());
        // Late by so much; so fast; so many files.
        if number && ["s", "ms", "ms:", "small"].contains(&&*words[at]) {
            words[at - 1] = "#".to_owned();
        }
    }
    words
}

fn json_of(finished: &Finished) -> Result<Value> {
    let out = finished.out();
    ensure!(out.lines().count() == 1, "{finished}");
    Ok(serde_json::from_str(&out)?)
}

/// Without what depends on the computer.
fn settled(mut report: Value) -> Value {
    let findings = &mut report["findings"];
    for key in ["latency_ms", "space"] {
        findings[key] = "#".into();
    }
    for (_, finding) in findings.as_object_mut().into_iter().flatten() {
        if finding["late_ms"].is_number() {
            finding["late_ms"] = "#".into();
        }
    }
    report["root"] = "[ROOT]".into();
    for advice in report["advice"].as_array_mut().into_iter().flatten() {
        let text = advice["text"].as_str().unwrap_or_default();
        advice["text"] = words(text, Path::new("/nowhere")).join(" ").into();
    }
    report
}

#[test]
fn the_report_is_as_it_is_written() -> Result<()> {
    for name in ["clean", "omnifs"] {
        let storage = storage(&preset(name).context("no such preset")?)?;
        let place = storage.mount.path();
        let finished = probe(place, &[])?.success()?;
        let told = finished.err();
        let is_progress = |line: &str| line.starts_with("Examining the storage at ");
        ensure!(told.lines().all(is_progress), "{finished}");
        for line in finished.out().lines() {
            let fits = line.chars().count() <= 80 || line.contains("/");
            ensure!(fits, "too long: {line}");
        }
        let wanted = transcript(&format!("{name}.txt"))?;
        let wanted = words(&wanted, Path::new("[ROOT]"));
        let told = words(&finished.out(), place);
        ensure!(
            told == wanted,
            "{finished}\nwanted {wanted:?}\ntold {told:?}"
        );

        let finished = probe(place, &["--json"])?.success()?;
        let wanted: Value = serde_json::from_str(&transcript(&format!("{name}.json"))?)?;
        let told = settled(json_of(&finished)?);
        ensure!(
            told == wanted,
            "{name}: {}",
            serde_json::to_string_pretty(&told)?
        );
        storage.is_as_before()?;
    }
    Ok(())
}

#[test]
fn a_local_folder_and_a_volume_are_examined_without_a_trace() -> Result<()> {
    let folder = tempfile::tempdir()?;
    standard().write_config(folder.path())?;
    std::fs::write(folder.path().join("x7Dq,1"), b"raw")?;
    let before = tree::read(folder.path())?;
    let report = json_of(&probe(folder.path(), &["--json"])?.success()?)?;
    ensure!(report["remote"] == false, "{report}");
    ensure!(
        report["findings"]["overwrite"]["outcome"] == "honoured",
        "{report}"
    );
    let lines = tree::differences(&before, &tree::read(folder.path())?, Look::ALL);
    ensure!(lines.is_empty(), "{lines:#?}");
    Ok(())
}

/// Starts an examination of slow storage, and ends it by a signal while a write hangs.
fn interrupted(storage: &Storage, signal: Signal) -> Result<Finished> {
    let control = storage.mount.control();
    let held = control.hold(Op::Write);
    let mut command: Command = Program::EncfsRs.encfsctl()?;
    let (mut out, mut err) = (tempfile::tempfile()?, tempfile::tempfile()?);
    command.arg("probe").arg(storage.mount.path());
    command.stdin(Stdio::null());
    command.stdout(out.try_clone()?).stderr(err.try_clone()?);
    let mut child = command.spawn()?;
    held.wait_for(1)?;
    kill_process(Pid::from_child(&child), signal)?;
    drop(held);
    let status = wait(&mut child, LIMIT)?.context("it did not end")?;
    let read = |file: &mut std::fs::File| -> Result<Vec<u8>> {
        use std::io::{Read, Seek};
        let mut bytes = Vec::new();
        file.rewind()?;
        file.read_to_end(&mut bytes)?;
        Ok(bytes)
    };
    Ok(Finished {
        status,
        stdout: read(&mut out)?,
        stderr: read(&mut err)?,
        command: "encfsctl-rs probe".to_owned(),
    })
}

#[test]
fn an_interrupt_in_the_middle_leaves_nothing() -> Result<()> {
    for signal in [Signal::INT, Signal::TERM, Signal::HUP] {
        let storage = storage(&Options {
            latency: Latency::of(Duration::from_millis(20)),
            ..Options::default()
        })?;
        let finished = interrupted(&storage, signal)?;
        ensure!(finished.code() == Some(1), "{finished}");
        ensure!(finished.err().contains("stopped before all"), "{finished}");
        ensure!(finished.stdout.is_empty(), "{finished}");
        storage.is_as_before()?;
    }
    Ok(())
}

#[test]
fn what_cannot_be_examined_is_told() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("file");
    std::fs::write(&file, b"")?;
    for (place, kind) in [
        (folder.path().join("none"), "no_directory"),
        (file, "no_directory"),
        (Path::new("/proc/self").to_owned(), "not_examined"),
    ] {
        let finished = probe(&place, &[])?;
        ensure!(finished.code() == Some(1), "{finished}");
        let shown = place.display().to_string();
        ensure!(finished.err().contains(&shown), "{finished}");
        let finished = probe(&place, &["--json"])?;
        ensure!(finished.code() == Some(1), "{finished}");
        ensure!(json_of(&finished)?["error"]["kind"] == kind, "{finished}");
    }
    Ok(())
}

#[test]
fn findings_that_are_missing_are_counted() -> Result<()> {
    let storage = storage(&Options {
        space: Some(Space {
            left: 60_000,
            partly: Partly::Told,
            errno: Errno::NOSPC,
        }),
        ..Options::default()
    })?;
    let finished = probe(storage.mount.path(), &[])?;
    ensure!(finished.code() == Some(1), "{finished}");
    ensure!(finished.out().contains("What follows"), "{finished}");
    let told = finished.err();
    ensure!(told.contains("of the findings are missing"), "{finished}");
    ensure!(told.contains("No space left on device"), "{finished}");
    storage.is_as_before()
}

#[test]
fn what_is_left_is_told_with_the_way_to_remove_it() -> Result<()> {
    let storage = storage(&Options {
        behaviour: Behaviour::default().refusing(&[Op::Unlink], Errno::PERM),
        ..Options::default()
    })?;
    let finished = probe(storage.mount.path(), &[])?;
    ensure!(finished.code() == Some(1), "{finished}");
    let names = tree::names_in(&storage.backing)?;
    let mut left = names
        .iter()
        .filter(|name| name.starts_with(b".encfs-rs-probe-"));
    let left = left.next().context("nothing is left")?;
    let path = storage.mount.path().join(OsStr::from_bytes(left));
    let way = format!("rm -r '{}'", path.display());
    ensure!(finished.err().contains(&way), "{finished}");
    std::fs::remove_dir_all(storage.backing.join(OsStr::from_bytes(left)))?;
    storage.is_as_before()
}

/// No simulation: a disk of its own.
#[test]
fn a_full_and_a_read_only_disk_are_told() -> Result<()> {
    let image = Image::new(8 << 20)?;
    let filler = image.path().join("filler");
    let mut file = std::fs::File::create(&filler)?;
    let full = std::io::copy(&mut std::io::repeat(1), &mut file);
    ensure!(full.is_err(), "a disk without an end");
    let before = tree::read(image.path())?;
    let unchanged = || -> Result<()> {
        let lines = tree::differences(&before, &tree::read(image.path())?, Look::ALL);
        ensure!(lines.is_empty(), "{lines:#?}");
        Ok(())
    };
    let finished = probe(image.path(), &[])?;
    ensure!(finished.code() == Some(1), "{finished}");
    let told = finished.err();
    ensure!(told.contains("No space left on device"), "{finished}");
    ensure!(told.contains("Nothing of it is left"), "{finished}");
    unchanged()?;

    drop(file);
    let mut remount = Command::new("mount");
    run(remount.args(["-o", "remount,ro"]).arg(image.path()), b"")?.success()?;
    let finished = probe(image.path(), &[])?;
    ensure!(finished.code() == Some(1), "{finished}");
    let told = finished.err();
    ensure!(told.contains("Read-only file system"), "{finished}");
    ensure!(told.contains("nothing can be made there"), "{finished}");
    unchanged()
}
