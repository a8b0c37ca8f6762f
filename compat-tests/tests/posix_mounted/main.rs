//! Every operation of a filesystem, on a mount of encfs-rs with standard and with paranoia settings,
//! and first on the storage below it, which shows that the cases themselves are right.
//!
//! One file for each concern, each with a table of cases. A case gets an empty directory of its own.

mod attributes;
mod contents;
mod directories;
mod links;
mod names;
mod permissions;
mod place;
mod renames;
mod space;
mod storage_errors;
mod xattrs;

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use compat_tests::disk::Disk;
use compat_tests::oracle::Program;
use compat_tests::volumes::{paranoia, standard};

use place::{Case, Kind, Place};

const CONCERNS: &[(&str, &[Case])] = &[
    ("attributes", attributes::CASES),
    ("contents", contents::CASES),
    ("directories", directories::CASES),
    ("links", links::CASES),
    ("names", names::CASES),
    ("permissions", permissions::CASES),
    ("renames", renames::CASES),
    ("space", space::CASES),
    ("xattrs", xattrs::CASES),
];

/// Runs all cases below `top` and reports every one that fails.
fn run_all(top: &Path, kind: Kind) -> Result<()> {
    let only = std::env::var("POSIX_ONLY").unwrap_or_default();
    let mut passed = 0;
    let mut failures = Vec::new();
    for (concern, cases) in CONCERNS {
        for (name, case) in *cases {
            let title = format!("{concern}: {name}");
            if !title.contains(&only) {
                continue;
            }
            let dir = top.join(title.replace([' ', ':', '/', ','], "_"));
            std::fs::create_dir(&dir).with_context(|| title.clone())?;
            std::fs::set_permissions(&dir, std::fs::Permissions::from_mode(0o755))?;
            match case(&Place { dir, kind }) {
                Ok(()) => passed += 1,
                Err(error) => failures.push(format!("{title}: {error:#}")),
            }
        }
    }
    println!(
        "posix, {kind:?}: {passed} cases passed, {} failed",
        failures.len()
    );
    ensure!(
        failures.is_empty(),
        "{kind:?}:\n  {}",
        failures.join("\n  ")
    );
    Ok(())
}

fn on_a_mount(kind: Kind) -> Result<()> {
    let disk = Disk::new()?;
    let settings = if kind == Kind::Paranoia {
        paranoia()
    } else {
        standard()
    };
    let mount = disk.public_mount(Program::EncfsRs, &settings)?;
    let result = run_all(mount.path(), kind);
    let log = mount.log()?;
    result
        .and(mount.unmount())
        .with_context(|| format!("log of the mount:\n{log}"))
}

#[test]
fn the_storage_itself() -> Result<()> {
    let disk = Disk::new()?;
    disk.open_to_all()?;
    run_all(disk.path(), Kind::Storage)
}

#[test]
fn standard_settings() -> Result<()> {
    on_a_mount(Kind::Standard)
}

#[test]
fn paranoia_settings() -> Result<()> {
    on_a_mount(Kind::Paranoia)
}
