//! pjdfstest on a mount over a local disk: it fails exactly what the format makes impossible.
//!
//! [`LIMITS`] is exact: a case that fails and is not there fails this test, and so does one that is
//! there and no longer fails. The storage itself is tested first and must fail nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use compat_tests::disk::Disk;
use compat_tests::oracle::{Program, suite};
use compat_tests::run::run;
use compat_tests::volumes::{Settings, paranoia, standard};

/// Cases that fail because hard links under external IV chaining are EPERM: a file's header is
/// bound to its path. The list was found on plain ext4 with `link` answering EPERM.
const LIMITS: &[&str] = &[
    "link::changed_ctime_success::block",
    "link::changed_ctime_success::char",
    "link::changed_ctime_success::fifo",
    "link::changed_ctime_success::regular",
    "link::changed_ctime_success::socket",
    "link::remove_link::block",
    "link::remove_link::char",
    "link::remove_link::fifo",
    "link::remove_link::regular",
    "link::remove_link::socket",
    "link::share_metadata::block",
    "link::share_metadata::char",
    "link::share_metadata::fifo",
    "link::share_metadata::regular",
    "link::share_metadata::socket",
    "rename::preserve_metadata::block",
    "rename::preserve_metadata::char",
    "rename::preserve_metadata::fifo",
    "rename::preserve_metadata::regular",
    "rename::preserve_metadata::socket",
    "rename::to_multiply_linked::block",
    "rename::to_multiply_linked::char",
    "rename::to_multiply_linked::fifo",
    "rename::to_multiply_linked::regular",
    "rename::to_multiply_linked::socket",
    "unlink::unchanged_ctime_failed::block",
    "unlink::unchanged_ctime_failed::char",
    "unlink::unchanged_ctime_failed::fifo",
    "unlink::unchanged_ctime_failed::regular",
    "unlink::unchanged_ctime_failed::socket",
    "unlink::update_ctime_success::block",
    "unlink::update_ctime_success::char",
    "unlink::update_ctime_success::fifo",
    "unlink::update_ctime_success::regular",
    "unlink::update_ctime_success::socket",
];

/// What pjdfstest leaves out: cases that remount the filesystem read-only, which would be a test of
/// the kernel, and on FUSE the greatest number of hard links, which nothing can ask for there.
const LEFT_OUT: &[&str] = &["::erofs_", "link::link_count_max"];

/// Three users with their groups; any that are not root will do.
fn users() -> Result<Vec<(String, String)>> {
    let field = |line: &str, index: usize| line.split(':').nth(index).unwrap_or("").to_owned();
    let groups: BTreeMap<_, _> = std::fs::read_to_string("/etc/group")?
        .lines()
        .map(|line| (field(line, 2), field(line, 0)))
        .collect();
    let users: Vec<_> = std::fs::read_to_string("/etc/passwd")?
        .lines()
        .filter(|line| ["nobody", "daemon", "bin"].contains(&&*field(line, 0)))
        .filter_map(|line| Some((field(line, 0), groups.get(&field(line, 3))?.clone())))
        .collect();
    ensure!(
        users.len() == 3,
        "the users nobody, daemon and bin are needed, found {users:?}"
    );
    Ok(users)
}

/// Names of cases by outcome: `ok`, `FAILED`, `skipped`.
type Outcomes = BTreeMap<String, BTreeSet<String>>;

fn pjdfstest(folder: &Path, second: &Path) -> Result<Outcomes> {
    let config = tempfile::NamedTempFile::new()?;
    let users: Vec<_> = users()?
        .iter()
        .map(|(user, group)| format!("[{user:?}, {group:?}]"))
        .collect();
    let text = format!(
        "[features]\nposix_fallocate = {{}}\nrename_ctime = {{}}\nutimensat = {{}}\n\
         utime_now = {{}}\nstat_st_birthtime = {{}}\nsecondary_fs = {second:?}\n\
         [settings]\nnaptime = 0.02\nallow_remount = false\n\
         [dummy_auth]\nentries = [{}]\n",
        users.join(", ")
    );
    std::fs::write(config.path(), text)?;
    let mut command = Command::new(suite("pjdfstest")?);
    command.env("NO_COLOR", "1").env_remove("RUST_BACKTRACE");
    command.arg("-c").arg(config.path()).arg("-p").arg(folder);
    let finished = run(&mut command, b"")?;
    let mut outcomes = Outcomes::new();
    let mut last = None;
    for line in finished.out().lines() {
        let words: Vec<_> = line.split_whitespace().collect();
        if let ([name, outcome], false) = (&*words, line.starts_with(char::is_whitespace)) {
            outcomes
                .entry((*outcome).to_owned())
                .or_default()
                .insert((*name).to_owned());
            last = (*outcome == "FAILED").then_some(*name);
        } else if let Some(name) = last.take() {
            println!("{name}: {}", line.trim());
        }
    }
    let count = |outcome: &str| outcomes.get(outcome).map_or(0, BTreeSet::len);
    println!(
        "pjdfstest on {}: {} passed, {} failed, {} skipped",
        folder.display(),
        count("ok"),
        count("FAILED"),
        count("skipped")
    );
    ensure!(count("ok") > 300, "pjdfstest has not run: {finished}");
    let skipped = outcomes.remove("skipped").unwrap_or_default();
    let expected = |name: &String| LEFT_OUT.iter().any(|part| name.contains(part));
    let unexpected: Vec<_> = skipped.iter().filter(|name| !expected(name)).collect();
    ensure!(unexpected.is_empty(), "skipped: {unexpected:?}");
    Ok(outcomes)
}

fn failing(outcomes: &mut Outcomes) -> BTreeSet<String> {
    outcomes.remove("FAILED").unwrap_or_default()
}

fn check(settings: &Settings, limits: &[&str]) -> Result<()> {
    let disk = Disk::new()?;
    let mount = disk.public_mount(Program::EncfsRs, settings)?;
    let mut outcomes = pjdfstest(mount.path(), disk.path())?;
    mount.unmount()?;
    let failed = failing(&mut outcomes);
    let limits: BTreeSet<_> = limits.iter().map(|name| (*name).to_owned()).collect();
    let new: Vec<_> = failed.difference(&limits).collect();
    let stale: Vec<_> = limits.difference(&failed).collect();
    ensure!(new.is_empty(), "new failures: {new:#?}");
    ensure!(stale.is_empty(), "exceptions that are none: {stale:#?}");
    Ok(())
}

#[test]
fn the_storage_itself_fails_nothing() -> Result<()> {
    let disk = Disk::new()?;
    let second = tempfile::tempdir_in("/dev/shm").context("a second filesystem")?;
    let mut outcomes = pjdfstest(disk.path(), second.path())?;
    let failed = failing(&mut outcomes);
    ensure!(failed.is_empty(), "{failed:#?}");
    Ok(())
}

#[test]
fn standard_fails_nothing() -> Result<()> {
    check(&standard(), &[])
}

#[test]
fn paranoia_fails_hard_links_and_nothing_else() -> Result<()> {
    check(&paranoia(), LIMITS)
}
