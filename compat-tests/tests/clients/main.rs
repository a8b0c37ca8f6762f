//! Clients of `encfs` and `encfsctl`: the programs that are at hand, run for real, and of the
//! others the exact lines that they run.
//!
//! Every client finds the program under the names of EncFS. Unless a test says otherwise it is run
//! with EncFS 1.9.5 first, so that what it demands is what a client really gets.

mod backintime;
mod boot;
mod cryptkeeper;
mod cryptonite;
mod efst;
mod encfsgui;
mod g13;
mod gnome;
mod list;
mod pam;
mod plasma_vault;
mod shell;
mod sirikali;
mod small;

use anyhow::Result;
use compat_tests::client::Home;
use compat_tests::oracle::in_path;
use compat_tests::run::{Finished, run};

/// Runs an `expect` script with `args`; it must end with status 0, and leaves nothing mounted.
fn expect(home: &Home, script: &str, args: &[&str]) -> Result<Finished> {
    let place = home.path().join("script.exp");
    std::fs::write(&place, script)?;
    let mut command = home.client(&in_path("expect", "expect")?.to_string_lossy())?;
    let finished = run(command.arg("-f").arg(place).args(args), b"")?.success()?;
    home.settled()?;
    Ok(finished)
}
