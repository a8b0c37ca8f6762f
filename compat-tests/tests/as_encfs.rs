//! encfs-rs under the name `encfs` beside EncFS 1.9.5: the same words, the same statuses, the same
//! lines that other programs look for on the same streams, the same entries of the mount table.
//!
//! Each script of `tests/as_encfs` is run with either program, after its `prelude`, and must print
//! the same. In a script
//! `t TITLE WORDS...` runs a command line, `encfs` being the program, and prints its status, what
//! it said in the words of the protocol, and what is mounted then, which it unmounts. What the
//! protocol is stands in `docs/cli-abi.md`.

use std::path::Path;

use anyhow::{Context, Result, ensure};
use compat_tests::oracle::Program;
use compat_tests::private::Private;

#[test]
fn every_script_prints_the_same_with_either_program() -> Result<()> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/as_encfs");
    let mut paths = Vec::new();
    for entry in std::fs::read_dir(&folder)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "sh") {
            paths.push(path);
        }
    }
    paths.sort();
    ensure!(!paths.is_empty(), "no scripts in {}", folder.display());
    let prelude = std::fs::read_to_string(folder.join("prelude"))?;
    let mut wrong = Vec::new();
    for path in &paths {
        if let Err(error) = compare(&prelude, path) {
            wrong.push(format!("{}: {error:#}", path.display()));
        }
    }
    ensure!(wrong.is_empty(), "{}", wrong.join("\n\n"));
    Ok(())
}

fn compare(prelude: &str, path: &Path) -> Result<()> {
    let script = format!("{prelude}{}", std::fs::read_to_string(path)?);
    let printed = |program: Program| -> Result<String> {
        let finished = Private::new()?.run(program, &script)?;
        let finished = finished.success().context(program.label())?;
        ensure!(finished.err().is_empty(), "{}: {finished}", program.label());
        Ok(finished.out())
    };
    let theirs = printed(Program::Encfs195)?;
    let ours = printed(Program::EncfsRs)?;
    ensure!(theirs.contains("== "), "the script compares nothing");
    if ours == theirs {
        return Ok(());
    }
    let (ours, theirs) = (cases(&ours), cases(&theirs));
    let differing: Vec<String> = (0..ours.len().max(theirs.len()))
        .filter(|&at| ours.get(at) != theirs.get(at))
        .map(|at| format!("ours: {:?}\n1.9.5: {:?}", ours.get(at), theirs.get(at)))
        .collect();
    anyhow::bail!("\n{}", differing.join("\n"))
}

fn cases(text: &str) -> Vec<&str> {
    text.split("== ").collect()
}
