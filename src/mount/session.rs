//! The one place where a volume, its settings and a request become a FUSE mount.

use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use super::{idle, open, signals, table, unmount};
use crate::cli::exit::Failure;
use crate::cli::request::MountRequest;
use crate::fs::{Direction, EncFs, FsOptions, OwnMount};
use crate::fuse::{self, MountSettings, Served};
use crate::raw;
use crate::volume::Volume;

/// Name and type in the mount table, whatever name the program was called by: clients look for
/// `fuse.encfs`.
const TYPE: &str = "encfs";

/// Requests served at the same time. A request waits for the storage, so this is about latency,
/// not about processors.
const THREADS: usize = 16;

/// How long the kernel keeps attributes and names.
const TTL: Duration = Duration::from_secs(1);

/// A mount in place.
pub(super) struct Mounted(fuse::Mounted);

/// Mounts; from then on an ending signal unmounts.
pub(super) fn begin(
    volume: Option<Volume>,
    request: &MountRequest,
    noted: signals::Noted,
) -> Result<Mounted, Failure> {
    let shown = request.mount_point.display();
    // The true path: the daemon's working directory becomes `/`, and the mount table knows no
    // links.
    let place = request
        .mount_point
        .canonicalize()
        .unwrap_or_else(|_| request.mount_point.clone());
    allow_many_descriptors();
    let served = Arc::new(served(volume, request, &place)?);
    let mounted = fuse::mount(Arc::clone(&served), &settings(request)).map_err(|error| {
        let reason = error.to_string();
        Failure::new(
            "mount",
            format!("cannot mount at {shown}: {}", reason.trim()),
        )
        .at_path(&request.mount_point)
        .advise(advice(request))
    })?;
    let device = table::device_at(&place);
    if let Some(minutes) = request.idle_minutes {
        let (place, device) = (place.clone(), device.clone());
        idle::watch(minutes, served, move || {
            if table::device_at(&place) == device {
                let _ = unmount::lazily(&place);
            }
        })
        .map_err(|error| {
            let _ = unmount::lazily(&request.mount_point);
            Failure::new("idle", format!("cannot watch for idleness: {error}")).with_io(&error)
        })?;
    }
    noted
        .act(move || {
            // In use, it is detached, and ends when its last user does. Not ours any more, it is
            // left alone: we are such a detached mount, and somebody mounted there again.
            if table::device_at(&place) == device {
                let _ = unmount::lazily(&place);
            }
        })
        .map_err(|error| {
            let _ = unmount::lazily(&request.mount_point);
            Failure::new("signals", format!("cannot watch for signals: {error}")).with_io(&error)
        })?;
    Ok(Mounted(mounted))
}

impl Mounted {
    /// Serves until somebody unmounts.
    ///
    /// # Errors
    /// The connection to the kernel broke.
    pub(super) fn until_unmounted(self) -> io::Result<()> {
        self.0.run()
    }
}

/// What serves the mount: the volume, or with `--ondemand` whatever opens it when it is needed.
fn served(volume: Option<Volume>, request: &MountRequest, place: &Path) -> Result<Served, Failure> {
    let opened = volume
        .map(|volume| filesystem(volume, request, place))
        .transpose()?;
    if !request.on_demand {
        return opened
            .map(Served::always)
            .ok_or_else(|| Failure::new("volume", "no volume was opened"));
    }
    let (mut request, place) = (request.clone(), place.to_owned());
    // The daemon's working directory becomes `/`.
    request.root = std::path::absolute(&request.root).unwrap_or(request.root);
    request.config = request
        .config
        .map(|config| std::path::absolute(&config).unwrap_or(config));
    let reopen = move || {
        let again =
            open::existing(&request).and_then(|volume| filesystem(volume, &request, &place));
        match again {
            Ok(filesystem) => Some(filesystem),
            Err(failure) => {
                tracing::warn!(
                    "the volume could not be opened again: {}",
                    failure.message()
                );
                None
            }
        }
    };
    Ok(Served::on_demand(opened, Box::new(reopen)))
}

/// The volume as the request wants it served at `place`, the true path of the mount point.
fn filesystem(volume: Volume, request: &MountRequest, place: &Path) -> Result<EncFs, Failure> {
    let words = &request.words;
    let view_only = request.direction == Direction::Reverse
        && (!request.reverse_write || volume.config.unique_iv);
    let options = FsOptions {
        public: request.public,
        read_only: view_only || words.kernel.iter().any(|word| word == "ro"),
        direction: request.direction,
        own_mount: own_mount(&request.root, place),
    };
    EncFs::new(volume, options).map_err(|error| {
        Failure::new("storage", format!("{}: {error}", request.root.display()))
            .at_path(&request.root)
    })
}

/// Where the mount point is in the stored tree, if it is there.
fn own_mount(root: &Path, place: &Path) -> Option<OwnMount> {
    let root = root.canonicalize().ok()?;
    if !place.starts_with(root) {
        return None;
    }
    let parent = raw::Dir::open_root(place.parent()?).ok()?;
    Some(OwnMount {
        parent: parent.stat_self().ok()?.id,
        name: raw::Name::new(place.file_name()?.as_bytes()).ok()?,
    })
}

/// Every open file is a descriptor here too: the usual limit of 1024 is for programs that have no
/// users of their own.
fn allow_many_descriptors() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit {
        current: limit.maximum,
        maximum: limit.maximum,
    };
    if let Err(error) = setrlimit(Resource::Nofile, raised) {
        tracing::debug!("no more than {:?} files: {error}", limit.current);
    }
}

fn settings(request: &MountRequest) -> MountSettings {
    let words = &request.words;
    let (fsname, subtype) = match (&words.fsname, &words.subtype) {
        (None, None) => (TYPE.to_owned(), Some(TYPE.to_owned())),
        // As libfuse has it: a type of one's own is the source too, a source of one's own leaves
        // the type out.
        (None, Some(subtype)) => (subtype.clone(), Some(subtype.clone())),
        (Some(fsname), subtype) => (fsname.clone(), subtype.clone()),
    };
    MountSettings {
        mount_point: request.mount_point.clone(),
        fsname,
        subtype,
        options: words.kernel.clone(),
        allow_other: words.allow_other || request.public,
        allow_root: words.allow_root,
        threads: if request.single_thread { 1 } else { THREADS },
        attr_ttl: words.attr_ttl.unwrap_or(TTL),
        entry_ttl: words.entry_ttl.unwrap_or(TTL),
        shown: words.shown,
    }
}

fn advice(request: &MountRequest) -> &'static str {
    if !rustix::process::geteuid().is_root() {
        if request.words.allow_other {
            return "Only root may use allow_other, unless /etc/fuse.conf says user_allow_other.";
        }
        if request.words.allow_root {
            return "Only root may use allow_root, unless /etc/fuse.conf says user_allow_other.";
        }
    }
    if !Path::new("/dev/fuse").exists() {
        return "There is no /dev/fuse: load the kernel module fuse, or let this container have it.";
    }
    let access = rustix::fs::Access::READ_OK | rustix::fs::Access::WRITE_OK;
    if rustix::fs::access("/dev/fuse", access).is_err() {
        return "You may not use /dev/fuse: ask to be added to the group that it belongs to.";
    }
    "Is fusermount3 installed (package fuse3)?"
}
