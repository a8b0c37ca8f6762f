//! A look at the storage before a volume is created on it.

use std::os::unix::ffi::OsStrExt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::dialogue::DialogueError;
use super::new_volume::Creation;
use super::probe_report;
use crate::probe::{self, Examined, Plan, Why};
use crate::profile::Storage;
use crate::raw::Dir;
use crate::term::{Console, Steps, Unbroken, printable};

/// What there is to know of the storage; it is examined if that is wanted, and the report said.
///
/// # Errors
/// [`DialogueError::Storage`], [`DialogueError::Stopped`].
pub(super) fn storage(
    console: &mut Console,
    creation: &Creation<'_>,
) -> Result<Storage, DialogueError> {
    let dir = Dir::open_root(creation.root)?;
    let kind = dir.filesystem_type();
    if !creation.examine || creation.situation.reverse {
        let (remote, space) = (dir.is_remote(), dir.space().ok());
        return Ok(Storage::by_kernel(kind.as_deref(), remote, space));
    }
    let shown = printable(creation.root.as_os_str().as_bytes());
    let shown = shown.trim_end_matches('/');
    let of_kind = kind.as_ref().map_or_else(String::new, |kind| {
        format!(" ({})", printable(kind.as_bytes()))
    });
    console.say(&format!(
        "Examining the storage at {shown}{of_kind}. It takes some seconds.\n\n"
    ));
    let Examined { findings, left } = examined(&dir)?;
    if let Some(left) = left {
        console.complain(&format!(
            "encfs-rs: {shown}/{} could not be removed: {}\n  Remove this folder of the examination when the \
             storage is well.\n",
            left.folder,
            probe_report::errno_words(left.error.errno)
        ));
    }
    let findings = match findings {
        Ok(findings) => findings,
        Err(Why::NoFolder(error) | Why::NoFiles(error)) => return Err(error.into()),
        Err(Why::Stopped) => return Err(DialogueError::Stopped),
    };
    console.say(&probe_report::found(&findings));
    Ok(Storage::examined(kind.as_deref(), findings))
}

/// An ending signal waits until what the examination made is gone again, and then acts.
fn examined(dir: &Dir) -> Result<Examined, DialogueError> {
    let unbroken = Unbroken::begin()?;
    let stop = AtomicBool::new(false);
    let look = || {
        if unbroken.is_over() {
            stop.store(true, Ordering::Relaxed);
        }
    };
    let steps = Steps::new("  so far".to_owned());
    let plan = Plan {
        stop: &stop,
        progress: &|done, all| {
            look();
            steps.at(done, all);
        },
        wait: &|time: Duration| {
            std::thread::sleep(time);
            look();
        },
        side_by_side: probe::SIDE_BY_SIDE,
    };
    Ok(probe::examine(dir, &plan))
}
