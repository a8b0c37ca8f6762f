//! What an examination of storage found out, in words and in JSON.
//!
//! What follows from it stands in [`super::probe_advice`].

use std::fmt::Write as _;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::time::Duration;

use serde_json::{Map, Value, json};

use super::output::json_name;
use super::probe_advice::{Argument, Stance, arguments, consequences};
use crate::probe::{Case, Findings, HardLinks, InodeNumbers, Outcome};
use crate::raw::Errno;

/// Columns of a text.
const WIDTH: usize = 80;
/// Where the text of a finding begins.
const COLUMN: usize = 28;

/// The report for people. `root` is printed as it is.
#[must_use]
pub fn human(findings: &Findings, root: &str) -> String {
    let mut text = format!("The storage at {root}\n\n{}", found(findings));
    text.push_str("\nSettings of a volume here\n");
    let arguments = arguments(findings);
    if arguments.is_empty() {
        text.push_str("  Any will do.\n");
    }
    for Argument {
        setting,
        stance,
        reason,
        ..
    } in arguments
    {
        let word = match stance {
            Stance::For => "for",
            Stance::Against => "against",
        };
        let first = format!("  {word:<9}{setting:<width$}", width = COLUMN - 11);
        wrap(&mut text, &first, COLUMN, &reason);
    }
    text
}

/// What was found out, and what follows for whoever uses the storage.
pub(super) fn found(findings: &Findings) -> String {
    let mut text = String::new();
    for (label, found) in lines(findings) {
        let first = format!("  {label:<width$}", width = COLUMN - 2);
        wrap(&mut text, &first, COLUMN, &found);
    }
    text.push_str("\nWhat follows\n");
    let consequences = consequences(findings);
    if consequences.is_empty() {
        text.push_str("  - Nothing to mind: it works as a local disk does.\n");
    }
    for consequence in consequences {
        wrap(&mut text, "  - ", 4, &consequence.text);
    }
    text
}

/// Writes `words` after `first`, further lines from column `indent` on.
pub(super) fn wrap(text: &mut String, first: &str, indent: usize, words: &str) {
    let mut line = first.to_owned();
    if line.chars().count() > indent || !line.ends_with(' ') {
        line.push(' ');
    }
    let mut begun = false;
    for word in words.split(' ') {
        if begun && line.chars().count() + 1 + word.chars().count() > WIDTH {
            text.push_str(&line);
            text.push('\n');
            line = " ".repeat(indent);
            begun = false;
        }
        if begun {
            line.push(' ');
        }
        line.push_str(word);
        begun = true;
    }
    text.push_str(&line);
    text.push('\n');
}

