//! `.encfs6.xml` byte for byte as EncFS 1.9.5 writes it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::config::{Extra, Interface, SUB_VERSION_V6_SALT, VolumeConfig};

const HEAD: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>
<!DOCTYPE boost_serialization>
<boost_serialization signature=\"serialization::archive\" version=\"7\">
    <cfg class_id=\"0\" tracking_level=\"0\" version=\"20\">
";

/// The file of `config`.
///
/// The order of elements matters to releases before 1.9, which read them in sequence. (Those stop at
/// `plainData`; EncFS 1.9.5 writes it all the same, and so do we.) Elements that we do not know come last.
#[must_use]
pub fn write(config: &VolumeConfig) -> Vec<u8> {
    let mut out = Writer(HEAD.to_owned());
    out.number("version", config.sub_version);
    out.text(2, "creator", "", &config.creator);
    out.interface(
        "cipherAlg",
        " class_id=\"1\" tracking_level=\"0\" version=\"0\"",
        &config.cipher,
    );
    out.interface("nameAlg", "", &config.naming);
    out.number("keySize", config.key_bits);
    out.number("blockSize", config.block_size);
    out.flag("plainData", config.plain_data);
    out.flag("uniqueIV", config.unique_iv);
    out.flag("chainedNameIV", config.chained_name_iv);
    out.flag("externalIVChaining", config.external_iv);
    out.number("blockMACBytes", config.mac_bytes);
    out.number("blockMACRandBytes", config.rand_bytes);
    out.flag("allowHoles", config.allow_holes);
    out.number("encodedKeySize", config.key_data.len());
    out.base64("encodedKeyData", &config.key_data);
    if config.sub_version >= SUB_VERSION_V6_SALT {
        out.number("saltLen", config.salt.len());
        out.base64("saltData", &config.salt);
        out.number("kdfIterations", config.kdf_iterations);
        out.number("desiredKDFDuration", config.kdf_duration_ms);
    }
    for extra in config.extras() {
        out.extra(2, extra);
    }
    out.0.push_str("    </cfg>\n</boost_serialization>\n");
    out.0.into_bytes()
}

struct Writer(String);

impl Writer {
    fn indent(&mut self, depth: usize) {
        for _ in 0..depth {
            self.0.push_str("    ");
        }
    }

    fn escaped(&mut self, text: &str) {
        for c in text.chars() {
            match c {
                '&' => self.0.push_str("&amp;"),
                '<' => self.0.push_str("&lt;"),
                '>' => self.0.push_str("&gt;"),
                // a bare CR would come back as LF
                '\r' => self.0.push_str("&#13;"),
                _ => self.0.push(c),
            }
        }
    }

    fn text(&mut self, depth: usize, name: &str, attributes: &str, text: &str) {
        self.indent(depth);
        self.open(name, attributes);
        self.escaped(text);
        self.close(name);
    }

    fn open(&mut self, name: &str, attributes: &str) {
        for part in ["<", name, attributes, ">"] {
            self.0.push_str(part);
        }
    }

    fn close(&mut self, name: &str) {
        for part in ["</", name, ">\n"] {
            self.0.push_str(part);
        }
    }

    fn number(&mut self, name: &str, value: impl ToString) {
        self.text(2, name, "", &value.to_string());
    }

    fn flag(&mut self, name: &str, value: bool) {
        self.number(name, u8::from(value));
    }

    /// The text is a line of its own, and the end tag begins its line.
    fn base64(&mut self, name: &str, bytes: &[u8]) {
        self.indent(2);
        self.open(name, "");
        self.0.push('\n');
        self.0.push_str(&STANDARD.encode(bytes));
        self.0.push('\n');
        self.close(name);
    }

    fn interface(&mut self, name: &str, attributes: &str, value: &Interface) {
        self.indent(2);
        self.open(name, attributes);
        self.0.push('\n');
        self.text(3, "name", "", &value.name);
        self.text(3, "major", "", &value.major.to_string());
        self.text(3, "minor", "", &value.minor.to_string());
        self.indent(2);
        self.close(name);
    }

    fn extra(&mut self, depth: usize, extra: &Extra) {
        let mut attributes = Self(String::new());
        for (name, value) in &extra.attributes {
            for part in [" ", name, "=\""] {
                attributes.0.push_str(part);
            }
            for piece in value.split_inclusive(['"', '\n', '\t']) {
                let end = piece.chars().next_back();
                let quoted = matches!(end, Some('"' | '\n' | '\t'));
                let plain = piece.get(..piece.len() - usize::from(quoted));
                attributes.escaped(plain.unwrap_or_default());
                match end {
                    Some('"') => attributes.0.push_str("&quot;"),
                    Some('\n') => attributes.0.push_str("&#10;"),
                    Some('\t') => attributes.0.push_str("&#9;"),
                    _ => {}
                }
            }
            attributes.0.push('"');
        }
        if extra.children.is_empty() {
            self.text(depth, &extra.name, &attributes.0, &extra.text);
            return;
        }
        self.indent(depth);
        self.open(&extra.name, &attributes.0);
        self.escaped(&extra.text);
        self.0.push('\n');
        for child in &extra.children {
            self.extra(depth + 1, child);
        }
        self.indent(depth);
        self.close(&extra.name);
    }
}
