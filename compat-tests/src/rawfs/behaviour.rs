//! How storage misbehaves for good: not a failure now and then, but its nature.
//!
//! The default is faithful. Each part is carried out in the file that is named after it.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use rustix::io::Errno;

use super::op::Op;

/// What becomes of an order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Act {
    /// It is carried out.
    #[default]
    Do,
    /// It is acknowledged and not carried out.
    Ignore,
    /// It is acknowledged and carried out so much later.
    Late(Duration),
    /// It is refused.
    Refuse(Errno),
}

/// Setting sizes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Truncation {
    /// To zero.
    pub to_zero: Act,
    /// To something smaller that is not zero.
    pub shrink: Act,
    /// To something larger.
    pub grow: Act,
}

impl Truncation {
    /// The same for every size but zero.
    #[must_use]
    pub fn but_zero(act: Act) -> Self {
        Self {
            to_zero: Act::Do,
            shrink: act,
            grow: act,
        }
    }

    /// The same for every size.
    #[must_use]
    pub fn always(act: Act) -> Self {
        Self {
            to_zero: act,
            shrink: act,
            grow: act,
        }
    }
}

/// Contents are sent off when a file is closed, and seen by later opens some time after that.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Upload {
    /// From the close until it is seen.
    pub delay: Duration,
    /// The size of a file that is open for writing is right; otherwise that of the last upload.
    pub size_is_right: bool,
}

/// Which bytes a second write within one open does not change, though it is acknowledged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Overwrite {
    /// None: it changes all.
    #[default]
    Kept,
    /// Those before this position.
    LostBefore(u64),
    /// All.
    Lost,
}

/// Where a write may begin.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Order {
    /// Anywhere.
    #[default]
    Any,
    /// At the end of the file; elsewhere it is refused.
    AppendOnly(Errno),
    /// Where the last one of this open ended, from 0 on in a file that is empty or was cut to
    /// zero; elsewhere it is refused.
    SequentialOnly(Errno),
}

/// Names of entries.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Spelling {
    /// Bytes at most; `ENAMETOOLONG` beyond.
    pub longest: Option<usize>,
    /// Upper and lower case ASCII letters are the same.
    pub case_insensitive: bool,
    /// Names with one of these are refused with `EINVAL`.
    pub forbidden: Vec<u8>,
}

/// All of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Behaviour {
    /// Setting sizes.
    pub truncation: Truncation,
    /// Sizes and times that are told are those of so long ago.
    pub attr_lag: Duration,
    /// Contents are seen late.
    pub upload: Option<Upload>,
    /// A second write to the same bytes.
    pub overwrite: Overwrite,
    /// Where writes may begin.
    pub order: Order,
    /// Reads past the end are filled with rubbish.
    pub rubbish: bool,
    /// Modification times are cut to a multiple of this.
    pub mtime_step: Duration,
    /// Modification times that are told are so many seconds later than they are.
    pub mtime_shift: i64,
    /// Names.
    pub spelling: Spelling,
    /// Every file is told to have one name.
    pub hides_links: bool,
    /// Renaming over something that is there.
    pub rename_over: Act,
    /// Renaming over something removes that first, as a change of its own.
    pub rename_in_steps: bool,
    /// The answer to a rename with flags (`RENAME_EXCHANGE`, `RENAME_NOREPLACE`).
    pub rename_flags: Option<Errno>,
    /// Kinds that are always refused.
    pub refused: BTreeMap<Op, Errno>,
    /// Kinds that are acknowledged and do nothing: attributes, extended ones, syncs.
    pub ignored: BTreeSet<Op>,
}

impl Behaviour {
    /// Refuses all these kinds.
    #[must_use]
    pub fn refusing(mut self, ops: &[Op], errno: Errno) -> Self {
        self.refused.extend(ops.iter().map(|op| (*op, errno)));
        self
    }

    /// Ignores all these kinds.
    #[must_use]
    pub fn ignoring(mut self, ops: &[Op]) -> Self {
        self.ignored.extend(ops);
        self
    }
}
