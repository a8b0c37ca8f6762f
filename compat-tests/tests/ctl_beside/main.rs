//! encfsctl-rs beside the encfsctl of EncFS 1.9.5, each under the name `encfsctl`: the same words,
//! and what must be the same of status, standard output and standard error.

mod scene;

use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::process::Stdio;

use anyhow::{Context, Result, bail, ensure};
use compat_tests::manifest::{Fixture, names};
use compat_tests::oracle::Program;
use compat_tests::run::{Finished, run, wait};

use scene::{Same, Scene};

const PASSWORD: &str = "standard password";
/// Plain and raw name of a file of the volume `standard`.
const PLAIN: &str = "b";
const RAW: &str = "oWfS-2E8xWKj9k1aIUg30Jmw";

#[test]
fn usage_status_and_streams() -> Result<()> {
    let scene = Scene::of("standard")?;
    std::fs::create_dir(scene.path("empty"))?;
    std::fs::write(scene.path("file"), b"")?;
    let cases: &[(&[&str], Same)] = &[
        (&[], Same::Streams),
        (&["frob", "raw"], Same::Streams),
        // One word is a directory, whatever it is called.
        (&["info"], Same::Streams),
        (&["passwd"], Same::Streams),
        (&["none"], Same::Streams),
        (&["info", "raw", "raw"], Same::Streams),
        (&["info", "raw", "--bogus"], Same::Streams),
        (&["showcruft", "raw", "x"], Same::Streams),
        (&["ls", "raw", "a", "b"], Same::Streams),
        (&["cat", "raw"], Same::Streams),
        (&["info", "none"], Same::Streams),
        (&["info", "file"], Same::Streams),
        (&["info", "empty"], Same::Streams),
        (&["passwd", "empty"], Same::Streams),
        (&["autopasswd", "empty"], Same::Streams),
        (&["autocheckpasswd", "empty"], Same::Streams),
        (&["ls", "empty"], Same::Streams),
        (&["showKey", "empty"], Same::Streams),
        (&["decode", "empty", "x"], Same::Streams),
        (&["encode", "empty", "x"], Same::Streams),
        (&["cat", "empty", "x"], Same::Streams),
        (&["showcruft", "empty"], Same::Streams),
        (&["export", "empty", "out"], Same::Streams),
    ];
    for (words, same) in cases {
        let finished = scene.compare(words, "", *same)?;
        ensure!(finished.code() == Some(1), "{finished}");
    }
    let version = scene.compare(&["--version"], "", Same::Streams)?;
    ensure!(version.err().starts_with("encfsctl version 1.9.5\n"));
    std::fs::write(scene.path("empty/.encfs6.xml"), b"<boost")?;
    for words in [["info", "empty"], ["autopasswd", "empty"], ["ls", "empty"]] {
        scene.compare(&words, "", Same::Streams)?;
    }
    Ok(())
}

/// Byte for byte, of every volume; where ours says more, what.
#[test]
fn info_of_every_volume() -> Result<()> {
    for name in names()? {
        let scene = Scene::of(&name)?;
        match name.as_str() {
            // 1.9.5 takes neither.
            "encfs-1.4.2" => {
                let shown = scene.ours(&["info", "raw"], "")?.success()?.out();
                ensure!(shown.contains("(revision 20080411)"), "{shown}");
                ensure!(scene.theirs(&["info", "raw"], "")?.code() == Some(1));
            }
            "writer-eds-lite" => {
                let shown = scene.ours(&["info", "raw"], "")?.success()?.out();
                ensure!(shown.contains("created by EDS v"), "{shown}");
            }
            // Nobody should have to find out.
            "plaindata" => {
                let shown = scene.ours(&["raw"], "")?.success()?.out();
                let line = "File contents are NOT encrypted.\n";
                let theirs = scene.theirs(&["raw"], "")?.success()?.out();
                ensure!(shown.contains(line) && shown.replace(line, "") == theirs);
            }
            _ => {
                scene.compare(&["raw"], "", Same::Out)?;
                scene.compare(&["info", "raw"], "", Same::Out)?.success()?;
            }
        }
    }
    Ok(())
}

