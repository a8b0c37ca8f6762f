//! The transcripts of `tests/cli/*.toml`: what a user types, and byte for byte what comes back.
//!
//! A transcript is a list of steps in an empty folder. A step runs one program, ours or one of
//! the system's, without a terminal, and says what it must print and how it must end:
//!
//! ```toml
//! about = "what the transcript shows"
//! volume = "standard"                   # optional: this fixture, unpacked into raw/
//!
//! [[step]]
//! run = "encfsctl-rs cat raw 'a name'"  # blanks separate words, '...' keeps one together
//! env = { TZ = "UTC" }                  # optional
//! stdin = "password\n"                  # optional
//! status = 0                            # optional: 0 if left out
//! stdout = "..."                        # optional: nothing if left out
//! stderr = "..."                        # optional: nothing if left out
//! ```
//!
//! In words and texts `[DIR]` is the folder. In expected texts `[..]` stands for anything within
//! a line, and a line `...` for any number of lines.
//!
//! With `TRANSCRIPTS=show` in the environment, a text that differs is printed in full.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};
use compat_tests::manifest::Fixture;
use compat_tests::mounted::{is_mounted, unmount_now};
use compat_tests::oracle::{Program, in_path};
use compat_tests::run::{Finished, run};
use toml::{Table, Value};

#[test]
fn every_transcript_comes_back_as_it_is_written() -> Result<()> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cli");
    let mut paths = Vec::new();
    for entry in std::fs::read_dir(&folder)? {
        paths.push(entry?.path());
    }
    paths.sort();
    ensure!(!paths.is_empty(), "no transcripts in {}", folder.display());
    let mut wrong = Vec::new();
    for path in &paths {
        if let Err(error) = play(path) {
            wrong.push(format!("{}: {error:#}", path.display()));
        }
    }
    ensure!(
        wrong.is_empty(),
        "{} of {}\n\n{}",
        wrong.len(),
        paths.len(),
        wrong.join("\n\n")
    );
    Ok(())
}

fn play(path: &Path) -> Result<()> {
    let transcript: Table = std::fs::read_to_string(path)?.parse()?;
    known_keys(&transcript, &["about", "volume", "step"])?;
    text(&transcript, "about")?.context("about is missing")?;
    let scene = Scene::set(text(&transcript, "volume")?)?;
    let steps = transcript
        .get("step")
        .and_then(Value::as_array)
        .context("no [[step]]")?;
    for (index, step) in steps.iter().enumerate() {
        let step = step.as_table().context("a step is a table")?;
        scene
            .act(step)
            .with_context(|| format!("step {}", index + 1))?;
    }
    scene.end()
}

/// The folder of one transcript.
struct Scene {
    /// Removed when dropped.
    _folder: tempfile::TempDir,
    path: PathBuf,
}

impl Scene {
    fn set(volume: Option<&str>) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let path = folder.path().canonicalize()?;
        if let Some(name) = volume {
            let raw = path.join("raw");
            std::fs::create_dir(&raw)?;
            Fixture::named(name)?.unpack(&raw)?;
        }
        Ok(Self {
            _folder: folder,
            path,
        })
    }

    fn act(&self, step: &Table) -> Result<()> {
        known_keys(step, &["run", "env", "stdin", "status", "stdout", "stderr"])?;
        let line = self.filled(text(step, "run")?.context("run is missing")?);
        let mut command = command(&line)?;
        command
            .current_dir(&self.path)
            .env_remove("COLUMNS")
            .env("TZ", "UTC");
        if let Some(variables) = step.get("env") {
            for (name, value) in variables.as_table().context("env is a table")? {
                let value = value.as_str().context("variables are text")?;
                command.env(name, self.filled(value));
            }
        }
        let finished = run(
            &mut command,
            text(step, "stdin")?.unwrap_or_default().as_bytes(),
        )?;
        self.compare(step, &finished)
            .with_context(|| format!("$ {line}"))
    }

    fn compare(&self, step: &Table, finished: &Finished) -> Result<()> {
        let status = match step.get("status") {
            None => 0,
            Some(value) => value.as_integer().context("status is a number")?,
        };
        ensure!(
            finished.code().map(i64::from) == Some(status),
            "not status {status}: {finished}"
        );
        for (name, got) in [("stdout", finished.out()), ("stderr", finished.err())] {
            let expected = self.filled(text(step, name)?.unwrap_or_default());
            if let Err(difference) = matches(&expected, &got) {
                if std::env::var_os("TRANSCRIPTS").is_some() {
                    println!("{name}:\n{got}");
                }
                bail!("{name}: {difference}");
            }
        }
        Ok(())
    }

    fn filled(&self, text: &str) -> String {
        text.replace("[DIR]", &self.path.to_string_lossy())
    }

    fn end(self) -> Result<()> {
        let point = self.path.join("mnt");
        if is_mounted(&point)? {
            unmount_now(&point, true)?;
            bail!("the transcript ends with its mount in place");
        }
        Ok(())
    }
}

