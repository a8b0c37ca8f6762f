//! The expert's dialogue as a state machine: which question comes next, and what an answer leads to.
//!
//! The caller asks [`Expert::question`], reads a line, gives it to [`Expert::answer`], prints the notes of the
//! reply, and goes on until there is no question any more; then [`Expert::finish`] has the settings. Which
//! questions are asked depends on earlier answers (format 10.1):
//!
//! * plain contents: after the name encoding nothing more, everything else is off;
//! * reverse mode: after the name encoding only the per-file IV;
//! * the header can depend on the path only if names do and files have headers.

use super::presets::{self, Situation};
use super::question::{self, Question, YesNo};
use super::{Error, standard};
use crate::config::NewVolume;
use crate::crypto::Algorithm;
use crate::nameio::NameInterface;

/// Something to be told between two questions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Note {
    /// The key size that was taken, in bits.
    KeySize(u32),
    /// The block size that was taken, in bytes.
    BlockSize(u32),
    /// In reverse mode chaining, MACs and random bytes are off.
    ReverseLimits,
    /// The header cannot depend on the path, as names do not, or there is no header.
    NoExternalIv,
    /// MACs are on without being asked for.
    MacsRequired,
    /// A reverse view with per-file IVs cannot be written to.
    ReverseReadOnly,
}

/// What became of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reply {
    /// Taken; the notes are to be shown before the next question.
    Taken(Vec<Note>),
    /// Not in the list: the same question again, with its list, after a word that the choice was invalid.
    InvalidChoice,
    /// Neither yes nor no: only the last part of the question again.
    YesOrNo,
    /// The input has ended where an answer is a must: give up.
    InputEnded,
}

/// Where the dialogue is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum At {
    Cipher,
    KeySize,
    BlockSize,
    PlainData,
    Naming,
    NameChaining,
    UniqueIv,
    ExternalIv,
    BlockMac,
    RandomBytes,
    Holes,
    End,
}

/// What empty answers mean.
#[derive(Debug, Clone)]
struct Defaults {
    /// `None`: there has to be an answer.
    cipher: Option<Algorithm>,
    /// `None`: the smallest of the cipher.
    key_bits: Option<u32>,
    naming: Option<NameInterface>,
    rest: NewVolume,
}

/// The dialogue.
#[derive(Debug, Clone)]
pub struct Expert {
    situation: Situation,
    at: At,
    algorithm: Algorithm,
    defaults: Defaults,
    settings: NewVolume,
}

impl Expert {
    /// Begins. Empty answers mean what they mean to EncFS.
    ///
    /// # Errors
    /// [`Error::MacsReverse`].
    pub fn new(situation: Situation) -> Result<Self, Error> {
        let settings = standard(situation)?;
        let defaults = Defaults {
            cipher: None,
            key_bits: None,
            naming: None,
            rest: settings.clone(),
        };
        Ok(Self::begin(situation, defaults, settings))
    }

    /// Begins. Empty answers mean `recommended`.
    #[must_use]
    pub fn with_defaults(situation: Situation, recommended: NewVolume) -> Self {
        let defaults = Defaults {
            cipher: Algorithm::from_interface_name(&recommended.cipher.name),
            key_bits: Some(recommended.key_bits),
            naming: NameInterface::from_interface_name(&recommended.naming.name),
            rest: recommended.clone(),
        };
        Self::begin(situation, defaults, recommended)
    }

    fn begin(situation: Situation, defaults: Defaults, settings: NewVolume) -> Self {
        Self {
            situation,
            at: At::Cipher,
            algorithm: Algorithm::Aes,
            defaults,
            settings,
        }
    }

    /// The settings as far as they are known; the others are the defaults.
    #[must_use]
    pub fn so_far(&self) -> &NewVolume {
        &self.settings
    }

    /// What is to be asked now; `None` when all is known.
    #[must_use]
    pub fn question(&self) -> Option<Question> {
        let yes_no = |about, default| Question::YesNo { about, default };
        let rest = &self.defaults.rest;
        Some(match self.at {
            At::Cipher => Question::Cipher {
                choices: &Algorithm::OFFERED,
                default: self.defaults.cipher,
            },
            At::KeySize => Question::KeySize {
                sizes: self.algorithm.key_sizes(),
                default: self
                    .algorithm
                    .nearest_key_bits(self.defaults.key_bits.unwrap_or(0)),
            },
            At::BlockSize => Question::BlockSize {
                least: question::LEAST_BLOCK,
                most: question::MOST_BLOCK,
                step: self.algorithm.block_size_step(),
                default: rest.block_size,
            },
            At::PlainData => yes_no(YesNo::PlainData, false),
            At::Naming => Question::Naming {
                choices: &NameInterface::OFFERED,
                default: self.defaults.naming,
            },
            At::NameChaining => yes_no(YesNo::NameChaining, rest.chained_name_iv),
            At::UniqueIv => yes_no(YesNo::UniqueIv, rest.unique_iv),
            At::ExternalIv => yes_no(YesNo::ExternalIv, rest.external_iv),
            At::BlockMac => yes_no(YesNo::BlockMac, rest.mac_bytes > 0),
            At::RandomBytes => Question::RandomBytes {
                most: question::MOST_RANDOM,
            },
            At::Holes => yes_no(YesNo::Holes, rest.allow_holes),
            At::End => return None,
        })
    }

