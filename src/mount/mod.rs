//! The life cycle of a mount.
//!
//! Words to a request ([`crate::cli::request`]); the two directories; the configuration, or a
//! new volume; the password; the opened volume; then the fork, the mount, the verdict to the
//! waiting parent, and the wait for the end. Every question and every derivation of a key
//! happens before the fork, everything that starts a thread after it.

mod daemon;
mod directories;
mod idle;
mod log;
mod open;
mod session;
mod signals;
mod table;
mod unmount;

use std::ffi::OsString;
use std::io::{self, Write};
use std::os::fd::AsFd;
use std::path::Path;
use std::process::ExitCode;

use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};

use crate::cli::MOUNT_WORDS_HELP;
use crate::cli::exit::Failure;
use crate::cli::output::Format;
use crate::cli::request::{EncfsRequest, Meant, MountRequest};
use crate::cli::version::{called_as, encfs_usage, encfs_version};
use crate::term::Console;
use crate::volume::Volume;
use daemon::{Inherited, Side, Verdict};
use directories::Role;
use log::Detail;

/// Does what the words say, the program's name first, and gives the exit status. Without
/// `-f`, returns once in each of two processes.
pub fn run(words: impl IntoIterator<Item = OsString>) -> ExitCode {
    let words: Vec<OsString> = words.into_iter().collect();
    let program = called_as(words.first().map(OsString::as_os_str), "encfs-rs");
    let Meant {
        complaints,
        request,
    } = EncfsRequest::from_words(words);
    let mut console = Console::standard();
    for complaint in complaints {
        console.complain(&format!("{program}: {complaint}\n"));
    }
    drop(console);
    match request.map_err(Failure::from).and_then(act) {
        Ok(status) => status,
        Err(failure) => failure.report(&program, &encfs_usage(&program), Format::Human),
    }
}

fn act(request: EncfsRequest) -> Result<ExitCode, Failure> {
    match request {
        EncfsRequest::Help(text) => io::stdout().write_all(text.as_bytes())?,
        EncfsRequest::Version { verbose } => {
            io::stderr().write_all(encfs_version(verbose).as_bytes())?;
        }
        EncfsRequest::MountWordsHelp => io::stderr().write_all(MOUNT_WORDS_HELP.as_bytes())?,
        EncfsRequest::Unmount(path) => unmount(&path),
        EncfsRequest::Nothing => {}
        EncfsRequest::Mount(request) => return mount(*request),
    }
    Ok(ExitCode::SUCCESS)
}

/// Success whatever comes of it: scripts use this to make sure that nothing is mounted.
fn unmount(path: &Path) {
    let mut console = Console::standard();
    console.say(&format!("Unmounting {}\n", path.display()));
    if let Err(error) = unmount::lazily(path) {
        console.complain(&format!(
            "encfs-rs: {} is not unmounted: {error}\n",
            path.display()
        ));
    }
}

fn mount(mut request: MountRequest) -> Result<ExitCode, Failure> {
    let inherited = Inherited::note();
    if let Some(namespace) = &request.namespace {
        enter(namespace)?;
    }
    let mut console = Console::standard();
    if request.public && !rustix::process::geteuid().is_root() {
        console.complain("option '--public' ignored for non-root user\n");
        request.public = false;
    }
    let annotate = request.passwords.annotate;
    directories::ensure(&mut console, &request.root, Role::Root, annotate)?;
    directories::ensure(
        &mut console,
        &request.mount_point,
        Role::MountPoint,
        annotate,
    )?;
    directories::require_empty(&request.mount_point, request.words.nonempty)?;
    let volume = open::first(&mut console, &request)?;
    if request.idle_minutes.is_some() && request.single_thread {
        console.complain("encfs-rs: a thread of its own watches for idleness, also with -s\n");
    }
    if request.foreground {
        log::to_stderr(detail(&request));
        return serve(volume, &request, console, None);
    }
    let failed = |error| {
        Failure::new("daemon", format!("cannot go to the background: {error}"))
            .with_io(&error)
            .advise("With -f it stays in the foreground.")
    };
    match daemon::split().map_err(failed)? {
        Side::Parent(status) => Ok(status),
        Side::Child(verdict) => {
            log::to_syslog(detail(&request), &request.syslog_tag);
            serve(volume, &request, console, Some((verdict, inherited)))
        }
    }
}

/// Mounts and waits for the end.
fn serve(
    volume: Option<Volume>,
    request: &MountRequest,
    mut console: Console,
    verdict: Option<(Verdict, Inherited)>,
) -> Result<ExitCode, Failure> {
    let unwatched = |error| {
        Failure::new("signals", format!("cannot watch for signals: {error}")).with_io(&error)
    };
    let noted = signals::note().map_err(unwatched)?;
    let annotate = request.passwords.annotate;
    if annotate {
        console.complain("$STATUS$ fuse_main_start\n");
    }
    let mounted = session::begin(volume, request, noted)?;
    let watched = request.idle_minutes.is_some();
    if watched {
        tracing::info!("Filesystem mounted: {}", request.mount_point.display());
    } else {
        tracing::debug!("Filesystem mounted: {}", request.mount_point.display());
    }
    let mut console = Some(console);
    if let Some((verdict, inherited)) = verdict {
        // With it goes our hold on the caller's standard input.
        console = None;
        if let Err(error) = verdict.mounted(inherited) {
            // A mount that nobody was told of must not stay.
            let _ = unmount::lazily(&request.mount_point);
            let text = format!("cannot go to the background: {error}");
            return Err(Failure::new("daemon", text).with_io(&error));
        }
    }
    let ended = mounted.until_unmounted();
    if watched {
        tracing::info!("Filesystem unmounted: {}", request.mount_point.display());
    }
    if let (true, Some(console)) = (annotate, &mut console) {
        console.complain("$STATUS$ fuse_main_end\n");
    }
    ended.map_err(|error| {
        tracing::error!("the connection to the kernel broke: {error}");
        Failure::new(
            "fuse",
            format!("the connection to the kernel broke: {error}"),
        )
        .with_io(&error)
    })?;
    Ok(ExitCode::SUCCESS)
}

/// Mounts are made in the mount namespace `path` from now on, and the two directories found there.
fn enter(path: &Path) -> Result<(), Failure> {
    let entered = std::fs::File::open(path).and_then(|namespace| {
        let kind = Some(LinkNameSpaceType::Mount);
        Ok(move_into_link_name_space(namespace.as_fd(), kind)?)
    });
    entered.map_err(|error| {
        let text = format!("cannot enter the namespace {}: {error}", path.display());
        Failure::new("mount", text).at_path(path).with_io(&error)
    })
}

fn detail(request: &MountRequest) -> Detail {
    if request.log_requests {
        Detail::Requests
    } else if request.verbose {
        Detail::Verbose
    } else {
        Detail::Usual
    }
}
