//! Faults, times and limits as words of a command line.

use std::time::Duration;

use anyhow::{Context, Result, bail};
use rustix::io::Errno;

use super::behaviour::Act;
use super::faults::{Effect, Fault, Partly, Space, When, Which};
use super::op::Op;

/// Errors that storage is known to answer with.
const ERRNOS: &[(&str, Errno)] = &[
    ("EACCES", Errno::ACCESS),
    ("EAGAIN", Errno::AGAIN),
    ("EBADMSG", Errno::BADMSG),
    ("EBUSY", Errno::BUSY),
    ("ECONNABORTED", Errno::CONNABORTED),
    ("EDQUOT", Errno::DQUOT),
    ("EEXIST", Errno::EXIST),
    ("EFBIG", Errno::FBIG),
    ("EINVAL", Errno::INVAL),
    ("EIO", Errno::IO),
    ("ENAMETOOLONG", Errno::NAMETOOLONG),
    ("ENOENT", Errno::NOENT),
    ("ENOSPC", Errno::NOSPC),
    ("ENOSYS", Errno::NOSYS),
    ("ENOTCONN", Errno::NOTCONN),
    ("EOPNOTSUPP", Errno::OPNOTSUPP),
    ("EPERM", Errno::PERM),
    ("EREMOTEIO", Errno::REMOTEIO),
    ("EROFS", Errno::ROFS),
    ("ESTALE", Errno::STALE),
    ("ETIMEDOUT", Errno::TIMEDOUT),
];

/// The error of this name.
///
/// # Errors
/// When it is not among those that are known here.
pub fn errno(word: &str) -> Result<Errno> {
    let found = ERRNOS.iter().find(|(name, _)| *name == word);
    found
        .map(|(_, errno)| *errno)
        .with_context(|| format!("no error {word}"))
}

/// The name of an error.
#[must_use]
pub fn errno_name(errno: Errno) -> String {
    let found = ERRNOS.iter().find(|(_, known)| *known == errno);
    found.map_or_else(
        || format!("errno {}", errno.raw_os_error()),
        |(name, _)| (*name).to_owned(),
    )
}

/// A fault: `KIND:WHEN:EFFECT`.
///
/// - kind: `every`, `changing`, or a kind of request such as `write`
/// - when: `always`, `3` (the third), `3-` (from the third on), `random=PER_MILLE/SEED`
/// - effect: an error, `untold=ERROR`, `short=BYTES`, `torn=BYTES/ERROR`, or `lost`: from then on
///   everything is answered by `ENOTCONN`
///
/// # Errors
/// What is not understood.
pub fn fault(word: &str) -> Result<Fault> {
    let mut parts = word.splitn(3, ':');
    let (Some(kind), Some(when), Some(effect)) = (parts.next(), parts.next(), parts.next()) else {
        bail!("{word}: a fault is KIND:WHEN:EFFECT");
    };
    let which = match kind {
        "every" => Which::Every,
        "changing" => Which::Changing,
        kind => Which::Kind(Op::by_name(kind).with_context(|| format!("no request {kind}"))?),
    };
    let when = if when == "always" {
        When::Always
    } else if let Some(random) = when.strip_prefix("random=") {
        let (per_mille, seed) = pair(random)?;
        When::Random {
            per_mille: per_mille.parse()?,
            seed: seed.parse()?,
        }
    } else if let Some(first) = when.strip_suffix('-') {
        When::From(first.parse()?)
    } else {
        When::Nth(when.parse().with_context(|| format!("when is {when}?"))?)
    };
    if effect == "lost" {
        return Ok(Fault {
            then_all: Some(Errno::NOTCONN),
            ..Fault::new(which, when, Effect::Refuse(Errno::NOTCONN))
        });
    }
    let effect = match effect.split_once('=') {
        None => Effect::Refuse(errno(effect)?),
        Some(("untold", name)) => Effect::Unanswered(errno(name)?),
        Some(("short", bytes)) => Effect::Short(bytes.parse()?),
        Some(("torn", rest)) => {
            let (bytes, name) = pair(rest)?;
            Effect::Torn(bytes.parse()?, errno(name)?)
        }
        Some((other, _)) => bail!("no effect {other}"),
    };
    Ok(Fault::new(which, when, effect))
}

/// Space that is left: `BYTES[:whole|told|untold[:ERROR]]`.
///
/// # Errors
/// What is not understood.
pub fn space(word: &str) -> Result<Space> {
    let mut parts = word.split(':');
    let left = parts.next().unwrap_or_default().parse()?;
    let partly = match parts.next() {
        None | Some("whole") => Partly::Whole,
        Some("told") => Partly::Told,
        Some("untold") => Partly::Untold,
        Some(other) => bail!("{other}: whole, told or untold"),
    };
    let errno = parts.next().map_or(Ok(Errno::NOSPC), errno)?;
    Ok(Space {
        left,
        partly,
        errno,
    })
}

/// What becomes of an order: `ignore`, `late=MS` or `refuse=ERROR`.
///
/// # Errors
/// What is not understood.
pub fn act(word: &str) -> Result<Act> {
    match word.split_once('=') {
        None if word == "ignore" => Ok(Act::Ignore),
        Some(("late", time)) => Ok(Act::Late(milliseconds(time)?)),
        Some(("refuse", name)) => Ok(Act::Refuse(errno(name)?)),
        _ => bail!("{word}: ignore, late=MS or refuse=ERROR"),
    }
}

/// Milliseconds.
///
/// # Errors
/// When it is no number.
pub fn milliseconds(word: &str) -> Result<Duration> {
    let number = word.parse().with_context(|| format!("{word} ms?"))?;
    Ok(Duration::from_millis(number))
}

fn pair(word: &str) -> Result<(&str, &str)> {
    word.split_once('/')
        .with_context(|| format!("{word}: two values with / between them"))
}

#[cfg(test)]
mod tests {
    use super::{Effect, Errno, Fault, Op, Partly, Space, When, Which, fault, space};

    #[test]
    fn faults_are_read() {
        let refuse = Effect::Refuse(Errno::IO);
        let write = Which::Kind(Op::Write);
        let random = When::Random {
            per_mille: 10,
            seed: 7,
        };
        let torn = Effect::Torn(5, Errno::NOSPC);
        let cases = [
            ("write:3:EIO", Fault::new(write, When::Nth(3), refuse)),
            (
                "every:random=10/7:EIO",
                Fault::new(Which::Every, random, refuse),
            ),
            (
                "write:2-:torn=5/ENOSPC",
                Fault::new(write, When::From(2), torn),
            ),
            (
                "read:always:short=9",
                Fault::new(Which::Kind(Op::Read), When::Always, Effect::Short(9)),
            ),
            ("changing:4:lost", Fault::lost_before(4)),
        ];
        for (word, wanted) in cases {
            assert_eq!(fault(word).unwrap(), wanted, "{word}");
        }
        for word in ["", "write", "write:x:EIO", "wrote:1:EIO", "write:1:EWHAT"] {
            assert!(fault(word).is_err(), "{word}");
        }
        let wanted = Space {
            left: 500,
            partly: Partly::Told,
            errno: Errno::DQUOT,
        };
        assert_eq!(space("500:told:EDQUOT").unwrap(), wanted);
        assert!(space("500:some").is_err());
    }
}
