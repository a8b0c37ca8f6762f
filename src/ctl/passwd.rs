//! `passwd`, `autopasswd`, `autocheckpasswd`.
//!
//! The lines `Invalid password` and `Volume Key successfully updated.` are *protocol*; one
//! client drops the first line of `autopasswd` unread, so the two "Enter ..." lines stay too.

use super::open::configuration;
use crate::cli::ctl_request::VolumeRequest;
use crate::cli::exit::Failure;
use crate::cli::password_source::{PasswordWays, from_line, new_at_prompt};
use crate::secret::Password;
use crate::term::Console;
use crate::volume::{self, passwd::Change};

/// Asks for the old password and twice for the new one.
pub(super) fn ask_and_change(
    request: &VolumeRequest,
    console: &mut Console,
) -> Result<(), Failure> {
    let ways = PasswordWays::default();
    let root = &request.root;
    change(
        request,
        console,
        |console| Ok(ways.for_opening(console, root)?),
        |console| Ok(new_at_prompt(console)?),
    )
}

/// Takes the old and the new password from two lines of standard input.
pub(super) fn change_from_lines(
    request: &VolumeRequest,
    console: &mut Console,
) -> Result<(), Failure> {
    let line = |console: &mut Console| Ok(from_line(console)?);
    change(request, console, line, line)
}

/// Checks the password in one line of standard input.
pub(super) fn check_from_line(
    request: &VolumeRequest,
    console: &mut Console,
) -> Result<(), Failure> {
    let file = configuration(request).map_err(Failure::no_volume_on_stdout)?;
    console.say("Enter current Encfs password\n");
    let password = from_line(console)?;
    volume::volume_key(&file.config, &password, true).map_err(told)?;
    console.say("Password is correct\n");
    Ok(())
}

fn change(
    request: &VolumeRequest,
    console: &mut Console,
    ask_old: impl FnOnce(&mut Console) -> Result<Password, Failure>,
    ask_new: impl FnOnce(&mut Console) -> Result<Password, Failure>,
) -> Result<(), Failure> {
    let file = configuration(request).map_err(Failure::no_volume_on_stdout)?;
    console.say("Enter current Encfs password\n");
    let old = ask_old(console)?;
    let begun = Change::begin(&file, &old).map_err(told)?;
    console.say("Enter new Encfs password\n");
    let new = ask_new(console)?;
    begun.finish(&new)?;
    console.say("Volume Key successfully updated.\n");
    Ok(())
}

/// These commands have their own words for a wrong password.
fn told(error: volume::Error) -> Failure {
    match error {
        volume::Error::WrongPassword => Failure::protocol("wrong_password", "Invalid password"),
        other => other.into(),
    }
}
