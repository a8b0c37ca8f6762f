//! The configuration in the form of each program that ever wrote one: shown, opened, saved with
//! another password, and saved as EncFS 1.9.5 saves it.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use compat_tests::manifest::{Fixture, names};
use compat_tests::mounted::Mounted;
use compat_tests::oracle::Program;
use compat_tests::pair::{first_few, in_parallel};
use compat_tests::run::{Finished, run};
use compat_tests::tree::{Look, differences, read};
use compat_tests::volumes::{Settings, create_by_dialogue, matrix, with_element};

const NEW: &str = "another password";
/// EDS calls it so; EncFS 1.9.5 does not look for it.
const DOTLESS: &str = "encfs6.xml";
const USUAL: &str = ".encfs6.xml";

/// A copy of a fixture volume, worked on by one program.
struct Copy {
    /// Removes the folder at the end.
    _folder: tempfile::TempDir,
    fixture: Fixture,
    raw: PathBuf,
    point: PathBuf,
    config: PathBuf,
    /// The configuration lies elsewhere and is named.
    named: bool,
}

impl Copy {
    fn of(name: &str) -> Result<Self> {
        let fixture = Fixture::named(name)?;
        let folder = tempfile::tempdir()?;
        let [raw, point] = ["raw", "mnt"].map(|name| folder.path().join(name));
        std::fs::create_dir(&raw)?;
        std::fs::create_dir(&point)?;
        fixture.unpack(&raw)?;
        let config = [USUAL, DOTLESS].map(|name| raw.join(name));
        let config = config.into_iter().find(|path| path.is_file());
        Ok(Self {
            _folder: folder,
            fixture,
            raw,
            point,
            config: config.context("no configuration")?,
            named: false,
        })
    }

    fn move_config(&mut self, to: PathBuf) -> Result<()> {
        std::fs::rename(&self.config, &to)?;
        self.config = to;
        Ok(())
    }

    fn ctl(&self, program: Program, words: &[&str], input: &str) -> Result<Finished> {
        let mut command = program.encfsctl()?;
        if self.named {
            command.env("ENCFS6_CONFIG", &self.config);
        }
        command.args(words).arg(&self.raw);
        run(&mut command, input.as_bytes())
    }

    fn change(&self, program: Program, old: &str, new: &str) -> Result<()> {
        let finished = self.ctl(program, &["autopasswd"], &format!("{old}\n{new}\n"))?;
        let lines = "Enter current Encfs password\nEnter new Encfs password\n\
                     Volume Key successfully updated.\n";
        ensure!(finished.out() == lines, "{finished}");
        finished.success()?;
        Ok(())
    }

    /// The mount shows what the manifest says.
    fn shows(&self, program: Program, password: &str) -> Result<()> {
        let mut command = program.encfs()?;
        if self.named {
            command.env("ENCFS6_CONFIG", &self.config);
        }
        command.args(["-f", "-S"]).arg(&self.raw).arg(&self.point);
        let input = format!("{password}\n");
        let mount = Mounted::by(&mut command, &self.point, input.as_bytes())?;
        let mut seen = read(&self.point)?;
        mount.unmount()?;
        // With null names the file without the dot is one like any other.
        seen.remove(DOTLESS.as_bytes());
        let lines = differences(&self.fixture.tree(&seen)?, &seen, Look::ALL);
        ensure!(lines.is_empty(), "{}", first_few(&lines));
        Ok(())
    }

    /// The configuration without what is random or measured.
    fn layout(&self) -> Result<String> {
        layout(&std::fs::read_to_string(&self.config)?)
    }
}

fn layout(text: &str) -> Result<String> {
    let mut text = text.to_owned();
    for name in ["encodedKeyData", "saltData", "kdfIterations"] {
        // The line ends around the base64 are layout, and its length is.
        let value = element_as_it_is(&text, name)?;
        let masked: String = value
            .chars()
            .map(|c| if c == '\n' { c } else { '*' })
            .collect();
        let masked = if name == "kdfIterations" {
            "*"
        } else {
            &masked
        };
        text = with_element(&text, name, masked)?;
    }
    Ok(text)
}

