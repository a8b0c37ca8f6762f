//! The examination of storage: what it does with orders, found out by giving some.
//!
//! Everything happens in one temporary folder of the root, which is removed at the end whatever
//! happens. What was there before is not touched. No key, no name of a user and nothing of the
//! format is needed: the root may hold a volume or not.
//!
//! Storage may be slow, so questions are asked side by side, each topic in a folder of its own
//! (the kernel makes one entry of a folder after the other). What storage tells at once is looked
//! at again after a second, when the kernel asks anew.
//!
//! | file | question |
//! |---|---|
//! | [`findings`] | the answers |
//! | `site` | where one question is asked: waiting, looking, outcomes |
//! | `folder` | the temporary folder |
//! | `latency` | how long does an operation take; can files be written at all |
//! | `visible` | when are size and contents seen; where does a file end |
//! | `truncate` | is a size set |
//! | `overwrite` | can bytes be written again, at the end, past it |
//! | `safety` | can contents and names be made safe, space be reserved, files be locked |
//! | `rename` | is a file, a folder renamed, and over another |
//! | `open_files` | do files that are open work on without their name |
//! | `names` | which names are taken |
//! | `hard_links`, `symlinks` | links, and FIFOs |
//! | `inodes` | are numbers of files of use |
//! | `attributes` | mode, owner, extended attributes |
//! | `times` | how are modification times kept |

mod attributes;
pub mod findings;
mod folder;
mod hard_links;
mod inodes;
mod latency;
mod names;
mod open_files;
mod overwrite;
mod rename;
mod safety;
mod site;
mod symlinks;
mod times;
mod truncate;
mod visible;

use std::sync::Mutex;
use std::sync::atomic::AtomicBool;
use std::sync::mpsc;
use std::time::Duration;

pub use findings::{Case, Findings, HardLinks, InodeNumbers, Latency, Names, Outcome, Times};

use crate::raw::{self, Dir, Name};
use folder::Folder;
use site::{Habits, Halt, Site, Stopped, name};

/// Questions that are asked at the same time where nothing speaks against it: all of them, as each waits for
/// storage.
pub const SIDE_BY_SIDE: usize = 64;

/// How to go about it.
pub struct Plan<'a> {
    /// Set by whoever wants the examination to end; it is seen before each operation.
    pub stop: &'a AtomicBool,
    /// Told how many questions are answered, and of how many.
    pub progress: &'a (dyn Fn(usize, usize) + Sync),
    /// Lets time pass. Called with pieces of up to 20 ms.
    pub wait: &'a (dyn Fn(Duration) + Sync),
    /// Questions that are asked at the same time.
    pub side_by_side: usize,
}

/// Something of the examination that could not be removed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Left {
    /// The folder, in the root.
    pub folder: Name,
    /// Why it is still there.
    pub error: raw::Error,
}

/// Why there are no findings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Why {
    /// The temporary folder could not be made.
    NoFolder(raw::Error),
    /// A file could not be made, written and read.
    NoFiles(raw::Error),
    /// It was told to stop.
    Stopped,
}

/// What came of an examination.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Examined {
    /// What was found out.
    pub findings: Result<Findings, Why>,
    /// What remains of it in the storage.
    pub left: Option<Left>,
}

