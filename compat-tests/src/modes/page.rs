//! The tables as they stand in `docs/storage-tables.md`, between lines that mark their places.

use std::fmt::Write as _;
use std::process::Command;

use anyhow::{Context, Result};

use super::{Cells, Column, kinds, profiles};
use crate::oracle::Program;
use crate::run::run;

/// The place of a program's table.
#[must_use]
pub fn place(program: Program) -> &'static str {
    match program {
        Program::EncfsRs => "encfs-rs",
        Program::Encfs195 => "EncFS 1.9.5",
    }
}

/// The table: at once and with pauses in one cell, where they differ.
#[must_use]
pub fn table(cells: &Cells) -> String {
    let mut text = String::from("| storage | plain files |");
    let profiles = profiles();
    for profile in &profiles {
        let _ = write!(text, " {} |", profile.name);
    }
    let _ = write!(text, "\n|---|---|{}\n", "---|".repeat(profiles.len()));
    let columns = || {
        [Column::Plain]
            .into_iter()
            .chain((0..profiles.len()).map(Column::Volume))
    };
    for (number, kind) in kinds().iter().enumerate() {
        let _ = write!(text, "| {} |", kind.name);
        for column in columns() {
            let word = cells.get(&(number, column)).map(|[at_once, pauses]| {
                let (one, two) = (at_once.word(), pauses.word());
                if one == two {
                    one
                } else {
                    format!("{one} / {two}")
                }
            });
            let _ = write!(text, " {} |", word.unwrap_or_default());
        }
        text.push('\n');
    }
    text
}

/// The kinds of storage, a line each.
#[must_use]
pub fn kinds_list() -> String {
    let lines = kinds().into_iter();
    lines
        .map(|kind| format!("- **{}**: {}\n", kind.name, kind.about))
        .collect()
}

/// The profiles, a line each.
#[must_use]
pub fn profiles_list() -> String {
    let lines = profiles().into_iter();
    lines
        .map(|p| format!("- **{}**: {}\n", p.name, p.settings.label()))
        .collect()
}

/// When and with what a table is made.
///
/// # Errors
/// When one of the programs is missing.
pub fn made(program: Program) -> Result<String> {
    let first_line = |program: &str, argument: &str| -> Result<String> {
        let ended = run(Command::new(program).arg(argument), b"")?.success()?;
        Ok(ended
            .out()
            .lines()
            .next()
            .unwrap_or_default()
            .trim()
            .to_owned())
    };
    let version = run(program.encfs()?.arg("--version"), b"")?;
    let version = format!("{}{}", version.out(), version.err());
    let version = version.lines().next().unwrap_or_default().trim().to_owned();
    let kernel = first_line("uname", "-r")?;
    let rsync = first_line("rsync", "--version")?;
    let rsync = rsync.split("  protocol").next().unwrap_or_default();
    let date = first_line("date", "-I")?;
    Ok(format!(
        "{date}: {version}; {}; Linux {kernel}\n",
        rsync.replace("  ", " ")
    ))
}

/// What stands at a place.
///
/// # Errors
/// When there is no such place.
pub fn section<'a>(page: &'a str, place: &str) -> Result<&'a str> {
    let (begin, end) = marks(place);
    let (_, rest) = page.split_once(&begin).with_context(|| begin.clone())?;
    let (text, _) = rest.split_once(&end).with_context(|| end.clone())?;
    Ok(text)
}

/// The page with something else at a place.
///
/// # Errors
/// When there is no such place.
pub fn with_section(page: &str, place: &str, text: &str) -> Result<String> {
    let old = section(page, place)?;
    let (begin, end) = marks(place);
    Ok(page.replacen(
        &format!("{begin}{old}{end}"),
        &format!("{begin}{text}{end}"),
        1,
    ))
}

fn marks(place: &str) -> (String, String) {
    (
        format!("<!-- {place} begins -->\n"),
        format!("<!-- {place} ends -->"),
    )
}
