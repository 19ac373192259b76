//! Seeded bugs: a simulation that does not find them proves nothing.
//!
//! A test switches one on for its thread; in a build without the testkit none of this exists.

use std::cell::Cell;

/// Every seeded bug and what it does.
pub const ALL: [(&str, &str); 7] = [
    ("acknowledge_before_flush", "answers leave before the commit"),
    ("double_timer", "a timer that fired stays armed and may fire again"),
    ("lost_staged_result", "a result that comes while a turn is out goes with that turn"),
    ("stale_generation", "activities outlive their generation, and their results are accepted by the next"),
    ("rerun_forgets_open", "what was open at the event of a rerun is not handed out"),
    ("version_not_kept", "the version that a run began with is not written"),
    ("inbox_not_deleted", "an event that a turn took stays in the inbox"),
];

thread_local! {
    static ACTIVE: Cell<Option<&'static str>> = const { Cell::new(None) };
}

/// Runs `test` with one seeded bug on this thread.
pub fn with<T>(mutant: &'static str, test: impl FnOnce() -> T) -> T {
    struct Reset;
    impl Drop for Reset {
        fn drop(&mut self) {
            ACTIVE.set(None);
        }
    }
    ACTIVE.set(Some(mutant));
    let _reset = Reset;
    test()
}

/// Whether this seeded bug is on.
pub(crate) fn is_on(mutant: &str) -> bool {
    ACTIVE.get() == Some(mutant)
}