/// One line for each finding, or for a few that belong together.
fn lines(f: &Findings) -> Vec<(&'static str, String)> {
    let one = outcome_words;
    vec![
        (
            "shortening a file",
            several(&[
                ("to nothing", f.truncate_to_zero),
                ("to 8 bytes", f.truncate_to_header),
                ("inside a block", f.truncate_in_block),
            ]),
        ),
        (
            "growing a file",
            several(&[
                ("by its size", f.truncate_to_grow),
                ("by a write past the end", f.gap),
            ]),
        ),
        (
            "overwriting in place",
            several(&[
                ("the first 8 bytes", f.overwrite_header),
                ("in the middle", f.overwrite),
            ]),
        ),
        (
            "twice in one open",
            several(&[
                ("the first 8 bytes", f.second_write_of_header),
                ("other bytes", f.second_write),
            ]),
        ),
        ("appending", one(f.append)),
        (
            "size after a write",
            match (f.size_while_open, f.size_after_close) {
                (Outcome::Honoured, Outcome::Honoured) => "right at once".to_owned(),
                (open, closed) => seen_words(&[("while open", open), ("after the close", closed)]),
            },
        ),
        (
            "contents after a close",
            match f.contents_after_close {
                Outcome::Honoured => "right at once".to_owned(),
                other => seen_words(&[("", other)]),
            },
        ),
        (
            "reading past the end",
            match f.read_past_end {
                Outcome::Honoured => "gives nothing".to_owned(),
                Outcome::Wrong => "gives bytes that were never written".to_owned(),
                other => one(other),
            },
        ),
        (
            "making safe (fsync)",
            several(&[("files", f.sync), ("folders", f.sync_dir)]),
        ),
        (
            "reserving space",
            several(&[("reserving", f.reserve), ("giving back", f.punch_hole)]),
        ),
        (
            "renaming",
            several(&[
                ("a file", f.rename),
                ("over a file", f.rename_over),
                ("only to a free name", f.rename_noreplace),
                ("a folder", f.rename_dir),
            ]),
        ),
        (
            "open without a name",
            several(&[
                ("removed", f.unlinked_open),
                ("replaced by a rename", f.replaced_open),
            ]),
        ),
        ("names", names_words(f)),
        (
            "hard links",
            match f.hard_links {
                HardLinks::Counted => "work, and are counted".to_owned(),
                HardLinks::NotCounted => "are made, and not counted".to_owned(),
                HardLinks::Copied => "are made as copies".to_owned(),
                HardLinks::Refused(errno) => one(Outcome::Refused(errno)),
                HardLinks::Unknown(errno) => one(Outcome::Unknown(errno)),
            },
        ),
        (
            "symbolic links",
            several(&[
                ("relative", f.symlink_relative),
                ("with ..", f.symlink_parent),
                ("absolute", f.symlink_absolute),
            ]),
        ),
        ("FIFOs", one(f.fifo)),
        (
            "inode numbers",
            match f.inode_numbers {
                InodeNumbers::Stable => "stay".to_owned(),
                InodeNumbers::Change => "change at each look".to_owned(),
                InodeNumbers::Repeat => "are the same for different files".to_owned(),
                InodeNumbers::Unknown(errno) => one(Outcome::Unknown(errno)),
            },
        ),
        ("permission bits", one(f.chmod)),
        ("owner and group", one(f.chown)),
        ("modification times", times_words(f)),
        ("extended attributes", one(f.xattr)),
        (
            "locks (flock)",
            match f.locks {
                Outcome::Honoured => "work on this computer".to_owned(),
                other => one(other),
            },
        ),
        ("free space", space_words(f)),
        ("one operation takes", latency_words(f)),
    ]
}

fn outcome_words(outcome: Outcome) -> String {
    match outcome {
        Outcome::Honoured => "works".to_owned(),
        Outcome::Late(millis) => format!("works, and is seen {} later", seconds(millis)),
        Outcome::Ignored => "accepted and ignored".to_owned(),
        Outcome::Wrong => "accepted, and something else is done".to_owned(),
        Outcome::Refused(errno) => format!("refused ({})", errno_words(errno)),
        Outcome::Unknown(errno) => format!("not found out ({})", errno_words(errno)),
    }
}

/// Outcomes of one kind: together if they are the same.
fn several(all: &[(&str, Outcome)]) -> String {
    grouped(all, outcome_words)
}

/// What is told or shown, and not ordered.
fn seen_words(all: &[(&str, Outcome)]) -> String {
    grouped(all, |outcome| match outcome {
        Outcome::Honoured => "right at once".to_owned(),
        Outcome::Late(millis) => format!("right {} later", seconds(millis)),
        Outcome::Ignored => "that of before, for seconds".to_owned(),
        Outcome::Wrong => "wrong".to_owned(),
        other => outcome_words(other),
    })
}

fn grouped(all: &[(&str, Outcome)], words: impl Fn(Outcome) -> String) -> String {
    let mut groups: Vec<(Outcome, Vec<&str>)> = Vec::new();
    for (what, outcome) in all {
        match groups.iter_mut().find(|(known, _)| known == outcome) {
            Some((_, whats)) => whats.push(what),
            None => groups.push((*outcome, vec![what])),
        }
    }
    if let [(outcome, _)] = groups.as_slice() {
        return words(*outcome);
    }
    let groups = groups
        .into_iter()
        .map(|(outcome, whats)| format!("{}: {}", whats.join(", "), words(outcome)));
    groups.collect::<Vec<_>>().join("; ")
}

