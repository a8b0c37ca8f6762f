//! How are modification times kept: at all, how finely, shifted by what?

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::site::{Halt, Sight, Site, Stopped, name, pattern, refused};
use super::{Answer, Times, answer};
use crate::raw::{Name, SetTime, Time};

/// Times that are set, each on a file of its own: odd and even seconds, all digits.
const SET: [Time; 4] = [
    at(1_000_000_000, 987_654_321),
    at(1_000_000_001, 123_456_789),
    at(1_234_567_893, 505_050_505),
    at(1_500_000_006, 250_000_001),
];
/// Steps that storage is known to keep times in, in nanoseconds, from the finest.
const STEPS: [i128; 11] = [
    1,
    100,
    1_000,
    1_000_000,
    10_000_000,
    100_000_000,
    SECOND,
    2 * SECOND,
    60 * SECOND,
    3_600 * SECOND,
    86_400 * SECOND,
];
const SECOND: i128 = 1_000_000_000;

const fn at(secs: i64, nanos: u32) -> Time {
    Time { secs, nanos }
}

/// Step in nanoseconds and shift in seconds.
type Rule = (i128, i64);

pub(super) fn times(site: &Site<'_>) -> Result<Answer, Stopped> {
    let mut rule = None;
    let mut clock = None;
    let set = site.outcome(|| {
        let names = [name("t0")?, name("t1")?, name("t2")?, name("t3")?];
        let begun = nanos_of(now());
        for name in &names {
            site.file(name, &pattern(1))?;
        }
        for name in &names {
            // What is on its way still would bring a time of its own.
            site.await_contents(name, &pattern(1))?;
        }
        let before = told(site, &names)?;
        let ended = nanos_of(now());
        clock = before.first().map(|told| (begun, nanos_of(*told), ended));
        for (name, time) in names.iter().zip(SET) {
            let dir = site.dir()?;
            dir.set_times(name, SetTime::Keep, SetTime::To(time))
                .map_err(refused)?;
        }
        site.watch_settled(|| {
            let told = told(site, &names)?;
            rule = rule_of(&told);
            Ok(match rule {
                Some(_) => Sight::Done,
                None if told == before => Sight::Before,
                None => Sight::Other,
            })
        })
    })?;
    let (step, shift_secs) = rule.unwrap_or((1, 0));
    let times = Times {
        set,
        step: Duration::from_nanos(u64::try_from(step).unwrap_or(u64::MAX)),
        shift_secs,
        clock_ahead_secs: clock.and_then(|clock| ahead(clock, step, shift_secs)),
    };
    answer(move |findings| findings.times = times)
}

fn told(site: &Site<'_>, names: &[Name]) -> Result<Vec<Time>, Halt> {
    let told = names
        .iter()
        .map(|name| Ok(site.dir()?.stat_fresh(name)?.mtime));
    told.collect()
}

/// The rule by which [`SET`] has become `told`: cut to a step, or rounded up or to the nearest,
/// and shifted by whole seconds. The finest that fits.
fn rule_of(told: &[Time]) -> Option<Rule> {
    STEPS.into_iter().find_map(|step| {
        let shift = [0, step - 1, step / 2].into_iter().find_map(|up| {
            let shifts = SET.iter().zip(told).map(|(set, told)| {
                let kept = nanos_of(*set) + up;
                nanos_of(*told) - (kept - kept.rem_euclid(step))
            });
            let shifts: Vec<i128> = shifts.collect();
            let first = *shifts.first()?;
            let fits = first % SECOND == 0 && shifts.iter().all(|shift| *shift == first);
            fits.then_some(first / SECOND)
        })?;
        Some((step, i64::try_from(shift).ok()?))
    })
}

/// How far the storage's clock is ahead: a file was made between `begun` and `ended` of our clock,
/// and is told to be of `told`.
fn ahead((begun, told, ended): (i128, i128, i128), step: i128, shift: i64) -> Option<i64> {
    let told = told - i128::from(shift) * SECOND;
    let early = begun - step.max(SECOND) - told;
    let late = told - ended - step.max(SECOND);
    let nanos = if late > 0 {
        told - ended
    } else if early > 0 {
        told - begun
    } else {
        0
    };
    i64::try_from(nanos / SECOND).ok()
}

fn now() -> Time {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    let since = since.unwrap_or_default();
    at(
        i64::try_from(since.as_secs()).unwrap_or(i64::MAX),
        since.subsec_nanos(),
    )
}

fn nanos_of(time: Time) -> i128 {
    i128::from(time.secs) * SECOND + i128::from(time.nanos)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(step: i128, up: i128, shift: i128) -> Vec<Time> {
        let kept = SET.iter().map(|time| {
            let nanos = nanos_of(*time) + up;
            let nanos = nanos - nanos.rem_euclid(step) + shift * SECOND;
            at(
                i64::try_from(nanos.div_euclid(SECOND)).unwrap(),
                u32::try_from(nanos.rem_euclid(SECOND)).unwrap(),
            )
        });
        kept.collect()
    }

    #[test]
    fn every_step_is_told_from_every_other_with_any_shift() {
        for step in STEPS {
            for shift in [0, 1, -1, 3600, -7200] {
                for up in [0, step - 1, step / 2] {
                    let rule = rule_of(&kept(step, up, shift));
                    assert_eq!(rule.map(|rule| rule.0), Some(step), "{step} {up} {shift}");
                    if up == 0 {
                        assert_eq!(rule, Some((step, i64::try_from(shift).unwrap())));
                    }
                }
            }
        }
    }

    #[test]
    fn times_that_follow_no_rule_have_none() {
        assert_eq!(rule_of(&[at(1_700_000_000, 5); 4]), None);
    }

    #[test]
    fn a_clock_is_wrong_by_what_steps_do_not_explain() {
        let (begun, ended) = (100 * SECOND, 103 * SECOND);
        for (told, ahead_secs) in [(101, 0), (99, 0), (90, -10), (104, 0), (110, 7)] {
            let clock = (begun, told * SECOND, ended);
            assert_eq!(ahead(clock, 1, 0), Some(ahead_secs), "{told}");
        }
        assert_eq!(ahead((begun, 3701 * SECOND, ended), 1, 3600), Some(0));
    }
}
