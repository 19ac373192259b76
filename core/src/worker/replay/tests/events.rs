//! External events: matching, buffering, limits, suspension, continue-as-new.

use serde_json::json;

use super::bench::{Bench, done, event, fired, raised, short, turn_started};
use crate::history::Event;
use crate::history::wire::history_event::EventType;
use crate::history::wire::workflow_action::WorkflowActionType as Type;
use crate::history::wire::{self, timer_created_event};

#[test]
fn names_compare_without_ascii_case_and_first_in_is_first_out() {
    let body = json!([
        {"activity": "a"},
        {"event": "Item", "as": "x"}, {"event": "iTEM", "as": "y"}, {"event": "\u{c4}", "as": "z"},
        {"return": [{"$": "x"}, {"$": "y"}, {"$": "z"}]}
    ]);
    let mut bench = Bench::new(body);
    bench.start();
    bench.turn(vec![raised("ITEM", "1"), raised("\u{e4}", "8"), raised("item", "2"), raised("\u{c4}", "9")]);
    bench.forget();
    assert_eq!(short(&bench.turn(vec![done(1, "0")])), ["2 completed [1,2,9]"]);
}

#[test]
fn a_buffered_event_resolves_at_once_and_makes_no_timer() {
    let body = json!([{"activity": "a"}, {"event": "go", "timeout_ms": 50, "as": "x"}, {"activity": "b"}, {"return": {"$": "x"}}]);
    let mut bench = Bench::new(body);
    bench.start();
    bench.turn(vec![raised("go", "1")]);
    assert_eq!(short(&bench.turn(vec![done(1, "0"), raised("go", "2")])), ["2 task b"]);
    bench.forget();
    assert_eq!(short(&bench.turn(vec![done(2, "0")])), ["3 completed 1"]);
}

#[test]
fn a_wait_with_a_limit_ends_one_way_or_the_other() {
    let body = json!([
        {"try": [{"event": "go", "timeout_ms": 50, "as": "x"}], "catch": [{"set": "x", "to": {"$": "e.type"}}], "as": "e"},
        {"event": "go", "timeout_ms": 50, "as": "y"},
        {"return": [{"$": "x"}, {"$": "y"}]}
    ]);
    let mut bench = Bench::new(body);
    assert_eq!(short(&bench.start()), ["1 timer 1001050"]);
    bench.forget();
    assert_eq!(short(&bench.turn(vec![fired(1)])), ["2 timer 1002050"]);
    bench.forget();
    let result = bench.turn(vec![raised("go", "7"), fired(2)]);
    assert_eq!(
        (short(&result), result.cancelled_timers),
        (vec!["3 completed [\"WaitTimeout\",7]".to_owned()], vec![2])
    );
}

#[test]
fn history_decides_between_event_and_timer_and_the_loser_stays_buffered() {
    let body = json!([
        {"any": [{"event": "go"}, {"timer": 20}], "as": "first"},
        {"event": "go", "as": "x"},
        {"return": [{"$": "first.index"}, {"$": "x"}]}
    ]);
    let mut bench = Bench::new(body.clone());
    bench.start();
    assert_eq!(short(&bench.turn(vec![fired(1), raised("go", "1")])), ["2 completed [1,1]"]);
    let mut bench = Bench::new(body);
    bench.start();
    let result = bench.turn(vec![raised("go", "1"), fired(1), raised("go", "2")]);
    assert_eq!((short(&result), result.cancelled_timers), (vec!["2 completed [0,2]".to_owned()], vec![1]));
}

#[test]
fn a_cancelled_wait_takes_nothing_and_passes_its_event_on() {
    let body = json!([
        {"event": "first"},
        {"begin": {"event": "go"}, "as": "a"},
        {"begin": {"event": "go", "timeout_ms": 50}, "as": "b"},
        {"cancel": {"$": "a"}},
        {"await": {"$": "b"}, "as": "x"},
        {"return": {"$": "x"}}
    ]);
    let mut bench = Bench::new(body);
    bench.start();
    bench.turn(vec![raised("go", "1")]);
    let result = bench.turn(vec![raised("first", "0")]);
    // The second wait asked while one event was there for the first one: it made its timer, and disarms it.
    assert_eq!(
        (short(&result), result.cancelled_timers),
        (vec!["1 timer 1003050".to_owned(), "2 completed 1".to_owned()], vec![1])
    );
}

