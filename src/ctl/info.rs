//! `info`: a volume's settings, without its password.

use std::io::{self, Write};

use super::open::configuration;
use crate::cli::ctl_request::VolumeRequest;
use crate::cli::description;
use crate::cli::exit::Failure;
use crate::cli::output::{Format, print_json};

pub(super) fn show(request: &VolumeRequest, format: Format) -> Result<(), Failure> {
    // Front ends look for the reason on standard output.
    let file = configuration(request).map_err(Failure::no_volume_on_stdout)?;
    match format {
        Format::Human => {
            let mut out = io::stdout().lock();
            out.write_all(description::of_existing(&file.config).as_bytes())?;
            out.flush()?;
        }
        Format::Json => print_json(&description::as_json(&file.config))?,
    }
    Ok(())
}
