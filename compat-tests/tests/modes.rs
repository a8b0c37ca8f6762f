//! Storage that lags, lies or takes only some orders: what the article did with its files, and
//! what is found once all has settled and the volume is mounted on good storage.
//!
//! A cell is `ok`, `refused` (an error was told, and what was there is right) or damage. For
//! each mode the same calls are made straight to the storage as well: no cell of encfs-rs may be
//! damaged where that one is not, nor refused where that one is `ok`.
//!
//! `cargo test -p compat-tests --test modes -- --nocapture` prints the table.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::mpsc;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use compat_tests::ops::bytes;
use compat_tests::oracle::Program;
use compat_tests::pair::in_parallel;
use compat_tests::rawfs::{
    Act, Behaviour, Control, Options, Order, Overwrite, PRESETS, Prepared, RawFs, Truncation,
    Upload, preset,
};
use compat_tests::volumes::{Cipher, Naming, Settings, paranoia, standard};
use parking_lot::Mutex;
use rustix::io::Errno;

/// How late late things are. Only the clock of the storage counts, which tests put forward.
const LATE: Duration = Duration::from_secs(600);

fn profiles() -> Vec<(&'static str, Settings)> {
    let article = Settings {
        cipher: Cipher::Aes,
        key_bits: 256,
        block_size: 4096,
        naming: Naming::Stream,
        unique_iv: false,
        ..standard()
    };
    let with_iv = Settings {
        unique_iv: true,
        ..article.clone()
    };
    let with_mac = Settings {
        mac_bytes: 8,
        ..article.clone()
    };
    vec![
        ("standard", standard()),
        ("paranoia", paranoia()),
        ("article's profile", article),
        ("profile + per-file IV", with_iv),
        ("profile + MAC", with_mac),
    ]
}

fn modes() -> Vec<(String, Options)> {
    let truncations = [
        ("trunc-nonzero-ignored", Truncation::but_zero(Act::Ignore)),
        (
            "trunc-nonzero-refused",
            Truncation::but_zero(Act::Refuse(Errno::OPNOTSUPP)),
        ),
        ("trunc-nonzero-late", Truncation::but_zero(Act::Late(LATE))),
        ("trunc-ignored", Truncation::always(Act::Ignore)),
        ("trunc-late", Truncation::always(Act::Late(LATE))),
    ];
    let mut behaviours: Vec<(&str, Behaviour)> = Vec::new();
    for (name, truncation) in truncations {
        behaviours.push((
            name,
            Behaviour {
                truncation,
                ..Behaviour::default()
            },
        ));
    }
    let upload = |size_is_right| {
        Some(Upload {
            delay: LATE,
            size_is_right,
        })
    };
    let clean = Behaviour::default;
    behaviours.extend([
        (
            "stale-attr",
            Behaviour {
                attr_lag: LATE,
                ..clean()
            },
        ),
        (
            "upload-late",
            Behaviour {
                upload: upload(true),
                ..clean()
            },
        ),
        (
            "upload-committed",
            Behaviour {
                upload: upload(false),
                ..clean()
            },
        ),
        (
            "header-overwrite-lost",
            Behaviour {
                overwrite: Overwrite::LostBefore(8),
                ..clean()
            },
        ),
        (
            "overwrite-lost",
            Behaviour {
                overwrite: Overwrite::Lost,
                ..clean()
            },
        ),
        (
            "append-only",
            Behaviour {
                order: Order::AppendOnly(Errno::INVAL),
                ..clean()
            },
        ),
        (
            "sequential-only",
            Behaviour {
                order: Order::SequentialOnly(Errno::INVAL),
                ..clean()
            },
        ),
        (
            "rubbish",
            Behaviour {
                rubbish: true,
                ..clean()
            },
        ),
    ]);
    let mut modes: Vec<(String, Options)> = behaviours
        .into_iter()
        .map(|(name, behaviour)| {
            let options = Options {
                behaviour,
                attr_timeout: Duration::ZERO,
                ..Options::default()
            };
            (name.to_owned(), options)
        })
        .collect();
    for name in PRESETS {
        if let Some(mut options) = preset(name) {
            // Nothing here depends on how long it takes.
            options.latency = Default::default();
            if let Some(upload) = &mut options.behaviour.upload
                && !upload.delay.is_zero()
            {
                upload.delay = LATE;
            }
            modes.push((format!("preset {name}"), options));
        }
    }
    modes
}

