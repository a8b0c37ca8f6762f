//! What was meant by the words of `encfs-rs`.
//!
//! Pure: no file is looked at, nothing is printed. The checks come in the order in which
//! EncFS makes them, since the first one that fails is what the user reads; what needs a look
//! at the storage (do the directories exist, is the mount point empty) is `mount`'s work.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Parser;
use clap::error::{ContextKind, ContextValue, ErrorKind};

use super::encfs_args::{self, EncfsArgs};
use super::mount_words::{BadWord, MountWords};
use super::password_source::PasswordWays;
use super::profile_list;
use super::version::{ENCFS_USAGE, Usage, called_as};
use crate::fs::Direction;
use crate::profile::Profile;

/// One thing to do.
#[derive(Debug)]
pub enum EncfsRequest {
    /// Print this on standard output.
    Help(String),
    /// Print the version on standard error, with what was compiled in if `verbose`.
    Version {
        /// Whether `-v` was given as well.
        verbose: bool,
    },
    /// Print the words that `-o` takes.
    MountWordsHelp,
    /// Unmount.
    Unmount(PathBuf),
    /// Mount, creating a volume where there is none.
    Mount(Box<MountRequest>),
}

/// How the settings of a new volume are chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProfileChoice {
    /// By the menu.
    Ask,
    /// `--standard`, `--paranoia`, `--profile NAME`.
    Named(Profile),
    /// `--profile auto`: what suits the storage.
    Auto,
    /// `--expert`: what suits the storage is shown, and all can be asked for.
    Expert,
}

impl ProfileChoice {
    fn from_args(args: &EncfsArgs) -> Self {
        if args.standard {
            return Self::Named(Profile::STANDARD);
        }
        if args.paranoia {
            return Self::Named(Profile::PARANOIA);
        }
        match args.profile.as_deref() {
            Some(name) => Profile::by_name(name).map_or(Self::Auto, Self::Named),
            None if args.expert => Self::Expert,
            None => Self::Ask,
        }
    }
}

/// A mount, as it was asked for.
#[derive(Debug, Clone)]
pub struct MountRequest {
    /// Folder with the raw files; ends in a slash.
    pub root: PathBuf,
    /// Where the plain files appear; ends in a slash.
    pub mount_point: PathBuf,
    /// Do not go to the background.
    pub foreground: bool,
    /// One thread only.
    pub single_thread: bool,
    /// Log more.
    pub verbose: bool,
    /// Log every request.
    pub log_requests: bool,
    /// Name in the system log.
    pub syslog_tag: String,
    /// Configuration file by `-c`.
    pub config: Option<PathBuf>,
    /// What becomes of a root without a volume.
    pub profile: ProfileChoice,
    /// The storage of a new volume is examined where that decides something.
    pub examine: bool,
    /// EncFS 1.9 will write to the new volume as well.
    pub compatible_writers: bool,
    /// Block authentication demanded.
    pub require_macs: bool,
    /// Return data whose authentication fails.
    pub force_decode: bool,
    /// Do not check the password.
    pub any_key: bool,
    /// Volumes with plain contents are taken.
    pub insecure: bool,
    /// Which side of the encryption the folder has.
    pub direction: Direction,
    /// A reverse view is writable where the volume allows it.
    pub reverse_write: bool,
    /// For all users; honoured for root only.
    pub public: bool,
    /// Where passwords come from.
    pub passwords: PasswordWays,
    /// Minutes without use after which the mount ends; on demand, only the volume is closed.
    pub idle_minutes: Option<u64>,
    /// The volume is opened again when it is needed.
    pub on_demand: bool,
    /// The volume is opened when it is first needed.
    pub delayed: bool,
    /// The `-o` words, with the usual ones added.
    pub words: MountWords,
}

