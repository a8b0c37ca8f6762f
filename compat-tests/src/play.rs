//! Commands shown as a person would type them, for demonstrations.

use std::path::Path;
use std::process::Command;

use anyhow::{Result, ensure};

use crate::mounted::{is_mounted, unmount_now, wait_until_unmounted};
use crate::ops::bytes;
use crate::oracle::{Program, in_path};
use crate::run::{Finished, describe, run};

/// Something new begins.
pub fn title(text: &str) {
    println!("\n== {text}");
}

/// Runs a command after showing it, with the folder of the demonstration left out.
///
/// # Errors
/// When it does not end with status 0.
pub fn shown(top: &Path, command: &mut Command, stdin: &str) -> Result<Finished> {
    let line = describe(command).replace(&format!("{}/", top.display()), "");
    let mut words: Vec<_> = line
        .split(' ')
        .filter(|word| !word.ends_with("setsid"))
        .collect();
    if let Some(first) = words.first_mut() {
        *first = first.rsplit('/').next().unwrap_or(first);
    }
    println!("$ {}", words.join(" "));
    run(command, stdin.as_bytes())?.success()
}

/// Mounts the volume in `rawfs` on `backupfs`, both below `top`.
///
/// # Errors
/// When the command fails, or nothing is mounted when it has returned.
pub fn mount(program: Program, top: &Path, args: &[&str], password: &str) -> Result<Finished> {
    mount_from(program, top, "rawfs", args, password)
}

/// [`mount`] of the volume in another folder.
///
/// # Errors
/// As [`mount`].
pub fn mount_from(
    program: Program,
    top: &Path,
    raw: &str,
    args: &[&str],
    password: &str,
) -> Result<Finished> {
    let mut command = program.encfs()?;
    command
        .arg("-S")
        .args(args)
        .args([top.join(raw), top.join("backupfs")]);
    let finished = shown(top, &mut command, &format!("{password}\n"))?;
    ensure!(
        is_mounted(&top.join("backupfs"))?,
        "the command has returned, but nothing is mounted"
    );
    Ok(finished)
}

/// Unmounts `point`, and waits until it is.
///
/// # Errors
/// When it cannot be unmounted.
pub fn unmount(top: &Path, point: &Path) -> Result<()> {
    let mut command = Command::new(in_path("fusermount3", "fuse3")?);
    shown(top, command.arg("-u").arg(point), "")?;
    wait_until_unmounted(point)
}

/// Unmounts what a demonstration that failed has left mounted: its folder is about to go.
///
/// # Errors
/// When it cannot be unmounted.
pub fn clean_up(point: &Path) -> Result<()> {
    if is_mounted(point)? {
        unmount_now(point, true)?;
        wait_until_unmounted(point)?;
    }
    Ok(())
}

/// Some documents.
///
/// # Errors
/// What the system says.
pub fn write_documents(documents: &Path) -> Result<()> {
    let nested = documents.join("letters/2026");
    std::fs::create_dir_all(&nested)?;
    for month in ["January", "May", "October"] {
        std::fs::write(
            nested.join(format!("{month}.txt")),
            format!("Dear reader of {month},\n"),
        )?;
    }
    std::fs::write(
        documents.join("na\u{ef}ve r\u{e9}sum\u{e9}.txt"),
        "with accents\n",
    )?;
    std::fs::write(documents.join("empty"), "")?;
    std::fs::write(documents.join("photo.raw"), bytes(1, 3 << 20))?;
    std::os::unix::fs::symlink("letters/2026/May.txt", documents.join("latest"))?;
    Ok(())
}
