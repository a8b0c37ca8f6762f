//! The words of `-o`: which the kernel takes, which mean something to us, which are dropped.
//!
//! libfuse 2, on which EncFS was built, took more words than there is use for today; scripts
//! and fstab lines pass them still. A word that changes nothing here is dropped silently, a
//! word that would change what users may do or see and is not supported is refused.

use std::ffi::OsStr;
use std::time::Duration;

use crate::fuse::Shown;

/// What the `-o` words of one command line ask for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MountWords {
    /// Source shown in the mount table.
    pub fsname: Option<String>,
    /// Shown in the mount table as `fuse.SUBTYPE`.
    pub subtype: Option<String>,
    /// Words for the kernel, in order: `ro`, `nosuid`, `default_permissions`, ...
    pub kernel: Vec<String>,
    /// Users other than the mounting one may enter.
    pub allow_other: bool,
    /// Root may use the mount besides its owner.
    pub allow_root: bool,
    /// The mount point may hold entries; they are hidden while mounted.
    pub nonempty: bool,
    /// How long the kernel keeps attributes, if not the usual time.
    pub attr_ttl: Option<Duration>,
    /// How long the kernel keeps names, if not the usual time.
    pub entry_ttl: Option<Duration>,
    /// Owners and permissions to show instead of the raw files' own.
    pub shown: Shown,
    /// Log every request.
    pub debug: bool,
}

/// A word that is not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadWord {
    /// Nobody knows it.
    #[error("unknown mount option '{0}'")]
    Unknown(String),
    /// `word=value` with a value that cannot be.
    #[error("mount option '{0}' needs a number of seconds")]
    NotSeconds(String),
    /// `word=value` with a value that cannot be.
    #[error("mount option '{0}' needs the number of a user or group")]
    NotId(String),
    /// `word=value` with a value that cannot be.
    #[error("mount option '{0}' needs permission bits in octal, such as 077")]
    NotMask(String),
    /// `word=value` without a value.
    #[error("mount option '{0}' needs a value")]
    NoValue(String),
    /// Not text.
    #[error("mount options must be UTF-8 text")]
    NotText,
}

/// Words that go to the kernel as they are.
const KERNEL: [&str; 14] = [
    "ro",
    "rw",
    "nosuid",
    "suid",
    "nodev",
    "dev",
    "noexec",
    "exec",
    "sync",
    "async",
    "dirsync",
    "atime",
    "noatime",
    "default_permissions",
];

/// Words of the kernel of which the last of two counts.
const OPPOSITES: [(&str, &str); 6] = [
    ("ro", "rw"),
    ("suid", "nosuid"),
    ("dev", "nodev"),
    ("exec", "noexec"),
    ("sync", "async"),
    ("atime", "noatime"),
];

/// Words without effect here: of libfuse 2 and 3,
/// of fstab lines, of macOS.
const DROPPED: &[&str] = &[
    // libfuse
    "use_ino",
    "readdir_ino",
    "hard_remove",
    "big_writes",
    "auto_unmount",
    "intr",
    "nointr",
    "noforget",
    "nopath",
    "direct_io",
    "kernel_cache",
    "auto_cache",
    "noauto_cache",
    "large_read",
    "async_read",
    "sync_read",
    "atomic_o_trunc",
    "no_remote_lock",
    "no_remote_flock",
    "no_remote_posix_lock",
    "splice_read",
    "splice_write",
    "splice_move",
    "no_splice_read",
    "no_splice_write",
    "no_splice_move",
    "clone_fd",
    // fstab: what `mount` does with them is done before we are called, or needs nothing
    "defaults",
    "user",
    "users",
    "nouser",
    "nousers",
    "owner",
    "noowner",
    "group",
    "nogroup",
    "auto",
    "noauto",
    "nofail",
    "_netdev",
    "relatime",
    "norelatime",
    "strictatime",
    "nostrictatime",
    "lazytime",
    "nolazytime",
    "diratime",
    "nodiratime",
    "iversion",
    "noiversion",
    "mand",
    "nomand",
    "silent",
    "loud",
    // macOS
    "local",
    "noappledouble",
    "noapplexattr",
    "noubc",
    "novncache",
    "defer_permissions",
    "auto_xattr",
    "allow_recursion",
];

/// Words with a value, without effect here.
const DROPPED_WITH_VALUE: &[&str] = &[
    "max_read",
    "max_write",
    "max_readahead",
    "max_background",
    "congestion_threshold",
    "negative_timeout",
    "ac_attr_timeout",
    "remember",
    "intr_signal",
    "modules",
    "max_threads",
    "max_idle_threads",
    "comment",
    "helper",
    "uhelper",
    "user",
    // macOS
    "volname",
    "volicon",
    "iosize",
    "daemon_timeout",
];

