//! Questions and answers by line: a number from a list, a number in a range, yes or no.
//!
//! The answers are matched by expect scripts and fed by pipes, so each kind of question ends
//! in the piece of text that is marked *protocol* in the table of the command line, and an
//! empty line or the end of input is the default. Where there is no default, the end of input
//! ends the dialogue.

use std::io;

use crate::term::Console;

/// The dialogue did not come to an end.
#[derive(Debug, thiserror::Error)]
pub enum DialogueError {
    /// No more answers, and the question has no default.
    #[error("the input ended before every question was answered")]
    EndOfInput,
    /// Standard input failed.
    #[error("cannot read the answer: {0}")]
    Input(#[from] io::Error),
}

/// Shows numbered `lines` under `heading` and takes the number of one, counted from 0.
///
/// # Errors
/// [`DialogueError`]
pub fn pick(
    console: &mut Console,
    heading: &str,
    lines: &[String],
) -> Result<usize, DialogueError> {
    let mut list = format!("{heading}\n");
    for (index, line) in lines.iter().enumerate() {
        list.push_str(&format!("{}. {line}\n", index + 1));
    }
    list.push_str("\nEnter the number corresponding to your choice: ");
    loop {
        console.say(&list);
        let answer = console.answer()?.ok_or(DialogueError::EndOfInput)?;
        match leading_number(&answer).and_then(|number| number.checked_sub(1)) {
            Some(index) if index < lines.len() => {
                console.say("\n");
                return Ok(index);
            }
            _ => console.complain("Invalid selection.\n"),
        }
    }
}

/// Shows `question` and takes a number; `None` for an empty line, for what is not a number and
/// at the end of input.
///
/// # Errors
/// [`DialogueError::Input`]
pub fn number(console: &mut Console, question: &str) -> Result<Option<u32>, DialogueError> {
    console.say(question);
    let answer = console.answer()?;
    console.say("\n");
    let number = answer.as_deref().and_then(leading_number);
    Ok(number.map(|number| u32::try_from(number).unwrap_or(u32::MAX)))
}

/// Shows `question` with the choices under it; `y` and `n` answer it, and so do `yes` and `no`
/// in any case (scripts written for EncFS up to 1.8 send them).
///
/// # Errors
/// [`DialogueError::Input`]
pub fn yes_or_no(
    console: &mut Console,
    question: &str,
    default: bool,
) -> Result<bool, DialogueError> {
    console.say(question);
    let chosen = loop {
        console.say(if default { "\n[y]/n: " } else { "\ny/[n]: " });
        let answer = console.answer()?;
        match answer
            .as_deref()
            .map(|text| text.trim().to_ascii_lowercase())
            .as_deref()
        {
            None | Some("") => break default,
            Some("y" | "yes") => break true,
            Some("n" | "no") => break false,
            Some(_) => {}
        }
    };
    console.say("\n");
    Ok(chosen)
}

/// The digits at the start of `answer`.
fn leading_number(answer: &str) -> Option<usize> {
    let answer = answer.trim_start();
    let end = answer
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(answer.len());
    let digits = answer.get(..end).filter(|digits| !digits.is_empty())?;
    Some(digits.parse().unwrap_or(usize::MAX))
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use std::cell::RefCell;
    use std::io::Write;
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

    #[test]
    fn a_list_is_shown_again_until_a_number_of_it_comes() {
        let (mut console, out, err) = console("0\nx\n3\n2\n");
        let lines = ["a".to_owned(), "b".to_owned()];
        assert_eq!(pick(&mut console, "Which?", &lines).unwrap(), 1);
        let once = "Which?\n1. a\n2. b\n\nEnter the number corresponding to your choice: ";
        assert_eq!(out.text(), once.repeat(4) + "\n");
        assert_eq!(err.text(), "Invalid selection.\n".repeat(3));
    }

    #[test]
    fn a_list_without_an_answer_ends() {
        let (mut console, ..) = console("9\n");
        let lines = ["a".to_owned()];
        assert!(matches!(
            pick(&mut console, "Which?", &lines),
            Err(DialogueError::EndOfInput)
        ));
    }

    #[test]
    fn numbers() {
        for (input, expected) in [
            ("256\n", Some(256)),
            (" 8 bytes\n", Some(8)),
            ("\n", None),
            ("", None),
            ("many\n", None),
            ("-1\n", None),
            ("99999999999999999999999\n", Some(u32::MAX)),
        ] {
            let (mut console, ..) = console(input);
            assert_eq!(
                number(&mut console, "How many? ").unwrap(),
                expected,
                "{input:?}"
            );
        }
    }

    #[test]
    fn yes_and_no() {
        for (input, default, expected) in [
            ("y\n", false, true),
            ("n\n", true, false),
            ("YES\n", false, true),
            ("No\n", true, false),
            ("\n", true, true),
            ("\n", false, false),
            ("", true, true),
            ("perhaps\ny\n", false, true),
        ] {
            let (mut console, ..) = console(input);
            assert_eq!(
                yes_or_no(&mut console, "Sure?", default).unwrap(),
                expected,
                "{input:?}"
            );
        }
        let (mut console, out, _) = console("x\n\n");
        yes_or_no(&mut console, "Sure?", true).unwrap();
        assert_eq!(out.text(), "Sure?\n[y]/n: \n[y]/n: \n");
    }
}
