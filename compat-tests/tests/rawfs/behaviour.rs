//! Storage that misbehaves for good: each way, as ordered. Late things are waited for by putting
//! the storage's clock forward.

use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::{FileExt, MetadataExt, PermissionsExt};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use compat_tests::ops::bytes;
use compat_tests::rawfs::{
    Act, Behaviour, Fault, Numbers, Op, Options, Order, Overwrite, PRESETS, Spelling, Truncation,
    Upload, preset,
};
use rustix::fs::{CWD, RenameFlags, renameat_with};
use rustix::io::Errno;

use super::{Storage, errno, storage};

/// Long enough that nothing is due before the clock is put forward.
const LATE: Duration = Duration::from_secs(3600);

fn behaving(behaviour: Behaviour) -> Result<Storage> {
    storage(&Options {
        attr_timeout: Duration::ZERO,
        entry_timeout: Duration::ZERO,
        behaviour,
        ..Options::default()
    })
}

impl Storage {
    fn later(&self) {
        self.mount.control().advance(LATE + LATE);
    }

    fn size(&self, name: &str) -> Result<u64> {
        Ok(fs::metadata(self.at(name))?.len())
    }

    fn stored(&self, name: &str) -> Result<Vec<u8>> {
        Ok(fs::read(self.backing.join(name))?)
    }
}

fn cut(path: &std::path::Path, size: u64) -> std::io::Result<()> {
    Ok(nix::unistd::truncate(
        path,
        i64::try_from(size).unwrap_or(0),
    )?)
}

#[test]
fn truncation_is_ignored_refused_or_late() -> Result<()> {
    let whole = bytes(1, 100);
    for (act, told) in [
        (Act::Ignore, None),
        (Act::Refuse(Errno::OPNOTSUPP), Some(Errno::OPNOTSUPP)),
        (Act::Late(LATE), None),
    ] {
        let storage = behaving(Behaviour {
            truncation: Truncation::but_zero(act),
            ..Behaviour::default()
        })?;
        fs::write(storage.at("f"), &whole)?;
        for size in [8, 120] {
            ensure!(errno(cut(&storage.at("f"), size)) == told, "{act:?} {size}");
            ensure!(storage.stored("f")? == whole, "{act:?} {size}");
        }
        fs::write(storage.at("g"), &whole)?;
        ensure!(errno(cut(&storage.at("g"), 0)).is_none());
        ensure!(storage.size("g")? == 0, "{act:?}: to zero");

        let storage = behaving(Behaviour {
            truncation: Truncation::always(act),
            ..Behaviour::default()
        })?;
        fs::write(storage.at("f"), &whole)?;
        ensure!(errno(cut(&storage.at("f"), 0)) == told, "{act:?}");
        ensure!(storage.stored("f")? == whole, "{act:?}");
    }
    Ok(())
}

#[test]
fn a_late_cut_keeps_what_was_written_since() -> Result<()> {
    let storage = behaving(Behaviour {
        truncation: Truncation::but_zero(Act::Late(LATE)),
        ..Behaviour::default()
    })?;
    let whole = bytes(1, 100);
    fs::write(storage.at("f"), &whole)?;
    let file = OpenOptions::new().write(true).open(storage.at("f"))?;
    file.set_len(8)?;
    file.write_all_at(b"twelve bytes", 8)?;
    let mut wanted = whole.clone();
    wanted.splice(8..20, b"twelve bytes".iter().copied());
    ensure!(storage.stored("f")? == wanted, "cut too early");
    ensure!(storage.size("f")? == 100);
    storage.later();
    ensure!(storage.size("f")? == 20);
    ensure!(Some(&storage.stored("f")?[..]) == wanted.get(..20));
    Ok(())
}

