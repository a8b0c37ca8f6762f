//! mkdir, rmdir, readdir with kinds, inode numbers and positions.

use std::fs::{self, File};
use std::mem::MaybeUninit;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;

use anyhow::{Context, Result, ensure};
use compat_tests::tree::names_in;
use rustix::fs::{FileType, RawDir, SeekFrom};
use rustix::io::Errno;

use crate::place::{Case, Place, refused, same};

pub(crate) const CASES: &[Case] = &[
    ("making and removing", making_and_removing),
    ("kinds and inode numbers in a listing", kinds_and_inodes),
    ("many entries", many_entries),
    ("going back to a position", positions),
    ("starting anew", starting_anew),
    ("removing while listing", removing_while_listing),
    ("nodes of every kind", nodes),
    ("a FIFO works", fifo_works),
    ("number of names of a directory", directory_links),
];

/// One entry of a listing, with the position of what follows it.
struct Listed {
    name: Vec<u8>,
    kind: FileType,
    ino: u64,
    next: u64,
}

/// Reads an open directory from where it stands to its end, in small pieces.
fn list(dir: &File) -> Result<Vec<Listed>> {
    let mut buffer = [MaybeUninit::uninit(); 4096];
    let mut reader = RawDir::new(dir, &mut buffer);
    let mut all = Vec::new();
    while let Some(entry) = reader.next() {
        let entry = entry?;
        all.push(Listed {
            name: entry.file_name().to_bytes().to_vec(),
            kind: entry.file_type(),
            ino: entry.ino(),
            next: entry.next_entry_cookie(),
        });
    }
    Ok(all)
}

fn fill(dir: &Path, count: usize) -> Result<()> {
    for index in 0..count {
        fs::write(dir.join(format!("entry number {index}")), "")?;
    }
    Ok(())
}

fn making_and_removing(place: &Place) -> Result<()> {
    let dir = place.at("dir");
    fs::create_dir(&dir)?;
    refused("making it again", fs::create_dir(&dir), Errno::EXIST)?;
    fs::write(dir.join("file"), "")?;
    refused(
        "removing one that is not empty",
        fs::remove_dir(&dir),
        Errno::NOTEMPTY,
    )?;
    refused(
        "removing a file as a directory",
        fs::remove_dir(dir.join("file")),
        Errno::NOTDIR,
    )?;
    refused("unlinking a directory", fs::remove_file(&dir), Errno::ISDIR)?;
    refused(
        "a file as a directory",
        fs::write(dir.join("file/x"), ""),
        Errno::NOTDIR,
    )?;
    fs::remove_file(dir.join("file"))?;
    fs::remove_dir(&dir)?;
    refused("removing it again", fs::remove_dir(&dir), Errno::NOENT)
}

fn kinds_and_inodes(place: &Place) -> Result<()> {
    fs::create_dir(place.at("dir"))?;
    fs::write(place.at("file"), "")?;
    std::os::unix::fs::symlink("x", place.at("link"))?;
    place.shell("mkfifo fifo")?;
    let mut seen = Vec::new();
    for entry in list(&File::open(&place.dir)?)? {
        let path = place.at(std::str::from_utf8(&entry.name)?);
        if entry.name != b".." {
            same(
                "inode number",
                entry.ino,
                fs::symlink_metadata(&path)?.ino(),
            )
            .with_context(|| path.display().to_string())?;
        }
        seen.push((entry.name, entry.kind));
    }
    seen.sort_by(|a, b| a.0.cmp(&b.0));
    let wanted = [
        (".", FileType::Directory),
        ("..", FileType::Directory),
        ("dir", FileType::Directory),
        ("fifo", FileType::Fifo),
        ("file", FileType::RegularFile),
        ("link", FileType::Symlink),
    ];
    same(
        "listing",
        seen,
        wanted
            .map(|(name, kind)| (name.as_bytes().to_vec(), kind))
            .to_vec(),
    )
}

fn many_entries(place: &Place) -> Result<()> {
    fill(&place.dir, 2000)?;
    let mut names: Vec<_> = list(&File::open(&place.dir)?)?
        .into_iter()
        .map(|e| e.name)
        .collect();
    names.sort();
    names.dedup();
    same("number of different entries", names.len(), 2002)
}

