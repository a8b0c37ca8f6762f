//! The fixture volumes and what their manifests promise.
//!
//! `fixtures/volumes/NAME/` holds `volume.tar.gz`, the raw directory, and `manifest.json`, what a
//! mount must show. `fixtures/volumes/README.md` describes the fields.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use base64::Engine;
use serde_json::Value;

use crate::oracle::in_path;
use crate::run::run;
use crate::tree::{Entry, Kind, Tree, names_in};

/// A volume of `fixtures/volumes`.
#[derive(Debug)]
pub struct Fixture {
    folder: PathBuf,
    manifest: Value,
}

/// The folder of the fixture volumes.
#[must_use]
pub fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/volumes")
}

/// Names of all fixture volumes, sorted.
///
/// # Errors
/// When the folder cannot be listed.
pub fn names() -> Result<Vec<String>> {
    let mut names = Vec::new();
    for name in names_in(&folder())? {
        let name = String::from_utf8(name)?;
        if folder().join(&name).is_dir() {
            names.push(name);
        }
    }
    Ok(names)
}

impl Fixture {
    /// Reads the manifest of `name`.
    ///
    /// # Errors
    /// When it is not there or not JSON.
    pub fn named(name: &str) -> Result<Self> {
        let folder = folder().join(name);
        let text = std::fs::read(folder.join("manifest.json")).with_context(|| name.to_owned())?;
        let manifest = serde_json::from_slice(&text).with_context(|| name.to_owned())?;
        Ok(Self { folder, manifest })
    }

    /// The password.
    ///
    /// # Errors
    /// When the manifest has none.
    pub fn password(&self) -> Result<&str> {
        self.manifest["password"]
            .as_str()
            .context("a manifest without password")
    }

    /// Whether EncFS 1.9.5 opens it.
    #[must_use]
    pub fn opens_in_1_9_5(&self) -> bool {
        self.manifest["opens_in_1_9_5"] == true
    }

    /// Further options that a mount needs.
    ///
    /// # Errors
    /// When one of them is not text.
    pub fn mount_args(&self) -> Result<Vec<&str>> {
        let args = self.manifest["mount_args"].as_array();
        args.into_iter()
            .flatten()
            .map(|arg| arg.as_str().context("mount_args are text"))
            .collect()
    }

    /// Unpacks the raw directory into `raw`, which must exist.
    ///
    /// # Errors
    /// When `tar` fails.
    pub fn unpack(&self, raw: &Path) -> Result<()> {
        let mut tar = Command::new(in_path("tar", "tar")?);
        tar.arg("--no-same-owner")
            .arg("-xpzf")
            .arg(self.folder.join("volume.tar.gz"));
        run(tar.arg("-C").arg(raw), b"")?.success()?;
        Ok(())
    }

    /// What a mount must show. Of links the manifest gives neither mode nor time: these are taken
    /// from `seen`, as are owners.
    ///
    /// # Errors
    /// When the manifest has an entry that is not understood.
    pub fn tree(&self, seen: &Tree) -> Result<Tree> {
        // Of a plain tree the mount shows the view.
        let entries = self.manifest["view"]
            .as_array()
            .or_else(|| self.manifest["entries"].as_array())
            .context("a manifest without entries")?;
        let mut tree = Tree::new();
        let mut groups: HashMap<u64, Vec<Vec<u8>>> = HashMap::new();
        for value in entries {
            let path = bytes(value, "path")?;
            let entry = entry(value, seen.get(&path)).with_context(|| value.to_string())?;
            if let Some(group) = value["links"].as_u64() {
                groups.entry(group).or_default().push(path.clone());
            }
            tree.insert(path, entry);
        }
        for mut group in groups.into_values() {
            group.sort();
            for path in &group {
                if let Some(entry) = tree.get_mut(path) {
                    entry.links = u64::try_from(group.len())?;
                    entry.same_as = group.first().cloned();
                }
            }
        }
        Ok(tree)
    }
}

fn entry(value: &Value, seen: Option<&Entry>) -> Result<Entry> {
    let kind = match value["type"].as_str() {
        Some("file") => Kind::File {
            size: value["size"].as_u64().context("no size")?,
            sha256: value["sha256"].as_str().context("no digest")?.to_owned(),
        },
        Some("dir") => Kind::Dir,
        Some("fifo") => Kind::Fifo,
        Some("link") => Kind::Link {
            target: bytes(value, "target")?,
            size: value["size"].as_u64().context("no size")?,
        },
        other => bail!("type {other:?}"),
    };
    let (mode, mtime) = match (value["mode"].as_str(), value["mtime"].as_i64()) {
        (Some(mode), Some(mtime)) => (u32::from_str_radix(mode, 8)?, (mtime, 0)),
        _ if value["type"] == "link" => seen.map_or((0, (0, 0)), |entry| (entry.mode, entry.mtime)),
        _ => bail!("no mode or time"),
    };
    let owner = seen.map_or((0, 0), |entry| entry.owner);
    Ok(Entry {
        kind,
        mode,
        owner,
        mtime,
        same_as: None,
        links: 1,
        xattrs: BTreeMap::new(),
    })
}

/// The bytes of a field: text, or base64 under the name with `_b64`.
fn bytes(value: &Value, field: &str) -> Result<Vec<u8>> {
    if let Some(text) = value[field].as_str() {
        return Ok(text.as_bytes().to_vec());
    }
    let text = value[format!("{field}_b64")]
        .as_str()
        .with_context(|| format!("no {field}"))?;
    Ok(base64::engine::general_purpose::STANDARD.decode(text)?)
}
