//! Engine time: the wall clock, which never goes back.

use std::time::Instant;

use crate::model::Micros;

/// Which time an engine has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Time {
    /// The wall clock's.
    Wall,
    /// The wall clock's, but it skips to the next timer while somebody waits for a workflow and nothing else can happen:
    /// tests of workflows that sleep for days end at once. While nobody waits it does not skip, so a test may still raise
    /// the event that a workflow waits for.
    Skipping,
}

/// Follows the wall clock. Where that is set back, time goes on from the latest instant at the pace of the monotonic
/// clock, so that a timer is late by no more than its own duration.
#[derive(Debug)]
pub(super) struct Clock {
    last: Micros,
    at: Instant,
}

impl Clock {
    /// A clock that does not go behind `last`, the latest time that was written.
    pub(super) fn after(last: Micros) -> Clock {
        Clock { last, at: Instant::now() }
    }

    /// The time now.
    pub(super) fn now(&mut self) -> Micros {
        self.advance(Micros::now(), Instant::now())
    }

    /// Goes on from `to`, if that is ahead.
    pub(super) fn skip(&mut self, to: Micros) {
        self.now();
        self.last = self.last.max(to);
    }

    fn advance(&mut self, wall: Micros, at: Instant) -> Micros {
        // The monotonic clock serves only behind a wall clock that was set back: the two drift apart in the long run.
        self.last = match wall >= self.last {
            true => wall,
            false => self.last.plus(at.saturating_duration_since(self.at)),
        };
        self.at = at;
        self.last
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn time_goes_on_behind_a_clock_that_was_set_back() {
        let begin = Instant::now();
        let mut clock = Clock { last: Micros(0), at: begin };
        let mut at = |wall, millis| clock.advance(Micros(wall), begin + Duration::from_millis(millis));
        assert_eq!(at(5_000_000, 0), Micros(5_000_000));
        assert_eq!(at(5_400_000, 400), Micros(5_400_000));
        // Set back by an hour.
        assert_eq!(at(-3_594_500_000, 500), Micros(5_500_000));
        assert_eq!(at(-3_594_400_000, 600), Micros(5_600_000));
        // And forward again.
        assert_eq!(at(9_000_000, 700), Micros(9_000_000));
    }

    #[test]
    fn a_skip_goes_ahead_and_never_back() {
        let mut clock = Clock::after(Micros(0));
        let ahead = clock.now().plus(Duration::from_secs(3_600));
        clock.skip(ahead);
        assert!(clock.now() >= ahead);
        clock.skip(Micros(5));
        assert!(clock.now() >= ahead);
    }
}
