//! What was meant by the words of `encfsctl-rs`.
//!
//! Pure: no file is looked at, nothing is printed.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::error::ErrorKind;

use super::encfsctl_args::{Command, EncfsctlArgs, NamesArgs, PasswordArgs};
use super::output::Format;
use super::password_source::PasswordWays;
use super::request::{UsageError, from_clap, parse};
use super::version::{ENCFSCTL_USAGE, called_as};

/// One thing to do.
#[derive(Debug)]
pub enum CtlRequest {
    /// Print this on standard output.
    Help(String),
    /// Print the version on standard error.
    Version,
    /// Do something with a volume.
    Volume(VolumeRequest),
}

/// What to do with which volume.
#[derive(Debug)]
pub struct VolumeRequest {
    /// Folder with the raw files, as it was typed.
    pub root: PathBuf,
    /// Configuration file by `-c`.
    pub config: Option<PathBuf>,
    /// Log more.
    pub verbose: bool,
    /// The name that the program was called by.
    pub program: String,
    /// What to do.
    pub action: Action,
}

/// The commands.
#[derive(Debug)]
pub enum Action {
    /// Show the settings.
    Info(Format),
    /// Change the password, asking for it.
    Passwd,
    /// Change the password: old and new from two lines of input.
    Autopasswd,
    /// Check the password from one line of input.
    Autocheckpasswd,
    /// List a directory.
    Ls {
        /// Plain path; empty for the root.
        path: OsString,
        /// For whom.
        format: Format,
        /// Where the password comes from.
        passwords: PasswordWays,
    },
    /// Print a file.
    Cat {
        /// Plain or encrypted path.
        path: OsString,
        /// The folder is plain: print the file encrypted.
        reverse: bool,
        /// Where the password comes from.
        passwords: PasswordWays,
    },
    /// Decode paths.
    Decode(Paths),
    /// Encode paths.
    Encode(Paths),
    /// List raw names that do not decode.
    ShowCruft {
        /// For whom.
        format: Format,
        /// Where the password comes from.
        passwords: PasswordWays,
    },
    /// Copy the plain tree.
    Export {
        /// Where to.
        target: PathBuf,
        /// For whom the summary is.
        format: Format,
        /// Where the password comes from.
        passwords: PasswordWays,
    },
    /// Examine the storage.
    Probe(Format),
    /// Print the volume key encrypted with itself.
    ShowKey {
        /// For whom.
        format: Format,
        /// Where the password comes from.
        passwords: PasswordWays,
    },
}

/// Paths to translate.
#[derive(Debug)]
pub struct Paths {
    /// From the command line; none: from standard input, line by line.
    pub paths: Vec<OsString>,
    /// The folder is plain, and names go the other way.
    pub reverse: bool,
    /// For whom.
    pub format: Format,
    /// Where the password comes from.
    pub passwords: PasswordWays,
}

impl CtlRequest {
    /// Reads the command line, the program's name first.
    ///
    /// # Errors
    /// [`UsageError`], of which the user reads the reason and the usage.
    pub fn from_words(words: impl IntoIterator<Item = OsString>) -> Result<Self, UsageError> {
        let words: Vec<OsString> = words.into_iter().collect();
        if words.len() < 2 {
            return Err(UsageError::Words("missing command or rootDir".to_owned()));
        }
        let program = called_as(words.first().map(OsString::as_os_str), ENCFSCTL_USAGE.name);
        match parse::<EncfsctlArgs>(words, ENCFSCTL_USAGE) {
            Ok(args) => Self::from_args(args, program),
            Err(error) if error.kind() == ErrorKind::DisplayHelp => {
                Ok(Self::Help(error.render().to_string()))
            }
            Err(error) => Err(from_clap(&error)),
        }
    }

    /// For whom the reason is when the words make no request: for a program if `--json`, or a start
    /// of it, is among them.
    #[must_use]
    pub fn format_wanted(words: &[OsString]) -> Format {
        let mut options = words.iter().skip(1).take_while(|word| *word != "--");
        let json = options.any(|word| {
            let word = word.as_encoded_bytes();
            word.len() > 2 && b"--json".starts_with(word)
        });
        format(json)
    }

    fn from_args(args: EncfsctlArgs, program: String) -> Result<Self, UsageError> {
        if args.version {
            return Ok(Self::Version);
        }
        let Some(command) = args.command else {
            return Err(UsageError::Words("missing command or rootDir".to_owned()));
        };
        let (root, action) = meant_by(command, args.password)?;
        Ok(Self::Volume(VolumeRequest {
            root: PathBuf::from(root),
            config: args.config.map(PathBuf::from),
            verbose: args.verbose,
            program,
            action,
        }))
    }
}

