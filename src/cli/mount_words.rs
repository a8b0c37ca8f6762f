//! The words of `-o`: which the kernel takes, which mean something to us, which are dropped.
//!
//! libfuse 2, on which EncFS was built, took more words than there is use for today; scripts
//! and fstab lines pass them still. A word that changes nothing here is dropped silently, a
//! word that would change what users may do or see and is not supported is refused.

use std::ffi::OsStr;
use std::time::Duration;

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
    /// Log every request.
    pub debug: bool,
}

/// A word that is not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadWord {
    /// Nobody knows it.
    #[error("unknown mount option '{0}'")]
    Unknown(String),
    /// Known, but not built.
    #[error("mount option '{0}' is not supported yet")]
    Unsupported(String),
    /// `word=value` with a value that cannot be.
    #[error("mount option '{0}' needs a number of seconds")]
    NotSeconds(String),
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

/// Words without effect here: of libfuse 2, of fstab lines, of macOS.
const DROPPED: [&str; 27] = [
    "use_ino",
    "readdir_ino",
    "hard_remove",
    "big_writes",
    "auto_unmount",
    "intr",
    "nointr",
    "noforget",
    "remember",
    "direct_io",
    "kernel_cache",
    "auto_cache",
    "noauto_cache",
    "large_read",
    "async_read",
    "sync_read",
    "atomic_o_trunc",
    "no_remote_lock",
    "defaults",
    "user",
    "users",
    "auto",
    "noauto",
    "nofail",
    "_netdev",
    "local",
    "nouser",
];

/// Words with a value, without effect here.
const DROPPED_WITH_VALUE: [&str; 12] = [
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
    "volname",
    "max_idle_threads",
];

/// Words that would change owners and permissions.
const UNSUPPORTED: [&str; 3] = ["umask", "uid", "gid"];

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
    debug                  log every request
Further words of libfuse 2 and of fstab are accepted and have no effect.
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
        if word.is_empty() || word.starts_with("x-") || word.starts_with("comment=") {
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
            ("relatime", None) => {}
            (key, None) if KERNEL.contains(&key) => self.kernel.push(key.to_owned()),
            (key, None) if DROPPED.contains(&key) => {}
            (key, Some(_)) if DROPPED_WITH_VALUE.contains(&key) => {}
            (key, _) if UNSUPPORTED.contains(&key) => {
                return Err(BadWord::Unsupported(word.to_owned()));
            }
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

fn split(list: &str) -> Vec<String> {
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
            ("umask=077", BadWord::Unsupported("umask=077".into())),
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
