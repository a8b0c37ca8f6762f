//! Settings of volumes, their matrix, and volumes with these settings.
//!
//! The key of every volume here is made by EncFS 1.9.5 itself: once for each cipher and key size it
//! creates a volume in expert mode, the wanted derivation time in its configuration is set to 1 ms,
//! and its own `encfsctl autopasswd` wraps the key anew, now with few iterations. The other
//! settings do not touch the key, so they are put into that text: so also those are reached
//! that its dialogue cannot express, such as a MAC of 4 bytes.

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use anyhow::{Context, Result, ensure};

use crate::oracle::Program;
use crate::run::{Finished, run};

/// Password of the volumes made here.
pub const PASSWORD: &str = "matrix password";

/// Ciphers by their number in the expert dialogue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Cipher {
    /// `ssl/aes`
    Aes = 1,
    /// `ssl/blowfish`
    Blowfish = 2,
    /// `ssl/camellia`
    Camellia = 3,
}

/// Name codings by their number in the expert dialogue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Naming {
    /// `nameio/block`
    Block = 1,
    /// `nameio/block32`
    Block32 = 2,
    /// `nameio/null`
    Null = 3,
    /// `nameio/stream`
    Stream = 4,
}

/// What one volume is like.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Cipher.
    pub cipher: Cipher,
    /// Key size in bits.
    pub key_bits: u32,
    /// Block size in bytes.
    pub block_size: u32,
    /// Name coding.
    pub naming: Naming,
    /// Names depend on the whole path.
    pub chained: bool,
    /// Per-file IV header.
    pub unique_iv: bool,
    /// The header depends on the path.
    pub external_iv: bool,
    /// MAC bytes of a block.
    pub mac_bytes: u32,
    /// Random bytes of a block.
    pub rand_bytes: u32,
    /// Holes are passed through.
    pub holes: bool,
}

impl Settings {
    /// The settings as a line for messages.
    #[must_use]
    pub fn label(&self) -> String {
        let on = |flag: bool, word: &str| {
            if flag {
                format!(" {word}")
            } else {
                String::new()
            }
        };
        format!(
            "{:?}-{} {:?} {}{}{}{} mac{} rand{}{}",
            self.cipher,
            self.key_bits,
            self.naming,
            self.block_size,
            on(self.chained, "chained"),
            on(self.unique_iv, "header"),
            on(self.external_iv, "external"),
            self.mac_bytes,
            self.rand_bytes,
            on(self.holes, "holes"),
        )
    }

    /// Plain bytes of a full block.
    #[must_use]
    pub fn data_bytes(&self) -> u64 {
        u64::from(self.block_size - self.mac_bytes - self.rand_bytes)
    }

    /// Longest plain name in bytes where storage takes 255 (format 6.5).
    #[must_use]
    pub fn name_limit(&self) -> usize {
        let wide = self.cipher != Cipher::Blowfish;
        match self.naming {
            Naming::Block => [183, 175][usize::from(wide)],
            Naming::Block32 => [151, 143][usize::from(wide)],
            Naming::Stream => 189,
            Naming::Null => 255,
        }
    }

    /// Whether a file may have two names.
    #[must_use]
    pub fn hard_links(&self) -> bool {
        !self.external_iv
    }

    /// Whether growing a file by `truncate` destroys data in EncFS 1.9.5 (format 7.6).
    #[must_use]
    pub fn oracle_truncate_destroys(&self) -> bool {
        !self.unique_iv && self.mac_bytes + self.rand_bytes == 0
    }

    /// The answers that choose these settings in the expert dialogue, when it can express them.
    #[must_use]
    pub fn expert_answers(&self) -> Option<String> {
        let yes = |flag: bool| if flag { "y" } else { "n" };
        let mut lines = vec![
            "x".to_owned(),
            (self.cipher as u32).to_string(),
            self.key_bits.to_string(),
            self.block_size.to_string(),
            (self.naming as u32).to_string(),
            yes(self.chained).to_owned(),
            yes(self.unique_iv).to_owned(),
        ];
        match (self.chained && self.unique_iv, self.external_iv) {
            (true, external) => lines.push(yes(external).to_owned()),
            (false, true) => return None,
            (false, false) => {}
        }
        if self.mac_bytes != 0 && self.mac_bytes != 8 {
            return None;
        }
        lines.push(yes(self.mac_bytes == 8).to_owned());
        lines.push(self.rand_bytes.to_string());
        lines.push(yes(self.holes).to_owned());
        Some(lines.join("\n") + "\n")
    }

