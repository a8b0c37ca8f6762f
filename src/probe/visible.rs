//! When are size and contents of a file seen, and where does it end?

use super::site::{Halt, LENGTH, Sight, Site, Stopped, name, pattern, read_all};
use super::{Answer, Outcome, answer};
use crate::raw::{Errno, Name};

/// It is waited so long for contents to be seen, in milliseconds, besides the usual moments.
const PATIENCE: [u32; 2] = [6000, 12_000];
/// Length of the short file that is read past its end.
const SHORT: usize = 8;
/// Where something is then written, so that a gap of that page shows what a cache keeps.
const FAR: usize = 60;

/// Milliseconds until contents are seen after the close.
pub(super) fn settling_time(site: &Site<'_>) -> Result<u32, Halt> {
    let name = name("settle")?;
    let contents = pattern(LENGTH);
    site.file(&name, &contents)?;
    let seen = site.seen_after(&name, &contents, &PATIENCE)?;
    // What is never seen need not be waited for.
    Ok(seen.unwrap_or_default())
}

/// Size while the file is being written.
pub(super) fn size_while_open(site: &Site<'_>) -> Result<Answer, Stopped> {
    let outcome = site.outcome(|| {
        let name = name("open")?;
        let file = site.dir()?.create_file(&name, 0o600)?;
        file.write_at(&pattern(LENGTH), 0)?;
        let outcome = site.watch(|| sized(site, &name))?;
        site.close(file)?;
        Ok(outcome)
    })?;
    answer(move |findings| findings.size_while_open = outcome)
}

/// Size after the close.
pub(super) fn size_after_close(site: &Site<'_>) -> Result<Answer, Stopped> {
    let outcome = site.outcome(|| {
        let name = name("closed")?;
        site.file(&name, &pattern(LENGTH))?;
        site.watch(|| sized(site, &name))
    })?;
    answer(move |findings| findings.size_after_close = outcome)
}

fn sized(site: &Site<'_>, name: &Name) -> Result<Sight, Halt> {
    let size = site.dir()?.stat_fresh(name)?.size;
    Ok(Sight::of(&size, &0, &(LENGTH as u64)))
}

/// Contents after the close.
pub(super) fn contents(site: &Site<'_>) -> Result<Answer, Stopped> {
    let outcome = site.outcome(|| {
        let name = name("contents")?;
        let contents = pattern(LENGTH);
        site.file(&name, &contents)?;
        site.watch(|| Ok(Sight::of(&*site.contents(&name)?, b"", &contents)))
    })?;
    answer(move |findings| findings.contents_after_close = outcome)
}

/// Whether reading past the end gives bytes.
pub(super) fn past_end(site: &Site<'_>) -> Result<Outcome, Stopped> {
    site.outcome(|| {
        let name = name("end")?;
        site.file(&name, &pattern(SHORT))?;
        let file = site.open(&name)?;
        if read_all(&file)?.len() > SHORT {
            return Ok(Outcome::Wrong);
        }
        // Through the kernel's cache they show in a gap only. Storage that refuses one has none.
        if file.write_at(&pattern(1), FAR as u64).is_err() {
            return Ok(Outcome::Honoured);
        }
        let bytes = read_all(&file)?;
        let gap = bytes.get(SHORT..FAR).unwrap_or_default();
        site.close(file)?;
        Ok(if gap.iter().all(|byte| *byte == 0) {
            Outcome::Honoured
        } else {
            Outcome::Wrong
        })
    })
}
