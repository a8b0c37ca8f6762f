//! Hard links and symbolic links.

use std::fs::{self, OpenOptions};
use std::os::unix::fs::{FileExt, MetadataExt, PermissionsExt, symlink};

use anyhow::{Result, ensure};
use compat_tests::ops::bytes;
use rustix::io::Errno;

use crate::place::{Case, Kind, Place, refused, same};

pub(crate) const CASES: &[Case] = &[
    ("two names are one file", two_names_are_one_file),
    ("attributes are fresh by either name", attributes_are_fresh),
    ("both names open at once", both_names_open),
    ("removing one name", removing_one_name),
    ("renaming between names of one file", rename_between_names),
    ("hard links refused", refused_links),
    ("symbolic links", symbolic_links),
    ("long targets", long_targets),
    ("links are followed", links_are_followed),
];

fn two_names_are_one_file(place: &Place) -> Result<()> {
    let (one, two) = (place.at("one"), place.at("two"));
    fs::write(&one, "contents")?;
    if !place.hard_links() {
        return refused(
            "a link under external IV",
            fs::hard_link(&one, &two),
            Errno::PERM,
        );
    }
    fs::create_dir(place.at("dir"))?;
    fs::hard_link(&one, &two)?;
    fs::hard_link(&two, place.at("dir/three"))?;
    let first = fs::metadata(&one)?;
    for path in [&one, &two, &place.at("dir/three")] {
        let meta = fs::metadata(path)?;
        same("inode number", meta.ino(), first.ino())?;
        same("number of names", meta.nlink(), 3)?;
        same("contents", fs::read_to_string(path)?.as_str(), "contents")?;
    }
    Ok(())
}

fn attributes_are_fresh(place: &Place) -> Result<()> {
    if !place.hard_links() {
        return Ok(());
    }
    let (one, two) = (place.at("one"), place.at("two"));
    fs::write(&one, "x")?;
    fs::hard_link(&one, &two)?;
    same("size before", fs::metadata(&two)?.len(), 1)?;
    for size in [10, 5000, 3] {
        fs::write(&one, bytes(1, size))?;
        same(
            "size by the other name",
            fs::metadata(&two)?.len(),
            size as u64,
        )?;
        same(
            "contents by the other name",
            fs::read(&two)?,
            bytes(1, size),
        )?;
    }
    fs::set_permissions(&two, fs::Permissions::from_mode(0o604))?;
    same(
        "mode by the first name",
        fs::metadata(&one)?.mode() & 0o777,
        0o604,
    )?;
    fs::remove_file(&one)?;
    same("number of names", fs::metadata(&two)?.nlink(), 1)
}

fn both_names_open(place: &Place) -> Result<()> {
    if !place.hard_links() {
        return Ok(());
    }
    fs::write(place.at("one"), bytes(1, 3000))?;
    fs::hard_link(place.at("one"), place.at("two"))?;
    let open = |name| {
        OpenOptions::new()
            .read(true)
            .write(true)
            .open(place.at(name))
    };
    let (one, two) = (open("one")?, open("two")?);
    // Both change the same block in turns: with two states of one file, one would be lost.
    for round in 0_u8..50 {
        let at = u64::from(round);
        one.write_all_at(&[round], 2 * at)?;
        two.write_all_at(&[round + 100], 2 * at + 1)?;
    }
    let mut got = [0; 100];
    one.read_exact_at(&mut got, 0)?;
    let wanted: Vec<_> = (0..50).flat_map(|round| [round, round + 100]).collect();
    same("bytes written in turns", got.to_vec(), wanted)?;
    two.set_len(10)?;
    same("size by the first", one.metadata()?.len(), 10)
}

