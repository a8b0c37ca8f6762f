//! A volume with a model beside it: a plain directory on which everything is done that is done on
//! the mount.

use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::{Context, Result, ensure};

use crate::mounted::Mounted;
use crate::ops::{Habits, Op, apply};
use crate::oracle::Program;
use crate::script;
use crate::tree::{Look, differences, read};
use crate::volumes::{PASSWORD, Settings};

/// What was done, for the summary.
#[derive(Default)]
pub struct Counts {
    /// Mounts made.
    pub mounts: AtomicUsize,
    /// Operations done on a mount.
    pub changes: AtomicUsize,
    /// Entries compared with a model.
    pub compared: AtomicUsize,
}

/// A volume and its model.
pub struct Pair<'a> {
    /// What the volume is like.
    pub settings: &'a Settings,
    /// Its raw root.
    pub raw: PathBuf,
    /// Where it is mounted.
    pub point: PathBuf,
    /// A plain directory on which everything is done that is done on the mount.
    pub model: PathBuf,
    counts: &'a Counts,
}

impl<'a> Pair<'a> {
    /// An empty volume in `folder`.
    ///
    /// # Errors
    /// What the system says.
    pub fn new(folder: &Path, settings: &'a Settings, counts: &'a Counts) -> Result<Self> {
        let [raw, point, model] = ["raw", "mnt", "model"].map(|name| folder.join(name));
        for dir in [&raw, &point, &model] {
            std::fs::create_dir(dir)?;
        }
        settings.write_config(&raw)?;
        Ok(Self {
            settings,
            raw,
            point,
            model,
            counts,
        })
    }

    /// Mounts the volume with `program`.
    ///
    /// # Errors
    /// If it cannot be mounted.
    pub fn mount(&self, program: Program) -> Result<Mounted> {
        self.counts.mounts.fetch_add(1, Ordering::Relaxed);
        // EncFS 1.9.5 shows the old attributes of a hard link's other name for a second, and the
        // kernel then appends at the old end: its attributes are not cached here.
        let args: &[&str] = if program.is_oracle() {
            &["--noattrcache"]
        } else {
            &[]
        };
        Mounted::volume(program, &self.raw, &self.point, PASSWORD, args)
    }

    /// What `program` must be spared.
    #[must_use]
    pub fn habits(&self, program: Program) -> Habits {
        Habits {
            truncate_open: program.is_oracle(),
            grow_by_write: program.is_oracle() && self.settings.oracle_truncate_destroys(),
            whole_seconds: program.is_oracle(),
        }
    }

    /// Compares the mount with the model.
    ///
    /// # Errors
    /// The differences.
    pub fn compare(&self, when: &str) -> Result<()> {
        let wanted = read(&self.model).context("the model")?;
        let seen = read(&self.point).with_context(|| when.to_owned())?;
        self.counts
            .compared
            .fetch_add(wanted.len(), Ordering::Relaxed);
        let lines = differences(&wanted, &seen, Look::ALL);
        ensure!(
            lines.is_empty(),
            "{when}: {} differences\n  {}",
            lines.len(),
            first_few(&lines)
        );
        Ok(())
    }

    /// Does `ops` on the mount and on the model, then sets all times on both.
    ///
    /// # Errors
    /// The operation that fails, and on which side.
    pub fn change(&self, program: Program, ops: &[Op], turn: u64) -> Result<()> {
        let habits = self.habits(program);
        let plain = Habits {
            whole_seconds: habits.whole_seconds,
            ..Habits::default()
        };
        let both = |op: &Op| -> Result<()> {
            apply(op, &self.model, plain).context("on the model")?;
            apply(op, &self.point, habits)
        };
        ops.iter().try_for_each(both)?;
        let times = script::times(turn, &self.model)?;
        times.iter().try_for_each(both)?;
        self.counts
            .changes
            .fetch_add(ops.len() + times.len(), Ordering::Relaxed);
        Ok(())
    }
}

/// A few lines of many.
#[must_use]
pub fn first_few(lines: &[String]) -> String {
    lines
        .iter()
        .take(12)
        .cloned()
        .collect::<Vec<_>>()
        .join("\n  ")
}

/// Runs `job` for each item on as many threads as pay off, and gathers the failures.
pub fn in_parallel<T: Sync>(items: &[T], job: impl Fn(&T) -> Result<()> + Sync) -> Vec<String> {
    // A mount and its user take turns, so a few more threads than processors keep these busy.
    on_threads(1, items, job)
}

/// [`in_parallel`] on `more` threads than there are processors.
pub fn on_threads<T: Sync>(
    more: usize,
    items: &[T],
    job: impl Fn(&T) -> Result<()> + Sync,
) -> Vec<String> {
    let next = AtomicUsize::new(0);
    let failures = Mutex::new(Vec::new());
    let threads = std::thread::available_parallelism().map_or(2, usize::from) + more;
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                while let Some(item) = items.get(next.fetch_add(1, Ordering::Relaxed)) {
                    if let (Err(error), Ok(mut failures)) = (job(item), failures.lock()) {
                        failures.push(format!("{error:#}"));
                    }
                }
            });
        }
    });
    failures.into_inner().unwrap_or_default()
}
