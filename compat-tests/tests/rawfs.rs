//! The simulated storage does what it says: faithful without a fault, and each fault as ordered.

#[path = "rawfs/behaviour.rs"]
mod behaviour;

use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind, Read, Write};
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use compat_tests::mounted::Mounted;
use compat_tests::ops::{Habits, Op as Change, apply, bytes};
use compat_tests::random::RandomTree;
use compat_tests::rawfs::{
    Effect, Fault, Names, Op, Options, Partly, RawFs, Space, Traced, When, Which,
};
use compat_tests::tree::{self, Look};
use compat_tests::volumes::standard;
use rustix::io::Errno;
use tempfile::TempDir;

/// A mount with the folder behind it.
struct Storage {
    _folder: TempDir,
    backing: PathBuf,
    mount: RawFs,
}

fn storage(options: &Options) -> Result<Storage> {
    let folder = tempfile::tempdir()?;
    let backing = folder.path().join("backing");
    let point = folder.path().join("point");
    fs::create_dir(&backing)?;
    fs::create_dir(&point)?;
    Ok(Storage {
        mount: RawFs::mount(&backing, &point, options)?,
        backing,
        _folder: folder,
    })
}

impl Storage {
    fn at(&self, name: &str) -> PathBuf {
        self.mount.path().join(name)
    }

    fn arm(&self, which: Which, when: When, effect: Effect) {
        self.mount.control().arm(Fault::new(which, when, effect));
    }
}

fn errno<T>(result: std::io::Result<T>) -> Option<Errno> {
    result.err().and_then(|error| Errno::from_io_error(&error))
}

#[test]
fn without_faults_it_is_the_backing_folder() -> Result<()> {
    let seed = 11;
    println!("seed {seed}");
    let storage = storage(&Options::default())?;
    let model = tempfile::tempdir()?;
    let mut tree = RandomTree::new(&standard(), seed);
    for round in 0..5 {
        for op in tree.ops(60) {
            apply(&op, storage.mount.path(), Habits::default())?;
            apply(&op, model.path(), Habits::default())?;
        }
        // Times are those of two clocks.
        let look = Look {
            mtimes: false,
            ..Look::ALL
        };
        let wanted = tree::read(model.path())?;
        for root in [storage.mount.path(), storage.backing.as_path()] {
            let differences = tree::differences(&wanted, &tree::read(root)?, look);
            ensure!(differences.is_empty(), "round {round}: {differences:#?}");
        }
    }
    let path = b"at a time".to_vec();
    let ops = [
        Change::MakeDir(path.clone()),
        Change::Times(path, -5, 600_000_000),
    ];
    for op in ops {
        apply(&op, storage.mount.path(), Habits::default())?;
    }
    let stat = fs::metadata(storage.at("at a time"))?;
    ensure!((stat.mtime(), stat.mtime_nsec()) == (-5, 600_000_000));
    storage.mount.unmount()
}

#[test]
fn requests_are_counted_and_traced() -> Result<()> {
    let storage = storage(&Options::default())?;
    let control = storage.mount.control();
    fs::write(storage.at("warm"), b"")?;
    control.take_counts();
    control.trace(true);
    let mut file = File::create(storage.at("new"))?;
    file.write_all(&bytes(1, 4096))?;
    file.sync_all()?;
    drop(file);
    control.trace(false);
    let counted = control.take_counts();
    let wanted = [
        (Op::Lookup, 1),
        (Op::Create, 1),
        (Op::Write, 1),
        (Op::Fsync, 1),
        (Op::Flush, 1),
    ];
    for (op, count) in wanted {
        ensure!(counted.of(op) == count, "{op:?}: {counted}");
    }
    ensure!(counted.changes() == 2, "{counted}");
    let trace = control.take_trace();
    let seen = |op: Op| trace.iter().find(|traced| traced.op == op);
    let write = seen(Op::Write).context("no write")?;
    ensure!(write.detail.ends_with(" 0+4096"), "{write}");
    ensure!(seen(Op::Lookup).and_then(|traced| traced.errno) == Some(Errno::NOENT));
    fs::write(storage.at("new"), b"later")?;
    ensure!(
        control.take_trace() == Vec::<Traced>::new(),
        "still tracing"
    );
    Ok(())
}

#[test]
fn large_reads_and_writes_come_in_one_request() -> Result<()> {
    let storage = storage(&Options {
        direct_io: true,
        ..Options::default()
    })?;
    let control = storage.mount.control();
    let file = OpenOptions::new()
        .create_new(true)
        .read(true)
        .write(true)
        .open(storage.at("big"))?;
    control.take_counts();
    // The kernel's limit is 256 pages, of which the buffer may touch two in part.
    let big = bytes(2, (1 << 20) - 8192);
    ensure!(file.write_at(&big, 0)? == big.len());
    ensure!(control.take_counts().of(Op::Write) == 1);
    let mut back = vec![0; big.len()];
    file.read_exact_at(&mut back, 0)?;
    ensure!(control.take_counts().of(Op::Read) == 1);
    ensure!(back == big);
    Ok(())
}