/// Contents that a file may have in the end.
type Models = BTreeMap<&'static str, Vec<Vec<u8>>>;

fn fill(at: &Path) -> Result<()> {
    for (seed, name) in (1..).zip(["shorter", "appended", "patched", "same", "cut", "replaced"]) {
        fs::write(at.join(name), bytes(seed, 20_000))?;
    }
    Ok(())
}

/// What was done, told and may be found.
struct Done {
    refused: u32,
    models: Models,
}

impl Done {
    /// Notes a change of a file: what was there is one possibility if it was refused.
    fn note(&mut self, name: &'static str, told: std::io::Result<()>, new: Vec<u8>) {
        let models = self.models.entry(name).or_default();
        if told.is_ok() {
            models.clear();
        } else {
            self.refused += 1;
            // A rewrite may have come as far as cutting, or a part of it.
            models.push(Vec::new());
        }
        models.push(new);
    }
}

/// The article's workload: `between` is called after each step.
fn work(at: &Path, between: &dyn Fn()) -> Done {
    let mut done = Done {
        refused: 0,
        models: Models::new(),
    };
    for (seed, name) in (1..).zip(["shorter", "appended", "patched", "same", "cut", "replaced"]) {
        done.models.insert(name, vec![bytes(seed, 20_000)]);
    }
    let close = |file: File| -> std::io::Result<()> { Ok(nix::unistd::close(file)?) };
    let write = |options: &OpenOptions, name: &str, offset: Option<u64>, data: &[u8]| {
        let mut file = options.open(at.join(name))?;
        let written = match offset {
            Some(offset) => file.write_all_at(data, offset),
            None => file.write_all(data),
        };
        let closed = close(file);
        written.and(closed)
    };
    let options =
        |with: fn(&mut OpenOptions) -> &mut OpenOptions| with(&mut OpenOptions::new()).clone();
    let rewrite = options(|options| options.write(true).create(true).truncate(true));
    let append = options(|options| options.append(true));
    let change = options(|options| options.write(true));

    let new = bytes(20, 12_000);
    done.note("new", write(&rewrite, "new", None, &new), new);
    between();
    let short = bytes(21, 29);
    done.note("shorter", write(&rewrite, "shorter", None, &short), short);
    between();
    let more = bytes(22, 700);
    let appended = [bytes(2, 20_000), more.clone()].concat();
    done.note(
        "appended",
        write(&append, "appended", None, &more),
        appended,
    );
    between();
    let patch = bytes(23, 100);
    let mut patched = bytes(3, 20_000);
    patched.splice(9000..9100, patch.iter().copied());
    done.note(
        "patched",
        write(&change, "patched", Some(9000), &patch),
        patched,
    );
    between();
    let same = bytes(24, 20_000);
    done.note("same", write(&rewrite, "same", None, &same), same);
    between();
    let cut = change.open(at.join("cut")).and_then(|file| {
        let cut = file.set_len(7000);
        cut.and(close(file))
    });
    let mut seven = bytes(5, 20_000);
    seven.truncate(7000);
    done.note("cut", cut, seven);
    between();
    // As rsync does: a temporary file, its time set, renamed.
    let better = bytes(25, 9000);
    let replaced = write(&rewrite, ".replaced.tmp", None, &better).and_then(|()| {
        between();
        let time = rustix::fs::Timespec {
            tv_sec: 1_000_000_000,
            tv_nsec: 0,
        };
        let times = rustix::fs::Timestamps {
            last_access: time,
            last_modification: time,
        };
        let flags = rustix::fs::AtFlags::empty();
        rustix::fs::utimensat(rustix::fs::CWD, at.join(".replaced.tmp"), &times, flags)?;
        fs::rename(at.join(".replaced.tmp"), at.join("replaced"))
    });
    done.note("replaced", replaced, better);
    between();
    done
}

