//! A rename or password change that breaks off at any raw change: afterwards, on good storage, the
//! tree is the old one or the new one, complete, every file readable, by encfs-rs and by
//! EncFS 1.9.5.
//!
//! Each case is done once without a fault to know the trees, and then broken off at raw change
//! 1, 2, ... until it goes through.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs::{self, File, OpenOptions};
use std::io::Write as _;
use std::path::Path;

use anyhow::{Context, Result, bail, ensure};
use compat_tests::ops::bytes;
use compat_tests::oracle::Program;
use compat_tests::pair::{first_few, in_parallel};
use compat_tests::rawfs::{Effect, Fault, Names, Options, Prepared, Stage, When, Which};
use compat_tests::tree::{self, Look, Tree};
use compat_tests::volumes::{PASSWORD, Settings, paranoia, standard};
use rustix::fs::{CWD, RenameFlags, renameat_with};
use rustix::io::Errno;

/// Times are those of the moment, and a rename that breaks off need not keep a folder's.
const LOOK: Look = Look {
    mtimes: false,
    ..Look::ALL
};

/// Raw changes of the longest case, with much to spare: a sweep that does not end is a fault.
const MOST: u64 = 200;

/// How it breaks off at raw change n.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Break {
    /// The connection is lost for good before it is done.
    Lost,
    /// The connection is lost for good after it is done, before it is told.
    Untold,
    /// This one fails; the storage goes on working.
    Fails,
    /// The power is cut before it; names are as they were then.
    PowerNamesKept,
    /// The power is cut before it; names are those of the last sync.
    PowerNamesBack,
}

const BREAKS: [Break; 5] = [
    Break::Lost,
    Break::Untold,
    Break::Fails,
    Break::PowerNamesKept,
    Break::PowerNamesBack,
];

impl Break {
    fn fault(self, n: u64) -> Fault {
        match self {
            Self::Lost | Self::PowerNamesKept | Self::PowerNamesBack => Fault::lost_before(n),
            Self::Untold => Fault::lost_untold(n),
            Self::Fails => {
                let effect = Effect::Refuse(Errno::IO);
                Fault::new(Which::Changing, When::Nth(n), effect)
            }
        }
    }

    fn leave(self, stage: &mut Stage) -> Result<()> {
        match self {
            Self::PowerNamesKept => stage.cut_power(Names::Kept),
            Self::PowerNamesBack => stage.cut_power(Names::Back),
            _ => stage.leave(),
        }
    }

    /// Whether what was told as done is there for sure: names need a sync to survive a power cut.
    fn keeps_names(self) -> bool {
        self != Self::PowerNamesBack
    }
}

/// Something that is done to a volume and may break off.
#[derive(Clone, Copy)]
struct Case {
    name: &'static str,
    settings: fn() -> Settings,
    act: fn(&Path) -> Result<()>,
}

const CASES: &[Case] = &[
    Case {
        name: "standard: a folder with files and folders",
        settings: standard,
        act: |at| rename(at, "folder", "renamed"),
    },
    Case {
        name: "standard: a folder into another",
        settings: standard,
        act: |at| rename(at, "folder", "other/moved"),
    },
    Case {
        name: "standard: a folder over an empty one",
        settings: standard,
        act: |at| rename(at, "folder", "empty"),
    },
    Case {
        name: "standard: two folders exchanged",
        settings: standard,
        act: |at| exchange(at, "folder", "other"),
    },
    Case {
        name: "standard: a folder and a file exchanged",
        settings: standard,
        act: |at| exchange(at, "folder", "a"),
    },
    Case {
        name: "standard: a folder with an open file",
        settings: standard,
        act: |at| {
            let _open = File::open(at.join("folder/one"))?;
            rename(at, "folder", "renamed")
        },
    },
    Case {
        name: "standard: a file over another",
        settings: standard,
        act: |at| rename(at, "a", "b"),
    },
    Case {
        name: "paranoia: a file",
        settings: paranoia,
        act: |at| rename(at, "a", "z"),
    },
    Case {
        name: "paranoia: a file into a folder",
        settings: paranoia,
        act: |at| rename(at, "a", "other/a"),
    },
    Case {
        name: "paranoia: a file over another",
        settings: paranoia,
        act: |at| rename(at, "a", "b"),
    },
    Case {
        name: "paranoia: two files exchanged",
        settings: paranoia,
        act: |at| exchange(at, "a", "folder/one"),
    },
    Case {
        name: "paranoia: a folder with files and folders",
        settings: paranoia,
        act: |at| rename(at, "folder", "renamed"),
    },
    Case {
        name: "paranoia: two folders exchanged",
        settings: paranoia,
        act: |at| exchange(at, "folder", "other"),
    },
    Case {
        name: "paranoia: a folder with an open file",
        settings: paranoia,
        act: |at| {
            let _open = File::open(at.join("folder/one"))?;
            rename(at, "folder", "renamed")
        },
    },
    Case {
        name: "paranoia: an empty file",
        settings: paranoia,
        act: |at| rename(at, "void", "empty/void"),
    },
];

