//! What follows from the nature of storage: for its user, and for the settings of a volume there.

use std::time::Duration;

use crate::probe::{Case, Findings, HardLinks, InodeNumbers, Outcome};

/// From here on the number of operations is what copying takes time for.
const SLOW: Duration = Duration::from_millis(5);

/// Something that the user should know or do.
pub(super) struct Consequence {
    /// For programs.
    pub(super) key: &'static str,
    /// For people.
    pub(super) text: String,
}

/// Whether the storage argues for a setting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stance {
    For,
    Against,
}

/// A setting that the storage has a say in.
pub(super) struct Argument {
    /// For programs: as `info --json` names it.
    pub(super) key: &'static str,
    /// For people.
    pub(super) setting: &'static str,
    pub(super) stance: Stance,
    pub(super) reason: String,
}

/// What follows for the user, what matters most first.
pub(super) fn consequences(f: &Findings) -> Vec<Consequence> {
    let mut all = Vec::new();
    contents(f, &mut all);
    names_and_links(f, &mut all);
    attributes(f, &mut all);
    all
}

fn add(all: &mut Vec<Consequence>, key: &'static str, text: impl Into<String>) {
    all.push(Consequence {
        key,
        text: text.into(),
    });
}

/// Acknowledged, and not as it was ordered.
fn broken(outcome: Outcome) -> bool {
    matches!(
        outcome,
        Outcome::Ignored | Outcome::Wrong | Outcome::Late(_)
    )
}

fn refused(outcome: Outcome) -> bool {
    matches!(outcome, Outcome::Refused(_))
}

fn lacking(outcome: Outcome) -> bool {
    refused(outcome) || broken(outcome)
}

fn contents(f: &Findings, all: &mut Vec<Consequence>) {
    if f.contents_after_close == Outcome::Ignored {
        let text = "What was written was not seen within seconds of the close. Nothing \
                    that is said about contents here is certain.";
        add(all, "contents_unseen", text);
    }
    let cuts = [
        f.truncate_to_zero,
        f.truncate_to_header,
        f.truncate_in_block,
    ];
    if broken(f.truncate_to_zero) {
        let text = "A file that is rewritten shorter keeps its old end, also with EncFS 1.9. In a \
                    volume of encfs-rs it does not: what stays becomes a new file.";
        add(all, "rewriting_keeps_old_end", text);
    } else if cuts.into_iter().any(lacking) {
        let text = "EncFS 1.9 with its usual settings would leave old bytes at the end of \
                    rewritten files, or fail to rewrite them. encfs-rs rewrites them rightly, \
                    with any settings.";
        add(all, "encfs_1_9_leaves_old_end", text);
    }
    if cuts.into_iter().any(lacking) {
        let text = "Shortening a file makes encfs-rs write what stays anew, as a new file: \
                    rsync --inplace gains nothing here.";
        add(all, "no_inplace", text);
    }
    let changes = [f.overwrite_header, f.overwrite];
    if changes.into_iter().any(refused) {
        let text = if refused(f.append) {
            "Files that exist cannot be changed, only written anew: no rsync --inplace, no \
             --append, no databases, no editing of large files in place."
        } else {
            "Files that exist can be added to, and not changed otherwise: no rsync --inplace, no \
             databases. Adding to a file of a volume changes its last block, which fails too."
        };
        add(all, "no_changes_in_place", text);
    }
    if [f.second_write_of_header, f.second_write]
        .into_iter()
        .any(broken)
    {
        let text = "Bytes that are written twice before a close keep their first value: files \
                    that are not written from front to back are damaged.";
        add(all, "second_writes_lost", text);
    }
    if changes.into_iter().any(broken) && f.contents_after_close.is_done() {
        let text = "Changes in files that exist are acknowledged and lost. Do not keep anything \
                    here that is changed in place.";
        add(all, "changes_lost", text);
    }
    let late = [f.contents_after_close, f.size_after_close]
        .into_iter()
        .filter_map(|outcome| match outcome {
            Outcome::Late(millis) => Some(millis),
            _ => None,
        })
        .max();
    if let Some(millis) = late {
        let text = format!(
            "What was written is seen up to {millis} ms after the close: do not open a file from \
             two computers, and wait that long before you unmount or compare."
        );
        add(all, "seen_late", text);
    }
    if broken(f.size_while_open) {
        let text = "The size of a file that is being written is told wrongly: programs that ask \
                    for it meanwhile are misled.";
        add(all, "size_wrong_while_open", text);
    }
    if f.read_past_end == Outcome::Wrong {
        let text = "Reading gives bytes past the end of files. Do not trust programs that read \
                    to the end without asking for the size.";
        add(all, "bytes_past_end", text);
    }
    if lacking(f.sync) {
        let text = "Nothing can be made safe at a given moment (fsync): after a power cut the \
                    last changes may be gone.";
        add(all, "no_sync", text);
    }
}

