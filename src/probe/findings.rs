//! What an examination found out. Plain data: whoever chooses settings, or tells a user, reads it.

use std::time::Duration;

use crate::raw::{Errno, SpaceInfo};

/// What became of an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Carried out: seen at once (within a tenth of a second), and still there a second later.
    Honoured,
    /// Acknowledged, and seen so many milliseconds later; it is looked for during 3 s.
    Late(u32),
    /// Acknowledged and not carried out, or taken back within a second.
    Ignored,
    /// Acknowledged, and something else was done: other bytes, another size, another name.
    Wrong,
    /// Refused with this errno.
    Refused(Errno),
    /// Not found out: what had to be done before failed with this errno.
    Unknown(Errno),
}

impl Outcome {
    /// Carried out, and seen at once.
    #[must_use]
    pub fn is_honoured(self) -> bool {
        self == Self::Honoured
    }

    /// Carried out, at once or some time later.
    #[must_use]
    pub fn is_done(self) -> bool {
        matches!(self, Self::Honoured | Self::Late(_))
    }
}

/// Second names of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HardLinks {
    /// Made, and the link count of both names says so.
    Counted,
    /// Made, and every file is told to have one name: `rsync -H` and `tar` copy each of them.
    NotCounted,
    /// The second name is a copy: a change through one is not seen through the other.
    Copied,
    /// Refused with this errno.
    Refused(Errno),
    /// Not found out: what had to be done before failed with this errno.
    Unknown(Errno),
}

/// Numbers of files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InodeNumbers {
    /// The same by name and by descriptor, and a second later; two files have two. Whether they
    /// outlast the kernel's memory of a file cannot be seen.
    Stable,
    /// Another one at each look, or by name another than by descriptor.
    Change,
    /// Two files have the same number.
    Repeat,
    /// Not found out: what had to be done before failed with this errno.
    Unknown(Errno),
}

/// Upper and lower case in names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Case {
    /// Names that differ in case are two names.
    Differs,
    /// Names that differ in case are the same name. Encrypted names need both cases: two files
    /// whose names differ only there would be one.
    Same,
    /// Not found out: what had to be done before failed with this errno.
    Unknown(Errno),
}

/// Names of entries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Names {
    /// Longest name that was taken, in bytes; 255 is the most that Linux allows.
    pub longest: Option<u16>,
    /// Upper and lower case.
    pub case: Case,
    /// ASCII bytes that no name may have, in order; digits, letters, `+`, `,` and `-`, of which
    /// encrypted names consist, are never among them where names work at all.
    pub refused: Vec<u8>,
    /// Names that are not UTF-8.
    pub not_utf8: Outcome,
    /// A listing has the names as they were given.
    pub listed: Outcome,
}

/// Modification times.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Times {
    /// Setting one. `Wrong` if what is told follows no rule.
    pub set: Outcome,
    /// What is told is a multiple of this.
    pub step: Duration,
    /// What is told is so many seconds later than what was set, after rounding.
    pub shift_secs: i64,
    /// The storage's clock is so many seconds ahead of ours, by the time of a new file; `None` if
    /// that was not found out.
    pub clock_ahead_secs: Option<i64>,
}

/// How long one operation takes, median of a few. `None` if it failed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Latency {
    /// Looking up a name that is not there.
    pub lookup: Option<Duration>,
    /// Listing a folder.
    pub list: Option<Duration>,
    /// Making an empty file.
    pub create: Option<Duration>,
    /// Opening a file for reading.
    pub open: Option<Duration>,
    /// Writing 4 KiB.
    pub write: Option<Duration>,
    /// Reading 4 KiB of a file just opened.
    pub read: Option<Duration>,
    /// Renaming.
    pub rename: Option<Duration>,
    /// Removing a file.
    pub remove: Option<Duration>,
}

impl Latency {
    /// One operation, whichever: the median of those that were measured.
    #[must_use]
    pub fn typical(&self) -> Option<Duration> {
        let mut all: Vec<Duration> = self
            .each()
            .into_iter()
            .filter_map(|(_, time)| time)
            .collect();
        all.sort_unstable();
        all.get(all.len() / 2).copied()
    }

    /// All of them with their names.
    #[must_use]
    pub fn each(&self) -> [(&'static str, Option<Duration>); 8] {
        [
            ("lookup", self.lookup),
            ("list", self.list),
            ("create", self.create),
            ("open", self.open),
            ("write", self.write),
            ("read", self.read),
            ("rename", self.rename),
            ("remove", self.remove),
        ]
    }
}

/// Everything that was found out about one storage.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Findings {
    /// By its kind an operation is likely to be a round trip to somewhere else.
    pub remote: bool,

