//! Words as `getopt_long` took them for EncFS.
//!
//! Scripts rely on how that reads a command line, and the parser behind [`super::encfs_args`] reads it
//! another way: a long option may be cut to what means only one of EncFS's; `--version` and `-H` act
//! where they stand, and what follows is not looked at; an option that nobody knows is reported and
//! left out, and so is one that lacks its value or has one too many. Here the words become such that
//! the parser takes them all. Empty words are dropped: some programs pass one for each option that
//! they do not use.
//!
//! Beyond EncFS its options may also stand in a list of `-o`, where fstab has room for them.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};

use clap::{Arg, ArgAction, Command};

use super::mount_words::{escaped, split};

/// Options that EncFS does not have: they make no prefix of its own ambiguous.
const OURS: [&str; 5] = [
    "expert",
    "help",
    "profile",
    "compatible-writers",
    "no-probe",
];
/// Options that end the reading.
const AT_ONCE: [&str; 3] = ["version", "fuse-help", "help"];
/// Options that are no words for `-o`.
const NOT_LISTED: [&str; 5] = ["version", "fuse-help", "help", "unmount", "fuse-debug"];

/// Words ready to be parsed, and what is said about those that are left out.
#[derive(Debug, Default)]
pub(super) struct Words {
    /// The program's name, options with their values attached, `--`, everything else.
    pub(super) words: Vec<OsString>,
    /// One line each, as getopt words it; the program's name goes before.
    pub(super) complaints: Vec<String>,
}

/// Reads `words`, the program's name first, by the options of `command`.
pub(super) fn read(mut command: Command, words: Vec<OsString>) -> Words {
    // Adds the parser's own, such as `--help`.
    command.build();
    let mut reader = Reader {
        command: &command,
        options: Vec::new(),
        operands: Vec::new(),
        complaints: Vec::new(),
    };
    let mut words = words.into_iter();
    let program = words.next();
    reader.all(words);
    let Reader {
        options,
        operands,
        complaints,
        ..
    } = reader;
    let end = OsString::from("--");
    Words {
        words: program
            .into_iter()
            .chain(options)
            .chain([end])
            .chain(operands)
            .collect(),
        complaints,
    }
}

struct Reader<'a> {
    command: &'a Command,
    options: Vec<OsString>,
    operands: Vec<OsString>,
    complaints: Vec<String>,
}

/// Whether to read on.
#[derive(PartialEq, Eq)]
enum Next {
    Word,
    End,
}

impl<'a> Reader<'a> {
    fn all(&mut self, mut words: impl Iterator<Item = OsString>) {
        while let Some(word) = words.next() {
            let next = match word.as_bytes() {
                b"--" => return self.after_the_end(words),
                [b'-', b'-', long @ ..] => self.long(long, &mut words),
                [b'-', short @ ..] if !short.is_empty() => self.short(short, &mut words),
                b"" => Next::Word,
                _ => {
                    self.operands.push(word);
                    Next::Word
                }
            };
            if next == Next::End {
                return;
            }
        }
    }

    /// After `--`: the directories, then words for FUSE.
    fn after_the_end(&mut self, mut words: impl Iterator<Item = OsString>) {
        while let Some(word) = words.next() {
            match word.as_bytes() {
                b"" => {}
                b"-o" if self.operands.len() >= 2 => match words.next() {
                    Some(list) => self.list(&list),
                    None => self.operands.push(word),
                },
                [b'-', b'o', list @ ..] if self.operands.len() >= 2 => {
                    self.list(OsStr::from_bytes(list));
                }
                _ => self.operands.push(word),
            }
        }
    }

    fn long(&mut self, text: &[u8], words: &mut impl Iterator<Item = OsString>) -> Next {
        let (name, value) = match text.iter().position(|&byte| byte == b'=') {
            Some(at) => {
                let (name, rest) = text.split_at(at);
                (name, rest.get(1..))
            }
            None => (text, None),
        };
        let candidates = self.candidates(name);
        let [option] = candidates.as_slice() else {
            let typed = String::from_utf8_lossy(text);
            self.complaints.push(match candidates.as_slice() {
                [] => format!("unrecognized option '--{typed}'"),
                several => {
                    let names: Vec<String> = several
                        .iter()
                        .map(|option| format!("'--{}'", long_name(option)))
                        .collect();
                    let names = names.join(" ");
                    format!("option '--{typed}' is ambiguous; possibilities: {names}")
                }
            });
            return Next::Word;
        };
        let name = long_name(option);
        match (takes_value(option), value) {
            (true, Some(value)) => self.push(name, Some(value)),
            (true, None) => match words.next() {
                Some(value) => self.push(name, Some(value.as_bytes())),
                None => self
                    .complaints
                    .push(format!("option '--{name}' requires an argument")),
            },
            (false, None) => self.push(name, None),
            (false, Some(value)) if may_have_value(option) => self.push(name, Some(value)),
            (false, Some(_)) => self
                .complaints
                .push(format!("option '--{name}' doesn't allow an argument")),
        }
        after(name)
    }

