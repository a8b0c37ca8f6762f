//! Do files that are open work on when their name is gone, or has become another file's?

use super::site::{Halt, Sight, Site, Stopped, name, refused};
use super::{Answer, Outcome, answer};
use crate::raw::{Access, RenameFlags};

/// Contents of the file that is open.
const OPEN: &[u8] = b"this file is open";
/// Contents of the file that takes its name.
const OTHER: &[u8] = b"this is the other one";

pub(super) fn unlinked(site: &Site<'_>) -> Result<Answer, Stopped> {
    let outcome = site.outcome(|| {
        let name = name("unlinked")?;
        site.seen_file(&name, OPEN)?;
        let file = site.dir()?.open_file(&name, Access::Read)?;
        site.dir()?.unlink(&name).map_err(refused)?;
        let contents = site.read(&file).map_err(Halt::refusal)?;
        Ok(Sight::of(&*contents, b"", OPEN).in_the_end())
    })?;
    answer(move |findings| findings.unlinked_open = outcome)
}

pub(super) fn replaced(site: &Site<'_>) -> Result<Answer, Stopped> {
    let outcome = site.outcome(|| {
        let (open, other) = (name("open")?, name("other")?);
        site.seen_file(&open, OPEN)?;
        site.seen_file(&other, OTHER)?;
        let dir = site.dir()?;
        let file = dir.open_file(&open, Access::Read)?;
        let flags = RenameFlags::empty();
        dir.rename(&other, dir, &open, flags).map_err(refused)?;
        let contents = site.read(&file).map_err(Halt::refusal)?;
        Ok(if contents == OPEN {
            Outcome::Honoured
        } else {
            Outcome::Wrong
        })
    })?;
    answer(move |findings| findings.replaced_open = outcome)
}