/// Words that make no request.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UsageError {
    /// No word at all.
    #[error("missing directories: rootDir and mountPoint")]
    Nothing,
    /// Not an option of ours. GnuPG looks for this text.
    #[error("unrecognized option '{0}'")]
    UnknownOption(String),
    /// Any other fault of the words, in the parser's terms.
    #[error("{0}")]
    Words(String),
    /// `-u` and not one directory.
    #[error("-u needs one directory, the mount point")]
    UnmountDirectory,
    /// Fewer than two directories.
    #[error("missing directories: rootDir and mountPoint are both needed")]
    MissingDirectory,
    /// A daemon changes to `/`.
    #[error("with paths that do not begin with / only -f (foreground) is possible: {0}")]
    RelativePath(String),
    /// The mount would hide its own storage.
    #[error("rootDir must not be inside mountPoint: the mount would hide its own files")]
    RootInsideMountPoint,
    /// `--delaymount` alone.
    #[error("--delaymount needs --ondemand")]
    DelayWithoutOnDemand,
    /// `--ondemand` alone.
    #[error("--ondemand needs --extpass, to ask for the password later")]
    OnDemandWithoutProgram,
    /// An `-o` word.
    #[error(transparent)]
    MountWord(#[from] BadWord),
}

impl EncfsRequest {
    /// Reads the command line, the program's name first.
    ///
    /// # Errors
    /// [`UsageError`], of which the user reads the reason and the usage.
    pub fn from_words(words: impl IntoIterator<Item = OsString>) -> Result<Self, UsageError> {
        let words: Vec<OsString> = words.into_iter().collect();
        if words.len() < 2 {
            return Err(UsageError::Nothing);
        }
        match parse::<EncfsArgs>(words, ENCFS_USAGE) {
            Ok(args) => Self::from_args(args),
            Err(error) if error.kind() == ErrorKind::DisplayHelp => {
                Ok(Self::Help(error.render().to_string()))
            }
            Err(error) => Err(from_clap(&error)),
        }
    }

    fn from_args(args: EncfsArgs) -> Result<Self, UsageError> {
        if args.version {
            return Ok(Self::Version {
                verbose: args.verbose,
            });
        }
        if args.fuse_help {
            return Ok(Self::MountWordsHelp);
        }
        if args.profile.as_deref() == Some(encfs_args::LIST) {
            return Ok(Self::Help(profile_list::text()));
        }
        if args.unmount || args.unmount_long.is_some() {
            return match args.words.as_slice() {
                [directory] => Ok(Self::Unmount(PathBuf::from(directory))),
                _ => Err(UsageError::UnmountDirectory),
            };
        }
        MountRequest::from_args(args).map(|request| Self::Mount(Box::new(request)))
    }
}

impl MountRequest {
    fn from_args(mut args: EncfsArgs) -> Result<Self, UsageError> {
        let rest = args.words.split_off(args.words.len().min(2));
        let [root, mount_point] = args.words.as_slice() else {
            return Err(UsageError::MissingDirectory);
        };
        let root = with_slash(root);
        let mount_point = with_slash(mount_point);
        let lists = std::mem::take(&mut args.mount_options);
        let extra = FuseWords::read(&rest)?;
        let foreground = args.foreground || args.fuse_debug || extra.foreground || extra.debug;
        if !foreground {
            for path in [&root, &mount_point] {
                if !path.is_absolute() {
                    return Err(UsageError::RelativePath(
                        path.to_string_lossy().into_owned(),
                    ));
                }
            }
        }
        if starts_with(&root, &mount_point) {
            return Err(UsageError::RootInsideMountPoint);
        }
        if args.delaymount && !args.ondemand {
            return Err(UsageError::DelayWithoutOnDemand);
        }
        if args.ondemand && args.extpass.is_none() {
            return Err(UsageError::OnDemandWithoutProgram);
        }
        let profile = ProfileChoice::from_args(&args);
        let mut words = MountWords::default();
        for list in lists.iter().chain(&extra.lists) {
            words.add(list)?;
        }
        if args.nocache || args.noattrcache {
            words.attr_ttl = Some(Duration::ZERO);
            words.entry_ttl = Some(Duration::ZERO);
        }
        if !args.no_default_flags {
            words.add_kernel("default_permissions");
        }
        Ok(Self {
            root,
            mount_point,
            foreground: foreground || words.debug,
            single_thread: args.single_thread || extra.single_thread,
            verbose: args.verbose,
            log_requests: args.fuse_debug || extra.debug || words.debug,
            syslog_tag: args.syslogtag.unwrap_or_else(|| "encfs".to_owned()),
            config: args.config.map(PathBuf::from),
            profile,
            examine: !args.no_probe,
            compatible_writers: args.compatible_writers,
            require_macs: args.require_macs,
            force_decode: args.forcedecode,
            any_key: args.anykey,
            insecure: args.insecure,
            direction: if args.reverse || args.reversewrite {
                Direction::Reverse
            } else {
                Direction::Forward
            },
            reverse_write: args.reversewrite,
            public: args.public,
            // As EncFS reads it: no number, zero and less all mean "never".
            idle_minutes: args
                .idle
                .as_deref()
                .and_then(|text| u64::try_from(leading_number(text)).ok())
                .filter(|minutes| *minutes > 0),
            on_demand: args.ondemand,
            delayed: args.delaymount,
            passwords: PasswordWays {
                program: args.extpass,
                stdin: args.stdinpass,
                annotate: args.annotate,
            },
            words,
        })
    }
}