#[test]
fn options_before_the_command() -> Result<()> {
    let scene = Scene::of("standard")?;
    for words in [
        &["-v", "raw"][..],
        &["-v", "info", "raw"],
        &["--verbose", "info", "raw"],
        &["--extpass=false", "info", "raw"],
        &["-v", "--extpass=false", "info", "raw"],
    ] {
        let finished = scene.compare(words, "", Same::Out)?.success()?;
        let verbose = ["-v", "--verbose"].contains(&words[0]);
        ensure!(finished.err().is_empty() != verbose, "{finished}");
    }
    // Lost there, of use here.
    let words = ["--extpass=echo standard password", "decode", "raw", RAW];
    let finished = scene.ours(&words, "")?.success()?;
    ensure!(finished.out() == "b\n", "{finished}");
    Ok(())
}

#[test]
fn passwords_are_checked_and_changed_with_the_same_words() -> Result<()> {
    let scene = Scene::of("standard")?;
    let config = scene.path("raw/.encfs6.xml");
    let before = std::fs::read(&config)?;
    let right = format!("{PASSWORD}\n");
    let empty = format!("{PASSWORD}\n\n");
    let cases: &[(&str, &str, Same)] = &[
        ("autocheckpasswd", &right, Same::Both),
        ("autocheckpasswd", PASSWORD, Same::Both),
        ("autocheckpasswd", "x\n", Same::Both),
        ("autocheckpasswd", "", Same::Out),
        ("autocheckpasswd", "\n", Same::Out),
        ("autopasswd", "x\ny\n", Same::Both),
        ("autopasswd", &right, Same::Out),
        ("autopasswd", &empty, Same::Out),
        ("autopasswd", "", Same::Out),
        ("autopasswd", "\n", Same::Out),
        ("passwd", "x\ny\n", Same::Both),
        ("passwd", &right, Same::Out),
        ("passwd", &empty, Same::Out),
        ("passwd", "", Same::Out),
    ];
    for (command, input, same) in cases {
        scene.compare(&[command, "raw"], input, *same)?;
        ensure!(std::fs::read(&config)? == before, "{command} changed it");
    }
    // Each takes the volume further.
    let [change, back] = [
        format!("{PASSWORD}\nnew\n"),
        format!("new\n{PASSWORD}\n{PASSWORD}\n"),
    ];
    for (command, input) in [("autopasswd", change), ("passwd", back)] {
        let theirs = scene
            .theirs(&[command, "raw"], &input)?
            .success()
            .context(command)?;
        std::fs::write(&config, &before)?;
        if command == "passwd" {
            scene.ours(&["autopasswd", "raw"], &format!("{PASSWORD}\nnew\n"))?;
        }
        let ours = scene.ours(&[command, "raw"], &input)?.success()?;
        let same = (ours.out(), ours.err()) == (theirs.out(), theirs.err());
        ensure!(same, "ours: {ours}\ntheirs: {theirs}");
    }
    scene
        .compare(&["autocheckpasswd", "raw"], &right, Same::Both)?
        .success()?;
    Ok(())
}

#[test]
fn names_are_translated_alike() -> Result<()> {
    let scene = Scene::of("standard")?;
    let input = format!("{PASSWORD}\n");
    let with = |ends: [&str; 2]| format!("{}{RAW}{}", ends[0], ends[1]);
    let raws = [
        RAW.to_owned(),
        with(["/", ""]),
        with(["//", ""]),
        with(["", "/"]),
        with(["", "//"]),
        with(["./", ""]),
        with(["+", ""]),
        String::new(),
        "+".to_owned(),
        ".".to_owned(),
        "..".to_owned(),
        "nonsense".to_owned(),
    ];
    let mut decode = vec!["decode", "raw"];
    decode.extend(raws.iter().map(String::as_str));
    scene.compare(&decode, &input, Same::Out)?.success()?;
    let long = "x".repeat(175);
    let encode = [
        "encode", "raw", "b", "/b", "//b", "b/", "b//", "a//b", "", ".", "..", "/", "+b", "+/b",
        &long,
    ];
    scene.compare(&encode, &input, Same::Both)?.success()?;
    let lines = format!("{PASSWORD}\n\n{RAW}\nnonsense\n/{RAW}\n{RAW}");
    scene.compare(&["decode", "raw"], &lines, Same::Out)?;
    let lines = format!("{PASSWORD}\n\nb\n/tree/secret\n+x\nb");
    scene.compare(&["encode", "raw"], &lines, Same::Both)?;
    scene.compare(&["decode", "raw"], &input, Same::Both)?;
    for words in [
        &["decode", "--extpass=echo standard password", "raw", RAW][..],
        &["decode", "raw", "--extpass", "echo standard password", RAW],
        &["decode", "raw", RAW, "--extp", "echo standard password"],
        &["encode", "--extpass=echo standard password", "raw", PLAIN],
        &["cat", "--extpass=echo standard password", "raw", PLAIN],
        &["cat", "raw", PLAIN, "--extpass=echo standard password"],
    ] {
        scene.compare(words, "", Same::Both)?.success()?;
    }
    Ok(())
}

