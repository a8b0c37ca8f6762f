//! What is wrong, where, what to do; and the exit status.
//!
//! The one place that turns errors into words for people. Each [`Failure`] is one line on what
//! is wrong and, where there is something to do, further lines that say it; `--json` gives
//! the same as a record. Texts marked *protocol* below are matched by other programs.

use std::io::{self, Write};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::process::ExitCode;

use serde_json::{Map, Value};

use super::dialogue::DialogueError;
use super::output::{Format, json_name, print_json};
use super::password_source::PasswordError;
use super::request::UsageError;
use crate::{config, raw, volume};

/// The stream a failure is told on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stream {
    Out,
    Err,
}

/// Something did not happen.
#[derive(Debug)]
pub struct Failure {
    kind: &'static str,
    message: String,
    advice: Option<String>,
    stream: Stream,
    /// The line stands alone, without the program's name (*protocol* lines).
    bare: bool,
    usage: bool,
    /// Nothing is said: the reader of a pipe had enough.
    silent: bool,
    status: u8,
    path: Option<Vec<u8>>,
    errno: Option<i32>,
}

impl Failure {
    /// A failure told on standard error, with status 1.
    #[must_use]
    pub fn new(kind: &'static str, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
            advice: None,
            stream: Stream::Err,
            bare: false,
            usage: false,
            silent: false,
            status: 1,
            path: None,
            errno: None,
        }
    }

    /// What is wrong, in one line.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.message
    }

    /// Adds what to do about it.
    #[must_use]
    pub fn advise(mut self, advice: impl Into<String>) -> Self {
        self.advice = Some(advice.into());
        self
    }

    /// Adds where it happened, for the record.
    #[must_use]
    pub fn at(mut self, path: &[u8]) -> Self {
        self.path = Some(path.to_vec());
        self
    }

    /// Adds where it happened, for the record.
    #[must_use]
    pub fn at_path(self, path: &Path) -> Self {
        self.at(path.as_os_str().as_bytes())
    }

    /// Adds the number of a system error, for the record.
    #[must_use]
    pub fn with_io(mut self, error: &io::Error) -> Self {
        self.errno = error.raw_os_error();
        self
    }

    /// Adds the system's error number, for the record.
    #[must_use]
    pub fn with_errno(mut self, errno: i32) -> Self {
        self.errno = Some(errno);
        self
    }

    /// Exits with `status` instead of 1.
    #[must_use]
    pub fn with_status(mut self, status: u8) -> Self {
        self.status = status;
        self
    }

    /// A line that other programs look for, on standard output as it stands.
    #[must_use]
    pub fn protocol(kind: &'static str, line: &'static str) -> Self {
        Self {
            stream: Stream::Out,
            bare: true,
            ..Self::new(kind, line)
        }
    }

    /// Tells it on standard output, where EncFS tells it.
    #[must_use]
    pub fn on_stdout(mut self) -> Self {
        self.stream = Stream::Out;
        self
    }

    /// Tells on standard output that there is no volume, as EncFS does
    /// for `info` and the password commands.
    #[must_use]
    pub fn no_volume_on_stdout(self) -> Self {
        if self.kind == "no_volume" {
            self.on_stdout()
        } else {
            self
        }
    }

    /// Shows the usage after the reason.
    #[must_use]
    pub fn with_usage(mut self) -> Self {
        self.usage = true;
        self
    }

    /// *Protocol*: the wrong password, when mounting.
    #[must_use]
    pub fn wrong_password() -> Self {
        Self::protocol(
            "wrong_password",
            "Error decoding volume key, password incorrect",
        )
    }

    /// The settings of the volume cannot be shown from the other side. On standard output, as in EncFS.
    #[must_use]
    pub fn not_for_reverse() -> Self {
        Self::new(
            "not_for_reverse",
            "the configuration loaded is not compatible with --reverse",
        )
        .advise(
            "Reverse mode takes volumes without chaining, block codes and random bytes, as \
             encfs-rs --reverse creates them.",
        )
        .on_stdout()
    }

    /// Tells the user and gives the exit status. `program` begins the line; `usage` is shown
    /// where the words were at fault.
    pub fn report(&self, program: &str, usage: &str, format: Format) -> ExitCode {
        if self.silent {
            return ExitCode::from(self.status);
        }
        // A closed stream must not hide the status.
        let _ = match (format, self.stream) {
            (Format::Json, _) => print_json(&self.record()),
            (Format::Human, Stream::Out) => self.write(&mut io::stdout(), program, usage),
            (Format::Human, Stream::Err) => self.write(&mut io::stderr(), program, usage),
        };
        ExitCode::from(self.status)
    }

    fn write(&self, stream: &mut impl Write, program: &str, usage: &str) -> io::Result<()> {
        let mut text = if self.bare {
            format!("{}\n", self.message)
        } else {
            format!("{program}: {}\n", self.message)
        };
        for line in self.advice.iter().flat_map(|advice| advice.lines()) {
            text.push_str(&format!("  {line}\n"));
        }
        if self.usage {
            text.push_str(&format!("\n{usage}"));
        }
        stream.write_all(text.as_bytes())?;
        stream.flush()
    }

    fn record(&self) -> Value {
        let mut error = Map::new();
        error.insert("kind".to_owned(), self.kind.into());
        if let Some(path) = &self.path {
            error.insert("path".to_owned(), json_name(path));
        }
        if let Some(errno) = self.errno {
            error.insert("errno".to_owned(), errno.into());
        }
        error.insert("message".to_owned(), self.message.as_str().into());
        let mut record = Map::new();
        record.insert("error".to_owned(), Value::Object(error));
        Value::Object(record)
    }
}

