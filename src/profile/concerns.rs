//! What each setting costs or risks on a storage.

use std::time::Duration;

use super::Storage;
use crate::config::NewVolume;
use crate::crypto::Algorithm;
use crate::nameio::NameInterface;
use crate::probe::{Case, HardLinks, Outcome};

/// Longest plain name, in bytes, below which names are too short: few are longer.
pub(super) const ENOUGH_FOR_NAMES: usize = 64;
/// An operation that takes as long as this is worth counting.
const SLOW: Duration = Duration::from_millis(5);

/// A part of the settings, as the expert's questions ask for them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Setting {
    /// Cipher and key size.
    Cipher,
    /// Block size.
    BlockSize,
    /// Name encoding.
    Names,
    /// Name IV chaining.
    NameChaining,
    /// Per-file IV.
    FileIv,
    /// External IV chaining.
    ExternalIv,
    /// Block MACs.
    BlockMac,
    /// Holes.
    Holes,
}

/// What becomes of an order to shorten a file to the length of its header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cuts {
    /// Acknowledged and not done.
    Ignored,
    /// Done some time later.
    Late,
    /// Refused.
    Refused,
}

/// What a setting costs, or risks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Concern {
    /// EncFS 1.9 cuts a file that is rewritten to 8 bytes, and the storage does not.
    CutToHeader(Cuts),
    /// EncFS 1.9 cannot rewrite files: the storage takes no write after the header that stays.
    WriteAfterHeader,
    /// EncFS 1.9 writes the last block of a request again with the next.
    WrittenTwice,
    /// EncFS 1.9 loses the contents of files that it renames before the storage shows them.
    LostByRename,
    /// A rename writes the header anew, which the storage refuses.
    RenameRefused,
    /// A rename waits until the storage shows what was written before.
    RenameWaits,
    /// A rename writes the header anew, upon which the storage sends the whole file.
    RenameUploads,
    /// Raw names that differ in case only are one name: files overwrite each other.
    CaseCollides,
    /// Some plain names are refused by the storage.
    NamesRefused,
    /// Plain names have at most so many bytes, fewer than another encoding allows.
    NamesTooLong(usize),

    /// A rename takes more operations of this length.
    RenameCosts(Duration),
    /// No hard links, which the storage has.
    NoHardLinks,
    /// EncFS 1.9 makes an operation of this length for each block.
    ManyRequests(Duration),
    /// Names are readable in storage.
    NamesInTheOpen,
    /// The length of names shows.
    LengthShows,
    /// Equal blocks at equal places of two files are equal in storage.
    EqualBlocks,
    /// Changes in storage go unnoticed.
    ChangesUnnoticed,
    /// Each block costs space and time.
    BlockCodes,
}

impl Concern {
    /// Whether files can be lost or not be written, not only time, space or secrecy.
    #[must_use]
    pub fn is_risk(self) -> bool {
        match self {
            Self::CutToHeader(_)
            | Self::WriteAfterHeader
            | Self::WrittenTwice
            | Self::LostByRename
            | Self::RenameRefused
            | Self::RenameWaits
            | Self::RenameUploads
            | Self::CaseCollides
            | Self::NamesRefused
            | Self::NamesTooLong(_) => true,
            Self::RenameCosts(_)
            | Self::NoHardLinks
            | Self::ManyRequests(_)
            | Self::NamesInTheOpen
            | Self::LengthShows
            | Self::EqualBlocks
            | Self::ChangesUnnoticed
            | Self::BlockCodes => false,
        }
    }
}

/// Risks of EncFS 1.9 that no setting takes away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Caveat {
    /// Emptying a file is not done, or not at once: files that become shorter end in garbage.
    NeverCuts,
    /// Sizes or contents show late: changes made soon after others are lost.
    ShowsLate,
}

/// What EncFS 1.9 would do wrong here with every setting.
#[must_use]
pub fn caveats(storage: &Storage) -> Vec<Caveat> {
    let mut caveats = Vec::new();
    if !storage.findings.shortening_to_zero_is_reliable() {
        caveats.push(Caveat::NeverCuts);
    }
    if !storage.findings.shows_changes_at_once() {
        caveats.push(Caveat::ShowsLate);
    }
    caveats
}