#[test]
fn sizes_and_times_lag() -> Result<()> {
    let storage = behaving(Behaviour {
        attr_lag: LATE,
        ..Behaviour::default()
    })?;
    fs::write(storage.at("f"), b"twelve bytes")?;
    ensure!(storage.size("f")? == 0);
    ensure!(storage.stored("f")? == b"twelve bytes");
    storage.later();
    ensure!(storage.size("f")? == 12);
    let mtime = fs::metadata(storage.at("f"))?.modified()?;
    File::options()
        .write(true)
        .open(storage.at("f"))?
        .set_modified(std::time::UNIX_EPOCH)?;
    ensure!(fs::metadata(storage.at("f"))?.modified()? == mtime);
    storage.later();
    ensure!(fs::metadata(storage.at("f"))?.modified()? == std::time::UNIX_EPOCH);
    Ok(())
}

#[test]
fn contents_are_seen_some_time_after_the_close() -> Result<()> {
    for size_is_right in [true, false] {
        let storage = behaving(Behaviour {
            upload: Some(Upload {
                delay: LATE,
                size_is_right,
            }),
            ..Behaviour::default()
        })?;
        let mut file = File::create(storage.at("f"))?;
        file.write_all(b"the first")?;
        let open_size = if size_is_right { 9 } else { 0 };
        ensure!(file.metadata()?.len() == open_size, "{size_is_right}");
        drop(file);
        let read = |name: &str| fs::read(storage.at(name));
        closed(&storage)?;
        ensure!(read("f")? == b"", "seen too early");
        // Another writer begins with what is seen, and its version comes last.
        let mut file = OpenOptions::new().append(true).open(storage.at("f"))?;
        file.write_all(b"the second")?;
        file.set_modified(std::time::UNIX_EPOCH)?;
        storage.later();
        ensure!(read("f")? == b"the first");
        drop(file);
        fs::rename(storage.at("f"), storage.at("g"))?;
        closed(&storage)?;
        storage.later();
        ensure!(read("g")? == b"the second", "{size_is_right}");
        let mtime = fs::metadata(storage.at("g"))?.modified()?;
        ensure!(mtime == std::time::UNIX_EPOCH, "{mtime:?}");
        // What is on its way at the end arrives.
        fs::write(storage.at("h"), b"the last")?;
        let backing = storage.backing.clone();
        storage.mount.unmount()?;
        ensure!(fs::read(backing.join("h"))? == b"the last");
    }
    Ok(())
}

/// The kernel gives handles back some time after the close: waits until none is open.
fn closed(storage: &Storage) -> Result<()> {
    storage.mount.control().wait_until_open(0)
}

#[test]
fn second_writes_within_one_open_are_lost() -> Result<()> {
    for (overwrite, wanted) in [
        (Overwrite::Kept, &b"BBBBBBaaaa"[..]),
        (Overwrite::LostBefore(4), b"aaaaBBaaaa"),
        (Overwrite::Lost, b"aaaaaaaaaa"),
    ] {
        let storage = behaving(Behaviour {
            overwrite,
            ..Behaviour::default()
        })?;
        let file = File::create(storage.at("f"))?;
        file.write_all_at(b"aaaaaaaaaa", 0)?;
        file.write_all_at(b"BBBBBB", 0)?;
        drop(file);
        ensure!(storage.stored("f")? == wanted, "{overwrite:?}");
        let file = OpenOptions::new().write(true).open(storage.at("f"))?;
        file.write_all_at(b"C", 0)?;
        ensure!(storage.stored("f")?.first() == Some(&b'C'), "another open");
    }
    Ok(())
}