#[test]
fn the_nth_of_a_kind_fails_with_the_errno_ordered() -> Result<()> {
    let storage = storage(&Options::default())?;
    let refuse = |errno| Effect::Refuse(errno);
    storage.arm(Which::Kind(Op::Mkdir), When::Nth(2), refuse(Errno::DQUOT));
    ensure!(fs::create_dir(storage.at("a")).is_ok());
    ensure!(errno(fs::create_dir(storage.at("b"))) == Some(Errno::DQUOT));
    ensure!(!storage.backing.join("b").exists(), "refused, yet done");
    ensure!(fs::create_dir(storage.at("b")).is_ok());
    storage.mount.control().heal();

    storage.arm(Which::Changing, When::From(2), refuse(Errno::IO));
    ensure!(fs::create_dir(storage.at("c")).is_ok());
    ensure!(fs::read_dir(storage.at("c"))?.next().is_none());
    ensure!(errno(fs::create_dir(storage.at("d"))) == Some(Errno::IO));
    ensure!(errno(fs::remove_dir(storage.at("c"))) == Some(Errno::IO));
    ensure!(storage.mount.control().hits() == 2);
    storage.mount.control().heal();
    ensure!(fs::remove_dir(storage.at("c")).is_ok());

    let unanswered = Effect::Unanswered(Errno::IO);
    storage.arm(Which::Kind(Op::Mkdir), When::Always, unanswered);
    ensure!(errno(fs::create_dir(storage.at("e"))) == Some(Errno::IO));
    ensure!(storage.backing.join("e").exists(), "done, yet not told");
    Ok(())
}

#[test]
fn a_lost_connection_answers_nothing_until_it_is_healed() -> Result<()> {
    for (fault, there) in [
        (Fault::lost_before(2), false),
        (Fault::lost_untold(2), true),
        (Fault::lost_after(1), false),
    ] {
        let storage = storage(&Options::default())?;
        storage.mount.control().arm(fault);
        ensure!(fs::create_dir(storage.at("one")).is_ok(), "{fault:?}");
        let told = errno(fs::create_dir(storage.at("two")));
        ensure!(told == Some(Errno::NOTCONN), "{fault:?}: {told:?}");
        ensure!(storage.backing.join("two").exists() == there, "{fault:?}");
        let told = errno(fs::symlink_metadata(storage.at("never")));
        ensure!(told == Some(Errno::NOTCONN), "{fault:?}: {told:?}");
        storage.mount.control().heal();
        ensure!(fs::create_dir(storage.at("three")).is_ok(), "{fault:?}");
    }
    Ok(())
}

#[test]
fn random_faults_are_the_same_for_the_same_seed() -> Result<()> {
    let row = |seed| -> Result<Vec<bool>> {
        let storage = storage(&Options::default())?;
        let when = When::Random {
            per_mille: 300,
            seed,
        };
        storage.arm(Which::Kind(Op::Mkdir), when, Effect::Refuse(Errno::IO));
        let made = |n| fs::create_dir(storage.at(&format!("{n}"))).is_ok();
        Ok((0..40).map(made).collect())
    };
    ensure!(row(3)? == row(3)?);
    ensure!(row(3)? != row(4)?);
    Ok(())
}

#[test]
fn full_storage_takes_what_fits_or_nothing() -> Result<()> {
    let whole = bytes(5, 10_000);
    for (partly, stored) in [
        (Partly::Whole, 0),
        (Partly::Told, 6000),
        (Partly::Untold, 6000),
    ] {
        let storage = storage(&Options::default())?;
        let old = bytes(6, 300);
        fs::write(storage.at("old"), &old)?;
        storage.mount.control().limit_space(Space {
            left: 6000,
            partly,
            errno: Errno::NOSPC,
        });
        let path = storage.at("new");
        let mut file = File::create(&path)?;
        let first = file.write(&whole);
        if partly == Partly::Told {
            ensure!(first? == 6000);
            ensure!(errno(file.write(&whole)) == Some(Errno::NOSPC));
        } else {
            ensure!(errno(first) == Some(Errno::NOSPC), "{partly:?}");
        }
        drop(file);
        let seen = fs::read(storage.backing.join("new"))?;
        ensure!(whole.get(..stored) == Some(&seen), "{partly:?}");
        // What is there already needs no space.
        let file = OpenOptions::new().write(true).open(storage.at("old"))?;
        ensure!(file.write_all_at(&whole[..300], 0).is_ok());
        if partly != Partly::Whole {
            ensure!(errno(file.set_len(301)) == Some(Errno::NOSPC));
        }
        storage.mount.control().heal();
        ensure!(file.set_len(301).is_ok());
    }
    Ok(())
}

