//! encfsctl-rs on volumes that EncFS 1.9.5 wrote: `export` and `showcruft`.

use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::PathBuf;

use anyhow::{Context, Result, ensure};
use compat_tests::oracle::Program;
use compat_tests::pair::{Counts, Pair, first_few};
use compat_tests::script;
use compat_tests::tree::{Look, differences, read};
use compat_tests::volumes::{PASSWORD, Settings, paranoia, standard};

/// A volume filled by EncFS 1.9.5; what it shows lies in the model.
fn filled<'a>(
    folder: &std::path::Path,
    settings: &'a Settings,
    counts: &'a Counts,
) -> Result<Pair<'a>> {
    let pair = Pair::new(folder, settings, counts)?;
    let mount = pair.mount(Program::Encfs195)?;
    pair.change(Program::Encfs195, &script::first(settings), 0)?;
    mount.unmount()?;
    Ok(pair)
}

fn export(pair: &Pair<'_>, target: &std::path::Path) -> Result<compat_tests::run::Finished> {
    let args = [
        "export".as_ref(),
        "-S".as_ref(),
        pair.raw.as_os_str(),
        target.as_os_str(),
    ];
    Program::EncfsRs.ctl(&args, PASSWORD.as_bytes())
}

#[test]
fn export_copies_everything_with_modes_times_and_links() -> Result<()> {
    for settings in [standard(), paranoia()] {
        let (folder, counts) = (tempfile::tempdir()?, Counts::default());
        let pair = filled(folder.path(), &settings, &counts)?;
        let target = folder.path().join("out");
        std::fs::create_dir(&target)?;
        export(&pair, &target)?.success()?;
        let lines = differences(&read(&pair.model)?, &read(&target)?, Look::ALL);
        // Extended attributes are the raw file's own and stay there.
        let lines: Vec<_> = lines
            .into_iter()
            .filter(|line| !line.contains("xattr"))
            .collect();
        ensure!(
            lines.is_empty(),
            "{}:\n  {}",
            settings.label(),
            first_few(&lines)
        );
    }
    Ok(())
}

#[test]
fn export_overwrites_nothing_and_goes_on_past_what_cannot_be_read() -> Result<()> {
    let (folder, counts) = (tempfile::tempdir()?, Counts::default());
    let settings = paranoia();
    let pair = filled(folder.path(), &settings, &counts)?;
    let target = folder.path().join("out");
    std::fs::create_dir_all(target.join("sizes"))?;
    std::fs::write(target.join("sizes/7"), b"mine")?;
    // One block of one file is damaged.
    let victim = damaged(&pair)?;
    let finished = export(&pair, &target)?;
    ensure!(finished.code() == Some(1), "{finished}");
    ensure!(
        finished.err().contains("sizes/7: exists already"),
        "{finished}"
    );
    ensure!(finished.err().contains("authentication"), "{finished}");
    ensure!(std::fs::read(target.join("sizes/7"))? == b"mine");
    ensure!(
        !target.join(&victim).exists(),
        "half of {victim:?} was left"
    );
    ensure!(target.join("sizes/9").exists() && target.join("tree/a/b").is_dir());
    Ok(())
}

#[test]
fn export_started_again_goes_on() -> Result<()> {
    let (folder, counts) = (tempfile::tempdir()?, Counts::default());
    let settings = standard();
    let pair = filled(folder.path(), &settings, &counts)?;
    let target = folder.path().join("out");
    std::fs::create_dir(&target)?;
    export(&pair, &target)?.success()?;
    let first = read(&target)?;
    // As if it had been stopped before one file; another was changed since.
    std::fs::remove_file(target.join("sizes/7"))?;
    let again = export(&pair, &target)?.success()?;
    ensure!(again.err().is_empty(), "{again}");
    let lines = differences(&first, &read(&target)?, Look::ALL);
    ensure!(lines.is_empty(), "{}", first_few(&lines));
    std::fs::write(target.join("sizes/7"), b"mine now")?;
    let args = [
        "export".as_ref(),
        "--json".as_ref(),
        "-S".as_ref(),
        pair.raw.as_os_str(),
        target.as_os_str(),
    ];
    let third = Program::EncfsRs.ctl(&args, PASSWORD.as_bytes())?;
    ensure!(third.code() == Some(1), "{third}");
    ensure!(
        third.err() == "sizes/7: exists already and was left as it is\n",
        "{third}"
    );
    ensure!(std::fs::read(target.join("sizes/7"))? == b"mine now");
    let lines: Vec<serde_json::Value> = third
        .out()
        .lines()
        .map(serde_json::from_str)
        .collect::<Result<_, _>>()?;
    let [numbers, failure] = lines.as_slice() else {
        anyhow::bail!("{third}");
    };
    ensure!(
        numbers["failed"] == 1 && numbers["existing"].as_u64() > Some(10),
        "{third}"
    );
    ensure!(failure["error"]["kind"] == "incomplete", "{third}");
    Ok(())
}

