//! How far long work has got: one line, redrawn at a terminal; a plain line every ten seconds in a
//! pipe. Both on standard error.

use std::io::{self, IsTerminal, Write};
use std::time::{Duration, Instant};

use indicatif::{HumanBytes, ProgressBar, ProgressDrawTarget, ProgressStyle};
use parking_lot::Mutex;

/// Time between two lines in a pipe.
const PIPE_EVERY: Duration = Duration::from_secs(10);
/// Redraws per second at a terminal.
const REDRAWS: u8 = 10;

/// The line.
struct Line {
    bar: Option<ProgressBar>,
    told: Instant,
}

impl Line {
    fn new() -> Self {
        let bar = io::stderr().is_terminal().then(|| {
            let bar = ProgressBar::new_spinner();
            bar.set_draw_target(ProgressDrawTarget::stderr_with_hz(REDRAWS));
            if let Ok(style) = ProgressStyle::with_template("{msg}") {
                bar.set_style(style);
            }
            bar
        });
        Self {
            bar,
            told: Instant::now(),
        }
    }

    fn tell(&mut self, text: impl FnOnce() -> String) {
        if let Some(bar) = &self.bar {
            bar.set_message(text());
        } else if self.told.elapsed() >= PIPE_EVERY {
            self.told = Instant::now();
            // Who does not read it has lost nothing.
            let _ = writeln!(io::stderr(), "{}", text());
        }
    }

    fn done(&mut self) {
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        self.done();
    }
}

/// Work of which it is known how many steps it has.
pub struct Steps {
    what: String,
    line: Mutex<Line>,
    started: Instant,
}

impl Steps {
    /// Work called `what`: the beginning of a sentence.
    #[must_use]
    pub fn new(what: String) -> Self {
        Self {
            what,
            line: Mutex::new(Line::new()),
            started: Instant::now(),
        }
    }

    /// So many steps of all are done.
    pub fn at(&self, done: usize, all: usize) {
        self.line.lock().tell(|| {
            let seconds = self.started.elapsed().as_secs();
            format!("{} ...   {done} of {all}, {seconds} s", self.what)
        });
    }
}

/// Work whose amount is not known beforehand: files and bytes done.
pub struct Progress {
    what: &'static str,
    line: Line,
    started: Instant,
    files: u64,
    bytes: u64,
}

impl Progress {
    /// Work called `what`, a verb.
    #[must_use]
    pub fn new(what: &'static str) -> Self {
        Self {
            what,
            line: Line::new(),
            started: Instant::now(),
            files: 0,
            bytes: 0,
        }
    }

    /// A file is done.
    pub fn file(&mut self) {
        self.files += 1;
        self.tell();
    }

    /// So many more bytes are done.
    pub fn bytes(&mut self, bytes: usize) {
        self.bytes += bytes as u64;
        self.tell();
    }

    /// The line makes room for what `other` writes to standard error.
    pub fn beside(&self, other: impl FnOnce()) {
        match &self.line.bar {
            Some(bar) => bar.suspend(other),
            None => other(),
        }
    }

    /// The line goes, if there is one.
    pub fn done(&mut self) {
        self.line.done();
    }

    fn tell(&mut self) {
        let Self {
            what,
            line,
            started,
            files,
            bytes,
        } = self;
        line.tell(|| {
            let millis = started.elapsed().as_millis().max(1);
            let rate = u128::from(*bytes) * 1000 / millis;
            format!(
                "{what}  {files} files   {}   {}/s",
                HumanBytes(*bytes),
                HumanBytes(u64::try_from(rate).unwrap_or(u64::MAX))
            )
        });
    }
}
