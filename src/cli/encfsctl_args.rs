//! The words of `encfsctl-rs COMMAND rootDir ...`.
//!
//! Options may stand before the command, between it and the directory, and after. A single
//! word is a directory for `info`. Parsing does nothing and reads nothing;
//! [`super::ctl_request`] says what was meant.

use std::ffi::OsString;

use clap::{Args, Parser, Subcommand, ValueHint};

/// What was typed.
#[derive(Debug, Parser)]
#[command(
    name = "encfsctl-rs",
    about = "Shows an EncFS volume, changes its password, reads it without mounting",
    after_help = EXAMPLES,
    disable_version_flag = true,
    disable_help_subcommand = true,
    infer_long_args = true,
    args_override_self = true,
    max_term_width = 90
)]
pub(super) struct EncfsctlArgs {
    /// Print the version on standard error
    #[arg(long)]
    pub(super) version: bool,

    /// Log more, for finding faults
    #[arg(short = 'v', long, global = true)]
    pub(super) verbose: bool,

    /// Configuration file, instead of the one in rootDir
    #[arg(short = 'c', long, value_name = "FILE", value_hint = ValueHint::FilePath, global = true)]
    pub(super) config: Option<OsString>,

    /// Before the command these are for whichever command asks for a password.
    #[command(flatten)]
    pub(super) password: PasswordArgs,

    #[command(subcommand)]
    pub(super) command: Option<Command>,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Show a volume's settings
    #[command(after_help = INFO_EXAMPLES)]
    Info(InfoArgs),
    /// Change the password
    #[command(after_help = PASSWD_NOTE)]
    Passwd(VolumeArgs),
    /// Change the password: two lines of standard input, the old one and the new one
    #[command(after_help = AUTOPASSWD_EXAMPLES)]
    Autopasswd(VolumeArgs),
    /// Check the password read from one line of standard input
    #[command(after_help = AUTOCHECKPASSWD_EXAMPLES)]
    Autocheckpasswd(VolumeArgs),
    /// List a directory with plain names, sizes and times
    #[command(after_help = LS_EXAMPLES)]
    Ls(LsArgs),
    /// Print the content of a file
    #[command(after_help = CAT_EXAMPLES)]
    Cat(CatArgs),
    /// Print the plain form of encrypted names
    #[command(after_help = DECODE_EXAMPLES)]
    Decode(NamesArgs),
    /// Print the encrypted form of plain names
    #[command(after_help = ENCODE_EXAMPLES)]
    Encode(NamesArgs),
    /// List raw names that are not the encoding of anything where they lie
    #[command(after_help = SHOWCRUFT_EXAMPLES)]
    Showcruft(ShowcruftArgs),
    /// Copy the plain files out without mounting
    #[command(after_help = EXPORT_EXAMPLES)]
    Export(ExportArgs),
    /// Examine storage: what it does with files, what follows, which settings suit it
    #[command(after_help = PROBE_EXAMPLES)]
    Probe(ProbeArgs),
    /// Print the volume key, encrypted with itself
    #[command(name = "showKey", alias = "showkey", after_help = SHOWKEY_EXAMPLES)]
    ShowKey(ShowKeyArgs),
    /// A folder alone means `info`.
    #[command(external_subcommand)]
    Other(Vec<OsString>),
}

/// A volume.
#[derive(Debug, Args)]
pub(super) struct VolumeArgs {
    /// Folder with the encrypted files
    #[arg(value_name = "rootDir", value_hint = ValueHint::DirPath)]
    pub(super) root: OsString,
}

/// `info`.
#[derive(Debug, Args)]
pub(super) struct InfoArgs {
    /// Folder with the encrypted files
    #[arg(value_name = "rootDir", value_hint = ValueHint::DirPath)]
    pub(super) root: OsString,
    /// One JSON object instead of text
    #[arg(long)]
    pub(super) json: bool,
}

