//! The words of `encfs-rs [options] rootDir mountPoint [-- FUSE options]`.
//!
//! What is typed goes through [`super::getopt`] first, which reads it as `getopt_long` did it for
//! EncFS. A repeated option counts once, the last one. Parsing does nothing and reads nothing;
//! [`super::request`] says what was meant. Options that are understood and refused, because
//! what they ask for is not built, are not shown in the help.

use std::ffi::OsString;

use clap::builder::PossibleValuesParser;
use clap::{ArgAction, Parser, ValueHint};

use crate::profile::Profile;

/// What was typed.
#[derive(Debug, Clone, Default, Parser)]
#[command(
    name = "encfs-rs",
    about = "Mounts an encrypted folder, or creates one",
    long_about = LONG_ABOUT,
    after_help = SHORT_EXAMPLES,
    after_long_help = EXAMPLES,
    disable_version_flag = true,
    args_override_self = true,
    max_term_width = 90
)]
pub(super) struct EncfsArgs {
    /// Stay in the foreground; the log goes to standard error
    #[arg(short = 'f', help_heading = "Running")]
    pub(super) foreground: bool,

    /// Serve requests on a single thread
    #[arg(short = 's', help_heading = "Running")]
    pub(super) single_thread: bool,

    /// Log more, for finding faults
    #[arg(short = 'v', long, help_heading = "Running")]
    pub(super) verbose: bool,

    /// Log every request of the kernel; stays in the foreground
    #[arg(short = 'd', long, help_heading = "Running")]
    pub(super) fuse_debug: bool,

    /// Name in the system log [default: encfs]
    #[arg(short = 't', long, value_name = "TAG", help_heading = "Running")]
    pub(super) syslogtag: Option<String>,

    /// Unmount the folder given, at once, even if it is in use or its daemon is dead
    #[arg(short = 'u', help_heading = "Running")]
    pub(super) unmount: bool,

    /// The same; EncFS took an argument here and ignored it
    #[arg(long = "unmount", num_args = 0..=1, require_equals = true, default_missing_value = "", hide = true)]
    pub(super) unmount_long: Option<OsString>,

    /// Unmount after this many minutes without use
    #[arg(
        short = 'i',
        long,
        value_name = "MINUTES",
        allow_hyphen_values = true,
        help_heading = "Mount"
    )]
    pub(super) idle: Option<String>,

    /// Ask for the password again after an idle period (needs --extpass)
    #[arg(short = 'm', long, help_heading = "Mount")]
    pub(super) ondemand: bool,

    /// Ask for the password at the first access (needs --ondemand)
    #[arg(long, help_heading = "Mount")]
    pub(super) delaymount: bool,

    /// Read the password from one line of standard input
    #[arg(short = 'S', long, help_heading = "Password")]
    pub(super) stdinpass: bool,

    /// Take the password from the output of this command (run by /bin/sh)
    #[arg(long, value_name = "COMMAND", value_hint = ValueHint::CommandString, help_heading = "Password")]
    pub(super) extpass: Option<OsString>,

    /// Open with any password, right or wrong
    #[arg(long, help_heading = "Password")]
    pub(super) anykey: bool,

    /// Write machine-readable lines to standard error before each question
    #[arg(long, help_heading = "Password")]
    pub(super) annotate: bool,

    /// Configuration file, instead of the one in rootDir
    #[arg(short = 'c', long, value_name = "FILE", value_hint = ValueHint::FilePath, help_heading = "Volume")]
    pub(super) config: Option<OsString>,

    /// New volume: the standard settings, without questions
    #[arg(long, overrides_with_all = ["paranoia", "expert", "profile"], help_heading = "Volume")]
    pub(super) standard: bool,

    /// New volume: every block authenticated, AES-256; slower, no hard links
    #[arg(long, overrides_with_all = ["standard", "expert", "profile"], help_heading = "Volume")]
    pub(super) paranoia: bool,

    /// New volume: the storage is examined; then choose, with reasons, or setting by setting
    #[arg(long, overrides_with_all = ["standard", "paranoia", "profile"], help_heading = "Volume")]
    pub(super) expert: bool,

    /// New volume: the profile of this name; auto: examine the storage and take what suits it;
    /// list: explain each
    #[arg(long, value_name = "NAME", value_parser = profile_names(), hide_possible_values = true,
        overrides_with_all = ["standard", "paranoia", "expert"], help_heading = "Volume")]
    pub(super) profile: Option<String>,

    /// New volume: EncFS 1.9, the C++ program, will write to it as well
    #[arg(long, help_heading = "Volume")]
    pub(super) compatible_writers: bool,

    /// New volume: do not examine the storage
    #[arg(long, help_heading = "Volume")]
    pub(super) no_probe: bool,

    /// Refuse volumes without block authentication; new volumes get it
    #[arg(long, help_heading = "Volume")]
    pub(super) require_macs: bool,

    /// Return data even where its authentication fails
    #[arg(long, help_heading = "Volume")]
    pub(super) forcedecode: bool,

    /// Take volumes whose file contents are not encrypted; new ones may be so
    #[arg(long, help_heading = "Volume")]
    pub(super) insecure: bool,

    /// rootDir is plain; show it encrypted, for reading only
    #[arg(long, overrides_with = "reversewrite", help_heading = "Volume")]
    pub(super) reverse: bool,

    /// The same, writable where the volume has no per-file IVs
    #[arg(long, overrides_with = "reverse", help_heading = "Volume")]
    pub(super) reversewrite: bool,

    /// FUSE and mount options, separated by commas; may be repeated
    #[arg(
        short = 'o',
        value_name = "OPTIONS",
        action = ArgAction::Append,
        allow_hyphen_values = true,
        help_heading = "Mount"
    )]
    pub(super) mount_options: Vec<OsString>,

    /// As root: all users may enter; what they create belongs to them
    #[arg(long, help_heading = "Mount")]
    pub(super) public: bool,

    /// The kernel asks for attributes and names anew each time
    #[arg(long, help_heading = "Mount")]
    pub(super) nocache: bool,

    /// No effect: beside the kernel nobody caches contents
    #[arg(long, help_heading = "Mount")]
    pub(super) nodatacache: bool,

    /// The same as --nocache
    #[arg(long, help_heading = "Mount")]
    pub(super) noattrcache: bool,

    /// Leave out the usual mount options (default_permissions)
    #[arg(long, help_heading = "Mount")]
    pub(super) no_default_flags: bool,

    /// List the words that -o takes
    #[arg(short = 'H', long, help_heading = "Help")]
    pub(super) fuse_help: bool,

    /// Print the version on standard error
    #[arg(long, help_heading = "Help")]
    pub(super) version: bool,

    /// The two directories, then words for FUSE.
    #[arg(hide = true, value_hint = ValueHint::DirPath)]
    pub(super) words: Vec<OsString>,
}