fn names_and_links(f: &Findings, all: &mut Vec<Consequence>) {
    if lacking(f.rename) || lacking(f.rename_over) {
        let text = "Files cannot be replaced by a rename, which most programs do when they save. \
                    With rsync use --inplace, if files can be changed in place.";
        add(all, "no_replacing", text);
    }
    if lacking(f.rename_dir) {
        add(all, "no_renaming_folders", "Folders cannot be renamed.");
    }
    if [f.unlinked_open, f.replaced_open].into_iter().any(lacking) {
        let text = "A file that is open is lost to its reader when it is removed or replaced: \
                    do not update files that programs have open.";
        add(all, "open_files_lost", text);
    }
    if f.names.case == Case::Same {
        let text = "Upper and lower case are the same: two encrypted names that differ in nothing \
                    else are one file. Take block32 names for a volume here.";
        add(all, "case_is_lost", text);
    }
    if f.names.listed == Outcome::Wrong {
        let text = "Names come back changed: encrypted names that were changed cannot be read.";
        add(all, "names_changed", text);
    }
    if let Some(longest) = f.names.longest.filter(|longest| *longest < 255) {
        let text = format!(
            "Names have at most {longest} bytes, in a volume about a quarter less: longer ones \
             are refused."
        );
        add(all, "short_names", text);
    }
    let hard_links = match f.hard_links {
        HardLinks::Counted | HardLinks::Unknown(_) => None,
        HardLinks::NotCounted => {
            Some("Hard links are not counted: rsync -H copies each name as a file of its own.")
        }
        HardLinks::Copied => {
            Some("Hard links are copies: what changes one does not change the other.")
        }
        HardLinks::Refused(_) => Some("There are no hard links: rsync -H reports errors for them."),
    };
    if let Some(text) = hard_links {
        add(all, "hard_links", text);
    }
    if lacking(f.symlink_relative) {
        let text = "There are no symbolic links: use rsync --no-links, or --copy-links.";
        add(all, "no_symlinks", text);
    } else if lacking(f.symlink_parent) || lacking(f.symlink_absolute) {
        let text = "Some symbolic links do not work, those with .. or to absolute paths: rsync \
                    reports errors for them at each run (exit status 23).";
        add(all, "some_symlinks", text);
    }
    if lacking(f.fifo) {
        let text = "There are no FIFOs and such: use rsync --no-specials --no-devices.";
        add(all, "no_specials", text);
    }
    let numbers = match f.inode_numbers {
        InodeNumbers::Stable | InodeNumbers::Unknown(_) => None,
        InodeNumbers::Change => Some(
            "Inode numbers change: backup programs that compare them take files as new (for \
             restic --ignore-inode, for borg --files-cache=mtime,size).",
        ),
        InodeNumbers::Repeat => Some(
            "Different files have one inode number: rsync -H and tar may take them for the same.",
        ),
    };
    if let Some(text) = numbers {
        add(all, "inode_numbers", text);
    }
}

fn attributes(f: &Findings, all: &mut Vec<Consequence>) {
    let mut without = Vec::new();
    if lacking(f.chmod) {
        without.push("--no-perms");
    }
    if lacking(f.chown) {
        without.extend(["--no-owner", "--no-group"]);
    }
    if !without.is_empty() {
        let what = match (lacking(f.chmod), lacking(f.chown)) {
            (true, true) => "Permission bits and owners are",
            (true, false) => "Permission bits are",
            _ => "Owners are",
        };
        let text = format!("{what} not kept: use rsync -a {}.", without.join(" "));
        add(all, "rsync_options", text);
    }
    if lacking(f.times.set) && !matches!(f.times.set, Outcome::Late(_)) {
        let text = "Modification times are not kept: rsync sends every file at each run. Use \
                    rsync --size-only, or --checksum, which reads everything.";
        add(all, "times_not_kept", text);
    }
    if let Some(window) = f.modify_window() {
        let text = format!(
            "Modification times are kept to {window} s: use rsync --modify-window={window}."
        );
        add(all, "modify_window", text);
    }
    if f.times.set.is_done() && f.times.shift_secs != 0 {
        let text = format!(
            "Modification times come back {} s off: rsync sends every file at each run, unless \
             with --modify-window={}.",
            f.times.shift_secs,
            f.times.shift_secs.unsigned_abs() + f.times.step.as_secs()
        );
        add(all, "times_shifted", text);
    }
    if f.times.clock_ahead_secs.is_some_and(|secs| secs != 0) {
        let text = "Its clock differs from that of this computer: new files have times that are \
                    off until a program sets them.";
        add(all, "clock_differs", text);
    }
    if lacking(f.xattr) {
        let text = "There are no extended attributes: rsync -X and -A report errors.";
        add(all, "no_xattrs", text);
    }
    if lacking(f.locks) {
        let text = "Locks keep nobody out: do not use one database or mailbox by two programs.";
        add(all, "no_locks", text);
    }
    if let Some(time) = f.latency.typical().filter(|time| *time >= SLOW) {
        // Making, writing, setting times and renaming a file, and what the kernel asks besides.
        let files = 60_000_000 / (time.as_micros().max(1) * 20);
        let text = format!(
            "Each operation takes {} ms: about {files} small files a minute can be copied here.",
            time.as_millis()
        );
        add(all, "slow", text);
    }
}

