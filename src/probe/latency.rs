//! How long does one operation take? Asked alone and first, which also tells whether files can be
//! made, written and read at all.

use std::time::{Duration, Instant};

use super::site::{Halt, Site, name};
use super::{Latency, Why};
use crate::raw::{Access, Dir, Error, RenameFlags};

/// Rounds at most, so that one slow answer does not count.
const ROUNDS: usize = 3;
/// No further round is begun after this time.
const ENOUGH: Duration = Duration::from_millis(1500);
/// Bytes of a read and of a write.
const BYTES: usize = 4096;

/// Times of all rounds, by operation.
#[derive(Default)]
struct Rounds {
    lookup: Vec<Duration>,
    list: Vec<Duration>,
    create: Vec<Duration>,
    open: Vec<Duration>,
    write: Vec<Duration>,
    read: Vec<Duration>,
    rename: Vec<Duration>,
    remove: Vec<Duration>,
}

/// Measures. What the storage cannot do is left out, but for files themselves.
pub(super) fn measure(site: &Site<'_>) -> Result<Latency, Why> {
    let mut rounds = Rounds::default();
    let start = Instant::now();
    for number in 0..ROUNDS {
        match round(site, &mut rounds, number) {
            Ok(()) => {}
            Err(Problem::Storage(error)) => return Err(Why::NoFiles(error)),
            Err(Problem::Halt) => return Err(Why::Stopped),
        }
        if start.elapsed() > ENOUGH {
            break;
        }
    }
    Ok(Latency {
        lookup: median(rounds.lookup),
        list: median(rounds.list),
        create: median(rounds.create),
        open: median(rounds.open),
        write: median(rounds.write),
        read: median(rounds.read),
        rename: median(rounds.rename),
        remove: median(rounds.remove),
    })
}

/// Why a round ended early.
enum Problem {
    Storage(Error),
    Halt,
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        Self::Storage(error)
    }
}

impl From<Halt> for Problem {
    fn from(_: Halt) -> Self {
        // Only an order to stop comes this way.
        Self::Halt
    }
}

fn round(site: &Site<'_>, rounds: &mut Rounds, number: usize) -> Result<(), Problem> {
    let here = || -> Result<&Dir, Halt> { site.dir() };
    let old = name(format!("latency{number}"))?;
    let new = name(format!("renamed{number}"))?;
    let mut bytes = vec![1; BYTES];

    let dir = here()?;
    timed(&mut rounds.lookup, || {
        // That it is not there is an answer as well.
        let _ = dir.stat(&old);
        Ok(())
    })?;
    let dir = here()?;
    // Written within the open that makes it: some storage takes no write into a file that is there.
    let file = timed(&mut rounds.create, || dir.create_file(&old, 0o600))?;
    here()?;
    timed(&mut rounds.write, || file.write_at(&bytes, 0))?;
    file.flush()?;
    drop(file);
    let dir = here()?;
    let file = timed(&mut rounds.open, || dir.open_file(&old, Access::Read))?;
    here()?;
    timed(&mut rounds.read, || file.read_at(&mut bytes, 0))?;
    drop(file);
    let dir = here()?;
    // From here on a refusal is no reason to give up: it is found out what is possible.
    let _ = timed(&mut rounds.list, || dir.entries());
    let dir = here()?;
    let rename = || dir.rename(&old, dir, &new, RenameFlags::empty());
    let renamed = timed(&mut rounds.rename, rename).is_ok();
    let dir = here()?;
    let last = if renamed { &new } else { &old };
    let _ = timed(&mut rounds.remove, || dir.unlink(last));
    Ok(())
}

/// Does it, and notes how long that took if it was done.
fn timed<T>(times: &mut Vec<Duration>, act: impl FnOnce() -> Result<T, Error>) -> Result<T, Error> {
    let start = Instant::now();
    let done = act()?;
    times.push(start.elapsed());
    Ok(done)
}

fn median(mut times: Vec<Duration>) -> Option<Duration> {
    times.sort_unstable();
    times.get(times.len() / 2).copied()
}
