//! What fails in storage is reported: a full disk, a disk that has become read-only.

use std::fs;
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use compat_tests::disk::Image;
use compat_tests::mounted::Mounted;
use compat_tests::ops::bytes;
use compat_tests::oracle::Program;
use compat_tests::run::run;
use compat_tests::volumes::{PASSWORD, Settings, paranoia, standard};
use rustix::fs::{XattrFlags, removexattr, setxattr};
use rustix::io::Errno;

use crate::place::refused;

/// A volume on a small disk of its own.
fn with_small_disk(settings: &Settings, job: fn(&Path, &Path) -> Result<()>) -> Result<()> {
    let image = Image::new(24 << 20)?;
    let point = tempfile::tempdir()?;
    let raw = image.path().join("raw");
    fs::create_dir(&raw)?;
    settings.write_config(&raw)?;
    let mount = Mounted::volume(Program::EncfsRs, &raw, point.path(), PASSWORD, &[])?;
    job(point.path(), image.path())?;
    mount.unmount()
}

fn full_disk(point: &Path, _: &Path) -> Result<()> {
    let kept = bytes(1, 100_000);
    fs::write(point.join("kept"), &kept)?;
    let write = || -> std::io::Result<()> {
        let file = fs::File::create(point.join("too large"))?;
        std::io::Write::write_all(&mut &file, &bytes(2, 40 << 20))?;
        file.sync_all()
    };
    refused("writing 40 MiB to a disk of 24", write(), Errno::NOSPC)?;
    ensure!(
        fs::read(point.join("kept"))? == kept,
        "another file has changed"
    );
    fs::remove_file(point.join("too large"))?;
    fs::write(point.join("fits"), bytes(3, 1 << 20)).context("after room was made")?;
    ensure!(fs::read(point.join("fits"))? == bytes(3, 1 << 20));
    Ok(())
}

fn read_only_disk(point: &Path, disk: &Path) -> Result<()> {
    let (file, dir) = (point.join("file"), point.join("dir"));
    fs::write(&file, bytes(1, 3000))?;
    fs::create_dir(&dir)?;
    fs::write(dir.join("inside"), "x")?;
    setxattr(&file, "user.x", b"x", XattrFlags::empty())?;
    rustix::fs::sync();
    let mut remount = Command::new("mount");
    run(remount.args(["-o", "remount,ro"]).arg(disk), b"")?.success()?;
    let want = Errno::ROFS;
    refused("chown", chown(&file, Some(5), None), want)?;
    refused(
        "chmod",
        fs::set_permissions(&file, fs::Permissions::from_mode(0o600)),
        want,
    )?;
    refused("setting times", filetime(&file), want)?;
    refused("removexattr", removexattr(&file, "user.x"), want)?;
    refused(
        "setxattr",
        setxattr(&file, "user.y", b"y", XattrFlags::empty()),
        want,
    )?;
    refused("truncate", nix::unistd::truncate(&file, 10), want)?;
    refused("writing", fs::write(&file, "x"), want)?;
    refused("creating", fs::write(point.join("new"), "x"), want)?;
    refused("mkdir", fs::create_dir(point.join("new")), want)?;
    refused(
        "symlink",
        std::os::unix::fs::symlink("x", point.join("new")),
        want,
    )?;
    refused("unlink", fs::remove_file(&file), want)?;
    refused("rmdir", fs::remove_dir(&dir), want)?;
    refused(
        "renaming a file",
        fs::rename(&file, point.join("new")),
        want,
    )?;
    refused(
        "renaming a directory",
        fs::rename(&dir, point.join("new")),
        want,
    )?;
    ensure!(fs::read(&file)? == bytes(1, 3000), "the file has changed");
    ensure!(
        fs::read(dir.join("inside"))? == b"x",
        "the file inside has changed"
    );
    Ok(())
}

fn filetime(path: &Path) -> Result<(), Errno> {
    let time = rustix::fs::Timespec {
        tv_sec: 1,
        tv_nsec: 2,
    };
    let times = rustix::fs::Timestamps {
        last_access: time,
        last_modification: time,
    };
    rustix::fs::utimensat(rustix::fs::CWD, path, &times, rustix::fs::AtFlags::empty())
}

#[test]
fn a_full_disk_is_reported() -> Result<()> {
    with_small_disk(&standard(), full_disk)?;
    with_small_disk(&paranoia(), full_disk)
}

#[test]
fn a_read_only_disk_is_reported() -> Result<()> {
    with_small_disk(&standard(), read_only_disk)?;
    with_small_disk(&paranoia(), read_only_disk)
}