/// Where the password comes from.
#[derive(Debug, Args)]
pub(super) struct PasswordArgs {
    /// Take the password from the output of this command (run by /bin/sh)
    #[arg(long, value_name = "COMMAND", value_hint = ValueHint::CommandString)]
    pub(super) extpass: Option<OsString>,
    /// Read the password from one line of standard input
    #[arg(short = 'S', long)]
    pub(super) stdinpass: bool,
}

/// `ls`.
#[derive(Debug, Args)]
pub(super) struct LsArgs {
    /// Folder with the encrypted files
    #[arg(value_name = "rootDir", value_hint = ValueHint::DirPath)]
    pub(super) root: OsString,
    /// Plain path of the directory to list [default: the root]
    #[arg(value_name = "path")]
    pub(super) path: Option<OsString>,
    /// One JSON array instead of text
    #[arg(long)]
    pub(super) json: bool,
    #[command(flatten)]
    pub(super) password: PasswordArgs,
}

/// `showcruft`.
#[derive(Debug, Args)]
pub(super) struct ShowcruftArgs {
    /// Folder with the encrypted files
    #[arg(value_name = "rootDir", value_hint = ValueHint::DirPath)]
    pub(super) root: OsString,
    /// One JSON array instead of text
    #[arg(long)]
    pub(super) json: bool,
    #[command(flatten)]
    pub(super) password: PasswordArgs,
}

/// `export`.
#[derive(Debug, Args)]
pub(super) struct ExportArgs {
    /// Folder with the encrypted files
    #[arg(value_name = "rootDir", value_hint = ValueHint::DirPath)]
    pub(super) root: OsString,
    /// Folder for the plain files
    #[arg(value_name = "targetDir", value_hint = ValueHint::DirPath)]
    pub(super) target: OsString,
    /// A JSON object with the numbers at the end
    #[arg(long)]
    pub(super) json: bool,
    #[command(flatten)]
    pub(super) password: PasswordArgs,
}

/// `probe`.
#[derive(Debug, Args)]
pub(super) struct ProbeArgs {
    /// Folder in the storage, with a volume or without
    #[arg(value_name = "rawDir", value_hint = ValueHint::DirPath)]
    pub(super) root: OsString,
    /// One JSON object instead of text
    #[arg(long)]
    pub(super) json: bool,
}

/// `showKey`.
#[derive(Debug, Args)]
pub(super) struct ShowKeyArgs {
    /// Folder with the encrypted files
    #[arg(value_name = "rootDir", value_hint = ValueHint::DirPath)]
    pub(super) root: OsString,
    /// A JSON object instead of text
    #[arg(long)]
    pub(super) json: bool,
    #[command(flatten)]
    pub(super) password: PasswordArgs,
}

/// `cat`.
#[derive(Debug, Args)]
pub(super) struct CatArgs {
    /// Folder with the encrypted files
    #[arg(value_name = "rootDir", value_hint = ValueHint::DirPath)]
    pub(super) root: OsString,
    /// Path of the file, plain or encrypted
    #[arg(value_name = "path")]
    pub(super) path: OsString,
    /// rootDir is plain: print the file encrypted, as a reverse mount shows it
    #[arg(long)]
    pub(super) reverse: bool,
    #[command(flatten)]
    pub(super) password: PasswordArgs,
}

/// `decode` and `encode`.
#[derive(Debug, Args)]
pub(super) struct NamesArgs {
    /// Folder with the encrypted files
    #[arg(value_name = "rootDir", value_hint = ValueHint::DirPath)]
    pub(super) root: OsString,
    /// Names or paths; without any, one per line of standard input
    #[arg(value_name = "path")]
    pub(super) paths: Vec<OsString>,
    /// rootDir is plain: decode to the names that a reverse mount shows, encode from them
    #[arg(long)]
    pub(super) reverse: bool,
    /// For each path one JSON object on a line of its own instead of text
    #[arg(long)]
    pub(super) json: bool,
    #[command(flatten)]
    pub(super) password: PasswordArgs,
}

