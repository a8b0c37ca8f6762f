//! Writing into a view with `--reversewrite`: what is written is decrypted into the plain tree.

use std::fs::{File, OpenOptions};
use std::os::unix::fs::FileExt;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use compat_tests::mounted::{Mounted, below};
use compat_tests::ops::{Rng, bytes};
use compat_tests::oracle::Program;
use compat_tests::tree::{Look, read};
use compat_tests::volumes::{Cipher, Naming, Settings};

use super::scene::{CONFIG, Scene, at, copy, same_but, settings, standard};

fn matrix() -> Vec<Settings> {
    use Cipher::{Aes, Blowfish};
    use Naming::{Block, Block32, Null, Stream};
    vec![
        standard(),
        settings(Aes, 256, Stream, 512, false, false),
        settings(Aes, 128, Block32, 64, false, true),
        settings(Blowfish, 160, Null, 72, false, false),
        settings(Aes, 192, Block, 4096, false, true),
    ]
}

/// An empty tree with the configuration of another.
fn twin(scene: &Scene) -> Result<Scene> {
    let twin = Scene::bare()?;
    std::fs::copy(below(&scene.plain, CONFIG), below(&twin.plain, CONFIG))?;
    Ok(twin)
}

#[test]
fn a_view_copied_into_a_view_is_the_plain_tree() -> Result<()> {
    for settings in matrix() {
        let scene = Scene::filled(&settings)?;
        let wanted = scene.tree()?;
        for (reader, writer) in [
            (Program::Encfs195, Program::EncfsRs),
            (Program::EncfsRs, Program::Encfs195),
        ] {
            let about = || format!("[{}], written by {}", settings.label(), writer.label());
            let restored = twin(&scene)?;
            let from = scene.view(reader, &["--reverse"])?;
            let to = restored.view(writer, &["--reversewrite"])?;
            copy(from.path(), to.path()).with_context(about)?;
            from.unmount()?;
            to.unmount()?;
            // EncFS 1.9.5 cuts times to microseconds.
            let look = Look {
                mtimes: writer == Program::EncfsRs,
                ..Look::ALL
            };
            let mut seen = restored.tree()?;
            if writer == Program::Encfs195 {
                seen.retain(|path, _| wanted.contains_key(path));
            }
            same_but("restored", &wanted, &seen, look).with_context(about)?;
        }
    }
    Ok(())
}

/// One change of a file in the view.
#[derive(Debug)]
enum Change {
    Write { at: u64, len: usize, seed: u64 },
    Cut(u64),
}

/// Changes of a file, with the size it has after each. With `gaps` writes may begin past the end.
fn changes(rng: &mut Rng, block: u64, gaps: bool) -> Vec<Change> {
    let mut size = 0;
    let mut all = Vec::new();
    for _ in 0..40 {
        let reach = size + if gaps { 3 * block } else { 0 };
        let at = rng.next() % (reach + 1);
        if rng.next().is_multiple_of(5) {
            // A cut only: EncFS 1.9.5 destroys the last block of such a file when it grows.
            size = at.min(size);
            all.push(Change::Cut(size));
        } else {
            let len = 1 + rng.next() % (3 * block);
            all.push(Change::Write {
                at,
                len: usize::try_from(len).unwrap_or(1),
                seed: rng.next(),
            });
            size = size.max(at + len);
        }
    }
    all
}

fn make(file: &File, change: &Change) -> Result<()> {
    match change {
        Change::Write { at, len, seed } => file.write_all_at(&bytes(*seed, *len), *at)?,
        Change::Cut(len) => file.set_len(*len)?,
    }
    Ok(())
}

fn open(path: &Path) -> Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    options
        .open(path)
        .with_context(|| path.display().to_string())
}

/// Writers that begin and end anywhere, skip blocks, and cut: the plain files are those that
/// EncFS 1.9.5 makes of it.
#[test]
fn pieces_and_gaps_are_decrypted_as_by_encfs_1_9_5() -> Result<()> {
    let mut rng = Rng::from_text("pieces and gaps");
    for settings in matrix() {
        let scene = Scene::empty(&settings)?;
        let other = twin(&scene)?;
        let theirs = scene.view(Program::Encfs195, &["--reversewrite"])?;
        let ours = other.view(Program::EncfsRs, &["--reversewrite"])?;
        for round in 0..6_u32 {
            let gaps = round.is_multiple_of(2) && settings.holes;
            let plain_name = format!("file {round}");
            let shown = scene.shown_one(plain_name.as_bytes())?;
            let about = |done: &dyn std::fmt::Debug| {
                format!("[{}] {plain_name} after {done:?}", settings.label())
            };
            // Without gaps the view reads as what was written into it.
            let model = (!gaps).then(|| open(&scene.folder("model")?.join(&plain_name)));
            let model = model.transpose()?;
            let files = [open(&at(&theirs, &shown))?, open(&at(&ours, &shown))?];
            for change in changes(&mut rng, settings.block_size.into(), gaps) {
                for file in files.iter().chain(&model) {
                    make(file, &change)?;
                }
                let read = |folder: &Path| std::fs::read(folder.join(&plain_name));
                let (wanted, seen) = (read(&scene.plain)?, read(&other.plain)?);
                ensure!(
                    wanted.len() == seen.len(),
                    "{}: {} bytes, not {}",
                    about(&change),
                    seen.len(),
                    wanted.len()
                );
                ensure!(wanted == seen, "{}: other plain bytes", about(&change));
                if model.is_some() {
                    let model = read(&scene.folder("model")?)?;
                    let view = std::fs::read(at(&ours, &shown))?;
                    ensure!(view == model, "{}: other bytes in the view", about(&change));
                }
            }
        }
        theirs.unmount()?;
        ours.unmount()?;
    }
    Ok(())
}

