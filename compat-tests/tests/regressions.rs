//! Faults that were found and mended, each with the case that showed it.

use std::ffi::OsStr;
use std::fs::{self, File, OpenOptions, Permissions};
use std::io::Write;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use compat_tests::mounted::Mounted;
use compat_tests::oracle::Program;
use compat_tests::volumes::{Naming, PASSWORD, Settings, standard};
use encfs_rs::config::NewVolume;
use encfs_rs::fs::{
    Caller, EncFs, FsError, FsOptions, HandleId, NewNode, NodeId, OpenFlags, ROOT, RenameMode,
    Reserve,
};
use encfs_rs::profile::{self, Situation};
use encfs_rs::raw::{Dir, Errno, Ids, Kind, create_as, forget_process_umask};
use encfs_rs::secret::Password;
use encfs_rs::volume::{self, UnlockOptions, Volume, config_file};

/// A partial last block waits for the next write where the raw storage is remote. Whoever looked
/// the name up was told the size without it, and the next append overwrote it.
#[test]
fn appending_goes_on_behind_a_held_block_after_a_lookup() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let at = |name: &str| folder.path().join(name);
    for name in ["raw", "below", "point"] {
        fs::create_dir(at(name))?;
    }
    standard().write_config(&at("raw"))?;
    // A mount counts as remote storage.
    let below = Mounted::volume(Program::EncfsRs, &at("raw"), &at("below"), PASSWORD, &[])?;
    fs::create_dir(below.path().join("raw"))?;
    standard().write_config(&below.path().join("raw"))?;
    let looked_up = ["-o", "entry_timeout=0"];
    let raw = below.path().join("raw");
    let mount = Mounted::volume(Program::EncfsRs, &raw, &at("point"), PASSWORD, &looked_up)?;
    let log = mount.path().join("log");
    let mut file = OpenOptions::new().create(true).append(true).open(&log)?;
    let mut written = Vec::new();
    for byte in b'a'..=b'z' {
        let piece = [byte; 150];
        file.write_all(&piece)?;
        written.extend_from_slice(&piece);
        let size = fs::metadata(&log)?.len();
        ensure!(size == written.len() as u64, "{size} for {}", written.len());
        for entry in fs::read_dir(mount.path())? {
            let size = entry?.metadata()?.len();
            ensure!(size == written.len() as u64, "listed: {size}");
        }
    }
    drop(file);
    ensure!(fs::read(&log)? == written, "the contents");
    // Emptied while a block is held.
    let mut file = File::create(&log)?;
    file.write_all(b"short")?;
    file.set_len(0)?;
    ensure!(fs::metadata(&log)?.len() == 0);
    file.write_all(b"x")?;
    drop(file);
    ensure!(fs::metadata(&log)?.len() == 6);
    mount.unmount()?;
    below.unmount()
}

/// A volume of its own, and the same once more for encoding names.
struct Fixture {
    folder: tempfile::TempDir,
    settings: NewVolume,
}

const CALLER: Caller = Caller { uid: 0, gid: 0 };
const NOBODY: Ids = Ids {
    uid: 65534,
    gid: 65534,
};
const WRITE: OpenFlags = OpenFlags {
    write: true,
    exclusive: false,
};

impl Fixture {
    fn new(settings: NewVolume) -> Result<Self> {
        forget_process_umask();
        let folder = tempfile::tempdir()?;
        let settings = NewVolume {
            kdf_duration_ms: 1,
            ..settings
        };
        volume::create(folder.path(), &settings, &password())?;
        Ok(Self { folder, settings })
    }

    fn paranoia() -> Result<Self> {
        Self::new(profile::paranoia(Situation::default())?)
    }

    fn standard() -> Result<Self> {
        Self::new(profile::standard(Situation::default())?)
    }

