//! Can contents and names be made safe, space be reserved and given back, files be locked?

use super::site::{LENGTH, Site, Stopped, name, pattern, refused};
use super::{Answer, Outcome, answer};
use crate::raw::Allocate;

/// Bytes of the space that is given back: a page, which most storage does not divide.
const PAGE: usize = 4096;

pub(super) fn sync(site: &Site<'_>) -> Result<Answer, Stopped> {
    let file = site.outcome(|| {
        let file = site.dir()?.create_file(&name("sync")?, 0o600)?;
        file.write_at(&pattern(LENGTH), 0)?;
        file.sync(false).map_err(refused)?;
        site.close(file)?;
        Ok(Outcome::Honoured)
    })?;
    let dir = site.outcome(|| {
        site.dir()?.sync().map_err(refused)?;
        Ok(Outcome::Honoured)
    })?;
    answer(move |findings| {
        findings.sync = file;
        findings.sync_dir = dir;
    })
}

pub(super) fn space(site: &Site<'_>) -> Result<Answer, Stopped> {
    let reserve = site.outcome(|| {
        let name = name("reserve")?;
        let before = site.full_file(&name)?;
        // Space past the end: nothing is to be seen of it.
        site.change(&name, &before, &before, |file| {
            file.allocate(Allocate::KeepSize, LENGTH as u64, PAGE as u64)
        })
    })?;
    let punch = site.outcome(|| {
        let name = name("punch")?;
        let before = site.full_file(&name)?;
        let mut ordered = before.clone();
        ordered.splice(..PAGE, vec![0; PAGE]);
        site.change(&name, &before, &ordered, |file| {
            file.allocate(Allocate::PunchHole, 0, PAGE as u64)
        })
    })?;
    answer(move |findings| {
        findings.reserve = reserve;
        findings.punch_hole = punch;
    })
}

pub(super) fn locks(site: &Site<'_>) -> Result<Answer, Stopped> {
    let locks = site.outcome(|| {
        let name = name("locks")?;
        site.file(&name, &pattern(1))?;
        let (first, second) = (site.open(&name)?, site.open(&name)?);
        // Storage without locks lets everybody in.
        let first_in = first.try_lock().map_err(refused)?;
        let second_in = second.try_lock().map_err(refused)?;
        Ok(match (first_in, second_in) {
            (true, false) => Outcome::Honoured,
            (true, true) => Outcome::Ignored,
            (false, _) => Outcome::Wrong,
        })
    })?;
    answer(move |findings| findings.locks = locks)
}
