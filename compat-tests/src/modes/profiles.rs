//! The profiles: with and without headers, external IVs and MACs, blocks small and large, every
//! name encoding.

use crate::volumes::{Cipher, Naming, Settings, paranoia, standard};

/// The settings of volumes under one name.
#[derive(Clone, Debug)]
pub struct Profile {
    /// Its name in the tables.
    pub name: &'static str,
    /// The settings.
    pub settings: Settings,
}

/// All profiles.
#[must_use]
pub fn profiles() -> Vec<Profile> {
    let storage = Settings {
        key_bits: 256,
        block_size: 4096,
        naming: Naming::Stream,
        unique_iv: false,
        ..standard()
    };
    let with_iv = Settings {
        unique_iv: true,
        ..storage.clone()
    };
    let with_mac = Settings {
        mac_bytes: 8,
        ..storage.clone()
    };
    let of_2007 = Settings {
        cipher: Cipher::Blowfish,
        key_bits: 160,
        block_size: 512,
        ..standard()
    };
    let external = Settings {
        key_bits: 256,
        block_size: 4096,
        naming: Naming::Block32,
        external_iv: true,
        ..standard()
    };
    let odd = Settings {
        key_bits: 128,
        block_size: 2032,
        naming: Naming::Null,
        chained: false,
        mac_bytes: 4,
        rand_bytes: 4,
        holes: false,
        ..standard()
    };
    let profile = |(name, settings)| Profile { name, settings };
    [
        ("standard", standard()),
        ("paranoia", paranoia()),
        ("storage", storage),
        ("storage + header", with_iv),
        ("storage + MAC", with_mac),
        ("of 2007", of_2007),
        ("external IV", external),
        ("odd", odd),
    ]
    .map(profile)
    .into()
}