/// Back In Time keeps them running: an answer comes before the next line is asked.
#[test]
fn each_line_is_answered_before_the_next() -> Result<()> {
    let scene = Scene::of("standard")?;
    for program in [Program::EncfsRs, Program::Encfs195] {
        for (word, question, answer) in [("encode", PLAIN, RAW), ("decode", RAW, PLAIN)] {
            let words = [word, "--extpass=echo standard password", "raw"];
            let mut child = scene
                .command(program, &words)?
                .stdin(Stdio::piped())
                .stdout(Stdio::piped())
                .stderr(Stdio::null())
                .spawn()?;
            let mut to = child.stdin.take().context("stdin")?;
            let mut from = BufReader::new(child.stdout.take().context("stdout")?);
            // In a thread: a program that keeps its answer back must not keep the test.
            let (tell, told) = std::sync::mpsc::channel();
            let reader = std::thread::spawn(move || {
                let mut line = String::new();
                while from.read_line(&mut line).is_ok_and(|length| length > 0) {
                    let _ = tell.send(std::mem::take(&mut line));
                }
            });
            for line in [question, "", "/", question] {
                writeln!(to, "{line}")?;
                let expected = if line == question { answer } else { "" };
                match told.recv_timeout(compat_tests::run::LIMIT) {
                    Ok(line) => ensure!(line.trim_end() == expected, "{word}: {line:?}"),
                    Err(error) => {
                        let _ = child.kill();
                        bail!("{} {word} {line:?}: {error}", program.label());
                    }
                }
            }
            drop(to);
            let status = wait(&mut child, compat_tests::run::LIMIT)?;
            ensure!(status.is_some_and(|status| status.success()));
            let _ = reader.join();
        }
    }
    Ok(())
}

#[test]
fn contents_are_printed_alike() -> Result<()> {
    let scene = Scene::of("standard")?;
    let input = format!("{PASSWORD}\n");
    let raw = format!("/{RAW}");
    let double = format!("//{PLAIN}");
    for (path, same) in [
        (PLAIN, Same::Both),
        (&raw[1..], Same::Both),
        (&raw, Same::Both),
        (&double, Same::Both),
        ("tree/l-up", Same::Both),
        // ENOENT, ENOTDIR, not a file, a link that leads out, a path that does
        ("none", Same::Streams),
        ("b/x", Same::Streams),
        ("tree", Same::Streams),
        ("", Same::Streams),
        ("tree/..", Same::Streams),
        ("l-abs", Same::Streams),
        ("../raw/b", Same::Streams),
        (".encfs6.xml", Same::Streams),
    ] {
        scene.compare(&["cat", "raw", path], &input, same)?;
    }
    Ok(())
}

