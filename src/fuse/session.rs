//! Mounting, what is asked of the kernel, serving.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use fuser::{Config, InitFlags, KernelConfig, MountOption, Session, SessionACL};

use super::filesystem::Adapter;
use super::served::Served;
use super::shown::Shown;

/// Bytes of a request at most: the kernel's limit is 256 pages.
const MAX_REQUEST: u32 = 1024 * 1024;
/// Requests in the background (readahead, mostly) before the kernel waits.
const MAX_BACKGROUND: u16 = 64;

/// How to mount.
#[derive(Debug, Clone)]
pub struct MountSettings {
    /// Where.
    pub mount_point: PathBuf,
    /// First field of the mount table.
    pub fsname: String,
    /// The type in the mount table is `fuse.` and this; `fuse` without.
    pub subtype: Option<String>,
    /// Mount options for the kernel, one word each (`ro`, `nosuid`, ...).
    pub options: Vec<String>,
    /// Other users may use the mount.
    pub allow_other: bool,
    /// Root may use the mount besides its owner.
    pub allow_root: bool,
    /// Requests served at the same time, at least 1. A request waits for storage most of the
    /// time, so this is a matter of latency, not of processors.
    pub threads: usize,
    /// How long the kernel may believe attributes.
    pub attr_ttl: Duration,
    /// How long the kernel may believe names.
    pub entry_ttl: Duration,
    /// Owners and permissions to show.
    pub shown: Shown,
}

/// Why a volume could not be mounted.
#[derive(Debug, thiserror::Error)]
pub enum MountError {
    /// A mount option that is not known.
    #[error("unknown mount option '{0}'")]
    UnknownOption(String),
    /// The system refused.
    #[error(transparent)]
    System(#[from] io::Error),
}

/// A volume that is mounted and not yet served.
pub struct Mounted {
    session: Session<Adapter>,
}

/// Mounts a volume. When this returns the mount is in place and the kernel has been answered;
/// requests wait until [`Mounted::run`].
///
/// The umask of the process is 0 afterwards: that of each caller is applied.
///
/// # Errors
/// [`MountError`].
pub fn mount(served: Arc<Served>, settings: &MountSettings) -> Result<Mounted, MountError> {
    crate::raw::forget_process_umask();
    let mut options = vec![MountOption::FSName(settings.fsname.clone())];
    if let Some(subtype) = &settings.subtype {
        // Not `Subtype`: when it mounts by itself fuser keeps that from the kernel.
        options.push(MountOption::CUSTOM(format!("subtype={subtype}")));
    }
    for word in &settings.options {
        options.push(option(word)?);
    }
    let kernel_permissions = options.contains(&MountOption::DefaultPermissions);
    let mut config = Config::default();
    config.mount_options = options;
    config.acl = if settings.allow_other {
        SessionACL::All
    } else if settings.allow_root {
        SessionACL::RootAndOwner
    } else {
        SessionACL::Owner
    };
    config.n_threads = Some(settings.threads.max(1));
    config.clone_fd = settings.threads > 1;
    let adapter = Adapter {
        served,
        attr_ttl: settings.attr_ttl,
        entry_ttl: settings.entry_ttl,
        shown: settings.shown,
        kernel_permissions,
    };
    let session = Session::new(adapter, &settings.mount_point, &config)?;
    Ok(Mounted { session })
}

impl Mounted {
    /// Serves requests until the volume is unmounted, by whomever.
    ///
    /// # Errors
    /// If the connection to the kernel breaks.
    pub fn run(self) -> io::Result<()> {
        // A session of fuser ends by unmounting its path, whatever is mounted there by then: one
        // that was detached and ends late would take away the mount made there since. So its
        // handle is never dropped. The kernel has let go of this mount, or the process ends now.
        let background = Box::leak(Box::new(self.session.spawn()?));
        let nothing = std::thread::spawn(|| Ok(()));
        let serving = std::mem::replace(&mut background.guard, nothing);
        let ended = serving
            .join()
            .unwrap_or_else(|_| Err(io::Error::other("a thread that serves requests panicked")));
        unless_unmounted(ended)
    }
}

/// How serving ended. A thread that was just taking a request when the mount went is told
/// ECONNABORTED by the kernel; all others, ENODEV, which the library takes for the end.
fn unless_unmounted(ended: io::Result<()>) -> io::Result<()> {
    match ended {
        Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => Ok(()),
        ended => ended,
    }
}

/// A word of `-o` as the library knows it.
fn option(word: &str) -> Result<MountOption, MountError> {
    Ok(match word {
        "ro" => MountOption::RO,
        "rw" => MountOption::RW,
        "dev" => MountOption::Dev,
        "nodev" => MountOption::NoDev,
        "suid" => MountOption::Suid,
        "nosuid" => MountOption::NoSuid,
        "exec" => MountOption::Exec,
        "noexec" => MountOption::NoExec,
        "atime" => MountOption::Atime,
        "noatime" => MountOption::NoAtime,
        "sync" => MountOption::Sync,
        "async" => MountOption::Async,
        "dirsync" => MountOption::DirSync,
        "default_permissions" => MountOption::DefaultPermissions,
        word if word.starts_with("max_read=") => MountOption::CUSTOM(word.to_owned()),
        word => return Err(MountError::UnknownOption(word.to_owned())),
    })
}

/// Asks for what makes requests few and semantics right; what a kernel lacks is left out.
pub(super) fn ask_kernel(config: &mut KernelConfig, acls: bool) {
    let mut wanted = vec![
        // Names and attributes of a listing in one request, where a program uses both.
        InitFlags::FUSE_DO_READDIRPLUS,
        InitFlags::FUSE_READDIRPLUS_AUTO,
        InitFlags::FUSE_PARALLEL_DIROPS,
        InitFlags::FUSE_ASYNC_DIO,
        // A file that another client changed must not be read from the page cache.
        InitFlags::FUSE_AUTO_INVAL_DATA,
        // A link's target never changes.
        InitFlags::FUSE_CACHE_SYMLINKS,
        // The umask comes with each request: whether it counts depends on default ACLs.
        InitFlags::FUSE_DONT_MASK,
        // Without this the kernel asks for file capabilities before every single write.
        InitFlags::FUSE_HANDLE_KILLPRIV_V2,
    ];
    if acls {
        // The kernel enforces ACLs; it then checks all permissions, asked or not.
        wanted.push(InitFlags::FUSE_POSIX_ACL);
    }
    for flag in wanted {
        if config.add_capabilities(flag).is_err() {
            tracing::debug!("the kernel lacks {flag:?}");
        }
    }
    // Each answers with the nearest possible value, which is then in force or set here.
    if let Err(nearest) = config.set_max_write(MAX_REQUEST) {
        let _ = config.set_max_write(nearest);
    }
    if let Err(nearest) = config.set_max_readahead(MAX_REQUEST) {
        let _ = config.set_max_readahead(nearest);
    }
    let _ = config.set_max_background(MAX_BACKGROUND);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unmount_in_the_middle_of_a_request_is_an_end_like_any_other() {
        const ECONNABORTED: i32 = 103;
        const EIO: i32 = 5;
        assert!(unless_unmounted(Ok(())).is_ok());
        assert!(unless_unmounted(Err(io::Error::from_raw_os_error(ECONNABORTED))).is_ok());
        let broken = unless_unmounted(Err(io::Error::from_raw_os_error(EIO)));
        assert_eq!(broken.unwrap_err().raw_os_error(), Some(EIO));
    }
}