    /// Cutting a file to nothing.
    pub truncate_to_zero: Outcome,
    /// Cutting a file to 8 bytes, the length of a per-file IV header.
    pub truncate_to_header: Outcome,
    /// Cutting a file in the middle of a block.
    pub truncate_in_block: Outcome,
    /// Making a file longer by setting its size; what is added reads as zeros.
    pub truncate_to_grow: Outcome,

    /// Size of a file that is being written, before the close.
    pub size_while_open: Outcome,
    /// Size after the close.
    pub size_after_close: Outcome,
    /// Contents after the close, as another open reads them.
    pub contents_after_close: Outcome,

    /// Writing the first 8 bytes a second time within one open.
    pub second_write_of_header: Outcome,
    /// Writing other bytes a second time within one open.
    pub second_write: Outcome,
    /// Writing the first 8 bytes of a file that was there before.
    pub overwrite_header: Outcome,
    /// Writing in the middle of a file that was there before.
    pub overwrite: Outcome,
    /// Writing at the end of a file that was there before.
    pub append: Outcome,
    /// Writing past the end; the gap reads as zeros.
    pub gap: Outcome,
    /// Reading past the end gives nothing. `Wrong` if it gives bytes.
    pub read_past_end: Outcome,
    /// Telling the storage to make contents safe.
    pub sync: Outcome,
    /// Telling it to make names safe.
    pub sync_dir: Outcome,
    /// Reserving space for a file.
    pub reserve: Outcome,
    /// Giving the space of a range back.
    pub punch_hole: Outcome,

    /// Renaming a file to a name that is free.
    pub rename: Outcome,
    /// Renaming a file over another. Whether that is one step for other computers cannot be seen
    /// from here: the kernel holds the folder meanwhile.
    pub rename_over: Outcome,
    /// Renaming without replacing (`RENAME_NOREPLACE`).
    pub rename_noreplace: Outcome,
    /// Renaming a folder that is not empty.
    pub rename_dir: Outcome,
    /// A file that is open works on after it lost its name.
    pub unlinked_open: Outcome,
    /// A file that is open works on after another was renamed over it.
    pub replaced_open: Outcome,
    /// Names.
    pub names: Names,

    /// Hard links.
    pub hard_links: HardLinks,
    /// A symbolic link to a name beside it.
    pub symlink_relative: Outcome,
    /// A symbolic link with `..` in its target.
    pub symlink_parent: Outcome,
    /// A symbolic link to an absolute path.
    pub symlink_absolute: Outcome,
    /// A FIFO.
    pub fifo: Outcome,
    /// Inode numbers.
    pub inode_numbers: InodeNumbers,

    /// Changing permission bits.
    pub chmod: Outcome,
    /// Changing the owner (root) or the group (others: to another group of theirs, or if they
    /// have no other to the one it has).
    pub chown: Outcome,
    /// Modification times.
    pub times: Times,
    /// Extended attributes of users.
    pub xattr: Outcome,
    /// Locks between programs of this computer (`flock`).
    pub locks: Outcome,
    /// Space and limits, where the storage tells them.
    pub space: Option<SpaceInfo>,

    /// How long operations take.
    pub latency: Latency,
}

impl Findings {
    /// Storage that does everything right, on this computer: where tests and choices start from.
    #[must_use]
    pub fn good() -> Self {
        let good = Outcome::Honoured;
        Self {
            remote: false,
            truncate_to_zero: good,
            truncate_to_header: good,
            truncate_in_block: good,
            truncate_to_grow: good,
            size_while_open: good,
            size_after_close: good,
            contents_after_close: good,
            second_write_of_header: good,
            second_write: good,
            overwrite_header: good,
            overwrite: good,
            append: good,
            gap: good,
            read_past_end: good,
            sync: good,
            sync_dir: good,
            reserve: good,
            punch_hole: good,
            rename: good,
            rename_over: good,
            rename_noreplace: good,
            rename_dir: good,
            unlinked_open: good,
            replaced_open: good,
            names: Names {
                longest: Some(255),
                case: Case::Differs,
                refused: Vec::new(),
                not_utf8: good,
                listed: good,
            },
            hard_links: HardLinks::Counted,
            symlink_relative: good,
            symlink_parent: good,
            symlink_absolute: good,
            fifo: good,
            inode_numbers: InodeNumbers::Stable,
            chmod: good,
            chown: good,
            times: Times {
                set: good,
                step: Duration::from_nanos(1),
                shift_secs: 0,
                clock_ahead_secs: Some(0),
            },
            xattr: good,
            locks: good,
            space: None,
            latency: Latency::default(),
        }
    }