/// For `--fuse-help`.
pub const LISTED: &str = "\
Words for -o, separated by commas:
    ro rw nosuid suid nodev dev noexec exec sync async dirsync atime noatime
                           as for every mount
    allow_other            other users may enter too
    allow_root             root may enter too
    default_permissions    the kernel checks permissions (always on, unless
                           --no-default-flags is given)
    nonempty               mount over a folder that is not empty
    fsname=NAME            source shown in the mount table
    subtype=NAME           type shown in the mount table, after \"fuse.\"
    attr_timeout=SECONDS   how long the kernel keeps attributes (1)
    entry_timeout=SECONDS  how long the kernel keeps names (1)
    uid=N gid=N            all files belong to this user, this group
    umask=MASK             all files have the permissions 0777 less this mask (octal)
    fmask=MASK dmask=MASK  the same for all but directories, for directories
    debug                  log every request
Further words of libfuse and of fstab are accepted and have no effect. Long options
of encfs-rs are words here too, for fstab: idle=5, extpass=COMMAND, reverse, ...
A comma inside a word is written \\,
";

impl MountWords {
    /// Adds one `-o` argument: words separated by commas, `\,` being a comma inside a word.
    ///
    /// # Errors
    /// [`BadWord`] for the first word that is not taken.
    pub fn add(&mut self, list: &OsStr) -> Result<(), BadWord> {
        let list = list.to_str().ok_or(BadWord::NotText)?;
        for word in split(list) {
            self.add_word(&word)?;
        }
        Ok(())
    }

    /// Adds a word for the kernel in place of its opposite.
    fn put_kernel(&mut self, word: &str) {
        let opposite = OPPOSITES.iter().find_map(|&(one, other)| match word {
            word if word == one => Some(other),
            word if word == other => Some(one),
            _ => None,
        });
        self.kernel
            .retain(|known| known != word && Some(known.as_str()) != opposite);
        self.kernel.push(word.to_owned());
    }

    /// Adds a word for the kernel unless it is there.
    pub fn add_kernel(&mut self, word: &str) {
        if !self.kernel.iter().any(|known| known == word) {
            self.kernel.push(word.to_owned());
        }
    }

    /// Whether the mount is to be read-only: the last of `ro` and `rw` decides.
    #[must_use]
    pub fn read_only(&self) -> bool {
        self.kernel
            .iter()
            .rfind(|word| *word == "ro" || *word == "rw")
            .is_some_and(|w| w == "ro")
    }

    fn add_word(&mut self, word: &str) -> Result<(), BadWord> {
        let (key, value) = match word.split_once('=') {
            Some((key, value)) => (key, Some(value)),
            None => (word, None),
        };
        let for_others = ["x-", "X-"].iter().any(|start| word.starts_with(start));
        if word.is_empty() || for_others {
            return Ok(());
        }
        match (key, value) {
            ("fsname", Some(name)) if !name.is_empty() => self.fsname = Some(name.to_owned()),
            ("subtype", Some(name)) if !name.is_empty() => self.subtype = Some(name.to_owned()),
            ("fsname" | "subtype", _) => return Err(BadWord::NoValue(key.to_owned())),
            ("attr_timeout", value) => self.attr_ttl = Some(seconds(key, value)?),
            ("entry_timeout", value) => self.entry_ttl = Some(seconds(key, value)?),
            ("allow_other", None) => self.allow_other = true,
            ("allow_root", None) => self.allow_root = true,
            ("nonempty", None) => self.nonempty = true,
            ("debug", None) => self.debug = true,
            ("uid", value) => self.shown.uid = Some(id(key, value)?),
            ("gid", value) => self.shown.gid = Some(id(key, value)?),
            ("umask", value) => self.shown.umask = Some(mask(key, value)?),
            ("fmask", value) => self.shown.fmask = Some(mask(key, value)?),
            ("dmask", value) => self.shown.dmask = Some(mask(key, value)?),
            (key, None) if KERNEL.contains(&key) => self.put_kernel(key),
            (key, None) if DROPPED.contains(&key) => {}
            (key, Some(_)) if DROPPED_WITH_VALUE.contains(&key) => {}
            _ => return Err(BadWord::Unknown(word.to_owned())),
        }
        Ok(())
    }
}

fn seconds(key: &str, value: Option<&str>) -> Result<Duration, BadWord> {
    value
        .and_then(|text| text.parse::<f64>().ok())
        .and_then(|number| Duration::try_from_secs_f64(number).ok())
        .ok_or_else(|| BadWord::NotSeconds(key.to_owned()))
}

fn id(key: &str, value: Option<&str>) -> Result<u32, BadWord> {
    value
        .and_then(|text| text.parse().ok())
        // The number that means "leave it" to the system.
        .filter(|&id| id != u32::MAX)
        .ok_or_else(|| BadWord::NotId(key.to_owned()))
}

fn mask(key: &str, value: Option<&str>) -> Result<u32, BadWord> {
    value
        .filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()))
        .and_then(|text| u32::from_str_radix(text, 8).ok())
        .filter(|&mask| mask <= 0o7777)
        .ok_or_else(|| BadWord::NotMask(key.to_owned()))
}

