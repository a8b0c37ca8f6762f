//! Which names are taken: how long, with which bytes, and are upper and lower case two?

use super::site::{Halt, Site, Stopped, name};
use super::{Answer, Case, Names, Outcome, answer};
use crate::raw::{Errno, Error, Name};

/// The longest name that Linux allows, in bytes.
const LONGEST: u16 = 255;
/// ASCII that is neither a digit, a letter, nor one of `+`, `,`, `-`, `/`.
const MARKS: &[u8] = b" !\"#$%&'()*.:;<=>?@[\\]^_`{|}~";
/// Three of the control characters. Where all of them are refused, all are.
const SOME_CONTROLS: [u8; 3] = [1, b'\n', 0x1f];

pub(super) fn names(site: &Site<'_>) -> Result<Answer, Stopped> {
    let mut found = Names {
        longest: None,
        case: Case::Unknown(Errno::IO),
        refused: Vec::new(),
        not_utf8: Outcome::Unknown(Errno::IO),
        listed: Outcome::Unknown(Errno::IO),
    };
    let mut given = Vec::new();
    found.listed = site.outcome(|| look(site, &mut found, &mut given))?;
    if let Outcome::Unknown(errno) = found.listed {
        if found.longest.is_none() {
            found.case = Case::Unknown(errno);
        }
        if let Outcome::Unknown(unasked) = &mut found.not_utf8 {
            *unasked = errno;
        }
    }
    answer(move |findings| findings.names = found)
}

/// Finds out all but the last, which is the result.
fn look(site: &Site<'_>, found: &mut Names, given: &mut Vec<Name>) -> Result<Outcome, Halt> {
    found.longest = longest(site, given)?;
    found.case = case(site, given)?;
    found.refused = refused_controls(site, given)?;
    found.refused.extend(refused_bytes(site, MARKS, given)?);
    found.not_utf8 = match take(site, b"n\xff\xfe\x80n", given)? {
        None => Outcome::Honoured,
        Some(errno) => Outcome::Refused(errno),
    };
    let listed = site.dir()?.entries()?;
    let is_listed = |name: &Name| listed.iter().any(|entry| &*entry.name == name.as_bytes());
    Ok(if given.iter().all(is_listed) {
        Outcome::Honoured
    } else {
        Outcome::Wrong
    })
}

/// Makes an empty file of this name. The result: why the storage does not take the name.
fn take(site: &Site<'_>, bytes: &[u8], given: &mut Vec<Name>) -> Result<Option<Errno>, Halt> {
    let name = name(bytes)?;
    match site.dir()?.create_file(&name, 0o600) {
        Ok(file) => {
            drop(file);
            given.push(name);
            Ok(None)
        }
        Err(Error { errno, .. }) if is_about_names(errno) => Ok(Some(errno)),
        Err(error) => Err(error.into()),
    }
}

/// Answers that storage is known to give to names that it does not take.
fn is_about_names(errno: Errno) -> bool {
    matches!(
        errno,
        Errno::NAMETOOLONG
            | Errno::INVAL
            | Errno::ILSEQ
            | Errno::NOENT
            | Errno::ACCESS
            | Errno::PERM
            | Errno::NOTSUP
    )
}

fn longest(site: &Site<'_>, given: &mut Vec<Name>) -> Result<Option<u16>, Halt> {
    let mut fits = |len: u16| Ok::<_, Halt>(take(site, &vec![b'l'; len.into()], given)?.is_none());
    if fits(LONGEST)? {
        return Ok(Some(LONGEST));
    }
    let (mut taken, mut refused) = (0, LONGEST);
    while refused - taken > 1 {
        let middle = taken + (refused - taken) / 2;
        if fits(middle)? {
            taken = middle;
        } else {
            refused = middle;
        }
    }
    Ok((taken > 0).then_some(taken))
}

fn case(site: &Site<'_>, given: &mut Vec<Name>) -> Result<Case, Halt> {
    if let Some(errno) = take(site, b"Case", given)? {
        return Ok(Case::Unknown(errno));
    }
    match site.dir()?.stat(&name(*b"cASE")?) {
        Ok(_) => Ok(Case::Same),
        Err(error) if error.errno == Errno::NOENT => Ok(Case::Differs),
        Err(error) => Err(error.into()),
    }
}

fn refused_controls(site: &Site<'_>, given: &mut Vec<Name>) -> Result<Vec<u8>, Halt> {
    let controls: Vec<u8> = (1..0x20).chain([0x7f]).collect();
    let mut some = Vec::new();
    for byte in SOME_CONTROLS {
        some.extend(refused_bytes(site, &[byte], given)?);
    }
    if some.len() < SOME_CONTROLS.len() {
        return refused_bytes(site, &controls, given);
    }
    let mut refused = controls;
    // DEL is a control character to some and not to others.
    if refused_bytes(site, &[0x7f], given)?.is_empty() {
        refused.retain(|byte| *byte != 0x7f);
    }
    Ok(refused)
}

/// Those of `bytes` that no name may have: all are tried in one name, then halves of what was
/// refused.
fn refused_bytes(site: &Site<'_>, bytes: &[u8], given: &mut Vec<Name>) -> Result<Vec<u8>, Halt> {
    if take(site, &[b"n", bytes, b"n"].concat(), given)?.is_none() {
        return Ok(Vec::new());
    }
    if bytes.len() <= 1 {
        return Ok(bytes.to_vec());
    }
    let (first, second) = bytes.split_at(bytes.len() / 2);
    let mut refused = refused_bytes(site, first, given)?;
    refused.extend(refused_bytes(site, second, given)?);
    Ok(refused)
}