/// What the settings cost or risk on this storage, with the setting that is the cause.
#[must_use]
pub fn concerns(
    settings: &NewVolume,
    storage: &Storage,
    compatible_writers: bool,
) -> Vec<(Setting, Concern)> {
    let mut all = Vec::new();
    let slow = storage
        .findings
        .latency
        .typical()
        .filter(|time| *time >= SLOW);
    let whole = !settings.plain_data;
    if compatible_writers && whole && settings.block_size < 4096 {
        all.extend(slow.map(|time| (Setting::BlockSize, Concern::ManyRequests(time))));
    }
    all.extend(
        name_concerns(settings, storage)
            .into_iter()
            .map(|concern| (Setting::Names, concern)),
    );
    if settings.unique_iv && compatible_writers {
        let cut = cuts(storage).map(Concern::CutToHeader);
        let stuck = (!storage.findings.append.is_done()).then_some(Concern::WriteAfterHeader);
        all.extend(cut.or(stuck).map(|concern| (Setting::FileIv, concern)));
    }
    if !settings.unique_iv && whole {
        all.push((Setting::FileIv, Concern::EqualBlocks));
    }
    if settings.external_iv {
        let late = !storage.findings.contents_after_close.is_honoured()
            || !storage.findings.size_after_close.is_honoured();
        if !storage.findings.overwrite_header.is_done() {
            all.push((Setting::ExternalIv, Concern::RenameRefused));
        } else if late && compatible_writers {
            all.push((Setting::ExternalIv, Concern::LostByRename));
        } else if late {
            all.push((Setting::ExternalIv, Concern::RenameWaits));
        } else if storage.whole_objects {
            all.push((Setting::ExternalIv, Concern::RenameUploads));
        }
        all.extend(slow.map(|time| (Setting::ExternalIv, Concern::RenameCosts(time))));
        if matches!(
            storage.findings.hard_links,
            HardLinks::Counted | HardLinks::NotCounted
        ) {
            all.push((Setting::ExternalIv, Concern::NoHardLinks));
        }
    }
    if settings.mac_bytes == 0 {
        if whole {
            all.push((Setting::BlockMac, Concern::ChangesUnnoticed));
        }
    } else {
        if compatible_writers && !storage.findings.second_write.is_done() {
            all.push((Setting::BlockMac, Concern::WrittenTwice));
        }
        all.push((Setting::BlockMac, Concern::BlockCodes));
    }
    all
}

/// What of the settings is a risk here, whoever writes.
#[must_use]
pub fn mismatches(settings: &NewVolume, storage: &Storage) -> Vec<Concern> {
    concerns(settings, storage, false)
        .into_iter()
        .map(|(_, concern)| concern)
        .filter(|concern| concern.is_risk())
        .collect()
}

fn name_concerns(settings: &NewVolume, storage: &Storage) -> Vec<Concern> {
    let mut all = Vec::new();
    let Some(interface) = NameInterface::from_interface_name(&settings.naming.name) else {
        return all;
    };
    if interface == NameInterface::Null {
        if !storage.findings.names.refused.is_empty()
            || !storage.findings.names.not_utf8.is_honoured()
        {
            all.push(Concern::NamesRefused);
        }
        all.push(Concern::NamesInTheOpen);
    }
    let one_case = storage.findings.names.case == Case::Same;
    if one_case && !matches!(interface, NameInterface::Block32 | NameInterface::Null) {
        all.push(Concern::CaseCollides);
    }
    let longest = longest_name(interface, settings, storage);
    let better = longest_name(NameInterface::Stream, settings, storage);
    // Where only one case can be used there is nothing longer.
    if longest < ENOUGH_FOR_NAMES && longest < better && !one_case {
        all.push(Concern::NamesTooLong(longest));
    }
    if interface == NameInterface::Stream {
        all.push(Concern::LengthShows);
    }
    all
}

fn longest_name(interface: NameInterface, settings: &NewVolume, storage: &Storage) -> usize {
    let block =
        Algorithm::from_interface_name(&settings.cipher.name).map_or(16, Algorithm::cipher_block);
    interface.max_plain_len(block, storage.findings.names.longest.unwrap_or(255).into())
}

fn cuts(storage: &Storage) -> Option<Cuts> {
    match storage.findings.truncate_to_header {
        Outcome::Honoured | Outcome::Unknown(_) => None,
        Outcome::Late(_) => Some(Cuts::Late),
        Outcome::Ignored | Outcome::Wrong => Some(Cuts::Ignored),
        Outcome::Refused(_) => Some(Cuts::Refused),
    }
}
