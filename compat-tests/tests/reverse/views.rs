//! What a view shows: the same bytes as that of EncFS 1.9.5, mount after mount, and a copy of it
//! is a volume like any other.

use std::os::unix::fs::FileExt;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use compat_tests::manifest::{Fixture, folder};
use compat_tests::mounted::{Mounted, below};
use compat_tests::oracle::{Program, in_path};
use compat_tests::pair::in_parallel;
use compat_tests::run::run;
use compat_tests::tree::{read, show};
use compat_tests::volumes::{Cipher, Naming, PASSWORD, Settings};

use super::scene::{CONFIG, Scene, at, copy, os, same, settings, standard};

fn matrix() -> Vec<Settings> {
    use Cipher::{Aes, Blowfish, Camellia};
    use Naming::{Block, Block32, Null, Stream};
    let mut all = vec![standard()];
    for (cipher, bits, naming, block, unique_iv, holes) in [
        (Aes, 192, Block, 1024, true, true),
        (Aes, 256, Block, 64, false, false),
        (Aes, 128, Block, 4096, true, false),
        (Aes, 192, Stream, 1024, false, true),
        (Aes, 192, Stream, 1024, true, true),
        (Aes, 256, Block32, 1024, false, true),
        (Aes, 256, Block32, 80, true, true),
        (Aes, 192, Null, 1024, false, true),
        (Aes, 192, Null, 1024, true, true),
        (Blowfish, 160, Block, 72, false, true),
        (Blowfish, 256, Stream, 512, true, true),
        (Camellia, 256, Block, 2048, true, true),
    ] {
        all.push(settings(cipher, bits, naming, block, unique_iv, holes));
    }
    all
}

/// Both programs' views of the tree as it is now, ours of two mounts.
fn compare_views(scene: &Scene, when: &str) -> Result<()> {
    let theirs = scene.view(Program::Encfs195, &["--reverse"])?;
    let wanted = read(theirs.path()).context("the view by EncFS 1.9.5")?;
    for turn in ["first", "second"] {
        let ours = scene.view(Program::EncfsRs, &["--reverse"])?;
        let seen = read(ours.path()).context("the view by encfs-rs")?;
        same(&format!("{when}, {turn} mount"), &wanted, &seen)?;
        compare_parts(scene, &theirs, &ours).with_context(|| when.to_owned())?;
        ours.unmount()?;
    }
    theirs.unmount()
}

/// Pieces of a file at odd places, and the configuration under its encrypted name.
fn compare_parts(scene: &Scene, theirs: &Mounted, ours: &Mounted) -> Result<()> {
    let name = scene.shown_one(b"sizes/65537")?;
    let [wanted, seen] = [theirs, ours].map(|view| std::fs::File::open(at(view, &name)));
    let (wanted, seen) = (wanted?, seen?);
    let size = wanted.metadata()?.len();
    for piece in 0..64 {
        let (start, len) = (piece * 1031 % size, 1 + piece * 97 % 6000);
        let mut bytes = [
            vec![0; usize::try_from(len)?],
            vec![0; usize::try_from(len)?],
        ];
        for (file, bytes) in [&wanted, &seen].into_iter().zip(&mut bytes) {
            let got = file.read_at(bytes, start)?;
            bytes.truncate(got);
        }
        ensure!(bytes[0] == bytes[1], "{len} bytes at {start} differ");
    }
    let config = scene.shown_one(CONFIG)?;
    let [wanted, seen] = [theirs, ours].map(|view| std::fs::read(at(view, &config)));
    let (wanted, seen) = (wanted?, seen?);
    ensure!(!wanted.is_empty() && wanted == seen, "the configuration");
    for view in [theirs, ours] {
        let names = compat_tests::tree::names_in(view.path())?;
        ensure!(!names.contains(&config), "the configuration is listed");
    }
    Ok(())
}

