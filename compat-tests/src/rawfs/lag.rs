//! Sizes and times that are told are those of some time ago.

use std::collections::HashMap;
use std::time::Duration;

use rustix::fs::Stat;

use super::nodes::{Id, id_of};

/// What each file was before its last changes.
#[derive(Debug, Default)]
pub(super) struct Lag {
    before: HashMap<Id, Vec<(Duration, Stat)>>,
}

impl Lag {
    /// A file that is like `stat` is about to change.
    pub(super) fn changes(&mut self, now: Duration, stat: Stat) {
        self.before
            .entry(id_of(&stat))
            .or_default()
            .push((now, stat));
    }

    /// `stat` as it is told at `now`: what it was `lag` before.
    pub(super) fn told(&mut self, now: Duration, lag: Duration, stat: &mut Stat) {
        let Some(before) = self.before.get_mut(&id_of(stat)) else {
            return;
        };
        let then = now.saturating_sub(lag);
        before.retain(|(changed, _)| *changed > then);
        if let Some((_, old)) = before.first() {
            stat.st_size = old.st_size;
            stat.st_blocks = old.st_blocks;
            stat.st_mtime = old.st_mtime;
            stat.st_mtime_nsec = old.st_mtime_nsec;
            stat.st_ctime = old.st_ctime;
            stat.st_ctime_nsec = old.st_ctime_nsec;
        }
    }
}
