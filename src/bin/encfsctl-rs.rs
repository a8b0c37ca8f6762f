//! `encfsctl-rs`: parse, call, exit code.

use std::process::ExitCode;

fn main() -> ExitCode {
    encfs_rs::ctl::run(std::env::args_os())
}