/// A copy of the view is opened as a volume by both programs and shows the plain tree.
fn open_copy(scene: &Scene) -> Result<()> {
    let raw = scene.folder("copy")?;
    let point = scene.folder("copy mounted")?;
    let view = scene.view(Program::EncfsRs, &["--reverse"])?;
    copy(view.path(), &raw)?;
    view.unmount()?;
    // A copy made by listing lacks the configuration: the plain one is kept beside it.
    std::fs::copy(below(&scene.plain, CONFIG), below(&raw, CONFIG))?;
    let wanted = scene.tree()?;
    for program in [Program::Encfs195, Program::EncfsRs] {
        let mount = Mounted::volume(program, &raw, &point, PASSWORD, &[])?;
        let seen = read(mount.path())?;
        same(&format!("the copy by {}", program.label()), &wanted, &seen)?;
        mount.unmount()?;
    }
    Ok(())
}

/// What encrypted names cannot be stored by, but are shown by.
fn add_what_cannot_be_copied(scene: &Scene, settings: &Settings) -> Result<()> {
    for len in [settings.name_limit() + 1, 254, 255] {
        let name: Vec<u8> = std::iter::repeat_n(b'n', len.min(255)).collect();
        std::fs::write(below(&scene.plain, &name), b"a long name")?;
    }
    std::os::unix::fs::symlink("+plus", scene.plain.join("links/plus"))?;
    std::fs::write(
        scene.plain.join(".encfs5"),
        b"no configuration, as it is not the first",
    )?;
    let sparse = std::fs::File::create(scene.plain.join("other/sparse"))?;
    sparse.set_len(1 << 20)?;
    sparse.write_all_at(b"end", (1 << 20) - 3)?;
    let zeros = std::fs::File::create(scene.plain.join("other/zeros"))?;
    zeros.set_len(5 * u64::from(settings.block_size))?;
    Ok(())
}

#[test]
fn the_view_is_that_of_encfs_1_9_5_and_a_copy_of_it_is_a_volume() -> Result<()> {
    let all = matrix();
    let failures = in_parallel(&all, |settings| {
        let about = || format!("[{}]", settings.label());
        let scene = Scene::filled(settings).with_context(about)?;
        let before = read(&scene.plain)?;
        compare_views(&scene, "the tree").with_context(about)?;
        open_copy(&scene).with_context(about)?;
        let after = read(&scene.plain)?;
        same("the plain tree after reading", &before, &after).with_context(about)?;
        add_what_cannot_be_copied(&scene, settings).with_context(about)?;
        compare_views(&scene, "with what cannot be copied").with_context(about)
    });
    println!("reverse: {} settings, {} failed", all.len(), failures.len());
    ensure!(failures.is_empty(), "{}", failures.join("\n"));
    Ok(())
}

#[test]
fn changes_of_the_plain_tree_show() -> Result<()> {
    for unique_iv in [false, true] {
        let settings = Settings {
            unique_iv,
            ..standard()
        };
        let scene = Scene::filled(&settings)?;
        let view = scene.view(Program::EncfsRs, &["--reverse", "--nocache"])?;
        let name = scene.shown_one(b"sizes/4097")?;
        let first = std::fs::read(at(&view, &name))?;
        // Grown, cut, replaced behind the mount.
        for len in [5000, 4097, 100, 0, 2048] {
            std::fs::write(scene.plain.join("sizes/4097"), vec![7; len])?;
            let bytes = std::fs::read(at(&view, &name))?;
            let header = if unique_iv && len > 0 { 8 } else { 0 };
            ensure!(
                bytes.len() == len + header,
                "{len} bytes show as {}",
                bytes.len()
            );
            ensure!(bytes != first, "the old contents show");
        }
        view.unmount()?;
        compare_views(&scene, "after the changes")?;
    }
    Ok(())
}