const EXAMPLES: &str = "\
Examples:
  encfsctl-rs ~/rawfs                        settings of the volume in ~/rawfs
  encfsctl-rs passwd ~/rawfs                 change its password
  encfsctl-rs ls ~/rawfs photos              list without mounting
  encfsctl-rs cat ~/rawfs photos/a.jpg > a.jpg
  encfsctl-rs decode ~/rawfs dB3,kXq9        which file is this?
  encfsctl-rs probe ~/rawfs                  what the storage below can do

Each command has its own --help. Exit status: 0 done, 1 not done, with the reason.";

const INFO_EXAMPLES: &str = "\
Examples:
  encfsctl-rs info ~/rawfs
  encfsctl-rs info --json ~/rawfs | jq .cipher.key_bits

No password is needed: the settings are not secret.";

const PASSWD_NOTE: &str = "\
Examples:
  encfsctl-rs passwd ~/rawfs
  encfsctl-rs passwd -c ~/keys/rawfs.xml ~/rawfs     the configuration lies elsewhere

The files are not touched: the password encrypts only the volume key, which stays as it is.
Whoever has a copy of the old configuration and the old password can still open the volume.
Interrupted at any point, either the old or the new password works.";

const AUTOPASSWD_EXAMPLES: &str = "\
Example:
  printf 'old\\nnew\\n' | encfsctl-rs autopasswd ~/rawfs";

const AUTOCHECKPASSWD_EXAMPLES: &str = "\
Example:
  pass show rawfs | encfsctl-rs autocheckpasswd ~/rawfs && echo right";

const SHOWKEY_EXAMPLES: &str = "\
Example:
  encfsctl-rs showKey ~/rawfs

The line ends with one character more than that of EncFS 1.9.5, which leaves out the last one.";

const LS_EXAMPLES: &str = "\
Examples:
  encfsctl-rs ls ~/rawfs
  encfsctl-rs ls --json ~/rawfs photos/2026";

const CAT_EXAMPLES: &str = "\
Examples:
  encfsctl-rs cat ~/rawfs notes/todo.txt
  encfsctl-rs cat ~/rawfs x7Dq,1/9fKe-Zr     an encrypted path is understood too
  encfsctl-rs cat --reverse ~/plain a.txt    as a reverse mount of ~/plain shows it";

const SHOWCRUFT_EXAMPLES: &str = "\
Examples:
  encfsctl-rs showcruft ~/rawfs
  encfsctl-rs showcruft --json ~/rawfs | jq '.[].raw_paths[]'

Such files were put there by another program (conflict copies of a sync service, for example), or
moved from another folder: where names depend on the path, they decode only at home.";

const EXPORT_EXAMPLES: &str = "\
Examples:
  encfsctl-rs export ~/rawfs ~/recovered
  encfsctl-rs export --extpass='cat pw' ~/rawfs /mnt/disk/plain

Copies modes, times, links and hard links, as root owners too. Nothing that exists is overwritten.
Started again after it was stopped, it goes on: what is there with the same size and time is done.
Anything else that is in the way, and what cannot be read, is named; the rest is copied, and the
exit status is 1.";

const PROBE_EXAMPLES: &str = "\
Examples:
  encfsctl-rs probe ~/rawfs
  encfsctl-rs probe --json /mnt/drive | jq .findings.hard_links

Works in one temporary folder in rawDir, which is removed at the end, also after Ctrl-C. What is
there is not touched. Takes a few seconds, on slow storage up to a minute. No password is needed.";

const DECODE_EXAMPLES: &str = "\
Examples:
  encfsctl-rs decode ~/rawfs x7Dq,1/9fKe-Zr
  find ~/rawfs -printf '%P\\n' | encfsctl-rs decode --extpass='cat pw' ~/rawfs

Each line of input is answered at once, so the command can be kept running and talked to.
A name that is not of this volume gives an empty line.";

const ENCODE_EXAMPLES: &str = "\
Examples:
  encfsctl-rs encode ~/rawfs notes/todo.txt
  encfsctl-rs encode --extpass='cat pw' ~/rawfs < list-of-paths";