    fn volume(&self) -> Result<Volume> {
        let root = Dir::open_root(self.folder.path())?;
        let file = config_file::find(self.folder.path(), None)?.context("no configuration")?;
        ensure!(file.config.block_size == self.settings.block_size);
        let options = UnlockOptions::default();
        Ok(volume::unlock(root, &file.config, &password(), &options)?)
    }

    fn fs(&self) -> Result<EncFs> {
        Ok(EncFs::new(self.volume()?, FsOptions::default())?)
    }

    /// Raw path of a plain one.
    fn raw(&self, plain: &str) -> Result<PathBuf> {
        let (raw, _) = self.volume()?.names.encode_path(plain.as_bytes())?;
        Ok(self.folder.path().join(OsStr::from_bytes(&raw)))
    }
}

fn password() -> Password {
    Password::new(b"regressions".to_vec())
}

fn make(fs: &EncFs, parent: NodeId, name: &str, contents: &[u8]) -> Result<NodeId> {
    let new = NewNode {
        kind: Kind::File,
        mode: 0o666,
        umask: 0,
        rdev: 0,
    };
    let (entry, handle) = fs.create(CALLER, parent, name.as_bytes(), new, WRITE)?;
    fs.write(handle, 0, contents, false)?;
    fs.flush(handle)?;
    fs.release(handle);
    Ok(entry.node)
}

fn contents(fs: &EncFs, parent: NodeId, name: &str) -> Result<Vec<u8>> {
    let entry = fs.lookup(parent, name.as_bytes())?;
    let read = OpenFlags {
        write: false,
        ..WRITE
    };
    let handle = fs.open(entry.node, read)?;
    let data = fs.read(handle, 0, 1 << 20)?.to_vec();
    fs.release(handle);
    fs.forget(entry.node, 1);
    Ok(data)
}

fn move_to(fs: &EncFs, from: &str, to: &str) -> Result<(), FsError> {
    fs.rename(
        ROOT,
        from.as_bytes(),
        ROOT,
        to.as_bytes(),
        RenameMode::Replace,
    )
}

/// Runs `act` with the rights of another user, as a mount of that user would.
fn as_nobody<T>(act: impl FnOnce() -> T) -> T {
    create_as(Some(NOBODY), 0, 0, |_| act())
}

/// A step after the new header was written failed, and the file kept its name and that header: it
/// could not be read any more. Times that only the owner may set are no such step.
#[test]
fn a_rename_that_fails_after_the_header_leaves_the_file_readable() -> Result<()> {
    let fixture = Fixture::paranoia()?;
    fs::set_permissions(fixture.folder.path(), Permissions::from_mode(0o777))?;
    let fs = fixture.fs()?;
    make(&fs, ROOT, "file", b"contents")?;
    as_nobody(|| move_to(&fs, "file", "other")).context("of somebody else's file")?;
    ensure!(contents(&fs, ROOT, "other")? == b"contents");
    // Writing takes the set-user-ID bit away, and only the owner can put it back.
    fs::set_permissions(fixture.raw("other")?, Permissions::from_mode(0o4666))?;
    let refused = as_nobody(|| move_to(&fs, "other", "third"));
    ensure!(refused.is_err_and(|error| error.raw_errno() == Some(Errno::PERM)));
    ensure!(contents(&fs, ROOT, "other")? == b"contents");
    let folder = fs.mkdir(CALLER, ROOT, b"folder", 0o777, 0)?.node;
    make(&fs, folder, "inside", b"too")?;
    as_nobody(|| move_to(&fs, "folder", "moved")).context("of somebody else's folder")?;
    ensure!(contents(&fs, folder, "inside")? == b"too");
    Ok(())
}

