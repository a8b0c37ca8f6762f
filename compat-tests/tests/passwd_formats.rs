//! A password change keeps the format: in volumes of EncFS 1.0, 1.3 and 1.4 only the wrapped key is
//! another one, and EncFS 1.9.5 takes it where it takes the volume at all.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use compat_tests::manifest::Fixture;
use compat_tests::oracle::Program;
use compat_tests::run::Finished;
use serde_json::Value;

const NEW: &str = "another password";

struct Volume {
    /// Removes the folder at the end.
    _folder: tempfile::TempDir,
    root: PathBuf,
    fixture: Fixture,
    config: PathBuf,
}

impl Volume {
    fn unpacked(name: &str, config: &str) -> Result<Self> {
        let fixture = Fixture::named(name)?;
        let folder = tempfile::tempdir()?;
        let root = folder.path().to_owned();
        fixture.unpack(&root)?;
        let config = root.join(config);
        ensure!(config.is_file(), "{name} has no {}", config.display());
        Ok(Self {
            _folder: folder,
            root,
            fixture,
            config,
        })
    }

    fn ctl(&self, program: Program, words: &[&str], input: &str) -> Result<Finished> {
        let mut args: Vec<&str> = words.to_vec();
        let root = self.root.to_string_lossy();
        args.push(&root);
        program.ctl(&args, input.as_bytes())
    }

    fn opens(&self, program: Program, password: &str, right: bool) -> Result<()> {
        let finished = self.ctl(program, &["autocheckpasswd"], &format!("{password}\n"))?;
        let (status, line) = if right {
            (0, "Password is correct")
        } else {
            (1, "Invalid password")
        };
        ensure!(finished.code() == Some(status), "{finished}");
        ensure!(finished.out().contains(line), "{finished}");
        Ok(())
    }

    fn change(&self, program: Program, old: &str, new: &str) -> Result<()> {
        let finished = self.ctl(program, &["autopasswd"], &format!("{old}\n{new}\n"))?;
        let finished = finished.success()?;
        let line = "Volume Key successfully updated.";
        ensure!(finished.out().contains(line), "{finished}");
        Ok(())
    }

    fn info(&self) -> Result<Value> {
        let finished = self.ctl(Program::EncfsRs, &["info", "--json"], "")?;
        Ok(serde_json::from_slice(&finished.success()?.stdout)?)
    }

    fn listing(&self, password: &str) -> Result<String> {
        let finished = self.ctl(Program::EncfsRs, &["ls", "-S"], &format!("{password}\n"))?;
        // Without the folder itself: its time is that of the last change of the password.
        let listing = finished.success()?.out();
        let lines = listing.lines().filter(|line| !line.ends_with(" ."));
        Ok(lines.collect::<Vec<_>>().join("\n"))
    }

    fn configurations(&self) -> Result<Vec<PathBuf>> {
        let mut found = Vec::new();
        for entry in std::fs::read_dir(&self.root)? {
            let path = entry?.path();
            if is_configuration(&path) {
                found.push(path);
            }
        }
        Ok(found)
    }
}

fn is_configuration(path: &Path) -> bool {
    path.file_name()
        .is_some_and(|name| name.to_string_lossy().starts_with(".encfs"))
}

/// With our program there, and with that of 1.9.5 back again where it can.
fn there_and_back(volume: &Volume) -> Result<()> {
    let old = volume.fixture.password()?;
    let before = volume.listing(old)?;
    volume.opens(Program::EncfsRs, old, true)?;
    volume.change(Program::EncfsRs, old, NEW)?;
    let mut programs = vec![Program::EncfsRs];
    if volume.fixture.opens_in_1_9_5() {
        programs.push(Program::Encfs195);
    }
    for program in &programs {
        volume.opens(*program, NEW, true)?;
        volume.opens(*program, old, false)?;
    }
    ensure!(volume.listing(NEW)? == before, "another listing");
    // A wrong old password changes nothing.
    let bytes = std::fs::read(&volume.config)?;
    let refused = volume.ctl(Program::EncfsRs, &["autopasswd"], &format!("{old}\nx\n"))?;
    ensure!(refused.code() == Some(1), "{refused}");
    ensure!(
        std::fs::read(&volume.config)? == bytes,
        "changed by a wrong password"
    );
    // The last one is EncFS 1.9.5, where it opens the volume.
    let last = programs.pop().context("no program")?;
    volume.change(last, NEW, old)?;
    volume.opens(Program::EncfsRs, old, true)?;
    ensure!(volume.listing(old)? == before, "another listing");
    ensure!(volume.configurations()? == std::slice::from_ref(&volume.config));
    Ok(())
}

/// The first and last place where two texts of one length differ.
fn changed(before: &[u8], after: &[u8]) -> Option<(usize, usize)> {
    let differs = |at: &usize| before[*at] != after[*at];
    let first = (0..before.len()).find(differs)?;
    let last = (0..before.len()).rev().find(differs)?;
    Some((first, last))
}

#[test]
fn formats_4_and_5_get_a_new_key_and_nothing_else() -> Result<()> {
    for (name, file) in [
        ("v4", ".encfs4"),
        ("v5-2007", ".encfs5"),
        ("encfs-1.4.2", ".encfs5"),
    ] {
        let volume = Volume::unpacked(name, file)?;
        let (bytes, info) = (std::fs::read(&volume.config)?, volume.info()?);
        there_and_back(&volume).context(name)?;
        let old = volume.fixture.password()?;
        volume.change(Program::EncfsRs, old, NEW)?;
        let after = std::fs::read(&volume.config)?;
        ensure!(volume.info()? == info, "{name}: other settings");
        ensure!(after.len() == bytes.len(), "{name}: another length");
        let (first, last) = changed(&bytes, &after).context("the key is the same")?;
        // 4 bytes of checksum, the key, the IV.
        let key_bits = info["cipher"]["key_bits"].as_u64().context("key_bits")?;
        let wrapped = usize::try_from(4 + key_bits / 8 + 16)?;
        ensure!(
            last - first < wrapped,
            "{name}: bytes {first} to {last} changed, more than the key"
        );
    }
    Ok(())
}

#[test]
fn format_6_from_before_the_salt_gets_one() -> Result<()> {
    let volume = Volume::unpacked("v6-20080813-nosalt", ".encfs6.xml")?;
    let before = volume.info()?;
    ensure!(before["kdf"]["name"] == "encfs-old", "{before}");
    there_and_back(&volume)?;
    let after = volume.info()?;
    ensure!(after["kdf"]["name"] == "pbkdf2-hmac-sha1", "{after}");
    ensure!(after["kdf"]["salt_bits"] == 160, "{after}");
    for kept in [
        "format",
        "creator",
        "cipher",
        "naming",
        "block_size",
        "unique_iv",
    ] {
        ensure!(before[kept] == after[kept], "{kept}: {before} {after}");
    }
    Ok(())
}
