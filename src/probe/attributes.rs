//! Are mode, owner and extended attributes kept?

use super::site::{Sight, Site, Stopped, name, pattern, refused};
use super::{Answer, Outcome, answer};
use crate::raw::{Errno, own_groups, own_ids};

/// Mode at first, and mode that is set.
const MODES: (u32, u32) = (0o600, 0o640);
/// A user and a group that are not root.
const STRANGER: u32 = 65_534;

pub(super) fn mode(site: &Site<'_>) -> Result<Answer, Stopped> {
    let outcome = site.outcome(|| {
        let name = name("mode")?;
        site.file(&name, &pattern(1))?;
        site.dir()?.set_mode(&name, MODES.1).map_err(refused)?;
        site.watch(|| {
            let mode = site.dir()?.stat_fresh(&name)?.mode;
            Ok(Sight::of(&mode, &MODES.0, &MODES.1))
        })
    })?;
    answer(move |findings| findings.chmod = outcome)
}

pub(super) fn owner(site: &Site<'_>) -> Result<Answer, Stopped> {
    let outcome = site.outcome(|| {
        let name = name("owner")?;
        site.file(&name, &pattern(1))?;
        let dir = site.dir()?;
        let stat = dir.stat(&name)?;
        let before = (stat.uid, stat.gid);
        let ordered = if own_ids().uid == 0 {
            (STRANGER, STRANGER)
        } else {
            let other = own_groups().into_iter().find(|gid| *gid != stat.gid);
            (stat.uid, other.unwrap_or(stat.gid))
        };
        let uid = (ordered.0 != before.0).then_some(ordered.0);
        dir.set_owner(&name, uid, Some(ordered.1))
            .map_err(refused)?;
        site.watch(|| {
            let stat = site.dir()?.stat_fresh(&name)?;
            Ok(Sight::of(&(stat.uid, stat.gid), &before, &ordered))
        })
    })?;
    answer(move |findings| findings.chown = outcome)
}

pub(super) fn xattr(site: &Site<'_>) -> Result<Answer, Stopped> {
    let outcome = site.outcome(|| {
        let (name, attr, value) = (name("xattr")?, c"user.encfs-rs.probe", b"kept?");
        site.file(&name, &pattern(1))?;
        let dir = site.dir()?;
        dir.set_xattr(Some(&name), attr, value, 0)
            .map_err(refused)?;
        match dir.xattr(Some(&name), attr) {
            Ok(kept) if kept == value => Ok(Outcome::Honoured),
            Ok(_) => Ok(Outcome::Wrong),
            Err(error) if error.errno == Errno::NODATA => Ok(Outcome::Ignored),
            Err(error) => Ok(Outcome::Refused(error.errno)),
        }
    })?;
    answer(move |findings| findings.xattr = outcome)
}
