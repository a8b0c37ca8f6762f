//! `encfs-rs`: parse, call, exit code.

use std::process::ExitCode;

fn main() -> ExitCode {
    encfs_rs::mount::run(std::env::args_os())
}
