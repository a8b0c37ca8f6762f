//! Asking for a password.
//!
//! The prompts are matched by expect scripts and stay as they are, byte for byte. They are
//! written to the controlling terminal, with echo off while the answer is typed. A process
//! without one (cron, a daemon, a test) is asked on standard error and answers on standard
//! input. A password is bytes, not text, and goes into one buffer that is wiped.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::fd::AsFd;

use crate::secret::Zeroizing;
use nix::sys::signal::Signal;
use rustix::event::{PollFd, PollFlags, poll};
use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};

use super::console::{Console, Rest, read_line};
use super::signals::HeldSignals;
use crate::secret::Password;

/// The prompt for the password of an existing volume.
pub const PROMPT_OPEN: &str = "EncFS Password: ";
/// The prompt for a new password.
pub const PROMPT_NEW: &str = "New Encfs Password: ";
/// The prompt for a new password, the second time.
pub const PROMPT_VERIFY: &str = "Verify Encfs Password: ";

/// Bytes kept of the password of an existing volume.
pub const LIMIT_OPEN: usize = 511;
/// Bytes kept of a new password: one less, as EncFS keeps them.
pub const LIMIT_NEW: usize = 510;

/// Signals that would leave the terminal without echo if they struck during the prompt.
///
/// SIGTTIN and SIGTTOU are not among them: they stop a background process before it could
/// change the terminal.
const GUARDED: [Signal; 5] = [
    Signal::SIGINT,
    Signal::SIGTERM,
    Signal::SIGHUP,
    Signal::SIGQUIT,
    Signal::SIGTSTP,
];

/// Shows `prompt` and reads a line without echo, of which `limit` bytes are kept.
///
/// The end of input at once is an empty password.
///
/// # Errors
/// What reading or changing the terminal reports.
pub fn ask_password(console: &mut Console, prompt: &str, limit: usize) -> io::Result<Password> {
    if console.terminal_allowed()
        && let Ok(mut terminal) = OpenOptions::new().read(true).write(true).open("/dev/tty")
    {
        return ask_at_terminal(&mut terminal, prompt, limit);
    }
    console.complain(prompt);
    let line = console.line_until(limit, is_line_end)?;
    console.complain("\n");
    Ok(into_password(line))
}

/// The password from one line of standard input, without a prompt (`--stdinpass`).
///
/// An embedded NUL ends it, a carriage return is part of it, and what is past
/// [`LIMIT_OPEN`] bytes is left as the next line, as EncFS does it. `None` at the end of
/// input.
///
/// # Errors
/// What reading standard input reports.
pub fn line_password(console: &mut Console) -> io::Result<Option<Password>> {
    let line = console.line(LIMIT_OPEN, Rest::Left)?;
    Ok(line.map(|bytes| {
        let end = bytes
            .iter()
            .position(|&byte| byte == 0)
            .unwrap_or(bytes.len());
        Password::new(bytes.iter().copied().take(end).collect())
    }))
}

/// No core dump of this process from now on, and no other process of the same user may look
/// into its memory: passwords and keys are in it.
///
/// A system that refuses is no reason not to open the volume.
pub fn keep_out_of_dumps() {
    use rustix::process::{DumpableBehavior, Resource, Rlimit, set_dumpable_behavior, setrlimit};
    let _ = set_dumpable_behavior(DumpableBehavior::NotDumpable);
    let _ = setrlimit(
        Resource::Core,
        Rlimit {
            current: Some(0),
            maximum: Some(0),
        },
    );
}

impl Console {
    fn line_until(
        &mut self,
        limit: usize,
        ends_line: impl Fn(u8) -> bool,
    ) -> io::Result<Option<Zeroizing<Vec<u8>>>> {
        read_line(self.input_mut(), limit, Rest::Swallowed, ends_line)
    }
}

fn is_line_end(byte: u8) -> bool {
    byte == b'\n' || byte == b'\r'
}

fn into_password(line: Option<Zeroizing<Vec<u8>>>) -> Password {
    Password::new(line.map_or_else(Vec::new, |bytes| bytes.to_vec()))
}

fn ask_at_terminal(terminal: &mut File, prompt: &str, limit: usize) -> io::Result<Password> {
    let signals = HeldSignals::block(&GUARDED)?;
    let silence = Silence::begin(terminal)?;
    let line = loop {
        silence.terminal.write_all(prompt.as_bytes())?;
        let mut keys = Keys {
            terminal: silence.terminal,
            signals: &signals,
            struck: None,
        };
        let read = read_line(&mut keys, limit, Rest::Swallowed, is_line_end);
        let Some(signal) = keys.struck else {
            break read?;
        };
        // The signal does what it always does, with the terminal as it was; a stopped
        // process that goes on asks again.
        silence.end()?;
        signals.deliver(signal)?;
        silence.resume()?;
    };
    silence.terminal.write_all(b"\n")?;
    silence.end()?;
    Ok(into_password(line))
}

/// Reads keys until a guarded signal arrives, which ends the input.
struct Keys<'a> {
    terminal: &'a File,
    signals: &'a HeldSignals,
    struck: Option<Signal>,
}

