//! setattr: size, mode, owner and both times, each alone.

use std::fs::{self, File, OpenOptions};
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::path::Path;

use anyhow::{Result, ensure};
use rustix::fs::{AtFlags, CWD, Timespec, Timestamps, UTIME_NOW, UTIME_OMIT, utimensat};

use crate::place::{Case, Place, same};

pub(crate) const CASES: &[Case] = &[
    ("times to the nanosecond", times_to_the_nanosecond),
    ("one time alone", one_time_alone),
    ("times of a link", times_of_a_link),
    ("times through an open file", times_through_an_open_file),
    ("mode alone", mode_alone),
    ("owner alone", owner_alone),
    ("size by path and by file", size_by_path_and_by_file),
    ("writing updates mtime and ctime", writing_updates_times),
    ("inode numbers stay", inode_numbers_stay),
    ("a file that may only be written", write_only_file),
    ("all of them at once", all_at_once),
];

const BEFORE_1970: i64 = -1_000_000;

fn set(path: &Path, atime: (i64, i64), mtime: (i64, i64)) -> Result<()> {
    let time = |(tv_sec, tv_nsec)| Timespec { tv_sec, tv_nsec };
    let times = Timestamps {
        last_access: time(atime),
        last_modification: time(mtime),
    };
    utimensat(CWD, path, &times, AtFlags::SYMLINK_NOFOLLOW)?;
    Ok(())
}

/// atime and mtime.
fn times(path: &Path) -> Result<[(i64, i64); 2]> {
    let meta = fs::symlink_metadata(path)?;
    Ok([
        (meta.atime(), meta.atime_nsec()),
        (meta.mtime(), meta.mtime_nsec()),
    ])
}

fn times_to_the_nanosecond(place: &Place) -> Result<()> {
    let file = place.at("file");
    fs::write(&file, "x")?;
    fs::create_dir(place.at("dir"))?;
    for path in [file, place.at("dir")] {
        for (atime, mtime) in [
            ((1, 1), (2, 999_999_999)),
            ((1_234_567_890, 123_456_789), (2_000_000_000, 987_654_321)),
            ((4_000_000_000, 5), (0, 0)),
            ((BEFORE_1970, 7), (BEFORE_1970, 8)),
        ] {
            set(&path, atime, mtime)?;
            same("times", times(&path)?, [atime, mtime])?;
        }
    }
    Ok(())
}

fn one_time_alone(place: &Place) -> Result<()> {
    let file = place.at("file");
    fs::write(&file, "x")?;
    set(&file, (10, 11), (20, 21))?;
    set(&file, (0, UTIME_OMIT), (30, 31))?;
    same("mtime alone", times(&file)?, [(10, 11), (30, 31)])?;
    set(&file, (40, 41), (0, UTIME_OMIT))?;
    same("atime alone", times(&file)?, [(40, 41), (30, 31)])?;
    set(&file, (0, UTIME_OMIT), (0, UTIME_OMIT))?;
    same("neither", times(&file)?, [(40, 41), (30, 31)])?;
    set(&file, (0, UTIME_NOW), (0, UTIME_OMIT))?;
    let [atime, mtime] = times(&file)?;
    ensure!(atime.0 > 1_000_000_000, "atime now is {atime:?}");
    same("mtime when atime is set to now", mtime, (30, 31))?;
    Ok(())
}

fn times_of_a_link(place: &Place) -> Result<()> {
    fs::write(place.at("file"), "x")?;
    std::os::unix::fs::symlink("file", place.at("link"))?;
    set(&place.at("file"), (1, 2), (3, 4))?;
    set(&place.at("link"), (5, 6), (7, 8))?;
    same("times of the link", times(&place.at("link"))?[1], (7, 8))?;
    same(
        "times of its target",
        times(&place.at("file"))?,
        [(1, 2), (3, 4)],
    )
}

fn times_through_an_open_file(place: &Place) -> Result<()> {
    let path = place.at("file");
    let file = File::create(&path)?;
    let time = |tv_sec, tv_nsec| Timespec { tv_sec, tv_nsec };
    let times_set = Timestamps {
        last_access: time(9, 8),
        last_modification: time(7, 6),
    };
    rustix::fs::futimens(&file, &times_set)?;
    drop(file);
    same("times after the close", times(&path)?, [(9, 8), (7, 6)])
}

fn mode_alone(place: &Place) -> Result<()> {
    let file = place.at("file");
    fs::write(&file, "x")?;
    chown(&file, Some(3), Some(4))?;
    set(&file, (10, 11), (20, 21))?;
    for mode in [0o600, 0o000, 0o777, 0o444, 0o4755, 0o2711, 0o1666, 0o7777] {
        fs::set_permissions(&file, fs::Permissions::from_mode(mode))?;
        let meta = fs::metadata(&file)?;
        same("mode", meta.mode() & 0o7777, mode)?;
        same("owner", (meta.uid(), meta.gid()), (3, 4))?;
        same("size", meta.len(), 1)?;
    }
    same("times", times(&file)?, [(10, 11), (20, 21)])
}

