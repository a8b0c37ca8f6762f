//! Every volume of `fixtures/volumes` opens and shows what its manifest says; reading changes
//! nothing in storage.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

use anyhow::{Context, Result, ensure};
use compat_tests::manifest::{Fixture, names};
use compat_tests::mounted::Mounted;
use compat_tests::oracle::Program;
use compat_tests::tree::{Kind, Look, Tree, differences, digest_of, read, show};

/// What is done with a fixture volume.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Plan {
    /// Mounted and compared.
    Mount,
    /// Mounted and compared; each file also read by `encfsctl-rs cat`, the root listed by `ls`.
    MountAndCtl,
}

/// All of them: [`the_table_names_every_volume`] fails on one that is missing here.
const TABLE: &[(&str, Plan)] = &[
    ("block32", Plan::Mount),
    ("camellia-192", Plan::Mount),
    ("encfs-1.4.2", Plan::MountAndCtl),
    ("extiv-nomac", Plan::Mount),
    ("mac4-noholes", Plan::Mount),
    ("mac8-rand8", Plan::MountAndCtl),
    ("no-chaining", Plan::Mount),
    ("null-names", Plan::MountAndCtl),
    ("nullcipher", Plan::Mount),
    ("omnifs", Plan::MountAndCtl),
    ("paranoia", Plan::MountAndCtl),
    ("plaindata", Plan::MountAndCtl),
    ("reverse", Plan::Mount),
    ("standard", Plan::MountAndCtl),
    ("v4", Plan::MountAndCtl),
    ("v5-2007", Plan::MountAndCtl),
    ("v6-20080813-nosalt", Plan::Mount),
    ("v6-20080816", Plan::Mount),
    ("writer-boxcryptor", Plan::Mount),
    ("writer-boxcryptor-null", Plan::Mount),
    ("writer-cryptonite", Plan::Mount),
    ("writer-eds-lite", Plan::Mount),
    ("writer-encdroid", Plan::Mount),
    ("writer-encfs-1.5", Plan::Mount),
    ("writer-encfs-1.6", Plan::Mount),
    ("writer-encfs-1.7", Plan::Mount),
    ("writer-encfs-1.8", Plan::Mount),
    ("writer-encfs-java", Plan::Mount),
    ("writer-encfs4win-1.11", Plan::Mount),
    ("writer-encfs4win-1.7", Plan::Mount),
    ("writer-encfsmp", Plan::Mount),
    ("writer-encfsmp-block32", Plan::Mount),
];

#[test]
fn the_table_names_every_volume() -> Result<()> {
    let listed: Vec<_> = TABLE.iter().map(|(name, _)| (*name).to_owned()).collect();
    assert_eq!(listed, names()?);
    Ok(())
}

/// Mounts a fixture with `program`, compares it with its manifest, looks whether the raw side is
/// as it was.
fn check(program: Program, name: &str) -> Result<(Fixture, Tree)> {
    let fixture = Fixture::named(name)?;
    let folder = tempfile::tempdir()?;
    let [raw, point] = ["raw", "mnt"].map(|name| folder.path().join(name));
    std::fs::create_dir(&raw)?;
    std::fs::create_dir(&point)?;
    fixture.unpack(&raw)?;
    let before = read(&raw)?;
    ensure!(!before.is_empty(), "an empty volume");
    let args = fixture.mount_args()?;
    let mount = Mounted::volume(program, &raw, &point, fixture.password()?, &args)?;
    let seen = read(&point)?;
    mount.unmount()?;
    let wanted = fixture.tree(&seen)?;
    none("from the manifest", &differences(&wanted, &seen, Look::ALL))?;
    none(
        "of the raw side after reading",
        &differences(&before, &read(&raw)?, Look::ALL),
    )?;
    Ok((fixture, wanted))
}

fn none(what: &str, lines: &[String]) -> Result<()> {
    let few = lines
        .iter()
        .take(12)
        .cloned()
        .collect::<Vec<_>>()
        .join("\n  ");
    ensure!(
        lines.is_empty(),
        "{} differences {what}:\n  {few}",
        lines.len()
    );
    Ok(())
}

/// Every file by `cat`, the root by `ls`, without a mount.
fn check_ctl(fixture: &Fixture, wanted: &Tree) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let raw = folder.path();
    fixture.unpack(raw)?;
    let before = read(raw)?;
    let password = format!("{}\n", fixture.password()?);
    for (path, entry) in wanted {
        let Kind::File { size, sha256 } = &entry.kind else {
            continue;
        };
        // With a slash before it, or a leading dash would make it an option.
        let plain = [b"/", &**path].concat();
        let args = [
            OsStr::new("cat"),
            raw.as_os_str(),
            OsStr::from_bytes(&plain),
        ];
        let cat = Program::EncfsRs
            .ctl(&args, password.as_bytes())?
            .success()?;
        ensure!(
            cat.stdout.len() as u64 == *size && digest_of(&cat.stdout) == *sha256,
            "cat {}: other contents",
            show(path)
        );
    }
    let ls = Program::EncfsRs.ctl(&["ls".as_ref(), raw.as_os_str()], password.as_bytes())?;
    let listing = ls.success()?.out();
    for path in wanted
        .keys()
        .filter(|path| path.iter().all(u8::is_ascii_alphanumeric))
    {
        let name = String::from_utf8_lossy(path);
        ensure!(
            listing.lines().any(|line| line.ends_with(&*name)),
            "ls lacks {name}:\n{listing}"
        );
    }
    none(
        "of the raw side after cat and ls",
        &differences(&before, &read(raw)?, Look::ALL),
    )
}

#[test]
fn every_volume_shows_what_its_manifest_says() -> Result<()> {
    let mut checked = 0;
    let mut failures = Vec::new();
    for (name, plan) in TABLE {
        checked += 1;
        let result = check(Program::EncfsRs, name).and_then(|(fixture, wanted)| match plan {
            Plan::MountAndCtl => check_ctl(&fixture, &wanted),
            Plan::Mount => Ok(()),
        });
        if let Err(error) = result.with_context(|| (*name).to_owned()) {
            failures.push(format!("{error:#}"));
        }
    }
    println!("fixtures: {checked} volumes, {} failed", failures.len());
    ensure!(failures.is_empty(), "{}", failures.join("\n"));
    Ok(())
}

/// The manifests and this test are right: the program that wrote the volumes agrees.
#[test]
fn encfs_1_9_5_shows_the_same() -> Result<()> {
    for (name, _) in TABLE {
        if Fixture::named(name)?.opens_in_1_9_5() {
            check(Program::Encfs195, name).with_context(|| (*name).to_owned())?;
        }
    }
    Ok(())
}
