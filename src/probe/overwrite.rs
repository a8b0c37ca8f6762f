//! Can bytes be written again: within one open, later, at the end, past it?

use super::site::{LENGTH, Site, Stopped, name, pattern, refused};
use super::{Answer, Outcome, answer};

/// What is written over other bytes: as long as a per-file IV header.
const NEW: [u8; 8] = *b"NEW here";
/// Length of the file that is written twice within one open.
const SHORT: usize = 64;
/// A place that is no header.
const INSIDE: usize = 32;
/// A place in the middle of a block.
const MIDDLE: usize = 2000;
/// A place past the end.
const PAST: usize = LENGTH + 4000;

pub(super) fn second_of_header(site: &Site<'_>) -> Result<Answer, Stopped> {
    let outcome = twice(site, "header", 0)?;
    answer(move |findings| findings.second_write_of_header = outcome)
}

pub(super) fn second(site: &Site<'_>) -> Result<Answer, Stopped> {
    let outcome = twice(site, "inside", INSIDE)?;
    answer(move |findings| findings.second_write = outcome)
}

pub(super) fn header(site: &Site<'_>) -> Result<Answer, Stopped> {
    let outcome = later(site, "header", 0)?;
    answer(move |findings| findings.overwrite_header = outcome)
}

pub(super) fn middle(site: &Site<'_>) -> Result<Answer, Stopped> {
    let outcome = later(site, "middle", MIDDLE)?;
    answer(move |findings| findings.overwrite = outcome)
}

pub(super) fn append(site: &Site<'_>) -> Result<Answer, Stopped> {
    let outcome = later(site, "append", LENGTH)?;
    answer(move |findings| findings.append = outcome)
}

pub(super) fn gap(site: &Site<'_>) -> Result<Answer, Stopped> {
    let outcome = later(site, "gap", PAST)?;
    answer(move |findings| findings.gap = outcome)
}

/// A file is made, written, and written again at `at` before it is closed.
fn twice(site: &Site<'_>, file: &str, at: usize) -> Result<Outcome, Stopped> {
    site.outcome(|| {
        let name = name(file)?;
        let first = pattern(SHORT);
        let file = site.dir()?.create_file(&name, 0o600)?;
        file.write_at(&first, 0)?;
        file.write_at(&NEW, at as u64).map_err(refused)?;
        site.close(file)?;
        site.watch_contents(&name, &first, &written(&first, at))
    })
}

/// A file that is there is opened and written at `at`.
fn later(site: &Site<'_>, file: &str, at: usize) -> Result<Outcome, Stopped> {
    site.outcome(|| {
        let name = name(file)?;
        let before = site.full_file(&name)?;
        let ordered = written(&before, at);
        site.change(&name, &before, &ordered, |file| {
            file.write_at(&NEW, at as u64)
        })
    })
}

fn written(before: &[u8], at: usize) -> Vec<u8> {
    let mut bytes = before.to_vec();
    bytes.resize(bytes.len().max(at + NEW.len()), 0);
    if let Some(part) = bytes.get_mut(at..at + NEW.len()) {
        part.copy_from_slice(&NEW);
    }
    bytes
}
