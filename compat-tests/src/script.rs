//! Deterministic lists of changes for the interoperation tests.
//!
//! [`first`] fills an empty volume, [`turn`] changes everything that is there, chosen by a seed from
//! what lies in the model directory, so that any number of turns can follow each other.

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::Result;

use crate::ops::{Name, Op, Rng};
use crate::tree::{Kind, Tree, read};
use crate::volumes::{Naming, Settings};

/// Names that have bitten somebody somewhere.
pub const ODD_NAMES: &[&[u8]] = &[
    b" leading",
    b"trailing ",
    b" ",
    b"-dash",
    b"new\nline",
    b"back\\slash",
    b"quote'\"`",
    b".hidden",
    b"...",
    b"+plus",
    b"*?[a]",
    b"%41",
    b"tab\tctl\x01\x7f",
    b"na\xc3\xafve",                         // U+00EF, composed
    b"nai\xcc\x88ve",                        // the same, decomposed
    b"\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e", // three CJK characters
    b"\xf0\x9f\x97\x84.txt",                 // outside the basic plane
    b"\xff\xfe not UTF-8 \xc3",
    b".encfs6.xml",
];

/// Sizes around every border: of a header, of a cipher block, of one and two blocks, of pages.
#[must_use]
pub fn sizes(settings: &Settings) -> Vec<usize> {
    let data = usize::try_from(settings.data_bytes()).unwrap_or(64);
    let mut sizes = vec![0, 1, 7, 8, 9, 15, 16, 17, 4095, 4096, 4097, 65537, 150_000];
    for blocks in 1..=3 {
        sizes.extend([blocks * data - 1, blocks * data, blocks * data + 1]);
    }
    sizes.sort_unstable();
    sizes.dedup();
    sizes
}

/// Targets of symbolic links that every name coding can hold.
#[must_use]
pub fn link_targets() -> Vec<Vec<u8>> {
    let mut targets: Vec<Vec<u8>> = [
        &b"sizes/0"[..],
        b"../x",
        b"./",
        b".",
        b"..",
        b"a//b",
        b"trailing/",
        b"/",
        b"/etc/hostname",
        b"/a//b/../c",
        b"does not exist",
        b"na\xc3\xafve/\xff",
        b"x",
    ]
    .iter()
    .map(|target| target.to_vec())
    .collect();
    targets.push(b"long-component/".repeat(100));
    targets.push([b"/".to_vec(), b"absolute/".repeat(150)].concat());
    targets
}

/// Fills an empty volume with one of everything.
#[must_use]
pub fn first(settings: &Settings) -> Vec<Op> {
    let mut rng = Rng::from_text(&settings.label());
    let mut ops: Vec<Op> = [
        "sizes", "names", "odd", "links", "other", "tree", "tree/a", "tree/a/b",
    ]
    .iter()
    .map(|dir| Op::MakeDir(dir.as_bytes().to_vec()))
    .collect();
    let mut write = |path: Name, len: usize| Op::Write {
        path,
        offset: 0,
        len,
        seed: rng.next(),
    };
    for size in sizes(settings) {
        ops.push(write(format!("sizes/{size}").into_bytes(), size));
    }
    for len in 1..=settings.name_limit() {
        ops.push(write(
            [&b"names/"[..], &name_of(len)].concat(),
            len % 3 * 20,
        ));
    }
    for name in ODD_NAMES {
        ops.push(write([b"odd/", *name].concat(), name.len()));
        ops.push(write([b"tree/a/", *name].concat(), 5));
    }
    ops.push(Op::MakeDir(
        [&b"tree/a/b/"[..], &name_of(settings.name_limit())].concat(),
    ));
    ops.push(write(b"tree/a/b/deep".to_vec(), 3000));
    ops.push(write(b"tree/top".to_vec(), 700));
    for (index, target) in link_targets().into_iter().enumerate() {
        // "/" has no encoding under stream names, and one that 1.9.5 hangs on under null names.
        if target != b"/" || matches!(settings.naming, Naming::Block | Naming::Block32) {
            ops.push(Op::Symlink(target, format!("links/{index}").into_bytes()));
        }
    }
    ops.push(Op::Symlink(b"../a/b".to_vec(), b"tree/a/link".to_vec()));
    if settings.hard_links() {
        ops.push(Op::Link(b"sizes/9".to_vec(), b"links/hard".to_vec()));
        ops.push(Op::Link(b"sizes/9".to_vec(), b"tree/a/b/hard".to_vec()));
    }
    ops.push(Op::Fifo(b"other/fifo".to_vec()));
    ops.push(Op::Fifo(b"tree/fifo".to_vec()));
    let data = settings.data_bytes();
    for (name, offset) in [
        ("far", 1 << 20),
        ("edge", 5 * data),
        ("inside", 5 * data + 3),
    ] {
        let path = format!("other/{name}").into_bytes();
        ops.push(Op::Write {
            path: path.clone(),
            offset: 0,
            len: 10,
            seed: offset,
        });
        ops.push(Op::Write {
            path: path.clone(),
            offset,
            len: 20,
            seed: offset + 1,
        });
        ops.push(Op::Write {
            path,
            offset: 2 * data + 1,
            len: 30,
            seed: offset + 2,
        });
    }
    ops.push(Op::Write {
        path: b"other/only far".to_vec(),
        offset: 3 * data,
        len: 5,
        seed: 5,
    });
    for (index, mode) in [0o600, 0o640, 0o666, 0o755, 0o700, 0o6711]
        .into_iter()
        .enumerate()
    {
        let path = format!("other/mode-{index}").into_bytes();
        ops.push(Op::Write {
            path: path.clone(),
            offset: 0,
            len: 50,
            seed: 9,
        });
        ops.push(Op::Chmod(path, mode));
    }
    ops.push(Op::Chmod(b"tree/a".to_vec(), 0o750));
    ops.push(Op::SetXattr(
        b"other/far".to_vec(),
        b"user.note".to_vec(),
        b"kept\0as it is".to_vec(),
    ));
    ops.push(Op::SetXattr(
        b"tree/a".to_vec(),
        b"user.dir".to_vec(),
        b"1".to_vec(),
    ));
    ops
}

