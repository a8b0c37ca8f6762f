//! rename and its flags, of files and of directories with all that is in them.

use std::fs::{self, File, OpenOptions};
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::Path;

use anyhow::{Result, ensure};
use compat_tests::ops::bytes;
use compat_tests::tree::{Look, differences, names_in, read};
use rustix::fs::{CWD, RenameFlags, renameat_with};
use rustix::io::Errno;

use crate::place::{Case, Place, refused, same};

pub(crate) const CASES: &[Case] = &[
    ("files", files),
    ("times survive", times_survive),
    ("no replacing", no_replacing),
    ("exchanging files", exchanging_files),
    ("exchanging directories", exchanging_directories),
    ("exchanging a file and a directory", exchanging_kinds),
    ("directories with contents", directories_with_contents),
    ("over a directory", over_a_directory),
    ("refused ones", refused_ones),
    ("open files inside", open_files_inside),
    ("an open file itself", an_open_file),
    ("writing while renaming", writing_while_renaming),
];

/// A tree of some depth with files of several sizes; the same for the same `seed`.
fn plant(dir: &Path, seed: u64) -> Result<()> {
    fs::create_dir_all(dir.join("sub/deeper"))?;
    fs::create_dir(dir.join("empty"))?;
    for (index, size) in [0, 1, 1000, 1024, 1025, 70_000].into_iter().enumerate() {
        for folder in ["", "sub", "sub/deeper"] {
            let path = dir.join(folder).join(format!("file {index}"));
            fs::write(path, bytes(seed + index as u64, size))?;
        }
    }
    std::os::unix::fs::symlink("file 0", dir.join("sub/link"))?;
    Ok(())
}

fn unchanged(what: &str, was: &compat_tests::tree::Tree, dir: &Path) -> Result<()> {
    // The times of directories whose entries are renamed on the raw side are looked at elsewhere.
    let look = Look {
        mtimes: false,
        ..Look::ALL
    };
    let lines = differences(was, &read(dir)?, look);
    ensure!(lines.is_empty(), "{what}:\n    {}", lines.join("\n    "));
    Ok(())
}

fn exchange(one: &Path, two: &Path) -> Result<(), Errno> {
    renameat_with(CWD, one, CWD, two, RenameFlags::EXCHANGE)
}

fn files(place: &Place) -> Result<()> {
    fs::create_dir(place.at("dir"))?;
    fs::write(place.at("a"), bytes(1, 2000))?;
    fs::write(place.at("b"), bytes(2, 3000))?;
    fs::rename(place.at("a"), place.at("dir/a"))?;
    refused("the old name", fs::metadata(place.at("a")), Errno::NOENT)?;
    ensure!(fs::read(place.at("dir/a"))? == bytes(1, 2000));
    fs::rename(place.at("dir/a"), place.at("b"))?;
    ensure!(
        fs::read(place.at("b"))? == bytes(1, 2000),
        "a rename over a file"
    );
    same(
        "names",
        names_in(&place.dir)?,
        vec![b"b".to_vec(), b"dir".to_vec()],
    )?;
    fs::rename(place.at("b"), place.at("b"))?;
    fs::write(place.at("empty"), "")?;
    fs::rename(place.at("empty"), place.at("dir/still empty"))?;
    same("size", fs::metadata(place.at("dir/still empty"))?.len(), 0)
}

fn times_survive(place: &Place) -> Result<()> {
    place.shell(
        "mkdir d d/sub; echo x > d/f; echo y > d/sub/g; ln -s x d/l; \
         touch -h -d '2001-02-03 04:05:06.123456789' d/f d/l d/sub/g; \
         touch -d '2003-02-03 04:05:06.987654321' d/sub; touch -d '2004-01-01 00:00:00.5' d",
    )?;
    let list = "find . -mindepth 1 -printf '%P %T@\\n' | sed 's/^[de]\\>//' | sort";
    let before = place.shell(list)?;
    place.shell("mv d e")?;
    same(
        "after renaming the directory",
        place.shell(list)?,
        before.clone(),
    )?;
    place.shell(
        "mv e/f e/f2; touch -d '2004-01-01 00:00:00.5' e; mv e/f2 e/f; \
                 touch -d '2004-01-01 00:00:00.5' e",
    )?;
    same(
        "after renaming a file to and fro",
        place.shell(list)?,
        before,
    )
}