    /// What `name` may mean: the one of that name, else all that begin so.
    fn candidates(&self, name: &[u8]) -> Vec<&'a Arg> {
        let begins = |option: &&Arg| long_name(option).as_bytes().starts_with(name);
        let all: Vec<&Arg> = self.options_of_command().filter(begins).collect();
        let exact = |option: &&&Arg| long_name(option).as_bytes() == name;
        if let Some(&option) = all.iter().find(exact) {
            return vec![option];
        }
        let (ours, theirs): (Vec<&Arg>, Vec<&Arg>) = all
            .into_iter()
            .partition(|option| OURS.contains(&long_name(option)));
        if theirs.is_empty() { ours } else { theirs }
    }

    fn options_of_command(&self) -> impl Iterator<Item = &'a Arg> + use<'a> {
        let command = self.command;
        command
            .get_arguments()
            .filter(|argument| argument.get_long().is_some())
    }

    fn short(&mut self, letters: &[u8], words: &mut impl Iterator<Item = OsString>) -> Next {
        let mut rest = letters;
        while let Some((&letter, later)) = rest.split_first() {
            rest = later;
            let shown = char::from(letter);
            let found = self
                .command
                .get_arguments()
                .find(|argument| argument.get_short() == Some(shown));
            let Some(option) = found else {
                self.complaints.push(format!("invalid option -- '{shown}'"));
                continue;
            };
            let name = option.get_long();
            if !takes_value(option) {
                match name {
                    Some(name) => self.push(name, None),
                    None => self.options.push(OsString::from(format!("-{shown}"))),
                }
                if name.is_some_and(|name| after(name) == Next::End) {
                    return Next::End;
                }
                continue;
            }
            let value = if rest.is_empty() {
                words.next()
            } else {
                Some(OsStr::from_bytes(rest).to_owned())
            };
            match (value, name) {
                (None, _) => self
                    .complaints
                    .push(format!("option requires an argument -- '{shown}'")),
                (Some(value), Some(name)) => self.push(name, Some(value.as_bytes())),
                // The one without a long name.
                (Some(value), None) => self.list(&value),
            }
            return Next::Word;
        }
        Next::Word
    }

    /// A list of `-o`: our own options are taken out of it.
    fn list(&mut self, list: &OsStr) {
        let Some(text) = list.to_str() else {
            // Refused by its reader.
            return self.push_list(list);
        };
        let mut left = Vec::new();
        for word in split(text) {
            let (key, value) = match word.split_once('=') {
                Some((key, value)) => (key, Some(value)),
                None => (word.as_str(), None),
            };
            if is_listed(self.command, key, value) {
                self.push(key, value.map(str::as_bytes));
            } else {
                left.push(escaped(&word));
            }
        }
        let left = left.join(",");
        if !left.is_empty() {
            self.push_list(OsStr::new(&left));
        }
    }

    fn push_list(&mut self, list: &OsStr) {
        self.options.extend([OsString::from("-o"), list.to_owned()]);
    }

    fn push(&mut self, name: &str, value: Option<&[u8]>) {
        let mut word = format!("--{name}").into_bytes();
        if let Some(value) = value {
            word.push(b'=');
            word.extend_from_slice(value);
        }
        self.options.push(OsString::from_vec(word));
    }
}

/// Whether a word of `-o` is an option of `command`.
pub(super) fn is_listed(command: &Command, key: &str, value: Option<&str>) -> bool {
    !NOT_LISTED.contains(&key)
        && command
            .get_arguments()
            .any(|option| option.get_long() == Some(key) && takes_value(option) == value.is_some())
}

fn long_name(option: &Arg) -> &str {
    option.get_long().unwrap_or_default()
}

fn takes_value(option: &Arg) -> bool {
    matches!(option.get_action(), ArgAction::Set | ArgAction::Append) && !may_have_value(option)
}

/// EncFS demands a value of `--unmount` and ignores it.
fn may_have_value(option: &Arg) -> bool {
    option.get_long() == Some("unmount")
}

