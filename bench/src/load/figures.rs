//! How long something took, how often, and what it was answered.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::client::Answer;

/// The figures of one part.
#[derive(Debug, Default)]
pub struct Figures(Mutex<Taken>);

#[derive(Debug, Default)]
struct Taken {
    times: Vec<Duration>,
    /// Answers by status; 0 is none within the client's patience.
    statuses: BTreeMap<u16, u64>,
    /// Refusals for now that name no time to come back.
    without_retry_after: u64,
    retries: u64,
}

impl Figures {
    pub(crate) async fn time(
        &self,
        asking: impl Future<Output = Option<Answer>>,
    ) -> Option<Answer> {
        let begun = Instant::now();
        let answer = asking.await;
        let status = answer.as_ref().map_or(0, |answer| answer.status);
        let mut taken = self.taken();
        *taken.statuses.entry(status).or_default() += 1;
        if answer.as_ref().is_some_and(Answer::is_success) {
            taken.times.push(begun.elapsed());
        }
        let puts_off = matches!(status, 429 | 502..=504);
        if puts_off && answer.as_ref().is_some_and(|answer| answer.retry_after_s.is_none()) {
            taken.without_retry_after += 1;
        }
        answer
    }

    pub(crate) fn took(&self, time: Duration) {
        self.taken().times.push(time);
    }

    pub(crate) fn count_retry(&self) {
        self.taken().retries += 1;
    }

    /// How many were answered with success.
    pub fn successes(&self) -> usize {
        self.taken().times.len()
    }

    fn taken(&self) -> MutexGuard<'_, Taken> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut taken = self.taken();
        taken.times.sort_unstable();
        let ms = |share| percentile(&taken.times, share).as_millis();
        let (p50, p99, most) = (ms(50), ms(99), ms(100));
        write!(f, "p50 {p50} ms, p99 {p99} ms, longest {most} ms")?;
        let errors = taken.statuses.iter().filter(|(status, _)| !(200..300).contains(*status));
        for (status, count) in errors {
            write!(f, ", {count} answered with {status}")?;
        }
        if taken.without_retry_after > 0 {
            write!(f, ", {} of them without Retry-After", taken.without_retry_after)?;
        }
        if taken.retries > 0 {
            write!(f, ", {} asked again", taken.retries)?;
        }
        Ok(())
    }
}

/// The time that so many of a hundred did not exceed; `sorted` is in order.
fn percentile(sorted: &[Duration], hundredths: usize) -> Duration {
    let place = (sorted.len() * hundredths).div_ceil(100).saturating_sub(1);
    sorted.get(place).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_times_that_were_taken() {
        let times: Vec<_> = (1..=200).map(Duration::from_millis).collect();
        let ms = |share| percentile(&times, share).as_millis();
        assert_eq!((ms(50), ms(99), ms(100)), (100, 198, 200));
        assert_eq!(percentile(&[], 99), Duration::ZERO);
    }
}
