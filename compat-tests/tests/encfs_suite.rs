//! What EncFS's own integration tests check, normal and reverse, of the programs by the names that
//! they call them by: first of EncFS 1.9.5, then of encfs-rs.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::Path;

use anyhow::{Context, Result, ensure};
use compat_tests::client::{Home, with_each};
use compat_tests::disk::Image;
use compat_tests::oracle::Program;
use rustix::io::Errno;

/// The two settings that need no questions.
const SETTINGS: [&str; 2] = ["--standard", "--paranoia"];

/// Runs `check` on a new volume of each setting, mounted, by each program.
fn on_each(check: impl Fn(&Home, &str) -> Result<()>) -> Result<()> {
    with_each(|program| {
        for setting in SETTINGS {
            let home = mounted(program, setting)?;
            check(&home, setting).context(setting)?;
            leave(&home)?;
        }
        Ok(())
    })
}

fn mounted(program: Program, options: &str) -> Result<Home> {
    let home = Home::new(program)?;
    mount(&home, options)?;
    Ok(home)
}

fn mount(home: &Home, options: &str) -> Result<()> {
    let line = format!("encfs --extpass='echo \"$PW\"' {options} \"$RAW\" \"$MNT\"");
    home.sh(&line, "")?.success()?;
    Ok(())
}

/// `encfs -u`, its words thrown away; the mount is gone when it returns.
fn leave(home: &Home) -> Result<()> {
    home.sh("encfs -u \"$MNT\" >/dev/null", "")?.success()?;
    ensure!(!home.is_mounted()?, "still mounted after encfs -u");
    Ok(())
}

fn errno_of<T>(result: io::Result<T>) -> Result<Errno> {
    let error = result.err().context("it was allowed")?;
    Errno::from_io_error(&error).context("an error without a number")
}

fn read(path: &Path) -> Result<Vec<u8>> {
    fs::read(path).with_context(|| path.display().to_string())
}

#[test]
fn it_tells_that_it_has_extended_attributes() -> Result<()> {
    with_each(|program| {
        let home = Home::new(program)?;
        let told = home
            .sh("encfs --verbose --version 2>&1", "")?
            .success()?
            .out();
        ensure!(told.contains("HAVE_XATTR"), "{told}");
        Ok(())
    })
}

#[test]
fn files_hold_what_is_written() -> Result<()> {
    on_each(|home, _| {
        let mnt = home.mnt();
        let path = mnt.join("file");
        fs::write(&path, "hello\n")?;
        assert_eq!(read(&path)?, b"hello\n");
        let raw = home
            .sh("ls -A \"$RAW\"; cat \"$RAW\"/* | grep -c hello || :", "")?
            .out();
        ensure!(!raw.contains("file") && raw.ends_with("0\n"), "{raw}");

        // Appending, and a change in the middle across blocks.
        OpenOptions::new()
            .append(true)
            .open(&path)?
            .write_all(&[b'x'; 5000])?;
        let mut file = OpenOptions::new().read(true).write(true).open(&path)?;
        file.seek(SeekFrom::Start(1000))?;
        file.write_all(&[b'y'; 2000])?;
        let mut expected = b"hello\n".to_vec();
        expected.resize(5006, b'x');
        expected[1000..3000].fill(b'y');
        let mut seen = Vec::new();
        file.rewind()?;
        file.read_to_end(&mut seen)?;
        ensure!(seen == expected, "contents after changes");
        drop(file);
        leave(home)?;
        mount(home, "")?;
        ensure!(read(&path)? == expected, "contents after another mount");
        Ok(())
    })
}

#[test]
fn growing_and_truncating() -> Result<()> {
    on_each(|home, _| {
        let path = home.mnt().join("file");
        let mut expected = Vec::new();
        for size in 0..=300_u64 {
            let size = size * 13;
            let mut file = OpenOptions::new().create(true).append(true).open(&path)?;
            file.write_all(&[b'a'; 13])?;
            expected.resize(usize::try_from(size)? + 13, b'a');
            assert_eq!(file.metadata()?.len(), size + 13);
        }
        ensure!(read(&path)? == expected, "contents after growing");
        for size in [3000_usize, 1025, 1024, 1023, 10, 0, 7, 5000] {
            File::options()
                .write(true)
                .open(&path)?
                .set_len(size as u64)?;
            expected.resize(size, 0);
            ensure!(read(&path)? == expected, "contents cut to {size}");
        }
        Ok(())
    })
}

