//! Results as text for people or as JSON for programs.
//!
//! JSON keys are `lower_snake_case` and are added, never renamed; sizes are in bytes, times in
//! seconds; a name that is not UTF-8 becomes `{"bytes_base64": "..."}`.

use std::io::{self, IsTerminal, Write};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

/// Who reads the result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// A person, or a script made for EncFS.
    Human,
    /// A program.
    Json,
}

/// A name as a JSON value.
#[must_use]
pub fn json_name(bytes: &[u8]) -> Value {
    match std::str::from_utf8(bytes) {
        Ok(text) => Value::from(text),
        Err(_) => json!({ "bytes_base64": STANDARD.encode(bytes) }),
    }
}

/// Writes `value` as one line of standard output.
///
/// # Errors
/// What writing reports.
pub fn print_json(value: &Value) -> io::Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "{value}")?;
    out.flush()
}

/// Whether standard output is looked at by a person.
#[must_use]
pub fn stdout_is_terminal() -> bool {
    io::stdout().is_terminal()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_text_where_they_can_be() {
        assert_eq!(
            json_name("gr\u{fc}n\n".as_bytes()).to_string(),
            "\"gr\u{fc}n\\n\""
        );
        assert_eq!(json_name(b"\xff").to_string(), r#"{"bytes_base64":"/w=="}"#);
    }
}
