//! Passwords at a terminal: asked for there, never shown, and the terminal is left as it was.

use std::path::Path;
use std::process::Command;

use anyhow::{Result, ensure};
use compat_tests::manifest::Fixture;
use compat_tests::oracle::Program;
use compat_tests::run::run;
use compat_tests::typist::Typist;

/// The volume `standard` in a folder of its own.
fn volume() -> Result<(tempfile::TempDir, String)> {
    let folder = tempfile::tempdir()?;
    let fixture = Fixture::named("standard")?;
    fixture.unpack(folder.path())?;
    Ok((folder, fixture.password()?.to_owned()))
}

fn encfsctl(words: &[&str], root: &Path) -> Result<Command> {
    let mut command = Program::EncfsRs.encfsctl()?;
    command.args(words).arg(root);
    Ok(command)
}

#[test]
fn a_password_is_not_shown_and_the_echo_comes_back() -> Result<()> {
    let (root, password) = volume()?;
    let mut typist = Typist::start(encfsctl(&["ls"], root.path())?)?;
    assert_eq!(typist.expect("EncFS Password: ")?, "");
    ensure!(
        !typist.echoes()?,
        "the terminal echoes while the password is typed"
    );
    typist.type_keys(&format!("{password}\n"))?;
    let shown = typist.expect("size-1")?;
    assert!(!shown.contains(&password), "{shown}");
    assert!(shown.starts_with("\r\n"), "{shown:?}");
    assert!(
        shown.contains("new\\x0aline"),
        "names are made safe at a terminal: {shown}"
    );
    assert_eq!(typist.status()?, 0);
    ensure!(typist.echoes()?, "the terminal is left without echo");
    Ok(())
}

#[test]
fn a_new_password_is_asked_for_twice() -> Result<()> {
    let (root, password) = volume()?;
    let mut typist = Typist::start(encfsctl(&["passwd"], root.path())?)?;
    typist.expect("Enter current Encfs password")?;
    typist.expect("EncFS Password: ")?;
    typist.type_keys(&format!("{password}\n"))?;
    for (first, second) in [("one", "two"), ("three", "three")] {
        typist.expect("New Encfs Password: ")?;
        typist.type_keys(&format!("{first}\n"))?;
        typist.expect("Verify Encfs Password: ")?;
        typist.type_keys(&format!("{second}\n"))?;
    }
    typist.expect("Volume Key successfully updated.")?;
    assert_eq!(typist.status()?, 0);
    let check = run(
        &mut encfsctl(&["autocheckpasswd"], root.path())?,
        b"three\n",
    )?;
    check.success()?;
    Ok(())
}

#[test]
fn an_interrupt_at_the_prompt_ends_the_program_and_leaves_the_terminal_as_it_was() -> Result<()> {
    // 2, 3: the numbers of INT and QUIT.
    for (key, number) in [("\x03", 2), ("\x1c", 3)] {
        let (root, _) = volume()?;
        let mut typist = Typist::start(encfsctl(&["ls"], root.path())?)?;
        typist.expect("EncFS Password: ")?;
        typist.type_keys("half a pass")?;
        typist.type_keys(key)?;
        // setsid itself gets no signal from the terminal while it only waits: it tells ours.
        assert_eq!(typist.status()?, 128 + number);
        ensure!(typist.echoes()?, "the terminal is left without echo");
    }
    Ok(())
}

#[test]
fn a_wrong_password_is_told_in_the_words_of_encfs() -> Result<()> {
    let (root, _) = volume()?;
    let mut typist = Typist::start(encfsctl(&["ls"], root.path())?)?;
    typist.expect("EncFS Password: ")?;
    typist.type_keys("wrong\n")?;
    typist.expect("Error decoding volume key, password incorrect\r\n")?;
    assert_eq!(typist.status()?, 1);
    Ok(())
}

#[test]
fn a_password_line_on_standard_input_is_not_asked_for_at_the_terminal() -> Result<()> {
    let (root, password) = volume()?;
    let mut typist = Typist::start(encfsctl(&["ls", "-S"], root.path())?)?;
    typist.type_keys(&format!("{password}\n"))?;
    let shown = typist.expect("size-1")?;
    assert!(!shown.contains("EncFS Password"), "{shown}");
    assert_eq!(typist.status()?, 0);
    Ok(())
}

/// At a terminal one line is drawn and taken away; in a pipe there is none so soon.
#[test]
fn long_work_says_how_far_it_is() -> Result<()> {
    let (folder, password) = volume()?;
    let out = tempfile::tempdir()?;
    let target = out.path().to_string_lossy().into_owned();
    for words in [&["showcruft"][..], &["export"]] {
        let mut command = encfsctl(words, folder.path())?;
        if words == ["export"] {
            command.arg(&target);
        }
        let mut typist = Typist::start(command)?;
        typist.expect("EncFS Password: ")?;
        typist.type_keys(&format!("{password}\n"))?;
        let before = typist.expect(" files ")?;
        ensure!(before.contains(words[0]), "{before:?}");
        // The line is erased in the end, before what follows.
        typist.expect("\u{1b}[")?;
        if words == ["showcruft"] {
            typist.expect("Found 0 invalid files.")?;
        }
        ensure!(typist.status()? == 0);
    }
    let input = format!("{password}\n");
    let mut command = encfsctl(&["showcruft", "-S"], folder.path())?;
    let piped = run(&mut command, input.as_bytes())?.success()?;
    ensure!(piped.err() == "Found 0 invalid files.\n", "{piped}");
    Ok(())
}