fn element_as_it_is<'t>(text: &'t str, name: &str) -> Result<&'t str> {
    let (_, rest) = text
        .split_once(&format!("<{name}>"))
        .with_context(|| format!("no {name} in\n{text}"))?;
    let (value, _) = rest.split_once("</").context("no end tag")?;
    Ok(value)
}

/// The volumes of generation 6 that are not in the form that EncFS 1.9.5 writes.
fn of_other_writers() -> Result<Vec<String>> {
    let mut found = names()?;
    found.retain(|name| name.starts_with("writer-") || name.starts_with("v6-"));
    ensure!(found.len() == 16, "{found:?}");
    Ok(found)
}

fn there_and_back(name: &str) -> Result<()> {
    let (mut ours, mut theirs) = (Copy::of(name)?, Copy::of(name)?);
    let old = ours.fixture.password()?.to_owned();
    if ours.config.ends_with(DOTLESS) {
        let refused = theirs.ctl(Program::Encfs195, &["info"], "")?;
        ensure!(refused.code() == Some(1), "1.9.5 finds it: {refused}");
        theirs.move_config(theirs.raw.join(USUAL))?;
    }
    let [shown, expected] = [
        ours.ctl(Program::EncfsRs, &["info"], "")?.success()?,
        theirs.ctl(Program::Encfs195, &["info"], "")?.success()?,
    ];
    ensure!(shown.stdout == expected.stdout, "{shown}\n{expected}");
    ours.shows(Program::EncfsRs, &old)?;

    ours.change(Program::EncfsRs, &old, NEW)?;
    theirs.change(Program::Encfs195, &old, NEW)?;
    let (saved, expected) = (ours.layout()?, theirs.layout()?);
    ensure!(saved == expected, "saved:\n{saved}\nby 1.9.5:\n{expected}");

    if ours.config.ends_with(DOTLESS) {
        ours.shows(Program::EncfsRs, NEW)?;
        ours.move_config(ours.raw.join(USUAL))?;
    }
    ours.shows(Program::Encfs195, NEW)?;
    theirs.shows(Program::EncfsRs, NEW)?;
    ours.change(Program::Encfs195, NEW, &old)?;
    ours.shows(Program::EncfsRs, &old)
}

#[test]
fn every_writers_form_is_shown_opened_and_saved_as_by_1_9_5() -> Result<()> {
    let failures = in_parallel(&of_other_writers()?, |name| {
        there_and_back(name).with_context(|| name.clone())
    });
    ensure!(failures.is_empty(), "{}", failures.join("\n"));
    Ok(())
}

/// EncFSMP keeps the configuration where the user wants it.
#[test]
fn a_configuration_outside_the_folder_is_found_and_saved_there() -> Result<()> {
    let mut copy = Copy::of("writer-encfsmp")?;
    let outside = copy.point.with_file_name("outside.xml");
    copy.move_config(outside.clone())?;
    let old = copy.fixture.password()?.to_owned();
    let option = outside.to_string_lossy().into_owned();
    let none = copy.ctl(Program::EncfsRs, &["info"], "")?;
    ensure!(none.code() == Some(1), "{none}");
    let words = ["autopasswd", "-c", &option];
    copy.ctl(Program::EncfsRs, &words, &format!("{old}\n{NEW}\n"))?
        .success()?;
    ensure!(!copy.raw.join(USUAL).exists());
    copy.named = true;
    copy.shows(Program::EncfsRs, NEW)?;
    copy.shows(Program::Encfs195, NEW)?;
    copy.change(Program::Encfs195, NEW, &old)?;
    copy.shows(Program::EncfsRs, &old)
}

