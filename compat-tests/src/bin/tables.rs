//! `tables PAGE [encfs-rs | encfs]`: measures the tables of `docs/storage-tables.md`, of one program
//! or of both, and writes them into the page.

use anyhow::{Context, Result, bail};
use compat_tests::modes::{measure, page};
use compat_tests::oracle::Program;

fn main() -> Result<()> {
    let mut args = std::env::args().skip(1);
    let path = args
        .next()
        .context("usage: tables PAGE [encfs-rs | encfs]")?;
    let programs = match args.next().as_deref() {
        None | Some("") => vec![Program::EncfsRs, Program::Encfs195],
        Some("encfs-rs") => vec![Program::EncfsRs],
        Some("encfs") => vec![Program::Encfs195],
        Some(other) => bail!("{other}: encfs-rs or encfs"),
    };
    let mut text = std::fs::read_to_string(&path).with_context(|| path.clone())?;
    for program in programs {
        let cells = measure(program)?;
        let place = page::place(program);
        let table = page::table(&cells);
        println!("{}\n{table}", program.label());
        for ((kind, column), both) in &cells {
            for (cell, how) in both.iter().zip(["at once", "pauses"]) {
                if cell.word() != "ok" {
                    println!("{kind} {column:?} {how}: {}", cell.details());
                }
            }
        }
        text = page::with_section(&text, place, &table)?;
        text = page::with_section(&text, &format!("{place}, made"), &page::made(program)?)?;
    }
    text = page::with_section(&text, "kinds", &page::kinds_list())?;
    text = page::with_section(&text, "profiles", &page::profiles_list())?;
    std::fs::write(&path, text)?;
    Ok(())
}
