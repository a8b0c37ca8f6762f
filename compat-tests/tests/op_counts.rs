//! The operation budget: how many raw operations each call of a user costs, by kind, for the
//! standard settings, paranoia, and a volume for remote storage. On such storage every raw
//! operation is a round trip, so these numbers are what a user waits for.
//!
//! The budget is what `docs/performance.md` says, and must be met exactly: a better count is to be
//! entered there as well. `cargo test -p compat-tests --test op_counts -- --nocapture` prints what
//! was measured, in the form of its tables.

use std::fmt::Write as _;

use anyhow::{Context, Result, ensure};
use compat_tests::counted::{Counted, READ, WRITE, close, create_file};
use encfs_rs::config::{Interface, NewVolume};
use encfs_rs::fs::{AttrChange, EncFs, FsError, NewNode, NewTime, NodeId, ROOT, RenameMode};
use encfs_rs::profile::{Situation, paranoia, standard};
use encfs_rs::raw::{Kind, Time};

const KIB: usize = 1024;
const MIB: usize = 1024 * KIB;

/// The budget: the tables between these lines.
const DOCUMENT: &str = include_str!("../../docs/performance.md");
const BEGIN: &str = "<!-- budget begins -->";
const END: &str = "<!-- budget ends -->";

/// AES-256, blocks of 4096 bytes, stream names chained, no header, no MAC, no holes: what suits
/// storage where each request is slow and only some sizes can be cut to.
fn storage() -> Result<NewVolume> {
    Ok(NewVolume {
        key_bits: 256,
        block_size: 4096,
        naming: Interface::new("nameio/stream", 2, 1),
        unique_iv: false,
        allow_holes: false,
        ..standard(Situation::default())?
    })
}

#[test]
fn every_call_costs_what_the_budget_says() -> Result<()> {
    let volumes = [
        ("standard", standard(Situation::default())?),
        ("paranoia", paranoia(Situation::default())?),
        ("storage", storage()?),
    ];
    let mut measured = Vec::new();
    for (name, settings) in volumes {
        measured.push(measure(settings).with_context(|| name)?);
    }
    let [standard, paranoia, storage] = measured.as_slice() else {
        unreachable!("three volumes");
    };
    let mut rows = Vec::new();
    for ((one, two), three) in standard.iter().zip(paranoia).zip(storage) {
        ensure!(one.0 == two.0 && one.0 == three.0, "{}: order", one.0);
        let same = one.1 == two.1 && one.1 == three.1;
        rows.push(if same {
            format!("| {} | {} | same | same |", one.0, one.1)
        } else {
            format!("| {} | {} | {} | {} |", one.0, one.1, two.1, three.1)
        });
    }
    println!("{}", rows.join("\n"));
    let budget = budget()?;
    let mut wrong = String::new();
    for row in rows.iter().filter(|row| !budget.contains(&row.as_str())) {
        writeln!(wrong, "measured {row}")?;
    }
    for row in budget
        .iter()
        .filter(|row| !rows.iter().any(|other| other == *row))
    {
        writeln!(wrong, "budget   {row}")?;
    }
    assert!(
        wrong.is_empty(),
        "docs/performance.md says otherwise:\n{wrong}"
    );
    ensure!(rows.len() == budget.len(), "a row stands there twice");
    Ok(())
}

/// Rows of the tables in the document.
fn budget() -> Result<Vec<&'static str>> {
    let (_, rest) = DOCUMENT.split_once(BEGIN).context("no begin")?;
    let (text, _) = rest.split_once(END).context("no end")?;
    let rows = text
        .lines()
        .filter(|line| line.starts_with("| ") && !line.starts_with("| call "));
    Ok(rows.collect())
}

fn measure(settings: NewVolume) -> Result<Vec<(&'static str, String)>> {
    let block = usize::try_from(settings.block_size - settings.mac_bytes)?;
    let mut counted = Counted::new(settings)?;
    names(&mut counted)?;
    contents(&mut counted)?;
    overwriting(&mut counted, block)?;
    sizes(&mut counted, block)?;
    attributes(&mut counted)?;
    renames(&mut counted)?;
    listings(&mut counted)?;
    Ok(counted.rows())
}

