//! Retry policies of activities and child workflows. They run in the core as durable timers.

use std::time::Duration;

use crate::error::{Error, Result};
use crate::model::Failure;

/// How often and when a failed activity or child workflow is tried again.
///
/// Defaults: no limit of attempts, 1 s before the second attempt, twice as long before each further one, never more
/// than 100 s, no total timeout, every error type. A failure that is marked as not retriable is never tried again.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct RetryPolicy {
    /// How many attempts there are in all; absent means no limit.
    pub max_attempts: Option<u32>,
    /// The pause before the second attempt.
    pub first_interval: Duration,
    /// What each further pause is multiplied by; 1 or more.
    pub backoff: f64,
    /// The longest pause.
    pub max_interval: Duration,
    /// No attempt begins later than this after the first one; absent means no limit.
    pub total_timeout: Option<Duration>,
    /// The error types, by exact name, that are not tried again.
    pub non_retryable: Vec<String>,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        RetryPolicy {
            max_attempts: None,
            first_interval: Duration::from_secs(1),
            backoff: 2.0,
            max_interval: Duration::from_secs(100),
            total_timeout: None,
            non_retryable: Vec::new(),
        }
    }
}

impl RetryPolicy {
    /// Checks the limits.
    ///
    /// # Errors
    /// `invalid_argument` when `max_attempts` is 0 or `backoff` is below 1 or not a number.
    pub fn validate(&self) -> Result<()> {
        if self.max_attempts == Some(0) {
            return Err(Error::invalid(
                "retry max_attempts is 0; it counts the first attempt and must be at least 1",
            ));
        }
        if !(1.0..=1e6).contains(&self.backoff) {
            return Err(Error::invalid("retry backoff must be a number from 1 to 1000000"));
        }
        Ok(())
    }

    /// The pause after failed attempt `attempt` (from 1), `elapsed` after the first attempt began, or `None` when the
    /// failure is final.
    pub fn pause(&self, attempt: u32, elapsed: Duration, failure: &Failure) -> Option<Duration> {
        if failure.non_retriable
            || self.max_attempts.is_some_and(|most| attempt >= most)
            || self.non_retryable.contains(&failure.error_type)
        {
            return None;
        }
        let exponent = i32::try_from(attempt.saturating_sub(1)).unwrap_or(i32::MAX);
        let seconds = self.first_interval.as_secs_f64() * self.backoff.powi(exponent);
        let longest = self.max_interval.as_secs_f64().max(self.first_interval.as_secs_f64());
        let pause = Duration::from_secs_f64(seconds.min(longest));
        let in_time = self.total_timeout.is_none_or(|total| elapsed.saturating_add(pause) <= total);
        in_time.then_some(pause)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failure(error_type: &str) -> Failure {
        Failure { error_type: error_type.into(), ..Failure::default() }
    }

    #[test]
    fn pauses_grow_up_to_the_limit() {
        let policy = RetryPolicy { max_interval: Duration::from_secs(3), ..RetryPolicy::default() };
        let pauses: Vec<_> =
            (1..5).map(|n| policy.pause(n, Duration::ZERO, &failure("E")).unwrap().as_millis()).collect();
        assert_eq!(pauses, [1000, 2000, 3000, 3000]);
        assert_eq!(policy.pause(u32::MAX, Duration::ZERO, &failure("E")), Some(Duration::from_secs(3)));
    }

    #[test]
    fn attempts_types_marks_and_total_timeout_end_it() {
        let policy = RetryPolicy {
            max_attempts: Some(3),
            total_timeout: Some(Duration::from_secs(5)),
            non_retryable: vec!["Declined".into()],
            ..RetryPolicy::default()
        };
        assert!(policy.pause(2, Duration::from_secs(3), &failure("E")).is_some());
        assert!(policy.pause(3, Duration::ZERO, &failure("E")).is_none());
        assert!(policy.pause(2, Duration::from_secs(4), &failure("E")).is_none());
        assert!(policy.pause(1, Duration::ZERO, &failure("Declined")).is_none());
        let marked = Failure { non_retriable: true, ..failure("E") };
        assert!(policy.pause(1, Duration::ZERO, &marked).is_none());
    }

    #[test]
    fn absurd_policies_are_refused() {
        assert!(RetryPolicy { max_attempts: Some(0), ..RetryPolicy::default() }.validate().is_err());
        for backoff in [0.5, -1.0, f64::NAN, f64::INFINITY] {
            assert!(RetryPolicy { backoff, ..RetryPolicy::default() }.validate().is_err());
        }
        assert!(RetryPolicy::default().validate().is_ok());
    }
}
