//! `probe`: the examination of the storage that a folder is in.

use std::io::{self, Write};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use crate::cli::ctl_request::VolumeRequest;
use crate::cli::exit::Failure;
use crate::cli::output::{Format, print_json};
use crate::cli::probe_report;
use crate::probe::{self, Left, Plan, Why};
use crate::raw::{Dir, Errno};
use crate::term::{Steps, printable};

/// Examines and reports.
pub(super) fn examine(request: &VolumeRequest, format: Format) -> Result<(), Failure> {
    let root = &request.root;
    let shown = printable(root.as_os_str().as_bytes());
    let dir = Dir::open_root(root).map_err(|error| {
        let text = format!("{shown} cannot be looked at: {}", words(error.errno));
        failure("no_directory", text, root, error.errno)
    })?;
    let stop = Arc::new(AtomicBool::new(false));
    for signal in [
        signal_hook::consts::SIGINT,
        signal_hook::consts::SIGTERM,
        signal_hook::consts::SIGHUP,
    ] {
        signal_hook::flag::register(signal, Arc::clone(&stop))?;
    }
    let steps = Steps::new(format!("Examining the storage at {shown}"));
    let plan = Plan {
        stop: &stop,
        progress: &|done, all| steps.at(done, all),
        wait: &std::thread::sleep,
        side_by_side: probe::SIDE_BY_SIDE,
    };
    let examined = probe::examine(&dir, &plan);
    drop(steps);
    let findings = match (examined.findings, &examined.left) {
        (Ok(findings), _) => findings,
        (Err(why), left) => return Err(not_examined(root, &shown, &why, left.as_ref())),
    };
    match format {
        Format::Human => {
            let text = probe_report::human(&findings, &shown);
            let mut out = io::stdout().lock();
            out.write_all(text.as_bytes())?;
            out.flush()?;
        }
        Format::Json => print_json(&probe_report::json(&findings, root))?,
    }
    if let Some(left) = &examined.left {
        let text = format!(
            "{} could not be removed: {}",
            path_of(&shown, left),
            words(left.error.errno)
        );
        return Err(failure("left_behind", text, root, left.error.errno)
            .advise(remove_by_hand(&shown, left)));
    }
    match findings.not_found_out() {
        None => Ok(()),
        Some((count, errno)) => {
            let text = format!(
                "{count} of the findings are missing, the first because of: {}",
                words(errno)
            );
            Err(failure("incomplete", text, root, errno))
        }
    }
}

fn not_examined(root: &Path, shown: &str, why: &Why, left: Option<&Left>) -> Failure {
    let failure = match why {
        Why::NoFolder(error) => {
            let reason = words(error.errno);
            let text = format!("{shown} cannot be examined, nothing can be made there: {reason}");
            failure("not_examined", text, root, error.errno)
        }
        Why::NoFiles(error) => {
            let reason = words(error.errno);
            let text = format!(
                "{shown} cannot be examined, a file cannot be made, written and read there: {reason}"
            );
            failure("not_examined", text, root, error.errno)
        }
        Why::Stopped => Failure::new("stopped", "stopped before all was found out").at_path(root),
    };
    match (left, why) {
        (Some(left), _) => failure.advise(remove_by_hand(shown, left)),
        (None, Why::Stopped) => failure.advise("Nothing of the examination is left."),
        (None, Why::NoFolder(_) | Why::NoFiles(_)) => failure.advise(
            "Examining needs room for a temporary folder of about 200 KiB. Nothing of it is left.",
        ),
    }
}

fn remove_by_hand(shown: &str, left: &Left) -> String {
    let path = path_of(shown, left);
    format!("Remove the folder of the examination when the storage is well: rm -r '{path}'")
}

fn path_of(shown: &str, left: &Left) -> String {
    format!("{}/{}", shown.trim_end_matches('/'), left.folder)
}

fn failure(kind: &'static str, text: String, root: &Path, errno: Errno) -> Failure {
    let failure = Failure::new(kind, text).at_path(root);
    failure.with_errno(errno.raw_os_error())
}

fn words(errno: Errno) -> String {
    probe_report::errno_words(errno)
}