fn owner_alone(place: &Place) -> Result<()> {
    let file = place.at("file");
    fs::write(&file, "x")?;
    std::os::unix::fs::symlink("file", place.at("link"))?;
    let owner = |path: &Path| -> Result<_> {
        let meta = fs::symlink_metadata(path)?;
        Ok((meta.uid(), meta.gid()))
    };
    chown(&file, Some(11), None)?;
    same("user alone", owner(&file)?, (11, 0))?;
    chown(&file, None, Some(12))?;
    same("group alone", owner(&file)?, (11, 12))?;
    std::os::unix::fs::lchown(place.at("link"), Some(13), Some(14))?;
    same("of a link", owner(&place.at("link"))?, (13, 14))?;
    same("of its target", owner(&file)?, (11, 12))
}

fn size_by_path_and_by_file(place: &Place) -> Result<()> {
    let path = place.at("file");
    fs::write(&path, vec![7; 5000])?;
    for size in [4999_u16, 1024, 1023, 1, 0, 100, 1024, 3000, 12345] {
        nix::unistd::truncate(&path, i64::from(size))?;
        same("size by path", fs::metadata(&path)?.len(), u64::from(size))?;
        same("length read", fs::read(&path)?.len(), usize::from(size))?;
    }
    let write_only = OpenOptions::new().write(true).open(&path)?;
    for size in [12344, 2048, 2047, 9, 0, 77, 5000] {
        write_only.set_len(size)?;
        same("size by file", fs::metadata(&path)?.len(), size)?;
    }
    same("contents after all", fs::read(&path)?, vec![0; 5000])
}

fn writing_updates_times(place: &Place) -> Result<()> {
    let path = place.at("file");
    fs::write(&path, "one")?;
    set(&path, (10, 0), (20, 0))?;
    fs::write(&path, "two")?;
    let meta = fs::metadata(&path)?;
    ensure!(
        meta.mtime() > 1_000_000_000,
        "a write leaves mtime at {}",
        meta.mtime()
    );
    set(&path, (10, 0), (20, 0))?;
    nix::unistd::truncate(&path, 1)?;
    let meta = fs::metadata(&path)?;
    ensure!(
        meta.mtime() > 1_000_000_000,
        "truncate leaves mtime at {}",
        meta.mtime()
    );
    ensure!(meta.ctime() > 1_000_000_000, "ctime is {}", meta.ctime());
    set(&place.dir, (10, 0), (20, 0))?;
    fs::write(place.at("new"), "")?;
    let meta = fs::metadata(&place.dir)?;
    ensure!(
        meta.mtime() > 1_000_000_000,
        "a new entry leaves the directory's mtime"
    );
    Ok(())
}

fn inode_numbers_stay(place: &Place) -> Result<()> {
    fs::write(place.at("a"), "x")?;
    fs::write(place.at("b"), "x")?;
    let ino = fs::metadata(place.at("a"))?.ino();
    ensure!(
        ino != fs::metadata(place.at("b"))?.ino(),
        "two files share an inode number"
    );
    fs::write(place.at("a"), "yy")?;
    same("after writing", fs::metadata(place.at("a"))?.ino(), ino)?;
    fs::rename(place.at("a"), place.at("c"))?;
    same("after renaming", fs::metadata(place.at("c"))?.ino(), ino)
}

fn write_only_file(place: &Place) -> Result<()> {
    fs::set_permissions(&place.dir, fs::Permissions::from_mode(0o777))?;
    // Created without any permission, yet written through the descriptor that created it, and
    // opened for writing alone though a partial block must be read for that.
    let script = "umask 777; echo first > none; chmod 200 none; umask 22; echo more >> none; \
                  chmod 600 none; cat none";
    let printed = place.shell_as(1, script)?.success()?.out();
    same("contents", printed.as_str(), "first\nmore\n")
}

fn all_at_once(place: &Place) -> Result<()> {
    // tar sets owner, mode and times of everything, in its own order.
    place.shell(
        "mkdir from to; echo 1 > from/file; ln -s x from/link; mkdir from/dir; \
         chmod 640 from/file; chmod 2750 from/dir; chown 5:6 from/file from/dir; \
         touch -d '2001-02-03 04:05:06.123456789' from/file from/dir; \
         touch -h -d '2002-02-03 04:05:06.987654321' from/link; \
         tar --format=posix -C from -cf t.tar . && tar -C to -xpf t.tar --same-owner",
    )?;
    let list = "find . -mindepth 1 -printf '%p %m %U:%G %T@\\n' | sort";
    let from = place.shell(&format!("cd from && {list}"))?;
    same(
        "attributes of the copy",
        place.shell(&format!("cd to && {list}"))?,
        from,
    )
}