fn rename(at: &Path, from: &str, to: &str) -> Result<()> {
    Ok(fs::rename(at.join(from), at.join(to))?)
}

fn exchange(at: &Path, one: &str, two: &str) -> Result<()> {
    let flags = RenameFlags::EXCHANGE;
    Ok(renameat_with(CWD, at.join(one), CWD, at.join(two), flags)?)
}

/// One of everything that a rename can touch.
fn fill(at: &Path) -> Result<()> {
    for folder in [
        "folder",
        "folder/below",
        "folder/below/deep",
        "other",
        "empty",
    ] {
        fs::create_dir(at.join(folder))?;
    }
    for (seed, file) in (1..).zip([
        "a",
        "b",
        "folder/one",
        "folder/two",
        "folder/below/three",
        "folder/below/deep/four",
        "other/five",
    ]) {
        fs::write(
            at.join(file),
            bytes(seed, 3000 + 100 * usize::try_from(seed)?),
        )?;
    }
    fs::write(at.join("void"), b"")?;
    std::os::unix::fs::symlink("one", at.join("folder/link"))?;
    Ok(())
}

/// A case with the trees before and after it.
struct Known {
    case: Case,
    prepared: Prepared,
    new: Tree,
}

impl Known {
    fn new(case: Case) -> Result<Self> {
        let prepared = Prepared::new(&(case.settings)(), fill)?;
        let mut stage = prepared.stage(&Options::default())?;
        let point = stage.mount(Program::EncfsRs)?;
        (case.act)(&point)?;
        stage.leave()?;
        let new = stage.on_good_storage(Program::EncfsRs)?;
        ensure!(
            !tree::differences(&prepared.tree, &new, LOOK).is_empty(),
            "nothing was changed"
        );
        Ok(Self {
            case,
            prepared,
            new,
        })
    }

    /// Which of the two trees is there; an error if it is neither.
    fn old_or_new(&self, seen: &Tree) -> Result<State> {
        let from_old = tree::differences(&self.prepared.tree, seen, LOOK);
        let from_new = tree::differences(&self.new, seen, LOOK);
        match (from_old.is_empty(), from_new.is_empty()) {
            (true, _) => Ok(State::Old),
            (_, true) => Ok(State::New),
            _ => bail!(
                "from the old tree:\n  {}\nfrom the new tree:\n  {}",
                first_few(&from_old),
                first_few(&from_new)
            ),
        }
    }

