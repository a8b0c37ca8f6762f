//! Random operations, done in turns by EncFS 1.9.5 and encfs-rs on the same volumes, with a model
//! beside each: after every turn the trees are equal.
//!
//! The seed is printed, and given by `DIFFERENTIAL_SEED` it brings a failure back. `make soak` runs
//! longer, by `DIFFERENTIAL_OPS` operations on each volume.

use anyhow::{Context, Result, bail, ensure};
use compat_tests::oracle::Program;
use compat_tests::pair::{Counts, Pair, in_parallel};
use compat_tests::random::RandomTree;
use compat_tests::volumes::{Settings, matrix};

/// Operations in all, at least.
const OPS: usize = 10_000;
/// Operations of one turn.
const TURN: usize = 40;
/// Seed if none is given: failures of `make test` are the same for everybody.
const SEED: u64 = 2007;

fn number(variable: &str) -> Result<Option<u64>> {
    match std::env::var(variable) {
        Ok(text) => Ok(Some(text.parse().with_context(|| variable.to_owned())?)),
        Err(_) => Ok(None),
    }
}

/// Turns on one volume until `ops` operations are done.
fn turns(pair: &Pair<'_>, ops: usize, seed: u64) -> Result<()> {
    let mut tree = RandomTree::new(pair.settings, seed);
    let mut program = if seed.is_multiple_of(2) {
        Program::Encfs195
    } else {
        Program::EncfsRs
    };
    for turn in 0..ops.div_ceil(TURN) as u64 {
        let about = || format!("turn {turn}, by {}", program.label());
        let mount = pair.mount(program)?;
        pair.compare(&format!("{}, reading what was left", about()))?;
        pair.change(program, &tree.ops(TURN), turn)
            .with_context(about)?;
        pair.compare(&format!("{}, still mounted", about()))?;
        mount.unmount()?;
        program = program.other();
    }
    for reader in [program, program.other()] {
        let mount = pair.mount(reader)?;
        pair.compare(&format!("at the end, by {}", reader.label()))?;
        mount.unmount()?;
    }
    Ok(())
}

#[test]
fn random_operations_in_turns_leave_equal_trees() -> Result<()> {
    let settings = matrix();
    ensure!(settings.len() >= 40, "only {} settings", settings.len());
    let seed = number("DIFFERENTIAL_SEED")?.unwrap_or(SEED);
    let each = match number("DIFFERENTIAL_OPS")? {
        Some(ops) => usize::try_from(ops)?,
        None => OPS.div_ceil(settings.len()),
    };
    println!("differential: DIFFERENTIAL_SEED={seed}, {each} operations on each volume");
    let counts = Counts::default();
    let cases: Vec<(u64, &Settings)> = (seed..).zip(&settings).collect();
    let failures = in_parallel(&cases, |(seed, settings)| {
        let folder = tempfile::tempdir()?;
        let pair = Pair::new(folder.path(), settings, &counts)?;
        turns(&pair, each, *seed).with_context(|| format!("[{}, seed {seed}]", settings.label()))
    });
    println!(
        "differential: {} settings, {} mounts, {} changes, {} entries compared, {} failed",
        settings.len(),
        counts.mounts.into_inner(),
        counts.changes.into_inner(),
        counts.compared.into_inner(),
        failures.len(),
    );
    if !failures.is_empty() {
        bail!("{} failed:\n{}", failures.len(), failures.join("\n"));
    }
    Ok(())
}
