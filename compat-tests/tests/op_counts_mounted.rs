//! The operation budget through mounts: how many requests reach the raw storage when a program
//! does something in a volume, everything included that the kernel adds on the way.
//!
//! Each action is done on a volume just mounted, on storage just mounted: nothing is known of
//! either, and what has been learned once is believed for as long as the action takes. Beside the
//! volumes stands the same action straight on the storage, the least that is possible.
//!
//! The counts are those of `docs/performance.md` and must be met exactly: a better one is to be
//! entered there. `cargo test -p compat-tests --test op_counts_mounted -- --nocapture` prints what was
//! measured, in the form of its table.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs::{self, File, OpenOptions};
use std::io::{Read, Write};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, SystemTime};

use anyhow::{Context, Result, ensure};
use compat_tests::ops::bytes;
use compat_tests::oracle::{Program, in_path};
use compat_tests::rawfs::{Behaviour, Control, Counted, Op, Options, Prepared, RawFs, Traced};
use compat_tests::run::run;
use compat_tests::volumes::{Naming, Settings, paranoia, standard};
use parking_lot::Mutex;
use rustix::io::Errno;

const KIB: usize = 1024;
const MIB: usize = 1024 * KIB;

const DOCUMENT: &str = include_str!("../../docs/performance.md");
const BEGIN: &str = "<!-- mounted budget begins -->";
const END: &str = "<!-- mounted budget ends -->";

/// What an action may cost in a volume with standard settings or one for storage. (Paranoia binds
/// headers to names: renames have their own price there.)
#[derive(Clone, Copy)]
enum Goal {
    AtMost(u64),
    /// No more than straight on the storage.
    Straight,
    /// It would be this, and is not met; the document says why.
    Missed(u64),
}
use Goal::{AtMost, Missed, Straight};

/// Something that a program does at a place.
struct Action {
    name: &'static str,
    /// It was done before, and everything mounted anew since.
    again: bool,
    goal: Goal,
    act: fn(&Path) -> Result<()>,
}

const ACTIONS: &[Action] = &[
    action("create, write 4 KiB, close", AtMost(8), |at| {
        Ok(fs::write(at.join("new"), bytes(1, 4 * KIB))?)
    }),
    action("write 1 MiB in 8 writes", AtMost(22), |at| {
        write_in(&at.join("new"), 128 * KIB)
    }),
    action("write 1 MiB in 256 writes", Missed(264), |at| {
        write_in(&at.join("new"), 4 * KIB)
    }),
    action("append 100 B to a 4 KiB file", AtMost(8), |at| {
        let mut file = OpenOptions::new().append(true).open(at.join("small"))?;
        Ok(file.write_all(&[1; 100])?)
    }),
    action("overwrite 100 B in a 4 KiB file", AtMost(8), |at| {
        let file = OpenOptions::new().write(true).open(at.join("small"))?;
        Ok(file.write_all_at(&[1; 100], 2000)?)
    }),
    action("truncate a 4 KiB file to 1000 B", AtMost(9), |at| {
        Ok(nix::unistd::truncate(&at.join("small"), 1000)?)
    }),
    action("read a 4 KiB file", AtMost(8), |at| {
        ensure!(fs::read(at.join("small"))?.len() == 4 * KIB);
        Ok(())
    }),
    action("read 1 MiB in 8 reads", AtMost(17), |at| {
        let mut file = File::open(at.join("big"))?;
        let mut piece = vec![0; 128 * KIB];
        (0..8).try_for_each(|_| Ok(file.read_exact(&mut piece)?))
    }),
    action("stat of a file", Straight, |at| {
        ensure!(fs::metadata(at.join("small"))?.len() == 4 * KIB as u64);
        Ok(())
    }),
    action("ls of 100 files", Straight, |at| {
        ensure!(fs::read_dir(at.join("hundred"))?.count() == 100);
        Ok(())
    }),
    action("ls -l of 100 files", Straight, |at| {
        let mut ls = Command::new("ls");
        run(ls.arg("-l").arg(at.join("hundred")), b"")?.success()?;
        Ok(())
    }),
    action("unlink", Straight, |at| {
        Ok(fs::remove_file(at.join("small"))?)
    }),
    action("rename a file", AtMost(5), |at| {
        Ok(fs::rename(at.join("small"), at.join("other"))?)
    }),
    action("rename a folder of 100 files", AtMost(305), |at| {
        Ok(fs::rename(at.join("hundred"), at.join("other"))?)
    }),
    action("rsync -a of 50 files", Missed(980), sync),
    Action {
        again: true,
        ..action("the same again", AtMost(52), sync)
    },
];

