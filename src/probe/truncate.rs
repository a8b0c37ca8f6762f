//! Is the size of a file set, when it is told to be?

use super::site::{LENGTH, Site, Stopped, name};
use super::{Answer, Outcome, answer};

/// Length of a per-file IV header, in bytes.
const HEADER: usize = 8;
/// In the middle of a block of any size that is in use.
const IN_BLOCK: usize = 1500;
/// Longer than the file is.
const LONGER: usize = LENGTH + 4000;

pub(super) fn to_zero(site: &Site<'_>) -> Result<Answer, Stopped> {
    let outcome = set_len(site, "zero", 0)?;
    answer(move |findings| findings.truncate_to_zero = outcome)
}

pub(super) fn to_header(site: &Site<'_>) -> Result<Answer, Stopped> {
    let outcome = set_len(site, "header", HEADER)?;
    answer(move |findings| findings.truncate_to_header = outcome)
}

pub(super) fn in_block(site: &Site<'_>) -> Result<Answer, Stopped> {
    let outcome = set_len(site, "block", IN_BLOCK)?;
    answer(move |findings| findings.truncate_in_block = outcome)
}

pub(super) fn grow(site: &Site<'_>) -> Result<Answer, Stopped> {
    let outcome = set_len(site, "grow", LONGER)?;
    answer(move |findings| findings.truncate_to_grow = outcome)
}

fn set_len(site: &Site<'_>, file: &str, len: usize) -> Result<Outcome, Stopped> {
    site.outcome(|| {
        let name = name(file)?;
        let before = site.full_file(&name)?;
        let mut ordered = before.clone();
        ordered.resize(len, 0);
        site.change(&name, &before, &ordered, |file| file.set_len(len as u64))
    })
}
