//! EncFS 1.9.5 and encfs-rs on the same volumes, in both directions and in turns.
//!
//! For each setting of the matrix there are two volumes, one begun by either program. Beside each
//! lies a model: a plain directory on which everything is done that is done on the mount. The
//! programs take turns; each compares what it finds with the model, changes everything, compares
//! again and leaves. At the end both look once more.

use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::{Context, Result, bail, ensure};
use compat_tests::mounted::{Mounted, below};
use compat_tests::ops::{Habits, Op, apply};
use compat_tests::oracle::Program;
use compat_tests::script;
use compat_tests::tree::{Look, differences, read};
use compat_tests::volumes::{PASSWORD, Settings, create_by_dialogue, element, matrix, paranoia};

/// Turns after the first filling; with them each program follows the other twice.
const TURNS: u64 = 3;

/// What was done, for the summary.
#[derive(Default)]
struct Counts {
    mounts: AtomicUsize,
    changes: AtomicUsize,
    compared: AtomicUsize,
}

struct Pair<'a> {
    settings: &'a Settings,
    raw: PathBuf,
    point: PathBuf,
    model: PathBuf,
    counts: &'a Counts,
}

impl<'a> Pair<'a> {
    fn new(folder: &Path, settings: &'a Settings, counts: &'a Counts) -> Result<Self> {
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

    fn mount(&self, program: Program) -> Result<Mounted> {
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

    fn habits(&self, program: Program) -> Habits {
        Habits {
            truncate_open: program.is_oracle(),
            grow_by_write: program.is_oracle() && self.settings.oracle_truncate_destroys(),
            whole_seconds: program.is_oracle(),
        }
    }

    fn compare(&self, when: &str) -> Result<()> {
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
    fn change(&self, program: Program, ops: &[Op], turn: u64) -> Result<()> {
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

    /// What the format or the settings forbid is refused with the right errno and changes nothing.
    fn refusals(&self) -> Result<()> {
        let long = below(
            &self.point,
            &script::name_of(self.settings.name_limit() + 1),
        );
        let error = std::fs::write(long, b"")
            .err()
            .context("too long a name was taken")?;
        ensure!(
            error.raw_os_error() == Some(36),
            "a name too long by one byte: {error}"
        );
        if !self.settings.hard_links() {
            let (old, new) = (self.point.join("sizes/9"), self.point.join("second"));
            let error = std::fs::hard_link(old, new)
                .err()
                .context("a hard link was made")?;
            ensure!(
                error.raw_os_error() == Some(1),
                "a hard link under external IV: {error}"
            );
        }
        Ok(())
    }

    fn turns(&self, begins: Program) -> Result<()> {
        let mut program = begins;
        let mount = self.mount(program)?;
        self.change(program, &script::first(self.settings), 0)
            .context("filling")?;
        self.refusals()?;
        self.compare("after filling, still mounted")?;
        mount.unmount()?;
        for turn in 1..=TURNS {
            let writer = program;
            program = program.other();
            let mount = self.mount(program)?;
            let by = |what: &str| format!("turn {turn}, by {}, {what}", program.label());
            self.compare(&by(&format!("reading what {} left", writer.label())))?;
            let ops = script::turn(self.settings, turn, &self.model)?;
            self.change(program, &ops, turn)
                .with_context(|| by("changing"))?;
            self.compare(&by("after changing, still mounted"))?;
            mount.unmount()?;
        }
        for reader in [program, program.other()] {
            let mount = self.mount(reader)?;
            self.compare(&format!("at the end, by {}", reader.label()))?;
            mount.unmount()?;
        }
        Ok(())
    }
}

fn first_few(lines: &[String]) -> String {
    lines
        .iter()
        .take(12)
        .cloned()
        .collect::<Vec<_>>()
        .join("\n  ")
}

/// Runs `job` for each item on as many threads as pay off, and gathers the failures.
fn in_parallel<T: Sync>(items: &[T], job: impl Fn(&T) -> Result<()> + Sync) -> Vec<String> {
    let next = AtomicUsize::new(0);
    let failures = Mutex::new(Vec::new());
    // A mount and its user take turns, so a few more threads than processors keep these busy.
    let threads = std::thread::available_parallelism().map_or(2, usize::from) + 1;
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

#[test]
fn both_programs_in_turns_on_every_setting() -> Result<()> {
    let counts = Counts::default();
    let only = std::env::var("INTEROP_ONLY").unwrap_or_default();
    let mut settings = matrix();
    settings.retain(|one| one.label().contains(&only));
    ensure!(!settings.is_empty(), "no setting is called {only}");
    let cases: Vec<_> = settings
        .iter()
        .flat_map(|one| [Program::Encfs195, Program::EncfsRs].map(|begins| (one, begins)))
        .collect();
    let failures = in_parallel(&cases, |(settings, begins)| {
        let folder = tempfile::tempdir()?;
        Pair::new(folder.path(), settings, &counts)?
            .turns(*begins)
            .with_context(|| format!("[{}, begun by {}]", settings.label(), begins.label()))
    });
    println!(
        "interop: {} settings, {} volumes, {} mounts, {} changes, {} entries compared, {} failed",
        settings.len(),
        cases.len(),
        counts.mounts.into_inner(),
        counts.changes.into_inner(),
        counts.compared.into_inner(),
        failures.len(),
    );
    if !failures.is_empty() {
        bail!(
            "{} of {} volumes failed:\n{}",
            failures.len(),
            cases.len(),
            failures.join("\n")
        );
    }
    Ok(())
}

/// Values of a configuration that the dialogue decides.
const DECIDED: &[&str] = &[
    "cipherAlg",
    "nameAlg",
    "keySize",
    "blockSize",
    "plainData",
    "uniqueIV",
    "chainedNameIV",
    "externalIVChaining",
    "blockMACBytes",
    "blockMACRandBytes",
    "allowHoles",
    "saltLen",
    "desiredKDFDuration",
];

/// A volume created by one program's dialogue and filled by both in turns. Returns its
/// configuration.
fn created_by(program: Program, answers: &str) -> Result<String> {
    let folder = tempfile::tempdir()?;
    let [raw, point] = ["raw", "mnt"].map(|name| folder.path().join(name));
    std::fs::create_dir(&raw)?;
    std::fs::create_dir(&point)?;
    create_by_dialogue(program, &raw, &point, answers, "created here")?.success()?;
    let config = std::fs::read_to_string(raw.join(".encfs6.xml"))?;
    let mount = Mounted::volume(program.other(), &raw, &point, "created here", &[])?;
    std::fs::write(point.join("first"), b"contents of the first")?;
    mount.unmount()?;
    let mount = Mounted::volume(program, &raw, &point, "created here", &[])?;
    ensure!(std::fs::read(point.join("first"))? == b"contents of the first");
    std::fs::write(point.join("second"), b"contents of the second")?;
    mount.unmount()?;
    let mount = Mounted::volume(program.other(), &raw, &point, "created here", &[])?;
    ensure!(std::fs::read(point.join("second"))? == b"contents of the second");
    mount.unmount()?;
    Ok(config)
}

#[test]
fn volumes_created_by_either_dialogue_are_alike_and_open_in_the_other() -> Result<()> {
    let mut dialogues = vec!["\n".to_owned(), "p\n".to_owned()];
    // A few of the matrix: deriving a key at full length takes half a second each time.
    let expressible: Vec<_> = matrix()
        .iter()
        .filter_map(Settings::expert_answers)
        .collect();
    dialogues.extend(expressible.iter().step_by(5).cloned());
    let failures = in_parallel(&dialogues, |answers| {
        let about = || format!("answers {answers:?}");
        let theirs = created_by(Program::Encfs195, answers).with_context(about)?;
        let ours = created_by(Program::EncfsRs, answers).with_context(about)?;
        for name in DECIDED {
            let of =
                |text| -> Result<String> { Ok(element(text, name)?.split_whitespace().collect()) };
            let (theirs, ours) = (of(&theirs)?, of(&ours)?);
            ensure!(
                theirs == ours,
                "{}: {name} is {theirs} there, {ours} here",
                about()
            );
        }
        Ok(())
    });
    println!(
        "interop: {} dialogues, both ways, {} failed",
        dialogues.len(),
        failures.len()
    );
    ensure!(failures.is_empty(), "{}", failures.join("\n"));
    Ok(())
}

#[test]
fn reading_leaves_the_raw_side_as_it_is() -> Result<()> {
    let paranoia = &paranoia();
    let folder = tempfile::tempdir()?;
    let counts = Counts::default();
    let pair = Pair::new(folder.path(), paranoia, &counts)?;
    let mount = pair.mount(Program::Encfs195)?;
    pair.change(Program::Encfs195, &script::first(paranoia), 0)?;
    mount.unmount()?;
    let before = read(&pair.raw)?;
    let mount = pair.mount(Program::EncfsRs)?;
    pair.compare("reading")?;
    mount.unmount()?;
    let lines = differences(&before, &read(&pair.raw)?, Look::ALL);
    ensure!(
        lines.is_empty(),
        "the raw side has changed:\n  {}",
        first_few(&lines)
    );
    Ok(())
}
