//! How long a request takes: by kind, with jitter, and by the number of its bytes.

use std::collections::BTreeMap;
use std::time::Duration;

use super::op::Op;
use crate::ops::Rng;

/// Times that are added to what the backing folder itself takes. The default adds nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Latency {
    /// For each request of a kind that is not named below.
    pub every: Duration,
    /// For requests of these kinds.
    pub kinds: BTreeMap<Op, Duration>,
    /// At most this is added, at random.
    pub jitter: Duration,
    /// Bytes that go through in a second, read or written; no limit without.
    pub bytes_per_second: Option<u64>,
}

impl Latency {
    /// The same for every kind.
    #[must_use]
    pub fn of(every: Duration) -> Self {
        Self {
            every,
            ..Self::default()
        }
    }

    /// How long a request of this kind with so many bytes takes.
    pub(super) fn time(&self, op: Op, bytes: usize, rng: &mut Rng) -> Duration {
        let mut time = self.kinds.get(&op).copied().unwrap_or(self.every);
        let jitter = u64::try_from(self.jitter.as_micros()).unwrap_or(u64::MAX);
        if jitter > 0 {
            time += Duration::from_micros(rng.below(jitter));
        }
        if let (Some(rate), Ok(bytes)) = (self.bytes_per_second, u64::try_from(bytes)) {
            time += Duration::from_micros(bytes.saturating_mul(1_000_000) / rate.max(1));
        }
        time
    }
}

#[cfg(test)]
mod tests {
    use super::{Duration, Latency, Op, Rng};

    #[test]
    fn kinds_jitter_and_bytes_add_up() {
        let latency = Latency {
            every: Duration::from_millis(20),
            kinds: [(Op::Write, Duration::from_millis(50))].into(),
            jitter: Duration::ZERO,
            bytes_per_second: Some(1_000_000),
        };
        let mut rng = Rng::new(1);
        let read = latency.time(Op::Read, 1000, &mut rng);
        assert_eq!(read, Duration::from_millis(21));
        let write = latency.time(Op::Write, 2000, &mut rng);
        assert_eq!(write, Duration::from_millis(52));
        let jitter = Latency {
            jitter: Duration::from_millis(3),
            ..Latency::default()
        };
        let times: Vec<Duration> = (0..50)
            .map(|_| jitter.time(Op::Read, 0, &mut rng))
            .collect();
        assert!(times.iter().all(|time| *time < jitter.jitter));
        assert!(times.iter().any(|time| *time != times[0]));
    }
}
