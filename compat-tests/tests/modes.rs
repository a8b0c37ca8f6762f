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
use compat_tests::modes::{Column, Kind, Profile, kinds, measure, page, profiles};
use compat_tests::ops::bytes;
use compat_tests::oracle::Program;
use compat_tests::rawfs::{Behaviour, Options, Prepared, Upload};
use compat_tests::volumes::paranoia;

/// How late the upload is. Only the clock of the storage counts.
const LATE: Duration = Duration::from_secs(600);

const PAGE: &str = include_str!("../../docs/storage-tables.md");

/// What is worse nevertheless: kind of storage and file. Each must still be so.
const WORSE: &[(&str, &str)] = &[
    // Written and then cut within one open: the last block is written twice.
    ("overwrite-lost", "sync/shortened"),
    ("overwrite-lost", "sync/shortened at first"),
];

/// Storage that shows late what was done: what a program at once is told depends on how fast it is.
const LATELY: &[&str] = &[
    "stale-attr",
    "upload-late",
    "upload-committed",
    "like omnifs",
];

/// Where a known fault shows or not, as it happens, when nothing is waited for: on storage that
/// uploads late, under external IV chaining, `rsync --inplace` is refused, and now and then a file
/// that it renamed before cannot be read. These cells are not held.
const FAULTY: &[&str] = &["upload-late", "upload-committed", "like omnifs"];

fn is_faulty(kind: &Kind, profile: &Profile) -> bool {
    profile.settings.external_iv && FAULTY.contains(&kind.name.as_str())
}

/// What a cell says of the run with pauses.
fn with_pauses(cell: &str) -> &str {
    let words = cell.trim_end_matches(" |");
    words.rsplit(" / ").next().unwrap_or(words)
}

/// A cell without the word for what is right a moment later: how long a moment is depends on the
/// machine.
fn settled(cell: &str) -> String {
    let words: Vec<&str> = cell
        .split(" / ")
        .map(|word| word.trim_end_matches(" |"))
        .collect();
    let words = words
        .iter()
        .map(|word| if *word == "late" { "ok" } else { *word });
    let mut words: Vec<&str> = words.collect();
    words.dedup();
    words.join(" / ")
}

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
            if how == "at once" && is_faulty(&kinds[number], &profiles[profile]) {
                continue;
            }
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
    ensure!(table.lines().count() == written.lines().count(), "rows");
    let mut other = Vec::new();
    for (number, (now, page)) in table.lines().zip(written.lines()).enumerate() {
        let (now, page): (Vec<_>, Vec<_>) =
            (now.split(" | ").collect(), page.split(" | ").collect());
        ensure!(now.len() == page.len(), "{page:?}: columns");
        for (column, (now, page)) in now.iter().zip(&page).enumerate() {
            let cell = number.checked_sub(2).zip(column.checked_sub(2));
            let lately = |(row, _): (usize, usize)| LATELY.contains(&kinds[row].name.as_str());
            let same = match cell.is_some_and(lately) {
                true => with_pauses(now) == with_pauses(page),
                false => settled(now) == settled(page),
            };
            if !same {
                other.push(format!(
                    "line {number}, column {column}: {now}, on the page {page}"
                ));
                let cell = cell.and_then(|(row, at)| cells.get(&(row, Column::Volume(at))));
                let details = cell.iter().flat_map(|both| both.iter());
                other.extend(details.map(|cell| format!("  {}", cell.details())));
            }
        }
    }
    ensure!(
        other.is_empty(),
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