/// What is right is printed, then the status tells.
#[test]
fn a_damaged_block_ends_cat() -> Result<()> {
    let scene = Scene::of("paranoia")?;
    let input = format!("{}\n", Fixture::named("paranoia")?.password()?);
    let words = ["encode", "raw", "size-4097"];
    let raw = scene.compare(&words, &input, Same::Both)?.success()?.out();
    let raw = scene.path("raw").join(raw.trim_end());
    let mut bytes = std::fs::read(&raw)?;
    let last = bytes.last_mut().context("empty")?;
    *last ^= 1;
    std::fs::write(&raw, bytes)?;
    let words = ["cat", "raw", "size-4097"];
    let (ours, theirs) = (scene.ours(&words, &input)?, scene.theirs(&words, &input)?);
    ensure!(ours.code() == Some(255) && theirs.code() == Some(255));
    // Four blocks of 1016 bytes are whole; 1.9.5 stops at a step of its own, within them.
    ensure!(ours.stdout.len() == 4064 && !theirs.stdout.is_empty());
    ensure!(ours.stdout.starts_with(&theirs.stdout));
    Ok(())
}

/// The view of a plain folder; links are followed wherever they lead.
#[test]
fn a_plain_folder_is_seen_from_the_other_side() -> Result<()> {
    let scene = Scene::of("reverse")?;
    let input = "reverse password\n";
    std::fs::create_dir(scene.path("raw/d"))?;
    std::fs::write(scene.path("raw/one"), b"first\n")?;
    std::fs::write(scene.path("raw/d/two"), b"second\n")?;
    std::fs::write(scene.path("outside"), b"elsewhere\n")?;
    let absolute = scene.path("outside");
    for (target, name) in [
        ("one", "link"),
        ("link", "twice"),
        ("d", "to-dir"),
        ("../one", "d/up"),
        ("../outside", "out"),
        (&absolute.to_string_lossy(), "absolute"),
        ("loop", "loop"),
        ("none", "dangling"),
    ] {
        symlink(target, scene.path("raw").join(name))?;
    }
    for path in ["one", "/one", "link", "twice", "to-dir/two", "d/up"] {
        let words = ["cat", "--reverse", "raw", path];
        let cat = scene.compare(&words, input, Same::Both)?.success()?;
        ensure!(!cat.stdout.is_empty(), "{cat}");
    }
    for path in ["out", "absolute", "../outside", "d/../one", "d/./two"] {
        let words = ["cat", "raw", path, "--reverse"];
        scene.compare(&words, input, Same::Both)?.success()?;
    }
    for path in ["loop", "dangling", "d", "to-dir", "none", "one/x", ""] {
        scene.compare(&["cat", "--reverse", "raw", path], input, Same::Streams)?;
    }
    let plain = ["one", "link", "d/two", "to-dir/two"];
    let words = [&["decode", "--reverse", "raw"][..], &plain].concat();
    let raws = scene.compare(&words, input, Same::Both)?.success()?.out();
    let raws: Vec<_> = raws.lines().collect();
    ensure!(raws.len() == plain.len());
    for raw in &raws {
        scene
            .compare(&["cat", "--reverse", "raw", raw], input, Same::Both)?
            .success()?;
    }
    let words = [&["encode", "--reverse", "raw"][..], &raws].concat();
    scene.compare(&words, input, Same::Both)?.success()?;
    // A leading slash makes it the target of a link.
    let paths = ["/one", "//one", "/d/two", "/", "one/", "+one", "../one", ""];
    let words = [&["decode", "--reverse", "raw"][..], &paths].concat();
    let targets = scene.compare(&words, input, Same::Both)?.success()?.out();
    let target = targets.lines().next().context("no target")?;
    let back = scene.ours(&["encode", "--reverse", "raw", target], input)?;
    ensure!(back.success()?.out() == "/one\n");
    let lines = format!("{input}one\n\nd/two\n");
    scene.compare(&["decode", "--reverse", "raw"], &lines, Same::Both)?;
    // Not every volume has another side.
    let scene = Scene::of("standard")?;
    for word in ["decode", "encode", "cat"] {
        let words = [word, "--reverse", "raw", "x"];
        let refused = scene.compare(&words, "standard password\n", Same::Status)?;
        ensure!(refused.out().contains("not compatible with --reverse"));
    }
    Ok(())
}

/// Rows of `ls` without the two dots, sorted.
fn rows(listing: &Finished) -> Vec<String> {
    let text = listing.out();
    let lines = text.lines();
    let mut rows: Vec<_> = lines
        .filter(|line| !line.ends_with(" .") && !line.ends_with(" .."))
        .map(str::to_owned)
        .collect();
    rows.sort();
    rows
}