/// Enters answers.
type Answer = Box<dyn FnOnce(&mut Findings) + Send>;
/// Asks one question, or a few that need the same files.
type Question = fn(&Site<'_>) -> Result<Answer, Stopped>;

/// An answer that `enter` enters.
#[allow(clippy::unnecessary_wraps, reason = "the end of every question")]
fn answer(enter: impl FnOnce(&mut Findings) + Send + 'static) -> Result<Answer, Stopped> {
    Ok(Box::new(enter))
}

/// Questions by topic. Each topic has a folder of its own, of this name.
const TOPICS: &[(&str, &[Question])] = &[
    ("visible", &[visible::size_while_open]),
    (
        "truncate",
        &[
            truncate::to_zero,
            truncate::to_header,
            truncate::in_block,
            truncate::grow,
        ],
    ),
    ("second", &[overwrite::second_of_header, overwrite::second]),
    (
        "overwrite",
        &[overwrite::header, overwrite::middle, overwrite::append],
    ),
    ("gap", &[overwrite::gap]),
    ("safety", &[safety::sync, safety::space, safety::locks]),
    (
        "rename",
        &[rename::file, rename::over, rename::noreplace, rename::dir],
    ),
    ("open", &[open_files::unlinked, open_files::replaced]),
    ("names", &[names::names]),
    ("links", &[hard_links::hard_links, symlinks::symlinks]),
    ("inodes", &[inodes::numbers]),
    (
        "attributes",
        &[attributes::mode, attributes::owner, attributes::xattr],
    ),
    ("times", &[times::times]),
];

/// Examines the storage that `root` is in.
#[must_use]
pub fn examine(root: &Dir, plan: &Plan<'_>) -> Examined {
    let folder = match Folder::new(root) {
        Ok(folder) => folder,
        Err((error, left)) => {
            return Examined {
                findings: Err(Why::NoFolder(error)),
                left,
            };
        }
    };
    let findings = in_folder(root, &folder, plan);
    Examined {
        findings,
        left: folder.remove().err(),
    }
}

fn in_folder(root: &Dir, folder: &Folder<'_>, plan: &Plan<'_>) -> Result<Findings, Why> {
    let questions: Vec<_> = TOPICS
        .iter()
        .flat_map(|(topic, questions)| questions.iter().map(move |question| (*topic, *question)))
        .collect();
    let all = questions.len() + 1;
    (plan.progress)(0, all);
    let dir = folder.open().map_err(Why::NoFolder)?;
    let mut findings = Findings::good();
    findings.remote = root.is_remote();
    findings.space = root.space().ok().filter(|space| space.blocks > 0);
    // Alone, before anything else is under way.
    let alone = Site::new(dir, plan);
    findings.latency = latency::measure(&alone)?;
    findings.read_past_end = visible::past_end(&alone)?;
    let mut habits = Habits {
        settle: 0,
        bytes_past_end: findings.read_past_end == Outcome::Wrong,
    };
    let alone = alone.knowing(habits);
    let closed = visible::after_close(&alone).map_err(not_written)?;
    findings.size_after_close = closed.size;
    findings.contents_after_close = closed.contents;
    habits.settle = closed.settle;
    (plan.progress)(1, all);
    let mut sites = Vec::new();
    for (topic, question) in questions {
        let made = || {
            let topic = name(topic)?;
            match alone.dir()?.make_dir(&topic, 0o700) {
                Err(error) if error.errno != raw::Errno::EXIST => Err(Halt::from(error)),
                _ => alone.below(&topic),
            }
        };
        sites.push((made().map_err(not_written)?.knowing(habits), question));
    }
    let answers = ask_side_by_side(sites, plan, all)?;
    for answer in answers {
        answer(&mut findings);
    }
    Ok(findings)
}

fn ask_side_by_side(
    mut sites: Vec<(Site<'_>, Question)>,
    plan: &Plan<'_>,
    all: usize,
) -> Result<Vec<Answer>, Why> {
    // Taken from the end: in the order of the table.
    sites.reverse();
    let count = sites.len();
    let sites = Mutex::new(sites);
    let (sender, receiver) = mpsc::channel();
    let work = |sender: mpsc::Sender<Result<Answer, Stopped>>| {
        let next = || sites.lock().ok().and_then(|mut sites| sites.pop());
        while let Some((site, question)) = next() {
            if sender.send(question(&site)).is_err() {
                break;
            }
        }
    };
    std::thread::scope(|scope| {
        let mut workers = 0;
        for _ in 0..plan.side_by_side.clamp(1, count) {
            let sender = sender.clone();
            let thread = std::thread::Builder::new().spawn_scoped(scope, || work(sender));
            workers += usize::from(thread.is_ok());
        }
        if workers == 0 {
            work(sender.clone());
        }
        drop(sender);
        let mut answers = Vec::new();
        for answer in receiver {
            answers.push(answer.map_err(|Stopped| Why::Stopped)?);
            (plan.progress)(1 + answers.len(), all);
        }
        Ok(answers)
    })
}

/// Without files of its own no question can be asked.
fn not_written(halt: Halt) -> Why {
    match halt {
        Halt::Stopped => Why::Stopped,
        Halt::Refused(errno) | Halt::Failed(errno) => {
            Why::NoFiles(raw::Error::on_file(raw::Op::Create, errno))
        }
    }
}

impl From<Stopped> for Why {
    fn from(_: Stopped) -> Self {
        Self::Stopped
    }
}