    /// Takes a line without its end; `None` is the end of input, which counts as an empty line where there is
    /// a default.
    pub fn answer(&mut self, line: Option<&[u8]>) -> Reply {
        let Some(question) = self.question() else {
            return Reply::Taken(Vec::new());
        };
        let ended = line.is_none();
        let line = line.unwrap_or_default();
        match question {
            Question::Cipher { choices, default } => match question::choice(line, choices, default)
            {
                Some(algorithm) => self.set_cipher(algorithm),
                None if ended => Reply::InputEnded,
                None => Reply::InvalidChoice,
            },
            Question::KeySize { default, .. } => {
                self.settings.key_bits = question::key_bits(line, self.algorithm, default);
                self.at = At::BlockSize;
                Reply::Taken(vec![Note::KeySize(self.settings.key_bits)])
            }
            Question::BlockSize { step, default, .. } => {
                self.settings.block_size = question::block_size(line, step, default);
                self.at = if self.situation.insecure {
                    At::PlainData
                } else {
                    At::Naming
                };
                Reply::Taken(vec![Note::BlockSize(self.settings.block_size)])
            }
            Question::Naming { choices, default } => match question::choice(line, choices, default)
            {
                Some(naming) => self.set_naming(naming),
                None if ended => Reply::InputEnded,
                None => Reply::InvalidChoice,
            },
            Question::RandomBytes { .. } => {
                self.settings.rand_bytes = question::random_bytes(line);
                self.at = At::Holes;
                Reply::Taken(Vec::new())
            }
            Question::YesNo { about, default } => match question::yes_no(line, default) {
                Some(yes) => Reply::Taken(self.set_flag(about, yes)),
                None => Reply::YesOrNo,
            },
        }
    }

    /// The settings, once no question is left.
    #[must_use]
    pub fn finish(self) -> Option<NewVolume> {
        (self.at == At::End).then_some(self.settings)
    }

    fn set_cipher(&mut self, algorithm: Algorithm) -> Reply {
        self.algorithm = algorithm;
        self.settings.cipher = presets::cipher(algorithm);
        self.at = At::KeySize;
        Reply::Taken(Vec::new())
    }

    fn set_naming(&mut self, naming: NameInterface) -> Reply {
        self.settings.naming = presets::naming(naming);
        let mut notes = Vec::new();
        if self.settings.plain_data {
            self.at = At::End;
        } else if self.situation.reverse {
            self.at = At::UniqueIv;
            notes.push(Note::ReverseLimits);
        } else {
            self.at = At::NameChaining;
        }
        Reply::Taken(notes)
    }

    fn set_flag(&mut self, about: YesNo, yes: bool) -> Vec<Note> {
        let mut notes = Vec::new();
        match about {
            YesNo::PlainData => {
                if yes {
                    self.only_names_encrypted();
                }
                self.at = At::Naming;
            }
            YesNo::NameChaining => {
                self.settings.chained_name_iv = yes;
                self.at = At::UniqueIv;
            }
            YesNo::UniqueIv => {
                self.settings.unique_iv = yes;
                if self.situation.reverse {
                    self.at = At::End;
                    if yes {
                        notes.push(Note::ReverseReadOnly);
                    }
                } else if yes && self.settings.chained_name_iv {
                    self.at = At::ExternalIv;
                } else {
                    self.settings.external_iv = false;
                    notes.push(Note::NoExternalIv);
                    self.after_external_iv(&mut notes);
                }
            }
            YesNo::ExternalIv => {
                self.settings.external_iv = yes;
                self.after_external_iv(&mut notes);
            }
            YesNo::BlockMac => {
                self.settings.mac_bytes = if yes { 8 } else { 0 };
                self.at = At::RandomBytes;
            }
            YesNo::Holes => {
                self.settings.allow_holes = yes;
                self.at = At::End;
            }
        }
        notes
    }

    fn after_external_iv(&mut self, notes: &mut Vec<Note>) {
        if self.situation.require_macs {
            self.settings.mac_bytes = 8;
            notes.push(Note::MacsRequired);
            self.at = At::RandomBytes;
        } else {
            self.at = At::BlockMac;
        }
    }

    fn only_names_encrypted(&mut self) {
        let s = &mut self.settings;
        s.plain_data = true;
        s.chained_name_iv = false;
        s.unique_iv = false;
        s.external_iv = false;
        s.mac_bytes = 0;
        s.rand_bytes = 0;
        s.allow_holes = false;
    }
}