/// What a broken rename of another program left under a new name was replaced by the next rename.
#[test]
fn renaming_a_folder_replaces_nothing_below_it() -> Result<()> {
    for fixture in [Fixture::standard()?, Fixture::paranoia()?] {
        let fs = fixture.fs()?;
        let folder = fs.mkdir(CALLER, ROOT, b"old", 0o755, 0)?.node;
        make(&fs, folder, "before", b"x")?;
        make(&fs, folder, "file", b"seen")?;
        let left = fixture.raw("new/file")?;
        let left = fixture
            .raw("old")?
            .join(left.file_name().context("a name")?);
        fs::write(&left, "left over")?;
        let refused = move_to(&fs, "old", "new");
        ensure!(refused.is_err_and(|error| error.raw_errno() == Some(Errno::EXIST)));
        ensure!(fs::read(&left)? == b"left over");
        ensure!(contents(&fs, folder, "file")? == b"seen");
        ensure!(contents(&fs, folder, "before")? == b"x");
        fs::remove_file(&left)?;
        move_to(&fs, "old", "new")?;
        ensure!(contents(&fs, folder, "file")? == b"seen");
    }
    Ok(())
}

/// Settling a broken rename replaced an entry that was made since.
#[test]
fn settling_a_rename_replaces_nothing() -> Result<()> {
    let fixture = Fixture::standard()?;
    let fs = fixture.fs()?;
    let folder = fs.mkdir(CALLER, ROOT, b"old", 0o755, 0)?.node;
    make(&fs, folder, "file", b"moved")?;
    move_to(&fs, "old", "new")?;
    // The record is still there: no unmount.
    drop(fs);
    let left = fixture.raw("old/file")?;
    let left = fixture
        .raw("new")?
        .join(left.file_name().context("a name")?);
    fs::write(&left, "left over")?;
    let fs = fixture.fs()?;
    ensure!(fs::read(&left)? == b"left over");
    let folder = fs.lookup(ROOT, b"new")?.node;
    ensure!(contents(&fs, folder, "file")? == b"moved");
    fs.close();
    Ok(())
}

/// Another kind of file took the name within the time that the kernel trusts it: the answer was
/// ELOOP or ENXIO where the kernel had only to look once more.
#[test]
fn opening_what_is_no_file_any_more_is_stale() -> Result<()> {
    let fixture = Fixture::standard()?;
    let fs = fixture.fs()?;
    let raw = fixture.raw("file")?;
    let node = make(&fs, ROOT, "file", b"x")?;
    fs::remove_file(&raw)?;
    for kind in ["link", "socket", "folder"] {
        match kind {
            "link" => std::os::unix::fs::symlink("/etc/passwd", &raw)?,
            "socket" => drop(std::os::unix::net::UnixListener::bind(&raw)?),
            _ => fs::create_dir(&raw)?,
        }
        let opened = fs.open(node, WRITE);
        ensure!(
            matches!(opened, Err(FsError::Stale | FsError::NotRegular)),
            "{kind}: {opened:?}"
        );
        if kind == "folder" {
            fs::remove_dir(&raw)?;
        } else {
            fs::remove_file(&raw)?;
        }
    }
    Ok(())
}

/// `open` with `O_CREAT | O_TRUNC` of a file that another client made at that moment opened it
/// with its old contents: the kernel cuts no file that it takes for new, nor checks its mode.
#[test]
fn creating_what_is_there_sends_the_kernel_back() -> Result<()> {
    let fixture = Fixture::standard()?;
    make(&fixture.fs()?, ROOT, "file", b"old contents")?;
    let fs = fixture.fs()?;
    let new = NewNode {
        kind: Kind::File,
        mode: 0o600,
        umask: 0,
        rdev: 0,
    };
    let made = fs.create(CALLER, ROOT, b"file", new, WRITE);
    ensure!(matches!(made, Err(FsError::Stale)));
    let only_new = OpenFlags {
        exclusive: true,
        ..WRITE
    };
    let made = fs.create(CALLER, ROOT, b"file", new, only_new);
    ensure!(made.is_err_and(|error| error.raw_errno() == Some(Errno::EXIST)));
    Ok(())
}

