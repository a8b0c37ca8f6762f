//! A mount that nobody uses ends after a while, or closes its volume (`--ondemand`).
//!
//! Every ten seconds it is looked whether anything was used since; six such looks make a minute. Open
//! files keep a mount alive, with a warning in the log each time the full time has gone by.

use std::io;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use crate::fuse::Served;

/// Time between two looks.
const EVERY: Duration = Duration::from_secs(10);
/// Looks in a minute.
const PER_MINUTE: u64 = 6;

/// Counts looks without use.
#[derive(Debug)]
struct IdleClock {
    limit: u64,
    idle: u64,
    uses: u64,
}

/// What follows from a look.
#[derive(Debug, PartialEq, Eq)]
enum Look {
    /// Nothing yet.
    Wait,
    /// Idle for the full time once more, but files are open.
    InUse,
    /// The time is over.
    Over,
}

impl IdleClock {
    fn new(minutes: u64, uses: u64) -> Self {
        Self {
            limit: minutes.saturating_mul(PER_MINUTE),
            idle: 0,
            uses,
        }
    }

    fn look(&mut self, uses: u64, open_files: usize) -> Look {
        if uses != self.uses {
            self.uses = uses;
            self.idle = 0;
            return Look::Wait;
        }
        self.idle = self.idle.saturating_add(1);
        if self.idle < self.limit {
            Look::Wait
        } else if open_files == 0 {
            Look::Over
        } else if self.idle.is_multiple_of(self.limit) {
            Look::InUse
        } else {
            Look::Wait
        }
    }
}

/// Watches from a thread of its own, which ends with the mount. `end` unmounts.
///
/// # Errors
/// No thread could be started.
pub(super) fn watch(
    minutes: u64,
    served: Arc<Served>,
    mut end: impl FnMut() + Send + 'static,
) -> io::Result<()> {
    let watching = move || {
        let mut clock = IdleClock::new(minutes, served.uses());
        loop {
            thread::sleep(EVERY);
            if !served.is_open() {
                continue;
            }
            let open_files = served.open_files();
            match clock.look(served.uses(), open_files) {
                Look::Wait => {}
                Look::InUse => tracing::warn!(
                    "idle for {minutes} minutes, but {open_files} files are open: not unmounted"
                ),
                Look::Over if served.can_reopen() => {
                    if served.drop_volume() {
                        tracing::info!("idle for {minutes} minutes: volume closed");
                        clock = IdleClock::new(minutes, served.uses());
                    }
                }
                Look::Over => {
                    tracing::info!("idle for {minutes} minutes: unmounting");
                    end();
                }
            }
        }
    };
    thread::Builder::new()
        .name("idle".to_owned())
        .spawn(watching)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_is_over_after_six_looks_a_minute_without_use() {
        let mut clock = IdleClock::new(2, 5);
        for _ in 0..11 {
            assert_eq!(clock.look(5, 0), Look::Wait);
        }
        assert_eq!(clock.look(5, 0), Look::Over);
    }

    #[test]
    fn use_begins_the_count_again() {
        let mut clock = IdleClock::new(1, 0);
        for _ in 0..5 {
            assert_eq!(clock.look(0, 0), Look::Wait);
        }
        assert_eq!(clock.look(1, 0), Look::Wait);
        for _ in 0..5 {
            assert_eq!(clock.look(1, 0), Look::Wait);
        }
        assert_eq!(clock.look(1, 0), Look::Over);
    }

    #[test]
    fn open_files_keep_it_and_are_warned_of_each_full_time() {
        let mut clock = IdleClock::new(1, 0);
        let mut seen = Vec::new();
        for look in 1..=13 {
            if clock.look(0, 1) == Look::InUse {
                seen.push(look);
            }
        }
        assert_eq!(seen, [6, 12]);
        // Closed without further use: the next look ends it.
        assert_eq!(clock.look(0, 0), Look::Over);
    }
}
