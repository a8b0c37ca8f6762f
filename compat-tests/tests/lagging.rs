//! Storage that does not cut files, and storage that shows what was done only later: what a
//! program sees through the mount meanwhile, and what is there in the end.

use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{Read, Write};
use std::os::unix::fs::{FileExt, MetadataExt, PermissionsExt};
use std::path::Path;
use std::sync::mpsc;
use std::time::{Duration, SystemTime};

use anyhow::{Context, Result, ensure};
use compat_tests::ops::bytes;
use compat_tests::oracle::Program;
use compat_tests::rawfs::{
    Act, Behaviour, Control, Fault, Op, Options, Prepared, Stage, Truncation, Upload,
};
use compat_tests::volumes::{Cipher, Naming, Settings, paranoia, standard};
use rustix::fs::{XattrFlags, getxattr, setxattr};
use rustix::io::Errno;

/// How late late things are, by the storage's clock, which nothing puts forward.
const LATE: Duration = Duration::from_secs(600);

fn profiles() -> [(&'static str, Settings); 3] {
    let article = Settings {
        cipher: Cipher::Aes,
        key_bits: 256,
        block_size: 4096,
        naming: Naming::Stream,
        unique_iv: false,
        ..standard()
    };
    [
        ("standard", standard()),
        ("paranoia", paranoia()),
        ("article's profile", article),
    ]
}

fn storage(behaviour: Behaviour) -> Options {
    Options {
        behaviour,
        attr_timeout: Duration::ZERO,
        ..Options::default()
    }
}

fn cuts(truncation: Truncation) -> Options {
    storage(Behaviour {
        truncation,
        ..Behaviour::default()
    })
}

fn fill(at: &Path) -> Result<()> {
    for (seed, name) in (1..).zip(["file", "other"]) {
        fs::write(at.join(name), bytes(seed, 20_000))?;
        fs::set_permissions(at.join(name), Permissions::from_mode(0o640))?;
        setxattr(at.join(name), "user.note", b"kept", XattrFlags::empty())?;
    }
    Ok(())
}

fn size_is(file: &File, at: &Path, size: u64) -> Result<()> {
    let (open, named) = (file.metadata()?.len(), fs::metadata(at)?.len());
    ensure!(open == size && named == size, "{open}, {named}, not {size}");
    Ok(())
}

/// No raw name that a volume does not have.
fn no_leftovers(stage: &Stage) -> Result<()> {
    for entry in fs::read_dir(stage.backing())? {
        let name = entry?.file_name();
        let left = name.as_encoded_bytes().starts_with(b".encfs-rs");
        ensure!(!left, "{} was left", name.display());
    }
    Ok(())
}

#[test]
fn files_are_cut_on_storage_that_does_not_cut() -> Result<()> {
    let storages = [
        ("not but to zero", Truncation::but_zero(Act::Ignore)),
        (
            "refuses but to zero",
            Truncation::but_zero(Act::Refuse(Errno::OPNOTSUPP)),
        ),
        ("late but to zero", Truncation::but_zero(Act::Late(LATE))),
        ("never", Truncation::always(Act::Ignore)),
        ("late", Truncation::always(Act::Late(LATE))),
    ];
    for (profile, settings) in profiles() {
        let prepared = Prepared::new(&settings, fill)?;
        for (name, truncation) in storages {
            cut_and_look(&prepared, truncation).with_context(|| format!("{profile}, {name}"))?;
        }
    }
    Ok(())
}

fn cut_and_look(prepared: &Prepared, truncation: Truncation) -> Result<()> {
    let mut stage = prepared.stage(&cuts(truncation))?;
    let point = stage.mount(Program::EncfsRs)?;
    let at = point.join("file");
    let mut model = bytes(1, 20_000);
    let mut reader = File::open(&at)?;
    let writer = OpenOptions::new().write(true).open(&at)?;
    let number = writer.metadata()?.ino();

    // By a handle, while a part of the file is at no raw place yet.
    writer.write_all_at(b"more", 20_000)?;
    writer.set_len(7000)?;
    model.truncate(7000);
    size_is(&reader, &at, 7000)?;
    let mut seen = Vec::new();
    reader.read_to_end(&mut seen)?;
    ensure!(seen == model, "what an open reader sees");
    // By name, with the file open elsewhere, to the end of a block.
    nix::unistd::truncate(&at, 4096)?;
    model.truncate(4096);
    size_is(&reader, &at, 4096)?;
    // Growth past the old end.
    writer.write_all_at(b"behind", 30_000)?;
    model.resize(30_000, 0);
    model.extend_from_slice(b"behind");
    size_is(&reader, &at, 30_006)?;
    writer.set_len(100)?;
    model.truncate(100);
    writer.sync_all()?;
    ensure!(fs::read(&at)? == model, "what a new reader sees");
    ensure!(writer.metadata()?.ino() == number, "another node");
    ensure!(fs::metadata(&at)?.ino() == number, "another node by name");
    drop((reader, writer));
    // Rewritten shorter, as most programs do.
    fs::write(&at, b"short")?;
    ensure!(fs::read(&at)? == b"short");
    nix::unistd::truncate(&point.join("other"), 10_000)?;
    stage.leave()?;
    no_leftovers(&stage)?;
    for program in [Program::Encfs195, Program::EncfsRs] {
        stage.visit(program, |point| {
            ensure!(
                fs::read(point.join("file"))? == b"short",
                "{}",
                program.label()
            );
            ensure!(fs::read(point.join("other"))? == bytes(2, 20_000)[..10_000]);
            for name in ["file", "other"] {
                let mode = fs::metadata(point.join(name))?.permissions().mode();
                ensure!(mode & 0o7777 == 0o640, "{name}: {mode:o}");
                let mut value = [0; 8];
                let len = getxattr(point.join(name), "user.note", &mut value)?;
                ensure!(&value[..len] == b"kept", "{name}: attribute");
            }
            Ok(())
        })?;
    }
    Ok(())
}

/// What cannot be replaced by a rename is cut to zero and written again; where that cannot be done
/// either it stays as it is.
#[test]
fn files_with_other_names_or_none_are_cut_too_or_stay() -> Result<()> {
    let prepared = Prepared::new(&standard(), fill)?;
    for act in [Act::Do, Act::Ignore, Act::Late(LATE)] {
        let truncation = Truncation {
            to_zero: act,
            ..Truncation::always(Act::Ignore)
        };
        let mut stage = prepared.stage(&cuts(truncation))?;
        let point = stage.mount(Program::EncfsRs)?;
        fs::hard_link(point.join("file"), point.join("second"))?;
        let nameless = OpenOptions::new()
            .read(true)
            .write(true)
            .open(point.join("other"))?;
        fs::remove_file(point.join("other"))?;
        let linked = OpenOptions::new().write(true).open(point.join("file"))?;
        let mut expected = Vec::new();
        for (seed, file) in [(1, &linked), (2, &nameless)] {
            let cut = file.set_len(7000);
            let len = if act == Act::Do { 7000 } else { 20_000 };
            ensure!(cut.is_ok() == (act == Act::Do), "{act:?}: {cut:?}");
            ensure!(cut.map_err(|error| error.raw_os_error()) != Err(None));
            ensure!(file.metadata()?.len() == len, "{act:?}");
            expected.push(bytes(seed, 20_000)[..usize::try_from(len)?].to_vec());
        }
        let mut seen = vec![0; expected[1].len()];
        nameless.read_exact_at(&mut seen, 0)?;
        ensure!(seen == expected[1], "{act:?}: without a name");
        drop((nameless, linked));
        stage.leave()?;
        no_leftovers(&stage)?;
        stage.visit(Program::EncfsRs, |point| {
            for name in ["file", "second"] {
                ensure!(
                    fs::read(point.join(name))? == expected[0],
                    "{act:?}: {name}"
                );
            }
            ensure!(fs::metadata(point.join("file"))?.nlink() == 2);
            Ok(())
        })?;
    }
    Ok(())
}

/// Storage that was seen not to cut is not asked again.
#[test]
fn what_storage_does_not_do_is_remembered() -> Result<()> {
    let prepared = Prepared::new(&standard(), fill)?;
    let mut stage = prepared.stage(&cuts(Truncation::but_zero(Act::Ignore)))?;
    let point = stage.mount(Program::EncfsRs)?;
    nix::unistd::truncate(&point.join("file"), 7000)?;
    ensure!(stage.control().take_counts().of(Op::Truncate) == 1);
    nix::unistd::truncate(&point.join("other"), 7000)?;
    ensure!(stage.control().take_counts().of(Op::Truncate) == 0);
    stage.leave()
}

/// A cut by replacing that breaks off at any raw change leaves the old file or the shorter one.
#[test]
fn a_cut_that_breaks_off_leaves_the_old_file_or_the_new() -> Result<()> {
    for (name, settings) in profiles() {
        let prepared = Prepared::new(&settings, fill)?;
        for fault in [Fault::lost_before, Fault::lost_untold] {
            let mut n = 1;
            while cut_broken_at(&prepared, fault(n)).with_context(|| format!("{name}, {n}"))? {
                n += 1;
                ensure!(n < 50, "{name}: it does not end");
            }
            ensure!(n > 5, "{name}: nothing broke off");
        }
    }
    Ok(())
}

/// Whether the fault came in the way.
fn cut_broken_at(prepared: &Prepared, fault: Fault) -> Result<bool> {
    let mut stage = prepared.stage(&cuts(Truncation::always(Act::Ignore)))?;
    let point = stage.mount(Program::EncfsRs)?;
    // What the storage does is known afterwards.
    nix::unistd::truncate(&point.join("other"), 7000)?;
    stage.control().arm(fault);
    let told = nix::unistd::truncate(&point.join("file"), 5000);
    let hit = stage.control().hits() > 0;
    stage.leave()?;
    let (old, new) = (bytes(1, 20_000), &bytes(1, 20_000)[..5000]);
    stage.visit(Program::EncfsRs, |point| {
        let names = fs::read_dir(point)?.count();
        ensure!(names == 2, "{names} names");
        let seen = fs::read(point.join("file"))?;
        ensure!(
            seen == new || (seen == old && told.is_err()),
            "{told:?}, {}",
            seen.len()
        );
        Ok(())
    })?;
    Ok(hit)
}

fn old_sizes() -> Options {
    storage(Behaviour {
        attr_lag: LATE,
        ..Behaviour::default()
    })
}

fn uploads(size_is_right: bool) -> Options {
    storage(Behaviour {
        upload: Some(Upload {
            delay: LATE,
            size_is_right,
        }),
        ..Behaviour::default()
    })
}

/// Runs `act` while the storage's time goes on, in steps: it waits for what comes late.
fn as_time_goes_on<T: Send + 'static>(
    control: &Control,
    act: impl FnOnce() -> std::io::Result<T> + Send + 'static,
) -> Result<T> {
    let (told, hears) = mpsc::channel();
    let actor = std::thread::spawn(move || {
        // The test may have failed and gone.
        let _ = told.send(act());
    });
    let done = loop {
        match hears.recv_timeout(Duration::from_millis(20)) {
            Err(mpsc::RecvTimeoutError::Timeout) => control.advance(LATE),
            done => break done?,
        }
    };
    ensure!(actor.join().is_ok());
    Ok(done?)
}