#[test]
fn the_root_is_listed_in_the_same_columns() -> Result<()> {
    let scene = Scene::of("standard")?;
    let input = format!("{PASSWORD}\n");
    let ours = scene.ours(&["ls", "raw"], &input)?.success()?;
    let theirs = scene.theirs(&["ls", "raw"], &input)?.success()?;
    // There the month is one too small.
    let right_month = |row: &String| -> Option<String> {
        let (head, month, rest) = (row.get(..17)?, row.get(17..19)?, row.get(19..)?);
        let month: u32 = month.parse().ok()?;
        Some(format!("{head}{:02}{rest}", month + 1))
    };
    let mut expected: Vec<_> = rows(&theirs)
        .iter()
        .map(|row| right_month(row).unwrap_or_else(|| row.clone()))
        .collect();
    expected.sort();
    let got = rows(&ours);
    ensure!(got.len() > 30, "{ours}");
    ensure!(got == expected, "{got:#?}\n{expected:#?}");
    Ok(())
}

/// 1.9.5 leaves out the last character where it holds less than six bits.
#[test]
fn the_key_is_the_same_up_to_what_1_9_5_leaves_out() -> Result<()> {
    for (name, characters) in [("standard", 59), ("paranoia", 70), ("camellia-192", 59)] {
        let scene = Scene::of(name)?;
        let input = format!("{}\n", Fixture::named(name)?.password()?);
        let ours = scene.ours(&["showKey", "raw"], &input)?.success()?.out();
        let theirs = scene.theirs(&["showKey", "raw"], &input)?.success()?.out();
        ensure!(ours.trim_end().len() == characters, "{ours}");
        ensure!(theirs.trim_end().len() == characters - 1, "{theirs}");
        ensure!(ours.starts_with(theirs.trim_end()), "{ours}{theirs}");
    }
    Ok(())
}

/// The words of each command that needs the password, for the volume in `root`.
fn commands(root: &str) -> [Vec<&str>; 7] {
    [
        vec!["ls", root],
        vec!["showKey", root],
        vec!["decode", root, RAW],
        vec!["encode", root, PLAIN],
        vec!["cat", root, PLAIN],
        vec!["showcruft", root],
        vec!["export", root, "out"],
    ]
}

#[test]
fn a_configuration_elsewhere_serves_every_command() -> Result<()> {
    let scene = Scene::of("standard")?;
    let input = format!("{PASSWORD}\n");
    let there = scene.path("key.xml");
    std::fs::rename(scene.path("raw/.encfs6.xml"), &there)?;
    std::fs::create_dir(scene.path("out"))?;
    let others = [
        vec!["info", "raw"],
        vec!["raw"],
        vec!["autocheckpasswd", "raw"],
    ];
    for words in commands("raw").into_iter().chain(others) {
        let missing = scene.ours(&words, &input)?;
        ensure!(missing.code() == Some(1), "{missing}");
        if words != ["raw"] {
            let mut named = words.clone();
            named.extend(["-c", "key.xml"]);
            scene.ours(&named, &input)?.success()?;
        }
        let mut command = scene.command(Program::EncfsRs, &words)?;
        command.env("ENCFS6_CONFIG", &there);
        run(&mut command, input.as_bytes())?.success()?;
    }
    // With the variable set the folder needs only to exist.
    std::fs::create_dir(scene.path("empty"))?;
    for program in [Program::EncfsRs, Program::Encfs195] {
        let mut command = scene.command(program, &["autocheckpasswd", "empty"])?;
        command.env("ENCFS6_CONFIG", &there);
        run(&mut command, input.as_bytes())?.success()?;
    }
    let change = format!("{PASSWORD}\nnew\n");
    scene
        .ours(&["autopasswd", "raw", "-c", "key.xml"], &change)?
        .success()?;
    let back = format!("new\n{PASSWORD}\n{PASSWORD}\n");
    scene
        .ours(&["passwd", "-c", "key.xml", "raw"], &back)?
        .success()?;
    ensure!(!scene.path("raw/.encfs6.xml").exists());
    Ok(())
}

