//! The man pages and completions: each is written and names every option of the help.

use std::collections::BTreeSet;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use compat_tests::oracle::{Program, in_path};
use compat_tests::run::run;

const COMMANDS: [&str; 11] = [
    "info",
    "passwd",
    "autopasswd",
    "autocheckpasswd",
    "ls",
    "cat",
    "decode",
    "encode",
    "showcruft",
    "export",
    "probe",
];

/// Long options at the start of a line of the options of a help text.
fn long_options(help: &str) -> BTreeSet<String> {
    help.lines()
        .map(str::trim_start)
        .filter(|line| line.starts_with('-'))
        .filter_map(|line| {
            let at = line.find("--")?;
            let word = line.get(at + 2..)?;
            let end = word
                .find(|c: char| !c.is_ascii_alphanumeric() && c != '-')
                .unwrap_or(word.len());
            Some(word[..end].to_owned())
        })
        .filter(|name| !name.is_empty())
        .collect()
}

fn help_of(words: &[&str], ctl: bool) -> Result<BTreeSet<String>> {
    let ours = Program::EncfsRs;
    let mut command = if ctl { ours.encfsctl()? } else { ours.encfs()? };
    let finished = run(command.args(words).arg("--help"), b"")?.success()?;
    let found = long_options(&finished.out());
    ensure!(found.contains("help"), "no options found in:\n{finished}");
    Ok(found)
}

#[test]
fn pages_and_completions_name_every_option_of_the_help() -> Result<()> {
    let folder = tempfile::tempdir()?;
    compat_tests::docs::write(folder.path())?;
    let encfs = help_of(&[], false)?;
    let mut encfsctl = help_of(&[], true)?;
    for command in COMMANDS.into_iter().chain(["showKey"]) {
        encfsctl.extend(help_of(&[command], true)?);
    }
    ensure!(
        encfs.len() > 20 && encfs.contains("no-default-flags"),
        "{encfs:?}"
    );
    ensure!(
        encfsctl.contains("json") && encfsctl.contains("reverse"),
        "{encfsctl:?}"
    );
    for (name, options) in [("encfs-rs", &encfs), ("encfsctl-rs", &encfsctl)] {
        let places = [
            format!("share/man/man1/{name}.1"),
            format!("share/bash-completion/completions/{name}"),
            format!("share/zsh/site-functions/_{name}"),
            format!("share/fish/vendor_completions.d/{name}.fish"),
        ];
        for place in places {
            let text = std::fs::read_to_string(folder.path().join(&place))
                .with_context(|| place.clone())?;
            let text = text.replace("\\-", "-");
            for option in options {
                // fish names long options without the dashes.
                let named = [format!("--{option}"), format!("-l {option}")]
                    .iter()
                    .any(|word| has_word(&text, word));
                ensure!(named, "{place} does not name --{option}");
            }
            if name == "encfsctl-rs" {
                for command in COMMANDS {
                    ensure!(text.contains(command), "{place} does not name {command}");
                }
            }
        }
    }
    Ok(())
}

/// Whether `word` is there, not only as the start of a longer one.
fn has_word(text: &str, word: &str) -> bool {
    text.match_indices(word).any(|(at, _)| {
        !text[at + word.len()..].starts_with(|c: char| c.is_ascii_alphanumeric() || c == '-')
    })
}

/// The completion for bash is a program that bash can read.
#[test]
fn bash_reads_its_completions() -> Result<()> {
    let folder = tempfile::tempdir()?;
    compat_tests::docs::write(folder.path())?;
    for name in ["encfs-rs", "encfsctl-rs"] {
        let place = folder
            .path()
            .join(format!("share/bash-completion/completions/{name}"));
        run(
            Command::new(in_path("bash", "bash")?).arg("-n").arg(place),
            b"",
        )?
        .success()?;
    }
    Ok(())
}