/// `before` are the options in front of the command.
fn meant_by(command: Command, before: PasswordArgs) -> Result<(OsString, Action), UsageError> {
    let ways = |args| ways(args, before);
    Ok(match command {
        Command::Info(args) => (args.root, Action::Info(format(args.json))),
        Command::Passwd(args) => (args.root, Action::Passwd),
        Command::Autopasswd(args) => (args.root, Action::Autopasswd),
        Command::Autocheckpasswd(args) => (args.root, Action::Autocheckpasswd),
        Command::Probe(args) => (args.root, Action::Probe(format(args.json))),
        Command::ShowKey(args) => (
            args.root,
            Action::ShowKey {
                format: format(args.json),
                passwords: ways(args.password),
            },
        ),
        Command::Ls(args) => {
            let path = args.path.unwrap_or_default();
            let passwords = ways(args.password);
            (
                args.root,
                Action::Ls {
                    path,
                    format: format(args.json),
                    passwords,
                },
            )
        }
        Command::Showcruft(args) => (
            args.root,
            Action::ShowCruft {
                format: format(args.json),
                passwords: ways(args.password),
            },
        ),
        Command::Export(args) => (
            args.root,
            Action::Export {
                target: PathBuf::from(args.target),
                format: format(args.json),
                passwords: ways(args.password),
            },
        ),
        Command::Cat(args) => (
            args.root,
            Action::Cat {
                path: args.path,
                reverse: args.reverse,
                passwords: ways(args.password),
            },
        ),
        // As in EncFS: the folder is plain, so its names are decoded to those in the view.
        Command::Decode(args) if args.reverse => named(args, Action::Encode, ways),
        Command::Encode(args) if args.reverse => named(args, Action::Decode, ways),
        Command::Decode(args) => named(args, Action::Decode, ways),
        Command::Encode(args) => named(args, Action::Encode, ways),
        Command::Other(words) => match words.as_slice() {
            [root] => (root.clone(), Action::Info(Format::Human)),
            [root, json] if json == "--json" => (root.clone(), Action::Info(Format::Json)),
            _ => {
                let word = words
                    .first()
                    .map(|word| word.to_string_lossy().into_owned());
                let word = word.unwrap_or_default();
                return Err(UsageError::Words(format!("unknown command '{word}'")));
            }
        },
    })
}

fn named(
    args: NamesArgs,
    action: fn(Paths) -> Action,
    ways: impl FnOnce(PasswordArgs) -> PasswordWays,
) -> (OsString, Action) {
    let paths = Paths {
        paths: args.paths,
        reverse: args.reverse,
        format: format(args.json),
        passwords: ways(args.password),
    };
    (args.root, action(paths))
}

/// EncFS takes no notice of options in front of the command; those for the password count here.
fn ways(args: PasswordArgs, before: PasswordArgs) -> PasswordWays {
    PasswordWays {
        program: args.extpass.or(before.extpass),
        stdin: args.stdinpass || before.stdinpass,
        annotate: false,
    }
}

