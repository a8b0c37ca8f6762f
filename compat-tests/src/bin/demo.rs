//! `make demo`: the whole of what encfs-rs is for, each step shown as a person would type it.

use std::path::Path;
use std::process::Command;

use anyhow::{Result, ensure};
use compat_tests::oracle::{Program, in_path};
use compat_tests::play::{clean_up, mount, shown, title, unmount, write_documents};
use compat_tests::run::run;
use compat_tests::tree::{names_in, read};

const OLD: &str = "correct horse battery staple";
const NEW: &str = "a new password";

fn main() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let top = folder.path().canonicalize()?;
    let result = demo(&top);
    clean_up(&top.join("backupfs"))?;
    result
}

fn demo(top: &Path) -> Result<()> {
    let [documents, raw, point] = ["documents", "rawfs", "backupfs"].map(|name| top.join(name));
    for dir in [&documents, &raw, &point] {
        std::fs::create_dir(dir)?;
    }
    write_documents(&documents)?;
    let source = format!("{}/", documents.display());
    let sink = format!("{}/", point.display());

    title("A new volume in rawfs, mounted on backupfs");
    mount(Program::EncfsRs, top, &["--standard"], OLD)?;

    title("Documents go in");
    shown(
        top,
        Command::new(in_path("rsync", "rsync")?).args(["-a", &source, &sink]),
        "",
    )?;

    title("Both sides: what is seen, and what is stored");
    side_by_side(top)?;

    title("A second rsync has nothing to send");
    let again = ["-a", "-i", "--stats", &source, &sink];
    let second = shown(top, Command::new("rsync").args(again), "")?;
    for line in second
        .out()
        .lines()
        .filter(|line| line.contains("files transferred"))
    {
        println!("{line}");
    }
    ensure!(
        second.out().contains("files transferred: 0"),
        "files were sent again: {second}"
    );

    title("Unmounted, mounted again, compared byte for byte");
    unmount(top, &point)?;
    mount(Program::EncfsRs, top, &[], OLD)?;
    shown(
        top,
        Command::new("diff").arg("-r").args([&documents, &point]),
        "",
    )?;
    println!("no difference");
    unmount(top, &point)?;

    title("Another password");
    let mut passwd = Program::EncfsRs.encfsctl()?;
    passwd.arg("autopasswd").arg(&raw);
    let changed = shown(top, &mut passwd, &format!("{OLD}\n{NEW}\n"))?;
    print!("{}", changed.out());
    let mut command = Program::EncfsRs.encfs()?;
    let refused = run(
        command.arg("-S").args([&raw, &point]),
        format!("{OLD}\n").as_bytes(),
    )?;
    ensure!(
        !refused.status.success(),
        "the old password still opens the volume"
    );
    println!("the old one no longer opens it");
    mount(Program::EncfsRs, top, &[], NEW)?;
    shown(
        top,
        Command::new("diff").arg("-r").args([&documents, &point]),
        "",
    )?;
    println!("the new one does, and nothing has changed");
    unmount(top, &point)?;

    if Program::Encfs195.encfs().is_ok() {
        title("The same volume in EncFS 1.9.5");
        mount(Program::Encfs195, top, &[], NEW)?;
        shown(
            top,
            Command::new("diff").arg("-r").args([&documents, &point]),
            "",
        )?;
        println!("no difference");
        std::fs::write(
            point.join("by EncFS 1.9.5.txt"),
            "written by the C++ program\n",
        )?;
        unmount(top, &point)?;
        mount(Program::EncfsRs, top, &[], NEW)?;
        let text = std::fs::read_to_string(point.join("by EncFS 1.9.5.txt"))?;
        print!("and encfs-rs reads what EncFS 1.9.5 has added: {text}");
        unmount(top, &point)?;
    } else {
        title("EncFS 1.9.5 is not installed here, so it is not shown opening the same volume");
    }
    println!("\nDone.");
    Ok(())
}

/// The plain tree and, beside each entry, the name that is stored for it.
fn side_by_side(top: &Path) -> Result<()> {
    let raw = top.join("rawfs");
    let plain = read(&top.join("backupfs"))?;
    let names: Vec<_> = plain
        .keys()
        .map(|path| String::from_utf8_lossy(path).into_owned())
        .collect();
    let mut encode = Program::EncfsRs.encfsctl()?;
    encode.arg("encode").arg(&raw).args(&names);
    let encoded = run(&mut encode, format!("{OLD}\n").as_bytes())?
        .success()?
        .out();
    println!(
        "{:<26} {:>9}   {:<48} {:>9}",
        "backupfs", "bytes", "rawfs", "bytes"
    );
    for (name, stored) in names.iter().zip(encoded.lines()) {
        let size = |path: &Path| path.symlink_metadata().map(|meta| meta.len().to_string());
        let short = match stored.char_indices().nth(45) {
            Some((end, _)) => format!("{}...", stored.get(..end).unwrap_or_default()),
            None => stored.to_owned(),
        };
        println!(
            "{name:<26} {:>9}   {short:<48} {:>9}",
            size(&top.join("backupfs").join(name))?,
            size(&raw.join(stored))?,
        );
    }
    let root = names_in(&raw)?;
    ensure!(
        root.contains(&b".encfs6.xml".to_vec()),
        "no configuration in rawfs"
    );
    println!("{:<26} {:>9}   .encfs6.xml", "", "");
    Ok(())
}