fn append(at: &Path, data: &[u8]) -> std::io::Result<()> {
    let mut file = OpenOptions::new().append(true).open(at)?;
    file.write_all(data)?;
    Ok(nix::unistd::close(file)?)
}

/// Size and time are those that were given here, and appending goes on at the end, while storage
/// reports what was before.
#[test]
fn sizes_and_times_are_ours_while_storage_reports_old_ones() -> Result<()> {
    for (profile, settings) in profiles() {
        let prepared = Prepared::new(&settings, fill)?;
        for (name, options) in [("old sizes", old_sizes()), ("uploads", uploads(false))] {
            let about = || format!("{profile}, {name}");
            let mut stage = prepared.stage(&options)?;
            let point = stage.mount(Program::EncfsRs)?;
            ours_while_old(&stage, &point).with_context(about)?;
            stage.control().advance(LATE + LATE);
            ensure!(
                fs::read(point.join("new"))? == bytes(3, 12_000),
                "{}",
                about()
            );
            // A time alone, of a file that has arrived.
            let time = SystemTime::UNIX_EPOCH + Duration::from_secs(1_100_000_000);
            File::open(point.join("new"))?.set_modified(time)?;
            let seen = fs::metadata(point.join("new"))?.modified()?;
            ensure!(seen == time, "{}: the time {seen:?}", about());
            stage.leave()?;
            stage.visit(Program::Encfs195, |point| {
                ensure!(
                    fs::read(point.join("new"))? == bytes(3, 12_000),
                    "{}",
                    about()
                );
                ensure!(
                    fs::read(point.join("file"))? == bytes(4, 300),
                    "{}",
                    about()
                );
                ensure!(fs::read(point.join("other"))? == bytes(2, 20_000)[..777]);
                Ok(())
            })?;
        }
    }
    Ok(())
}