impl Read for Keys<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.struck.is_some() {
            return Ok(0);
        }
        let mut waits = [
            PollFd::from_borrowed_fd(self.signals.as_fd(), PollFlags::IN),
            PollFd::from_borrowed_fd(self.terminal.as_fd(), PollFlags::IN),
        ];
        poll(&mut waits, None)?;
        if waits[0].revents().contains(PollFlags::IN)
            && let Some(signal) = self.signals.struck()?
        {
            self.struck = Some(signal);
            return Ok(0);
        }
        self.terminal.read(buffer)
    }
}

/// A terminal whose echo is off until [`Silence::end`] or drop.
struct Silence<'a> {
    terminal: &'a mut File,
    loud: Termios,
    silent: Termios,
}

impl<'a> Silence<'a> {
    fn begin(terminal: &'a mut File) -> io::Result<Self> {
        let loud = tcgetattr(&*terminal)?;
        let mut silent = loud.clone();
        silent.local_modes -= LocalModes::ECHO | LocalModes::ECHOE | LocalModes::ECHOK;
        silent.local_modes -= LocalModes::ECHONL;
        let silence = Self {
            terminal,
            loud,
            silent,
        };
        silence.resume()?;
        Ok(silence)
    }

    fn resume(&self) -> io::Result<()> {
        Ok(tcsetattr(
            &*self.terminal,
            OptionalActions::Flush,
            &self.silent,
        )?)
    }

    fn end(&self) -> io::Result<()> {
        Ok(tcsetattr(
            &*self.terminal,
            OptionalActions::Drain,
            &self.loud,
        )?)
    }
}

impl Drop for Silence<'_> {
    fn drop(&mut self) {
        // Reached with echo off only when something else failed, which is reported.
        let _ = self.end();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::RefCell;
    use std::rc::Rc;

    #[derive(Clone, Default)]
    struct Sink(Rc<RefCell<Vec<u8>>>);

    impl Write for Sink {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.borrow_mut().extend_from_slice(bytes);
            Ok(bytes.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn console(input: Vec<u8>) -> (Console, Sink) {
        let err = Sink::default();
        let input = Box::new(io::Cursor::new(input));
        (
            Console::of_streams(input, Box::new(io::sink()), Box::new(err.clone())),
            err,
        )
    }

    #[test]
    fn without_a_terminal_the_prompt_goes_to_standard_error() {
        let (mut console, err) = console(b"secret\nrest\n".to_vec());
        let password = ask_password(&mut console, PROMPT_OPEN, LIMIT_OPEN).unwrap();
        assert_eq!(password.as_bytes(), b"secret");
        assert_eq!(err.0.borrow().as_slice(), b"EncFS Password: \n");
        assert_eq!(console.answer().unwrap().as_deref(), Some("rest"));
    }

    #[test]
    fn a_prompted_password_ends_at_a_carriage_return_and_keeps_its_limit() {
        let (mut first, _) = console(b"one\rtwo\n".to_vec());
        let password = ask_password(&mut first, PROMPT_NEW, LIMIT_NEW).unwrap();
        assert_eq!(password.as_bytes(), b"one");

        let mut long = vec![b'a'; 600];
        long.extend_from_slice(b"\nnext\n");
        let (mut second, _) = console(long);
        let password = ask_password(&mut second, PROMPT_OPEN, LIMIT_OPEN).unwrap();
        assert_eq!(password.as_bytes(), [b'a'; 511]);
        assert_eq!(second.answer().unwrap().as_deref(), Some("next"));
    }

    #[test]
    fn the_end_of_input_is_an_empty_password_at_the_prompt() {
        let (mut console, _) = console(Vec::new());
        assert!(
            ask_password(&mut console, PROMPT_OPEN, LIMIT_OPEN)
                .unwrap()
                .is_empty()
        );
    }

    #[test]
    fn a_password_line_is_bytes() {
        let cases: [(&[u8], Option<&[u8]>); 6] = [
            (b"", None),
            (b"\n", Some(b"")),
            (b"pw", Some(b"pw")),
            (b"pw\r\n", Some(b"pw\r")),
            (b"p\0w\n", Some(b"p")),
            (b"\xff\xfe\n", Some(b"\xff\xfe")),
        ];
        for (input, expected) in cases {
            let (mut console, _) = console(input.to_vec());
            let password = line_password(&mut console).unwrap();
            assert_eq!(
                password.as_ref().map(Password::as_bytes),
                expected,
                "{input:?}"
            );
        }
    }

    #[test]
    fn a_password_line_that_is_too_long_leaves_the_rest() {
        let mut line = vec![b'x'; 513];
        line.push(b'\n');
        let (mut console, _) = console(line);
        assert_eq!(
            line_password(&mut console).unwrap().unwrap().as_bytes(),
            [b'x'; 511]
        );
        assert_eq!(
            line_password(&mut console).unwrap().unwrap().as_bytes(),
            b"xx"
        );
    }
}