/// Copying into a file and punching holes left set-ID bits to a file that others had changed.
#[test]
fn every_change_of_contents_takes_set_id_bits() -> Result<()> {
    let fixture = Fixture::standard()?;
    let fs = fixture.fs()?;
    make(&fs, ROOT, "source", b"contents")?;
    let raw = fixture.raw("file")?;
    let node = make(&fs, ROOT, "file", &[1; 5000])?;
    let source = fs.lookup(ROOT, b"source")?.node;
    let source = fs.open(source, WRITE)?;
    type Change = fn(&EncFs, HandleId, HandleId) -> Result<(), FsError>;
    let changes: [Change; 2] = [
        |fs, handle, source| fs.copy_range((source, 0), (handle, 0), 8, true).map(|_| ()),
        |fs, handle, _| fs.fallocate(handle, Reserve::PunchHole, 0, 2048, true),
    ];
    for change in changes {
        fs::set_permissions(&raw, Permissions::from_mode(0o6755))?;
        let handle = fs.open(node, WRITE)?;
        change(&fs, handle, source)?;
        fs.release(handle);
        ensure!(fs::metadata(&raw)?.permissions().mode() & 0o7777 == 0o755);
    }
    Ok(())
}

/// While a folder could not be searched, listing the one above made another node of it and moved
/// the ends of open files in it to 0.
#[test]
fn a_listing_without_attributes_keeps_the_nodes() -> Result<()> {
    let fixture = Fixture::standard()?;
    let fs = fixture.fs()?;
    let folder = fs.mkdir(CALLER, ROOT, b"folder", 0o755, 0)?.node;
    let file = make(&fs, folder, "file", b"contents")?;
    let handle = fs.open(file, WRITE)?;
    let listing = fs.opendir(folder)?;
    let listed = fs.listing(listing, true)?;
    let entry = fs.enter_unread(&listed, &listed.entries[0])?;
    ensure!(entry.node == file && entry.attr.size == 8, "{entry:?}");
    fs.forget(file, 1);
    fs.release(handle);
    ensure!(fs.lookup(folder, b"file")?.node == file);
    Ok(())
}

/// Whoever had a folder open when it was removed was told ESTALE instead of its attributes, as
/// when two programs remove the same tree.
#[test]
fn an_open_folder_keeps_its_attributes_when_it_is_removed() -> Result<()> {
    let fixture = Fixture::standard()?;
    let fs = fixture.fs()?;
    for name in ["removed", "replaced"] {
        let folder = fs.mkdir(CALLER, ROOT, name.as_bytes(), 0o750, 0)?.node;
        let handle = fs.opendir(folder)?;
        if name == "removed" {
            fs.rmdir(ROOT, name.as_bytes())?;
        } else {
            fs.mkdir(CALLER, ROOT, b"other", 0o700, 0)?;
            move_to(&fs, "other", name)?;
        }
        let attr = fs.getattr(folder).context(name)?;
        ensure!(attr.mode == 0o750 && attr.nlink == 0, "{attr:?}");
        fs.releasedir(handle);
        fs.forget(folder, 1);
        ensure!(fs.getattr(folder).is_err(), "{name} stays");
    }
    Ok(())
}

/// A folder whose handle was released after the kernel forgot it stayed open in storage.
#[test]
fn no_descriptor_of_a_removed_folder_stays() -> Result<()> {
    let fixture = Fixture::standard()?;
    let fs = fixture.fs()?;
    let folder = fs.mkdir(CALLER, ROOT, b"folder", 0o755, 0)?.node;
    let handle = fs.opendir(folder)?;
    fs.listing(handle, true)?;
    fs.rmdir(ROOT, b"folder")?;
    fs.forget(folder, 1);
    fs.releasedir(handle);
    let raw = fixture.raw("folder")?;
    let mut gone = raw.into_os_string();
    gone.push(" (deleted)");
    for descriptor in fs::read_dir("/proc/self/fd")? {
        // Other tests close theirs meanwhile.
        let leads_to = fs::read_link(descriptor?.path()).unwrap_or_default();
        ensure!(leads_to.as_os_str() != gone, "still open");
    }
    Ok(())
}

