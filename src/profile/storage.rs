//! Which profile suits a storage, and what each setting costs or risks there.
//!
//! What is known of the storage comes from an examination ([`Storage::examined`]) or, where nothing may be
//! tried, from the kernel ([`Storage::by_kernel`]). encfs-rs is right with every setting on every storage that was measured: it
//! does not cut files to the length of their header, and refuses what the storage does not do. EncFS 1.9 is
//! not, so what is advised depends on whether it will write to the volume too. Where names are concerned both
//! are in the hands of the storage.

use super::concerns::{Concern, ENOUGH_FOR_NAMES, Setting, concerns};
use super::{Base, Error, Names, Profile, Situation, Storage};
use crate::config::NewVolume;
use crate::nameio::NameInterface;
use crate::probe::Case;

/// Why a setting of the recommended profile is as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// It is what EncFS has, and nothing here speaks against it.
    Usual,
    /// The other choice would be a risk here.
    Instead(Concern),
}

/// What suits a storage.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Advice {
    /// The profile to take.
    pub best: Profile,
    /// Why, setting by setting, in the order of the questions.
    pub reasons: Vec<(Setting, Reason)>,
    /// What it costs.
    pub costs: Vec<Concern>,
    /// The others that can be taken here, and what each costs or risks; risks first.
    pub others: Vec<(Profile, Vec<Concern>)>,
}

/// What suits the storage; `compatible_writers` if EncFS 1.9 will write there too.
///
/// Nothing weaker than the standard profile is advised unless that is a risk here.
///
/// # Errors
/// The demands of `situation` contradict every profile.
pub fn advice(
    storage: &Storage,
    compatible_writers: bool,
    situation: Situation,
) -> Result<Advice, Error> {
    let names = names_for(storage);
    let offered =
        [Base::Standard, Base::Storage, Base::Paranoia].map(|base| Profile::new(base, names));
    let concerns_of = |profile: Profile| -> Result<Vec<Concern>, Error> {
        let settings = profile.settings(situation)?;
        let mut all: Vec<Concern> = concerns(&settings, storage, compatible_writers)
            .into_iter()
            .map(|(_, concern)| concern)
            .collect();
        all.sort_by_key(|concern| !concern.is_risk());
        Ok(all)
    };
    let mut best = offered[0];
    let mut costs = concerns_of(best)?;
    // The third costs more wherever the first is a risk.
    let second = concerns_of(offered[1])?;
    if risks(&second) < risks(&costs) {
        (best, costs) = (offered[1], second);
    }
    let mut others = Vec::new();
    for profile in offered.into_iter().filter(|profile| *profile != best) {
        // Paranoia settings do not exist in reverse mode.
        if let Ok(concerns) = concerns_of(profile) {
            others.push((profile, concerns));
        }
    }
    let reasons = reasons(&best.settings(situation)?, storage, compatible_writers);
    Ok(Advice {
        best,
        reasons,
        costs,
        others,
    })
}

/// Whether what is advised depends on whether EncFS 1.9 will write to the volume.
#[must_use]
pub fn writers_matter(storage: &Storage) -> bool {
    let settings = Profile::ALL.map(|profile| profile.settings(Situation::default()));
    settings.into_iter().flatten().any(|settings| {
        let of = |writers| {
            let mut all = concerns(&settings, storage, writers);
            all.retain(|(_, concern)| concern.is_risk());
            all
        };
        of(true) != of(false)
    })
}

/// The names that suit the storage.
fn names_for(storage: &Storage) -> Names {
    if storage.findings.names.case == Case::Same {
        return Names::Caseless;
    }
    let limit = storage.findings.names.longest.unwrap_or(255).into();
    // Blocks of 16 bytes, as AES has.
    if NameInterface::Block.max_plain_len(16, limit) < ENOUGH_FOR_NAMES {
        Names::Short
    } else {
        Names::AsUsual
    }
}

fn risks(concerns: &[Concern]) -> usize {
    concerns.iter().filter(|concern| concern.is_risk()).count()
}

/// For each setting the risk of the other choice, if it has one.
fn reasons(
    settings: &NewVolume,
    storage: &Storage,
    compatible_writers: bool,
) -> Vec<(Setting, Reason)> {
    let usual = super::presets::naming(NameInterface::Block);
    let otherwise = NewVolume {
        block_size: 1024,
        naming: usual,
        unique_iv: true,
        external_iv: true,
        mac_bytes: 8,
        ..settings.clone()
    };
    let against = concerns(&otherwise, storage, compatible_writers);
    let differs = |setting| match setting {
        Setting::BlockSize => settings.block_size != otherwise.block_size,
        Setting::Names => settings.naming != otherwise.naming,
        Setting::FileIv => settings.unique_iv != otherwise.unique_iv,
        Setting::ExternalIv => settings.external_iv != otherwise.external_iv,
        Setting::BlockMac => settings.mac_bytes != otherwise.mac_bytes,
        Setting::Cipher | Setting::NameChaining | Setting::Holes => false,
    };
    let speaks =
        |concern: Concern| concern.is_risk() || matches!(concern, Concern::ManyRequests(_));
    [
        Setting::Cipher,
        Setting::BlockSize,
        Setting::Names,
        Setting::NameChaining,
        Setting::FileIv,
        Setting::ExternalIv,
        Setting::BlockMac,
        Setting::Holes,
    ]
    .into_iter()
    .map(|setting| {
        let reason = against
            .iter()
            .find(|(cause, concern)| *cause == setting && differs(setting) && speaks(*concern))
            .map_or(Reason::Usual, |(_, concern)| Reason::Instead(*concern));
        (setting, reason)
    })
    .collect()
}
