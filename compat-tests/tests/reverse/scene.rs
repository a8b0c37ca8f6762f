//! A plain tree with its configuration, and a mount point for either program.

use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use compat_tests::mounted::{Mounted, below};
use compat_tests::ops::{Habits, apply};
use compat_tests::oracle::{Program, in_path};
use compat_tests::run::run;
use compat_tests::script;
use compat_tests::tree::{Look, Tree, differences, read};
use compat_tests::volumes::{Cipher, Naming, PASSWORD, Settings};
use tempfile::TempDir;

/// The configuration's name in the plain tree.
pub(crate) const CONFIG: &[u8] = b".encfs6.xml";

/// Settings that reverse mode takes.
#[must_use]
pub(crate) fn settings(
    cipher: Cipher,
    key_bits: u32,
    naming: Naming,
    block_size: u32,
    unique_iv: bool,
    holes: bool,
) -> Settings {
    Settings {
        cipher,
        key_bits,
        block_size,
        naming,
        chained: false,
        unique_iv,
        external_iv: false,
        mac_bytes: 0,
        rand_bytes: 0,
        holes,
    }
}

/// The settings of `--reverse --standard`.
#[must_use]
pub(crate) fn standard() -> Settings {
    settings(Cipher::Aes, 192, Naming::Block, 1024, false, true)
}

/// A plain tree.
pub(crate) struct Scene {
    folder: TempDir,
    /// The plain tree.
    pub(crate) plain: PathBuf,
}

impl Scene {
    /// A tree that holds nothing but a configuration with these settings.
    pub(crate) fn empty(settings: &Settings) -> Result<Self> {
        let scene = Self::bare()?;
        settings.write_config(&scene.plain)?;
        Ok(scene)
    }

    /// A tree without a configuration.
    pub(crate) fn bare() -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let plain = folder.path().join("plain");
        std::fs::create_dir(&plain)?;
        Ok(Self { folder, plain })
    }

    /// A tree with one of everything.
    pub(crate) fn filled(settings: &Settings) -> Result<Self> {
        let scene = Self::empty(settings)?;
        for op in script::first(settings) {
            apply(&op, &scene.plain, Habits::default())?;
        }
        for op in script::times(1, &scene.plain)? {
            apply(&op, &scene.plain, Habits::default())?;
        }
        Ok(scene)
    }

    /// A new empty folder beside the tree.
    pub(crate) fn folder(&self, name: &str) -> Result<PathBuf> {
        let path = self.folder.path().join(name);
        std::fs::create_dir_all(&path)?;
        Ok(path)
    }

    /// The view of the tree by `program`.
    pub(crate) fn view(&self, program: Program, args: &[&str]) -> Result<Mounted> {
        let point = self.folder(&format!("view by {}", program.label()))?;
        Mounted::volume(program, &self.plain, &point, PASSWORD, args)
    }

    /// Plain paths as they appear in the view, by the program that made the configuration.
    pub(crate) fn shown(&self, plain: &[&[u8]]) -> Result<Vec<Vec<u8>>> {
        let input = [PASSWORD.as_bytes(), &plain.join(&b'\n'), b""].join(&b'\n');
        let encode = Program::Encfs195
            .ctl(&["encode".as_ref(), self.plain.as_os_str()], &input)?
            .success()?;
        let lines: Vec<Vec<u8>> = encode
            .stdout
            .split(|byte| *byte == b'\n')
            .map(<[u8]>::to_vec)
            .collect();
        ensure!(lines.len() == plain.len() + 1, "encode: {encode}");
        Ok(lines.into_iter().take(plain.len()).collect())
    }

    /// One plain path as it appears in the view.
    pub(crate) fn shown_one(&self, plain: &[u8]) -> Result<Vec<u8>> {
        self.shown(&[plain])?.pop().context("no name")
    }

    /// The plain tree as it is, without its configuration.
    pub(crate) fn tree(&self) -> Result<Tree> {
        let mut tree = read(&self.plain)?;
        tree.remove(CONFIG);
        Ok(tree)
    }
}

/// Copies everything in `from` into the folder `to`, as it is.
pub(crate) fn copy(from: &Path, to: &Path) -> Result<()> {
    let mut cp = Command::new(in_path("cp", "coreutils")?);
    run(cp.arg("-a").arg(from.join(".")).arg(to), b"")?.success()?;
    Ok(())
}

/// That two trees are the same.
pub(crate) fn same(what: &str, wanted: &Tree, seen: &Tree) -> Result<()> {
    same_but(what, wanted, seen, Look::ALL)
}

/// That two trees are the same, as far as `look` goes.
pub(crate) fn same_but(what: &str, wanted: &Tree, seen: &Tree, look: Look) -> Result<()> {
    let lines = differences(wanted, seen, look);
    let few: Vec<_> = lines.iter().take(12).cloned().collect();
    ensure!(
        lines.is_empty(),
        "{what}: {} differences\n  {}",
        lines.len(),
        few.join("\n  ")
    );
    Ok(())
}

/// A path in a view.
#[must_use]
pub(crate) fn at(view: &Mounted, shown: &[u8]) -> PathBuf {
    below(view.path(), shown)
}

/// For messages and arguments.
#[must_use]
pub(crate) fn os(bytes: &[u8]) -> &std::ffi::OsStr {
    std::ffi::OsStr::from_bytes(bytes)
}
