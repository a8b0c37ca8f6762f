//! open, read, write, flush, fsync; files that are removed while open; locks.

use std::fs::{self, File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{FileExt, MetadataExt, OpenOptionsExt};
use std::path::Path;

use anyhow::{Context, Result, ensure};
use compat_tests::ops::bytes;
use compat_tests::tree::names_in;
use nix::fcntl::{FcntlArg, fcntl};
use rustix::fs::{FlockOperation, OFlags};
use rustix::io::Errno;

use crate::place::{Case, Place, refused, same};

pub(crate) const CASES: &[Case] = &[
    ("flags of open", flags_of_open),
    ("appending", appending),
    ("reads and writes anywhere", anywhere),
    ("two files open on one name", two_handles),
    ("direct I/O", direct_io),
    ("syncing", syncing),
    ("unlinked while open", unlinked_while_open),
    ("replaced while open", replaced_while_open),
    ("removing what holds an open file", folder_of_an_open_file),
    ("a reader sees old or new", reader_sees_old_or_new),
    ("flock", flock),
    ("record locks", record_locks),
    ("copy_file_range", copy_file_range),
    ("large files", large_files),
];

fn read_write(path: &Path) -> Result<File> {
    Ok(OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(path)?)
}

fn flags_of_open(place: &Place) -> Result<()> {
    let path = place.at("file");
    refused("opening what is not there", File::open(&path), Errno::NOENT)?;
    OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(&path)?
        .write_all(b"contents")?;
    refused(
        "creating it again",
        OpenOptions::new().write(true).create_new(true).open(&path),
        Errno::EXIST,
    )?;
    let mut reader = File::open(&path)?;
    refused(
        "writing a file open for reading",
        reader.write(b"x"),
        Errno::BADF,
    )?;
    let mut writer = OpenOptions::new().write(true).open(&path)?;
    refused(
        "reading a file open for writing",
        writer.read(&mut [0; 4]),
        Errno::BADF,
    )?;
    File::create(&path)?;
    same("size after O_TRUNC", fs::metadata(&path)?.len(), 0)?;
    std::os::unix::fs::symlink("file", place.at("link"))?;
    let nofollow = i32::try_from(OFlags::NOFOLLOW.bits())?;
    refused(
        "opening a link with O_NOFOLLOW",
        OpenOptions::new()
            .read(true)
            .custom_flags(nofollow)
            .open(place.at("link")),
        Errno::LOOP,
    )?;
    refused(
        "writing a directory",
        OpenOptions::new().write(true).open(&place.dir),
        Errno::ISDIR,
    )
}

fn appending(place: &Place) -> Result<()> {
    let path = place.at("file");
    let open = || OpenOptions::new().append(true).create(true).open(&path);
    let (mut one, mut two) = (open()?, open()?);
    let mut wanted = Vec::new();
    for round in 0..100 {
        let text = bytes(round, usize::try_from(round)? * 7 + 1);
        if round % 2 == 0 {
            one.write_all(&text)?
        } else {
            two.write_all(&text)?
        }
        wanted.extend_from_slice(&text);
    }
    ensure!(
        fs::read(&path)? == wanted,
        "what two writers appended in turns is not there"
    );
    one.seek(SeekFrom::Start(0))?;
    one.write_all(b"end")?;
    wanted.extend_from_slice(b"end");
    ensure!(fs::read(&path)? == wanted, "a seek moved an append");
    Ok(())
}

fn anywhere(place: &Place) -> Result<()> {
    let file = read_write(&place.at("file"))?;
    let mut model = Vec::new();
    let mut rng = compat_tests::ops::Rng::new(1);
    for round in 0..400 {
        let offset = usize::try_from(rng.below(20_000))?;
        let data = bytes(round, usize::try_from(rng.below(3000))?);
        if model.len() < offset + data.len() && !data.is_empty() {
            model.resize(offset + data.len(), 0);
        }
        file.write_all_at(&data, offset as u64)?;
        model
            .iter_mut()
            .skip(offset)
            .zip(&data)
            .for_each(|(to, from)| *to = *from);
        let from = usize::try_from(rng.below(22_000))?;
        let mut got = vec![0; usize::try_from(rng.below(5000))?];
        let read = file.read_at(&mut got, from as u64)?;
        got.truncate(read);
        let end = model.len().min(from + got.len());
        ensure!(
            model.get(from..end).unwrap_or_default() == got,
            "round {round}: {read} bytes at {from} are not those written"
        );
    }
    same("size", file.metadata()?.len(), model.len() as u64)
}

fn two_handles(place: &Place) -> Result<()> {
    let path = place.at("file");
    let (one, two) = (read_write(&path)?, read_write(&path)?);
    one.write_all_at(&bytes(1, 3000), 0)?;
    let mut got = vec![0; 3000];
    two.read_exact_at(&mut got, 0)?;
    ensure!(
        got == bytes(1, 3000),
        "the other handle reads something else"
    );
    two.write_all_at(b"changed", 1500)?;
    one.read_exact_at(&mut got, 0)?;
    ensure!(got.get(1500..1507) == Some(b"changed".as_slice()));
    two.set_len(100)?;
    same("size by the first", one.metadata()?.len(), 100)?;
    one.write_all_at(b"x", 200)?;
    same(
        "what is between",
        fs::read(&path)?.get(100..200),
        Some([0; 100].as_slice()),
    )
}

fn direct_io(place: &Place) -> Result<()> {
    let path = place.at("file");
    let direct = i32::try_from(OFlags::DIRECT.bits())?;
    let mut options = OpenOptions::new();
    options
        .read(true)
        .write(true)
        .create(true)
        .custom_flags(direct);
    let file = options.open(&path)?;
    // A buffer that begins on a page, as the storage itself demands.
    let mut space = vec![0_u8; 3 * 4096];
    let start = space.as_ptr().align_offset(4096);
    let buffer = space.get_mut(start..start + 8192).context("no room")?;
    buffer.copy_from_slice(&bytes(3, 8192));
    file.write_all_at(buffer, 4096)?;
    buffer.fill(1);
    same("bytes read", file.read_at(buffer, 4096)?, 8192)?;
    ensure!(
        buffer == bytes(3, 8192).as_slice(),
        "other bytes by direct I/O"
    );
    let plain = fs::read(&path)?;
    ensure!(
        plain.get(4096..) == Some(bytes(3, 8192).as_slice()),
        "other bytes by cached I/O"
    );
    Ok(())
}

fn syncing(place: &Place) -> Result<()> {
    let mut file = File::create(place.at("file"))?;
    file.write_all(b"contents")?;
    file.sync_data()?;
    file.sync_all()?;
    rustix::fs::syncfs(&file)?;
    File::open(place.at("file"))?.sync_all()?;
    File::open(&place.dir)?.sync_all()?;
    Ok(())
}

fn unlinked_while_open(place: &Place) -> Result<()> {
    let path = place.at("file");
    let file = read_write(&path)?;
    file.write_all_at(&bytes(1, 5000), 0)?;
    let second = File::open(&path)?;
    fs::remove_file(&path)?;
    ensure!(
        names_in(&place.dir)?.is_empty(),
        "the directory shows {:?}",
        names_in(&place.dir)?
    );
    let mut got = vec![0; 5000];
    file.read_exact_at(&mut got, 0)?;
    ensure!(got == bytes(1, 5000), "other contents after the unlink");
    file.write_all_at(b"still written", 6000)?;
    let meta = file.metadata()?;
    same("size", meta.len(), 6013)?;
    same("number of names", meta.nlink(), 0)?;
    file.set_len(1000)?;
    same("size by the other handle", second.metadata()?.len(), 1000)?;
    rustix::fs::fchmod(&file, rustix::fs::Mode::from_raw_mode(0o640))?;
    same("mode", file.metadata()?.mode() & 0o777, 0o640)?;
    rustix::fs::fchown(&file, None, Some(rustix::fs::Gid::from_raw(9)))?;
    same("group", file.metadata()?.gid(), 9)?;
    rustix::fs::fsetxattr(&file, "user.x", b"y", rustix::fs::XattrFlags::empty())?;
    file.sync_all()?;
    // A new file of that name is another file.
    fs::write(&path, "new")?;
    same("size of the old one", file.metadata()?.len(), 1000)?;
    same("the new one", fs::read(&path)?, b"new".to_vec())
}

fn replaced_while_open(place: &Place) -> Result<()> {
    let (old, new) = (place.at("old"), place.at("new"));
    fs::write(&old, bytes(1, 3000))?;
    fs::write(&new, bytes(2, 3000))?;
    let file = read_write(&old)?;
    fs::rename(&new, &old)?;
    let mut got = vec![0; 3000];
    file.read_exact_at(&mut got, 0)?;
    ensure!(
        got == bytes(1, 3000),
        "the open file has become the new one"
    );
    file.write_all_at(b"into the old one", 0)?;
    ensure!(
        fs::read(&old)? == bytes(2, 3000),
        "a write reached the file that took the name"
    );
    same("names", names_in(&place.dir)?, vec![b"old".to_vec()])
}

fn folder_of_an_open_file(place: &Place) -> Result<()> {
    fs::create_dir(place.at("dir"))?;
    let file = read_write(&place.at("dir/file"))?;
    file.write_all_at(b"contents", 0)?;
    fs::remove_file(place.at("dir/file"))?;
    fs::remove_dir(place.at("dir"))?;
    let mut got = [0; 8];
    file.read_exact_at(&mut got, 0)?;
    same("contents", &got, b"contents")?;
    file.set_len(3)?;
    same("size", file.metadata()?.len(), 3)
}

fn reader_sees_old_or_new(place: &Place) -> Result<()> {
    let (path, fresh) = (place.at("saved"), place.at("fresh"));
    let version = |number: u64| bytes(number, 2000 + usize::try_from(number % 7).unwrap_or(0));
    fs::write(&path, version(0))?;
    let versions: Vec<_> = (0..300).map(version).collect();
    std::thread::scope(|scope| {
        let writer = scope.spawn(|| -> Result<()> {
            for contents in &versions {
                fs::write(&fresh, contents)?;
                fs::rename(&fresh, &path)?;
            }
            Ok(())
        });
        let mut reads = 0;
        while !writer.is_finished() || reads < 10 {
            let seen = fs::read(&path).context("opening the name while it is replaced")?;
            ensure!(
                versions.contains(&seen),
                "read {} bytes of no version",
                seen.len()
            );
            reads += 1;
        }
        writer
            .join()
            .map_err(|_| anyhow::anyhow!("the writer panicked"))?
    })
}

fn flock(place: &Place) -> Result<()> {
    let (one, two) = (
        read_write(&place.at("file"))?,
        read_write(&place.at("file"))?,
    );
    rustix::fs::flock(&one, FlockOperation::NonBlockingLockExclusive)?;
    let shared = rustix::fs::flock(&two, FlockOperation::NonBlockingLockShared);
    refused(
        "a shared lock beside an exclusive one",
        shared,
        Errno::AGAIN,
    )?;
    rustix::fs::flock(&one, FlockOperation::Unlock)?;
    rustix::fs::flock(&two, FlockOperation::NonBlockingLockShared)?;
    rustix::fs::flock(&one, FlockOperation::NonBlockingLockShared)?;
    Ok(())
}

fn record_locks(place: &Place) -> Result<()> {
    let (one, two) = (
        read_write(&place.at("file"))?,
        read_write(&place.at("file"))?,
    );
    let lock = |kind: i32, start: i64, len: i64| -> Result<nix::libc::flock> {
        Ok(nix::libc::flock {
            l_type: i16::try_from(kind)?,
            l_whence: i16::try_from(nix::libc::SEEK_SET)?,
            l_start: start,
            l_len: len,
            l_pid: 0,
        })
    };
    let write = lock(nix::libc::F_WRLCK, 10, 10)?;
    // The process's own lock, and locks of an open file: these conflict within one process.
    fcntl(&one, FcntlArg::F_SETLK(&write))?;
    let beside = lock(nix::libc::F_WRLCK, 20, 10)?;
    fcntl(&two, FcntlArg::F_OFD_SETLK(&beside))?;
    let across = lock(nix::libc::F_RDLCK, 15, 1)?;
    refused(
        "a lock across another",
        fcntl(&two, FcntlArg::F_OFD_SETLK(&across)),
        Errno::AGAIN,
    )?;
    let mut asked = lock(nix::libc::F_WRLCK, 0, 100)?;
    fcntl(&two, FcntlArg::F_OFD_GETLK(&mut asked))?;
    same(
        "who is in the way",
        i64::from(asked.l_pid),
        i64::from(std::process::id()),
    )?;
    same("where", (asked.l_start, asked.l_len), (10, 10))?;
    fcntl(&one, FcntlArg::F_SETLK(&lock(nix::libc::F_UNLCK, 0, 0)?))?;
    fcntl(&two, FcntlArg::F_OFD_SETLK(&across))?;
    Ok(())
}

fn copy_file_range(place: &Place) -> Result<()> {
    let (from, to) = (read_write(&place.at("from"))?, read_write(&place.at("to"))?);
    from.write_all_at(&bytes(1, 100_000), 0)?;
    let (mut source, mut sink, mut left) = (777_u64, 3_u64, 90_000_usize);
    while left > 0 {
        let copied =
            rustix::fs::copy_file_range(&from, Some(&mut source), &to, Some(&mut sink), left)?;
        ensure!(copied > 0, "nothing copied with {left} left");
        left -= copied;
    }
    let copy = fs::read(place.at("to"))?;
    same("size", copy.len(), 90_003)?;
    ensure!(
        copy.get(3..) == bytes(1, 100_000).get(777..90_777),
        "another copy"
    );
    let past = rustix::fs::copy_file_range(&from, Some(&mut 100_000), &to, Some(&mut 0), 10)?;
    same("copied past the end", past, 0)
}

fn large_files(place: &Place) -> Result<()> {
    let file = read_write(&place.at("file"))?;
    let tera = 1_u64 << 40;
    file.write_all_at(b"begin", 0)?;
    file.write_all_at(b"end", tera)?;
    same("size", file.metadata()?.len(), tera + 3)?;
    let mut got = [1; 3];
    file.read_exact_at(&mut got, tera)?;
    same("the end", &got, b"end")?;
    file.read_exact_at(&mut got, tera / 2)?;
    same("the middle", got, [0; 3])?;
    ensure!(
        file.metadata()?.blocks() < 4096,
        "{} blocks",
        file.metadata()?.blocks()
    );
    Ok(())
}