/// Looking up, making, removing.
fn names(counted: &mut Counted) -> Result<()> {
    let caller = counted.caller;
    let folder = counted.count("mkdir", |fs| fs.mkdir(caller, ROOT, b"folder", 0o755, 0))?;
    let folder = folder.node;
    let _ = counted.try_count("lookup, the first in its folder", |fs| {
        fs.lookup(folder, b"nothing")
    });
    let _ = counted.try_count("lookup of what is not there", |fs| {
        fs.lookup(folder, b"nothing")
    });
    let file = counted.file(folder, "file", 100)?;
    counted.count("lookup of a file", |fs| fs.lookup(folder, b"file"))?;
    counted.count("getattr of a file", |fs| fs.getattr(file))?;
    let handle = counted.fs.open(file, READ)?;
    counted.count("getattr of an open file", |fs| fs.getattr(file))?;
    close(&counted.fs, handle)?;
    counted.count("getattr of a folder", |fs| fs.getattr(folder))?;

    let link = counted.count("symlink", |fs| {
        fs.symlink(caller, folder, b"link", b"the target")
    })?;
    counted.fs.forget(link.node, 1);
    counted.count("lookup of a symlink, first", |fs| {
        fs.lookup(folder, b"link")
    })?;
    counted.count("getattr of a symlink, again", |fs| fs.getattr(link.node))?;
    counted.count("readlink", |fs| fs.readlink(link.node))?;

    let fifo = NewNode {
        kind: Kind::Fifo,
        mode: 0o644,
        umask: 0,
        rdev: 0,
    };
    counted.count("mknod", |fs| fs.mknod(caller, folder, b"fifo", fifo))?;
    match counted.try_count("link (refused under paranoia)", |fs| {
        fs.link(file, folder, b"second name")
    }) {
        Ok(_) | Err(FsError::HardLink) => {}
        Err(error) => return Err(error.into()),
    }
    counted.count("unlink", |fs| fs.unlink(folder, b"file"))?;
    counted.folder(folder, "empty")?;
    counted.count("rmdir", |fs| fs.rmdir(folder, b"empty"))?;
    counted.count("statfs", EncFs::statfs)?;
    Ok(())
}

/// Whole files, written and read.
fn contents(counted: &mut Counted) -> Result<()> {
    let caller = counted.caller;
    let folder = counted.folder(ROOT, "contents")?;
    let small = vec![1; 4 * KIB];
    counted.count("create, write 4 KiB, close", |fs| {
        let (_, handle) = create_file(fs, caller, folder, "small")?;
        fs.write(handle, 0, &small, false)?;
        close(fs, handle)
    })?;
    counted.count("create, close", |fs| {
        let (_, handle) = create_file(fs, caller, folder, "nothing in it")?;
        close(fs, handle)
    })?;
    let (new, handle) = counted.create(folder, "new")?;
    let _ = counted.try_count("getxattr security.capability of a new file", |fs| {
        fs.getxattr(new.node, b"security.capability")
    });
    close(&counted.fs, handle)?;
    for (call, step) in [
        ("write 1 MiB in 8 requests", 128 * KIB),
        ("write 1 MiB in 256 requests", 4 * KIB),
    ] {
        let (_, handle) = counted.create(folder, call)?;
        let data = vec![1; step];
        counted.count(call, |fs| {
            (0..MIB / step).try_for_each(|n| fs.write(handle, (n * step) as u64, &data, false))
        })?;
        counted.count(
            match step {
                4096 => "close after 256 writes",
                _ => "close after 8 writes",
            },
            |fs| close(fs, handle),
        )?;
    }
    let big = counted.file(folder, "big", MIB)?;
    let handle = counted.count("open", |fs| fs.open(big, READ))?;
    counted.count("read 1 MiB in 8 requests", |fs| {
        read_all(fs, handle, 128 * KIB)
    })?;
    counted.count("close of a file not written", |fs| close(fs, handle))?;
    let handle = counted.fs.open(big, READ)?;
    let at = (MIB / 2) as u64;
    counted.count("first read, in the middle", |fs| {
        fs.read(handle, at, 4 * KIB)
    })?;
    counted.count("another read", |fs| fs.read(handle, 0, 4 * KIB))?;
    close(&counted.fs, handle)?;
    let handle = counted.fs.open(big, READ)?;
    counted.count("first read, within 16 KiB of the start", |fs| {
        fs.read(handle, 9000, 4 * KIB)
    })?;
    counted.count("read at the end", |fs| fs.read(handle, MIB as u64, 4 * KIB))?;
    close(&counted.fs, handle)?;
    let handle = counted.fs.open(big, WRITE)?;
    counted.count("fsync", |fs| fs.fsync(handle, false))?;
    Ok(close(&counted.fs, handle)?)
}

