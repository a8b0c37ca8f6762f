//! What a setting is for, costs and risks on a storage, in words.

use std::time::Duration;

use super::probe_report::wrap;
use crate::config::NewVolume;
use crate::nameio::NameInterface;
use crate::profile::{Advice, Caveat, Concern, Cuts, Profile, Reason, Setting};

/// What is at stake, in a sentence or two.
#[must_use]
pub fn concern(concern: Concern) -> String {
    let fixed = match concern {
        Concern::CutToHeader(Cuts::Ignored) => {
            "With EncFS 1.9 writing too, rewritten files would end in garbage: it cuts them to 8 \
             bytes, and this storage ignores shortening to any size but zero."
        }
        Concern::CutToHeader(Cuts::Late) => {
            "With EncFS 1.9 writing too, rewritten files would end in garbage for a while: it cuts \
             them to 8 bytes, which this storage does only later."
        }
        Concern::CutToHeader(Cuts::Refused) => {
            "EncFS 1.9 could not rewrite files: it cuts them to 8 bytes, which this storage refuses."
        }
        Concern::WriteAfterHeader => {
            "EncFS 1.9 could not rewrite files: it leaves their header in place, and this storage \
             takes no write behind what is there."
        }
        Concern::WrittenTwice => {
            "EncFS 1.9 could not write files of more than 4 KiB: with block codes it writes a block \
             twice in one go, which this storage refuses or loses."
        }
        Concern::LostByRename => {
            "EncFS 1.9 would lose whole files: it renames them before this storage shows what was \
             written, and writes a header over that."
        }
        Concern::RenameRefused => {
            "Files could not be renamed: that writes their header anew, and this storage takes no \
             change inside a file."
        }
        Concern::RenameWaits => {
            "A rename waits until this storage shows what was written, and fails if that takes long."
        }
        Concern::RenameUploads => {
            "Each rename writes the header of the file anew, and this storage then sends the whole \
             file once more."
        }
        Concern::CaseCollides => {
            "Files would overwrite each other: this storage takes A for a, and encrypted names of \
             this kind differ in that."
        }
        Concern::NamesRefused => "Some names could not be stored: this storage does not take all.",
        Concern::NamesTooLong(bytes) => {
            return format!("Names could have at most {bytes} bytes on this storage.");
        }
        Concern::RenameCosts(time) => {
            return format!(
                "Renaming a file takes 8 more operations of {}.",
                short(time)
            );
        }
        Concern::NoHardLinks => "No hard links.",
        Concern::ManyRequests(time) => {
            return format!(
                "EncFS 1.9 makes an operation of {} for each block.",
                short(time)
            );
        }
        Concern::NamesInTheOpen => "Whoever reads the storage reads the names.",
        Concern::LengthShows => "The length of names shows.",
        Concern::EqualBlocks => {
            "Equal blocks at the same place of two files look equal in the storage."
        }
        Concern::ChangesUnnoticed => "Changes in the storage go unnoticed.",
        Concern::BlockCodes => "Each block takes 8 bytes and some time more.",
    };
    fixed.to_owned()
}

/// What EncFS 1.9 does wrong whatever is chosen.
#[must_use]
pub fn caveat(caveat: Caveat) -> &'static str {
    match caveat {
        Caveat::NeverCuts => {
            "EncFS 1.9 would leave garbage at the end of files that become shorter, with every \
             profile: this storage does not empty a file when it is told to."
        }
        Caveat::ShowsLate => {
            "EncFS 1.9 would lose changes, with every profile, if it works on a file soon after it \
             was written: this storage shows changes late."
        }
    }
}

/// A profile and its settings in a line.
#[must_use]
pub fn headline(settings: &NewVolume) -> String {
    let mut parts = vec![cipher(settings), format!("{} blocks", blocks(settings))];
    parts.push(if settings.unique_iv {
        "a header in each file".to_owned()
    } else {
        "no header".to_owned()
    });
    if settings.external_iv {
        parts.push("tied to its name".to_owned());
    }
    if settings.mac_bytes > 0 {
        parts.push("each block authenticated".to_owned());
    }
    parts.push(format!("{} names", names(settings)));
    parts.join(", ")
}

/// The recommended profile: a line on each setting with its reason, then what it costs.
#[must_use]
pub fn recommended(advice: &Advice, settings: &NewVolume) -> String {
    let mut text = String::new();
    for (setting, reason) in &advice.reasons {
        let (label, value, usual) = setting_words(*setting, settings);
        let why = match reason {
            Reason::Usual => usual.to_owned(),
            Reason::Instead(other) => concern(*other),
        };
        text.push_str(&wrapped(
            &format!("       {label:<13}"),
            &format!("{value}. {why}"),
        ));
    }
    text + &costs(&advice.costs)
}