/// A name of `len` bytes, another for each length.
#[must_use]
pub fn name_of(len: usize) -> Name {
    len.to_string()
        .bytes()
        .chain(b"abcdefghij".iter().copied().cycle())
        .take(len)
        .collect()
}

/// Changes everything below `model`; `turn` counts from 1.
///
/// # Errors
/// When the model cannot be read.
pub fn turn(settings: &Settings, turn: u64, model: &Path) -> Result<Vec<Op>> {
    let mut rng = Rng::from_text(&format!("{} {turn}", settings.label()));
    let tree = read(model)?;
    let mut ops = Vec::new();
    let mut gone = BTreeSet::new();
    for (path, entry) in &tree {
        if gone.contains(path) {
            continue;
        }
        match &entry.kind {
            Kind::File { size, .. } => {
                change_file(settings, &mut rng, path, *size, &tree, &mut gone, &mut ops);
            }
            Kind::Link { .. } if rng.below(3) == 0 => {
                ops.push(Op::Unlink(path.clone()));
                ops.push(Op::Symlink(
                    format!("new/{turn}").into_bytes(),
                    path.clone(),
                ));
            }
            Kind::Link { .. } | Kind::Fifo if rng.below(2) == 0 => {
                ops.push(Op::Rename(path.clone(), fresh(path, turn, settings)));
            }
            _ => {}
        }
    }
    let newest = format!("new in {turn}").into_bytes();
    ops.push(Op::Write {
        path: newest.clone(),
        offset: 0,
        len: 2500,
        seed: turn,
    });
    if settings.hard_links() {
        ops.push(Op::Link(newest, format!("links/hard {turn}").into_bytes()));
    }
    move_tree(turn, &mut ops);
    Ok(ops)
}

/// Directories: one renamed in its place, one moved with all that is in it, one over an empty one.
fn move_tree(turn: u64, ops: &mut Vec<Op>) {
    let at = |turn: u64| match turn {
        0 => "tree".to_owned(),
        odd if odd % 2 == 1 => format!("other/moved-{odd}"),
        even => format!("tree-{even}"),
    };
    let inner = |turn: u64| {
        if turn == 0 {
            "a".to_owned()
        } else {
            format!("a, {turn} times")
        }
    };
    let old = at(turn - 1);
    ops.push(Op::Rename(
        format!("{old}/{}", inner(turn - 1)).into_bytes(),
        format!("{old}/{}", inner(turn)).into_bytes(),
    ));
    if turn.is_multiple_of(2) {
        ops.push(Op::MakeDir(at(turn).into_bytes()));
    }
    ops.push(Op::Rename(old.into_bytes(), at(turn).into_bytes()));
    ops.push(Op::MakeDir(format!("gone-{turn}").into_bytes()));
    ops.push(Op::RemoveDir(format!("gone-{turn}").into_bytes()));
}