fn read_all(fs: &EncFs, handle: encfs_rs::fs::HandleId, step: usize) -> Result<(), FsError> {
    for n in 0..MIB / step {
        fs.read(handle, (n * step) as u64, step)?;
    }
    Ok(())
}

/// Writes into a file that is there. `block`: plain bytes of a block.
fn overwriting(counted: &mut Counted, block: usize) -> Result<()> {
    let folder = counted.folder(ROOT, "overwriting")?;
    let piece = vec![2; 100];
    let file = counted.file(folder, "aligned", 64 * block)?;
    let handle = counted.fs.open(file, WRITE)?;
    let whole = vec![3; block];
    let end = (64 * block) as u64;
    counted.count("append a block to a file just opened", |fs| {
        fs.write(handle, end, &whole, false)
    })?;
    let end = end + block as u64;
    counted.count("append a block", |fs| fs.write(handle, end, &whole, false))?;
    let end = end + block as u64;
    counted.count("append 100 B to a whole block", |fs| {
        fs.write(handle, end, &piece, false)
    })?;
    counted.count("append 100 B, the tail cached", |fs| {
        fs.write(handle, end + 100, &piece, false)
    })?;
    let at = |blocks: usize, more: usize| (blocks * block + more) as u64;
    counted.count("overwrite whole blocks", |fs| {
        fs.write(handle, at(20, 0), &vec![4; 4 * block], false)
    })?;
    counted.count("overwrite 100 B in a block", |fs| {
        fs.write(handle, at(20, 300), &piece, false)
    })?;
    counted.count("overwrite, edges in neighbouring blocks", |fs| {
        fs.write(handle, at(20, block - 50), &piece, false)
    })?;
    counted.count("overwrite, edges in blocks apart", |fs| {
        fs.write(handle, at(20, block - 50), &vec![5; 4 * block], false)
    })?;
    close(&counted.fs, handle)?;

    let file = counted.file(folder, "partial", 4 * KIB - 100)?;
    counted.count("open, append 100 B to a 4 KiB file, close", |fs| {
        let handle = fs.open(file, WRITE)?;
        fs.write(handle, (4 * KIB - 100) as u64, &piece, false)?;
        close(fs, handle)
    })?;
    counted.count("open, overwrite 100 B of it, close", |fs| {
        let handle = fs.open(file, WRITE)?;
        fs.write(handle, 2000, &piece, false)?;
        close(fs, handle)
    })?;
    Ok(())
}

/// Cutting and growing.
fn sizes(counted: &mut Counted, block: usize) -> Result<()> {
    let folder = counted.folder(ROOT, "sizes")?;
    let caller = counted.caller;
    let size = |fs: &EncFs, file: NodeId, handle, size: usize| {
        let change = AttrChange {
            size: Some(size as u64),
            ..AttrChange::default()
        };
        fs.setattr(caller, file, handle, &change)
    };
    let file = counted.file(folder, "open", 64 * block)?;
    let handle = counted.fs.open(file, WRITE)?;
    counted.fs.read(handle, 0, 1)?;
    let mut open = |call, len| counted.count(call, |fs| size(fs, file, Some(handle), len));
    open("ftruncate into a block", 60 * block + 100)?;
    open("ftruncate into the cached tail", 60 * block + 50)?;
    open("ftruncate to whole blocks", 50 * block)?;
    open("ftruncate, growing into a block", 60 * block + 100)?;
    open("ftruncate to 0", 0)?;
    close(&counted.fs, handle)?;

    let file = counted.file(folder, "closed", 64 * block)?;
    let mut closed = |call, len| counted.count(call, |fs| size(fs, file, None, len));
    closed("truncate into a block", 60 * block + 100)?;
    closed("truncate to whole blocks", 50 * block)?;
    closed("truncate to 0", 0)?;
    let file = counted.file(folder, "small", 4 * KIB)?;
    counted.count("truncate a 4 KiB file to 1000 B", |fs| {
        size(fs, file, None, 1000)
    })?;
    Ok(())
}