fn after(name: &str) -> Next {
    if AT_ONCE.contains(&name) {
        Next::End
    } else {
        Next::Word
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;
    use crate::cli::encfs_args::EncfsArgs;

    fn words(typed: &[&str]) -> (Vec<String>, Vec<String>) {
        let typed = std::iter::once("encfs").chain(typed.iter().copied());
        let read = read(EncfsArgs::command(), typed.map(OsString::from).collect());
        let text = |word: OsString| word.into_string().unwrap();
        let mut words: Vec<String> = read.words.into_iter().map(text).collect();
        assert_eq!(words.remove(0), "encfs");
        (words, read.complaints)
    }

    /// The complaints are those of EncFS 1.9.5, byte for byte.
    #[test]
    fn what_is_not_understood_is_said_and_left_out() {
        for (typed, complaint) in [
            ("--bogus", "unrecognized option '--bogus'"),
            ("--bogus=1", "unrecognized option '--bogus=1'"),
            ("-Z", "invalid option -- 'Z'"),
            (
                "--s",
                "option '--s' is ambiguous; possibilities: '--syslogtag' '--stdinpass' '--standard'",
            ),
            (
                "--rev",
                "option '--rev' is ambiguous; possibilities: '--reverse' '--reversewrite'",
            ),
            (
                "--reverse=x",
                "option '--reverse' doesn't allow an argument",
            ),
            ("--std=x", "option '--stdinpass' doesn't allow an argument"),
            ("--idle", "option '--idle' requires an argument"),
            ("-i", "option requires an argument -- 'i'"),
            ("-fi", "option requires an argument -- 'i'"),
        ] {
            let (left, complaints) = words(&["/r", "/m", typed]);
            assert_eq!(complaints, [complaint]);
            let f = (typed == "-fi").then_some("-f");
            let expected: Vec<&str> = f.into_iter().chain(["--", "/r", "/m"]).collect();
            assert_eq!(left, expected, "{typed}");
        }
    }

    #[test]
    fn each_spelling_comes_to_the_same() {
        for (typed, expected) in [
            (&["--idle=5"][..], &["--idle=5", "--"][..]),
            (&["--idle", "5"], &["--idle=5", "--"]),
            (&["-i5"], &["--idle=5", "--"]),
            (&["-i 5"], &["--idle= 5", "--"]),
            (&["-i", "-5"], &["--idle=-5", "--"]),
            (
                &["--extp=echo a", "--stdin"],
                &["--extpass=echo a", "--stdinpass", "--"],
            ),
            (&["--e", "x"], &["--extpass=x", "--"]),
            (&["--exper"], &["--expert", "--"]),
            (&["--std"], &["--stdinpass", "--"]),
            (&["--reverse"], &["--reverse", "--"]),
            (&["-fsv"], &["-f", "-s", "--verbose", "--"]),
            (&["-fo", "ro"], &["-f", "-o", "ro", "--"]),
            (&["-oro,nosuid"], &["-o", "ro,nosuid", "--"]),
            (&["--unmount", "/m"], &["--unmount", "--", "/m"]),
            (&["--un=x", "/m"], &["--unmount=x", "--", "/m"]),
            (&["", "/r", "", "/m", ""], &["--", "/r", "/m"]),
            (&["--extpass", ""], &["--extpass=", "--"]),
            (
                &["/r", "-S", "/m", "--", "-f"],
                &["--stdinpass", "--", "/r", "/m", "-f"],
            ),
            (&["--", "-r", "--m"], &["--", "-r", "--m"]),
            (&["-", "/m"], &["--", "-", "/m"]),
        ] {
            let (words, complaints) = words(typed);
            assert_eq!(words, expected, "{typed:?}");
            assert_eq!(complaints, [""; 0], "{typed:?}");
        }
    }

    #[test]
    fn nothing_is_read_after_an_option_that_acts_at_once() {
        let version = |typed: &[&str]| words(typed);
        assert_eq!(
            version(&["--version", "-v", "--bogus"]).0,
            ["--version", "--"]
        );
        assert_eq!(
            version(&["-v", "--vers", "/r"]).0,
            ["--verbose", "--version", "--"]
        );
        assert_eq!(version(&["-H", "--version"]).0, ["--fuse-help", "--"]);
        let (left, complaints) = version(&["--bogus", "--version"]);
        assert_eq!(left, ["--version", "--"]);
        assert_eq!(complaints, ["unrecognized option '--bogus'"]);
    }

    #[test]
    fn options_of_encfs_may_stand_in_a_list() {
        let typed = [
            "/r",
            "/m",
            "-o",
            "rw,idle=5,extpass=a\\,b\\\\c,reverse,fsname=x\\,y",
        ];
        let expected = [
            "--idle=5",
            "--extpass=a,b\\c",
            "--reverse",
            "-o",
            "rw,fsname=x\\,y",
            "--",
            "/r",
            "/m",
        ];
        assert_eq!(words(&typed).0, expected);
        let behind = ["/r", "/m", "--", "-o", "public,allow_other"];
        assert_eq!(
            words(&behind).0,
            ["--public", "-o", "allow_other", "--", "/r", "/m"]
        );
        // A value too many or too few, and what would end the reading: left to the list's reader.
        assert_eq!(
            words(&["-o", "idle,public=1,version"]).0[1],
            "idle,public=1,version"
        );
    }
}