/// EncFS 1.9.5 goes on, with garbage.
#[test]
fn a_wrong_password_is_told_by_every_command() -> Result<()> {
    let scene = Scene::of("standard")?;
    for words in commands("raw") {
        let refused = scene.ours(&words, "wrong\n")?;
        ensure!(refused.code() == Some(1), "{refused}");
        let line = "Error decoding volume key, password incorrect\n";
        ensure!(refused.out() == line, "{refused}");
    }
    ensure!(!scene.path("out").exists());
    Ok(())
}

fn mode(path: &Path) -> Result<u32> {
    Ok(std::fs::symlink_metadata(path)?.permissions().mode() & 0o7777)
}

#[test]
fn export_asks_for_its_target() -> Result<()> {
    // Without a FIFO, which 1.9.5 opens and waits for.
    let scene = Scene::of("writer-encfs-1.7")?;
    let password = "seventeen\n";
    for (answer, words) in [("n\n", "no"), ("", "no"), ("y\n", "yes")] {
        for program in [Program::EncfsRs, Program::Encfs195] {
            let target = format!("out-{words}-{}", program.is_oracle());
            let input = format!("{password}{answer}");
            let export = scene.run(program, &["export", "raw", &target], &input)?;
            let question = "Should it be created? (y,N) ";
            ensure!(export.err().contains(question), "{export}");
            ensure!(export.code() == Some(i32::from(words == "no")), "{export}");
            ensure!(scene.path(&target).exists() == (words == "yes"), "{export}");
        }
    }
    let [ours, theirs] = ["out-yes-false", "out-yes-true"].map(|name| scene.path(name));
    ensure!(mode(&ours)? == 0o700 && mode(&theirs)? == 0o700);
    for path in ["notes.txt", "photos", "empty", "photos/summer 2010.jpg"] {
        let (ours, theirs) = (ours.join(path), theirs.join(path));
        ensure!(mode(&ours)? == mode(&theirs)?, "{path}");
        if ours.is_file() {
            ensure!(std::fs::read(&ours)? == std::fs::read(&theirs)?, "{path}");
        }
    }
    ensure!(std::fs::read_link(ours.join("link"))? == std::fs::read_link(theirs.join("link"))?);
    // A link that is in the way is told; ours says it by the status too.
    std::fs::remove_file(ours.join("link"))?;
    symlink("elsewhere", ours.join("link"))?;
    let again = scene.ours(&["export", "raw", "out-yes-false"], password)?;
    ensure!(
        again.code() == Some(1) && again.err().contains("link: exists"),
        "{again}"
    );
    Ok(())
}

/// Lists and records for programs.
#[test]
fn records_of_names_and_keys() -> Result<()> {
    let scene = Scene::of("standard")?;
    let input = format!("{PASSWORD}\n{RAW}\nnonsense\n");
    let lines = scene.ours(&["decode", "-S", "--json", "raw"], &input)?;
    let lines = lines.success()?.out();
    ensure!(
        lines
            == format!(
                "{{\"plain\":\"b\",\"raw\":\"{RAW}\"}}\n{{\"message\":\"the raw name cannot be \
                 decoded\",\"plain\":null,\"raw\":\"nonsense\"}}\n"
            ),
        "{lines}"
    );
    let line = scene.ours(&["encode", "-S", "raw", "b", "--json"], &input)?;
    let line = line.success()?.out();
    ensure!(
        line == format!("{{\"plain\":\"b\",\"raw\":\"{RAW}\"}}\n"),
        "{line}"
    );
    let key = scene.ours(&["showKey", "-S", "--json", "raw"], &input)?;
    let key: serde_json::Value = serde_json::from_slice(&key.success()?.stdout)?;
    ensure!(key["key"].as_str().is_some_and(|key| key.len() == 59));
    let refused = scene.ours(&["decode", "-S", "--json", "raw", RAW], "wrong\n")?;
    let record: serde_json::Value = serde_json::from_slice(&refused.stdout)?;
    ensure!(record["error"]["kind"] == "wrong_password", "{refused}");
    Ok(())
}