/// Mode, owner, times, extended attributes.
fn attributes(counted: &mut Counted) -> Result<()> {
    let folder = counted.folder(ROOT, "attributes")?;
    let caller = counted.caller;
    let file = counted.file(folder, "file", 100)?;
    let time = NewTime::At(Time { secs: 1, nanos: 2 });
    let none = AttrChange::default();
    let change = |fs: &EncFs, change: &AttrChange| fs.setattr(caller, file, None, change);
    let mode = AttrChange {
        mode: Some(0o600),
        ..none
    };
    let owner = AttrChange {
        uid: Some(caller.uid),
        gid: Some(caller.gid),
        ..none
    };
    let mtime = AttrChange {
        mtime: Some(time),
        ..none
    };
    let times = AttrChange {
        atime: Some(time),
        ..mtime
    };
    counted.count("chmod", |fs| change(fs, &mode))?;
    counted.count("chown", |fs| change(fs, &owner))?;
    counted.count("utimens, one time", |fs| change(fs, &mtime))?;
    counted.count("utimens, both", |fs| change(fs, &times))?;
    let handle = counted.fs.open(file, WRITE)?;
    counted.count("fchmod", |fs| change(fs, &mode))?;
    counted.count("fchown", |fs| change(fs, &owner))?;
    counted.count("futimens", |fs| change(fs, &times))?;
    close(&counted.fs, handle)?;
    // Not every storage has these: a refusal costs as much.
    let name = b"user.name";
    let _ = counted.try_count("setxattr", |fs| fs.setxattr(file, name, b"value", 0));
    let _ = counted.try_count("getxattr", |fs| fs.getxattr(file, name));
    let _ = counted.try_count("listxattr", |fs| fs.listxattr(file));
    let _ = counted.try_count("removexattr", |fs| fs.removexattr(file, name));
    Ok(())
}

/// Renames, of files and of folders.
fn renames(counted: &mut Counted) -> Result<()> {
    let folder = counted.folder(ROOT, "renames")?;
    let other = counted.folder(ROOT, "elsewhere")?;
    let rename = |fs: &EncFs, from: (NodeId, &str), to: (NodeId, &str)| {
        let (name, new_name) = (from.1.as_bytes(), to.1.as_bytes());
        fs.rename(from.0, name, to.0, new_name, RenameMode::Replace)
    };
    counted.folder(folder, "empty")?;
    counted.count("rename an empty folder", |fs| {
        rename(fs, (folder, "empty"), (folder, "void"))
    })?;
    counted.folder_of(folder, "one", 1)?;
    counted.count("rename a folder of 1 file, the first of a mount", |fs| {
        rename(fs, (folder, "one"), (folder, "uno"))
    })?;
    counted.file(folder, "file", 100)?;
    counted.count("rename a file", |fs| {
        rename(fs, (folder, "file"), (folder, "other"))
    })?;
    counted.count("rename a file into another folder", |fs| {
        rename(fs, (folder, "other"), (other, "other"))
    })?;
    counted.file(other, "new version", 100)?;
    counted.count("rename a file over another", |fs| {
        rename(fs, (other, "new version"), (other, "other"))
    })?;
    counted.count("rename a folder of 1 file", |fs| {
        rename(fs, (folder, "uno"), (folder, "one"))
    })?;
    counted.folder_of(folder, "hundred", 100)?;
    counted.count("rename a folder of 100 files", |fs| {
        rename(fs, (folder, "hundred"), (other, "hundred"))
    })?;
    Ok(())
}

/// Directories, read.
fn listings(counted: &mut Counted) -> Result<()> {
    let folder = counted.folder_of(ROOT, "listed", 100)?;
    let handle = counted.count("opendir", |fs| fs.opendir(folder))?;
    let listing = counted.count("readdir of 100 entries", |fs| fs.listing(handle, true))?;
    ensure!(listing.entries.len() == 100, "entries");
    counted.count("readdir, further on", |fs| fs.listing(handle, false))?;
    counted.count("readdirplus of 100 entries", |fs| {
        let listing = fs.listing(handle, true)?;
        for entry in &listing.entries {
            fs.enter_listed(&listing, entry)?;
        }
        Ok(())
    })?;
    counted.count("fsync of a folder", |fs| fs.fsyncdir(handle))?;
    counted.count("closedir", |fs| {
        fs.releasedir(handle);
        Ok(())
    })
}