/// What is wrong in the end.
fn damage(at: &Path, models: &Models) -> Vec<String> {
    let mut wrong = Vec::new();
    for (name, models) in models {
        let seen = match fs::read(at.join(name)) {
            Ok(seen) => seen,
            Err(error) => {
                if !models.iter().any(Vec::is_empty) || *name != "new" {
                    wrong.push(format!("{name}: {error}"));
                }
                continue;
            }
        };
        let fits = |model: &Vec<u8>| {
            // Refused in the middle: a part from the first byte on.
            *model == seen || (models.len() > 1 && model.starts_with(&seen))
        };
        if !models.iter().any(fits) {
            let wanted = models.iter().map(Vec::len).max().unwrap_or(0);
            let same = models
                .iter()
                .map(|model| model.iter().zip(&seen).take_while(|(a, b)| a == b).count())
                .max()
                .unwrap_or(0);
            wrong.push(format!(
                "{name}: {} bytes, right up to {same} of {wanted}",
                seen.len()
            ));
        }
    }
    wrong
}

fn cell(refused: u32, wrong: &[String]) -> String {
    match (wrong.is_empty(), refused) {
        (true, 0) => "ok".to_owned(),
        (true, refused) => format!("{refused} refused"),
        (false, _) => format!("**{}**", wrong.join("; ")),
    }
}

/// Whether sizes or contents are shown late.
fn is_late(options: &Options) -> bool {
    let behaviour = &options.behaviour;
    let uploads = behaviour.upload.is_some_and(|up| !up.delay.is_zero());
    uploads || !behaviour.attr_lag.is_zero()
}

fn stepper(control: &Control, patient: bool) -> impl Fn() + '_ {
    move || {
        // What was closed is on its way only when the kernel has given it back.
        for _ in 0..5_000_000 {
            if !patient || control.writers() == 0 {
                break;
            }
            std::thread::yield_now();
        }
        if patient {
            control.advance(LATE + LATE);
        }
    }
}

/// The same calls straight to the storage.
fn plain(options: &Options, patient: bool) -> Result<(String, bool)> {
    let folder = tempfile::tempdir()?;
    let (backing, point) = (folder.path().join("backing"), folder.path().join("point"));
    fs::create_dir(&backing)?;
    fs::create_dir(&point)?;
    fill(&backing)?;
    let storage = RawFs::mount(&backing, &point, options)?;
    let control = storage.control().clone();
    let done = work(&point, &stepper(&control, patient));
    storage.unmount()?;
    let wrong = damage(&backing, &done.models);
    Ok((cell(done.refused, &wrong), wrong.is_empty()))
}

fn encrypted(prepared: &Prepared, options: &Options, patient: bool) -> Result<(String, bool)> {
    let mut stage = prepared.stage(options)?;
    let point = stage.mount(Program::EncfsRs)?;
    let control = stage.control().clone();
    let done = work(&point, &stepper(&control, patient));
    stage.leave()?;
    let wrong = stage.visit(Program::EncfsRs, |at| Ok(damage(at, &done.models)))?;
    Ok((cell(done.refused, &wrong), wrong.is_empty()))
}