fn names_words(f: &Findings) -> String {
    let mut text = match f.names.longest {
        Some(longest) => format!("up to {longest} bytes"),
        None => "none".to_owned(),
    };
    text.push_str(match f.names.case {
        Case::Differs => ", upper and lower case differ",
        Case::Same => ", upper and lower case are the same",
        Case::Unknown(_) => "",
    });
    if !f.names.refused.is_empty() {
        let _ = write!(text, ", without {}", bytes_words(&f.names.refused));
    }
    if !f.names.not_utf8.is_done() {
        let _ = write!(text, "; not UTF-8: {}", outcome_words(f.names.not_utf8));
    }
    match f.names.listed {
        Outcome::Honoured => {}
        Outcome::Wrong => text.push_str("; some are listed as others"),
        other => {
            let _ = write!(text, "; {}", outcome_words(other));
        }
    }
    text
}

/// Bytes as a person reads them; control characters as one.
fn bytes_words(bytes: &[u8]) -> String {
    let (controls, others): (Vec<u8>, Vec<u8>) = bytes.iter().partition(|b| b.is_ascii_control());
    let mut words: Vec<String> = others
        .iter()
        .map(|byte| match byte {
            b' ' => "blanks".to_owned(),
            byte => char::from(*byte).to_string(),
        })
        .collect();
    match controls.as_slice() {
        [] => {}
        few if few.len() < 4 => words.extend(few.iter().map(|b| b.escape_ascii().to_string())),
        _ => words.push("control characters".to_owned()),
    }
    words.join(" ")
}

fn times_words(f: &Findings) -> String {
    let times = &f.times;
    let mut text = match times.set {
        Outcome::Honoured if times.step == Duration::from_nanos(1) => "kept as they are".to_owned(),
        Outcome::Honoured => format!("kept to {}", step_words(times.step)),
        Outcome::Late(millis) => format!(
            "kept to {}, seen {} later",
            step_words(times.step),
            seconds(millis)
        ),
        other => outcome_words(other),
    };
    if times.set.is_done() && times.shift_secs != 0 {
        let _ = write!(text, ", shifted by {} s", times.shift_secs);
    }
    if let Some(ahead) = times.clock_ahead_secs.filter(|ahead| *ahead != 0) {
        let word = if ahead > 0 { "ahead" } else { "behind" };
        let _ = write!(text, "; its clock is {} s {word}", ahead.unsigned_abs());
    }
    text
}

fn step_words(step: Duration) -> String {
    let nanos = step.as_nanos();
    for (unit, size) in [("s", 1_000_000_000), ("ms", 1_000_000), ("us", 1000)] {
        if nanos >= size && nanos.is_multiple_of(size) {
            return format!("{} {unit}", nanos / size);
        }
    }
    format!("{nanos} ns")
}

fn space_words(f: &Findings) -> String {
    match &f.space {
        None => "not told".to_owned(),
        Some(space) => {
            let mib = space.blocks_available.saturating_mul(space.fragment_size) / (1024 * 1024);
            format!("{mib} MiB")
        }
    }
}

fn latency_words(f: &Findings) -> String {
    let mut text = f
        .latency
        .typical()
        .map_or("not measured".to_owned(), millis);
    let each = f.latency.each().into_iter();
    let each: Vec<String> = each
        .filter_map(|(what, time)| time.map(|time| format!("{what} {}", millis(time))))
        .collect();
    if !each.is_empty() {
        let _ = write!(text, " ({})", each.join(", "));
    }
    text
}

/// A time in milliseconds, with decimals as far as they say something.
fn millis(time: Duration) -> String {
    let micros = time.as_micros();
    match micros {
        0..1000 => format!("0.{:02} ms", micros / 10),
        1000..10_000 => format!("{}.{} ms", micros / 1000, micros % 1000 / 100),
        _ => format!("{} ms", micros / 1000),
    }
}

fn seconds(millis: u32) -> String {
    match millis % 1000 {
        0 => format!("{} s", millis / 1000),
        rest => format!("{}.{:02} s", millis / 1000, rest / 10),
    }
}

/// What the system says to an error.
#[must_use]
pub fn errno_words(errno: Errno) -> String {
    let text = std::io::Error::from(errno).to_string();
    match text.split_once(" (os error") {
        Some((words, _)) => words.to_owned(),
        None => text,
    }
}

