//! Called as `mount.TYPE`: the words by which `mount` runs a helper for a type of filesystem.
//!
//! `mount -t TYPE SPEC DIR -o LIST`, or a line of fstab with that type, becomes
//! `mount.TYPE SPEC DIR [-sfnv] [-N NAMESPACE] [-o LIST] [-t TYPE]`. Options of ours stand in the
//! list, as there is no other place for them. `mount` names `nodev` and `nosuid` where they are wanted,
//! and never their opposites, which are usual for everything but FUSE: they are added, as
//! `mount.fuse` does.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

use clap::CommandFactory;

use super::encfs_args::EncfsArgs;
use super::getopt::is_listed;
use super::mount_words::{BadWord, MountWords, escaped, split};
use super::version::called_as;

/// What `mount` asks for.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct HelperWords {
    /// The same in our own words.
    pub(super) words: Vec<OsString>,
    /// Do everything but mount.
    pub(super) fake: bool,
    /// The mount namespace to mount in.
    pub(super) namespace: Option<PathBuf>,
}

/// `None` unless the first word is the name of a helper; the whole line goes back then.
pub(super) fn read(words: Vec<OsString>) -> Result<HelperWords, Vec<OsString>> {
    let name = called_as(words.first().map(OsString::as_os_str), "");
    if !name.starts_with("mount.") {
        return Err(words);
    }
    let mut read = HelperWords::default();
    let mut lists = Vec::new();
    let mut rest = Vec::new();
    let mut sloppy = false;
    let mut words = words.into_iter();
    let program = words.next();
    while let Some(word) = words.next() {
        match word.as_bytes() {
            b"-o" => lists.extend(words.next()),
            b"-N" => read.namespace = words.next().map(PathBuf::from),
            b"-t" => drop(words.next()),
            [b'-', letters @ ..] if letters.iter().all(|letter| b"sfnv".contains(letter)) => {
                sloppy |= letters.contains(&b's');
                read.fake |= letters.contains(&b'f');
            }
            _ => rest.push(word),
        }
    }
    read.words.extend(program);
    read.words.extend(["-o", "dev,suid"].map(OsString::from));
    for list in lists {
        let list = if sloppy { known(&list) } else { list };
        read.words.extend([OsString::from("-o"), list]);
    }
    read.words.extend(rest);
    Ok(read)
}

/// The words of `list` without those that nobody knows.
fn known(list: &OsStr) -> OsString {
    let Some(text) = list.to_str() else {
        return list.to_owned();
    };
    let ours = EncfsArgs::command();
    let is_known = |word: &String| {
        let (key, value) = match word.split_once('=') {
            Some((key, value)) => (key, Some(value)),
            None => (word.as_str(), None),
        };
        let taken = MountWords::default().add(OsStr::new(&escaped(word)));
        is_listed(&ours, key, value) || !matches!(taken, Err(BadWord::Unknown(_)))
    };
    let words: Vec<String> = split(text)
        .into_iter()
        .filter(is_known)
        .map(|word| escaped(&word))
        .collect();
    OsString::from(words.join(","))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_text(line: &str) -> Result<HelperWords, Vec<OsString>> {
        read(line.split(' ').map(OsString::from).collect())
    }

    fn own(line: &str) -> Vec<OsString> {
        line.split(' ').map(OsString::from).collect()
    }

    #[test]
    fn a_helpers_words_become_ours() {
        for (line, expected) in [
            (
                "/sbin/mount.encfs-rs /raw /mnt -o rw,idle=5",
                "/sbin/mount.encfs-rs -o dev,suid -o rw,idle=5 /raw /mnt",
            ),
            (
                "mount.encfs -nv /raw /mnt -t encfs.x -o ro",
                "mount.encfs -o dev,suid -o ro /raw /mnt",
            ),
            (
                "mount.encfs-rs /raw /mnt -s -o ro,bogus,idle=5,extpass=x",
                "mount.encfs-rs -o dev,suid -o ro,idle=5,extpass=x /raw /mnt",
            ),
        ] {
            let read = read_text(line).unwrap();
            assert_eq!(read.words, own(expected), "{line}");
            assert!(!read.fake);
        }
        assert!(read_text("mount.encfs-rs /raw /mnt -f").unwrap().fake);
        let elsewhere = read_text("mount.encfs-rs /raw /mnt -N /proc/1/ns/mnt").unwrap();
        assert_eq!(elsewhere.namespace, Some("/proc/1/ns/mnt".into()));
    }

    #[test]
    fn any_other_name_is_no_helper() {
        for line in ["encfs-rs /raw /mnt", "/mount.d/encfs -u /mnt", "encfs"] {
            assert_eq!(read_text(line).unwrap_err(), own(line));
        }
    }
}
