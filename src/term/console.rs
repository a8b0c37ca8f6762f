//! Standard input, output and error as one conversation.

use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::AsFd;

use crate::secret::{Zeroize, Zeroizing};

/// What becomes of the part of a line that is past its limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rest {
    /// Read and forgotten, up to the end of the line.
    Swallowed,
    /// Left for the next read.
    Left,
}

/// The three standard streams, or stand-ins for them in tests.
///
/// Input is read byte by byte: answers come at the speed of fingers or of one script, and a
/// buffer would take bytes that belong to the password program or to a later reader.
pub struct Console {
    input: Box<dyn Read>,
    out: Box<dyn Write>,
    err: Box<dyn Write>,
    terminal_allowed: bool,
}

impl Console {
    /// The process's own streams.
    #[must_use]
    pub fn standard() -> Self {
        // A duplicate of descriptor 0 instead of `io::stdin()`, which reads ahead. Without a
        // standard input every question meets the end of file.
        let input: Box<dyn Read> = match rustix::stdio::stdin().as_fd().try_clone_to_owned() {
            Ok(descriptor) => Box::new(File::from(descriptor)),
            Err(_) => Box::new(io::empty()),
        };
        Self {
            input,
            out: Box::new(io::stdout()),
            err: Box::new(io::stderr()),
            terminal_allowed: true,
        }
    }

    /// Streams given by the caller; passwords are then read from `input` as well.
    #[must_use]
    pub fn of_streams(input: Box<dyn Read>, out: Box<dyn Write>, err: Box<dyn Write>) -> Self {
        Self {
            input,
            out,
            err,
            terminal_allowed: false,
        }
    }

    /// Whether passwords may be asked for at the controlling terminal.
    pub(super) fn terminal_allowed(&self) -> bool {
        self.terminal_allowed
    }

    /// What is left of standard input, for reading in larger pieces.
    #[must_use]
    pub fn into_input(self) -> Box<dyn Read> {
        self.input
    }

    pub(super) fn input_mut(&mut self) -> &mut dyn Read {
        &mut self.input
    }

    /// Writes `text` to standard output, as it is, and flushes it.
    ///
    /// A closed output is not worth an error here: the conversation is what matters.
    pub fn say(&mut self, text: &str) {
        let _ = self
            .out
            .write_all(text.as_bytes())
            .and_then(|()| self.out.flush());
    }

    /// Writes `text` to standard error, as it is, and flushes it.
    pub fn complain(&mut self, text: &str) {
        let _ = self
            .err
            .write_all(text.as_bytes())
            .and_then(|()| self.err.flush());
    }

    /// One answer: a line without its line feed; `None` at the end of input.
    ///
    /// # Errors
    /// What reading standard input reports.
    pub fn answer(&mut self) -> io::Result<Option<String>> {
        let line = self.line(1024, Rest::Swallowed)?;
        Ok(line.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()))
    }

    /// One line of at most `limit` bytes, without its line feed; `None` at the end of input.
    ///
    /// # Errors
    /// What reading standard input reports.
    pub fn line(&mut self, limit: usize, rest: Rest) -> io::Result<Option<Zeroizing<Vec<u8>>>> {
        read_line(&mut self.input, limit, rest, |byte| byte == b'\n')
    }
}

/// Reads one line byte by byte into a buffer that never moves and is wiped when dropped.
pub(super) fn read_line(
    input: &mut dyn Read,
    limit: usize,
    rest: Rest,
    ends_line: impl Fn(u8) -> bool,
) -> io::Result<Option<Zeroizing<Vec<u8>>>> {
    let mut line = Zeroizing::new(Vec::with_capacity(limit));
    let mut seen_any = false;
    let mut byte = [0];
    loop {
        if line.len() == limit && rest == Rest::Left {
            break;
        }
        match input.read(&mut byte) {
            Ok(0) if !seen_any => return Ok(None),
            Ok(0) => break,
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        }
        seen_any = true;
        let [value] = byte;
        if ends_line(value) {
            break;
        }
        if line.len() < limit {
            line.push(value);
        }
    }
    byte.zeroize();
    Ok(Some(line))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn console(input: &'static [u8]) -> Console {
        Console::of_streams(Box::new(input), Box::new(io::sink()), Box::new(io::sink()))
    }

    #[test]
    fn answers_and_a_password_line_share_one_input() {
        let mut console = console(b"y\nx\nsecret\nagain");
        assert_eq!(console.answer().unwrap().as_deref(), Some("y"));
        assert_eq!(console.answer().unwrap().as_deref(), Some("x"));
        assert_eq!(
            console.line(511, Rest::Left).unwrap().unwrap().as_slice(),
            b"secret"
        );
        assert_eq!(console.answer().unwrap().as_deref(), Some("again"));
        assert_eq!(console.answer().unwrap(), None);
    }

    #[test]
    fn a_line_past_its_limit_is_swallowed_or_left() {
        let mut console = console(b"abcdef\nabcdef\n");
        assert_eq!(
            console
                .line(3, Rest::Swallowed)
                .unwrap()
                .unwrap()
                .as_slice(),
            b"abc"
        );
        assert_eq!(
            console.line(4, Rest::Left).unwrap().unwrap().as_slice(),
            b"abcd"
        );
        assert_eq!(
            console.line(4, Rest::Left).unwrap().unwrap().as_slice(),
            b"ef"
        );
    }

    #[test]
    fn an_empty_line_is_not_the_end() {
        let mut console = console(b"\n");
        assert_eq!(console.answer().unwrap().as_deref(), Some(""));
        assert_eq!(console.answer().unwrap(), None);
    }
}
