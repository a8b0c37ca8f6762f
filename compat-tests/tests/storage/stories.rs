//! What the article did with its files, on each storage.

use anyhow::Result;
use compat_tests::storage::davfs::Davfs;
use compat_tests::storage::rclone::Rclone;
use compat_tests::storage::sshd::Ssh;
use compat_tests::storage::story::{EVERYTHING, Limits, story};

#[test]
fn sshfs() -> Result<()> {
    story(&mut Ssh::new(&[])?, EVERYTHING)
}

#[test]
fn rclone_without_a_cache() -> Result<()> {
    let limits = Limits {
        rewrite: false,
        ..EVERYTHING
    };
    story(&mut Rclone::new("off")?, limits)
}

#[test]
fn rclone_that_caches_writes() -> Result<()> {
    story(&mut Rclone::new("writes")?, EVERYTHING)
}

#[test]
fn rclone_that_caches_all() -> Result<()> {
    story(&mut Rclone::new("full")?, EVERYTHING)
}

#[test]
fn davfs2() -> Result<()> {
    // WebDAV cannot set times: they last as long as the mount.
    let limits = Limits {
        times: false,
        times_while_open: false,
        rsync_later: &["--size-only"],
        ..EVERYTHING
    };
    story(&mut Davfs::new()?, limits)
}