fn ours_while_old(stage: &Stage, point: &Path) -> Result<()> {
    let size = |name: &str| fs::metadata(point.join(name)).map(|stat| stat.len());
    // Made, rewritten shorter, cut.
    let mut file = File::create(point.join("new"))?;
    for part in bytes(3, 12_000).chunks(5000) {
        file.write_all(part)?;
        let (open, named) = (file.metadata()?.len(), size("new")?);
        ensure!(open == named && open > 0, "while open: {open}, {named}");
    }
    drop(file);
    fs::write(point.join("file"), bytes(4, 300))?;
    nix::unistd::truncate(&point.join("other"), 777)?;
    let time = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000_000);
    File::open(point.join("new"))?.set_modified(time)?;
    stage.control().advance(LATE / 10);
    for (name, len) in [("new", 12_000), ("file", 300), ("other", 777)] {
        ensure!(size(name)? == len, "{name}: {}, not {len}", size(name)?);
        for entry in fs::read_dir(point)? {
            let entry = entry?;
            ensure!(entry.file_name() != name || entry.metadata()?.len() == len);
        }
    }
    let seen = fs::metadata(point.join("new"))?.modified()?;
    ensure!(seen == time, "the time: {seen:?}");
    Ok(())
}

/// On storage whose sizes alone are old, what is appended next goes to the end.
#[test]
fn appending_goes_on_at_the_end_while_storage_reports_an_old_one() -> Result<()> {
    let prepared = Prepared::new(&standard(), fill)?;
    let mut stage = prepared.stage(&old_sizes())?;
    let point = stage.mount(Program::EncfsRs)?;
    let (log, piece) = (point.join("file"), bytes(5, 700));
    let mut model = bytes(1, 20_000);
    for _ in 0..5 {
        append(&log, &piece)?;
        model.extend_from_slice(&piece);
        ensure!(fs::metadata(&log)?.len() == model.len() as u64);
    }
    stage.leave()?;
    stage.visit(Program::Encfs195, |point| {
        ensure!(fs::read(point.join("file"))? == model);
        Ok(())
    })
}

