//! Are the numbers of files of use: the same each time, and each file its own?
//!
//! Whether they outlast the kernel's memory of a file cannot be seen: it cannot be told to forget.

use super::site::{Halt, Site, Stopped, name, pattern};
use super::{Answer, InodeNumbers, answer};

/// Kernels believe names for a second.
const BELIEVED: u32 = 1300;

pub(super) fn numbers(site: &Site<'_>) -> Result<Answer, Stopped> {
    let found = match look(site) {
        Ok(found) => found,
        Err(Halt::Stopped) => return Err(Stopped),
        Err(Halt::Refused(errno) | Halt::Failed(errno)) => InodeNumbers::Unknown(errno),
    };
    answer(move |findings| findings.inode_numbers = found)
}

fn look(site: &Site<'_>) -> Result<InodeNumbers, Halt> {
    let (held, other) = (name("held")?, name("other")?);
    site.file(&held, &pattern(1))?;
    site.file(&other, &pattern(1))?;
    let number = |name| -> Result<_, Halt> { Ok(site.dir()?.stat_fresh(name)?.id) };
    let (first, second) = (number(&held)?, number(&other)?);
    if first == second {
        return Ok(InodeNumbers::Repeat);
    }
    let open = site.open(&held)?;
    let by_descriptor = open.stat()?.id;
    site.wait(BELIEVED)?;
    let same = by_descriptor == first && number(&held)? == first && number(&other)? == second;
    Ok(if same {
        InodeNumbers::Stable
    } else {
        InodeNumbers::Change
    })
}
