//! `make demo-remote`: the article's story on storage like that which it had, with EncFS 1.9.5 and
//! with encfs-rs.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use compat_tests::oracle::{Program, in_path};
use compat_tests::play::{clean_up, mount, mount_from, shown, title, unmount};
use compat_tests::rawfs::{RawFs, preset};

const PASSWORD: &str = "correct horse battery staple";
/// Longer than the storage is late.
const A_MOMENT: Duration = Duration::from_secs(2);

fn main() -> Result<()> {
    println!(
        "A web drive as the article had it, simulated: 20 ms a request; what is written is seen by\n\
         others 400 ms after the close; a file is emptied when that is ordered, but cut to no other size.\n\
         Used as the article uses it: `date > file` once more, rsync, rsync after a change."
    );
    if Program::Encfs195.encfs().is_ok() {
        title("EncFS 1.9.5 with its defaults");
        match act(Program::Encfs195, &["--standard"])?.as_slice() {
            [] => println!("all right, this time"),
            wrong => println!("{}\nNo error was told.", wrong.join("\n")),
        }
    } else {
        title("EncFS 1.9.5 is not installed here, so what it does with its defaults is not shown");
    }
    for (name, args) in [
        ("encfs-rs with the same settings", ["--standard"].as_slice()),
        (
            "encfs-rs, which examines the storage and chooses",
            &["--profile", "auto"],
        ),
    ] {
        title(name);
        let wrong = act(Program::EncfsRs, args)?;
        ensure!(wrong.is_empty(), "{}", wrong.join("\n"));
        println!("every file is what it should be");
    }
    println!("\nDone.");
    Ok(())
}

/// The story with one program. The result: what is wrong in the end.
fn act(program: Program, args: &[&str]) -> Result<Vec<String>> {
    let folder = tempfile::tempdir()?;
    let top = folder.path().canonicalize()?;
    let told = play(program, &top, args);
    for name in ["backupfs", "rawfs"] {
        clean_up(&top.join(name))?;
    }
    told
}

fn play(program: Program, top: &Path, args: &[&str]) -> Result<Vec<String>> {
    let names = ["drive", "rawfs", "backupfs", "documents"];
    let [drive, raw, point, documents] = names.map(|name| top.join(name));
    for dir in [&drive, &raw, &point, &documents] {
        fs::create_dir(dir)?;
    }
    fs::write(documents.join("letter.txt"), "Dear reader,\n".repeat(800))?;
    fs::write(documents.join("list.txt"), "one thing\n")?;
    let storage = RawFs::mount(&drive, &raw, &preset("omnifs").context("no preset")?)?;
    let control = storage.control().clone();
    let a_moment_later = || -> Result<()> {
        control.wait_until_open(0)?;
        control.advance(A_MOMENT);
        Ok(())
    };
    let created = mount(program, top, args, PASSWORD)?;
    if args.contains(&"auto") {
        // What was found and chosen.
        print!("{}", created.out());
    }
    a_moment_later()?;

    let file = point.join("file");
    let shell = |line: &str| -> Result<String> {
        println!("$ {line}");
        let mut sh = Command::new("sh");
        sh.current_dir(top).arg("-c").arg(line);
        let ended = compat_tests::run::run(&mut sh, b"")?.success()?;
        a_moment_later()?;
        Ok(ended.out())
    };
    shell(
        "echo 'A first entry, which is a good deal longer than what comes next.' > backupfs/file",
    )?;
    let date = shell("date | tee backupfs/file")?;
    println!("{}", shell("cat -v backupfs/file")?.trim_end());

    let (source, sink) = (format!("{}/", documents.display()), point.join("documents"));
    let rsync = |args: &[&str]| -> Result<()> {
        let mut rsync = Command::new(in_path("rsync", "rsync")?);
        shown(top, rsync.args(args).arg(&source).arg(&sink), "")?;
        a_moment_later()
    };
    rsync(&["-a"])?;
    fs::write(documents.join("letter.txt"), "Dear reader,\n".repeat(500))?;
    fs::write(documents.join("list.txt"), "one thing\nand another\n")?;
    println!("(a letter gets shorter, a list longer)");
    rsync(&["-a", "--inplace"])?;
    unmount(top, &point)?;
    storage.unmount()?;

    println!("(everything has arrived; read from the drive's own disk:)");
    mount_from(program, top, "drive", &[], PASSWORD)?;
    let mut wrong = Vec::new();
    let mut compare = |name: &str, wanted: &[u8], found: std::io::Result<Vec<u8>>| match found {
        Ok(found) if found == wanted => {}
        Ok(found) => {
            let right = wanted
                .iter()
                .zip(&found)
                .take_while(|(a, b)| a == b)
                .count();
            wrong.push(format!(
                "{name}: {} bytes instead of {}, garbage from byte {right} on",
                found.len(),
                wanted.len()
            ));
        }
        Err(error) => wrong.push(format!("{name}: {error}")),
    };
    compare("file", date.as_bytes(), fs::read(&file));
    for name in ["letter.txt", "list.txt"] {
        let wanted = fs::read(documents.join(name))?;
        compare(
            &format!("documents/{name}"),
            &wanted,
            fs::read(sink.join(name)),
        );
    }
    unmount(top, &point)?;
    Ok(wrong)
}
