//! Standard, paranoia and storage: the three sets of settings that every profile begins with.

use super::Error;
use crate::config::{Interface, NewVolume};
use crate::crypto::Algorithm;
use crate::nameio::NameInterface;

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

/// The settings for storage that cannot do all that a disk does, when EncFS 1.9 writes there too.
///
/// Without a header a file is emptied by one truncation to 0, which every storage has, and every write begins
/// at a multiple of 4096; without MACs no block is written twice in one go. Security pays for it: equal blocks
/// at the same place of two files are equal in storage, and changes there go unnoticed.
///
/// # Errors
/// [`Error::MacsReverse`].
pub(super) fn storage(situation: Situation) -> Result<NewVolume, Error> {
    Ok(NewVolume {
        key_bits: 256,
        block_size: 4096,
        naming: naming(NameInterface::Stream),
        unique_iv: false,
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