#[test]
fn writes_out_of_order_are_refused() -> Result<()> {
    for (order, in_place) in [
        (Order::AppendOnly(Errno::INVAL), 10),
        (Order::SequentialOnly(Errno::INVAL), u64::MAX),
    ] {
        let storage = behaving(Behaviour {
            order,
            ..Behaviour::default()
        })?;
        let file = File::create(storage.at("f"))?;
        ensure!(file.write_all_at(b"01234", 0).is_ok(), "{order:?}");
        ensure!(file.write_all_at(b"56789", 5).is_ok(), "{order:?}");
        ensure!(errno(file.write_all_at(b"x", 3)) == Some(Errno::INVAL));
        ensure!(errno(file.write_all_at(b"x", 12)) == Some(Errno::INVAL));
        let file = OpenOptions::new().write(true).open(storage.at("f"))?;
        ensure!(errno(file.write_all_at(b"x", 0)) == Some(Errno::INVAL));
        ensure!(file.write_all_at(b"x", 10).is_ok() == (in_place == 10));
        file.set_len(0)?;
        ensure!(file.write_all_at(b"again", 0).is_ok(), "{order:?}");
        ensure!(storage.stored("f")? == b"again");
    }
    Ok(())
}

#[test]
fn rubbish_stands_past_the_end() -> Result<()> {
    let storage = storage(&Options {
        direct_io: true,
        behaviour: Behaviour {
            rubbish: true,
            ..Behaviour::default()
        },
        ..Options::default()
    })?;
    fs::write(storage.at("f"), b"end")?;
    let mut buffer = [0; 10];
    let read = File::open(storage.at("f"))?.read_at(&mut buffer, 0)?;
    ensure!(read == 10 && buffer.starts_with(b"end"), "{read}");
    ensure!(buffer.iter().skip(3).all(|byte| *byte != 0));
    Ok(())
}

#[test]
fn times_are_coarse_and_shifted() -> Result<()> {
    let storage = behaving(Behaviour {
        mtime_step: Duration::from_secs(2),
        mtime_shift: 3600,
        ..Behaviour::default()
    })?;
    let time = std::time::UNIX_EPOCH + Duration::new(1_000_001, 5);
    File::create(storage.at("f"))?.set_modified(time)?;
    let stat = fs::metadata(storage.at("f"))?;
    ensure!((stat.mtime(), stat.mtime_nsec()) == (1_003_600, 0));
    Ok(())
}

#[test]
fn names_are_refused_or_the_same() -> Result<()> {
    let storage = behaving(Behaviour {
        spelling: Spelling {
            longest: Some(10),
            case_insensitive: true,
            forbidden: b":?".to_vec(),
        },
        ..Behaviour::default()
    })?;
    let make = |name: &str| errno(fs::write(storage.at(name), name));
    ensure!(make("ten bytes.").is_none());
    ensure!(make("eleven byte") == Some(Errno::NAMETOOLONG));
    ensure!(make("a:b") == Some(Errno::INVAL));
    let moved = fs::rename(storage.at("ten bytes."), storage.at("what?"));
    ensure!(errno(moved) == Some(Errno::INVAL));
    ensure!(fs::read(storage.at("TEN bytes."))? == b"ten bytes.");
    ensure!(errno(fs::create_dir(storage.at("Ten Bytes."))) == Some(Errno::EXIST));
    fs::rename(storage.at("Ten bytes."), storage.at("other"))?;
    fs::rename(storage.at("OTHER"), storage.at("ten bytes."))?;
    fs::remove_file(storage.at("TEN BYTES."))?;
    ensure!(fs::read_dir(&storage.backing)?.next().is_none());
    Ok(())
}

