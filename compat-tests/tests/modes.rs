//! Storage that lags, lies or takes only some orders: what the article did with its files, by eight
//! profiles on each kind of storage, and what is found once all has settled and the volume is
//! mounted on good storage.
//!
//! The cells are those of `docs/storage-tables.md`; `make tables` makes that page anew.

use std::collections::BTreeMap;
use std::fs;
use std::sync::mpsc;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use compat_tests::modes::{Column, kinds, measure, page, profiles};
use compat_tests::ops::bytes;
use compat_tests::oracle::Program;
use compat_tests::rawfs::{Behaviour, Options, Prepared, Upload};
use compat_tests::volumes::paranoia;

/// How late the upload is. Only the clock of the storage counts.
const LATE: Duration = Duration::from_secs(600);

const PAGE: &str = include_str!("../../docs/storage-tables.md");

/// What is worse nevertheless: kind of storage and file. Each must still be so.
const WORSE: &[(&str, &str)] = &[
    // A size of some time ago is believed when a file is opened; a cut that seems not to be done
    // is an error.
    ("stale-attr", "appended at first"),
    ("stale-attr", "cut at first"),
    ("stale-attr", "date at first"),
    ("stale-attr", "same at first"),
    ("stale-attr", "shorter at first"),
    // Written and then cut within one open: the last block is written twice.
    ("overwrite-lost", "sync/shortened"),
    ("overwrite-lost", "sync/shortened at first"),
];

/// Rule 9: whatever the storage does, no file comes out worse than one that was written to it
/// straight. And the page tells what is so.
#[test]
fn no_file_comes_out_worse_than_straight_on_the_storage() -> Result<()> {
    let (kinds, profiles) = (kinds(), profiles());
    ensure!(kinds.len() >= 16 && profiles.len() >= 8);
    let cells = measure(Program::EncfsRs)?;
    let mut worse = BTreeMap::new();
    for (&(number, column), both) in &cells {
        let Column::Volume(profile) = column else {
            continue;
        };
        let straight = cells.get(&(number, Column::Plain)).context("no cell")?;
        for ((cell, straight), how) in both.iter().zip(straight).zip(["at once", "with pauses"]) {
            let (kind, profile) = (&kinds[number].name, profiles[profile].name);
            for file in cell.worse_than(straight) {
                let place = format!("{kind}, {profile}, {how}: {file}: {}", cell.details());
                let places = worse.entry((kind.clone(), file));
                places.or_insert_with(Vec::new).push(place);
            }
        }
    }
    for (kind, file) in WORSE {
        let place = ((*kind).to_owned(), (*file).to_owned());
        ensure!(worse.remove(&place).is_some(), "{place:?} is right now");
    }
    ensure!(worse.is_empty(), "worse: {worse:#?}");

    let table = page::table(&cells);
    let written = page::section(PAGE, page::place(Program::EncfsRs))?;
    let mut other = Vec::new();
    for ((kind, now), page) in kinds
        .iter()
        .zip(table.lines().skip(2))
        .zip(written.lines().skip(2))
    {
        if now != page {
            other.push(format!("page {page}\nnow  {now}"));
            let number = kinds.iter().position(|other| other.name == kind.name);
            for ((row, column), both) in &cells {
                if Some(*row) == number {
                    let details = both.each_ref().map(|cell| cell.details());
                    other.push(format!("  {column:?}: {}", details.join(" / ")));
                }
            }
        }
    }
    ensure!(
        table == written,
        "docs/storage-tables.md says otherwise (`make tables` writes it anew):\n{}",
        other.join("\n")
    );
    ensure!(page::section(PAGE, "kinds")? == page::kinds_list());
    ensure!(page::section(PAGE, "profiles")? == page::profiles_list());
    Ok(())
}

/// Under external IV chaining a rename rewrites the header. While the storage shows an older
/// version that would be sent off over the new one: the rename waits until that has arrived.
#[test]
fn a_rename_waits_for_the_upload() -> Result<()> {
    let prepared = Prepared::new(&paranoia(), |at| {
        Ok(fs::write(at.join("same"), bytes(4, 20_000))?)
    })?;
    let mut stage = prepared.stage(&Options {
        attr_timeout: Duration::ZERO,
        behaviour: Behaviour {
            upload: Some(Upload {
                delay: LATE,
                size_is_right: true,
            }),
            ..Behaviour::default()
        },
        ..Options::default()
    })?;
    let point = stage.mount(Program::EncfsRs)?;
    let (made, better) = (bytes(30, 5000), bytes(31, 6000));
    fs::write(point.join("made"), &made)?;
    fs::write(point.join("same"), &better)?;
    let (told, hears) = mpsc::channel();
    let renamer = std::thread::spawn(move || {
        let renamed = fs::rename(point.join("made"), point.join("renamed"))
            .and_then(|()| fs::rename(point.join("same"), point.join("other")));
        // The test may have failed and gone.
        let _ = told.send(renamed);
    });
    let renamed = loop {
        match hears.recv_timeout(Duration::from_millis(20)) {
            Err(mpsc::RecvTimeoutError::Timeout) => stage.control().advance(LATE),
            renamed => break renamed?,
        }
    };
    ensure!(renamer.join().is_ok());
    renamed?;
    stage.leave()?;
    stage.visit(Program::EncfsRs, |at| {
        ensure!(fs::read(at.join("renamed"))? == made);
        ensure!(fs::read(at.join("other"))? == better);
        ensure!(!at.join("made").exists() && !at.join("same").exists());
        Ok(())
    })
}
