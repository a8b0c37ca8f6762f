//! Names: at the limit and beyond, odd ones, long paths.

use std::fs::{self, File};
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

use anyhow::{Context, Result, ensure};
use compat_tests::mounted::below;
use compat_tests::script::{ODD_NAMES, name_of};
use compat_tests::tree::names_in;
use rustix::fs::{AtFlags, CWD, Mode, OFlags};
use rustix::io::Errno;

use crate::place::{Case, Place, refused, same};

pub(crate) const CASES: &[Case] = &[
    ("statfs knows the longest name", statfs_name_limit),
    ("at the limit", at_the_limit),
    ("beyond the limit", beyond_the_limit),
    ("odd names", odd_names),
    ("case matters", case_matters),
    ("long paths", long_paths),
    ("names that mean something to EncFS", reserved_names),
];

fn statfs_name_limit(place: &Place) -> Result<()> {
    let stat = rustix::fs::statvfs(&place.dir)?;
    same("f_namemax", stat.f_namemax, place.name_limit() as u64)?;
    ensure!(
        stat.f_bsize > 0 && stat.f_blocks > 0 && stat.f_files > 0,
        "statfs of no size"
    );
    Ok(())
}

fn named(place: &Place, len: usize) -> PathBuf {
    below(&place.dir, &name_of(len))
}

fn at_the_limit(place: &Place) -> Result<()> {
    let limit = place.name_limit();
    let (one, two) = (named(place, limit), named(place, limit - 1));
    fs::write(&one, "contents")?;
    same("contents", fs::read_to_string(&one)?.as_str(), "contents")?;
    fs::rename(&one, &two)?;
    fs::rename(&two, &one)?;
    if place.hard_links() {
        fs::hard_link(&one, &two)?;
        fs::remove_file(&two)?;
    }
    same("listing", names_in(&place.dir)?, vec![name_of(limit)])?;
    fs::remove_file(&one)?;
    fs::create_dir(&one)?;
    fs::write(one.join("inside"), "")?;
    fs::remove_dir_all(&one)?;
    std::os::unix::fs::symlink("x", &one)?;
    same("target", fs::read_link(&one)?, PathBuf::from("x"))?;
    fs::remove_file(&one)?;
    place.shell(&format!("mkfifo {}", String::from_utf8(name_of(limit))?))?;
    Ok(())
}

fn beyond_the_limit(place: &Place) -> Result<()> {
    fs::write(place.at("file"), "")?;
    for len in [
        place.name_limit() + 1,
        place.name_limit() + 16,
        255,
        256,
        300,
    ] {
        let long = named(place, len);
        if len <= place.name_limit() {
            continue;
        }
        let want = Errno::NAMETOOLONG;
        refused("creating", fs::write(&long, ""), want)?;
        refused("opening", File::open(&long), want)?;
        refused("looking up", fs::symlink_metadata(&long), want)?;
        refused("making a directory", fs::create_dir(&long), want)?;
        refused(
            "making a link",
            std::os::unix::fs::symlink("x", &long),
            want,
        )?;
        refused("renaming to it", fs::rename(place.at("file"), &long), want)?;
        refused(
            "renaming from it",
            fs::rename(&long, place.at("other")),
            want,
        )?;
        refused("unlinking", fs::remove_file(&long), want)?;
        refused("removing", fs::remove_dir(&long), want)?;
    }
    same("listing", names_in(&place.dir)?, vec![b"file".to_vec()])
}

fn odd_names(place: &Place) -> Result<()> {
    let mut wanted = Vec::new();
    for name in ODD_NAMES {
        let path = below(&place.dir, name);
        fs::write(&path, name)?;
        same("contents", fs::read(&path)?, name.to_vec())?;
        wanted.push(name.to_vec());
    }
    wanted.sort();
    same("listing", names_in(&place.dir)?, wanted)?;
    for name in ODD_NAMES {
        let longer = [*name, b"!"].concat();
        fs::rename(below(&place.dir, name), below(&place.dir, &longer))?;
        fs::remove_file(below(&place.dir, &longer))?;
    }
    Ok(())
}

fn case_matters(place: &Place) -> Result<()> {
    fs::write(place.at("name"), "lower")?;
    fs::write(place.at("NAME"), "upper")?;
    fs::rename(place.at("name"), place.at("Name"))?;
    same(
        "listing",
        names_in(&place.dir)?,
        vec![b"NAME".to_vec(), b"Name".to_vec()],
    )?;
    same(
        "contents",
        fs::read_to_string(place.at("Name"))?.as_str(),
        "lower",
    )
}

fn long_paths(place: &Place) -> Result<()> {
    let name = "d".repeat(120);
    let mode = Mode::from_raw_mode(0o755);
    let flags = OFlags::DIRECTORY | OFlags::RDONLY;
    // Each level from the one above: no single path is too long for the kernel, but once
    // encrypted the whole would be.
    let mut dir = rustix::fs::openat(CWD, &place.dir, flags, Mode::empty())?;
    let mut path = place.dir.clone();
    for _ in 0..30 {
        rustix::fs::mkdirat(&dir, &name, mode)?;
        dir = rustix::fs::openat(&dir, &name, flags, Mode::empty())?;
        path.push(&name);
    }
    let length = path.as_os_str().as_bytes().len();
    ensure!(
        length > 3600 && length < 4096,
        "the path has {length} bytes"
    );
    fs::write(path.join("file"), "deep down").context("writing by the whole path")?;
    fs::rename(path.join("file"), path.join("renamed"))?;
    same(
        "contents",
        fs::read_to_string(path.join("renamed"))?.as_str(),
        "deep down",
    )?;
    // Deeper than a path can name.
    for _ in 0..10 {
        rustix::fs::mkdirat(&dir, &name, mode)?;
        dir = rustix::fs::openat(&dir, &name, flags, Mode::empty())?;
    }
    let create = OFlags::CREATE | OFlags::WRONLY;
    rustix::fs::openat(&dir, "beyond", create, Mode::from_raw_mode(0o644))?;
    rustix::fs::statat(&dir, "beyond", AtFlags::empty())?;
    // A rename near the top carries all of it along.
    fs::rename(place.at(&name), place.at("short"))?;
    rustix::fs::statat(&dir, "beyond", AtFlags::empty()).context("after a rename far above")?;
    let moved = path.strip_prefix(place.at(&name))?;
    let text = fs::read_to_string(place.at("short").join(moved).join("renamed"))?;
    same(
        "contents after a rename far above",
        text.as_str(),
        "deep down",
    )
}

fn reserved_names(place: &Place) -> Result<()> {
    // The configuration's name is reserved in the root alone, and under null names alone.
    for name in [".encfs6.xml", ".encfs5", ".encfs"] {
        fs::write(place.at(name), "a plain file")?;
        same(
            "contents",
            fs::read_to_string(place.at(name))?.as_str(),
            "a plain file",
        )?;
    }
    same("entries", names_in(&place.dir)?.len(), 3)
}