impl From<UsageError> for Failure {
    fn from(error: UsageError) -> Self {
        let failure = Self::new("usage", error.to_string());
        match error {
            // Nobody who asked for one of these is helped by the list of all options.
            UsageError::MountWord(_) => failure,
            _ => failure.with_usage(),
        }
    }
}

impl From<PasswordError> for Failure {
    fn from(error: PasswordError) -> Self {
        let text = error.to_string();
        match error {
            PasswordError::Empty | PasswordError::EndOfInput => Self::new("no_password", text),
            PasswordError::Program(source) => Self::new("password_program", text)
                .with_io(&source)
                .advise("Check --extpass."),
            PasswordError::Input(source) => Self::new("input", text).with_io(&source),
        }
    }
}

impl From<DialogueError> for Failure {
    fn from(error: DialogueError) -> Self {
        let text = error.to_string();
        match error {
            DialogueError::EndOfInput => Self::new("end_of_input", text).advise(
                "Nothing was created. --standard, --paranoia and --profile ask no questions.",
            ),
            DialogueError::Declined => Self::new("declined", text),
            DialogueError::Stopped => Self::new("stopped", text).advise("Nothing was created."),
            DialogueError::Storage(source) => Self::new("storage", text)
                .with_errno(source.errno.raw_os_error())
                .advise("Nothing was created. --no-probe goes on without an examination."),
            DialogueError::Contradiction(_) => {
                Self::new("contradiction", text).advise("Nothing was created.")
            }
            DialogueError::Input(source) => Self::new("input", text).with_io(&source),
        }
    }
}

impl From<volume::Error> for Failure {
    fn from(error: volume::Error) -> Self {
        use volume::Error as E;
        let text = error.to_string();
        match error {
            E::WrongPassword => Self::wrong_password(),
            E::EmptyPassword => Self::new("no_password", text),
            E::Damaged { path, source } => {
                let failure = Self::new("damaged_configuration", text).at_path(&path);
                match source {
                    config::Error::Damaged {
                        fault: config::Fault::NotAConfiguration(_),
                        ..
                    } => {
                        failure.advise("This is not a configuration of EncFS. Nothing was changed.")
                    }
                    _ => failure.advise(
                        "Without it the volume cannot be opened: restore it from a backup.\n\
                         Nothing was changed.",
                    ),
                }
            }
            E::Unsupported { path, .. } => Self::new("unsupported_volume", text)
                .at_path(&path)
                .advise("Nothing was changed."),
            E::Prehistoric { path, .. } => {
                Self::new("unsupported_volume", text).at_path(&path).advise(
                    "An EncFS of that time opens it: mount it there and copy the files to a new \
                     volume.\nNothing was changed.",
                )
            }
            E::Foreign { path, .. } => Self::new("unsupported_volume", text).at_path(&path).advise(
                "The program that made it opens it: copy the files from there to a new volume.\n\
                     Nothing was changed.",
            ),
            E::NoSuchFile { path, .. } => Self::new("no_configuration", text)
                .at_path(&path)
                .advise("To make a new volume, leave it out and move the file afterwards."),
            E::AlreadyAVolume { path } => Self::new("volume_exists", text)
                .at_path(&path)
                .advise("Nothing was changed."),
            E::Storage { path, source } => Self::new("storage", text)
                .at_path(&path)
                .with_errno(source.errno.raw_os_error()),
            E::Names(_) => Self::new("naming", text).advise("Nothing was changed."),
            E::Settings(_) => Self::new("settings", text).advise("Nothing was changed."),
            E::Crypto(_) => Self::new("cipher", text).advise("Nothing was changed."),
            E::NotProven => Self::new("not_proven", text).advise(
                "This is a fault of encfs-rs or of this computer's memory. Please report it.",
            ),
        }
    }
}

