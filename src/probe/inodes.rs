//! Are the numbers of files of use: the same each time, and each file its own?
//!
//! Whether a number outlasts the kernel's memory shows when the kernel forgets, which it does of
//! its own accord once nothing holds a name that it may no longer believe.

use super::site::{Halt, Site, Stopped, name, pattern};
use super::{Answer, InodeNumbers, answer};
use crate::raw::Dir;

/// Kernels believe names for a second.
const BELIEVED: u32 = 1300;
/// Until the storage has been told that something was forgotten.
const TOLD: u32 = 100;

pub(super) fn numbers(site: &Site<'_>) -> Result<Answer, Stopped> {
    let found = match look(site) {
        Ok(found) => found,
        Err(Halt::Stopped) => return Err(Stopped),
        Err(Halt::Refused(errno) | Halt::Failed(errno)) => InodeNumbers::Unknown(errno),
    };
    answer(move |findings| findings.inode_numbers = found)
}

fn look(site: &Site<'_>) -> Result<InodeNumbers, Halt> {
    let (held, forgotten) = (name("held")?, name("forgotten")?);
    site.file(&held, &pattern(1))?;
    site.file(&forgotten, &pattern(1))?;
    let by_name = |dir: &Dir, name| dir.stat(name).map(|stat| stat.id);
    let dir = site.dir()?;
    let (first, other) = (by_name(dir, &held)?, by_name(dir, &forgotten)?);
    let open = site.open(&held)?;
    let by_descriptor = open.stat()?.id;
    if first == other {
        return Ok(InodeNumbers::Repeat);
    }
    let pin = dir.pin(&forgotten)?;
    site.wait(BELIEVED)?;
    // Held, so no kernel has forgotten it.
    if by_descriptor != first || by_name(dir, &held)? != first {
        return Ok(InodeNumbers::Change);
    }
    drop(pin);
    site.wait(TOLD)?;
    let later = by_name(site.dir()?, &forgotten)?;
    Ok(if later == other {
        InodeNumbers::Stable
    } else {
        InodeNumbers::ChangeWhenForgotten
    })
}
