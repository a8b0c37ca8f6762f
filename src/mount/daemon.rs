//! Going to the background: the parent waits for the child's verdict.
//!
//! The process forks while it has a single thread, after every question and before the mount;
//! the child mounts. If that fails, the child says so on the terminal, which it still has, and
//! the parent exits with the child's status. If it works, the child first lets go of the
//! terminal (a caller that waits for the end of our output must not wait for the mount's end)
//! and only then tells the parent, which exits with 0.

use std::io::{self, Read, Write};
use std::os::fd::{OwnedFd, RawFd};
use std::process::ExitCode;

use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::{ForkResult, Pid};
use rustix::fs::{Mode, OFlags};
use rustix::pipe::PipeFlags;

/// The child's word for "mounted".
const MOUNTED: u8 = b'm';

/// Who we are after the fork.
pub(super) enum Side {
    /// The process that was started; its work is done.
    Parent(ExitCode),
    /// The process that becomes the daemon.
    Child(Verdict),
}

/// The child's end of the pipe. Dropped without [`Verdict::mounted`], it means failure.
pub(super) struct Verdict(OwnedFd);

/// Forks; in the parent, returns once the child has given its verdict or ended.
///
/// Must be called while the process has one thread.
///
/// # Errors
/// What making the pipe or the process reports.
pub(super) fn split() -> io::Result<Side> {
    let (from_child, to_parent) = rustix::pipe::pipe_with(PipeFlags::CLOEXEC)?;
    match fork()? {
        ForkResult::Parent { child } => {
            drop(to_parent);
            Ok(Side::Parent(wait_for(child, from_child)))
        }
        ForkResult::Child => Ok(Side::Child(Verdict(to_parent))),
    }
}

#[allow(unsafe_code)]
fn fork() -> io::Result<ForkResult> {
    // SAFETY: the process has a single thread here (no mount, no signal thread, no log thread
    // exists before the fork), so the child owns every lock that is held and may go on as the
    // parent could have.
    Ok(unsafe { nix::unistd::fork() }?)
}

fn wait_for(child: Pid, from_child: OwnedFd) -> ExitCode {
    let mut word = Vec::new();
    // An unreadable pipe is a child without a verdict.
    let _ = std::fs::File::from(from_child).read_to_end(&mut word);
    if word == [MOUNTED] {
        return ExitCode::SUCCESS;
    }
    match waitpid(child, None) {
        // It has said why.
        Ok(WaitStatus::Exited(_, status)) if status != 0 => {
            ExitCode::from(u8::try_from(status).unwrap_or(1))
        }
        Ok(WaitStatus::Signaled(_, signal, _)) => {
            // The verdict counts, not whether anybody reads this.
            let _ = writeln!(
                io::stderr(),
                "encfs-rs: the mounting process was ended by {signal}; nothing is mounted"
            );
            ExitCode::FAILURE
        }
        _ => ExitCode::FAILURE,
    }
}

impl Verdict {
    /// Becomes a daemon and lets the parent exit with success.
    ///
    /// # Errors
    /// What giving up the terminal reports; the parent then sees a failure when this process
    /// ends.
    pub(super) fn mounted(self, inherited: Inherited) -> io::Result<()> {
        detach()?;
        inherited.close();
        loop {
            match rustix::io::write(&self.0, &[MOUNTED]) {
                Err(rustix::io::Errno::INTR) => {}
                // A parent that was killed needs no verdict; the mount is in place.
                Ok(_) | Err(_) => return Ok(()),
            }
        }
    }
}

/// Descriptors beyond 0 to 2 that the caller passed on, knowingly or not: a program that drives
/// us may wait for the end of what it left open. The password program may still read them, and a
/// configuration may be named by them, so they stay until the mount is in place.
pub(super) struct Inherited(Vec<RawFd>);

impl Inherited {
    /// Notes all that are open now; to be called before anything else is opened.
    pub(super) fn note() -> Self {
        let numbers: Vec<RawFd> = std::fs::read_dir("/proc/self/fd")
            .into_iter()
            .flatten()
            .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
            .collect();
        // One of them was the listing's own.
        let still_open =
            |number: &RawFd| std::fs::symlink_metadata(format!("/proc/self/fd/{number}")).is_ok();
        let passed_on = numbers.into_iter().filter(|number| *number > 2);
        Self(passed_on.filter(still_open).collect())
    }

    fn close(self) {
        for number in self.0 {
            // Nothing else closes them, so each is still the caller's.
            let _ = nix::unistd::close(number);
        }
    }
}

/// New session, `/` as working directory, no terminal on descriptors 0 to 2, umask 0.
fn detach() -> io::Result<()> {
    // Fails only for a process group leader, which a forked child is not.
    let _ = rustix::process::setsid();
    rustix::process::chdir("/")?;
    rustix::process::umask(Mode::empty());
    let null = rustix::fs::open("/dev/null", OFlags::RDWR | OFlags::CLOEXEC, Mode::empty())?;
    rustix::stdio::dup2_stdin(&null)?;
    rustix::stdio::dup2_stdout(&null)?;
    rustix::stdio::dup2_stderr(&null)?;
    Ok(())
}
