//! The subcommands of encfsctl-rs, one file each.
//!
//! Each gets a request in which every word has its meaning, and gives an exit status or the
//! [`Failure`] that says why not. Only the settings are read and storage is examined without a
//! password; everything else checks it first, so nothing here shows garbage for a wrong one.

mod cat;
mod export;
mod info;
mod ls;
mod names;
mod open;
mod passwd;
mod probe;
mod showcruft;
mod showkey;

use std::ffi::OsString;
use std::io::{self, Write};
use std::process::ExitCode;

use crate::cli::ctl_request::{Action, CtlRequest, VolumeRequest};
use crate::cli::exit::Failure;
use crate::cli::output::Format;
use crate::cli::version::{called_as, encfsctl_usage, encfsctl_version};
use crate::term::Console;

/// Does what the words say, the program's name first, and gives the exit status.
pub fn run(words: impl IntoIterator<Item = OsString>) -> ExitCode {
    let words: Vec<OsString> = words.into_iter().collect();
    let program = called_as(words.first().map(OsString::as_os_str), "encfsctl-rs");
    let mut format = CtlRequest::format_wanted(&words);
    match meant(words, &mut format) {
        Ok(status) => status,
        Err(failure) => failure.report(&program, &encfsctl_usage(&program), format),
    }
}

fn meant(words: Vec<OsString>, format: &mut Format) -> Result<ExitCode, Failure> {
    match CtlRequest::from_words(words)? {
        CtlRequest::Help(text) => {
            io::stdout().write_all(text.as_bytes())?;
        }
        CtlRequest::Version => {
            // Nobody is left to tell if standard error is closed.
            let _ = io::stderr().write_all(encfsctl_version().as_bytes());
        }
        CtlRequest::Volume(request) => {
            *format = match &request.action {
                Action::Info(wanted)
                | Action::Probe(wanted)
                | Action::Ls { format: wanted, .. }
                | Action::ShowCruft { format: wanted, .. }
                | Action::Export { format: wanted, .. }
                | Action::ShowKey { format: wanted, .. } => *wanted,
                Action::Decode(paths) | Action::Encode(paths) => paths.format,
                _ => Format::Human,
            };
            act(&request)?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn act(request: &VolumeRequest) -> Result<(), Failure> {
    let mut console = Console::standard();
    match &request.action {
        Action::Info(format) => info::show(request, *format),
        Action::Probe(format) => probe::examine(request, *format),
        Action::Passwd => passwd::ask_and_change(request, &mut console),
        Action::Autopasswd => passwd::change_from_lines(request, &mut console),
        Action::Autocheckpasswd => passwd::check_from_line(request, &mut console),
        Action::Ls {
            path,
            format,
            passwords,
        } => ls::list(request, path, *format, passwords, &mut console),
        Action::Cat {
            path,
            reverse: false,
            passwords,
        } => cat::print(request, path, passwords, &mut console),
        Action::Cat {
            path, passwords, ..
        } => cat::print_view(request, path, passwords, &mut console),
        Action::Decode(paths) => names::decode(request, paths, console),
        Action::Encode(paths) => names::encode(request, paths, console),
        Action::ShowCruft { format, passwords } => {
            showcruft::show(request, *format, passwords, &mut console)
        }
        Action::Export {
            target,
            format,
            passwords,
        } => export::export(request, target, *format, passwords, &mut console),
        Action::ShowKey { format, passwords } => {
            showkey::print(request, *format, passwords, &mut console)
        }
    }
}
