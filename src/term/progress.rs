//! How far long work has got: one line, redrawn at a terminal; a plain line every ten seconds in a
//! pipe. Both on standard error.

use std::io::{self, IsTerminal, Write};
use std::time::{Duration, Instant};

use indicatif::{HumanBytes, ProgressBar, ProgressDrawTarget, ProgressStyle};

/// Time between two lines in a pipe.
const PIPE_EVERY: Duration = Duration::from_secs(10);
/// Redraws per second at a terminal.
const REDRAWS: u8 = 10;

/// Work whose amount is not known beforehand: files and bytes done.
pub struct Progress {
    what: &'static str,
    bar: Option<ProgressBar>,
    started: Instant,
    told: Instant,
    files: u64,
    bytes: u64,
}

impl Progress {
    /// Work called `what`, a verb.
    #[must_use]
    pub fn new(what: &'static str) -> Self {
        let bar = io::stderr().is_terminal().then(|| {
            let bar = ProgressBar::new_spinner();
            bar.set_draw_target(ProgressDrawTarget::stderr_with_hz(REDRAWS));
            if let Ok(style) = ProgressStyle::with_template("{msg}") {
                bar.set_style(style);
            }
            bar
        });
        let now = Instant::now();
        Self {
            what,
            bar,
            started: now,
            told: now,
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
        match &self.bar {
            Some(bar) => bar.suspend(other),
            None => other(),
        }
    }

    /// The line goes, if there is one.
    pub fn done(&mut self) {
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
    }

    fn tell(&mut self) {
        if let Some(bar) = &self.bar {
            bar.set_message(self.line());
        } else if self.told.elapsed() >= PIPE_EVERY {
            self.told = Instant::now();
            // Who does not read it has lost nothing.
            let _ = writeln!(io::stderr(), "{}", self.line());
        }
    }

    fn line(&self) -> String {
        let millis = self.started.elapsed().as_millis().max(1);
        let rate = u128::from(self.bytes) * 1000 / millis;
        format!(
            "{}  {} files   {}   {}/s",
            self.what,
            self.files,
            HumanBytes(self.bytes),
            HumanBytes(u64::try_from(rate).unwrap_or(u64::MAX))
        )
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.done();
    }
}
