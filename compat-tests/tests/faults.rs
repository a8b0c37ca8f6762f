//! Storage that fails: what encfs-rs tells the program, and what is found after everything is
//! mounted anew on good storage. No cell may be damage: what was acknowledged is right, what was
//! refused left alone what was there, and the error is the storage's own.
//!
//! `cargo test -p compat-tests --test faults -- --nocapture` prints the table.

#[path = "faults/action.rs"]
mod action;
#[path = "faults/expect.rs"]
mod expect;
#[path = "faults/rows.rs"]
mod rows;

use std::fs::{self, File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::sync::mpsc;

use anyhow::{Context, Result, ensure};
use compat_tests::ops::bytes;
use compat_tests::oracle::Program;
use compat_tests::pair::in_parallel;
use compat_tests::rawfs::words::errno_name;
use compat_tests::rawfs::{Effect, Fault, Op, Options, Prepared, When, Which};
use compat_tests::volumes::{Cipher, Naming, Settings, paranoia, standard};
use parking_lot::Mutex;
use rustix::io::Errno;

use action::{Action, MANY, fill};
use expect::{damage, errno_of, find};
use rows::{End, Row, rows};

/// The profile of the article: what it used on OmniFS.
fn article() -> Settings {
    Settings {
        cipher: Cipher::Aes,
        key_bits: 256,
        block_size: 4096,
        naming: Naming::Stream,
        unique_iv: false,
        ..standard()
    }
}

fn profiles() -> [(&'static str, Settings); 3] {
    [
        ("standard", standard()),
        ("paranoia", paranoia()),
        ("article's profile", article()),
    ]
}

/// A cell: what was told, and what was wrong afterwards.
struct Cell {
    told: String,
    wrong: Vec<String>,
}

impl std::fmt::Display for Cell {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.told)?;
        if !self.wrong.is_empty() {
            let few: Vec<&str> = self.wrong.iter().take(3).map(String::as_str).collect();
            write!(f, ": **{}**", few.join("; "))?;
        }
        Ok(())
    }
}

fn cell(prepared: &Prepared, row: &Row, program: Program) -> Result<Cell> {
    let mut stage = prepared.stage(&Options {
        may_crash: matches!(row.end, End::PowerCut(_)),
        direct_io: row.direct_io,
        ..Options::default()
    })?;
    let point = stage.mount(program)?;
    for fault in &row.faults {
        stage.control().arm(*fault);
    }
    if let Some(space) = row.space {
        stage.control().limit_space(space);
    }
    let told = row.action.perform(&point);
    let mut models = told.models;
    match row.end {
        End::Good => stage.leave()?,
        End::PowerCut(names) => {
            stage.cut_power(names)?;
            if !row.action.is_synced() {
                models.push(Action::unsynced());
            }
        }
    }
    let found = stage.visit(program, find)?;
    let mut wrong = damage(&models, &found);
    if let Some(errno) = told.errno.filter(|errno| !row.errnos.contains(errno)) {
        wrong.push(format!("{} is not the storage's own", errno_name(errno)));
    }
    let told = match told.errno {
        _ if matches!(row.action, Action::Many | Action::ManySafely) => {
            format!("{} of {MANY} acked", told.acked)
        }
        Some(errno) => errno_name(errno),
        None => "acked".to_owned(),
    };
    Ok(Cell { told, wrong })
}

#[test]
fn no_fault_of_the_storage_damages_anything() -> Result<()> {
    let rows = rows();
    let profiles = profiles();
    let prepared: Vec<Prepared> = profiles
        .iter()
        .map(|(name, settings)| Prepared::new(settings, fill).context(*name))
        .collect::<Result<_>>()?;
    let mut jobs = Vec::new();
    for row in 0..rows.len() {
        jobs.extend((0..profiles.len()).map(|profile| (row, profile)));
    }
    let cells = Mutex::new(std::collections::BTreeMap::new());
    let failures = in_parallel(&jobs, |&(row, profile)| {
        let about = || format!("{}, {}", rows[row].label, profiles[profile].0);
        let cell = cell(&prepared[profile], &rows[row], Program::EncfsRs).with_context(about)?;
        let text = cell.to_string();
        cells.lock().insert((row, profile), text.clone());
        ensure!(cell.wrong.is_empty(), "{}: {text}", about());
        Ok(())
    });
    let cells = cells.into_inner();
    println!("| fault and action | standard | paranoia | article's profile |\n|---|---|---|---|");
    for (number, row) in rows.iter().enumerate() {
        let texts: Vec<&str> = (0..profiles.len())
            .map(|profile| cells.get(&(number, profile)).map_or("?", String::as_str))
            .collect();
        println!("| {} | {} |", row.label, texts.join(" | "));
    }
    ensure!(
        failures.is_empty(),
        "{} cells of {} are damaged:\n{}",
        failures.len(),
        jobs.len(),
        failures.join("\n")
    );
    Ok(())
}

