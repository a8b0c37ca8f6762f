//! What may be found after a fault: whole trees, in which some files may be in between.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::Result;
use compat_tests::rawfs::words::errno_name;
use rustix::io::Errno;

/// What a file may hold.
#[derive(Clone, Debug)]
pub(super) enum Content {
    /// These bytes.
    Exactly(Vec<u8>),
    /// The first so many of these bytes, or more of them.
    Begins(Vec<u8>, usize),
    /// As many bytes as these have, each from one of the two.
    Either(Vec<u8>, Vec<u8>),
    /// There may be no such file, or one with a part of these bytes from the first on.
    Perhaps(Vec<u8>),
}

/// Files by path.
pub(super) type Model = BTreeMap<String, Content>;

/// What was found: contents, or the error of reading them.
pub(super) type Found = BTreeMap<String, Result<Vec<u8>, Errno>>;

/// Reads every file below `root`.
pub(super) fn find(root: &Path) -> Result<Found> {
    let mut found = Found::new();
    let mut open = vec![root.to_owned()];
    while let Some(dir) = open.pop() {
        for entry in fs::read_dir(&dir)? {
            let path = entry?.path();
            if fs::symlink_metadata(&path)?.is_dir() {
                open.push(path);
                continue;
            }
            let name = path.strip_prefix(root)?.display().to_string();
            found.insert(name, fs::read(&path).map_err(|error| errno_of(&error)));
        }
    }
    Ok(found)
}

pub(super) fn errno_of(error: &std::io::Error) -> Errno {
    Errno::from_io_error(error).unwrap_or(Errno::INVAL)
}

/// What is wrong in `found` if it shall be one of `models`; of several the least.
pub(super) fn damage(models: &[Model], found: &Found) -> Vec<String> {
    let each = models.iter().map(|model| damage_to(model, found));
    each.min_by_key(Vec::len).unwrap_or_default()
}

fn damage_to(model: &Model, found: &Found) -> Vec<String> {
    let mut wrong = Vec::new();
    for (path, content) in model {
        match (found.get(path), content) {
            (None, Content::Perhaps(_)) => {}
            (None, _) => wrong.push(format!("{path} gone")),
            (Some(Err(errno)), _) => wrong.push(format!("{path} {}", errno_name(*errno))),
            (Some(Ok(seen)), content) => wrong.extend(fault_of(path, content, seen)),
        }
    }
    for path in found.keys().filter(|path| !model.contains_key(*path)) {
        wrong.push(format!("{path} is there"));
    }
    wrong
}

fn fault_of(path: &str, content: &Content, seen: &[u8]) -> Option<String> {
    let (wanted, other, least) = match content {
        Content::Exactly(bytes) => (bytes, bytes, bytes.len()),
        Content::Begins(bytes, least) => (bytes, bytes, *least),
        Content::Either(one, other) => (one, other, one.len()),
        Content::Perhaps(bytes) => (bytes, bytes, 0),
    };
    let bytes = seen.iter().zip(wanted).zip(other);
    let wrong = bytes
        .enumerate()
        .find(|(_, ((seen, one), other))| seen != one && seen != other);
    if let Some((at, _)) = wrong {
        Some(format!("{path} wrong from byte {at} of {}", seen.len()))
    } else if seen.len() < least {
        Some(format!("{path} too short: {} of {least}", seen.len()))
    } else if seen.len() > wanted.len() {
        Some(format!(
            "{path} too long: {} of {}",
            seen.len(),
            wanted.len()
        ))
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::{Content, Errno, Found, Model, damage};

    #[test]
    fn damage_is_seen() {
        let model = |content| Model::from([("f".to_owned(), content)]);
        let found = |bytes: &[u8]| Found::from([("f".to_owned(), Ok(bytes.to_vec()))]);
        let exactly = model(Content::Exactly(b"abc".to_vec()));
        let begins = model(Content::Begins(b"abc".to_vec(), 2));
        let either = model(Content::Either(b"abc".to_vec(), b"xyz".to_vec()));
        let perhaps = model(Content::Perhaps(b"abc".to_vec()));
        for (model, bytes, right) in [
            (&exactly, &b"abc"[..], true),
            (&exactly, b"ab", false),
            (&exactly, b"abcd", false),
            (&exactly, b"abd", false),
            (&begins, b"ab", true),
            (&begins, b"a", false),
            (&begins, b"abcd", false),
            (&either, b"ayc", true),
            (&either, b"ayd", false),
            (&perhaps, b"", true),
            (&perhaps, b"b", false),
        ] {
            let wrong = damage(std::slice::from_ref(model), &found(bytes));
            assert_eq!(wrong.is_empty(), right, "{model:?} {bytes:?} {wrong:?}");
        }
        let nothing = Found::new();
        assert!(damage(std::slice::from_ref(&perhaps), &nothing).is_empty());
        assert_eq!(damage(std::slice::from_ref(&exactly), &nothing), ["f gone"]);
        assert!(damage(&[exactly.clone(), Model::new()], &nothing).is_empty());
        assert_eq!(damage(&[Model::new()], &found(b"")), ["f is there"]);
        let broken = Found::from([("f".to_owned(), Err(Errno::BADMSG))]);
        assert_eq!(damage(&[exactly], &broken).len(), 1);
    }
}