fn no_replacing(place: &Place) -> Result<()> {
    let flag = RenameFlags::NOREPLACE;
    let rename = |from, to| renameat_with(CWD, place.at(from), CWD, place.at(to), flag);
    fs::write(place.at("a"), "a")?;
    fs::write(place.at("b"), "b")?;
    fs::create_dir(place.at("d"))?;
    refused("over a file", rename("a", "b"), Errno::EXIST)?;
    refused("over a directory", rename("a", "d"), Errno::EXIST)?;
    rename("a", "c")?;
    rename("d", "e")?;
    same(
        "names",
        names_in(&place.dir)?,
        vec![b"b".to_vec(), b"c".to_vec(), b"e".to_vec()],
    )?;
    same("contents", fs::read_to_string(place.at("c"))?.as_str(), "a")
}

fn exchanging_files(place: &Place) -> Result<()> {
    fs::create_dir(place.at("dir"))?;
    fs::write(place.at("a"), bytes(1, 2000))?;
    fs::write(place.at("dir/b"), bytes(2, 5000))?;
    let open = File::open(place.at("a"))?;
    exchange(&place.at("a"), &place.at("dir/b"))?;
    ensure!(
        fs::read(place.at("a"))? == bytes(2, 5000),
        "the first is not the second"
    );
    ensure!(
        fs::read(place.at("dir/b"))? == bytes(1, 2000),
        "the second is not the first"
    );
    let mut got = vec![0; 2000];
    open.read_exact_at(&mut got, 0)?;
    ensure!(got == bytes(1, 2000), "an open file has become the other");
    same(
        "inode number",
        open.metadata()?.ino(),
        fs::metadata(place.at("dir/b"))?.ino(),
    )?;
    refused(
        "with nothing",
        exchange(&place.at("a"), &place.at("none")),
        Errno::NOENT,
    )
}

fn exchanging_directories(place: &Place) -> Result<()> {
    fs::create_dir(place.at("top"))?;
    plant(&place.at("one"), 1)?;
    plant(&place.at("top/two"), 100)?;
    let (one, two) = (read(&place.at("one"))?, read(&place.at("top/two"))?);
    exchange(&place.at("one"), &place.at("top/two"))?;
    unchanged(
        "the first in the second's place",
        &one,
        &place.at("top/two"),
    )?;
    unchanged("the second in the first's place", &two, &place.at("one"))?;
    fs::write(place.at("one/sub/new"), "new")?;
    exchange(&place.at("top/two"), &place.at("one"))?;
    unchanged("and back", &one, &place.at("one"))?;
    same(
        "new file",
        fs::read_to_string(place.at("top/two/sub/new"))?.as_str(),
        "new",
    )?;
    let within = exchange(&place.at("one"), &place.at("one/sub"));
    refused("a directory with one inside it", within, Errno::INVAL)
}

fn exchanging_kinds(place: &Place) -> Result<()> {
    plant(&place.at("dir"), 1)?;
    fs::write(place.at("file"), bytes(5, 3000))?;
    let was = read(&place.at("dir"))?;
    exchange(&place.at("dir"), &place.at("file"))?;
    unchanged("the directory", &was, &place.at("file"))?;
    ensure!(fs::read(place.at("dir"))? == bytes(5, 3000), "the file");
    Ok(())
}

fn directories_with_contents(place: &Place) -> Result<()> {
    plant(&place.at("one"), 1)?;
    fs::create_dir_all(place.at("far/away"))?;
    let was = read(&place.at("one"))?;
    let path_inside = place.at("one/sub/deeper/file 5");
    let ino = fs::metadata(&path_inside)?.ino();
    for (from, to) in [
        ("one", "two"),
        ("two", "far/away/three"),
        ("far/away/three", "a somewhat longer name than before"),
        ("a somewhat longer name than before", "one"),
    ] {
        fs::rename(place.at(from), place.at(to))?;
        refused("the old name", fs::metadata(place.at(from)), Errno::NOENT)?;
        unchanged(to, &was, &place.at(to))?;
    }
    same(
        "inode number of a file inside",
        fs::metadata(&path_inside)?.ino(),
        ino,
    )?;
    fs::rename(place.at("one/sub"), place.at("one/renamed inside"))?;
    ensure!(fs::read(place.at("one/renamed inside/deeper/file 5"))? == bytes(6, 70_000));
    Ok(())
}

