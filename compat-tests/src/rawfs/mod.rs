//! Raw storage that misbehaves on demand: a FUSE filesystem over a backing folder.
//!
//! EncFS 1.9.5, encfs-rs and anything else run on the same faults, since these are below the
//! kernel. In tests the storage is served by threads of the test itself ([`RawFs::mount`]) and
//! changed through [`Control`]; by hand it is the program `rawfs-sim`.
//!
//! | file | job |
//! |---|---|
//! | `pass_through` | each request done faithfully in the backing folder |
//! | `nodes` | inode numbers |
//! | `filesystem`, `simulator` | requests of the kernel and their answers |
//! | `faults` | which requests fail, when and how |
//! | `counts` | numbers and traces of requests |
//! | `holds` | requests that hang |
//! | `open_count` | how many files are open |
//! | `latency` | how long requests take |
//! | `behaviour` | how storage misbehaves for good |
//! | `odd`, `quirks` | requests in which that has a say, and what is under way because of it |
//! | `cuts` | truncation that takes effect late |
//! | `lag` | sizes and times of some time ago |
//! | `uploads` | contents that are seen some time after the close |
//! | `order` | writes that must come in order, second writes that are lost |
//! | `spelling` | names that are refused, or the same |
//! | `clock` | the time that late things wait for |
//! | `presets` | storage as it is found |
//! | `durable` | what a crash would leave |
//! | [`Stage`] | a volume on it |
//! | [`words`] | faults and limits as words of a command line |
//!
//! The kernel caches names and attributes for the times in [`Options`], as on any FUSE storage,
//! and pages as it likes unless `direct_io` is set. Writes come through at once (no writeback
//! cache) and in requests of up to 1 MiB.

mod behaviour;
mod clock;
mod control;
mod convert;
mod counts;
mod cuts;
mod durable;
mod faults;
mod filesystem;
mod holds;
mod lag;
mod latency;
mod nodes;
mod odd;
mod op;
mod open_count;
mod order;
mod pass_through;
mod presets;
mod quirks;
mod simulator;
mod spelling;
mod stage;
mod uploads;
pub mod words;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use fuser::{BackgroundSession, Config, MountOption, Session, SessionACL};

pub use behaviour::{Act, Behaviour, Order, Overwrite, Spelling, Truncation, Upload};
pub use control::{Control, Held};
pub use counts::{Counted, Traced};
pub use durable::Names;
pub use faults::{Effect, Fault, Partly, Space, When, Which};
pub use latency::Latency;
pub use nodes::Numbers;
pub use op::Op;
pub use presets::{PRESETS, preset};
pub use stage::{Prepared, Stage};

use control::Shared;
use durable::Durable;
use pass_through::Backing;
use simulator::Simulator;

/// What the storage is like. The default is faithful.
#[derive(Clone, Debug)]
pub struct Options {
    /// How long the kernel may believe names.
    pub entry_timeout: Duration,
    /// How long the kernel may believe attributes.
    pub attr_timeout: Duration,
    /// Reads and writes come as the programs make them, past the kernel's page cache.
    pub direct_io: bool,
    /// Bytes of a request at most.
    pub max_request: u32,
    /// How long requests take at first.
    pub latency: Latency,
    /// Inode numbers.
    pub numbers: Numbers,
    /// Keep account of what was synced, for [`RawFs::crash`]. Costs time and memory.
    pub may_crash: bool,
    /// How it misbehaves for good.
    pub behaviour: Behaviour,
    /// Faults that are armed from the start.
    pub faults: Vec<Fault>,
    /// Space that is left at the start.
    pub space: Option<Space>,
    /// Requests are noted from the start.
    pub trace: bool,
    /// Other users may use the mount; the kernel then checks permissions.
    pub others: bool,
    /// Requests that are served at the same time.
    pub threads: usize,
    /// Its type in the mount table is `fuse.` and this.
    pub subtype: Option<String>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            entry_timeout: Duration::from_secs(1),
            attr_timeout: Duration::from_secs(1),
            direct_io: false,
            max_request: 1 << 20,
            latency: Latency::default(),
            numbers: Numbers::default(),
            may_crash: false,
            behaviour: Behaviour::default(),
            faults: Vec::new(),
            space: None,
            trace: false,
            others: false,
            threads: 8,
            subtype: None,
        }
    }
}

