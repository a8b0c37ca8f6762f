//! What is found in the end, against what may be there.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use rustix::io::Errno;

use super::work::{CUT_BY_RSYNC, Known, May, Work};
use crate::rawfs::words::errno_name;

/// What is wrong with a file.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Sort {
    /// An older version: a change that was acknowledged is not there.
    Old,
    /// Not there, or nothing in it.
    Gone,
    /// The beginning of what it should be.
    Short,
    /// Too long: garbage at the end, which may begin with the last block of what is right.
    Tail,
    /// It cannot be read.
    Unreadable(String),
    /// Wrong bytes.
    Garbled,
}

impl Sort {
    fn word(&self) -> &str {
        match self {
            Self::Old => "OLD",
            Self::Gone => "EMPTY",
            Self::Short => "CUT",
            Self::Tail => "TAIL",
            Self::Unreadable(errno) => errno,
            Self::Garbled => "GARBLED",
        }
    }
}

/// A file that is not what it may be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Wrong {
    name: &'static str,
    sort: Sort,
}

impl Wrong {
    /// The application itself has cut this file to a size that is not zero.
    fn in_place(&self) -> bool {
        ["cut", CUT_BY_RSYNC].contains(&self.name)
    }
}

/// Reads every file below `at`.
pub(super) fn look(at: &Path, work: &Work) -> Vec<Wrong> {
    let wrong = work.files.iter().filter_map(|(name, known)| {
        let sort = wrong_with(&read(&at.join(name)), known)?;
        Some(Wrong { name, sort })
    });
    wrong.collect()
}

/// Past what the kernel keeps of the contents.
fn read(path: &Path) -> io::Result<Vec<u8>> {
    let mut file = File::open(path)?;
    rustix::fs::fadvise(&file, 0, None, rustix::fs::Advice::DontNeed)?;
    let mut seen = Vec::new();
    file.read_to_end(&mut seen)?;
    Ok(seen)
}

fn wrong_with(seen: &io::Result<Vec<u8>>, known: &Known) -> Option<Sort> {
    let seen = match seen {
        Ok(seen) => seen,
        Err(error) => {
            let errno = Errno::from_io_error(error);
            let lacks = errno == Some(Errno::NOENT);
            if lacks && known.may.contains(&May::Lack) {
                return None;
            }
            let errno = errno.map_or_else(|| error.to_string(), errno_name);
            return Some(if lacks {
                Sort::Gone
            } else {
                Sort::Unreadable(errno)
            });
        }
    };
    if known.may.iter().any(|may| fits(may, seen)) {
        return None;
    }
    let wanted = known.versions.last()?;
    Some(if known.versions.contains(seen) {
        Sort::Old
    } else if seen.is_empty() {
        Sort::Gone
    } else if seen.len() > wanted.len() && seen.starts_with(whole_blocks(wanted)) {
        Sort::Tail
    } else if wanted.starts_with(seen) {
        Sort::Short
    } else {
        Sort::Garbled
    })
}

/// All but what the last block may hold, of the largest that the profiles have.
fn whole_blocks(contents: &[u8]) -> &[u8] {
    let end = contents.len().saturating_sub(4096);
    contents.get(..end).unwrap_or_default()
}

fn fits(may: &May, seen: &[u8]) -> bool {
    match may {
        May::Be(wanted) => seen == wanted,
        May::Begin(wanted) => wanted.starts_with(seen),
        May::Mix(one, two) => {
            let (short, long) = (one.len().min(two.len()), one.len().max(two.len()));
            (short..=long).contains(&seen.len())
                && seen
                    .iter()
                    .enumerate()
                    .all(|(at, byte)| [one, two].iter().any(|side| side.get(at) == Some(byte)))
        }
        May::Lack => false,
    }
}

/// One cell of a table.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cell {
    refused: Vec<&'static str>,
    first: Vec<Wrong>,
    last: Vec<Wrong>,
    broken: Option<String>,
}

impl Cell {
    pub(super) fn new(work: &Work, first: Vec<Wrong>, last: Vec<Wrong>) -> Self {
        Self {
            refused: work.refused.clone(),
            first,
            last,
            broken: None,
        }
    }

    /// The program itself failed.
    pub(super) fn broken(why: &str) -> Self {
        Self {
            broken: Some(why.to_owned()),
            ..Self::default()
        }
    }

    /// The files that are damaged, each with its damage: now, or at first.
    fn damage(&self) -> BTreeSet<(&'static str, bool)> {
        let at_first = self.first.iter().filter(|wrong| !wrong.sort.is_late());
        let last = self.last.iter();
        let at_first = at_first.map(|wrong| (wrong.name, false));
        at_first
            .chain(last.map(|wrong| (wrong.name, true)))
            .collect()
    }

    /// Files that are damaged here and not there.
    #[must_use]
    pub fn worse_than(&self, other: &Self) -> Vec<String> {
        let (damage, others) = (self.damage(), other.damage());
        let names = damage.difference(&others).map(|(name, last)| {
            let when = if *last { "" } else { " at first" };
            format!("{name}{when}")
        });
        names.collect()
    }

    /// What stands in the table.
    #[must_use]
    pub fn word(&self) -> String {
        if self.broken.is_some() {
            return "FAILED".to_owned();
        }
        let mut words = Vec::new();
        if !self.last.is_empty() {
            words = sorts(&self.last, |_| true);
        } else {
            let first = sorts(&self.first, |sort| !sort.is_late());
            if !first.is_empty() {
                words.push(format!("first {}", first.join("+")));
            } else if !self.first.is_empty() {
                words.push("late".to_owned());
            }
        }
        if !self.refused.is_empty() {
            words.insert(0, "refused".to_owned());
        }
        if words.is_empty() {
            words.push("ok".to_owned());
        }
        words.join(", ")
    }

    /// All that is known of it, for messages.
    #[must_use]
    pub fn details(&self) -> String {
        let list = |wrong: &[Wrong]| {
            let each = wrong
                .iter()
                .map(|w| format!("{} {}", w.name, w.sort.word()));
            each.collect::<Vec<_>>().join(", ")
        };
        format!(
            "refused [{}], at first [{}], at last [{}] {}",
            self.refused.join(", "),
            list(&self.first),
            list(&self.last),
            self.broken.as_deref().unwrap_or_default()
        )
    }
}

impl Sort {
    /// Nothing but what a pause cures: old contents, or none yet.
    fn is_late(&self) -> bool {
        matches!(self, Self::Old | Self::Gone)
    }
}

/// The damage by its words; that of files which the application cut itself on its own.
fn sorts(wrong: &[Wrong], counts: impl Fn(&Sort) -> bool) -> Vec<String> {
    let words = |in_place: bool| -> Vec<&str> {
        let chosen = wrong.iter().filter(|w| w.in_place() == in_place);
        let sorts: BTreeSet<&Sort> = chosen.map(|w| &w.sort).filter(|s| counts(s)).collect();
        sorts.into_iter().map(Sort::word).collect()
    };
    let (others, in_place) = (words(false), words(true));
    let mut all = Vec::new();
    if !others.is_empty() {
        all.push(others.join("+"));
    }
    // The same damage everywhere is told once.
    if !in_place.iter().all(|word| others.contains(word)) {
        all.push(format!("in-place {}", in_place.join("+")));
    }
    all
}