/// The report for programs.
#[must_use]
pub fn json(findings: &Findings, root: &Path) -> Value {
    let advice = consequences(findings).into_iter();
    let advice = advice.map(|advice| json!({ "key": advice.key, "text": advice.text }));
    let settings = arguments(findings).into_iter().map(|argument| {
        json!({
            "setting": argument.key,
            "stance": match argument.stance {
                Stance::For => "for",
                Stance::Against => "against",
            },
            "reason": argument.reason,
        })
    });
    json!({
        "root": json_name(root.as_os_str().as_bytes()),
        "remote": findings.remote,
        "findings": json_findings(findings),
        "advice": advice.collect::<Vec<_>>(),
        "settings": settings.collect::<Vec<_>>(),
    })
}

fn json_findings(f: &Findings) -> Value {
    let mut map = Map::new();
    for (key, outcome) in f.outcomes() {
        map.insert(key.to_owned(), json_outcome(outcome));
    }
    map.insert(
        "hard_links".to_owned(),
        match f.hard_links {
            HardLinks::Counted => json!({ "outcome": "counted" }),
            HardLinks::NotCounted => json!({ "outcome": "not_counted" }),
            HardLinks::Copied => json!({ "outcome": "copied" }),
            HardLinks::Refused(errno) => json_outcome(Outcome::Refused(errno)),
            HardLinks::Unknown(errno) => json_outcome(Outcome::Unknown(errno)),
        },
    );
    map.insert(
        "inode_numbers".to_owned(),
        match f.inode_numbers {
            InodeNumbers::Stable => json!({ "outcome": "stable" }),
            InodeNumbers::Change => json!({ "outcome": "change" }),
            InodeNumbers::Repeat => json!({ "outcome": "repeat" }),
            InodeNumbers::Unknown(errno) => json_outcome(Outcome::Unknown(errno)),
        },
    );
    map.insert("longest_name".to_owned(), f.names.longest.into());
    map.insert(
        "case_differs".to_owned(),
        match f.names.case {
            Case::Differs => true.into(),
            Case::Same => false.into(),
            Case::Unknown(_) => Value::Null,
        },
    );
    map.insert(
        "refused_name_bytes".to_owned(),
        f.names.refused.clone().into(),
    );
    let step = f.times.set.is_done().then_some(f.times.step.as_secs_f64());
    map.insert("times_step".to_owned(), step.into());
    map.insert("times_shift".to_owned(), f.times.shift_secs.into());
    map.insert("clock_ahead".to_owned(), f.times.clock_ahead_secs.into());
    map.insert(
        "space".to_owned(),
        f.space.as_ref().map_or(Value::Null, |space| {
            json!({
                "bytes": space.blocks.saturating_mul(space.fragment_size),
                "available": space.blocks_available.saturating_mul(space.fragment_size),
                "files": space.files,
                "files_free": space.files_free,
                "name_max": space.name_max,
            })
        }),
    );
    let in_ms = |time: Duration| (time.as_secs_f64() * 100_000.0).round() / 100.0;
    let each = f.latency.each().into_iter();
    let mut latency: Map<String, Value> = each
        .map(|(what, time)| (what.to_owned(), time.map(in_ms).into()))
        .collect();
    latency.insert("typical".to_owned(), f.latency.typical().map(in_ms).into());
    map.insert("latency_ms".to_owned(), Value::Object(latency));
    Value::Object(map)
}

fn json_outcome(outcome: Outcome) -> Value {
    match outcome {
        Outcome::Honoured => json!({ "outcome": "honoured" }),
        Outcome::Late(millis) => json!({ "outcome": "late", "late_ms": millis }),
        Outcome::Ignored => json!({ "outcome": "ignored" }),
        Outcome::Wrong => json!({ "outcome": "wrong" }),
        Outcome::Refused(errno) => {
            json!({ "outcome": "refused", "errno": errno.raw_os_error() })
        }
        Outcome::Unknown(errno) => {
            json!({ "outcome": "unknown", "errno": errno.raw_os_error() })
        }
    }
}