/// Under external IV chaining a rename rewrites the header. While the storage shows an older
/// version that would be sent off over the new one: the rename waits until that has arrived.
#[test]
fn a_rename_waits_for_the_upload() -> Result<()> {
    let prepared = Prepared::new(&paranoia(), fill)?;
    let mut stage = prepared.stage(&Options {
        attr_timeout: Duration::ZERO,
        behaviour: Behaviour {
            upload: Some(Upload {
                delay: LATE,
                size_is_right: true,
            }),
            ..Behaviour::default()
        },
        ..Options::default()
    })?;
    let point = stage.mount(Program::EncfsRs)?;
    let (made, better) = (bytes(30, 5000), bytes(31, 6000));
    fs::write(point.join("made"), &made)?;
    fs::write(point.join("same"), &better)?;
    let (told, hears) = mpsc::channel();
    let renamer = std::thread::spawn(move || {
        let renamed = fs::rename(point.join("made"), point.join("renamed"))
            .and_then(|()| fs::rename(point.join("same"), point.join("other")));
        // The test may have failed and gone.
        let _ = told.send(renamed);
    });
    let renamed = loop {
        match hears.recv_timeout(Duration::from_millis(20)) {
            Err(mpsc::RecvTimeoutError::Timeout) => stage.control().advance(LATE),
            renamed => break renamed?,
        }
    };
    ensure!(renamer.join().is_ok());
    renamed?;
    stage.leave()?;
    stage.visit(Program::EncfsRs, |at| {
        ensure!(fs::read(at.join("renamed"))? == made);
        ensure!(fs::read(at.join("other"))? == better);
        ensure!(!at.join("made").exists() && !at.join("same").exists());
        Ok(())
    })
}

#[test]
fn no_storage_garbles_a_file() -> Result<()> {
    let (modes, profiles) = (modes(), profiles());
    let prepared: Vec<Prepared> = profiles
        .iter()
        .map(|(name, settings)| Prepared::new(settings, fill).context(*name))
        .collect::<Result<_>>()?;
    let mut jobs = Vec::new();
    for mode in 0..modes.len() {
        for patient in [false, true] {
            jobs.extend((0..=profiles.len()).map(|column| (mode, patient, column)));
        }
    }
    let cells = Mutex::new(BTreeMap::new());
    let failures = in_parallel(&jobs, |&(mode, patient, column)| {
        let (name, options) = &modes[mode];
        let (text, right) = match column {
            0 => plain(options, patient),
            column => encrypted(&prepared[column - 1], options, patient),
        }
        .with_context(|| format!("{name}, column {column}"))?;
        cells.lock().insert((mode, patient, column), (text, right));
        Ok(())
    });
    ensure!(failures.is_empty(), "\n{}", failures.join("\n"));
    let cells = cells.into_inner();
    let names: Vec<&str> = profiles.iter().map(|(name, _)| *name).collect();
    println!("| storage | plain files | {} |", names.join(" | "));
    println!("|---|---|{}", "---|".repeat(names.len()));
    let mut worse = Vec::new();
    for (mode, (name, _)) in modes.iter().enumerate() {
        for patient in [false, true] {
            let cell = |column| &cells[&(mode, patient, column)];
            let texts: Vec<&str> = (0..=profiles.len()).map(|c| cell(c).0.as_str()).collect();
            let how = if patient { ", with pauses" } else { "" };
            println!("| {name}{how} | {} |", texts.join(" | "));
            for column in 1..=profiles.len() {
                // Under external IV chaining a rename needs the header, and waits some seconds for
                // storage to show it; here it never does.
                let waits = !patient && names[column - 1] == "paranoia" && is_late(&modes[mode].1);
                let refused = cell(0).0 == "ok" && cell(column).0 != "ok" && !waits;
                if refused || (cell(0).1 && !cell(column).1) {
                    worse.push(format!(
                        "{name}{how}, {}: {}",
                        names[column - 1],
                        cell(column).0
                    ));
                }
            }
        }
    }
    ensure!(
        worse.is_empty(),
        "{} cells are worse than plain files:\n{}",
        worse.len(),
        worse.join("\n")
    );
    Ok(())
}