/// Words after the second directory, meant for libfuse.
#[derive(Debug, Default)]
struct FuseWords {
    lists: Vec<OsString>,
    foreground: bool,
    single_thread: bool,
    debug: bool,
}

impl FuseWords {
    fn read(rest: &[OsString]) -> Result<Self, UsageError> {
        let mut words = Self::default();
        let mut rest = rest.iter();
        while let Some(word) = rest.next() {
            match word.as_bytes() {
                b"-o" => match rest.next() {
                    Some(list) => words.lists.push(list.clone()),
                    None => return Err(UsageError::Words("-o needs a value".to_owned())),
                },
                [b'-', b'o', list @ ..] => words.lists.push(OsStr::from_bytes(list).to_owned()),
                b"-f" => words.foreground = true,
                b"-s" => words.single_thread = true,
                b"-d" => words.debug = true,
                _ => {
                    let word = word.to_string_lossy();
                    return Err(UsageError::Words(format!(
                        "'{word}' after the two directories is not a FUSE option"
                    )));
                }
            }
        }
        Ok(words)
    }
}

/// The number at the start of `text`, as `strtol` reads it; 0 without one.
fn leading_number(text: &str) -> i64 {
    let text = text.trim_start();
    let (sign, digits) = match text.strip_prefix('-') {
        Some(digits) => (-1, digits),
        None => (1, text.strip_prefix('+').unwrap_or(text)),
    };
    let end = digits
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(digits.len());
    let digits = digits.get(..end).unwrap_or("");
    sign * digits
        .parse::<i64>()
        .unwrap_or(if digits.is_empty() { 0 } else { i64::MAX })
}

fn with_slash(path: &OsStr) -> PathBuf {
    let mut bytes = path.as_bytes().to_vec();
    if bytes.last() != Some(&b'/') {
        bytes.push(b'/');
    }
    PathBuf::from(OsString::from_vec(bytes))
}

/// By bytes, not by components: both end in a slash.
fn starts_with(path: &Path, prefix: &Path) -> bool {
    path.as_os_str()
        .as_bytes()
        .starts_with(prefix.as_os_str().as_bytes())
}

/// Reads `words`, the program's name first; help texts call it by that name.
pub(super) fn parse<A: Parser>(words: Vec<OsString>, usage: Usage) -> Result<A, clap::Error> {
    let program = called_as(words.first().map(OsString::as_os_str), usage.name);
    let mut command = A::command().override_usage(usage.for_program(&program));
    let matches = command.try_get_matches_from_mut(words)?;
    A::from_arg_matches(&matches).map_err(|error| error.format(&mut command))
}

/// The parser's complaint in one line.
pub(super) fn from_clap(error: &clap::Error) -> UsageError {
    if error.kind() == ErrorKind::UnknownArgument
        && let Some(ContextValue::String(word)) = error.get(ContextKind::InvalidArg)
    {
        return if word.starts_with('-') {
            UsageError::UnknownOption(word.clone())
        } else {
            UsageError::Words(format!("one word too many: '{word}'"))
        };
    }
    let text = error.render().to_string();
    let line: Vec<&str> = text
        .lines()
        .take_while(|line| !line.is_empty())
        .map(|line| line.trim().trim_start_matches("error: "))
        .collect();
    UsageError::Words(line.join(" "))
}

#[cfg(test)]
mod tests;