impl Drop for Scene {
    fn drop(&mut self) {
        // A step failed; what it left mounted must not keep the folder.
        let point = self.path.join("mnt");
        if is_mounted(&point).unwrap_or(false) {
            let _ = unmount_now(&point, true);
        }
    }
}

fn command(line: &str) -> Result<Command> {
    let words = words(line)?;
    let (program, arguments) = words.split_first().context("run is empty")?;
    let mut command = match program.as_str() {
        "encfs-rs" => Program::EncfsRs.encfs()?,
        "encfsctl-rs" => Program::EncfsRs.encfsctl()?,
        other => Command::new(in_path(other, other)?),
    };
    command.args(arguments);
    Ok(command)
}

fn words(line: &str) -> Result<Vec<String>> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quoted = false;
    for character in line.chars() {
        match character {
            '\'' => {
                quoted = !quoted;
                word.get_or_insert_default();
            }
            ' ' if !quoted => words.extend(word.take()),
            _ => word.get_or_insert_default().push(character),
        }
    }
    ensure!(!quoted, "a quote is not closed: {line}");
    words.extend(word);
    Ok(words)
}

fn text<'t>(table: &'t Table, key: &str) -> Result<Option<&'t str>> {
    match table.get(key) {
        None => Ok(None),
        Some(value) => Ok(Some(
            value.as_str().with_context(|| format!("{key} is text"))?,
        )),
    }
}

fn known_keys(table: &Table, known: &[&str]) -> Result<()> {
    match table.keys().find(|key| !known.contains(&key.as_str())) {
        Some(key) => bail!("unknown key {key}"),
        None => Ok(()),
    }
}

/// Compares line by line; says at which line they part.
fn matches(expected: &str, got: &str) -> Result<(), String> {
    let expected: Vec<&str> = expected.split('\n').collect();
    let got: Vec<&str> = got.split('\n').collect();
    let reached = lines_match(&expected, &got, 0)?;
    if reached {
        Ok(())
    } else {
        Err(difference(&expected, &got))
    }
}

fn lines_match(expected: &[&str], got: &[&str], depth: usize) -> Result<bool, String> {
    if depth > 10_000 {
        return Err("too long".to_owned());
    }
    Ok(match (expected.split_first(), got.split_first()) {
        (None, None) => true,
        (Some((&"...", rest)), None) => lines_match(rest, got, depth + 1)?,
        (Some((&"...", rest)), Some((_, later))) => {
            lines_match(rest, got, depth + 1)? || lines_match(expected, later, depth + 1)?
        }
        (Some((line, rest)), Some((actual, later))) => {
            line_matches(line, actual) && lines_match(rest, later, depth + 1)?
        }
        (Some(_), None) | (None, Some(_)) => false,
    })
}

fn line_matches(expected: &str, got: &str) -> bool {
    match expected.split_once("[..]") {
        None => expected == got,
        Some((before, after)) => got.strip_prefix(before).is_some_and(|rest| {
            let mut starts = rest.char_indices().map(|(at, _)| at).chain([rest.len()]);
            starts.any(|at| line_matches(after, &rest[at..]))
        }),
    }
}

fn difference(expected: &[&str], got: &[&str]) -> String {
    let at = expected
        .iter()
        .zip(got)
        .take_while(|(e, g)| line_matches(e, g))
        .count();
    let show = |lines: &[&str]| {
        lines
            .get(at)
            .map_or("(the end)".to_owned(), |l| format!("{l:?}"))
    };
    format!(
        "line {}:\n  expected {}\n  got      {}",
        at + 1,
        show(expected),
        show(got)
    )
}

#[test]
fn texts_are_compared_as_the_head_of_this_file_says() {
    for (expected, got, same) in [
        ("a\nb\n", "a\nb\n", true),
        ("a\nb\n", "a\nb", false),
        ("a[..]c\n", "abbc\n", true),
        ("a[..]c\n", "ac\n", true),
        ("a[..]c\n", "abd\n", false),
        ("a\n...\nd\n", "a\nb\nc\nd\n", true),
        ("a\n...\nd\n", "a\nd\n", true),
        ("a\n...\nd\n", "a\nb\n", false),
        ("...\n", "anything\nat all\n", true),
        ("", "x", false),
        ("", "", true),
    ] {
        assert_eq!(matches(expected, got).is_ok(), same, "{expected:?} {got:?}");
    }
}

#[test]
fn words_are_separated_by_blanks_and_kept_together_by_quotes() -> Result<()> {
    assert_eq!(words("a  'b c' d'e'f ''")?, ["a", "b c", "def", ""]);
    assert!(words("a 'b").is_err());
    Ok(())
}