/// A word as it stands in a list.
pub(super) fn escaped(word: &str) -> String {
    word.replace('\\', "\\\\").replace(',', "\\,")
}

/// The words of a list, `\,` being a comma inside a word.
pub(super) fn split(list: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut characters = list.chars();
    while let Some(character) = characters.next() {
        match character {
            ',' => words.push(String::new()),
            _ => {
                let escaped = if character == '\\' {
                    characters.next()
                } else {
                    None
                };
                if let Some(word) = words.last_mut() {
                    word.push(escaped.unwrap_or(character));
                }
            }
        }
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(lists: &[&str]) -> Result<MountWords, BadWord> {
        let mut words = MountWords::default();
        for list in lists {
            words.add(OsStr::new(list))?;
        }
        Ok(words)
    }

    #[test]
    fn clients_words_are_taken() {
        let sirikali = words(&["rw,fsname=encfs@/home/ben/raw,subtype=encfs"]).unwrap();
        assert_eq!(sirikali.fsname.as_deref(), Some("encfs@/home/ben/raw"));
        assert_eq!(sirikali.subtype.as_deref(), Some("encfs"));
        assert_eq!(sirikali.kernel, ["rw"]);

        let macos = words(&["allow_other", "local", "volname=Backup"]).unwrap();
        assert_eq!(
            macos,
            MountWords {
                allow_other: true,
                ..MountWords::default()
            }
        );

        let fstab = words(&["defaults,noauto,user,x-systemd.automount,_netdev,nosuid"]).unwrap();
        assert_eq!(fstab.kernel, ["nosuid"]);

        // What mount.fuse adds for root.
        let root = words(&["nosuid,nodev", "dev,suid", "ro,rw"]).unwrap();
        assert_eq!(root.kernel, ["dev", "suid", "rw"]);
    }

    /// All that libfuse 2.9.9 takes (`encfs -H`), but for its modules' own.
    #[test]
    fn what_libfuse_takes_is_taken() {
        let list = "allow_other,allow_root,auto_unmount,nonempty,default_permissions,fsname=x,\
            subtype=x,large_read,max_read=1,hard_remove,use_ino,readdir_ino,direct_io,kernel_cache,\
            auto_cache,noauto_cache,umask=022,uid=0,gid=0,entry_timeout=1,negative_timeout=0,\
            attr_timeout=1,ac_attr_timeout=1,noforget,remember=3,nopath,intr,intr_signal=10,\
            modules=subdir:iconv,max_write=1,max_readahead=1,max_background=1,\
            congestion_threshold=1,async_read,sync_read,atomic_o_trunc,big_writes,no_remote_lock,\
            no_remote_flock,no_remote_posix_lock,splice_write,no_splice_write,splice_move,\
            no_splice_move,splice_read,no_splice_read,debug,ro,rw,nosuid,nodev,suid,dev,exec,\
            noexec,sync,async,dirsync,atime,noatime";
        words(&[list]).unwrap();
    }

    #[test]
    fn owners_and_masks_are_shown() {
        let shown = words(&["uid=1000,gid=7,umask=027,fmask=133"])
            .unwrap()
            .shown;
        let expected = Shown {
            uid: Some(1000),
            gid: Some(7),
            umask: Some(0o27),
            fmask: Some(0o133),
            dmask: None,
        };
        assert_eq!(shown, expected);
    }

    #[test]
    fn a_comma_can_be_escaped() {
        assert_eq!(
            words(&["fsname=a\\,b,ro"]).unwrap().fsname.as_deref(),
            Some("a,b")
        );
        assert_eq!(
            words(&["fsname=a\\\\b"]).unwrap().fsname.as_deref(),
            Some("a\\b")
        );
    }

    #[test]
    fn the_last_of_ro_and_rw_decides() {
        for (lists, expected) in [
            (&["ro"][..], true),
            (&["ro,rw"], false),
            (&["rw", "ro"], true),
            (&["nosuid"], false),
        ] {
            assert_eq!(words(lists).unwrap().read_only(), expected, "{lists:?}");
        }
    }

    #[test]
    fn timeouts_are_seconds() {
        let known = words(&["attr_timeout=0,entry_timeout=2.5"]).unwrap();
        assert_eq!(known.attr_ttl, Some(Duration::ZERO));
        assert_eq!(known.entry_ttl, Some(Duration::from_millis(2500)));
    }

    #[test]
    fn other_words_are_refused_by_name() {
        let cases = [
            ("bogus", BadWord::Unknown("bogus".into())),
            ("ro=1", BadWord::Unknown("ro=1".into())),
            ("umask=099", BadWord::NotMask("umask".into())),
            ("uid=ben", BadWord::NotId("uid".into())),
            ("gid", BadWord::NotId("gid".into())),
            (
                "attr_timeout=-1",
                BadWord::NotSeconds("attr_timeout".into()),
            ),
            ("fsname", BadWord::NoValue("fsname".into())),
        ];
        for (word, expected) in cases {
            assert_eq!(words(&[word]).unwrap_err(), expected);
        }
    }
}
