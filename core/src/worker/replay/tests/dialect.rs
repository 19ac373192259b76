//! What is asked of a Dapr runtime in another form than of the embedded engine.

use serde_json::{Value, json};

use super::bench::{Bench, done, failed, fired, raised, short, started};
use crate::bridge::StallCode;
use crate::history::wire::workflow_action::WorkflowActionType as Type;
use crate::worker::replay::{Dialect, TurnResult};

fn dapr(body: Value) -> Bench {
    let mut bench = Bench::new(body);
    bench.replay.speak(Dialect::Dapr);
    bench
}

fn forget(bench: &mut Bench) {
    bench.forget_in(Dialect::Dapr);
}

/// The versions and the inputs of the activities that a turn asks for.
fn tasks(result: &TurnResult) -> Vec<(Option<String>, String)> {
    let task = |kind: &Option<Type>| match kind {
        Some(Type::ScheduleTask(task)) => {
            Some((task.version.clone(), task.input.clone().unwrap_or_default()))
        }
        _ => None,
    };
    result.actions.iter().filter_map(|action| task(&action.workflow_action_type)).collect()
}

#[test]
fn the_attempt_and_the_deadline_ride_in_the_version() {
    let retry = json!({"max_attempts": 2, "initial_ms": 50});
    let mut bench = dapr(json!([{"activity": "a", "timeout_ms": 500, "retry": retry}]));
    let first = bench.start();
    assert_eq!(tasks(&first)[0].0.as_deref(), Some("everstep;attempt=1;deadline=1001500"));
    assert!(first.actions.iter().all(|action| action.own.is_none()), "a runtime drops what it does not know");
    bench.turn(vec![failed(1, "Late")]);
    forget(&mut bench);
    let second = bench.turn(vec![fired(3)]);
    assert!(tasks(&second)[0].0.as_deref().unwrap().starts_with("everstep;attempt=2;deadline="));
}

#[test]
fn a_sent_event_is_an_activity_that_the_function_does_not_wait_for() {
    let mut bench = dapr(json!([{"send": "go", "to": "other", "data": 1}, {"activity": "a"}, {"return": 7}]));
    let result = bench.start();
    assert_eq!(short(&result), ["1 task everstep.send_event", "2 task a"]);
    let sent: Value = serde_json::from_str(&tasks(&result)[0].1).unwrap();
    assert_eq!(sent, json!({"instance_id": "other", "event_name": "go", "data": "1"}));
    assert_eq!(short(&bench.turn(vec![done(1, "null")])), [""; 0]);
    forget(&mut bench);
    assert_eq!(short(&bench.turn(vec![done(2, "0")])), ["3 completed 7"]);
}

#[test]
fn a_workflow_beside_this_one_is_an_activity_too() {
    let mut bench = dapr(json!([{"child": "c", "input": 1, "id": "apart", "detached": true}, {"return": 7}]));
    let result = bench.start();
    assert_eq!(short(&result), ["1 task everstep.start_workflow", "2 completed 7"]);
    let started: Value = serde_json::from_str(&tasks(&result)[0].1).unwrap();
    assert_eq!(started, json!({"instance_id": "apart", "name": "c", "input": "1"}));
}

#[test]
fn the_next_generation_waits_for_what_the_worker_still_does() {
    let body = json!([
        {"event": "before"}, {"timer": 9_000_000}, {"send": "go", "to": "other"}, {"continue_as_new": 5}
    ]);
    for rebuild in [false, true] {
        let mut bench = dapr(body.clone());
        bench.start();
        bench.turn(vec![raised("before", "0")]);
        assert_eq!(short(&bench.turn(vec![fired(1)])), ["2 task everstep.send_event"]);
        if rebuild {
            forget(&mut bench);
        }
        assert_eq!(short(&bench.turn(vec![raised("late", "1")])), [""; 0]);
        let last = bench.turn(vec![raised("later", "2"), done(2, "null")]);
        assert_eq!(short(&last), ["3 continued_as_new 5"]);
        let Some(Type::CompleteWorkflow(end)) = &last.actions[0].workflow_action_type else { panic!() };
        assert_eq!(end.carryover_events.len(), 2);
        assert!(last.finished);
    }
}

#[test]
fn every_turn_names_all_patches() {
    let body =
        json!([{"patch": "p1", "as": "x"}, {"activity": "a"}, {"patch": "p2", "as": "y"}, {"activity": "b"}]);
    let mut bench = dapr(body);
    let names = |result: &TurnResult| result.version.clone().unwrap_or_default().patches;
    assert_eq!(names(&bench.start()), ["p1"]);
    forget(&mut bench);
    assert_eq!(names(&bench.turn(vec![done(1, "0")])), ["p1", "p2"]);
    assert_eq!(names(&bench.turn(vec![raised("none", "0")])), ["p1", "p2"]);
}

#[test]
fn a_version_that_the_runtime_drops_is_refused() {
    for detached in [false, true] {
        let mut bench = dapr(json!([{"child": "c", "version": "v1", "detached": detached}, {"return": 7}]));
        let stall = bench.try_turn(vec![started(Some("null"))]).unwrap_err();
        assert_eq!(stall.code, StallCode::InvalidArgument, "{stall:?}");
        assert!(stall.message.contains("version"), "{stall:?}");
    }
}
