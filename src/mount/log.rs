//! Where the log goes: to standard error in the foreground, to the system log as a daemon.
//!
//! Only raw names are logged from warnings up (the log of a mount must not tell what the
//! encryption hides).

use std::io::{self, IsTerminal, Write};
use std::os::unix::net::UnixDatagram;

use tracing::{Level, Metadata, Subscriber};
use tracing_log::log::LevelFilter;
use tracing_subscriber::fmt::MakeWriter;

/// What is logged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Detail {
    Usual,
    Verbose,
    Requests,
}

impl Detail {
    fn level(self) -> Level {
        match self {
            Self::Usual => Level::INFO,
            Self::Verbose => Level::DEBUG,
            Self::Requests => Level::TRACE,
        }
    }

    /// What the FUSE library says of its own is for finding faults only.
    fn of_library(self) -> LevelFilter {
        match self {
            Self::Usual => LevelFilter::Warn,
            Self::Verbose => LevelFilter::Info,
            Self::Requests => LevelFilter::Trace,
        }
    }
}

/// Logs to standard error from now on.
pub(super) fn to_stderr(detail: Detail) {
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(detail.level())
        .with_target(detail != Detail::Usual)
        .with_ansi(io::stderr().is_terminal())
        .with_writer(|| Unread(io::stderr()))
        .log_internal_errors(false)
        .finish();
    begin(subscriber, detail.of_library());
}

/// Logs to the system log under `tag` from now on; nowhere if there is none.
pub(super) fn to_syslog(detail: Detail, tag: &str) {
    let socket = UnixDatagram::unbound().and_then(|socket| {
        socket.connect("/dev/log")?;
        // A full log must not stop the mount.
        socket.set_nonblocking(true)?;
        Ok(socket)
    });
    let Ok(socket) = socket else { return };
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(detail.level())
        .with_target(false)
        .with_ansi(false)
        .without_time()
        .log_internal_errors(false)
        .with_writer(Syslog {
            socket,
            tag: tag.to_owned(),
        })
        .finish();
    begin(subscriber, detail.of_library());
}

/// A stream that may have lost its reader: what cannot be written is lost, and nothing else. The
/// subscriber would complain of it on standard error, and panic as that fails too.
struct Unread<W>(W);

impl<W: Write> Write for Unread<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        Ok(self.0.write(bytes).unwrap_or(bytes.len()))
    }

    fn flush(&mut self) -> io::Result<()> {
        let _ = self.0.flush();
        Ok(())
    }
}

fn begin(subscriber: impl Subscriber + Send + Sync, library: LevelFilter) {
    // Fails if a log was set up before, which then stays.
    if tracing::subscriber::set_global_default(subscriber).is_ok() {
        // Carries over what the FUSE library logs.
        let _ = tracing_log::LogTracer::init_with_filter(library);
    }
}

/// Facility "user" of the system log.
const USER: u8 = 1 << 3;

struct Syslog {
    socket: UnixDatagram,
    tag: String,
}

impl<'a> MakeWriter<'a> for Syslog {
    type Writer = Record<'a>;

    fn make_writer(&'a self) -> Record<'a> {
        Record {
            log: self,
            severity: 6,
            text: Vec::new(),
        }
    }

    fn make_writer_for(&'a self, metadata: &Metadata<'_>) -> Record<'a> {
        let severity = match *metadata.level() {
            Level::ERROR => 3,
            Level::WARN => 4,
            Level::INFO => 6,
            Level::DEBUG | Level::TRACE => 7,
        };
        Record {
            log: self,
            severity,
            text: Vec::new(),
        }
    }
}

/// One record, sent when it is complete.
struct Record<'a> {
    log: &'a Syslog,
    severity: u8,
    text: Vec<u8>,
}

impl Write for Record<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.text.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for Record<'_> {
    fn drop(&mut self) {
        let head = format!(
            "<{}>{}[{}]: ",
            USER | self.severity,
            self.log.tag,
            std::process::id()
        );
        let record = [head.as_bytes(), self.text.trim_ascii()].concat();
        // There is no other place to say that the log is full or gone.
        let _ = self.log.socket.send(&record);
    }
}