#[test]
fn names_links_and_folders() -> Result<()> {
    on_each(|home, setting| {
        let mnt = home.mnt();
        fs::create_dir_all(mnt.join("one/two"))?;
        fs::write(mnt.join("one/two/file"), "deep")?;
        fs::rename(mnt.join("one"), mnt.join("three"))?;
        assert_eq!(read(&mnt.join("three/two/file"))?, b"deep");
        ensure!(!mnt.join("one").exists());

        for target in ["relative", "../up/and/down", "/absolute/path", "."] {
            let link = mnt.join("link");
            symlink(target, &link)?;
            assert_eq!(fs::read_link(&link)?, Path::new(target));
            assert_eq!(fs::symlink_metadata(&link)?.len(), target.len() as u64);
            fs::remove_file(&link)?;
        }
        let (file, second) = (mnt.join("three/two/file"), mnt.join("second"));
        if setting == "--paranoia" {
            assert_eq!(errno_of(fs::hard_link(&file, &second))?, Errno::PERM);
        } else {
            fs::hard_link(&file, &second)?;
            assert_eq!(read(&second)?, b"deep");
            fs::remove_file(&second)?;
        }
        assert_eq!(
            errno_of(fs::remove_dir(mnt.join("three")))?,
            Errno::NOTEMPTY
        );
        fs::remove_dir_all(mnt.join("three"))?;
        assert_eq!(fs::read_dir(&mnt)?.count(), 0);
        Ok(())
    })
}

#[test]
fn attributes() -> Result<()> {
    on_each(|home, _| {
        let path = home.mnt().join("file");
        fs::write(&path, "x")?;
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640))?;
        assert_eq!(fs::metadata(&path)?.mode() & 0o7777, 0o640);
        home.sh("touch -d @1000000000 \"$MNT/file\"", "")?
            .success()?;
        assert_eq!(fs::metadata(&path)?.mtime(), 1_000_000_000);
        home.sh(
            "setfattr -n user.note -v kept \"$MNT/file\"
             test \"$(getfattr --only-values -n user.note \"$MNT/file\")\" = kept
             setfattr -x user.note \"$MNT/file\"",
            "",
        )?
        .success()?;
        Ok(())
    })
}

