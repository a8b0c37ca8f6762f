//! Are symbolic links kept with their targets as they are; are there FIFOs?

use super::site::{Site, Stopped, name, refused};
use super::{Answer, Outcome, answer};
use crate::raw::Kind;

pub(super) fn symlinks(site: &Site<'_>) -> Result<Answer, Stopped> {
    let relative = link(site, "relative", b"beside")?;
    let parent = link(site, "parent", b"../other/file")?;
    let absolute = link(site, "absolute", b"/some/where")?;
    let fifo = site.outcome(|| {
        let name = name("fifo")?;
        let dir = site.dir()?;
        dir.make_node(&name, Kind::Fifo, 0o600, 0)
            .map_err(refused)?;
        Ok(if dir.stat(&name)?.kind == Kind::Fifo {
            Outcome::Honoured
        } else {
            Outcome::Wrong
        })
    })?;
    answer(move |findings| {
        findings.symlink_relative = relative;
        findings.symlink_parent = parent;
        findings.symlink_absolute = absolute;
        findings.fifo = fifo;
    })
}

/// Makes a link and reads it: sshfs makes links with `..` that it then refuses to read.
fn link(site: &Site<'_>, file: &str, target: &[u8]) -> Result<Outcome, Stopped> {
    site.outcome(|| {
        let name = name(file)?;
        let dir = site.dir()?;
        dir.symlink(target, &name).map_err(refused)?;
        let kept = dir.read_link(&name).map_err(refused)?;
        Ok(if kept == target {
            Outcome::Honoured
        } else {
            Outcome::Wrong
        })
    })
}
