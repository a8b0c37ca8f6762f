//! The examination of storage finds out what the simulated storage does, and leaves nothing.

#[path = "probe/command.rs"]
mod command;
#[path = "probe/failures.rs"]
mod failures;
#[path = "probe/misbehaviours.rs"]
mod misbehaviours;
#[path = "probe/presets.rs"]
mod presets;

use std::path::PathBuf;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use anyhow::{Result, ensure};
use compat_tests::rawfs::{Options, RawFs};
use compat_tests::tree::{self, Look, Tree};
use encfs_rs::probe::{Examined, Findings, Latency, Outcome, Plan, examine};
use encfs_rs::raw::Dir;
use rustix::io::Errno;

/// Simulated storage in which something lies already.
struct Storage {
    mount: RawFs,
    backing: PathBuf,
    before: Tree,
    // Removed last.
    _folder: tempfile::TempDir,
}

fn storage(options: &Options) -> Result<Storage> {
    let folder = tempfile::tempdir()?;
    let (backing, point) = (folder.path().join("backing"), folder.path().join("point"));
    for dir in [&backing, &point, &backing.join("dir")] {
        std::fs::create_dir(dir)?;
    }
    for name in [".encfs6.xml", "dir/file", "truncate"] {
        std::fs::write(backing.join(name), name.repeat(1000))?;
    }
    let before = tree::read(&backing)?;
    let mount = RawFs::mount(&backing, &point, options)?;
    Ok(Storage {
        mount,
        backing,
        before,
        _folder: folder,
    })
}

impl Storage {
    /// Examines it. Waiting puts its clock forward, and one question is asked after the other, so
    /// nothing depends on how long anything takes.
    fn examine(&self) -> Result<Examined> {
        let wait = |time| self.mount.control().advance(time);
        self.examine_by(&wait, 1)
    }

    /// Examines it as the program does.
    fn examine_in_time(&self) -> Result<Examined> {
        self.examine_by(&std::thread::sleep, 64)
    }

    fn examine_by(
        &self,
        wait: &(dyn Fn(Duration) + Sync),
        side_by_side: usize,
    ) -> Result<Examined> {
        let plan = Plan {
            stop: &AtomicBool::new(false),
            progress: &|_, _| {},
            wait,
            side_by_side,
        };
        Ok(examine(&Dir::open_root(self.mount.path())?, &plan))
    }

    /// Nothing was added to what was there before, and nothing changed.
    fn is_as_before(&self) -> Result<()> {
        let lines = tree::differences(&self.before, &tree::read(&self.backing)?, Look::ALL);
        ensure!(lines.is_empty(), "{lines:#?}");
        Ok(())
    }
}

/// What was found out, without what differs from computer to computer.
fn findings(examined: Examined) -> Result<Findings> {
    ensure!(examined.left.is_none(), "left: {:?}", examined.left);
    let found = examined.findings;
    let mut findings = found.map_err(|why| anyhow::anyhow!("{why:?}"))?;
    ensure!(findings.latency.typical().is_some(), "no latency");
    findings.latency = Latency::default();
    findings.space = None;
    Ok(findings)
}

/// Good storage behind a kernel that calls it remote.
fn good() -> Findings {
    Findings {
        remote: true,
        ..Findings::good()
    }
}

/// Lines on how two findings differ.
fn compare(found: &Findings, wanted: &Findings) -> Result<()> {
    let lines = |findings: &Findings| -> Vec<String> {
        let text = format!("{findings:#?}");
        text.lines().map(str::to_owned).collect()
    };
    let (found_lines, wanted_lines) = (lines(found), lines(wanted));
    let differing: Vec<_> = found_lines
        .iter()
        .filter(|line| !wanted_lines.contains(line))
        .chain(
            wanted_lines
                .iter()
                .filter(|line| !found_lines.contains(line)),
        )
        .collect();
    ensure!(
        found == wanted,
        "found, and then wanted: {differing:#?}\n{found:#?}"
    );
    Ok(())
}

fn refused(errno: Errno) -> Outcome {
    Outcome::Refused(errno)
}

/// Runs all cases, a few at the same time, and tells of each that failed.
fn all<T: Sync>(
    cases: &[T],
    name: impl Fn(&T) -> String + Sync,
    run: impl Fn(&T) -> Result<()> + Sync,
) -> Result<()> {
    const AT_ONCE: usize = 6;
    let next = std::sync::atomic::AtomicUsize::new(0);
    let failed = parking_lot::Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                while let Some(case) =
                    cases.get(next.fetch_add(1, std::sync::atomic::Ordering::Relaxed))
                {
                    if let Err(error) = run(case) {
                        let line = format!("{}: {error:#}", name(case));
                        failed.lock().push(line);
                    }
                }
            });
        }
    });
    let failed = failed.into_inner();
    ensure!(
        failed.is_empty(),
        "{} of {}\n\n{}",
        failed.len(),
        cases.len(),
        failed.join("\n\n")
    );
    Ok(())
}