fn change_file(
    settings: &Settings,
    rng: &mut Rng,
    path: &Name,
    size: u64,
    tree: &Tree,
    gone: &mut BTreeSet<Name>,
    ops: &mut Vec<Op>,
) {
    let data = settings.data_bytes();
    let small = usize::try_from(rng.below(300) + 1).unwrap_or(1);
    let block = usize::try_from(data).unwrap_or(64);
    let seed = rng.next();
    let path = path.clone();
    match rng.below(16) {
        0 => ops.push(Op::Write {
            path,
            offset: size / 2,
            len: small,
            seed,
        }),
        1 => ops.push(Op::Write {
            path,
            offset: size.saturating_sub(1),
            len: small,
            seed,
        }),
        2 => ops.push(Op::Write {
            path,
            offset: data - 1,
            len: block + 2,
            seed,
        }),
        3 => ops.push(Op::Write {
            path,
            offset: 0,
            len: block,
            seed,
        }),
        4 => ops.push(Op::Append {
            path,
            len: small,
            seed,
        }),
        5 => {
            ops.push(Op::Append {
                path: path.clone(),
                len: 1,
                seed,
            });
            ops.push(Op::Append {
                path,
                len: block,
                seed,
            });
        }
        6 => ops.push(Op::Truncate(path, size / 2)),
        7 => ops.push(Op::Truncate(path, size - size % data)),
        8 => ops.push(Op::Truncate(path, size + rng.below(3 * data) + 1)),
        9 => {
            ops.push(Op::Truncate(path.clone(), size / 3));
            ops.push(Op::Truncate(path, (size / data + 3) * data));
        }
        10 => ops.push(Op::Write {
            path,
            offset: size + 2 * data + 7,
            len: small,
            seed,
        }),
        11 => {
            ops.push(Op::Truncate(path.clone(), 0));
            ops.push(Op::Write {
                path,
                offset: 3,
                len: small,
                seed,
            });
        }
        12 => ops.push(Op::Replace {
            path,
            len: block + small,
            seed,
        }),
        13 => ops.push(Op::Rename(path.clone(), fresh(&path, seed, settings))),
        14 => {
            // Over another file of the same directory, if there is a later one.
            let over = tree.range(path.clone()..).skip(1).find(|(other, entry)| {
                parent(other) == parent(&path)
                    && matches!(entry.kind, Kind::File { .. })
                    && entry.same_as.is_none()
                    && !gone.contains(*other)
            });
            if let Some((other, _)) = over {
                gone.insert(other.clone());
                ops.push(Op::Rename(path, other.clone()));
            }
        }
        _ if rng.below(3) == 0 => ops.push(Op::Unlink(path)),
        _ => {}
    }
}

/// A name beside `path` that is not there yet.
fn fresh(path: &[u8], seed: u64, settings: &Settings) -> Name {
    let room = settings.name_limit().min(40 + path.len() % 130);
    let tail = format!("-{seed:016x}");
    let mut name = name_of(room - tail.len());
    name.extend_from_slice(tail.as_bytes());
    let mut new = parent(path).to_vec();
    if !new.is_empty() {
        new.push(b'/');
    }
    new.extend_from_slice(&name);
    new
}

fn parent(path: &[u8]) -> &[u8] {
    let end = path.iter().rposition(|byte| *byte == b'/').unwrap_or(0);
    path.get(..end).unwrap_or_default()
}

/// Sets the times of everything below `model`, by `turn`.
///
/// # Errors
/// When the model cannot be read.
pub fn times(turn: u64, model: &Path) -> Result<Vec<Op>> {
    let mut rng = Rng::new(turn);
    let set = |path: Name| {
        let secs = 1_000_000_000 + i64::try_from(rng.below(700_000_000)).unwrap_or(0);
        let nanos = u32::try_from(rng.below(1_000_000_000)).unwrap_or(0);
        Op::Times(path, secs, nanos)
    };
    Ok(read(model)?.into_keys().map(set).collect())
}
