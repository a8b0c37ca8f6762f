//! From a request to an opened volume: the one that is there, or a new one.

use crate::cli::exit::Failure;
use crate::cli::new_volume::{self, Creation};
use crate::cli::request::MountRequest;
use crate::cli::storage_words;
use crate::config::{NewVolume, VolumeConfig};
use crate::fs::Direction;
use crate::profile::{Situation, Storage, mismatches};
use crate::raw;
use crate::secret::Password;
use crate::term::Console;
use crate::volume::config_file::{self, ConfigFile};
use crate::volume::{self, UnlockOptions, Volume, unlock};

/// What a mount begins with: the opened volume, or with `--delaymount` none, its configuration
/// checked.
pub(super) fn first(
    console: &mut Console,
    request: &MountRequest,
) -> Result<Option<Volume>, Failure> {
    if request.delayed
        && let Some(file) = config_file::find(&request.root, request.config.as_deref())?
    {
        check_demands(&file.config, request)?;
        let root = open_root(request)?;
        tell_mismatch(console, &root, &NewVolume::like(&file.config), request);
        return Ok(None);
    }
    volume(console, request).map(Some)
}

/// Opens the volume in the request's root, or creates one there; asks what has to be asked.
pub(super) fn volume(console: &mut Console, request: &MountRequest) -> Result<Volume, Failure> {
    let root = open_root(request)?;
    let (file, password) = match config_file::find(&request.root, request.config.as_deref())? {
        Some(file) => {
            check_demands(&file.config, request)?;
            tell_mismatch(console, &root, &NewVolume::like(&file.config), request);
            let password = request.passwords.for_opening(console, &request.root)?;
            (file, password)
        }
        None => create(console, &root, request)?,
    };
    let options = UnlockOptions {
        check_password: !request.any_key,
        force_decode: request.force_decode,
    };
    Ok(unlock(root, &file.config, &password, &options)?)
}

/// Opens the volume again, by the password program.
pub(super) fn existing(request: &MountRequest) -> Result<Volume, Failure> {
    let root = raw::Dir::open_root(&request.root)?;
    let file = config_file::find(&request.root, request.config.as_deref())?.ok_or_else(|| {
        Failure::new("no_volume", "the configuration is gone").at_path(&request.root)
    })?;
    check_demands(&file.config, request)?;
    let mut console = Console::standard();
    let password = request.passwords.for_opening(&mut console, &request.root)?;
    let options = UnlockOptions {
        check_password: !request.any_key,
        force_decode: request.force_decode,
    };
    Ok(unlock(root, &file.config, &password, &options)?)
}

fn open_root(request: &MountRequest) -> Result<raw::Dir, Failure> {
    raw::Dir::open_root(&request.root).map_err(|error| Failure::from(error).at_path(&request.root))
}

/// Says in one line if the storage cannot do what the volume's settings need, as far as the kernel knows
/// without anything being tried. On all other storage a mount is silent: some front ends take any word for a
/// failure.
fn tell_mismatch(
    console: &mut Console,
    root: &raw::Dir,
    settings: &NewVolume,
    request: &MountRequest,
) {
    if request.direction == Direction::Reverse || request.words.read_only() {
        return;
    }
    let kind = root.filesystem_type();
    let storage = Storage::by_kernel(kind.as_deref(), root.is_remote(), root.space().ok());
    if let Some(mismatch) = mismatches(settings, &storage).first() {
        let kind = crate::term::printable(kind.unwrap_or_default().as_bytes());
        let words = storage_words::concern(*mismatch);
        console.complain(&format!("encfs-rs: {kind}: {words}\n"));
    }
}

fn create(
    console: &mut Console,
    root: &raw::Dir,
    request: &MountRequest,
) -> Result<(ConfigFile, Password), Failure> {
    let situation = Situation {
        reverse: request.direction == Direction::Reverse,
        require_macs: request.require_macs,
        insecure: request.insecure,
    };
    let creation = Creation {
        root: &request.root,
        choice: request.profile,
        situation,
        examine: request.examine,
        compatible_writers: request.compatible_writers,
        annotate: request.passwords.annotate,
    };
    let settings = new_volume::choose(console, &creation)?;
    tell_mismatch(console, root, &settings, request);
    let password = request.passwords.for_creating(console, &request.root)?;
    let file = volume::create(&request.root, &settings, &password)?;
    Ok((file, password))
}

/// What the command line demands of a volume that exists. Told on standard output, as EncFS
/// does.
fn check_demands(config: &VolumeConfig, request: &MountRequest) -> Result<(), Failure> {
    if request.require_macs && config.mac_bytes == 0 {
        return Err(Failure::new(
            "no_macs",
            "the blocks of this volume have no authentication codes, and --require-macs was given",
        )
        .advise("A volume keeps the settings it was created with.")
        .on_stdout());
    }
    if request.direction == Direction::Reverse && !config.fits_reverse() {
        return Err(Failure::not_for_reverse());
    }
    if config.plain_data && !request.insecure {
        return Err(Failure::new(
            "plain_data",
            "the file contents of this volume are not encrypted, only the names, and --insecure \
             was not given",
        )
        .on_stdout());
    }
    Ok(())
}
