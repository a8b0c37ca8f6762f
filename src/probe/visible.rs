//! When are size and contents of a file seen, and where does it end?

use super::site::{Halt, LENGTH, Sight, Site, Stopped, name, pattern, read_all};
use super::{Answer, Outcome, answer};
use crate::raw::{Errno, Name};

/// Moments at which it is looked whether contents are seen at all, in milliseconds.
const MOMENTS: [u32; 8] = [0, 100, 250, 500, 1200, 3000, 6000, 12_000];
/// Length of the short file that is read past its end.
const SHORT: usize = 8;
/// Where something is then written, so that a gap of that page shows what a cache keeps.
const FAR: usize = 60;

/// Milliseconds until contents are seen after the close.
pub(super) fn settling_time(site: &Site<'_>) -> Result<u32, Halt> {
    let name = name("settle")?;
    let contents = pattern(LENGTH);
    site.file(&name, &contents)?;
    let mut waited = 0;
    for moment in MOMENTS {
        site.wait(moment - waited)?;
        waited = moment;
        match site.contents(&name) {
            Ok(seen) if seen == contents => return Ok(moment),
            Ok(_) | Err(Halt::Failed(Errno::NOENT)) => {}
            Err(other) => return Err(other),
        }
    }
    Ok(waited)
}

/// Size while the file is being written, and after the close.
pub(super) fn size(site: &Site<'_>) -> Result<Answer, Stopped> {
    let mut closed = None;
    let open = site.outcome(|| {
        let name = name("size")?;
        let file = site.dir()?.create_file(&name, 0o600)?;
        file.write_at(&pattern(LENGTH), 0)?;
        let open = site.watch(|| sized(site, &name))?;
        site.close(file)?;
        closed = Some(name);
        Ok(open)
    })?;
    let after = site.outcome(|| match (&closed, open) {
        (Some(name), _) => site.watch(|| sized(site, name)),
        (None, Outcome::Unknown(errno)) => Err(Halt::Failed(errno)),
        (None, _) => Err(Halt::Failed(Errno::IO)),
    })?;
    answer(move |findings| {
        findings.size_while_open = open;
        findings.size_after_close = after;
    })
}

fn sized(site: &Site<'_>, name: &Name) -> Result<Sight, Halt> {
    let size = site.dir()?.stat(name)?.size;
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