/// What another profile risks and costs.
#[must_use]
pub fn costs(concerns: &[Concern]) -> String {
    let mut text = String::new();
    for (label, risks) in [("Risk:", true), ("Costs:", false)] {
        let words: Vec<String> = concerns
            .iter()
            .filter(|one| one.is_risk() == risks)
            .map(|one| concern(*one))
            .collect();
        if !words.is_empty() {
            text.push_str(&wrapped(&format!("       {label:<13}"), &words.join(" ")));
        }
    }
    text
}

/// Why the recommended profile is not the standard one, one concern each; empty if it is.
#[must_use]
pub fn why_not_standard(advice: &Advice) -> Vec<String> {
    let standard = advice.others.iter().find(|(profile, _)| {
        profile.base == Profile::STANDARD.base && advice.best.base != Profile::STANDARD.base
    });
    let of_standard = standard.into_iter().flat_map(|(_, concerns)| concerns);
    let of_names = advice
        .reasons
        .iter()
        .filter_map(|(setting, reason)| match reason {
            Reason::Instead(concern) if *setting == Setting::Names => Some(concern),
            _ => None,
        });
    of_names
        .chain(of_standard)
        .filter(|one| one.is_risk())
        .map(|one| concern(*one))
        .collect()
}

/// `text` after `label`, in lines of the usual width, the further ones as far to the right.
#[must_use]
pub fn wrapped(label: &str, text: &str) -> String {
    let mut lines = String::new();
    wrap(&mut lines, label, label.len(), text);
    lines
}

/// Label, value, and what usually speaks for the value.
fn setting_words(setting: Setting, settings: &NewVolume) -> (&'static str, String, &'static str) {
    let on = |yes: bool, words: [&str; 2]| words[usize::from(!yes)].to_owned();
    match setting {
        Setting::Cipher => (
            "cipher",
            cipher(settings),
            "Fast where the processor helps; no attack on it is known.",
        ),
        Setting::BlockSize => (
            "blocks",
            blocks(settings),
            if settings.block_size < 4096 {
                "A small change inside a file costs little."
            } else {
                "As large as pages of memory, of which requests are made."
            },
        ),
        Setting::Names => (
            "names",
            names(settings).to_owned(),
            match NameInterface::from_interface_name(&settings.naming.name) {
                Some(NameInterface::Stream) => {
                    "The shortest, for storage with little room for them."
                }
                Some(NameInterface::Null) => "Not encrypted.",
                _ => "Their length is hidden.",
            },
        ),
        Setting::NameChaining => (
            "chaining",
            on(settings.chained_name_iv, ["on", "off"]),
            "Equal names in two folders look different.",
        ),
        Setting::FileIv => (
            "header",
            on(settings.unique_iv, ["in each file", "none"]),
            if settings.unique_iv {
                "Equal files look different."
            } else {
                "Nothing but contents is written."
            },
        ),
        Setting::ExternalIv => (
            "tied",
            on(settings.external_iv, ["to names", "to nothing"]),
            if settings.external_iv {
                "Moved files are noticed."
            } else {
                "Renaming a file changes nothing in it."
            },
        ),
        Setting::BlockMac => (
            "block codes",
            on(settings.mac_bytes > 0, ["on", "none"]),
            if settings.mac_bytes > 0 {
                "Changes in the storage are noticed."
            } else {
                "Faster and smaller; the paranoia profiles have them."
            },
        ),
        Setting::Holes => (
            "holes",
            on(settings.allow_holes, ["kept", "filled"]),
            "Parts of a file that were never written take no space.",
        ),
    }
}

fn cipher(settings: &NewVolume) -> String {
    let name = settings.cipher.name.trim_start_matches("ssl/");
    format!("{}-{}", name.to_ascii_uppercase(), settings.key_bits)
}

fn blocks(settings: &NewVolume) -> String {
    match settings.block_size {
        size if size % 1024 == 0 => format!("{} KiB", size / 1024),
        size => format!("{size} bytes"),
    }
}

fn names(settings: &NewVolume) -> &str {
    settings.naming.name.trim_start_matches("nameio/")
}

fn short(time: Duration) -> String {
    format!("{} ms", time.as_millis())
}
