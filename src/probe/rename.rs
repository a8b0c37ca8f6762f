//! Is a file renamed, also over another, also only if that name is free; is a folder?
//!
//! Kernels note a rename without asking back, so what is seen a second later decides.

use super::site::{Halt, Sight, Site, Stopped, name, refused};
use super::{Answer, Outcome, answer};
use crate::raw::{Errno, Name, RenameFlags};

/// Contents of the file that is renamed.
const MOVED: &[u8] = b"this is renamed";
/// Contents of the file that is in the way.
const OLD: &[u8] = b"this was there before";

pub(super) fn file(site: &Site<'_>) -> Result<Answer, Stopped> {
    let outcome = to_free_name(site, "file", RenameFlags::empty())?;
    answer(move |findings| findings.rename = outcome)
}

pub(super) fn noreplace(site: &Site<'_>) -> Result<Answer, Stopped> {
    let outcome = to_free_name(site, "free", RenameFlags::NOREPLACE)?;
    answer(move |findings| findings.rename_noreplace = outcome)
}

fn to_free_name(site: &Site<'_>, text: &str, flags: RenameFlags) -> Result<Outcome, Stopped> {
    site.outcome(|| {
        let (old, new) = (name(text)?, name(format!("{text}2"))?);
        site.seen_file(&old, MOVED)?;
        let dir = site.dir()?;
        dir.rename(&old, dir, &new, flags).map_err(refused)?;
        watch(site, &old, &new, None)
    })
}

pub(super) fn over(site: &Site<'_>) -> Result<Answer, Stopped> {
    let outcome = site.outcome(|| {
        let (source, target) = (name("source")?, name("target")?);
        site.seen_file(&target, OLD)?;
        site.seen_file(&source, MOVED)?;
        let dir = site.dir()?;
        let flags = RenameFlags::empty();
        dir.rename(&source, dir, &target, flags).map_err(refused)?;
        watch(site, &source, &target, Some(OLD))
    })?;
    answer(move |findings| findings.rename_over = outcome)
}

pub(super) fn dir(site: &Site<'_>) -> Result<Answer, Stopped> {
    let outcome = site.outcome(|| {
        let (old, new, inside) = (name("dir")?, name("dir2")?, name("inside")?);
        let dir = site.dir()?;
        dir.make_dir(&old, 0o700)?;
        site.below(&old)?.seen_file(&inside, MOVED)?;
        dir.rename(&old, dir, &new, RenameFlags::empty())
            .map_err(refused)?;
        site.watch_settled(|| {
            let gone = absent(site.dir()?.stat(&old).err().map(|error| error.errno));
            let moved = site.below(&new).and_then(|dir| dir.contents(&inside));
            sight(gone, moved, None)
        })
    })?;
    answer(move |findings| findings.rename_dir = outcome)
}

/// Watches `old` go and its contents appear as `new`, where `before` was.
fn watch(site: &Site<'_>, old: &Name, new: &Name, before: Option<&[u8]>) -> Result<Outcome, Halt> {
    site.watch_settled(|| {
        let gone = absent(site.dir()?.stat(old).err().map(|error| error.errno));
        sight(gone, site.contents(new), before)
    })
}

fn absent(answer: Option<Errno>) -> bool {
    answer == Some(Errno::NOENT)
}

fn sight(
    gone: bool,
    contents: Result<Vec<u8>, Halt>,
    before: Option<&[u8]>,
) -> Result<Sight, Halt> {
    let there = match contents {
        Ok(bytes) => Some(bytes),
        Err(Halt::Failed(Errno::NOENT)) => None,
        Err(other) => return Err(other),
    };
    let there = there.as_deref();
    Ok(Sight::of(
        &(gone, there),
        &(false, before),
        &(true, Some(MOVED)),
    ))
}