/// What `--profile` takes.
pub(super) const AUTO: &str = "auto";
/// What `--profile` takes.
pub(super) const LIST: &str = "list";

fn profile_names() -> PossibleValuesParser {
    let names = Profile::ALL.map(Profile::name);
    PossibleValuesParser::new(names.into_iter().chain([AUTO, LIST]))
}

const LONG_ABOUT: &str = "\
Mounts an encrypted folder, or creates one.

rootDir holds the encrypted files; at mountPoint they appear decrypted. If rootDir has no
volume yet, one is created there after a question or two. The command returns when the
files are there to be used; unmount with `fusermount3 -u mountPoint`.";

const SHORT_EXAMPLES: &str = "\
Example:
  encfs-rs ~/rawfs ~/backupfs        create or open ~/rawfs, files appear in ~/backupfs
  fusermount3 -u ~/backupfs          put them away again

More with --help.";

const EXAMPLES: &str = "\
Examples:
  Create a volume, or open the one that is there:
    encfs-rs ~/rawfs ~/backupfs

  Copy into it, then put it away:
    rsync -a ~/documents/ ~/backupfs/
    fusermount3 -u ~/backupfs

  In a script, the password in a file only you can read:
    encfs-rs --extpass='cat ~/.backup-password' ~/rawfs ~/backupfs
    printf '%s\\n' \"$PASSWORD\" | encfs-rs --stdinpass --standard ~/rawfs ~/backupfs

  Choose what suits storage you do not know, or let it be chosen:
    encfs-rs --expert ~/webdrive ~/backupfs
    encfs-rs --profile auto --compatible-writers ~/webdrive ~/backupfs

  Read-only, under a name of its own in the mount table:
    encfs-rs ~/rawfs ~/backupfs -o ro,fsname=backup,subtype=encfs

  What goes wrong, seen as it happens:
    encfs-rs -f -v ~/rawfs ~/backupfs

  In /etc/fstab; long options are words for -o as well (a blank is \\040, a comma \\,):
    /srv/raw           /srv/plain  encfs-rs  extpass=cat\\040/etc/plain.pw,idle=30,noauto  0 0
    encfs-rs#/srv/raw  /srv/plain  fuse      extpass=cat\\040/etc/plain.pw,ro             0 0
  The type encfs-rs needs the link mount.encfs-rs in /sbin (make install HELPER=1).

Questions asked before the mount read standard input, --stdinpass too: first the answers,
then one line with the password.

A new volume has one of these profiles; --profile list says what each is for:
  standard    AES-192, 1 KiB blocks, a header in each file: equal files look different
  paranoia    besides, changed, swapped and moved files are noticed; slower, no hard links
  storage     for storage that cannot do all that a disk does, when EncFS 1.9 writes there
              too: equal blocks at equal places look equal, and changes go unnoticed
  ...-caseless, ...-short   the same with names for storage that takes A for a, or short names
encfs-rs alone damages no file with any of them on any storage that was tried.

Environment:
  ENCFS6_CONFIG   configuration file to use (as -c)
  ENCFS5_CONFIG   the same, in the format of EncFS 1.3 and 1.4

Exit status: 0 mounted (with -f: unmounted again), 1 otherwise, with the reason.

encfsctl-rs shows and checks volumes and changes their passwords.";
