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

/// How a file that was just closed is seen.
pub(super) struct AfterClose {
    /// Its size.
    pub(super) size: Outcome,
    /// Its contents.
    pub(super) contents: Outcome,
    /// Milliseconds until both were seen, so far as they were.
    pub(super) settle: u32,
}

/// Size and contents after the close. Asked alone: storage that is busy with other questions
/// answers the first look when it would have been late.
pub(super) fn after_close(site: &Site<'_>) -> Result<AfterClose, Halt> {
    let name = name("closed")?;
    let written = pattern(LENGTH);
    site.file(&name, &written)?;
    let (mut size, mut contents) = (None, None);
    site.look_at_moments(&PATIENCE, |moment| {
        if size.is_none() && sized(site, &name)? == Sight::Done {
            size = Some(moment);
        }
        if contents.is_none() && site.shows(&name, &written)? {
            contents = Some(moment);
        }
        Ok(size.is_some() && contents.is_some())
    })?;
    let outcome = |seen: Option<u32>| seen.map_or(Outcome::Ignored, Outcome::seen_after);
    Ok(AfterClose {
        size: outcome(size),
        contents: outcome(contents),
        // What is never seen need not be waited for.
        settle: size.max(contents).unwrap_or_default(),
    })
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

fn sized(site: &Site<'_>, name: &Name) -> Result<Sight, Halt> {
    let size = match site.dir()?.stat_fresh(name) {
        Ok(stat) => stat.size,
        Err(error) if error.errno == Errno::NOENT => 0,
        Err(error) => return Err(error.into()),
    };
    Ok(Sight::of(&size, &0, &(LENGTH as u64)))
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