impl Failure {
    /// A file of an opened volume cannot be had, at the path the user gave.
    ///
    /// The status is that of EncFS: 256 less the system's error number where the file cannot
    /// be opened, 255 for everything else.
    #[must_use]
    pub fn access(path: &[u8], error: &volume::AccessError) -> Self {
        use volume::AccessError as E;
        let text = format!("{}: {error}", crate::term::printable(path));
        let failure = Self::new("access", text).at(path).with_status(255);
        match error {
            E::Raw(error) => {
                let errno = error.errno.raw_os_error();
                let status = u8::try_from(256 - errno).unwrap_or(255);
                let shown = crate::term::printable(path);
                let failure = failure.with_errno(errno).with_status(status);
                if error.errno == raw::Errno::NOENT {
                    let message = format!("{shown}: there is no such file in the volume");
                    return Self {
                        kind: "not_found",
                        message,
                        ..failure
                    };
                }
                failure
            }
            E::Content(_) => Self {
                kind: "contents",
                ..failure
            },
            E::Name(_) => Self {
                kind: "name",
                ..failure
            },
            E::NotAFile(_) => Self {
                kind: "not_a_file",
                ..failure
            },
            // What the kernel says to EncFS, which lets it follow the raw target.
            E::OutsideVolume => Self {
                kind: "link",
                ..failure.with_status(254)
            },
            E::TooManyLinks => Self {
                kind: "link",
                ..failure.with_status(216)
            },
        }
    }
}

impl From<raw::Error> for Failure {
    fn from(error: raw::Error) -> Self {
        Self::new("storage", error.to_string()).with_errno(error.errno.raw_os_error())
    }
}

impl From<io::Error> for Failure {
    /// For results that could not be written.
    fn from(error: io::Error) -> Self {
        let failure = Self::new("output", format!("cannot write the result: {error}"));
        let nobody_reads = error.kind() == io::ErrorKind::BrokenPipe;
        Self {
            silent: nobody_reads,
            ..failure.with_io(&error)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(failure: &Failure) -> String {
        let mut bytes = Vec::new();
        failure.write(&mut bytes, "encfs", "USAGE\n").unwrap();
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn one_line_on_what_and_one_on_what_to_do() {
        let failure = Failure::new("busy", "/m is in use").advise("Unmount it first.");
        assert_eq!(text(&failure), "encfs: /m is in use\n  Unmount it first.\n");
    }

    #[test]
    fn protocol_lines_stand_alone_on_standard_output() {
        let failure = Failure::wrong_password();
        assert_eq!(
            text(&failure),
            "Error decoding volume key, password incorrect\n"
        );
        assert_eq!(failure.stream, Stream::Out);
        let unknown = Failure::from(UsageError::UnknownOption("--bogus".into()));
        assert_eq!(
            text(&unknown),
            "encfs: unrecognized option '--bogus'\n\nUSAGE\n"
        );
        assert_eq!(unknown.stream, Stream::Err);
    }

    #[test]
    fn a_record_has_kind_place_and_number() {
        let failure = Failure::new("not_found", "no such file")
            .at(b"a\xff")
            .with_errno(2);
        assert_eq!(
            failure.record().to_string(),
            r#"{"error":{"errno":2,"kind":"not_found","message":"no such file","path":{"bytes_base64":"Yf8="}}}"#
        );
    }
}
