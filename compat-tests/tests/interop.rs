//! EncFS 1.9.5 and encfs-rs on the same volumes, in both directions and in turns.
//!
//! For each setting of the matrix there are two volumes, one begun by either program. Beside each
//! lies a model: a plain directory on which everything is done that is done on the mount. The
//! programs take turns; each compares what it finds with the model, changes everything, compares
//! again and leaves. At the end both look once more.

use anyhow::{Context, Result, bail, ensure};
use compat_tests::mounted::{Mounted, below};
use compat_tests::oracle::Program;
use compat_tests::pair::{Counts, Pair, first_few, in_parallel};
use compat_tests::script;
use compat_tests::tree::{Look, differences, read};
use compat_tests::volumes::{Settings, create_by_dialogue, element, matrix, paranoia};

/// Turns after the first filling; with them each program follows the other twice.
const TURNS: u64 = 3;

/// What the format or the settings forbid is refused with the right errno and changes nothing.
fn refusals(pair: &Pair<'_>) -> Result<()> {
    let long = below(
        &pair.point,
        &script::name_of(pair.settings.name_limit() + 1),
    );
    let error = std::fs::write(long, b"")
        .err()
        .context("too long a name was taken")?;
    ensure!(
        error.raw_os_error() == Some(36),
        "a name too long by one byte: {error}"
    );
    if !pair.settings.hard_links() {
        let (old, new) = (pair.point.join("sizes/9"), pair.point.join("second"));
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

fn turns(pair: &Pair<'_>, begins: Program) -> Result<()> {
    let mut program = begins;
    let mount = pair.mount(program)?;
    pair.change(program, &script::first(pair.settings), 0)
        .context("filling")?;
    refusals(pair)?;
    pair.compare("after filling, still mounted")?;
    mount.unmount()?;
    for turn in 1..=TURNS {
        let writer = program;
        program = program.other();
        let mount = pair.mount(program)?;
        let by = |what: &str| format!("turn {turn}, by {}, {what}", program.label());
        pair.compare(&by(&format!("reading what {} left", writer.label())))?;
        let ops = script::turn(pair.settings, turn, &pair.model)?;
        pair.change(program, &ops, turn)
            .with_context(|| by("changing"))?;
        pair.compare(&by("after changing, still mounted"))?;
        mount.unmount()?;
    }
    for reader in [program, program.other()] {
        let mount = pair.mount(reader)?;
        pair.compare(&format!("at the end, by {}", reader.label()))?;
        mount.unmount()?;
    }
    Ok(())
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
        let pair = Pair::new(folder.path(), settings, &counts)?;
        turns(&pair, *begins)
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
