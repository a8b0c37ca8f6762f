//! `.encfs6.xml` of every writer.

#![warn(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

use super::tree::{Element, parse};
use crate::config::{
    ConfigFields, Error, Fault, Generation, Interface, Place, SUB_VERSION_V6_SALT, VolumeConfig,
};

/// Children of `cfg` that have a meaning; all others are carried along. `saltSize` is `saltLen` as a
/// pre-release of EncFS 1.5.0 spelled it.
const KNOWN: [&str; 20] = [
    "version",
    "creator",
    "cipherAlg",
    "nameAlg",
    "keySize",
    "blockSize",
    "plainData",
    "uniqueIV",
    "chainedNameIV",
    "externalIVChaining",
    "blockMACBytes",
    "blockMACRandBytes",
    "allowHoles",
    "encodedKeySize",
    "encodedKeyData",
    "saltLen",
    "saltSize",
    "saltData",
    "kdfIterations",
    "desiredKDFDuration",
];

/// Stands for iterations where there is no salt.
const OLD_DERIVATION: u32 = 16;
const DEFAULT_DURATION_MS: u32 = 500;

/// Reads the file.
///
/// # Errors
/// [`Error::Damaged`] or [`Error::UnsupportedVersion`] if it cannot be read, the others of [`Error`] if its
/// values make no volume.
pub fn read(bytes: &[u8]) -> Result<VolumeConfig, Error> {
    let root = parse(bytes)?;
    if root.name != "boost_serialization" {
        let fault = Fault::NotAConfiguration("boost_serialization");
        return Err(Error::damaged(root.place(), fault));
    }
    // releases before 1.7 said "config"
    let Some(cfg) = root.child("cfg").or_else(|| root.child("config")) else {
        return Err(Error::damaged(
            root.place(),
            Fault::NotAConfiguration("cfg"),
        ));
    };
    let fields = fields(cfg)?;
    let unknown = |child: &&Element| !KNOWN.contains(&child.name.as_str());
    let extras = cfg
        .children
        .iter()
        .filter(unknown)
        .map(Element::to_extra)
        .collect();
    VolumeConfig::with_extras(fields, extras)
}

fn fields(cfg: &Element) -> Result<ConfigFields, Error> {
    let sub_version = sub_version(cfg)?;
    let mut fields = ConfigFields {
        generation: Generation::V6,
        sub_version,
        creator: cfg
            .child("creator")
            .map(|e| e.text.clone())
            .unwrap_or_default(),
        cipher: interface(cfg, "cipherAlg")?,
        naming: interface(cfg, "nameAlg")?,
        key_bits: needed(cfg, "keySize")?,
        block_size: needed(cfg, "blockSize")?,
        plain_data: flag(cfg, "plainData")?,
        unique_iv: flag(cfg, "uniqueIV")?,
        chained_name_iv: flag(cfg, "chainedNameIV")?,
        external_iv: flag(cfg, "externalIVChaining")?,
        mac_bytes: number(cfg, "blockMACBytes", 0)?,
        rand_bytes: number(cfg, "blockMACRandBytes", 0)?,
        allow_holes: flag(cfg, "allowHoles")?,
        key_data: bytes(
            cfg,
            "encodedKeyData",
            "encodedKeySize",
            cfg.child("encodedKeySize"),
        )?,
        salt: Vec::new(),
        kdf_iterations: OLD_DERIVATION,
        kdf_duration_ms: DEFAULT_DURATION_MS,
    };
    if sub_version >= SUB_VERSION_V6_SALT {
        let size = cfg.child("saltLen").or_else(|| cfg.child("saltSize"));
        fields.salt = bytes(cfg, "saltData", "saltLen", size)?;
        fields.kdf_iterations = number(cfg, "kdfIterations", 0)?;
        fields.kdf_duration_ms = number(cfg, "desiredKDFDuration", DEFAULT_DURATION_MS)?;
    }
    Ok(fields)
}

/// The sub-version, from the element or else the attribute, cut numbers made whole.
fn sub_version(cfg: &Element) -> Result<u32, Error> {
    let (text, place) = match cfg.child("version") {
        Some(element) => (element.text.as_str(), element.place()),
        None => match cfg.attribute("version") {
            Some(text) => (text, cfg.place()),
            None => return Err(Error::damaged(cfg.place(), Fault::Missing("version"))),
        },
    };
    let (writer, remedy) = match decimal("version", text, place)?.small() {
        // boost before 1.42 kept 16 bits
        Some(26_800) => return Ok(20_080_816),
        Some(26_797) => return Ok(20_080_813),
        Some(number @ (20 | 20_040_813..)) => return Ok(number),
        _ => (
            "no release of EncFS wrote this number, so the file may be damaged",
            "restore the configuration from a backup",
        ),
    };
    Err(Error::UnsupportedVersion {
        generation: Generation::V6,
        sub_version: shortened(text.trim()),
        writer,
        remedy,
    })
}