/// EncFS 1.9.5 destroys what such a file ended with; here the view keeps what it showed.
#[test]
fn a_view_that_grows_keeps_its_contents() -> Result<()> {
    let scene = Scene::empty(&standard())?;
    let view = scene.view(Program::EncfsRs, &["--reversewrite"])?;
    let shown = scene.shown_one(b"file")?;
    let start = bytes(1, 1500);
    std::fs::write(at(&view, &shown), &start)?;
    for len in [1501, 2000, 2048, 2049, 10_000, 102_400] {
        let file = open(&at(&view, &shown))?;
        file.set_len(len)?;
        drop(file);
        let now = std::fs::read(at(&view, &shown))?;
        ensure!(now.len() as u64 == len, "{len}: {} bytes", now.len());
        ensure!(now.starts_with(&start), "{len}: other contents");
        ensure!(std::fs::metadata(scene.plain.join("file"))?.len() == len);
    }
    // Whole blocks that nobody wrote are zeros in the plain file.
    let plain = std::fs::read(scene.plain.join("file"))?;
    ensure!(plain.iter().skip(10_240).all(|byte| *byte == 0));
    view.unmount()
}

#[test]
fn names_and_links_are_decoded_on_the_way_in() -> Result<()> {
    let scene = Scene::empty(&standard())?;
    let view = scene.view(Program::EncfsRs, &["--reversewrite"])?;
    let plain = [&b"dir"[..], b"dir/file", b"link", b"renamed", b"hard"];
    let shown = scene.shown(&plain)?;
    let [dir, file, link, renamed, hard] =
        [0, 1, 2, 3, 4].map(|n| at(&view, shown.get(n).map_or(&b""[..], Vec::as_slice)));
    std::fs::create_dir(&dir)?;
    std::fs::write(&file, b"12345")?;
    std::os::unix::fs::symlink(file.strip_prefix(view.path())?, &link)?;
    ensure!(std::fs::read_link(scene.plain.join("link"))? == Path::new("dir/file"));
    ensure!(std::fs::read_link(&link)? == file.strip_prefix(view.path())?);
    std::fs::hard_link(&file, &hard)?;
    std::fs::rename(&dir, &renamed)?;
    ensure!(scene.plain.join("renamed/file").is_file() && scene.plain.join("hard").is_file());
    std::fs::remove_file(&link)?;
    std::fs::remove_file(&hard)?;
    let error = std::fs::remove_dir(&renamed)
        .err()
        .context("a full directory went")?;
    ensure!(error.raw_os_error() == Some(39), "{error}");
    // What does not decode cannot be made.
    for (what, result) in [
        (
            "a file",
            std::fs::write(view.path().join("plain-name"), b""),
        ),
        (
            "a directory",
            std::fs::create_dir(view.path().join("plain-name")),
        ),
        ("a link", std::os::unix::fs::symlink("plain-target", &link)),
        (
            "an absolute link",
            std::os::unix::fs::symlink("/etc", &link),
        ),
    ] {
        let error = result.err().with_context(|| format!("{what} was made"))?;
        ensure!(error.raw_os_error() == Some(2), "{what}: {error}");
    }
    ensure!(
        read(&scene.plain)?.len() == 3,
        "the configuration, a directory, a file"
    );
    view.unmount()
}

/// It is needed to open the tree, and whoever writes a copy back must not break it.
#[test]
fn the_configuration_can_be_read_and_not_changed() -> Result<()> {
    let scene = Scene::empty(&standard())?;
    std::fs::write(scene.plain.join("file"), b"contents")?;
    let [config, file] = [CONFIG, b"file"].map(|name| scene.shown_one(name));
    let before = read(&scene.plain)?;
    let view: Mounted = scene.view(Program::EncfsRs, &["--reversewrite"])?;
    let (config, file) = (at(&view, &config?), at(&view, &file?));
    ensure!(!std::fs::read(&config)?.is_empty());
    let refused = [
        ("writing", open(&config).map(drop).err()),
        (
            "removing",
            std::fs::remove_file(&config).err().map(Into::into),
        ),
        (
            "replacing",
            std::fs::rename(&file, &config).err().map(Into::into),
        ),
        (
            "renaming",
            std::fs::rename(&config, &file).err().map(Into::into),
        ),
        (
            "cutting",
            nix::unistd::truncate(&config, 0).err().map(Into::into),
        ),
    ];
    for (what, error) in refused {
        let error: anyhow::Error = error.with_context(|| format!("{what} was done"))?;
        let text = format!("{error:#}");
        ensure!(
            text.contains("EPERM") || text.contains("not permitted"),
            "{what}: {text}"
        );
    }
    view.unmount()?;
    same_but("the plain tree", &before, &read(&scene.plain)?, Look::ALL)
}