    /// Writes a configuration with these settings into `root`, opened by [`PASSWORD`].
    ///
    /// # Errors
    /// When EncFS 1.9.5 cannot make the key.
    pub fn write_config(&self, root: &Path) -> Result<()> {
        let mut text = keyed_config(self.cipher, self.key_bits)?;
        let (name, major, minor) = match self.naming {
            Naming::Block => ("nameio/block", 4, 0),
            Naming::Block32 => ("nameio/block32", 4, 0),
            Naming::Null => ("nameio/null", 1, 0),
            Naming::Stream => ("nameio/stream", 2, 1),
        };
        let naming = format!(
            "\n            <name>{name}</name>\n            <major>{major}</major>\n            \
             <minor>{minor}</minor>\n        "
        );
        let flag = |on: bool| u32::from(on).to_string();
        for (element, value) in [
            ("nameAlg", naming),
            ("blockSize", self.block_size.to_string()),
            ("uniqueIV", flag(self.unique_iv)),
            ("chainedNameIV", flag(self.chained)),
            ("externalIVChaining", flag(self.external_iv)),
            ("blockMACBytes", self.mac_bytes.to_string()),
            ("blockMACRandBytes", self.rand_bytes.to_string()),
            ("allowHoles", flag(self.holes)),
        ] {
            text = with_element(&text, element, &value)?;
        }
        std::fs::write(root.join(".encfs6.xml"), text)?;
        Ok(())
    }
}

/// `text` with the contents of the XML element `name` replaced.
///
/// # Errors
/// When there is no such element.
pub fn with_element(text: &str, name: &str, contents: &str) -> Result<String> {
    let (start, end) = span(text, name)?;
    let head = text.get(..start).unwrap_or_default();
    let tail = text.get(end..).unwrap_or_default();
    Ok(format!("{head}{contents}{tail}"))
}

/// Text between the tags of the XML element `name`, without surrounding blanks.
///
/// # Errors
/// When there is no such element.
pub fn element<'a>(text: &'a str, name: &str) -> Result<&'a str> {
    let (start, end) = span(text, name)?;
    Ok(text.get(start..end).unwrap_or_default().trim())
}

/// Where the contents of the first element `name`, with or without attributes, begin and end.
fn span(text: &str, name: &str) -> Result<(usize, usize)> {
    let missing = || format!("no element {name} in the configuration");
    let open = [format!("<{name}>"), format!("<{name} ")];
    let tag = open
        .iter()
        .find_map(|open| text.find(open.as_str()))
        .with_context(missing)?;
    let start = tag
        + text
            .get(tag..)
            .and_then(|rest| rest.find('>'))
            .with_context(missing)?
        + 1;
    let close = format!("</{name}>");
    let length = text
        .get(start..)
        .and_then(|rest| rest.find(&close))
        .with_context(missing)?;
    Ok((start, start + length))
}

/// Creates a volume in `root` by `program`'s own dialogue: `answers` and then the password on
/// standard input. The volume is mounted on `point` by that, and unmounted again.
///
/// # Errors
/// When the program cannot be run.
pub fn create_by_dialogue(
    program: Program,
    root: &Path,
    point: &Path,
    answers: &str,
    password: &str,
) -> Result<Finished> {
    let mut command = program.encfs()?;
    command.arg("-S").arg(root).arg(point);
    let finished = run(&mut command, format!("{answers}{password}\n").as_bytes())?;
    if finished.status.success() {
        crate::mounted::unmount_now(&point.canonicalize()?, true)?;
    }
    Ok(finished)
}

/// A configuration by EncFS 1.9.5 with this cipher and key size, few iterations, [`PASSWORD`].
fn keyed_config(cipher: Cipher, key_bits: u32) -> Result<String> {
    static MADE: Mutex<Option<HashMap<(Cipher, u32), String>>> = Mutex::new(None);
    let mut made = MADE.lock().unwrap_or_else(PoisonError::into_inner);
    let made = made.get_or_insert_default();
    if let Some(text) = made.get(&(cipher, key_bits)) {
        return Ok(text.clone());
    }
    let text = make_keyed_config(cipher, key_bits)
        .with_context(|| format!("EncFS 1.9.5 creating a volume of {cipher:?} {key_bits}"))?;
    made.insert((cipher, key_bits), text.clone());
    Ok(text)
}

fn make_keyed_config(cipher: Cipher, key_bits: u32) -> Result<String> {
    let folder = tempfile::tempdir()?;
    let (root, point) = (folder.path().join("raw"), folder.path().join("mnt"));
    std::fs::create_dir(&root)?;
    std::fs::create_dir(&point)?;
    let answers = format!("x\n{}\n{key_bits}\n\n1\n\n\n\n\n\n\n", cipher as u32);
    create_by_dialogue(Program::Encfs195, &root, &point, &answers, PASSWORD)?.success()?;
    let file = root.join(".encfs6.xml");
    let quick = with_element(&std::fs::read_to_string(&file)?, "desiredKDFDuration", "1")?;
    std::fs::write(&file, quick)?;
    let both = format!("{PASSWORD}\n{PASSWORD}\n");
    Program::Encfs195
        .ctl(&["autopasswd".as_ref(), root.as_os_str()], both.as_bytes())?
        .success()?;
    let text = std::fs::read_to_string(&file)?;
    ensure!(
        element(&text, "keySize")? == key_bits.to_string(),
        "another key size:\n{text}"
    );
    Ok(text)
}

/// The settings under which interoperation is tested.
#[must_use]
pub fn matrix() -> Vec<Settings> {
    MATRIX
        .iter()
        .filter(|line| !line.trim().is_empty())
        .filter_map(|line| parse(line))
        .collect()
}

