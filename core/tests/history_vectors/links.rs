//! What the events of the recorded histories have to do with each other.

use std::time::Duration;

use everstep::history::{HistoryEvent, TimerUse, decode};

use crate::recorded::events;
use crate::vectors::cases;

/// The decoded history of a case's main instance.
pub fn history(name: &str) -> Vec<HistoryEvent> {
    let name = format!("{name}.json");
    let case = cases().into_iter().find(|case| case.name == name).unwrap_or_else(|| panic!("no case {name}"));
    decode(&events(&case.blocks()[0]))
}

#[test]
fn links_hold_in_every_history() {
    for case in cases() {
        for block in case.blocks() {
            let view = decode(&events(&block));
            for (place, event) in view.iter().enumerate() {
                let label = format!("{} event {place}", block.label);
                if let Some(other) = event.counterpart {
                    assert_eq!(view[other].counterpart, Some(place), "{label}");
                    assert_eq!(view[other].duration, event.duration, "{label}");
                }
                if let Some(first) = event.first_attempt {
                    assert!(first < place && view[first].name == event.name, "{label}");
                    assert_eq!(view[first].attempt, Some(1), "{label}");
                    assert!(event.attempt > Some(1), "{label}");
                }
                if let Some(served) = event.serves {
                    assert!(event.timer_use.is_some() && view[served].asks(), "{label}");
                }
                let before = view[..place].last().map_or(0, |before| before.turn);
                assert_eq!(event.turn, before + u32::from(event.kind == "WorkflowStarted"), "{label}");
            }
        }
    }
}

/// Whether it is an attempt of a call.
trait Asks {
    fn asks(&self) -> bool;
}

impl Asks for HistoryEvent {
    fn asks(&self) -> bool {
        matches!(self.kind, "TaskScheduled" | "ChildWorkflowInstanceCreated")
    }
}

#[test]
fn attempts_of_an_activity_are_numbered_whoever_recorded_them() {
    for (language, pause) in [("go", 5), ("python", 5), ("java", 5)] {
        let view = history(&format!("{language}/retry"));
        let attempts: Vec<_> = view
            .iter()
            .enumerate()
            .filter(|(_, event)| event.asks())
            .map(|(place, event)| (place, event.attempt, event.first_attempt, event.counterpart))
            .collect();
        let expected =
            [(2, Some(1), None, Some(4)), (8, Some(2), Some(2), Some(10)), (14, Some(3), Some(2), Some(16))];
        assert_eq!(attempts, expected, "{language}");
        assert_eq!(
            (view[pause].timer_use, view[pause].serves),
            (Some(TimerUse::Retry), Some(2)),
            "{language}"
        );
        assert_eq!((view[11].timer_use, view[11].serves), (Some(TimerUse::Retry), Some(8)), "{language}");
        assert_eq!((view[0].turn, view[4].turn, view[16].turn), (1, 2, 6), "{language}");
        assert_eq!(view[16].name.as_deref(), Some("flaky"), "{language}");
    }
}

#[test]
fn attempts_of_a_child_are_numbered_even_where_each_has_an_id_of_its_own() {
    // The Java SDK says nowhere that its second child is a second attempt.
    for (language, numbers) in
        [("go", [Some(1), Some(2)]), ("python", [Some(1), Some(2)]), ("java", [None, None])]
    {
        let view = history(&format!("{language}/child_retry"));
        let children: Vec<_> = view.iter().filter(|event| event.asks()).collect();
        assert_eq!(children.iter().map(|child| child.attempt).collect::<Vec<_>>(), numbers, "{language}");
        let failed: Vec<_> =
            view.iter().filter(|event| event.kind == "ChildWorkflowInstanceFailed").collect();
        assert_eq!(failed.len(), 2);
        for (child, failed) in children.iter().zip(failed) {
            assert!(child.instance_id.is_some(), "{language}");
            assert_eq!(child.instance_id, failed.instance_id, "{language}");
        }
    }
}

#[test]
fn events_find_the_waits_that_took_them() {
    let taken = |name: &str, wait: usize, raised: usize| {
        let view = history(name);
        assert_eq!(view[wait].timer_use, Some(TimerUse::EventTimeout), "{name}");
        assert_eq!((view[wait].counterpart, view[raised].counterpart), (Some(raised), Some(wait)), "{name}");
    };
    taken("go/event", 2, 4);
    taken("go/event_wait_long", 2, 4);
    taken("go/mixed", 4, 13);
    taken("python/stalled_patch", 2, 5);
    // Nobody waited yet.
    assert_eq!(history("python/event_early")[4].counterpart, None);
    assert_eq!(history("python/continue_as_new")[2].counterpart, None, "it was carried over");
    let timed_out = history("go/event_timeout");
    assert_eq!((timed_out[2].timer_use, timed_out[2].counterpart), (Some(TimerUse::EventTimeout), Some(4)));
}

#[test]
fn pauses_runs_and_reruns_are_linked() {
    let paused = history("go/suspend_resume");
    assert_eq!((paused[4].counterpart, paused[8].counterpart), (Some(8), Some(4)));
    assert_eq!(paused[4].duration, Some(Duration::from_micros(520_811)));
    assert_eq!((paused[1].counterpart, paused[9].counterpart), (Some(9), Some(1)));
    // Events of a rerun stand in another order than they were written.
    let rerun = history("go/rerun_fanout");
    assert_eq!(rerun[4].counterpart, Some(10));
    assert_eq!(rerun[4].rerun_of.as_deref(), Some("go-rerun-fanout-src"));
    let chain = history("python/rerun_chain");
    assert_eq!((chain[3].counterpart, chain[3].turn, chain[4].turn), (Some(4), 2, 2));
}