#[test]
fn renames_are_refused_or_in_steps() -> Result<()> {
    let storage = behaving(Behaviour {
        rename_over: Act::Refuse(Errno::EXIST),
        rename_flags: Some(Errno::INVAL),
        ..Behaviour::default()
    })?;
    fs::write(storage.at("a"), b"a")?;
    fs::write(storage.at("b"), b"b")?;
    let over = fs::rename(storage.at("a"), storage.at("b"));
    ensure!(errno(over) == Some(Errno::EXIST));
    fs::rename(storage.at("a"), storage.at("c"))?;
    let (b, c) = (storage.at("b"), storage.at("c"));
    let told = renameat_with(CWD, &b, CWD, &c, RenameFlags::EXCHANGE);
    ensure!(told == Err(Errno::INVAL));

    let storage = behaving(Behaviour {
        rename_in_steps: true,
        ..Behaviour::default()
    })?;
    fs::write(storage.at("a"), b"a")?;
    fs::write(storage.at("b"), b"b")?;
    // The rename is change 1, the removal in it change 2, and the connection goes after that.
    storage.mount.control().arm(Fault::lost_untold(2));
    let told = errno(fs::rename(storage.at("a"), storage.at("b")));
    ensure!(told == Some(Errno::NOTCONN), "{told:?}");
    ensure!(!storage.backing.join("b").exists());
    ensure!(storage.stored("a")? == b"a");
    storage.mount.control().heal();
    fs::write(storage.at("b"), b"b")?;
    fs::rename(storage.at("a"), storage.at("b"))?;
    ensure!(storage.stored("b")? == b"a");
    Ok(())
}

#[test]
fn kinds_are_refused_or_ignored_for_good() -> Result<()> {
    let storage = behaving(
        Behaviour {
            hides_links: true,
            ..Behaviour::default()
        }
        .refusing(&[Op::Symlink, Op::Chown], Errno::PERM)
        .ignoring(&[Op::Chmod, Op::Utimens]),
    )?;
    fs::write(storage.at("f"), b"")?;
    let path = storage.at("f");
    let before = fs::metadata(&path)?;
    let link = std::os::unix::fs::symlink("x", storage.at("l"));
    ensure!(errno(link) == Some(Errno::PERM));
    ensure!(errno(std::os::unix::fs::chown(&path, Some(1), Some(1))) == Some(Errno::PERM));
    fs::set_permissions(&path, fs::Permissions::from_mode(0o7777))?;
    File::options()
        .write(true)
        .open(&path)?
        .set_modified(std::time::UNIX_EPOCH)?;
    let after = fs::metadata(&path)?;
    ensure!((before.mode(), before.mtime()) == (after.mode(), after.mtime()));
    fs::hard_link(&path, storage.at("g"))?;
    ensure!(fs::metadata(&path)?.nlink() == 1);
    ensure!(fs::metadata(storage.backing.join("f"))?.nlink() == 2);
    Ok(())
}

#[test]
fn inode_numbers_are_stable_counted_or_fleeting() -> Result<()> {
    for (numbers, same_as_stored, same_again) in [
        (Numbers::Stable, true, true),
        (Numbers::Counted, false, true),
        (Numbers::Fleeting, false, false),
    ] {
        let storage = storage(&Options {
            numbers,
            entry_timeout: Duration::ZERO,
            ..Options::default()
        })?;
        fs::write(storage.backing.join("f"), b"contents")?;
        let number = || Ok::<u64, std::io::Error>(fs::symlink_metadata(storage.at("f"))?.ino());
        let first = number()?;
        let stored = fs::metadata(storage.backing.join("f"))?.ino();
        ensure!((first == stored) == same_as_stored, "{numbers:?}");
        ensure!((number()? == first) == same_again, "{numbers:?}");
        ensure!(fs::read(storage.at("f"))? == b"contents", "{numbers:?}");
    }
    Ok(())
}

#[test]
fn every_preset_takes_a_file_from_start_to_end() -> Result<()> {
    for name in PRESETS {
        let options = preset(name).context(*name)?;
        let storage = storage(&options)?;
        let whole = bytes(9, 50_000);
        fs::create_dir(storage.at("folder"))?;
        fs::write(storage.at("folder/file"), &whole).with_context(|| *name)?;
        fs::rename(storage.at("folder"), storage.at("other")).with_context(|| *name)?;
        let backing = storage.backing.clone();
        storage.mount.unmount()?;
        ensure!(fs::read(backing.join("other/file"))? == whole, "{name}");
    }
    ensure!(preset("nothing").is_none());
    Ok(())
}
