//! Can a file have two names, is that told, and are both the same file?

use super::site::{Halt, Sight, Site, Stopped, name, refused};
use super::{Answer, HardLinks, Outcome, answer};

/// Contents at first.
const FIRST: &[u8] = b"two names";
/// What is added through the second name.
const MORE: &[u8] = b", one file";

pub(super) fn hard_links(site: &Site<'_>) -> Result<Answer, Stopped> {
    let found = match links(site) {
        Ok(found) => found,
        Err(Halt::Stopped) => return Err(Stopped),
        Err(Halt::Refused(errno)) => HardLinks::Refused(errno),
        Err(Halt::Failed(errno)) => HardLinks::Unknown(errno),
    };
    answer(move |findings| findings.hard_links = found)
}

fn links(site: &Site<'_>) -> Result<HardLinks, Halt> {
    let (first, second) = (name("first")?, name("second")?);
    site.seen_file(&first, FIRST)?;
    let dir = site.dir()?;
    dir.link(&first, dir, &second).map_err(refused)?;
    let counted = site.watch(|| {
        let dir = site.dir()?;
        let count = dir
            .stat_fresh(&first)?
            .nlink
            .min(dir.stat_fresh(&second)?.nlink);
        Ok(Sight::of(&count, &1, &2))
    })?;
    let file = site.open(&second)?;
    // Storage that takes no more writes cannot show which it is.
    if file.write_at(MORE, FIRST.len() as u64).is_ok() {
        site.close(file)?;
        let both = [FIRST, MORE].concat();
        if site.watch_contents(&first, FIRST, &both)? == Outcome::Ignored {
            return Ok(HardLinks::Copied);
        }
    }
    Ok(if counted.is_done() {
        HardLinks::Counted
    } else {
        HardLinks::NotCounted
    })
}