#[test]
fn the_fixture_shows_the_view_that_was_kept_of_it() -> Result<()> {
    let fixture = Fixture::named("reverse")?;
    let scene = Scene::bare()?;
    fixture.unpack(&scene.plain)?;
    let kept = scene.folder("kept")?;
    let mut tar = std::process::Command::new(in_path("tar", "tar")?);
    tar.args(["--no-same-owner", "-xpzf"])
        .arg(folder().join("reverse/view.tar.gz"))
        .arg("-C")
        .arg(&kept);
    run(&mut tar, b"")?.success()?;
    let wanted = read(&kept)?;
    ensure!(wanted.len() > 50, "only {} entries are kept", wanted.len());
    for program in [Program::EncfsRs, Program::Encfs195] {
        let point = scene.folder("point")?;
        let password = fixture.password()?;
        let view = Mounted::volume(program, &scene.plain, &point, password, &["--reverse"])?;
        same(program.label(), &wanted, &read(view.path())?)?;
        view.unmount()?;
    }
    Ok(())
}

#[test]
fn a_configuration_elsewhere_opens_the_tree_too() -> Result<()> {
    let scene = Scene::filled(&standard())?;
    let elsewhere = scene.folder("elsewhere")?.join("config");
    std::fs::rename(below(&scene.plain, CONFIG), &elsewhere)?;
    let config = elsewhere.to_str().context("a path in UTF-8")?;
    let args = ["--reverse", "-c", config];
    let theirs = scene.view(Program::Encfs195, &args)?;
    let ours = scene.view(Program::EncfsRs, &args)?;
    same("by -c", &read(theirs.path())?, &read(ours.path())?)?;
    theirs.unmount()?;
    ours.unmount()
}

#[test]
fn the_mount_point_in_the_tree_leads_nowhere() -> Result<()> {
    let scene = Scene::empty(&standard())?;
    std::fs::create_dir_all(scene.plain.join("a/point"))?;
    std::fs::write(scene.plain.join("a/file"), b"beside it")?;
    let [point, file] = [b"a/point", &b"a/file"[..]].map(|path| scene.shown_one(path));
    let (point, file) = (point?, file?);
    for program in [Program::Encfs195, Program::EncfsRs] {
        let place = scene.plain.join("a/point");
        let view = Mounted::volume(program, &scene.plain, &place, PASSWORD, &["--reverse"])?;
        let inside = std::fs::metadata(at(&view, &point))
            .err()
            .context("it leads on")?;
        ensure!(inside.raw_os_error() == Some(5), "{inside}");
        ensure!(std::fs::read(at(&view, &file))?.len() == 9);
        let dir = at(&view, &file)
            .parent()
            .map(Path::to_owned)
            .context("no parent")?;
        let names = compat_tests::tree::names_in(&dir)?;
        ensure!(
            names.len() == 2,
            "{} lists {}",
            program.label(),
            names.len()
        );
        view.unmount()?;
    }
    Ok(())
}

#[test]
fn encfsctl_goes_from_a_plain_tree_to_its_view() -> Result<()> {
    for unique_iv in [false, true] {
        let settings = Settings {
            unique_iv,
            ..standard()
        };
        let scene = Scene::filled(&settings)?;
        let view = scene.view(Program::Encfs195, &["--reverse"])?;
        let plain = [
            &b"sizes/0"[..],
            b"sizes/9",
            b"sizes/65537",
            b"odd/+plus",
            CONFIG,
        ];
        let shown = scene.shown(&plain)?;
        let password = format!("{PASSWORD}\n");
        for (plain, shown) in plain.into_iter().zip(&shown) {
            let ctl = |word: &str, path: &[u8]| {
                let args = [
                    os(word.as_bytes()),
                    os(b"--reverse"),
                    scene.plain.as_os_str(),
                    // Encrypted names may begin with a dash.
                    os(b"--"),
                    os(path),
                ];
                Program::EncfsRs.ctl(&args, password.as_bytes())?.success()
            };
            let wanted = std::fs::read(at(&view, shown))?;
            for path in [plain, shown] {
                let got = ctl("cat", path)?;
                ensure!(got.stdout == wanted, "cat --reverse {}", show(path));
            }
            for (word, from, to) in [("decode", plain, &shown[..]), ("encode", shown, plain)] {
                let got = ctl(word, from)?.stdout;
                ensure!(
                    got == [to, b"\n"].concat(),
                    "{word} --reverse {}",
                    show(from)
                );
            }
        }
        view.unmount()?;
    }
    Ok(())
}