/// The connection comes back: the same mount works again, also a file that was open meanwhile.
#[test]
fn a_mount_works_again_when_its_storage_does() -> Result<()> {
    for (name, settings) in profiles() {
        let prepared = Prepared::new(&settings, fill)?;
        let mut stage = prepared.stage(&Options::default())?;
        let point = stage.mount(Program::EncfsRs)?;
        let mut open = OpenOptions::new()
            .read(true)
            .write(true)
            .open(point.join("b.bin"))?;
        stage.control().arm(Fault::lost_before(10));
        let told = Action::Many.perform(&point);
        ensure!(
            told.errno == Some(Errno::NOTCONN),
            "{name}: {:?}",
            told.errno
        );
        let refused = open.seek(SeekFrom::End(0)).and_then(|_| {
            open.write_all(b"while it is away")?;
            open.sync_all()
        });
        let refused = refused.err().context("acknowledged while away")?;
        ensure!(errno_of(&refused) == Errno::NOTCONN, "{name}: {refused}");
        stage.control().heal();
        open.seek(SeekFrom::Start(0))?;
        let mut seen = Vec::new();
        open.read_to_end(&mut seen)?;
        ensure!(
            seen.get(..7000) == Some(&bytes(2, 7000)[..]),
            "{name}: the open file"
        );
        open.set_len(7000)?;
        open.seek(SeekFrom::End(0))?;
        open.write_all(b"and after")?;
        drop(open);
        fs::write(point.join("new"), bytes(3, 9000))?;
        fs::rename(point.join("d"), point.join("e"))?;
        stage.leave()?;
        stage.visit(Program::EncfsRs, |at| {
            let b = fs::read(at.join("b.bin"))?;
            ensure!(b == [&bytes(2, 7000)[..], b"and after"].concat(), "{name}");
            ensure!(fs::read(at.join("new"))? == bytes(3, 9000), "{name}");
            ensure!(fs::read(at.join("e/f0"))? == bytes(10, 4000), "{name}");
            Ok(())
        })?;
    }
    Ok(())
}

/// A listing that hangs in storage holds up nothing but itself.
#[test]
fn a_listing_that_hangs_holds_up_nothing_else() -> Result<()> {
    let prepared = Prepared::new(&standard(), fill)?;
    let mut stage = prepared.stage(&Options::default())?;
    let point = stage.mount(Program::EncfsRs)?;
    let held = stage.control().hold(Op::Readdir);
    let (listed, hears) = mpsc::channel();
    let folder = point.join("d");
    let lister = std::thread::spawn(move || {
        let names = fs::read_dir(folder).map(Iterator::count);
        // The test may have failed and gone.
        let _ = listed.send(names);
    });
    held.wait_for(1)?;
    ensure!(fs::read(point.join("a.bin"))?.len() == 59_000);
    ensure!(fs::read(point.join("d/f1"))?.len() == 5000);
    fs::write(point.join("made meanwhile"), b"x")?;
    File::create(point.join("b.bin"))?.write_all(b"changed meanwhile")?;
    ensure!(hears.try_recv().is_err(), "the listing did not hang");
    drop(held);
    ensure!(hears.recv()?? == 4);
    ensure!(lister.join().is_ok());
    stage.leave()
}

/// A mount of a volume whose storage is gone goes when it is told to.
#[test]
fn unmounting_works_while_the_storage_is_away() -> Result<()> {
    let prepared = Prepared::new(&paranoia(), fill)?;
    let mut stage = prepared.stage(&Options::default())?;
    stage.mount(Program::EncfsRs)?;
    stage.control().arm(Fault::lost_before(1));
    stage.leave()?;
    let found = stage.visit(Program::EncfsRs, find)?;
    ensure!(damage(&[Action::unsynced()], &found).is_empty());
    Ok(())
}

/// Programs that were started while the file was open close their copies of it, and read no
/// errors: the one that wrote is told all the same.
#[test]
fn the_writer_is_told_though_another_has_closed_before() -> Result<()> {
    let prepared = Prepared::new(&standard(), fill)?;
    let mut stage = prepared.stage(&Options::default())?;
    let point = stage.mount(Program::EncfsRs)?;
    let mut file = File::create(point.join("new"))?;
    file.write_all(b"held back until the file is closed")?;
    let refuse = Effect::Refuse(Errno::IO);
    let write = Which::Kind(Op::Write);
    stage.control().arm(Fault::new(write, When::Always, refuse));
    for copy in 0..2 {
        let closed = nix::unistd::close(file.try_clone()?);
        ensure!(
            closed.is_err(),
            "copy {copy}: the end cannot have been written"
        );
    }
    ensure!(nix::unistd::close(file).is_err(), "the writer was not told");
    stage.leave()
}
