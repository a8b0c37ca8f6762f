//! INT, TERM and HUP unmount cleanly.
//!
//! The signals are noted from just before the mount is made, so that none is lost, and acted
//! upon once it is in place. A signal that was ignored when the process started (HUP under
//! `nohup`, INT in a shell's background) stays ignored.

use std::io;
use std::thread;

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

/// Signals noted and not yet acted upon.
pub(super) struct Noted(Signals);

/// Notes the ending signals from now on.
///
/// # Errors
/// What the system reports.
pub(super) fn note() -> io::Result<Noted> {
    let ignored = std::fs::read_to_string("/proc/self/status")
        .map_or(0, |status| ignored_mask(&status).unwrap_or(0));
    let wanted = [SIGINT, SIGTERM, SIGHUP];
    let wanted = wanted
        .into_iter()
        .filter(|signal| ignored & (1 << (signal - 1)) == 0);
    Ok(Noted(Signals::new(wanted)?))
}

impl Noted {
    /// Calls `unmount` for each ending signal, from a thread of its own.
    ///
    /// # Errors
    /// No thread could be started.
    pub(super) fn act(mut self, mut unmount: impl FnMut() + Send + 'static) -> io::Result<()> {
        thread::Builder::new()
            .name("signals".to_owned())
            .spawn(move || {
                for _ in self.0.forever() {
                    unmount();
                }
            })?;
        Ok(())
    }
}

/// The ignored signals, bit 0 being signal 1, from the text of `/proc/PID/status`.
fn ignored_mask(status: &str) -> Option<u64> {
    let digits = status
        .lines()
        .find_map(|line| line.strip_prefix("SigIgn:"))?;
    u64::from_str_radix(digits.trim(), 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ignored_signals_are_read_from_the_status() {
        let status = "Name:\tx\nSigBlk:\t0000000000000000\nSigIgn:\t0000000000001003\nSigCgt:\t0\n";
        assert_eq!(ignored_mask(status), Some(0x1003));
        assert_eq!(ignored_mask("Name:\tx\n"), None);
    }
}