#[test]
fn what_nobody_took_goes_with_the_next_run_in_order() {
    let body = json!([{"event": "go", "as": "x"}, {"continue_as_new": {"$": "x"}}]);
    let mut bench = Bench::new(body.clone());
    bench.start();
    bench.turn(vec![raised("b", "1"), raised("a", "2")]);
    bench.forget();
    let result = bench.turn(vec![raised("go", "3"), raised("c", "4"), raised("a", "5")]);
    assert_eq!(short(&result), ["1 continued_as_new 3"]);
    let Some(Type::CompleteWorkflow(end)) = &result.actions[0].workflow_action_type else { panic!("no end") };
    let carried = end.carryover_events.iter().filter_map(|event| match &event.event_type {
        Some(EventType::EventRaised(raised)) => Some((raised.name.as_str(), raised.input.as_deref())),
        _ => None,
    });
    assert_eq!(
        carried.collect::<Vec<_>>(),
        [("b", Some("1")), ("a", Some("2")), ("c", Some("4")), ("a", Some("5"))]
    );

    let mut bench = Bench::new(json!([{"event": "go"}, {"continue_as_new": 1, "keep_events": false}]));
    bench.start();
    let result = bench.turn(vec![raised("b", "1"), raised("go", "3"), raised("c", "4")]);
    let Some(Type::CompleteWorkflow(end)) = &result.actions[0].workflow_action_type else { panic!("no end") };
    assert!(end.carryover_events.is_empty());
}

#[test]
fn a_suspended_run_holds_everything_but_its_clock() {
    let body = json!([{"activity": "a", "as": "x"}, {"event": "go", "as": "y"}, {"return": [{"$": "x"}, {"$": "y"}]}]);
    let suspended = EventType::ExecutionSuspended(wire::ExecutionSuspendedEvent::default());
    let resumed = EventType::ExecutionResumed(wire::ExecutionResumedEvent::default());
    let mut bench = Bench::new(body);
    bench.start();
    assert_eq!(short(&bench.turn(vec![suspended, raised("go", "2")])), [""; 0]);
    assert_eq!(short(&bench.turn(vec![done(1, "1")])), [""; 0]);
    assert!(bench.batches.is_empty());
    bench.forget();
    assert_eq!(short(&bench.turn(vec![resumed])), ["2 completed [1,2]"]);
}

#[test]
fn sentinel_timers_of_foreign_waits_take_their_ids() {
    let mut bench =
        Bench::new(json!([{"event": "go", "as": "x"}, {"activity": "a"}, {"return": {"$": "x"}}]));
    bench.start();
    let at = bench.now;
    let sentinel = wire::TimerCreatedEvent {
        fire_at: Some(prost_types::Timestamp { seconds: 253_402_300_799, nanos: 999_999_999 }),
        origin: Some(timer_created_event::Origin::ExternalEvent(wire::TimerOriginExternalEvent {
            name: "go".into(),
        })),
        ..Default::default()
    };
    bench.turns[0].push(Event::new(event(1, at, EventType::TimerCreated(sentinel))));
    bench.forget();
    assert_eq!(short(&bench.turn(vec![raised("go", "1")])), ["2 task a"]);
    bench.forget();
    assert_eq!(short(&bench.turn(vec![done(2, "0")])), ["3 completed 1"]);
}

#[test]
fn a_turn_without_a_job_is_not_announced() {
    let mut bench = Bench::new(json!([{"event": "go"}, {"return": {"$now": {}}}]));
    bench.start();
    bench.turn(vec![raised("other", "1")]);
    assert!(bench.batches.is_empty());
    let now = bench.now;
    bench.run(vec![Event::new(event(-1, now, turn_started()))]).unwrap();
    assert_eq!(short(&bench.turn(vec![raised("go", "1")])), ["1 completed 1003000"]);
}
