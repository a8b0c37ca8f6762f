//! Storage that fails in the middle: nothing is left of the examination, or it is told what.

use anyhow::{Result, bail, ensure};
use compat_tests::rawfs::{Behaviour, Effect, Fault, Op, Options, Partly, Space, When, Which};
use encfs_rs::probe::Why;
use rustix::io::Errno;

use super::{all, storage};

/// Every so many requests one is hit.
const STEP: usize = 13;

/// Numbers of requests to hit, spread over a whole examination.
fn moments(which: Which) -> Result<Vec<u64>> {
    let storage = storage(&Options::default())?;
    storage.mount.control().take_counts();
    storage.examine()?;
    let counted = storage.mount.control().take_counts();
    let all: u64 = Op::all()
        .filter(|op| which == Which::Every || op.changes())
        .filter(|op| !matches!(op, Op::Release | Op::Releasedir))
        .filter_map(|op| counted.0.get(&op))
        .sum();
    Ok((1..=all).step_by(STEP).collect())
}

#[test]
fn one_error_leaves_nothing() -> Result<()> {
    for effect in [Effect::Refuse(Errno::IO), Effect::Unanswered(Errno::IO)] {
        let moments = moments(Which::Every)?;
        all(
            &moments,
            |n| format!("{effect:?} of request {n}"),
            |n| {
                let storage = storage(&Options::default())?;
                let fault = Fault::new(Which::Every, When::Nth(*n), effect);
                storage.mount.control().arm(fault);
                let examined = storage.examine()?;
                ensure!(examined.left.is_none(), "{:?}", examined.left);
                storage.is_as_before()
            },
        )?;
    }
    Ok(())
}

#[test]
fn what_a_lost_connection_leaves_is_told() -> Result<()> {
    let moments = moments(Which::Changing)?;
    for lost in [Fault::lost_before, Fault::lost_untold, Fault::lost_after] {
        all(
            &moments,
            |n| format!("change {n}"),
            |n| {
                let storage = storage(&Options::default())?;
                storage.mount.control().arm(lost(*n));
                let examined = storage.examine()?;
                let Some(left) = examined.left else {
                    return storage.is_as_before();
                };
                ensure!(left.error.errno == Errno::NOTCONN, "{left:?}");
                let folder = storage.backing.join(left.folder.as_os_str());
                // Whether it is there at all may not have come back.
                if folder.exists() {
                    std::fs::remove_dir_all(&folder)?;
                }
                storage.is_as_before()
            },
        )?;
    }
    Ok(())
}

#[test]
fn storage_that_refuses_removal_is_told() -> Result<()> {
    for op in [Op::Unlink, Op::Rmdir, Op::Opendir] {
        let storage = storage(&Options {
            behaviour: Behaviour::default().refusing(&[op], Errno::PERM),
            ..Options::default()
        })?;
        let examined = storage.examine()?;
        let Some(left) = examined.left else {
            bail!("{op:?}: nothing is said to be left");
        };
        let folder = storage.backing.join(left.folder.as_os_str());
        ensure!(folder.is_dir(), "{op:?}: {left:?}");
        std::fs::remove_dir_all(&folder)?;
        storage.is_as_before()?;
    }
    Ok(())
}

#[test]
fn full_storage_is_told() -> Result<()> {
    for partly in [Partly::Whole, Partly::Told, Partly::Untold] {
        for left in [0, 1000, 20_000, 60_000] {
            let space = Space {
                left,
                partly,
                errno: Errno::NOSPC,
            };
            let storage = storage(&Options {
                space: Some(space),
                ..Options::default()
            })?;
            let examined = storage.examine()?;
            ensure!(examined.left.is_none(), "{:?}", examined.left);
            storage.is_as_before()?;
            match examined.findings {
                Err(Why::NoFiles(error)) => {
                    ensure!(left <= 20_000 && error.errno == Errno::NOSPC, "{error}");
                }
                Err(why) => bail!("{left}: {why:?}"),
                Ok(findings) => {
                    ensure!(left > 1000, "{left} bytes were enough");
                    let missing = findings.not_found_out();
                    let full = missing.is_some_and(|(_, errno)| errno == Errno::NOSPC);
                    ensure!(full, "{left}: {missing:?}");
                }
            }
        }
    }
    Ok(())
}

#[test]
fn storage_that_cannot_be_written_is_told() -> Result<()> {
    let changes: Vec<Op> = Op::all().filter(|op| op.changes()).collect();
    for ops in [&changes[..], &[Op::Mkdir]] {
        let storage = storage(&Options {
            behaviour: Behaviour::default().refusing(ops, Errno::ROFS),
            ..Options::default()
        })?;
        let examined = storage.examine()?;
        ensure!(examined.left.is_none(), "{:?}", examined.left);
        let why = examined.findings;
        let told = matches!(&why, Err(Why::NoFolder(error)) if error.errno == Errno::ROFS);
        ensure!(told, "{why:?}");
        storage.is_as_before()?;
    }
    Ok(())
}