fn removing_one_name(place: &Place) -> Result<()> {
    if !place.hard_links() {
        return Ok(());
    }
    fs::write(place.at("one"), bytes(1, 3000))?;
    fs::hard_link(place.at("one"), place.at("two"))?;
    let file = OpenOptions::new()
        .read(true)
        .write(true)
        .open(place.at("one"))?;
    fs::remove_file(place.at("one"))?;
    same("names left", file.metadata()?.nlink(), 1)?;
    file.write_all_at(b"by the handle", 100)?;
    ensure!(fs::read(place.at("two"))?.get(100..113) == Some(b"by the handle".as_slice()));
    refused(
        "the removed name",
        fs::metadata(place.at("one")),
        Errno::NOENT,
    )
}

fn rename_between_names(place: &Place) -> Result<()> {
    if !place.hard_links() {
        return Ok(());
    }
    fs::write(place.at("one"), "x")?;
    fs::hard_link(place.at("one"), place.at("two"))?;
    fs::rename(place.at("one"), place.at("two"))?;
    same(
        "names after a rename that does nothing",
        fs::metadata(place.at("one"))?.nlink(),
        2,
    )?;
    same("the other", fs::metadata(place.at("two"))?.nlink(), 2)
}

fn refused_links(place: &Place) -> Result<()> {
    fs::create_dir(place.at("dir"))?;
    fs::write(place.at("file"), "")?;
    refused(
        "of a directory",
        fs::hard_link(place.at("dir"), place.at("x")),
        Errno::PERM,
    )?;
    refused(
        "of nothing",
        fs::hard_link(place.at("none"), place.at("x")),
        Errno::NOENT,
    )?;
    refused(
        "over a name",
        fs::hard_link(place.at("file"), place.at("dir")),
        Errno::EXIST,
    )
}

fn symbolic_links(place: &Place) -> Result<()> {
    for (index, target) in compat_tests::script::link_targets().into_iter().enumerate() {
        use std::os::unix::ffi::{OsStrExt, OsStringExt};
        let path = place.at(&index.to_string());
        symlink(std::ffi::OsStr::from_bytes(&target), &path)?;
        same(
            "target",
            fs::read_link(&path)?.into_os_string().into_vec(),
            target.clone(),
        )?;
        same(
            "size",
            fs::symlink_metadata(&path)?.len(),
            target.len() as u64,
        )?;
        refused("making it again", symlink("other", &path), Errno::EXIST)?;
        let moved = place.at(&format!("moved {index}"));
        fs::rename(&path, &moved)?;
        same(
            "target after a rename",
            fs::read_link(&moved)?.into_os_string().into_vec(),
            target,
        )?;
    }
    fs::write(place.at("file"), "")?;
    refused(
        "readlink of a file",
        fs::read_link(place.at("file")),
        Errno::INVAL,
    )
}

fn long_targets(place: &Place) -> Result<()> {
    // An encrypted target must fit into 4095 bytes.
    let (fits, too_long) = if place.kind == Kind::Storage {
        (4095, 4096)
    } else {
        (3000, 4095)
    };
    for first in ["a", "/"] {
        let target = first.to_owned() + &"b".repeat(fits - 1);
        let path = place.at(if first == "/" { "absolute" } else { "relative" });
        symlink(&target, &path)?;
        same(
            "length of the target",
            fs::read_link(&path)?.as_os_str().len(),
            fits,
        )?;
        let result = symlink(
            first.to_owned() + &"b".repeat(too_long - 1),
            place.at("too long"),
        );
        refused("a target that cannot fit", result, Errno::NAMETOOLONG)?;
    }
    Ok(())
}

fn links_are_followed(place: &Place) -> Result<()> {
    fs::create_dir_all(place.at("dir/sub"))?;
    fs::write(place.at("dir/sub/file"), "found")?;
    symlink("dir/sub", place.at("relative"))?;
    symlink(place.at("dir"), place.at("absolute"))?;
    symlink("../sub/./file", place.at("dir/sub/up"))?;
    symlink("loop", place.at("loop"))?;
    for path in [
        "relative/file",
        "absolute/sub/file",
        "dir/sub/up",
        "relative/up",
    ] {
        same(path, fs::read_to_string(place.at(path))?.as_str(), "found")?;
    }
    refused("a loop", fs::read(place.at("loop")), Errno::LOOP)
}