fn over_a_directory(place: &Place) -> Result<()> {
    plant(&place.at("one"), 1)?;
    plant(&place.at("full"), 50)?;
    fs::create_dir(place.at("hollow"))?;
    let (one, full) = (read(&place.at("one"))?, read(&place.at("full"))?);
    let result = fs::rename(place.at("one"), place.at("full"));
    let code = result.err().and_then(|error| error.raw_os_error());
    let wanted = [Errno::NOTEMPTY, Errno::EXIST].map(|errno| Some(errno.raw_os_error()));
    ensure!(
        wanted.contains(&code),
        "over one that is not empty: {code:?}"
    );
    unchanged("what should have moved", &one, &place.at("one"))?;
    unchanged("what was in the way", &full, &place.at("full"))?;
    fs::rename(place.at("one"), place.at("hollow"))?;
    unchanged("over an empty one", &one, &place.at("hollow"))
}

fn refused_ones(place: &Place) -> Result<()> {
    fs::create_dir_all(place.at("dir/sub"))?;
    fs::write(place.at("file"), "x")?;
    let rename = |from: &str, to: &str| fs::rename(place.at(from), place.at(to));
    refused(
        "a file over a directory",
        rename("file", "dir"),
        Errno::ISDIR,
    )?;
    refused(
        "a directory over a file",
        rename("dir", "file"),
        Errno::NOTDIR,
    )?;
    refused("into itself", rename("dir", "dir/sub/dir"), Errno::INVAL)?;
    refused("of nothing", rename("none", "x"), Errno::NOENT)?;
    refused("into nothing", rename("file", "none/x"), Errno::NOENT)?;
    refused("below a file", rename("dir", "file/x"), Errno::NOTDIR)?;
    same(
        "contents",
        fs::read_to_string(place.at("file"))?.as_str(),
        "x",
    )
}

fn open_files_inside(place: &Place) -> Result<()> {
    plant(&place.at("one"), 1)?;
    let path = place.at("one/sub/deeper/file 5");
    let old = OpenOptions::new().read(true).write(true).open(&path)?;
    let new = File::create(place.at("one/sub/unwritten"))?;
    fs::rename(place.at("one"), place.at("two"))?;
    let mut got = vec![0; 70_000];
    old.read_exact_at(&mut got, 0)?;
    ensure!(
        got == bytes(6, 70_000),
        "other contents through the open file"
    );
    old.write_all_at(b"after the rename", 1020)?;
    new.write_all_at(&bytes(9, 3000), 0)?;
    old.set_len(65_000)?;
    drop((old, new));
    let now = fs::read(place.at("two/sub/deeper/file 5"))?;
    same("size", now.len(), 65_000)?;
    ensure!(
        now.get(1020..1036) == Some(b"after the rename".as_slice()),
        "a write is lost"
    );
    ensure!(
        fs::read(place.at("two/sub/unwritten"))? == bytes(9, 3000),
        "a new file's contents"
    );
    Ok(())
}

fn an_open_file(place: &Place) -> Result<()> {
    let file = File::create_new(place.at("a"))?;
    file.write_all_at(&bytes(1, 1500), 0)?;
    fs::create_dir(place.at("dir"))?;
    fs::rename(place.at("a"), place.at("dir/b"))?;
    file.write_all_at(&bytes(2, 1500), 1500)?;
    same("size", fs::metadata(place.at("dir/b"))?.len(), 3000)?;
    fs::rename(place.at("dir/b"), place.at("c"))?;
    let wanted = [bytes(1, 1500), bytes(2, 1500)].concat();
    ensure!(
        fs::read(place.at("c"))? == wanted,
        "contents while it is open"
    );
    drop(file);
    ensure!(
        fs::read(place.at("c"))? == wanted,
        "contents after the close"
    );
    Ok(())
}

fn writing_while_renaming(place: &Place) -> Result<()> {
    plant(&place.at("dir 0"), 1)?;
    let file = File::create_new(place.at("dir 0/sub/growing"))?;
    std::thread::scope(|scope| {
        let writer = scope.spawn(|| -> Result<()> {
            for round in 0..200 {
                file.write_all_at(&bytes(round, 500), round * 500)?;
            }
            Ok(())
        });
        for round in 0..40 {
            let (from, to) = (format!("dir {round}"), format!("dir {}", round + 1));
            fs::rename(place.at(&from), place.at(&to))?;
        }
        writer
            .join()
            .map_err(|_| anyhow::anyhow!("the writer panicked"))?
    })?;
    let wanted: Vec<_> = (0..200).flat_map(|round| bytes(round, 500)).collect();
    ensure!(
        fs::read(place.at("dir 40/sub/growing"))? == wanted,
        "writes are lost"
    );
    ensure!(fs::read(place.at("dir 40/sub/deeper/file 5"))? == bytes(6, 70_000));
    Ok(())
}