fn format(json: bool) -> Format {
    if json { Format::Json } else { Format::Human }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    fn parse(words: &[&str]) -> Result<CtlRequest, UsageError> {
        let words = std::iter::once("encfsctl").chain(words.iter().copied());
        CtlRequest::from_words(words.map(OsString::from))
    }

    fn volume(words: &[&str]) -> VolumeRequest {
        match parse(words) {
            Ok(CtlRequest::Volume(request)) => request,
            other => panic!("{words:?}: {other:?}"),
        }
    }

    #[test]
    fn a_folder_alone_means_info() {
        for words in [
            &["/raw"][..],
            &["info", "/raw"],
            &["-v", "info", "/raw"],
            &["-v", "/raw"],
        ] {
            let request = volume(words);
            assert_eq!(request.root, Path::new("/raw"), "{words:?}");
            assert!(
                matches!(request.action, Action::Info(Format::Human)),
                "{words:?}"
            );
        }
        assert!(matches!(
            volume(&["/raw", "--json"]).action,
            Action::Info(Format::Json)
        ));
        assert!(matches!(
            volume(&["info", "--json", "/raw"]).action,
            Action::Info(Format::Json)
        ));
    }

    #[test]
    fn options_stand_anywhere_after_the_command() {
        // Back In Time
        for words in [
            &["decode", "--extpass=ask", "/raw", "a", "b"][..],
            &["decode", "/raw", "--extpass=ask", "a", "b"],
            &["decode", "/raw", "a", "b", "--extp", "ask"],
        ] {
            match volume(words).action {
                Action::Decode(paths) => {
                    assert_eq!(paths.paths, ["a", "b"], "{words:?}");
                    assert_eq!(paths.passwords.program.as_deref(), Some("ask".as_ref()));
                }
                other => panic!("{other:?}"),
            }
        }
        match volume(&["encode", "/raw", "--", "-name"]).action {
            Action::Encode(paths) => assert_eq!(paths.paths, ["-name"]),
            other => panic!("{other:?}"),
        }
        let request = volume(&["ls", "/raw", "-c", "/cfg", "photos"]);
        assert_eq!(request.config.as_deref(), Some(Path::new("/cfg")));
        assert!(matches!(request.action, Action::Ls { path, .. } if path == "photos"));
    }

    #[test]
    fn the_key_is_shown_by_any_way_to_the_password() {
        let action = volume(&["showKey", "/raw", "--extpass=ask"]).action;
        match &action {
            Action::ShowKey { passwords, .. } => {
                assert_eq!(passwords.program.as_deref(), Some("ask".as_ref()));
            }
            other => panic!("{other:?}"),
        }
        let action = volume(&["showkey", "-S", "/raw"]).action;
        assert!(matches!(action, Action::ShowKey { passwords, .. } if passwords.stdin));
    }

    #[test]
    fn the_password_may_be_said_before_the_command() {
        for words in [
            &["--extpass=ask", "decode", "/raw", "a"][..],
            &["-v", "--extpass", "ask", "decode", "/raw", "a"],
        ] {
            match volume(words).action {
                Action::Decode(paths) => {
                    assert_eq!(paths.passwords.program.as_deref(), Some("ask".as_ref()));
                }
                other => panic!("{other:?}"),
            }
        }
        let request = volume(&["--extpass=ask", "ls", "/raw", "--extpass=other", "-S"]);
        match request.action {
            Action::Ls { passwords, .. } => {
                assert_eq!(passwords.program.as_deref(), Some("other".as_ref()));
                assert!(passwords.stdin);
            }
            other => panic!("{other:?}"),
        }
        assert!(matches!(
            volume(&["-S", "info", "/raw"]).action,
            Action::Info(_)
        ));
    }

    #[test]
    fn json_is_seen_in_words_that_make_no_request() {
        let json = |words: &[&str]| {
            let words: Vec<_> = words.iter().map(OsString::from).collect();
            CtlRequest::format_wanted(&words)
        };
        assert_eq!(json(&["encfsctl", "ls", "--json"]), Format::Json);
        assert_eq!(
            json(&["encfsctl", "ls", "--js", "/a", "b", "c"]),
            Format::Json
        );
        assert_eq!(json(&["encfsctl", "ls"]), Format::Human);
        assert_eq!(
            json(&["encfsctl", "encode", "/a", "--", "--json"]),
            Format::Human
        );
        assert_eq!(json(&["--json"]), Format::Human);
    }

    #[test]
    fn reverse_swaps_decode_and_encode() {
        // with --reverse the folder is plain, and names go the other way
        for (word, encodes) in [("decode", true), ("encode", false)] {
            let action = volume(&[word, "--reverse", "/plain", "a"]).action;
            assert_eq!(matches!(action, Action::Encode(_)), encodes, "{action:?}");
            let action = volume(&[word, "/raw", "a"]).action;
            assert_eq!(matches!(action, Action::Decode(_)), encodes, "{action:?}");
        }
        let action = volume(&["cat", "/plain", "a", "--reverse"]).action;
        assert!(matches!(action, Action::Cat { reverse: true, .. }));
    }

    #[test]
    fn wrong_words_are_named() {
        for (words, text) in [
            (&[][..], "missing command or rootDir"),
            (&["-v"], "missing command or rootDir"),
            (&["frob", "/raw"], "unknown command 'frob'"),
            (
                &["passwd", "--bogus", "/raw"],
                "unrecognized option '--bogus'",
            ),
        ] {
            assert_eq!(parse(words).unwrap_err().to_string(), text, "{words:?}");
        }
        for words in [&["passwd"][..], &["cat", "/raw"], &["info", "/a", "/b"]] {
            assert!(
                matches!(parse(words), Err(UsageError::Words(_))),
                "{words:?}"
            );
        }
    }

    #[test]
    fn version_and_help() {
        assert!(matches!(parse(&["--version"]), Ok(CtlRequest::Version)));
        for words in [&["--help"][..], &["cat", "--help"]] {
            match parse(words) {
                Ok(CtlRequest::Help(text)) => assert!(text.contains("Example"), "{text}"),
                other => panic!("{other:?}"),
            }
        }
    }

    #[test]
    fn the_definition_is_sound() {
        <EncfsctlArgs as clap::CommandFactory>::command().debug_assert();
    }
}
