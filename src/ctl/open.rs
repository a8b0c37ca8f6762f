//! From the words of a request to a configuration, or to an opened volume.

use crate::cli::ctl_request::VolumeRequest;
use crate::cli::exit::Failure;
use crate::cli::password_source::PasswordWays;
use crate::raw;
use crate::term::Console;
use crate::volume::config_file::{self, ConfigFile};
use crate::volume::{UnlockOptions, Volume, unlock};

/// The volume in the request's folder, opened with its password.
pub(super) fn volume(
    request: &VolumeRequest,
    passwords: &PasswordWays,
    console: &mut Console,
) -> Result<Volume, Failure> {
    Ok(with_configuration(request, passwords, console)?.0)
}

/// [`volume`], and the configuration that it was opened by.
pub(super) fn with_configuration(
    request: &VolumeRequest,
    passwords: &PasswordWays,
    console: &mut Console,
) -> Result<(Volume, ConfigFile), Failure> {
    let file = configuration(request)?;
    let root = raw::Dir::open_root(&request.root)?;
    let password = passwords.for_opening(console, &request.root)?;
    let volume = unlock(root, &file.config, &password, &UnlockOptions::default())?;
    Ok((volume, file))
}

/// The configuration of the volume in the request's folder.
pub(super) fn configuration(request: &VolumeRequest) -> Result<ConfigFile, Failure> {
    let root = &request.root;
    let shown = root.display();
    match std::fs::metadata(root) {
        Ok(status) if status.is_dir() => {}
        Ok(_) => {
            let text = format!("{shown} is not a directory");
            return Err(Failure::new("no_directory", text).at_path(root));
        }
        Err(error) => {
            let text = format!("directory {shown} cannot be opened: {error}");
            return Err(Failure::new("no_directory", text)
                .at_path(root)
                .with_io(&error));
        }
    }
    config_file::find(root, request.config.as_deref())?.ok_or_else(|| {
        Failure::new(
            "no_volume",
            format!("{shown} is no EncFS volume: there is no .encfs6.xml in it"),
        )
        .at_path(root)
        .advise("Name the folder with the encrypted files, or its configuration with -c.")
    })
}