/// With `--json` the reason is a record, whatever it is.
#[test]
fn reasons_are_records_for_programs() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let nowhere = folder.path().join("nowhere");
    let nowhere = nowhere.to_string_lossy();
    let empty = folder.path().to_string_lossy();
    let cases: [(&[&str], &str); 12] = [
        (&["info", "--json", &nowhere], "no_directory"),
        (&["info", "--json", &empty], "no_volume"),
        (&["info", "--json"], "usage"),
        (&[&nowhere, "--json"], "no_directory"),
        (&["ls", "--json", &nowhere], "no_directory"),
        (&["ls", "--json", "-S", &empty], "no_volume"),
        (&["ls", "--json"], "usage"),
        (&["showcruft", "--json", "-S", &empty], "no_volume"),
        (&["showcruft", "--json"], "usage"),
        (&["export", "--json", &empty, &empty], "no_volume"),
        (&["export", "--json", &empty], "usage"),
        (&["export", "--json", "--bogus", &empty, &empty], "usage"),
    ];
    for (args, kind) in cases {
        let finished = Program::EncfsRs.ctl(args, b"")?;
        ensure!(finished.code() == Some(1), "{finished}");
        ensure!(finished.err().is_empty(), "{finished}");
        let record: serde_json::Value =
            serde_json::from_str(&finished.out()).with_context(|| finished.to_string())?;
        ensure!(record["error"]["kind"] == kind, "{finished}");
        ensure!(record["error"]["message"].is_string(), "{finished}");
    }
    Ok(())
}

#[test]
fn the_key_is_shown_by_any_way_to_the_password() -> Result<()> {
    let (folder, counts) = (tempfile::tempdir()?, Counts::default());
    let settings = standard();
    let pair = filled(folder.path(), &settings, &counts)?;
    let line = format!("{PASSWORD}\n");
    let theirs = Program::Encfs195
        .ctl(&["showKey".as_ref(), pair.raw.as_os_str()], line.as_bytes())?
        .success()?;
    let program = format!("--extpass=echo '{PASSWORD}'");
    for (option, input) in [("-S", &*line), ("--stdinpass", &*line), (&*program, "")] {
        let args = ["showKey".as_ref(), option.as_ref(), pair.raw.as_os_str()];
        let ours = Program::EncfsRs.ctl(&args, input.as_bytes())?.success()?;
        let key = ours.out();
        // EncFS leaves out the last digit where it holds less than six bits: 44 bytes are 58 2/3.
        ensure!(key.trim().len() == 59, "{ours}");
        ensure!(
            key.trim().get(..58) == Some(theirs.out().trim()),
            "{theirs}\n{ours}"
        );
    }
    Ok(())
}

/// Damages the largest raw file; its plain path.
fn damaged(pair: &Pair<'_>) -> Result<PathBuf> {
    let largest = |root: &std::path::Path| -> Result<PathBuf> {
        let mut found = (0, PathBuf::new());
        let mut open = vec![root.to_owned()];
        while let Some(dir) = open.pop() {
            for entry in std::fs::read_dir(dir)? {
                let entry = entry?;
                let (path, status) = (entry.path(), entry.metadata()?);
                if status.is_dir() {
                    open.push(path);
                } else if status.is_file() && status.size() > found.0 && status.blocks() > 100 {
                    found = (status.size(), path);
                }
            }
        }
        Ok(found.1)
    };
    let raw = largest(&pair.raw)?;
    let mut bytes = std::fs::read(&raw)?;
    let at = bytes.len() / 2;
    bytes[at] ^= 1;
    std::fs::write(&raw, bytes)?;
    let plain = largest(&pair.model)?;
    Ok(plain.strip_prefix(&pair.model)?.to_owned())
}

#[test]
fn showcruft_prints_what_encfs_1_9_5_prints() -> Result<()> {
    let (folder, counts) = (tempfile::tempdir()?, Counts::default());
    let settings = standard();
    let pair = filled(folder.path(), &settings, &counts)?;
    std::fs::write(pair.raw.join("conflicted copy"), b"")?;
    let dir = std::fs::read_dir(&pair.raw)?
        .filter_map(Result::ok)
        .find(|entry| entry.path().is_dir())
        .context("a directory")?;
    std::fs::write(dir.path().join("not,a-name"), b"")?;
    std::fs::set_permissions(dir.path(), std::fs::Permissions::from_mode(0o755))?;
    let seen = |program: Program| -> Result<Vec<String>> {
        let args = ["showcruft".as_ref(), pair.raw.as_os_str()];
        let finished = program
            .ctl(&args, format!("{PASSWORD}\n").as_bytes())?
            .success()?;
        ensure!(
            finished.err().contains("Found 2 invalid files"),
            "{finished}"
        );
        // Slashes are doubled there, and the order is the storage's.
        let mut lines: Vec<_> = finished
            .out()
            .lines()
            .map(|l| l.replace("//", "/"))
            .collect();
        lines.sort();
        Ok(lines)
    };
    let (theirs, ours) = (seen(Program::Encfs195)?, seen(Program::EncfsRs)?);
    ensure!(theirs == ours, "theirs {theirs:#?}, ours {ours:#?}");
    Ok(())
}