/// Where contents are shown once they are uploaded, whoever reads or changes a file in part waits
/// for that; whoever writes it anew need not.
#[test]
fn what_is_on_its_way_is_waited_for() -> Result<()> {
    for size_is_right in [true, false] {
        let prepared = Prepared::new(&standard(), fill)?;
        let mut stage = prepared.stage(&uploads(size_is_right))?;
        let control = stage.control().clone();
        let point = stage.mount(Program::EncfsRs)?;
        let at = |name: &str| point.join(name);
        let mut log = bytes(1, 20_000);
        for seed in 6..9 {
            let (file, more) = (at("file"), bytes(seed, 500));
            log.extend_from_slice(&more);
            as_time_goes_on(&control, move || append(&file, &more)).context("appending")?;
        }
        for seed in 9..12 {
            fs::write(at("other"), bytes(seed, 100 * usize::try_from(seed)?))?;
        }
        let last = bytes(11, 1100);
        ensure!(fs::metadata(at("other"))?.len() == 1100);
        let other = at("other");
        let seen = as_time_goes_on(&control, move || fs::read(other))?;
        ensure!(seen == last, "{size_is_right}: {} bytes read", seen.len());
        stage.leave()?;
        stage.visit(Program::Encfs195, |point| {
            ensure!(
                fs::read(point.join("file"))? == log,
                "{size_is_right}: appended"
            );
            ensure!(
                fs::read(point.join("other"))? == last,
                "{size_is_right}: rewritten"
            );
            Ok(())
        })?;
    }
    Ok(())
}

/// A size that is neither ours nor the one before was made by somebody else.
#[test]
fn another_client_wins() -> Result<()> {
    let prepared = Prepared::new(&standard(), fill)?;
    let mut stage = prepared.stage(&storage(Behaviour::default()))?;
    let point = stage.mount(Program::EncfsRs)?;
    let backing = stage.backing();
    let raw = fs::read_dir(&backing)?
        .filter_map(|entry| entry.ok().map(|entry| entry.path()))
        .filter(|path| path.file_name().is_some_and(|name| name != ".encfs6.xml"))
        .collect::<Vec<_>>();
    append(&point.join("file"), &bytes(7, 700))?;
    append(&point.join("other"), &bytes(7, 700))?;
    for path in raw {
        // 8 bytes of header and some blocks.
        OpenOptions::new()
            .write(true)
            .open(path)?
            .set_len(8 + 40 * 1024)?;
    }
    for name in ["file", "other"] {
        let len = fs::metadata(point.join(name))?.len();
        ensure!(len == 40 * 1024, "{name}: {len}");
        ensure!(fs::read(point.join(name))?.len() == 40 * 1024);
    }
    stage.leave()
}
