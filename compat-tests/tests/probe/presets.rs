//! Storage as it is found: what is told of each preset, in the time that it takes.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use compat_tests::rawfs::{PRESETS, preset};
use encfs_rs::probe::{Case, Findings, HardLinks, Outcome};
use rustix::io::Errno;

use super::{all, compare, findings, good, refused, storage};

fn wanted(name: &str) -> Result<Findings> {
    let mut f = good();
    let none = refused(Errno::OPNOTSUPP);
    if name != "clean" && name != "omnifs" {
        f.rename_noreplace = refused(Errno::INVAL);
    }
    match name {
        "clean" => {}
        "omnifs" => {
            f.truncate_to_header = Outcome::Ignored;
            f.truncate_in_block = Outcome::Ignored;
            f.truncate_to_grow = Outcome::Ignored;
            f.size_after_close = Outcome::Late(0);
            f.contents_after_close = Outcome::Late(0);
        }
        "sshfs" => {
            f.times.step = Duration::from_secs(1);
            f.hard_links = HardLinks::NotCounted;
            f.chown = refused(Errno::ACCESS);
            f.fifo = refused(Errno::PERM);
            (f.reserve, f.punch_hole, f.xattr) = (none, none, none);
        }
        "s3fs" => {
            f.times.step = Duration::from_secs(1);
            f.hard_links = HardLinks::Refused(Errno::PERM);
            (f.reserve, f.punch_hole) = (none, none);
        }
        "rclone-off" | "rclone-writes" => {
            // The kernel has answers of its own to what a FUSE filesystem does not know.
            f.hard_links = HardLinks::Refused(Errno::PERM);
            let unknown = refused(Errno::NOSYS);
            (f.symlink_relative, f.symlink_parent) = (unknown, unknown);
            (f.symlink_absolute, f.fifo) = (unknown, unknown);
            (f.chmod, f.chown) = (Outcome::Ignored, Outcome::Ignored);
            (f.reserve, f.punch_hole, f.xattr) = (none, none, none);
            if name == "rclone-off" {
                let no = refused(Errno::PERM);
                (f.truncate_to_header, f.truncate_in_block) = (no, no);
                (f.truncate_to_grow, f.gap, f.append) = (no, no, no);
                (f.overwrite_header, f.overwrite) = (no, no);
                (f.second_write_of_header, f.second_write) = (no, no);
            }
        }
        "davfs2" | "fat" => {
            let no = refused(Errno::PERM);
            f.hard_links = HardLinks::Refused(Errno::PERM);
            (f.symlink_relative, f.symlink_parent) = (no, no);
            (f.symlink_absolute, f.fifo) = (no, no);
            f.xattr = none;
            if name == "davfs2" {
                f.times.set = Outcome::Ignored;
                (f.reserve, f.punch_hole) = (none, none);
            } else {
                f.times.step = Duration::from_secs(2);
                f.names.case = Case::Same;
                f.names.refused = (1..0x20).chain(*b"\"*:<>?\\|").collect();
                (f.chmod, f.chown) = (Outcome::Ignored, Outcome::Ignored);
            }
        }
        other => anyhow::bail!("nothing is known of {other}"),
    }
    Ok(f)
}

#[test]
fn every_preset_is_told_for_what_it_is() -> Result<()> {
    all(
        PRESETS,
        |name| (*name).to_owned(),
        |name| {
            let storage = storage(&preset(name).context("no such preset")?)?;
            let mut found = findings(storage.examine_in_time()?)?;
            storage.is_as_before()?;
            // How late depends on the computer.
            for late in [&mut found.size_after_close, &mut found.contents_after_close] {
                if matches!(late, Outcome::Late(250..)) {
                    *late = Outcome::Late(0);
                }
            }
            compare(&found, &wanted(name)?)
        },
    )
}

#[test]
fn findings_that_matter_to_settings_are_drawn_from_them() -> Result<()> {
    let omnifs = wanted("omnifs")?;
    ensure!(!omnifs.shortening_is_reliable() && omnifs.shortening_to_zero_is_reliable());
    ensure!(omnifs.header_rewrite_is_safe() && !omnifs.shows_changes_at_once());
    let sequential = wanted("rclone-off")?;
    ensure!(!sequential.header_rewrite_is_safe() && !sequential.overwriting_is_safe());
    let fat = wanted("fat")?;
    ensure!(!fat.names_are_safe() && fat.modify_window() == Some(2));
    let clean = wanted("clean")?;
    ensure!(clean.shortening_is_reliable() && clean.overwriting_is_safe());
    ensure!(clean.names_are_safe() && clean.shows_changes_at_once());
    ensure!(clean.modify_window().is_none() && clean.not_found_out().is_none());
    Ok(())
}