const fn action(name: &'static str, goal: Goal, act: fn(&Path) -> Result<()>) -> Action {
    Action {
        name,
        goal,
        again: false,
        act,
    }
}

fn write_in(path: &Path, step: usize) -> Result<()> {
    let mut file = File::create(path)?;
    let data = bytes(1, step);
    (0..MIB / step).try_for_each(|_| Ok(file.write_all(&data)?))
}

const LONG_AGO: SystemTime = SystemTime::UNIX_EPOCH;

/// What rsync sends: 50 files of up to 8 KiB in a folder beside the mount.
fn source(at: &Path) -> Result<PathBuf> {
    let folder = at.parent().context("no parent")?.join("source");
    if !folder.exists() {
        fs::create_dir(&folder)?;
        for number in 0..50 {
            let path = folder.join(format!("file {number}"));
            fs::write(&path, bytes(number as u64, 160 * number))?;
            File::open(&path)?.set_modified(LONG_AGO)?;
        }
        // What is as old as what is just being made, rsync does not make older.
        File::open(&folder)?.set_modified(LONG_AGO)?;
    }
    Ok(folder)
}

fn sync(at: &Path) -> Result<()> {
    let mut rsync = Command::new(in_path("rsync", "rsync")?);
    let source = format!("{}/", source(at)?.display());
    rsync.arg("-a").arg(source).arg(at.join("synced"));
    run(&mut rsync, b"")?.success()?;
    Ok(())
}

/// What is there before each action.
fn fill(at: &Path) -> Result<()> {
    fs::write(at.join("small"), bytes(2, 4 * KIB))?;
    fs::write(at.join("big"), bytes(3, MIB))?;
    fs::create_dir(at.join("hundred"))?;
    for number in 0..100 {
        fs::write(
            at.join("hundred").join(format!("file {number}")),
            bytes(number, 100),
        )?;
    }
    Ok(())
}