/// Storage that is mounted. Dropping it unmounts, also when it is in use.
#[derive(Debug)]
pub struct RawFs {
    point: PathBuf,
    control: Control,
    session: Option<BackgroundSession>,
}

impl RawFs {
    /// Mounts the folder `backing` on `point` and serves it from threads of this process.
    ///
    /// # Errors
    /// When it cannot be mounted.
    pub fn mount(backing: &Path, point: &Path, options: &Options) -> Result<Self> {
        raise_file_limit();
        let shared = Arc::new(Shared::new(options));
        if options.may_crash {
            *shared.durable.lock() = Some(Durable::new(&backing.canonicalize()?)?);
        }
        let simulator = Simulator {
            backing: Backing::new(backing, options.numbers)?,
            shared: Arc::clone(&shared),
            options: options.clone(),
        };
        let mut config = Config::default();
        config.mount_options = vec![
            MountOption::FSName("rawfs-sim".to_owned()),
            MountOption::NoDev,
            MountOption::NoSuid,
        ];
        if let Some(subtype) = &options.subtype {
            // Not `Subtype`: when it mounts by itself fuser keeps that from the kernel.
            let word = format!("subtype={subtype}");
            config.mount_options.push(MountOption::CUSTOM(word));
        }
        if options.others {
            config.acl = SessionACL::All;
            config.mount_options.push(MountOption::DefaultPermissions);
        }
        config.n_threads = Some(options.threads.max(1));
        config.clone_fd = options.threads > 1;
        let point = point.canonicalize()?;
        let session = Session::new(simulator, &point, &config)
            .and_then(Session::spawn)
            .with_context(|| format!("mounting on {}", point.display()))?;
        Ok(Self {
            point,
            control: Control(shared),
            session: Some(session),
        })
    }

    /// The mount point.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.point
    }

    /// What changes it while it is mounted.
    #[must_use]
    pub fn control(&self) -> &Control {
        &self.control
    }

    /// Unmounts, and waits until nothing uses it any more.
    ///
    /// # Errors
    /// When serving it failed.
    pub fn unmount(mut self) -> Result<()> {
        crate::mounted::unmount_now(&self.point, true)?;
        self.join()
    }

    /// Waits until someone else has unmounted it.
    ///
    /// # Errors
    /// When serving it failed.
    pub fn serve(mut self) -> Result<()> {
        self.join()
    }

    /// The power is cut: unmounts, and leaves in the backing folder what was safe.
    ///
    /// # Errors
    /// When it was mounted without `may_crash`, or the folder cannot be changed.
    pub fn crash(mut self, names: Names) -> Result<()> {
        crate::mounted::unmount_now(&self.point, true)?;
        self.join()?;
        let Some(durable) = self.control.0.durable.lock().take() else {
            bail!("mounted without may_crash");
        };
        Ok(durable.crash(names)?)
    }

    fn join(&mut self) -> Result<()> {
        let joined = self.wait();
        // What was on its way arrives.
        self.control.0.quirks.settle_all()?;
        joined
    }

    fn wait(&mut self) -> Result<()> {
        match self.session.take().map(BackgroundSession::join) {
            // Unmounted while a thread was just taking a request.
            Some(Err(error)) if error.kind() == std::io::ErrorKind::ConnectionAborted => Ok(()),
            Some(joined) => Ok(joined?),
            None => Ok(()),
        }
    }
}

impl Drop for RawFs {
    fn drop(&mut self) {
        if self.session.is_none() {
            return;
        }
        let left = crate::mounted::unmount_now(&self.point, true).and_then(|()| self.join());
        if let Err(error) = left {
            eprintln!("while leaving {}: {error:#}", self.point.display());
        }
    }
}

/// Each file that the kernel knows is a descriptor here.
fn raise_file_limit() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    // Refused only where no limit can be changed: then it is what it is.
    let _ = setrlimit(
        Resource::Nofile,
        Rlimit {
            current: maximum,
            maximum,
        },
    );
}