/// Files of other programs between those of Boxcryptor are told, and touched by nothing.
#[test]
fn foreign_files_are_passed_over() -> Result<()> {
    let copy = Copy::of("writer-boxcryptor")?;
    let input = format!("{}\n", copy.fixture.password()?);
    let [ours, theirs] = [Program::EncfsRs, Program::Encfs195]
        .map(|program| copy.ctl(program, &["showcruft"], &input));
    let (ours, theirs) = (ours?.success()?, theirs?.success()?);
    let count = "Found 4 invalid files.\n";
    ensure!(ours.err().ends_with(count), "{ours}");
    ensure!(theirs.err().ends_with(count), "{theirs}");
    let target = tempfile::tempdir()?;
    let mut export = Program::EncfsRs.encfsctl()?;
    export
        .args(["export", "-S"])
        .arg(&copy.raw)
        .arg(target.path());
    let export = run(&mut export, input.as_bytes())?.success()?;
    let note = "4 raw names do not decode and were left out: encfsctl-rs showcruft lists them\n";
    ensure!(export.err() == note, "{export}");
    let seen = read(target.path())?;
    let lines = differences(&copy.fixture.tree(&seen)?, &seen, Look::ALL);
    ensure!(lines.is_empty(), "{}", first_few(&lines));
    Ok(())
}

/// The configuration without the dot decodes to nothing: whoever clears up must not be shown it.
#[test]
fn the_configuration_in_use_is_no_cruft() -> Result<()> {
    let copy = Copy::of("writer-eds-lite")?;
    let input = format!("{}\n", copy.fixture.password()?);
    let finished = copy.ctl(Program::EncfsRs, &["showcruft"], &input)?;
    ensure!(finished.out().is_empty(), "{finished}");
    std::fs::copy(&copy.config, copy.raw.join(USUAL))?;
    let finished = copy.ctl(Program::EncfsRs, &["showcruft"], &input)?;
    ensure!(finished.out().contains(DOTLESS), "{finished}");
    Ok(())
}

fn created(program: Program, answers: &str, options: &[&str]) -> Result<String> {
    let folder = tempfile::tempdir()?;
    let [raw, point] = ["raw", "mnt"].map(|name| folder.path().join(name));
    std::fs::create_dir(&raw)?;
    std::fs::create_dir(&point)?;
    create_by(program, &raw, &point, answers, options)?.success()?;
    let text = std::fs::read_to_string(raw.join(USUAL))?;
    // It says who made it.
    layout(&with_element(&text, "creator", "*")?)
}

fn create_by(
    program: Program,
    raw: &Path,
    point: &Path,
    answers: &str,
    options: &[&str],
) -> Result<Finished> {
    if options.is_empty() {
        return create_by_dialogue(program, raw, point, answers, "created");
    }
    let mut command = program.encfs()?;
    command.arg("-S").args(options).arg(raw).arg(point);
    let finished = run(&mut command, format!("{answers}created\n").as_bytes())?;
    if finished.status.success() {
        compat_tests::mounted::unmount_now(&point.canonicalize()?, true)?;
    }
    Ok(finished)
}

/// Of every setting that the dialogue can express.
#[test]
fn a_new_configuration_is_byte_for_byte_that_of_1_9_5() -> Result<()> {
    let mut cases: Vec<(String, &[&str])> = vec![
        ("\n".to_owned(), &[]),
        ("p\n".to_owned(), &[]),
        (String::new(), &["--standard"]),
        (String::new(), &["--paranoia"]),
        (String::new(), &["--standard", "--require-macs"]),
        (String::new(), &["--standard", "--reverse"]),
        // AES-192, 1024, contents not encrypted, block names
        ("x\n1\n192\n1024\ny\n1\n".to_owned(), &["--insecure"]),
        // per-file IVs in reverse mode
        ("x\n1\n192\n1024\n1\ny\n".to_owned(), &["--reverse"]),
    ];
    let expressible = matrix();
    let expressible = expressible.iter().filter_map(Settings::expert_answers);
    cases.extend(expressible.map(|answers| (answers, &[] as &[&str])));
    ensure!(cases.len() > 30, "{}", cases.len());
    let failures = in_parallel(&cases, |(answers, options)| {
        let about = || format!("{answers:?} {options:?}");
        let ours = created(Program::EncfsRs, answers, options).with_context(about)?;
        let theirs = created(Program::Encfs195, answers, options).with_context(about)?;
        ensure!(ours == theirs, "{}: {ours}\nby 1.9.5: {theirs}", about());
        Ok(())
    });
    ensure!(failures.is_empty(), "{}", failures.join("\n"));
    Ok(())
}
