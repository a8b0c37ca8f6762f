//! Storage that does not cut files, and storage that shows what was done only later: what a
//! program sees through the mount meanwhile, and what is there in the end.

use std::fs::{self, File, OpenOptions, Permissions};
use std::io::Read;
use std::os::unix::fs::{FileExt, MetadataExt, PermissionsExt};
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use compat_tests::ops::bytes;
use compat_tests::oracle::Program;
use compat_tests::rawfs::{Act, Behaviour, Fault, Op, Options, Prepared, Stage, Truncation};
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