/// As a user who is not root: a file whose mode forbids its owner to open it. Whoever has made it
/// may write on, and may write to a file that he may not read.
#[test]
fn modes_that_forbid_the_owner() -> Result<()> {
    with_each(|program| {
        for setting in SETTINGS {
            let home = Home::new(program)?;
            let script = format!(
                "chown nobody \"$RAW\" \"$MNT\"
                as() {{ setpriv --reuid nobody --regid nogroup --clear-groups \"$@\"; }}
                as encfs --extpass='echo \"$PW\"' {setting} \"$RAW\" \"$MNT\" > /dev/null
                as sh -euc '
                    cd \"$MNT\"
                    umask 0777; echo made > none; umask 022
                    stat -c %a none; ! cat none 2>/dev/null; chmod 400 none; cat none
                    echo first > only; chmod 200 only
                    ! cat only 2>/dev/null; echo again >> only; stat -c %a only
                    chmod 600 only; cat only'
                as encfs -u \"$MNT\" > /dev/null"
            );
            let told = home.private(&script, "")?.success().context(setting)?;
            assert_eq!(told.out(), "0\nmade\n200\nfirst\nagain\n", "{told}");
        }
        Ok(())
    })
}

#[test]
fn a_full_disk_is_told() -> Result<()> {
    with_each(|program| {
        for setting in SETTINGS {
            let disk = Image::new(4 << 20)?;
            let home = Home::new(program)?;
            fs::remove_dir(home.raw())?;
            symlink(disk.path(), home.raw())?;
            mount(&home, setting)?;
            let mut file = File::create(home.mnt().join("file"))?;
            let mut refused = None;
            for _ in 0..8192 {
                if let Err(error) = file.write_all(&[1; 1024]) {
                    refused = Some(error);
                    break;
                }
            }
            assert_eq!(
                errno_of(refused.map_or(Ok(()), Err))?,
                Errno::NOSPC,
                "{setting}"
            );
            drop(file);
            leave(&home)?;
        }
        Ok(())
    })
}

/// The view of a plain tree, seen through the volume that it is, is the tree.
#[test]
fn reverse_and_back() -> Result<()> {
    with_each(|program| {
        let home = plain_tree(program)?;
        let back = home.path().join("back");
        fs::create_dir(&back)?;
        // The configuration is reached under its encoded name, and is the file itself.
        let configuration = encoded(&home, ".encfs6.xml")?;
        let seen = fs::read(home.mnt().join(&configuration))?;
        ensure!(
            !seen.is_empty(),
            "the configuration cannot be read in the view"
        );
        let listed = home.sh("ls -A \"$MNT\"", "")?.out();
        ensure!(
            !listed.lines().any(|line| line == configuration),
            "{listed}"
        );

        home.sh(
            "ENCFS6_CONFIG=\"$RAW/.encfs6.xml\" encfs --extpass='echo \"$PW\"' --nocache \"$MNT\" \"$DIR/back\"
             diff -r --no-dereference \"$RAW\" \"$DIR/back\" --exclude .encfs6.xml",
            "",
        )?
        .success()?;
        // It grows with the tree.
        let mut size = 0;
        for step in 1..=40 {
            let mut file = OpenOptions::new()
                .append(true)
                .open(home.raw().join("grows"))?;
            file.write_all(&vec![b'g'; step * 31])?;
            size += step * 31;
            drop(file);
            let through = home
                .sh("cat \"$DIR/back/grows\" | wc -c", "")?
                .success()?
                .out();
            assert_eq!(through.trim(), size.to_string());
        }
        home.sh("encfs -u \"$DIR/back\" > /dev/null", "")?
            .success()?;
        leave(&home)
    })
}

/// A name as the view shows it.
fn encoded(home: &Home, name: &str) -> Result<String> {
    let line = format!("encfsctl encode --extpass='echo \"$PW\"' \"$RAW\" {name}");
    Ok(home.sh(&line, "")?.success()?.out().trim_end().to_owned())
}

/// A plain folder with a bit of everything, and its view mounted.
fn plain_tree(program: Program) -> Result<Home> {
    let home = Home::new(program)?;
    let raw = home.raw();
    fs::create_dir_all(raw.join("folder/below"))?;
    fs::write(raw.join("folder/below/file"), "plain")?;
    fs::write(raw.join("empty"), "")?;
    fs::write(raw.join("grows"), "")?;
    fs::write(raw.join("large"), vec![7; 100_000])?;
    symlink("folder/below", raw.join("relative"))?;
    symlink("/absolute/path", raw.join("absolute"))?;
    mount(&home, "--standard --reverse --nocache")?;
    Ok(home)
}

#[test]
fn a_view_is_read_only() -> Result<()> {
    with_each(|program| {
        let home = plain_tree(program)?;
        let path = home.mnt().join(encoded(&home, "large")?);
        let new = home.mnt().join(encoded(&home, "new")?);
        ensure!(path.exists(), "a file is not in the view");
        let refusals = [
            (
                "open for writing",
                errno_of(OpenOptions::new().write(true).open(&path))?,
            ),
            ("create", errno_of(File::create(&new))?),
            ("rename", errno_of(fs::rename(&path, &new))?),
            ("unlink", errno_of(fs::remove_file(&path))?),
            ("mkdir", errno_of(fs::create_dir(&new))?),
            (
                "utime",
                rustix::fs::utimensat(
                    rustix::fs::CWD,
                    &path,
                    &rustix::fs::Timestamps {
                        last_access: rustix::fs::Timespec {
                            tv_sec: 1,
                            tv_nsec: 0,
                        },
                        last_modification: rustix::fs::Timespec {
                            tv_sec: 1,
                            tv_nsec: 0,
                        },
                    },
                    rustix::fs::AtFlags::empty(),
                )
                .err()
                .context("utime was allowed")?,
            ),
        ];
        for (what, errno) in refusals {
            assert_eq!(errno, Errno::ROFS, "{what}");
        }
        let truncate = home.sh("truncate -s 0 \"$MNT\"/* 2>&1 || :", "")?.out();
        ensure!(truncate.contains("Read-only file system"), "{truncate}");
        assert_eq!(fs::metadata(home.raw().join("large"))?.len(), 100_000);
        leave(&home)
    })
}