fn positions(place: &Place) -> Result<()> {
    fill(&place.dir, 500)?;
    let dir = File::open(&place.dir)?;
    let all = list(&dir)?;
    for index in [0, 1, 2, 100, 250, 499, all.len() - 1] {
        let at = all.get(index).context("too few entries")?.next;
        rustix::fs::seek(&dir, SeekFrom::Start(at))?;
        let rest: Vec<_> = list(&dir)?.into_iter().map(|entry| entry.name).collect();
        let wanted: Vec<_> = all
            .iter()
            .skip(index + 1)
            .map(|entry| entry.name.clone())
            .collect();
        ensure!(
            rest == wanted,
            "after entry {index}: {} instead of {}",
            rest.len(),
            wanted.len()
        );
    }
    Ok(())
}

fn starting_anew(place: &Place) -> Result<()> {
    fill(&place.dir, 10)?;
    let dir = File::open(&place.dir)?;
    same("entries", list(&dir)?.len(), 12)?;
    fs::write(place.at("another"), "")?;
    fs::remove_file(place.at("entry number 3"))?;
    rustix::fs::seek(&dir, SeekFrom::Start(0))?;
    let names: Vec<_> = list(&dir)?.into_iter().map(|entry| entry.name).collect();
    ensure!(
        names.contains(&b"another".to_vec()),
        "a new entry is not seen after a rewind"
    );
    ensure!(
        !names.contains(&b"entry number 3".to_vec()),
        "a removed entry is seen after a rewind"
    );
    Ok(())
}

fn removing_while_listing(place: &Place) -> Result<()> {
    fill(&place.dir, 800)?;
    for entry in fs::read_dir(&place.dir)? {
        fs::remove_file(entry?.path())?;
    }
    ensure!(
        names_in(&place.dir)?.is_empty(),
        "{} entries left",
        names_in(&place.dir)?.len()
    );
    Ok(())
}

fn nodes(place: &Place) -> Result<()> {
    use rustix::fs::{CWD, Mode, makedev, mknodat};
    let mode = Mode::from_raw_mode(0o640);
    for (name, kind, device) in [
        ("fifo", FileType::Fifo, 0),
        ("socket", FileType::Socket, 0),
        ("char", FileType::CharacterDevice, makedev(1, 3)),
        ("block", FileType::BlockDevice, makedev(7, 200)),
        ("file", FileType::RegularFile, 0),
    ] {
        mknodat(CWD, place.at(name), kind, mode, device)?;
        let stat = rustix::fs::lstat(place.at(name))?;
        same("kind", FileType::from_raw_mode(stat.st_mode), kind)?;
        same("device", stat.st_rdev, device)?;
        same("mode", stat.st_mode & 0o777, 0o640)?;
        refused(
            "making it again",
            mknodat(CWD, place.at(name), kind, mode, device),
            Errno::EXIST,
        )?;
    }
    fs::write(place.at("file"), "a regular file made by mknod")?;
    same(
        "its contents",
        fs::read_to_string(place.at("file"))?.len(),
        28,
    )?;
    for name in ["fifo", "socket", "char", "block", "file"] {
        fs::rename(place.at(name), place.at(&format!("{name} renamed")))?;
        fs::remove_file(place.at(&format!("{name} renamed")))?;
    }
    Ok(())
}

fn fifo_works(place: &Place) -> Result<()> {
    let printed = place.shell("mkfifo f; (echo through it > f) & cat f; wait")?;
    same("what came out", printed.as_str(), "through it\n")
}

fn directory_links(place: &Place) -> Result<()> {
    fs::create_dir(place.at("dir"))?;
    let links = |path| -> Result<u64> { Ok(fs::metadata(path)?.nlink()) };
    same("of an empty one", links(place.at("dir"))?, 2)?;
    fs::create_dir(place.at("dir/a"))?;
    fs::create_dir(place.at("dir/b"))?;
    same("with two directories in it", links(place.at("dir"))?, 4)?;
    fs::rename(place.at("dir/a"), place.at("a"))?;
    same("with one moved away", links(place.at("dir"))?, 3)?;
    fs::set_permissions(place.at("dir"), fs::Permissions::from_mode(0o1777))?;
    same(
        "mode",
        fs::metadata(place.at("dir"))?.mode() & 0o7777,
        0o1777,
    )
}