fn volumes() -> [(&'static str, Settings); 3] {
    let storage = Settings {
        key_bits: 256,
        block_size: 4096,
        naming: Naming::Stream,
        unique_iv: false,
        holes: false,
        ..standard()
    };
    [
        ("standard", standard()),
        ("paranoia", paranoia()),
        ("storage", storage),
    ]
}

/// What the kernel has learned it believes: an action costs the same on a slow machine. Extended
/// attributes there are none, as on sshfs: else the kernel would ask for one before each write.
fn believed() -> Options {
    let xattrs = [Op::Setxattr, Op::Getxattr, Op::Listxattr, Op::Removexattr];
    Options {
        entry_timeout: Duration::from_secs(3600),
        attr_timeout: Duration::from_secs(3600),
        behaviour: Behaviour::default().refusing(&xattrs, Errno::NOSYS),
        ..Options::default()
    }
}

/// A file that another test has open may get a second descriptor for a moment, when this one
/// starts a program; closing that is a request of its own.
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

/// Requests of one action.
struct Cost {
    counted: Counted,
    trace: Vec<Traced>,
}

fn cost(
    control: &Control,
    backing: &Path,
    raw: &Path,
    act: impl FnOnce() -> Result<()>,
) -> Result<Cost> {
    // The kernel learns that there are none.
    let mut value = [0_u8; 8];
    let asked = rustix::fs::getxattr(raw, "user.any", &mut value);
    ensure!(asked == Err(Errno::OPNOTSUPP), "{asked:?}");
    control.take_counts();
    control.trace(true);
    act()?;
    // The record of renames stays open from the first one on.
    control.wait_until_open(usize::from(backing.join(".encfs-rs-renames").exists()))?;
    control.trace(false);
    Ok(Cost {
        counted: control.take_counts(),
        trace: control.take_trace(),
    })
}

fn in_volume(prepared: &Prepared, action: &Action) -> Result<Cost> {
    let mut stage = prepared.stage(&believed())?;
    let point = stage.mount(Program::EncfsRs)?;
    if action.again {
        (action.act)(&point)?;
        stage.remount(&believed())?;
        stage.mount(Program::EncfsRs)?;
    }
    let backing = stage.backing();
    let control = stage.control().clone();
    let cost = cost(&control, &backing, &stage.raw(), || (action.act)(&point))?;
    stage.leave()?;
    Ok(cost)
}

fn straight(action: &Action) -> Result<Cost> {
    let folder = tempfile::tempdir()?;
    let (backing, point) = (folder.path().join("backing"), folder.path().join("point"));
    fs::create_dir(&backing)?;
    fs::create_dir(&point)?;
    fill(&backing)?;
    let mut storage = RawFs::mount(&backing, &point, &believed())?;
    if action.again {
        (action.act)(&point)?;
        storage.unmount()?;
        storage = RawFs::mount(&backing, &point, &believed())?;
    }
    let control = storage.control().clone();
    let cost = cost(&control, &backing, &point, || (action.act)(&point))?;
    storage.unmount()?;
    Ok(cost)
}

#[test]
fn every_action_costs_what_the_budget_says() -> Result<()> {
    let _alone = ONE_AT_A_TIME.lock();
    let volumes = volumes();
    let prepared: Vec<Prepared> = volumes
        .iter()
        .map(|(name, settings)| Prepared::new(settings, fill).context(*name))
        .collect::<Result<_>>()?;
    let mut costs = BTreeMap::new();
    for (number, action) in ACTIONS.iter().enumerate() {
        for column in 0..=volumes.len() {
            // Reading ahead has several requests under way, and as they happen to come the kernel may
            // cut them: what counts is the fewest of some tries.
            let tries = if action.name.starts_with("read 1 MiB") {
                5
            } else {
                1
            };
            let costs_now: Result<Vec<Cost>> = (0..tries)
                .map(|_| match column {
                    0 => straight(action),
                    column => in_volume(&prepared[column - 1], action),
                })
                .collect();
            let costs_now =
                costs_now.with_context(|| format!("{}, column {column}", action.name))?;
            let least = costs_now
                .into_iter()
                .min_by_key(|cost| cost.counted.total());
            costs.insert((number, column), least.context("no try")?);
        }
    }
    let total = |number, column| {
        costs
            .get(&(number, column))
            .map_or(0, |cost: &Cost| cost.counted.total())
    };
    let mut rows = Vec::new();
    let mut dear = Vec::new();
    for (number, action) in ACTIONS.iter().enumerate() {
        let floor = total(number, 0);
        let (goal, met) = match action.goal {
            AtMost(goal) => (goal, true),
            Straight => (floor, true),
            Missed(goal) => (goal, false),
        };
        let totals = [1, 2, 3].map(|column| total(number, column).to_string());
        rows.push(format!(
            "| {} | {goal} | {floor} | {} |",
            action.name,
            totals.join(" | ")
        ));
        let over = [1, 3].map(|column| (number, column));
        let over = over
            .into_iter()
            .filter(|(_, column)| total(number, *column) > goal);
        if met {
            dear.extend(over);
        } else {
            ensure!(over.count() > 0, "{}: the goal is met now", action.name);
        }
    }
    println!("{}", rows.join("\n"));
    let (_, rest) = DOCUMENT.split_once(BEGIN).context("no begin")?;
    let (text, _) = rest.split_once(END).context("no end")?;
    let budget: Vec<&str> = text
        .lines()
        .filter(|line| line.starts_with("| ") && !line.starts_with("| action "))
        .collect();
    let mut wrong = String::new();
    for (number, row) in rows.iter().enumerate() {
        if budget.get(number) != Some(&row.as_str()) {
            writeln!(
                wrong,
                "measured {row}\nbudget   {}",
                budget.get(number).unwrap_or(&"-")
            )?;
            explain(&mut wrong, &costs, number, &[0, 1, 2, 3])?;
        }
    }
    ensure!(
        wrong.is_empty(),
        "docs/performance.md says otherwise:\n{wrong}"
    );
    for (number, column) in &dear {
        explain(&mut wrong, &costs, *number, &[*column])?;
    }
    ensure!(dear.is_empty(), "over the goal:\n{wrong}");
    Ok(())
}

/// Which requests an action made.
fn explain(
    text: &mut String,
    costs: &BTreeMap<(usize, usize), Cost>,
    number: usize,
    columns: &[usize],
) -> Result<()> {
    for column in columns {
        if let Some(cost) = costs.get(&(number, *column)) {
            writeln!(text, "  {column}: {}", cost.counted)?;
            for traced in cost.trace.iter().take(40) {
                writeln!(text, "    {traced}")?;
            }
        }
    }
    Ok(())
}

/// Requests to slow storage go out side by side: those for several files, and those of one file
/// that is read at several places.
#[test]
fn reads_are_under_way_at_the_same_time() -> Result<()> {
    let _alone = ONE_AT_A_TIME.lock();
    let prepared = Prepared::new(&standard(), |at| {
        for name in ["one", "two"] {
            fs::write(at.join(name), bytes(4, 8 * MIB))?;
        }
        Ok(())
    })?;
    let two_files: &[(&str, usize)] = &[("one", 2), ("two", 2)];
    let two_places = &[("one", 2), ("one", 5)];
    for (places, what) in [
        (two_files, "two files"),
        (two_places, "two places of a file"),
    ] {
        let mut stage = prepared.stage(&believed())?;
        let point = stage.mount(Program::EncfsRs)?;
        // The header of a file is read once: who reads first has it for all.
        let open = |name| -> Result<File> {
            let file = File::open(point.join(name))?;
            file.read_exact_at(&mut [0], 0)?;
            Ok(file)
        };
        let files: Vec<File> = places
            .iter()
            .map(|(name, _)| open(*name))
            .collect::<Result<_>>()?;
        let held = stage.control().hold(Op::Read);
        let outcome = std::thread::scope(|scope| {
            let readers: Vec<_> = places
                .iter()
                .zip(&files)
                .map(|((_, at), file)| {
                    scope.spawn(move || -> Result<bool> {
                        let (mut piece, at) = (vec![0; 2 * MIB], at * MIB);
                        file.read_exact_at(&mut piece, at as u64)?;
                        Ok(bytes(4, 8 * MIB).get(at..at + piece.len()) == Some(&piece[..]))
                    })
                })
                .collect();
            let hanging = held.wait_for(2).context(what);
            drop(held);
            for reader in readers {
                let read = reader
                    .join()
                    .map_err(|_| anyhow::anyhow!("a reader panicked"))?;
                ensure!(read?, "{what}: other bytes");
            }
            hanging
        });
        outcome?;
        drop(files);
        stage.leave()?;
    }
    Ok(())
}

/// Writes to different files do not wait for each other.
#[test]
fn writes_are_under_way_at_the_same_time() -> Result<()> {
    let _alone = ONE_AT_A_TIME.lock();
    let prepared = Prepared::new(&standard(), |_| Ok(()))?;
    let mut stage = prepared.stage(&believed())?;
    let point = stage.mount(Program::EncfsRs)?;
    let held = stage.control().hold(Op::Write);
    std::thread::scope(|scope| {
        let writers = ["one", "two", "three"].map(|name| {
            let path = point.join(name);
            scope.spawn(move || fs::write(path, bytes(5, MIB)))
        });
        let hanging = held.wait_for(3);
        drop(held);
        for writer in writers {
            writer
                .join()
                .map_err(|_| anyhow::anyhow!("a writer panicked"))??;
        }
        hanging
    })?;
    stage.leave()?;
    stage.visit(Program::EncfsRs, |at| {
        for name in ["one", "two", "three"] {
            ensure!(fs::read(at.join(name))? == bytes(5, MIB), "{name}");
        }
        Ok(())
    })
}
