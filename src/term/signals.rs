//! Signals held back while something is half done, which act as ever once it is undone.
//!
//! No handlers are installed, so what the process inherited (`nohup` ignores SIGHUP) stays.

use std::io;
use std::os::fd::{AsFd, BorrowedFd};

use nix::sys::signal::{SigSet, SigmaskHow, Signal, pthread_sigmask, raise};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use parking_lot::Mutex;

/// Signals held back and readable from a descriptor; the mask is restored when dropped.
pub(super) struct HeldSignals {
    descriptor: SignalFd,
    set: SigSet,
    before: SigSet,
}

impl HeldSignals {
    pub(super) fn block(signals: &[Signal]) -> io::Result<Self> {
        let set: SigSet = signals.iter().copied().collect();
        let before = set.thread_swap_mask(SigmaskHow::SIG_BLOCK)?;
        let flags = SfdFlags::SFD_CLOEXEC | SfdFlags::SFD_NONBLOCK;
        match SignalFd::with_flags(&set, flags) {
            Ok(descriptor) => Ok(Self {
                descriptor,
                set,
                before,
            }),
            Err(error) => {
                before.thread_set_mask()?;
                Err(error.into())
            }
        }
    }

    /// The signal that has arrived, if one has; does not wait.
    pub(super) fn struck(&self) -> io::Result<Option<Signal>> {
        let Some(information) = self.descriptor.read_signal()? else {
            return Ok(None);
        };
        let number = i32::try_from(information.ssi_signo).unwrap_or(0);
        Ok(Signal::try_from(number).ok())
    }

    /// Lets `signal` act on the process; returns if the process lives on.
    pub(super) fn deliver(&self, signal: Signal) -> io::Result<()> {
        raise(signal)?;
        pthread_sigmask(SigmaskHow::SIG_SETMASK, Some(&self.before), None)?;
        pthread_sigmask(SigmaskHow::SIG_BLOCK, Some(&self.set), None)?;
        Ok(())
    }
}

impl AsFd for HeldSignals {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.descriptor.as_fd()
    }
}

impl Drop for HeldSignals {
    fn drop(&mut self) {
        // Nothing better can be done with a failure while what was guarded is taken down.
        let _ = self.before.thread_set_mask();
    }
}

/// Work that puts things back before an ending signal ends the program.
///
/// While it lives INT, TERM, HUP and QUIT are only noted. The work asks [`Unbroken::is_over`] now and
/// then, and puts things back if so; dropping this then lets the signal act.
pub struct Unbroken {
    signals: HeldSignals,
    struck: Mutex<Option<Signal>>,
}

impl Unbroken {
    /// Notes signals from now on.
    ///
    /// # Errors
    /// What the system reports.
    pub fn begin() -> io::Result<Self> {
        let ending = [
            Signal::SIGINT,
            Signal::SIGTERM,
            Signal::SIGHUP,
            Signal::SIGQUIT,
        ];
        Ok(Self {
            signals: HeldSignals::block(&ending)?,
            struck: Mutex::new(None),
        })
    }

    /// Whether a signal wants the program to end. Any thread may ask that was started since.
    #[must_use]
    pub fn is_over(&self) -> bool {
        let mut struck = self.struck.lock();
        if struck.is_none() {
            // What cannot be read has not come yet.
            *struck = self.signals.struck().unwrap_or(None);
        }
        struck.is_some()
    }
}

impl Drop for Unbroken {
    fn drop(&mut self) {
        if let Some(signal) = self.struck.lock().take() {
            // It lives on only where the signal was ignored from the start.
            let _ = self.signals.deliver(signal);
        }
    }
}