/// The settings of `--standard`, as in [`matrix`].
#[must_use]
pub fn standard() -> Settings {
    Settings {
        cipher: Cipher::Aes,
        key_bits: 192,
        block_size: 1024,
        naming: Naming::Block,
        chained: true,
        unique_iv: true,
        external_iv: false,
        mac_bytes: 0,
        rand_bytes: 0,
        holes: true,
    }
}

/// The settings of `--paranoia`, as in [`matrix`].
#[must_use]
pub fn paranoia() -> Settings {
    Settings {
        key_bits: 256,
        external_iv: true,
        mac_bytes: 8,
        ..standard()
    }
}

/// Cipher and bits, names, block size, `c`hained `u`nique-IV `e`xternal-IV `h`oles, MAC, random.
const MATRIX: &[&str] = &[
    // the presets and the article's profile
    "aes 192 block    1024 cu-h 0 0",
    "aes 256 block    1024 cueh 8 0",
    "aes 256 stream   4096 c--- 0 0",
    "aes 256 stream   4096 c--h 0 0",
    // each key size
    "aes 128 block    1024 cu-h 0 0",
    "aes 128 stream   1024 cueh 8 8",
    "aes 192 block32  1024 cueh 0 0",
    "blowfish 128 block   1024 cu-h 0 0",
    "blowfish 160 block   512  cu-- 0 0",
    "blowfish 192 stream  1024 cueh 8 0",
    "blowfish 224 block32 1024 cu-h 4 4",
    "blowfish 256 block   4096 c--h 0 0",
    "blowfish 160 null    72   -u-h 0 0",
    "blowfish 256 stream  64   cueh 1 0",
    "camellia 128 block   1024 cu-h 0 0",
    "camellia 256 stream  2048 cueh 8 2",
    // name codings, chained and not
    "aes 192 block    1024 -u-h 0 0",
    "aes 192 block32  1024 cu-h 0 0",
    "aes 192 block32  1024 -u-h 0 0",
    "aes 192 stream   1024 cu-h 0 0",
    "aes 192 stream   1024 -u-h 0 0",
    "aes 192 null     1024 -u-h 0 0",
    "aes 192 null     1024 cueh 0 0",
    // external IV without MAC, without chaining, without header
    "aes 256 block    4096 cueh 0 0",
    "aes 256 block    1024 -ueh 8 0",
    "aes 192 block    1024 c-eh 0 0",
    "aes 256 stream   1024 cue- 8 0",
    // MAC and random bytes
    "aes 192 block    1024 cu-h 1 0",
    "aes 192 block    1024 cu-h 4 0",
    "aes 192 block    1024 cu-h 8 8",
    "aes 192 block    1024 cu-h 0 4",
    "aes 192 block    1024 cu-- 8 1",
    "aes 192 stream   1024 c--h 8 0",
    "aes 192 stream   512  c--- 1 3",
    "aes 256 block    256  ---h 4 8",
    // block sizes, odd ones too
    "aes 192 block    64   cu-h 0 0",
    "aes 192 block    64   cueh 8 8",
    "aes 192 block    80   cu-h 0 0",
    "aes 192 block    208  c--h 0 0",
    "aes 192 stream   1008 cu-h 8 0",
    "aes 192 block    2032 cu-- 0 0",
    "aes 192 block    4096 cu-h 0 0",
    "aes 192 block    4080 cueh 8 5",
    // the least of everything
    "aes 128 null     64   ---- 0 0",
];

fn parse(line: &str) -> Option<Settings> {
    let mut words = line.split_whitespace();
    let cipher = match words.next()? {
        "aes" => Cipher::Aes,
        "blowfish" => Cipher::Blowfish,
        "camellia" => Cipher::Camellia,
        _ => return None,
    };
    let key_bits = words.next()?.parse().ok()?;
    let naming = match words.next()? {
        "block" => Naming::Block,
        "block32" => Naming::Block32,
        "stream" => Naming::Stream,
        "null" => Naming::Null,
        _ => return None,
    };
    let block_size = words.next()?.parse().ok()?;
    let flags = words.next()?;
    Some(Settings {
        cipher,
        key_bits,
        block_size,
        naming,
        chained: flags.contains('c'),
        unique_iv: flags.contains('u'),
        external_iv: flags.contains('e'),
        holes: flags.contains('h'),
        mac_bytes: words.next()?.parse().ok()?,
        rand_bytes: words.next()?.parse().ok()?,
    })
}

#[cfg(test)]
mod tests {
    use super::{MATRIX, matrix, paranoia, standard};

    #[test]
    fn the_matrix_begins_with_the_presets() {
        assert_eq!(matrix().get(..2), Some([standard(), paranoia()].as_slice()));
    }

    #[test]
    fn every_line_of_the_matrix_is_read_and_differs_from_the_others() {
        let all = matrix();
        assert_eq!(all.len(), MATRIX.len());
        for (index, one) in all.iter().enumerate() {
            assert!(
                !all.iter().skip(index + 1).any(|other| one == other),
                "{}",
                one.label()
            );
        }
    }
}
