//! From the words of a request to a configuration, or to an opened volume.

use std::os::unix::ffi::OsStrExt;

use crate::cli::ctl_request::VolumeRequest;
use crate::cli::exit::Failure;
use crate::cli::password_source::PasswordWays;
use crate::raw;
use crate::term::{Console, printable};
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
    let volume = unlocked(request, &file, passwords, console)?;
    Ok((volume, file))
}

/// [`volume`] whose folder is the plain one, if it can be shown from that side.
pub(super) fn reverse(
    request: &VolumeRequest,
    passwords: &PasswordWays,
    console: &mut Console,
) -> Result<Volume, Failure> {
    let file = configuration(request)?;
    if !file.config.fits_reverse() {
        return Err(Failure::not_for_reverse());
    }
    unlocked(request, &file, passwords, console)
}

fn unlocked(
    request: &VolumeRequest,
    file: &ConfigFile,
    passwords: &PasswordWays,
    console: &mut Console,
) -> Result<Volume, Failure> {
    let root = raw::Dir::open_root(&request.root)?;
    let password = passwords.for_opening(console, &request.root)?;
    let options = UnlockOptions::default();
    Ok(unlock(root, &file.config, &password, &options)?)
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
    let found = config_file::find(root, request.config.as_deref())?.ok_or_else(|| {
        Failure::new(
            "no_volume",
            format!("{shown} is no EncFS volume: there is no .encfs6.xml in it"),
        )
        .at_path(root)
        .advise("Name the folder with the encrypted files, or its configuration with -c.")
    })?;
    if request.verbose {
        let path = found.path.as_os_str().as_bytes();
        eprintln!(
            "{}: configuration {}, generation {}, sub-version {}; cipher {}, names {}",
            request.program,
            printable(path),
            found.generation,
            found.config.sub_version,
            found.config.cipher,
            found.config.naming
        );
    }
    Ok(found)
}

/// The name of the configuration in use, if it lies in the root: whoever clears up must not lose it, and nobody
/// misses it. Only `encfs6.xml` without a dot needs this, the others are never shown.
pub(super) fn own_name(request: &VolumeRequest, file: &ConfigFile) -> Option<Vec<u8>> {
    let root = std::path::absolute(&request.root).ok()?;
    let name = file.path.strip_prefix(root).ok()?;
    Some(name.as_os_str().as_bytes().to_vec())
}
