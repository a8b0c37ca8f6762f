//! The man pages and completions: each names every option of the help, and is taken by the program that it is
//! for; where they are installed.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use compat_tests::docs::LINKED;
use compat_tests::oracle::{Program, in_path};
use compat_tests::run::{Finished, run};

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

/// Each name, the folder below which its completions lie, and the start of an option with all of it.
const NAMES: [(&str, &str, &str, &str); 4] = [
    ("encfs-rs", "", "--par", "--paranoia"),
    ("encfsctl-rs", "", "showc", "showcruft"),
    ("encfs", LINKED, "--par", "--paranoia"),
    ("encfsctl", LINKED, "showc", "showcruft"),
];

fn shell(name: &str, words: &[&str], script: &str) -> Result<Finished> {
    let mut command = Command::new(in_path(name, name)?);
    // Nothing of whoever runs the tests.
    let home = tempfile::tempdir()?;
    command.env("HOME", home.path()).env("LC_ALL", "C.UTF-8");
    command.env_remove("XDG_CONFIG_HOME").env("TERM", "dumb");
    run(command.args(words).arg(script), b"")?.success()
}

/// Each shell reads its completions without a word and completes by them.
#[test]
fn the_shells_complete() -> Result<()> {
    let folder = tempfile::tempdir()?;
    compat_tests::docs::write(folder.path())?;
    for (name, below, start, whole) in NAMES {
        let share = folder.path().join(below).join("share");
        let share = share.display();
        let bash = format!(
            "set -e; source {share}/bash-completion/completions/{name}; \
             spec=$(complete -p {name}); function=${{spec#*-F }}; \
             COMP_WORDS=({name} {start}); COMP_CWORD=1; \
             ${{function%% *}} {name} {start} {name}; echo \"${{COMPREPLY[@]}}\""
        );
        let zsh = format!(
            "fpath=({share}/zsh/site-functions $fpath); autoload -Uz compinit; compinit -u -D; \
             autoload +X {function} && print $_comps[{name}] && zsh -n {share}/zsh/site-functions/_{name}",
            function = format_args!("_{name}"),
        );
        let fish = format!(
            "source {share}/fish/vendor_completions.d/{name}.fish; complete -C '{name} {start}'"
        );
        let own = format!("_{name}");
        for (program, words, script, expected) in [
            ("bash", &["--norc", "-c"][..], bash, whole),
            ("zsh", &["-f", "-c"], zsh, &own),
            ("fish", &["--no-config", "-c"], fish, whole),
        ] {
            let said = shell(program, words, &script)?;
            ensure!(said.err().is_empty(), "{said}");
            ensure!(has_word(&said.out(), expected), "{name}: {said}");
        }
    }
    Ok(())
}

fn rendered(page: &Path) -> Result<Finished> {
    let mut man = Command::new(in_path("man", "man-db")?);
    man.args(["--warnings", "--local-file"]).arg(page);
    man.env("LC_ALL", "C.UTF-8").env("MANWIDTH", "90");
    run(man.env("MANPAGER", "cat"), b"")
}

#[test]
fn man_renders_the_pages_without_a_warning() -> Result<()> {
    let folder = tempfile::tempdir()?;
    compat_tests::docs::write(folder.path())?;
    for name in ["encfs-rs", "encfsctl-rs"] {
        let page = folder.path().join(format!("share/man/man1/{name}.1"));
        let said = rendered(&page)?.success()?;
        ensure!(said.err().is_empty(), "{said}");
        for part in ["NAME", "SYNOPSIS", "OPTIONS", "Example", "SEE ALSO"] {
            ensure!(said.out().contains(part), "{name} lacks {part}: {said}");
        }
        // The check would see a fault.
        let mut text = std::fs::read(&page)?;
        text.extend(b".NOSUCHMACRO\n");
        std::fs::write(&page, text)?;
        ensure!(!rendered(&page)?.err().is_empty());
    }
    Ok(())
}

/// Every command shows how it is used.
#[test]
fn each_help_has_an_example() -> Result<()> {
    let ours = Program::EncfsRs;
    let mut commands = vec![ours.encfs()?, ours.encfsctl()?];
    for word in COMMANDS.into_iter().chain(["showKey"]) {
        let mut command = ours.encfsctl()?;
        command.arg(word);
        commands.push(command);
    }
    for mut command in commands {
        let help = run(command.arg("--help"), b"")?.success()?;
        ensure!(help.out().contains("\nExample"), "{help}");
    }
    Ok(())
}

/// What `make install` puts where, from a target folder that is already built.
#[test]
fn make_install_puts_everything_in_place() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let (target, dest) = (folder.path().join("target"), folder.path().join("dest"));
    compat_tests::docs::write(&target.join("docs"))?;
    let ours = Program::EncfsRs.encfs()?;
    let program = Path::new(ours.get_args().next().context("no path")?);
    let built = program.parent().context("no folder")?;
    std::os::unix::fs::symlink(built, target.join("release"))?;
    for (links, prefix) in [(false, "/usr"), (true, "/opt/encfs")] {
        let mut make = Command::new(in_path("make", "build-essential")?);
        make.arg("-C")
            .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/.."));
        make.args(["-o", "build", "-o", "docs", "install"]);
        make.arg(format!("PREFIX={prefix}"));
        for (name, path) in [("CARGO_TARGET_DIR", &target), ("DESTDIR", &dest)] {
            make.arg(format!("{name}={}", path.display()));
        }
        if links {
            make.arg("LINKS=1");
        }
        // Flags of a make that runs the tests are not for this one.
        make.env_remove("MAKEFLAGS").env_remove("MFLAGS");
        run(&mut make, b"")?.success()?;
        let prefix = dest.join(prefix.trim_start_matches('/'));
        for (name, below, ..) in NAMES {
            let places = [
                format!("bin/{name}"),
                format!("share/man/man1/{name}.1"),
                format!("share/bash-completion/completions/{name}"),
                format!("share/zsh/site-functions/_{name}"),
                format!("share/fish/vendor_completions.d/{name}.fish"),
            ];
            let wanted = links || below.is_empty();
            for place in places {
                // Through the links, to something that is there.
                let there = prefix.join(&place).is_file();
                ensure!(there == wanted, "{place}, with links: {links}");
            }
            if wanted {
                let version = run(
                    Command::new(prefix.join("bin").join(name)).arg("--version"),
                    b"",
                )?;
                let theirs = name.trim_end_matches("-rs");
                let line = format!("{theirs} version 1.9.5\n");
                ensure!(version.success()?.err().starts_with(&line));
            }
        }
    }
    Ok(())
}
