//! Man pages and completions, from the definitions that the programs parse with.

use std::fs;
use std::path::Path;

use anyhow::Result;
use clap::Command;
use clap_complete::Shell;
use clap_mangen::Man;

/// The completions, with their places below a prefix; `{}` is the program's name.
const COMPLETIONS: [(Shell, &str); 3] = [
    (Shell::Bash, "share/bash-completion/completions/{}"),
    (Shell::Zsh, "share/zsh/site-functions/_{}"),
    (Shell::Fish, "share/fish/vendor_completions.d/{}.fish"),
];

/// Folder of what belongs to the names of EncFS's own programs, which are only installed on demand.
pub const LINKED: &str = "links";

/// Writes all of them below `folder`, in `share/`; completions for the names of EncFS's own programs in
/// `links/share/`.
///
/// # Errors
/// When a file cannot be written.
pub fn write(folder: &Path) -> Result<()> {
    for definition in encfs_rs::cli::definitions() {
        let name = definition.get_name().to_owned();
        put(
            folder,
            &format!("share/man/man1/{name}.1"),
            &page(&definition)?,
        )?;
        completions(folder, &definition, &name)?;
        if let Some(linked) = name.strip_suffix("-rs") {
            completions(&folder.join(LINKED), &definition, linked)?;
        }
    }
    Ok(())
}

/// A shell looks for completions by the name that is typed, so each name has its own.
fn completions(prefix: &Path, definition: &Command, name: &str) -> Result<()> {
    for (shell, place) in COMPLETIONS {
        let mut text = Vec::new();
        clap_complete::generate(shell, &mut definition.clone(), name, &mut text);
        put(prefix, &place.replace("{}", name), &text)?;
    }
    Ok(())
}

fn put(prefix: &Path, place: &str, bytes: &[u8]) -> Result<()> {
    let path = prefix.join(place);
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    Ok(fs::write(path, bytes)?)
}

/// The man page of a program, each of its commands a section.
fn page(definition: &Command) -> Result<Vec<u8>> {
    let mut built = definition.clone();
    built.build();
    let name = built.get_name().to_owned();
    let man = Man::new(built.clone())
        .title(name.to_uppercase())
        .section("1")
        .source(format!("{name} {}", env!("CARGO_PKG_VERSION")));
    let mut out = Vec::new();
    man.render_title(&mut out)?;
    man.render_name_section(&mut out)?;
    // The directories are one hidden argument of the definition, or come with the commands, so the synopsis is
    // written here.
    let forms = if built.has_subcommands() {
        ["rootDir", "COMMAND [options] rootDir [...]"]
    } else {
        [
            "[options] rootDir mountPoint [\\-\\- FUSE options]",
            "\\-u mountPoint",
        ]
    };
    let escaped = name.replace('-', "\\-");
    let forms = forms.map(|form| format!("\\fB{escaped}\\fR {form}\n"));
    out.extend(format!(".SH SYNOPSIS\n{}", forms.join(".br\n")).bytes());
    man.render_description_section(&mut out)?;
    man.render_options_section(&mut out)?;
    for command in built.get_subcommands() {
        section(&mut out, command)?;
    }
    let notes = built.get_after_long_help().or(built.get_after_help());
    notes_as_typed(&mut out, ".SH NOTES", notes.map(ToString::to_string));
    let others = if built.has_subcommands() {
        "\\fBencfs\\-rs\\fR(1)"
    } else {
        "\\fBencfsctl\\-rs\\fR(1), \\fBfusermount3\\fR(1)"
    };
    out.extend(format!(".SH \"SEE ALSO\"\n{others}\n").bytes());
    Ok(out)
}

fn section(out: &mut Vec<u8>, command: &Command) -> Result<()> {
    let name = command.get_name();
    out.extend(format!(".SH \"COMMAND {name}\"\n").bytes());
    let man = Man::new(command.clone());
    let mut text = Vec::new();
    man.render_description_section(&mut text)?;
    man.render_synopsis_section(&mut text)?;
    man.render_options_section(&mut text)?;
    let text = String::from_utf8(text)?;
    for line in text.lines().filter(|line| *line != ".SH DESCRIPTION") {
        let line = line.replacen(".SH ", ".SS ", 1);
        out.extend(line.bytes().chain([b'\n']));
    }
    let notes = command.get_after_help().map(ToString::to_string);
    notes_as_typed(out, ".SS NOTES", notes);
    Ok(())
}

/// Text whose lines and columns stay as they are.
fn notes_as_typed(out: &mut Vec<u8>, heading: &str, text: Option<String>) {
    let Some(text) = text else { return };
    out.extend(format!("{heading}\n.nf\n").bytes());
    for line in text.lines() {
        let line = line.replace('\\', "\\e").replace('-', "\\-");
        // A full stop or a quote at the start would be a request; \& is nothing.
        let guard = if line.starts_with(['.', '\'']) {
            "\\&"
        } else {
            ""
        };
        out.extend(format!("{guard}{line}\n").bytes());
    }
    out.extend(b".fi\n");
}
