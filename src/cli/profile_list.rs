//! `--profile list`: what each profile is for.

use super::storage_words::{headline, wrapped};
use crate::profile::{Base, Names, Profile, Situation};

const HEAD: &str = "\
Profiles of new volumes, for --profile NAME. With --profile auto the storage is
examined, and standard or else storage is taken, with names that fit.

encfs-rs damages no file with any of them on any storage that was tried; it
refuses what the storage does not do. What EncFS 1.9 needs matters if that
program writes to the volume as well (--compatible-writers).

";

const PARANOIA: &str = "\
Besides, changed, swapped and moved files are noticed: each block has a code, and headers are tied \
to names. No hard links; renaming a file writes in it, so storage must take changes inside files \
and show them at once. EncFS 1.9 needs besides that blocks can be written twice.";

const STANDARD: &str = "\
For everybody: what EncFS makes by default. Equal files look different, hard links work. Changes in \
the storage go unnoticed. EncFS 1.9 needs storage that shortens files to any size, at once: else \
rewritten files end in garbage.";

const STORAGE: &str = "\
Asks little of the storage, for web drives and the like where EncFS 1.9 writes too: files are \
emptied to zero, written from the start to the end, in whole pages. Equal blocks at the same place \
of two files look equal, changes in the storage go unnoticed, and the length of names shows. With \
encfs-rs alone there is no need for it.";

const CASELESS: &str = "\
The same with names of one case only (block32), for storage that takes A for a (FAT, exFAT): there \
encrypted names of other kinds overwrite each other. Names are at most 143 bytes long.";

const SHORT: &str = "\
The same with the shortest names (stream), for storage that takes short ones only. Their length \
shows.";

/// Before the explanations, in columns.
const INDENT: &str = "            ";

/// The list.
#[must_use]
pub(super) fn text() -> String {
    let mut text = HEAD.to_owned();
    let [plain, caseless, short] = [Names::AsUsual, Names::Caseless, Names::Short].map(|names| {
        Profile::ALL
            .into_iter()
            .filter(move |profile| profile.names == names)
    });
    for profile in plain {
        let label = format!("{:<width$}", profile.name(), width = INDENT.len());
        if let Ok(settings) = profile.settings(Situation::default()) {
            text.push_str(&wrapped(&label, &format!("{}.", headline(&settings))));
        }
        let purpose = match profile.base {
            Base::Standard => STANDARD,
            Base::Paranoia => PARANOIA,
            Base::Storage => STORAGE,
        };
        text.push_str(&wrapped(INDENT, purpose));
        text.push('\n');
    }
    for (profiles, purpose) in [
        (caseless.collect::<Vec<_>>(), CASELESS),
        (short.collect(), SHORT),
    ] {
        let names: Vec<&str> = profiles.into_iter().map(Profile::name).collect();
        text.push_str(&format!("{}\n", names.join(", ")));
        text.push_str(&wrapped(INDENT, purpose));
        text.push('\n');
    }
    text.truncate(text.trim_end().len());
    text + "\n"
}
