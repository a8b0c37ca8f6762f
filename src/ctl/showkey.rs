//! `showKey`: the volume key, encrypted with itself.
//!
//! Worth a backup on paper: with the key and the settings the files can be read even if the
//! configuration is lost. Whoever has the key needs no password. EncFS 1.9.5 leaves out the last
//! digit where it holds less than six bits; here it is whole.

use std::io::{self, Write};

use serde_json::json;

use super::open::configuration;
use crate::cli::ctl_request::VolumeRequest;
use crate::cli::exit::Failure;
use crate::cli::output::{Format, print_json};
use crate::cli::password_source::PasswordWays;
use crate::term::Console;
use crate::{crypto, nameio, volume};

pub(super) fn print(
    request: &VolumeRequest,
    format: Format,
    passwords: &PasswordWays,
    console: &mut Console,
) -> Result<(), Failure> {
    let file = configuration(request)?;
    let password = passwords.for_opening(console, &request.root)?;
    let key = volume::volume_key(&file.config, &password, true)?;
    let suite = volume::suite(&file.config)?;
    let wrapped = crypto::wrap_under_itself(&suite, &key).map_err(volume::Error::from)?;
    let key = nameio::to_base64(&wrapped);
    match format {
        Format::Human => writeln!(io::stdout(), "{key}")?,
        Format::Json => print_json(&json!({ "key": key.to_string() }))?,
    }
    Ok(())
}