    /// Every order to shorten a file was carried out, and at once. Otherwise EncFS 1.9 leaves old
    /// bytes at the end of files that are rewritten shorter, if they have a header.
    #[must_use]
    pub fn shortening_is_reliable(&self) -> bool {
        self.shortening_to_zero_is_reliable()
            && self.truncate_to_header.is_honoured()
            && self.truncate_in_block.is_honoured()
    }

    /// The order to empty a file was carried out, and at once.
    #[must_use]
    pub fn shortening_to_zero_is_reliable(&self) -> bool {
        self.truncate_to_zero.is_honoured()
    }

    /// The header of a file can be written anew, within the open that wrote it first and later.
    #[must_use]
    pub fn header_rewrite_is_safe(&self) -> bool {
        self.second_write_of_header.is_done() && self.overwrite_header.is_done()
    }

    /// Any byte of a file can be written anew, within one open and later.
    #[must_use]
    pub fn overwriting_is_safe(&self) -> bool {
        self.header_rewrite_is_safe() && self.second_write.is_done() && self.overwrite.is_done()
    }

    /// Sizes and contents are told as they are, without delay.
    #[must_use]
    pub fn shows_changes_at_once(&self) -> bool {
        self.size_while_open.is_honoured()
            && self.size_after_close.is_honoured()
            && self.contents_after_close.is_honoured()
    }

    /// Encrypted names are kept: upper and lower case differ, and nothing is changed.
    #[must_use]
    pub fn names_are_safe(&self) -> bool {
        self.names.case == Case::Differs && self.names.listed.is_honoured()
    }

    /// Seconds for `rsync --modify-window`, where times are kept so coarsely that it is needed.
    #[must_use]
    pub fn modify_window(&self) -> Option<u64> {
        let secs = self.times.step.as_secs();
        (self.times.set.is_done() && secs > 1).then_some(secs)
    }

    /// Every answer that is an outcome, by the name of its field; those of names and times are
    /// `names_not_utf8`, `names_listed` and `times_set`.
    #[must_use]
    pub fn outcomes(&self) -> Vec<(&'static str, Outcome)> {
        vec![
            ("truncate_to_zero", self.truncate_to_zero),
            ("truncate_to_header", self.truncate_to_header),
            ("truncate_in_block", self.truncate_in_block),
            ("truncate_to_grow", self.truncate_to_grow),
            ("size_while_open", self.size_while_open),
            ("size_after_close", self.size_after_close),
            ("contents_after_close", self.contents_after_close),
            ("second_write_of_header", self.second_write_of_header),
            ("second_write", self.second_write),
            ("overwrite_header", self.overwrite_header),
            ("overwrite", self.overwrite),
            ("append", self.append),
            ("gap", self.gap),
            ("read_past_end", self.read_past_end),
            ("sync", self.sync),
            ("sync_dir", self.sync_dir),
            ("reserve", self.reserve),
            ("punch_hole", self.punch_hole),
            ("rename", self.rename),
            ("rename_over", self.rename_over),
            ("rename_noreplace", self.rename_noreplace),
            ("rename_dir", self.rename_dir),
            ("unlinked_open", self.unlinked_open),
            ("replaced_open", self.replaced_open),
            ("symlink_relative", self.symlink_relative),
            ("symlink_parent", self.symlink_parent),
            ("symlink_absolute", self.symlink_absolute),
            ("fifo", self.fifo),
            ("chmod", self.chmod),
            ("chown", self.chown),
            ("xattr", self.xattr),
            ("locks", self.locks),
            ("names_not_utf8", self.names.not_utf8),
            ("names_listed", self.names.listed),
            ("times_set", self.times.set),
        ]
    }

    /// How many questions have no answer because something else failed, and the first errno.
    #[must_use]
    pub fn not_found_out(&self) -> Option<(usize, Errno)> {
        let mut errnos: Vec<Errno> = Vec::new();
        for (_, outcome) in self.outcomes() {
            if let Outcome::Unknown(errno) = outcome {
                errnos.push(errno);
            }
        }
        if let HardLinks::Unknown(errno) = self.hard_links {
            errnos.push(errno);
        }
        if let InodeNumbers::Unknown(errno) = self.inode_numbers {
            errnos.push(errno);
        }
        if let Case::Unknown(errno) = self.names.case {
            errnos.push(errno);
        }
        errnos.first().map(|errno| (errnos.len(), *errno))
    }
}
