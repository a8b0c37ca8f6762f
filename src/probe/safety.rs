//! Can contents and names be made safe, space be reserved and given back, files be locked?

use super::site::{LENGTH, Sight, Site, Stopped, name, pattern, read_all, refused};
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

/// Whether these are carried out shows at once: the file stays open, and both ask the storage.
pub(super) fn space(site: &Site<'_>) -> Result<Answer, Stopped> {
    let (mut reserve, mut punch) = (Outcome::Honoured, Outcome::Honoured);
    let file = site.outcome(|| {
        let file = site.dir()?.create_file(&name("space")?, 0o600)?;
        let before = pattern(2 * PAGE);
        file.write_at(&before, 0)?;
        let at = before.len() as u64;
        if let Err(error) = file.allocate(Allocate::KeepSize, at, PAGE as u64) {
            reserve = Outcome::Refused(error.errno);
        }
        match file.allocate(Allocate::PunchHole, 0, PAGE as u64) {
            Err(error) => punch = Outcome::Refused(error.errno),
            Ok(()) => {
                let mut ordered = before.clone();
                ordered.splice(..PAGE, vec![0; PAGE]);
                punch = Sight::of(&read_all(&file)?, &before, &ordered).in_the_end();
            }
        }
        site.close(file)?;
        Ok(Outcome::Honoured)
    })?;
    if !file.is_done() {
        (reserve, punch) = (file, file);
    }
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