fn interface(cfg: &Element, what: &'static str) -> Result<Interface, Error> {
    let missing = |place| Error::damaged(place, Fault::Missing(what));
    let element = cfg.child(what).ok_or_else(|| missing(cfg.place()))?;
    let name = element
        .child("name")
        .ok_or_else(|| missing(element.place()))?;
    Ok(Interface {
        name: name.text.clone(),
        major: needed(element, "major")?,
        minor: number(element, "minor", 0)?,
        age: 0,
    })
}

/// A number that must be there.
fn needed(parent: &Element, what: &'static str) -> Result<u32, Error> {
    let missing = || Error::damaged(parent.place(), Fault::Missing(what));
    parse_number(what, parent.child(what).ok_or_else(missing)?)
}

/// A number that may be missing.
fn number(parent: &Element, what: &'static str, default: u32) -> Result<u32, Error> {
    parent
        .child(what)
        .map_or(Ok(default), |e| parse_number(what, e))
}

/// A boolean: any number, 0 is false. Missing means false.
fn flag(parent: &Element, what: &'static str) -> Result<bool, Error> {
    let Some(element) = parent.child(what) else {
        return Ok(false);
    };
    let number = decimal(what, &element.text, element.place())?;
    Ok(number.small() != Some(0))
}

fn parse_number(what: &'static str, element: &Element) -> Result<u32, Error> {
    let number = decimal(what, &element.text, element.place())?;
    number.small().ok_or_else(|| {
        Error::invalid(
            what,
            shortened(element.text.trim()),
            "no volume has such a value",
        )
    })
}

/// A well-formed number of any size.
struct Decimal<'a> {
    negative: bool,
    digits: &'a str,
}

impl Decimal<'_> {
    /// Its value, if it has one here.
    fn small(&self) -> Option<u32> {
        let value = self.digits.parse().ok()?;
        (!self.negative || value == 0).then_some(value)
    }
}

/// Blanks, a sign, digits, and nothing after them.
fn decimal<'a>(what: &'static str, text: &'a str, place: Place) -> Result<Decimal<'a>, Error> {
    let number = text.trim_start();
    let (negative, digits) = match number.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, number.strip_prefix('+').unwrap_or(number)),
    };
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        let text = shortened(text);
        return Err(Error::damaged(place, Fault::NotANumber { what, text }));
    }
    Ok(Decimal { negative, digits })
}

/// Enough of a text for a message.
fn shortened(text: &str) -> String {
    text.chars().take(40).collect()
}

/// A base64 element, whose length another element tells. Without the element there are no bytes.
fn bytes(
    cfg: &Element,
    what: &'static str,
    size_name: &'static str,
    size: Option<&Element>,
) -> Result<Vec<u8>, Error> {
    let size = size.ok_or_else(|| Error::damaged(cfg.place(), Fault::Missing(size_name)))?;
    let expected = decimal(size_name, &size.text, size.place())?;
    let (bytes, place) = match cfg.child(what) {
        Some(element) => {
            let bytes = decode_base64(&element.text)
                .ok_or_else(|| Error::damaged(element.place(), Fault::Base64(what)))?;
            (bytes, element.place())
        }
        None => (Vec::new(), size.place()),
    };
    let fits = expected
        .small()
        .is_some_and(|n| usize::try_from(n) == Ok(bytes.len()));
    if !fits {
        let fault = Fault::Length {
            what,
            found: bytes.len(),
            expected: shortened(size.text.trim()),
        };
        return Err(Error::damaged(place, fault));
    }
    Ok(bytes)
}

/// The standard alphabet; white space anywhere and `=` at the end are dropped.
fn decode_base64(text: &str) -> Option<Vec<u8>> {
    let config = GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::RequireNone)
        .with_decode_allow_trailing_bits(true);
    let characters: String = text.split_ascii_whitespace().collect();
    let engine = GeneralPurpose::new(&alphabet::STANDARD, config);
    engine.decode(characters.trim_end_matches('=')).ok()
}