/// What the storage has to say about settings.
pub(super) fn arguments(f: &Findings) -> Vec<Argument> {
    let mut all = Vec::new();
    let mut add = |stance, key, setting, reason: &str| {
        all.push(Argument {
            key,
            setting,
            stance,
            reason: reason.to_owned(),
        });
    };
    use Stance::{Against, For};
    let slow = f.latency.typical().is_some_and(|time| time >= SLOW);
    let shortens = !lacking(f.truncate_to_header) && !lacking(f.truncate_in_block);
    if !shortens {
        let reason = "if EncFS 1.9 writes here too: it cuts files to their header, which does not \
                      work here. With encfs-rs alone they are fine.";
        add(Against, "unique_iv", "file headers", reason);
    }
    if !f.header_rewrite_is_safe() {
        let reason = "a rename writes the header of the file anew, which does not work here.";
        add(Against, "external_iv", "headers by path", reason);
    } else if slow {
        let reason = "a rename costs 8 operations more.";
        add(Against, "external_iv", "headers by path", reason);
    } else if f.hard_links == HardLinks::Counted {
        let reason = "hard links work here, and exclude them.";
        add(Against, "external_iv", "headers by path", reason);
    }
    if !f.overwriting_is_safe() {
        let reason = "a block that is changed in part has to be written anew as a whole with its \
                      code, which does not work here.";
        add(Against, "mac_bytes", "block codes", reason);
    } else if [f.truncate_to_header, f.truncate_in_block, f.read_past_end]
        .into_iter()
        .any(broken)
    {
        let reason = "old bytes at the end of a file are then an error and not garbage.";
        add(For, "mac_bytes", "block codes", reason);
    }
    if f.names.case == Case::Same {
        let reason = "upper and lower case are the same here.";
        add(For, "naming", "block32 names", reason);
    } else if f.names.longest.is_some_and(|longest| longest < 255) {
        let reason = "they leave the longest names.";
        add(For, "naming", "stream names", reason);
    }
    if slow || lacking(f.rename_dir) || lacking(f.rename) {
        let reason = "renaming a folder renames everything below it.";
        add(Against, "chained_name_iv", "names by path", reason);
    }
    if [f.gap, f.truncate_to_grow]
        .into_iter()
        .any(|o| o == Outcome::Wrong)
    {
        let reason = "what was never written does not read as zeros here.";
        add(Against, "allow_holes", "holes", reason);
    }
    if slow || !f.overwriting_is_safe() {
        let reason = "fewer and larger writes.";
        add(For, "block_size", "blocks of 4096", reason);
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::raw::Errno;

    fn keys(findings: &Findings) -> (Vec<&'static str>, Vec<(Stance, &'static str)>) {
        let told = consequences(findings).iter().map(|told| told.key).collect();
        let said = arguments(findings);
        (
            told,
            said.iter().map(|said| (said.stance, said.key)).collect(),
        )
    }

    /// What follows when good storage is changed in this way, beside what follows from good storage.
    fn follows(
        change: impl FnOnce(&mut Findings),
    ) -> (Vec<&'static str>, Vec<(Stance, &'static str)>) {
        let mut findings = Findings::good();
        // Where there are no hard links, nothing excludes them.
        findings.hard_links = HardLinks::Unknown(Errno::IO);
        assert_eq!(keys(&findings), (vec![], vec![]));
        change(&mut findings);
        keys(&findings)
    }

    #[test]
    fn good_storage_has_nothing_to_mind() {
        let (told, said) = keys(&Findings::good());
        assert!(told.is_empty(), "{told:?}");
        assert_eq!(said, [(Stance::Against, "external_iv")]);
    }

    #[test]
    fn each_finding_has_its_consequence() {
        let no = Outcome::Refused(Errno::PERM);
        let ignored = Outcome::Ignored;
        type Change = (fn(&mut Findings, Outcome), Outcome, &'static str);
        let cases: &[Change] = &[
            (
                |f, o| f.contents_after_close = o,
                ignored,
                "contents_unseen",
            ),
            (
                |f, o| f.contents_after_close = o,
                Outcome::Late(500),
                "seen_late",
            ),
            (
                |f, o| f.size_after_close = o,
                Outcome::Late(500),
                "seen_late",
            ),
            (
                |f, o| f.size_while_open = o,
                ignored,
                "size_wrong_while_open",
            ),
            (
                |f, o| f.truncate_to_zero = o,
                ignored,
                "rewriting_keeps_old_end",
            ),
            (
                |f, o| f.truncate_to_header = o,
                ignored,
                "encfs_1_9_leaves_old_end",
            ),
            (|f, o| f.truncate_in_block = o, no, "no_inplace"),
            (|f, o| f.overwrite = o, no, "no_changes_in_place"),
            (|f, o| f.overwrite = o, ignored, "changes_lost"),
            (|f, o| f.second_write = o, ignored, "second_writes_lost"),
            (|f, o| f.read_past_end = o, Outcome::Wrong, "bytes_past_end"),
            (|f, o| f.sync = o, no, "no_sync"),
            (|f, o| f.rename_over = o, no, "no_replacing"),
            (|f, o| f.rename_dir = o, no, "no_renaming_folders"),
            (
                |f, o| f.unlinked_open = o,
                Outcome::Wrong,
                "open_files_lost",
            ),
            (|f, o| f.names.listed = o, Outcome::Wrong, "names_changed"),
            (|f, o| f.symlink_relative = o, no, "no_symlinks"),
            (|f, o| f.symlink_parent = o, no, "some_symlinks"),
            (|f, o| f.fifo = o, no, "no_specials"),
            (|f, o| f.chmod = o, ignored, "rsync_options"),
            (|f, o| f.chown = o, no, "rsync_options"),
            (|f, o| f.times.set = o, ignored, "times_not_kept"),
            (|f, o| f.xattr = o, no, "no_xattrs"),
            (|f, o| f.locks = o, ignored, "no_locks"),
        ];
        for (change, outcome, key) in cases {
            let (told, _) = follows(|f| change(f, *outcome));
            assert!(told.contains(key), "{key}: {told:?}");
        }
        let (told, _) = follows(|f| f.times.step = Duration::from_secs(2));
        assert_eq!(told, ["modify_window"]);
        let (told, _) = follows(|f| f.times.shift_secs = 3600);
        assert_eq!(told, ["times_shifted"]);
        let (told, _) = follows(|f| f.hard_links = HardLinks::NotCounted);
        assert_eq!(told, ["hard_links"]);
        let (told, _) = follows(|f| f.inode_numbers = InodeNumbers::Change);
        assert_eq!(told, ["inode_numbers"]);
    }

    #[test]
    fn each_setting_is_argued_about_where_it_matters() {
        use Stance::{Against, For};
        let (_, said) = follows(|f| f.truncate_to_header = Outcome::Ignored);
        assert_eq!(said, [(Against, "unique_iv"), (For, "mac_bytes")]);
        let (_, said) = follows(|f| f.second_write_of_header = Outcome::Ignored);
        let wanted = [
            (Against, "external_iv"),
            (Against, "mac_bytes"),
            (For, "block_size"),
        ];
        assert_eq!(said, wanted);
        let (told, said) = follows(|f| f.names.case = Case::Same);
        assert_eq!((told, said), (vec!["case_is_lost"], vec![(For, "naming")]));
        let (_, said) = follows(|f| f.names.longest = Some(143));
        assert_eq!(said, [(For, "naming")]);
        let (_, said) = follows(|f| f.gap = Outcome::Wrong);
        assert_eq!(said, [(Against, "allow_holes")]);
        let (told, said) = follows(|f| f.latency.write = Some(Duration::from_millis(20)));
        let wanted = [
            (Against, "external_iv"),
            (Against, "chained_name_iv"),
            (For, "block_size"),
        ];
        assert_eq!((told, said), (vec!["slow"], wanted.to_vec()));
    }
}
