//! Names made safe to print.
//!
//! A plain name is whatever somebody once called a file: it can hold escape sequences that
//! repaint the terminal, line breaks that fake a second entry, or characters that reverse the
//! direction of the text after them. Shown to a person, such characters become escapes; what
//! goes into a pipe is left as it is, for programs need the true bytes.

use std::borrow::Cow;
use std::fmt::Write as _;

/// `bytes` as text that moves no cursor and hides nothing.
///
/// Control characters and those that change the direction of text appear as `\x1b` or
/// `\u{202e}`, bytes that are not UTF-8 as `\xff`. Everything else stays, the backslash too:
/// the result is for eyes, not for reading back.
#[must_use]
pub fn printable(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        for character in chunk.valid().chars() {
            if is_harmless(character) {
                text.push(character);
            } else if character.is_ascii() {
                // Writing into a String cannot fail.
                let _ = write!(text, "\\x{:02x}", u32::from(character));
            } else {
                let _ = write!(text, "\\u{{{:x}}}", u32::from(character));
            }
        }
        for byte in chunk.invalid() {
            let _ = write!(text, "\\x{byte:02x}");
        }
    }
    text
}

/// A name for standard output: made safe when that is a terminal, untouched in a pipe.
#[must_use]
pub fn printable_name(bytes: &[u8], to_terminal: bool) -> Cow<'_, [u8]> {
    if to_terminal {
        Cow::Owned(printable(bytes).into_bytes())
    } else {
        Cow::Borrowed(bytes)
    }
}

fn is_harmless(character: char) -> bool {
    let changes_direction = matches!(
        character,
        '\u{200e}' | '\u{200f}' | '\u{061c}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}'
    );
    let breaks_line = matches!(character, '\u{2028}' | '\u{2029}');
    !character.is_control() && !changes_direction && !breaks_line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn harmful_characters_become_escapes() {
        let cases: [(&[u8], &str); 7] = [
            (b"plain name.txt", "plain name.txt"),
            ("gr\u{fc}n \u{65e5}".as_bytes(), "gr\u{fc}n \u{65e5}"),
            (b"\x1b[2J", "\\x1b[2J"),
            (b"two\nlines\t\x7f", "two\\x0alines\\x09\\x7f"),
            ("\u{202e}txt.exe".as_bytes(), "\\u{202e}txt.exe"),
            ("c1\u{9b}".as_bytes(), "c1\\u{9b}"),
            (b"bad\xff\xc3", "bad\\xff\\xc3"),
        ];
        for (bytes, text) in cases {
            assert_eq!(printable(bytes), text);
        }
    }

    #[test]
    fn a_pipe_gets_the_true_bytes() {
        assert_eq!(&*printable_name(b"a\x1b\xff", false), b"a\x1b\xff");
        assert_eq!(&*printable_name(b"a\x1b\xff", true), b"a\\x1b\\xff");
    }
}