#[test]
fn reads_and_writes_can_be_short_or_torn() -> Result<()> {
    let storage = storage(&Options {
        direct_io: true,
        ..Options::default()
    })?;
    let whole = bytes(7, 3000);
    fs::write(storage.at("f"), &whole)?;
    storage.arm(Which::Kind(Op::Read), When::Always, Effect::Short(1000));
    storage.arm(Which::Kind(Op::Write), When::Always, Effect::Short(700));
    let mut file = OpenOptions::new()
        .read(true)
        .write(true)
        .open(storage.at("f"))?;
    let mut buffer = vec![0; 3000];
    ensure!(file.read(&mut buffer)? == 1000);
    ensure!(buffer.get(..1000) == whole.get(..1000));
    ensure!(file.write_at(&whole, 0)? == 700);
    storage.mount.control().heal();
    let torn = Effect::Torn(10, Errno::IO);
    storage.arm(Which::Kind(Op::Write), When::Always, torn);
    let zeros = vec![0; 100];
    ensure!(errno(file.write_at(&zeros, 0)) == Some(Errno::IO));
    let seen = fs::read(storage.backing.join("f"))?;
    ensure!(seen.get(..10) == zeros.get(..10));
    ensure!(seen.get(10..) == whole.get(10..));
    Ok(())
}

#[test]
fn a_crash_takes_back_what_was_not_synced() -> Result<()> {
    for names in [Names::Kept, Names::Back] {
        let storage = storage(&Options {
            may_crash: true,
            ..Options::default()
        })?;
        let put = |name: &str, seed: u64, sync: bool| -> Result<()> {
            let mut file = File::create(storage.at(name))?;
            file.write_all(&bytes(seed, 5000))?;
            if sync {
                file.sync_all()?;
            }
            Ok(())
        };
        put("never synced", 1, false)?;
        put("synced", 2, true)?;
        put("changed since", 3, true)?;
        let file = OpenOptions::new()
            .write(true)
            .open(storage.at("changed since"))?;
        file.write_all_at(b"new", 0)?;
        fs::rename(storage.at("synced"), storage.at("renamed since"))?;
        fs::create_dir(storage.at("made since"))?;
        put("made since/new", 4, false)?;
        drop(file);
        let (backing, back) = (storage.backing.clone(), names == Names::Back);
        storage.mount.crash(names)?;
        let read = |name: &str| fs::read(backing.join(name));
        ensure!(read("never synced")? == b"", "{names:?}");
        ensure!(read("changed since")? == bytes(3, 5000), "{names:?}");
        let (there, gone) = if back {
            ("synced", "renamed since")
        } else {
            ("renamed since", "synced")
        };
        ensure!(read(there)? == bytes(2, 5000), "{names:?}");
        let error = read(gone).err().context("both names are there")?;
        ensure!(error.kind() == ErrorKind::NotFound, "{names:?}: {error}");
        ensure!(backing.join("made since").exists() != back, "{names:?}");
        if !back {
            ensure!(read("made since/new")? == b"");
        }
    }
    Ok(())
}

#[test]
fn a_sync_of_a_folder_keeps_its_names() -> Result<()> {
    let storage = storage(&Options {
        may_crash: true,
        ..Options::default()
    })?;
    fs::create_dir(storage.at("folder"))?;
    fs::write(storage.at("folder/file"), b"never synced itself")?;
    File::open(storage.at("folder"))?.sync_all()?;
    fs::rename(storage.at("folder"), storage.at("elsewhere"))?;
    let backing = storage.backing.clone();
    storage.mount.crash(Names::Back)?;
    ensure!(fs::read(backing.join("folder/file"))? == b"");
    ensure!(!backing.join("elsewhere").exists());
    Ok(())
}

#[test]
fn the_program_does_what_its_words_say() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let (backing, point) = (folder.path().join("backing"), folder.path().join("point"));
    fs::create_dir(&backing)?;
    fs::create_dir(&point)?;
    let mut command = Command::new(env!("CARGO_BIN_EXE_rawfs-sim"));
    let trace = folder.path().join("trace");
    command.args(["--fault", "mkdir:2:EDQUOT", "--space", "10"]);
    command.arg("--trace").arg(&trace);
    command.args([&backing, &point]);
    let mount = Mounted::by(&mut command, &point, b"")?;
    fs::create_dir(point.join("a"))?;
    ensure!(errno(fs::create_dir(point.join("b"))) == Some(Errno::DQUOT));
    ensure!(errno(fs::write(point.join("c"), [0; 11])) == Some(Errno::NOSPC));
    mount.unmount()?;
    let said = fs::read_to_string(&trace)?;
    ensure!(said.contains("\nmkdir 1/b: "), "{said}");
    ensure!(said.contains(", 2 mkdir,"), "{said}");
    Ok(())
}
