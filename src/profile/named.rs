//! Profiles by name: a set of settings, and names that suit what the storage takes.

use super::Error;
use super::presets::{self, Situation, paranoia, standard, storage};
use crate::config::NewVolume;
use crate::nameio::NameInterface;

/// Everything but the names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Base {
    /// Settings for everybody.
    Standard,
    /// Settings that also notice changed and moved files, at a price: no hard links, slower renames.
    Paranoia,
    /// Settings that ask little of the storage, at a price in security.
    Storage,
}

/// What became of the names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Names {
    /// Those of the base.
    AsUsual,
    /// One case only, for storage that takes A for a (`block32`).
    Caseless,
    /// As short as can be, for storage that takes short names only (`stream`).
    Short,
}

/// A profile that can be asked for by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Profile {
    /// Everything but the names.
    pub base: Base,
    /// The names.
    pub names: Names,
}

impl Profile {
    /// `standard`.
    pub const STANDARD: Self = Self::new(Base::Standard, Names::AsUsual);
    /// `paranoia`.
    pub const PARANOIA: Self = Self::new(Base::Paranoia, Names::AsUsual);
    /// `storage`.
    pub const STORAGE: Self = Self::new(Base::Storage, Names::AsUsual);

    /// Every profile. Names of `storage` are short as they are.
    pub const ALL: [Self; 8] = [
        Self::STANDARD,
        Self::PARANOIA,
        Self::STORAGE,
        Self::new(Base::Standard, Names::Caseless),
        Self::new(Base::Paranoia, Names::Caseless),
        Self::new(Base::Storage, Names::Caseless),
        Self::new(Base::Standard, Names::Short),
        Self::new(Base::Paranoia, Names::Short),
    ];

    /// The profile of these settings with these names.
    #[must_use]
    pub const fn new(base: Base, names: Names) -> Self {
        let names = match (base, names) {
            (Base::Storage, Names::Short) => Names::AsUsual,
            _ => names,
        };
        Self { base, names }
    }

    /// What it is asked for by.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match (self.base, self.names) {
            (Base::Standard, Names::AsUsual) => "standard",
            (Base::Standard, Names::Caseless) => "standard-caseless",
            (Base::Standard, Names::Short) => "standard-short",
            (Base::Paranoia, Names::AsUsual) => "paranoia",
            (Base::Paranoia, Names::Caseless) => "paranoia-caseless",
            (Base::Paranoia, Names::Short) => "paranoia-short",
            (Base::Storage, Names::AsUsual | Names::Short) => "storage",
            (Base::Storage, Names::Caseless) => "storage-caseless",
        }
    }

    /// The profile called so.
    #[must_use]
    pub fn by_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|profile| profile.name() == name)
    }

    /// What a volume of this profile is like.
    ///
    /// # Errors
    /// Demands that contradict the profile.
    pub fn settings(self, situation: Situation) -> Result<NewVolume, Error> {
        let settings = match self.base {
            Base::Standard => standard(situation),
            Base::Paranoia => paranoia(situation),
            Base::Storage => storage(situation),
        }?;
        let naming = match self.names {
            Names::AsUsual => return Ok(settings),
            Names::Caseless => NameInterface::Block32,
            Names::Short => NameInterface::Stream,
        };
        Ok(NewVolume {
            naming: presets::naming(naming),
            ..settings
        })
    }
}

/// What the answer to the plain menu means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MenuAnswer {
    /// This profile.
    Take(Profile),
    /// Every setting is asked for.
    EveryQuestion,
    /// What suits the storage.
    Recommended,
}

impl MenuAnswer {
    /// The first letter decides; whatever is none of `x`, `p` and `r` is standard.
    #[must_use]
    pub fn of_line(line: &[u8]) -> Self {
        match line.first() {
            Some(b'x') => Self::EveryQuestion,
            Some(b'p') => Self::Take(Profile::PARANOIA),
            Some(b'r') => Self::Recommended,
            _ => Self::Take(Profile::STANDARD),
        }
    }
}
