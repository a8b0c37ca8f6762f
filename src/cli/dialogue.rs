//! How a dialogue fails, and a console for the tests of all dialogues.

use std::io;

/// The dialogue did not come to an end.
#[derive(Debug, thiserror::Error)]
pub enum DialogueError {
    /// No more answers, and the question has no default.
    #[error("the input ended before every question was answered")]
    EndOfInput,
    /// The answers ask for a volume that there cannot be.
    #[error(transparent)]
    Contradiction(#[from] crate::profile::Error),
    /// The last answer was no.
    #[error("nothing was created, as you wished")]
    Declined,
    /// The storage could not be looked at.
    #[error("the storage cannot be examined: {0}")]
    Storage(#[from] crate::raw::Error),
    /// A signal came during the examination.
    #[error("the examination was stopped")]
    Stopped,
    /// Standard input failed.
    #[error("cannot read the answer: {0}")]
    Input(#[from] io::Error),
}

#[cfg(test)]
pub(super) mod tests {
    use crate::term::Console;
    use std::cell::RefCell;
    use std::io::{self, Write};
    use std::rc::Rc;

    /// What a console under test wrote.
    #[derive(Clone, Default)]
    pub(in crate::cli) struct Written(Rc<RefCell<Vec<u8>>>);

    impl Written {
        pub(in crate::cli) fn text(&self) -> String {
            String::from_utf8(self.0.borrow().clone()).unwrap()
        }
    }

    impl Write for Written {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.borrow_mut().extend_from_slice(bytes);
            Ok(bytes.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// A console that answers with the lines of `input`; what it says and complains.
    pub(in crate::cli) fn console(input: &str) -> (Console, Written, Written) {
        let (out, err) = (Written::default(), Written::default());
        let input = Box::new(io::Cursor::new(input.as_bytes().to_vec()));
        (
            Console::of_streams(input, Box::new(out.clone()), Box::new(err.clone())),
            out,
            err,
        )
    }
}
