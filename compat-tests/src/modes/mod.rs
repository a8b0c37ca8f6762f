//! The article's workload on every kind of storage, by many profiles: the tables of
//! `docs/storage-tables.md`.
//!
//! | file | job |
//! |---|---|
//! | `kinds` | the kinds of storage |
//! | `profiles` | the settings of volumes |
//! | `work` | what is done with the files, and what they may be afterwards |
//! | `judge` | what is found, against what may be: [`Cell`] |
//! | `page` | the tables as text |
//!
//! A cell is made twice: with the steps one upon the other (*at once*), and with a pause after each
//! that is longer than anything is late (*with pauses*). No time passes for that: the clock of the
//! storage is put forward, and the kernel is made to ask for attributes anew. It is
//! put forward as well whenever a volume's program waits for the storage.

mod judge;
mod kinds;
pub mod page;
mod profiles;
mod work;

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use parking_lot::Mutex;

pub use judge::Cell;
pub use kinds::{Kind, kinds};
pub use profiles::{Profile, profiles};

use crate::oracle::Program;
use crate::pair::on_threads;
use crate::rawfs::{Prepared, RawFs};
use work::{Pauses, Work};

/// What stands in one column.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Column {
    /// Files straight on the storage.
    Plain,
    /// A volume of the profile of this number.
    Volume(usize),
}

/// A table: cells at once and with pauses, by the number of the kind of storage, and column.
pub type Cells = BTreeMap<(usize, Column), [Cell; 2]>;

/// Every cell for one program, and those of files without any.
///
/// # Errors
/// When a mount fails, or what has nothing to do with the storage.
pub fn measure(program: Program) -> Result<Cells> {
    let (kinds, profiles) = (kinds(), profiles());
    let prepared: Vec<Prepared> = profiles
        .iter()
        .map(|profile| Prepared::new(&profile.settings, work::fill).context(profile.name))
        .collect::<Result<_>>()?;
    let columns = || (0..profiles.len()).map(Column::Volume);
    let jobs: Vec<(usize, Column, bool)> = (0..kinds.len())
        .flat_map(|kind| columns().chain([Column::Plain]).map(move |c| (kind, c)))
        .flat_map(|(kind, column)| [false, true].map(|pauses| (kind, column, pauses)))
        .collect();
    let made = Mutex::new(BTreeMap::new());
    let make = |&(kind, column, pauses): &(usize, Column, bool)| {
        let cell = match column {
            Column::Plain => plain(&kinds[kind], pauses),
            Column::Volume(profile) => volume(&prepared[profile], program, &kinds[kind], pauses),
        };
        let cell = match cell {
            // What the faults of EncFS 1.9.5 do to itself is its result.
            Err(error) if program.is_oracle() && column != Column::Plain => {
                Ok(Cell::broken(&format!("{error:#}")))
            }
            cell => cell,
        };
        let place = || format!("{}, {column:?}, pauses {pauses}", kinds[kind].name);
        let cell = cell.with_context(place)?;
        made.lock().insert((kind, column, pauses), cell);
        Ok(())
    };
    let alone = |(kind, ..): &(usize, Column, bool)| kinds[*kind].loses_second_writes();
    let (alone, others): (Vec<_>, Vec<_>) = jobs.iter().partition(|job| alone(job));
    // A program on storage that lags waits, and does nothing meanwhile.
    let mut failures = on_threads(6, &others, |job| make(job));
    // A child has copies of all open files until it runs its program, and closes them then. Each
    // close sends off a block that is held, which is then written a second time: where that
    // is lost, no other cell may start programs meanwhile.
    failures.extend(
        alone
            .iter()
            .filter_map(|job| Some(format!("{:#}", make(job).err()?))),
    );
    ensure!(failures.is_empty(), "\n{}", failures.join("\n"));
    let mut made = made.into_inner();
    let mut cells = Cells::new();
    for (kind, column, _) in jobs.iter().filter(|(.., pauses)| *pauses) {
        let mut take = |pauses| made.remove(&(*kind, *column, pauses)).context("no cell");
        cells.insert((*kind, *column), [take(false)?, take(true)?]);
    }
    Ok(cells)
}

/// The same calls straight to the storage.
fn plain(kind: &Kind, pauses: bool) -> Result<Cell> {
    let folder = tempfile::tempdir()?;
    let (backing, point) = (folder.path().join("backing"), folder.path().join("point"));
    std::fs::create_dir(&backing)?;
    std::fs::create_dir(&point)?;
    work::fill(&backing)?;
    let storage = RawFs::mount(&backing, &point, &kind.options)?;
    let (work, first) = {
        let pauses = Pauses::new(storage.control(), &backing, &point, pauses);
        work_on(&point, &pauses)?
    };
    storage.unmount()?;
    Ok(Cell::new(&work, first, judge::look(&backing, &work)))
}

fn volume(prepared: &Prepared, program: Program, kind: &Kind, pauses: bool) -> Result<Cell> {
    let mut stage = prepared.stage(&kind.options)?;
    let point = stage.mount(program)?;
    let (work, first) = {
        let backing = stage.backing();
        let pauses = Pauses::new(stage.control(), &backing, &point, pauses);
        work::as_time_passes(stage.control(), || work_on(&point, &pauses))?
    };
    stage.leave()?;
    let last = stage.visit(program, |at| Ok(judge::look(at, &work)))?;
    Ok(Cell::new(&work, first, last))
}

/// The work, and what is seen right after it.
fn work_on(point: &Path, pauses: &Pauses) -> Result<(Work, Vec<judge::Wrong>)> {
    let work = work::run(point, pauses)?;
    pauses.refresh();
    let first = judge::look(point, &work);
    pauses.closed()?;
    Ok((work, first))
}