/// More files can be open than the usual limit of one program.
#[test]
fn as_many_files_can_be_open_as_the_system_allows() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let (raw, point) = (folder.path().join("raw"), folder.path().join("point"));
    fs::create_dir(&raw)?;
    fs::create_dir(&point)?;
    standard().write_config(&raw)?;
    let program = Program::EncfsRs.encfs()?;
    let mut command = Command::new("prlimit");
    command.arg("--nofile=64:4096");
    command.arg(program.get_program()).args(program.get_args());
    command.args(["-f", "-S"]).args([&raw, &point]);
    let mount = Mounted::by(&mut command, &point, format!("{PASSWORD}\n").as_bytes())?;
    let files = (0..200).map(|n| File::create(point.join(n.to_string())));
    let files: Vec<File> = files.collect::<Result<_, _>>()?;
    drop(files);
    mount.unmount()
}

/// Under null names the configuration could not be found by its name, as it can with EncFS: some
/// front ends wait until it can be opened through the mount.
#[test]
fn under_null_names_the_configuration_can_be_read_by_name_and_not_changed() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let at = |name: &str| folder.path().join(name);
    for name in ["raw", "point"] {
        fs::create_dir(at(name))?;
    }
    let settings = Settings {
        naming: Naming::Null,
        chained: false,
        ..standard()
    };
    settings.write_config(&at("raw"))?;
    let stored = fs::read(at("raw").join(".encfs6.xml"))?;
    let mut seen = Vec::new();
    for program in [Program::Encfs195, Program::EncfsRs] {
        let mount = Mounted::volume(program, &at("raw"), &at("point"), PASSWORD, &[])?;
        let config = mount.path().join(".encfs6.xml");
        let size = fs::metadata(&config)?.len();
        seen.push((
            size,
            fs::read(&config)?,
            fs::read_dir(mount.path())?.count(),
        ));
        if program == Program::EncfsRs {
            let point = mount.path();
            fs::write(point.join("file"), "contents")?;
            // What a crash may leave is no file of the user's.
            fs::write(at("raw").join(".encfs-rs-tmp-0"), "left")?;
            ensure!(!point.join(".encfs-rs-tmp-0").exists());
            ensure!(
                fs::read_dir(point)?.count() == 1,
                "a temporary file is listed"
            );
            fs::create_dir(point.join("folder"))?;
            fs::write(point.join("folder/.encfs6.xml"), "a file like others")?;
            let write = OpenOptions::new().write(true).open(&config).map(|_| ());
            let changes = [
                ("writing", write),
                (
                    "cutting",
                    nix::unistd::truncate(&config, 0).map_err(Into::into),
                ),
                (
                    "changing the mode",
                    fs::set_permissions(&config, Permissions::from_mode(0o600)),
                ),
                ("removing", fs::remove_file(&config)),
                ("renaming", fs::rename(&config, point.join("other"))),
                ("linking", fs::hard_link(&config, point.join("other"))),
                ("replacing", fs::rename(point.join("file"), &config)),
                ("making", fs::write(point.join(".encfs5"), "")),
                (
                    "making a temporary",
                    fs::write(point.join(".encfs-rs-tmp-1"), ""),
                ),
            ];
            for (what, done) in changes {
                let errno = done.err().and_then(|error| error.raw_os_error());
                ensure!(
                    errno == Some(Errno::PERM.raw_os_error()),
                    "{what}: {errno:?}"
                );
            }
        }
        mount.unmount()?;
    }
    ensure!(seen[0] == seen[1], "not what EncFS 1.9.5 shows");
    ensure!(
        fs::read(at("raw").join(".encfs6.xml"))? == stored,
        "changed"
    );
    Ok(())
}
