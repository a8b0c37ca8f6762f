//! Standard and paranoia.

use super::Error;
use crate::config::{Interface, NewVolume};
use crate::crypto::Algorithm;
use crate::nameio::NameInterface;

/// Who chooses the settings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Profile {
    /// Settings for everybody.
    #[default]
    Standard,
    /// Settings that also notice changed and moved files, at a price: no hard links, slower renames.
    Paranoia,
    /// Every setting is asked for.
    Expert,
}

impl Profile {
    /// The profile that an answer to the first question means: its first letter decides, and whatever is
    /// neither `x` nor `p` is standard.
    #[must_use]
    pub fn of_answer(line: &[u8]) -> Self {
        match line.first() {
            Some(b'x') => Self::Expert,
            Some(b'p') => Self::Paranoia,
            _ => Self::Standard,
        }
    }
}

/// What the command line demands of the volume.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Situation {
    /// The stored tree is plain, the view encrypted (`--reverse`).
    pub reverse: bool,
    /// Block MACs are a must (`--require-macs`).
    pub require_macs: bool,
    /// Volumes with plain contents may be made (`--insecure`).
    pub insecure: bool,
}

impl Situation {
    /// Whether any volume can meet the demands.
    pub(super) fn check(self) -> Result<(), Error> {
        if self.reverse && self.require_macs {
            return Err(Error::MacsReverse);
        }
        Ok(())
    }
}

/// The standard settings.
///
/// # Errors
/// [`Error::MacsReverse`].
pub fn standard(situation: Situation) -> Result<NewVolume, Error> {
    situation.check()?;
    let forward = !situation.reverse;
    Ok(NewVolume {
        cipher: cipher(Algorithm::Aes),
        key_bits: 192,
        block_size: 1024,
        naming: naming(NameInterface::Block),
        plain_data: false,
        unique_iv: forward,
        chained_name_iv: forward,
        external_iv: false,
        mac_bytes: if situation.require_macs { 8 } else { 0 },
        rand_bytes: 0,
        allow_holes: true,
        kdf_duration_ms: 500,
    })
}

/// The paranoia settings.
///
/// # Errors
/// [`Error::ParanoiaReverse`].
pub fn paranoia(situation: Situation) -> Result<NewVolume, Error> {
    if situation.reverse {
        return Err(Error::ParanoiaReverse);
    }
    Ok(NewVolume {
        key_bits: 256,
        external_iv: true,
        mac_bytes: 8,
        kdf_duration_ms: 3000,
        ..standard(situation)?
    })
}

/// The interface of a cipher as new volumes have it.
pub(super) fn cipher(algorithm: Algorithm) -> Interface {
    Interface::new(algorithm.interface_name(), algorithm.current_major(), 0)
}

/// The interface of a name encoding as new volumes have it.
pub(super) fn naming(naming: NameInterface) -> Interface {
    let (major, minor) = naming.current_version();
    Interface::new(naming.interface_name(), major, minor)
}