    /// Breaks the case off at change `n`. The result: whether there were that many changes.
    fn break_off(&self, how: Break, n: u64) -> Result<bool> {
        let mut stage = self.prepared.stage(&Options {
            may_crash: true,
            ..Options::default()
        })?;
        let point = stage.mount(Program::EncfsRs)?;
        stage.control().arm(how.fault(n));
        let told = (self.case.act)(&point);
        let hit = stage.control().hits() > 0;
        let say = match &told {
            Ok(()) => "told as done".to_owned(),
            Err(error) => format!("told {error:#}"),
        };
        if how == Break::Fails {
            // What is there now must be right already.
            let seen = tree::read(&point).with_context(|| say.clone())?;
            let state = self.old_or_new(&seen).with_context(|| say.clone())?;
            ensure!(
                (state == State::New) == told.is_ok(),
                "{say}, but {state:?} is there"
            );
        }
        how.leave(&mut stage)?;
        let seen = stage
            .on_good_storage(Program::EncfsRs)
            .with_context(|| say.clone())?;
        let state = self.old_or_new(&seen).with_context(|| say.clone())?;
        if told.is_ok() && how.keeps_names() {
            ensure!(state == State::New, "told as done, but undone afterwards");
        }
        if n % 3 == 1 {
            let theirs = stage.on_good_storage(Program::Encfs195)?;
            let theirs = self.old_or_new(&theirs).context("by EncFS 1.9.5")?;
            ensure!(theirs == state, "EncFS 1.9.5 sees {theirs:?}, we {state:?}");
        }
        ensure_no_record(&stage)?;
        Ok(hit)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Old,
    New,
}

/// Once all is settled nothing stays behind in the raw root.
fn ensure_no_record(stage: &Stage) -> Result<()> {
    for name in tree::names_in(&stage.backing())? {
        let text = String::from_utf8_lossy(&name);
        ensure!(!text.starts_with(".encfs-rs-"), "{text} was left behind");
    }
    Ok(())
}

#[test]
fn a_rename_that_breaks_off_is_done_or_undone() -> Result<()> {
    let mut sweeps = Vec::new();
    let known: Vec<Known> = CASES
        .iter()
        .map(|case| Known::new(*case).context(case.name))
        .collect::<Result<_>>()?;
    for one in &known {
        sweeps.extend(BREAKS.map(|how| (one, how)));
    }
    let failures = in_parallel(&sweeps, |(known, how)| {
        let mut wrong = String::new();
        let mut changes = 0;
        for n in 1..=MOST {
            match known.break_off(*how, n) {
                Ok(true) => changes = n,
                Ok(false) => break,
                Err(error) => {
                    writeln!(wrong, "{}: {how:?} at {n}: {error:#}", known.case.name)?;
                    changes = n;
                }
            }
        }
        ensure!(changes > 0 && changes < MOST, "{changes} changes");
        println!("{}: {how:?}: {changes} changes", known.case.name);
        ensure!(wrong.is_empty(), "{wrong}");
        Ok(())
    });
    ensure!(failures.is_empty(), "\n{}", failures.join("\n"));
    Ok(())
}

#[test]
fn a_recovery_that_breaks_off_is_taken_up_again() -> Result<()> {
    let names = [
        "standard: a folder with files and folders",
        "paranoia: a file",
        "paranoia: a folder with files and folders",
        "paranoia: two files exchanged",
    ];
    let cases: Vec<Case> = names
        .iter()
        .filter_map(|name| CASES.iter().find(|case| case.name == *name).copied())
        .collect();
    ensure!(cases.len() == names.len(), "a case has another name now");
    let failures = in_parallel(&cases, |case| {
        let known = Known::new(*case)?;
        let mut recoveries = 0;
        for n in 1..=MOST {
            let (hit, broken) = break_recovery(&known, n)
                .with_context(|| format!("{}: the rename broken off at {n}", case.name))?;
            recoveries += broken;
            if !hit {
                break;
            }
        }
        println!("{}: {recoveries} recoveries broken off", case.name);
        ensure!(recoveries > 0, "{}: no recovery was broken off", case.name);
        Ok(())
    });
    ensure!(failures.is_empty(), "\n{}", failures.join("\n"));
    Ok(())
}

/// Breaks the rename off at change `n`, then its recovery at each of its changes. The result:
/// whether the rename had so many changes, and how many recoveries were broken off.
fn break_recovery(known: &Known, n: u64) -> Result<(bool, u64)> {
    for m in 1..=MOST {
        let mut stage = known.prepared.stage(&Options::default())?;
        let point = stage.mount(Program::EncfsRs)?;
        stage.control().arm(Fault::lost_before(n));
        let told = (known.case.act)(&point);
        let hit = stage.control().hits() > 0;
        stage.unmount_volume()?;
        stage.control().heal();
        stage.control().arm(Fault::lost_before(m));
        // The mount may be refused or not: nothing may be lost.
        let _ = stage.mount(Program::EncfsRs);
        let again = stage.control().hits() > 0;
        stage.leave()?;
        let say = || format!("the recovery at {m}; told {told:?}");
        let seen = stage.on_good_storage(Program::EncfsRs).with_context(say)?;
        known.old_or_new(&seen).with_context(say)?;
        ensure_no_record(&stage).with_context(say)?;
        if !again {
            return Ok((hit, m - 1));
        }
    }
    bail!("the recovery does not end")
}

#[test]
fn a_password_change_that_breaks_off_leaves_one_password() -> Result<()> {
    const NEW: &str = "another password";
    let failures = in_parallel(&[standard(), paranoia()], |settings| {
        let prepared = Prepared::new(settings, fill)?;
        for how in BREAKS {
            let mut seen: BTreeMap<&str, u64> = BTreeMap::new();
            for n in 1..=MOST {
                let mut stage = prepared.stage(&Options {
                    may_crash: true,
                    ..Options::default()
                })?;
                stage.control().arm(how.fault(n));
                let both = format!("{PASSWORD}\n{NEW}\n");
                let raw = stage.raw();
                let args = ["autopasswd".as_ref(), raw.as_os_str()];
                let told = Program::EncfsRs.ctl(&args, both.as_bytes())?;
                let hit = stage.control().hits() > 0;
                how.leave(&mut stage)?;
                let opens: Vec<&str> = [PASSWORD, NEW]
                    .into_iter()
                    .filter(|password| {
                        let tree = stage.visit_with(Program::EncfsRs, password, tree::read);
                        tree.is_ok_and(|tree| {
                            tree::differences(&prepared.tree, &tree, LOOK).is_empty()
                        })
                    })
                    .collect();
                let about = || format!("{how:?} at {n}: opened by {opens:?}; {told}");
                ensure!(opens.len() == 1, "{}", about());
                let changed = opens == [NEW];
                ensure!(!told.status.success() || changed, "{}", about());
                let theirs = stage
                    .visit_with(Program::Encfs195, opens[0], tree::read)
                    .with_context(about)?;
                ensure!(tree::differences(&prepared.tree, &theirs, LOOK).is_empty());
                *seen.entry(if changed { "new" } else { "old" }).or_default() += 1;
                if !hit {
                    break;
                }
            }
            println!("{} {how:?}: {seen:?}", settings.label());
            ensure!(seen.len() == 2, "{how:?}: only {seen:?}");
        }
        Ok(())
    });
    ensure!(failures.is_empty(), "\n{}", failures.join("\n"));
    Ok(())
}

/// The safe replacement of every editor: what was synced is there under the new name, or the old
/// contents are, whenever the power is cut.
#[test]
fn a_synced_file_that_replaces_another_survives() -> Result<()> {
    let failures = in_parallel(&[standard(), paranoia()], |settings| {
        let prepared = Prepared::new(settings, fill)?;
        let old = fs_bytes(&prepared.tree, b"a")?;
        let new = tree::digest_of(&bytes(99, 5000));
        for names in [Names::Kept, Names::Back] {
            for n in 1..=MOST {
                let mut stage = prepared.stage(&Options {
                    may_crash: true,
                    ..Options::default()
                })?;
                let point = stage.mount(Program::EncfsRs)?;
                stage.control().arm(Fault::lost_before(n));
                let told = replace_safely(&point.join("a"), &bytes(99, 5000));
                let hit = stage.control().hits() > 0;
                stage.cut_power(names)?;
                let seen = stage.on_good_storage(Program::EncfsRs);
                let about = || format!("{} {names:?} at {n}: {told:?}", settings.label());
                let seen = seen.with_context(about)?;
                let seen = fs_bytes(&seen, b"a").with_context(about)?;
                ensure!(seen == old || seen == new, "{}: {seen}", about());
                ensure!(told.is_err() || seen == new, "{}: undone", about());
                if !hit {
                    break;
                }
            }
        }
        Ok(())
    });
    ensure!(failures.is_empty(), "\n{}", failures.join("\n"));
    Ok(())
}

fn replace_safely(path: &Path, contents: &[u8]) -> Result<()> {
    let temporary = path.with_extension("new");
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(&temporary)?;
    file.write_all(contents)?;
    file.sync_all()?;
    drop(file);
    fs::rename(&temporary, path)?;
    File::open(path.parent().context("no folder")?)?.sync_all()?;
    Ok(())
}

fn fs_bytes(tree: &Tree, path: &[u8]) -> Result<String> {
    match tree.get(path).map(|entry| &entry.kind) {
        Some(tree::Kind::File { sha256, .. }) => Ok(sha256.clone()),
        other => bail!("{}: {other:?}", tree::show(path)),
    }
}
