//! Where the function and its history disagree.

use serde_json::{Value, json};

use super::bench::{Bench, done, event, raised, short};
use crate::bridge::{Command, Stall, StallCode};
use crate::history::Event;
use crate::history::wire::history_event::EventType;
use crate::history::wire::{RerunParentInstanceInfo, TaskScheduledEvent};
use crate::worker::replay::{Next, Replay};

/// Runs a waiter's first turn with `old` code, then rebuilds it with `new` code.
fn change(old: &Value, new: &Value) -> Result<(), Stall> {
    let mut bench = Bench::new(old.clone());
    bench.start();
    bench.turn(vec![done(1, "0")]);
    bench.code(new.clone());
    bench.forget();
    bench.try_turn(vec![raised("go", "0")]).map(|_| ())
}

#[test]
fn changed_code_is_told_with_both_sides_and_the_place() {
    let old = json!([{"activity": "charge"}, {"event": "go"}, {"return": 1}]);
    for (new, what) in [
        (json!([{"activity": "refund"}, {"event": "go"}]), "\"charge\""),
        (json!([{"activity": "refund"}, {"event": "go"}]), "\"refund\""),
        (json!([{"timer": 5}, {"event": "go"}]), "asks for timer"),
        (json!([{"event": "go"}]), "\"charge\""),
        (json!([{"activity": "charge"}, {"activity": "more"}, {"event": "go"}]), "\"more\""),
        (json!([{"activity": "charge"}, {"return": 2}]), "ends with action 2"),
        (json!([{"begin": {"event": "x"}, "as": "t"}, {"activity": "charge"}, {"event": "go"}]), "call 2"),
    ] {
        let stall = change(&old, &new).unwrap_err();
        assert_eq!(stall.code, StallCode::NonDeterminism, "{new}");
        assert!(
            stall.message.contains(what) && stall.message.contains("likely cause"),
            "{new}: {}",
            stall.message
        );
    }
    assert_eq!(change(&old, &json!([{"timer": 5}, {"event": "go"}])).unwrap_err().event_index, Some(2));
    assert!(change(&old, &old).is_ok());
}

#[test]
fn a_function_that_no_longer_asks_stalls_and_does_not_hang() {
    let mut bench = Bench::new(json!([{"activity": "a"}, {"activity": "b"}, {"activity": "c"}]));
    bench.start();
    bench.turn(vec![done(1, "0")]);
    bench.code(json!([{"activity": "a"}, {"event": "go"}]));
    bench.forget();
    let stall = bench.try_turn(vec![done(2, "0")]).unwrap_err();
    assert_eq!(stall.code, StallCode::NonDeterminism);
}

#[test]
fn patches_of_history_must_be_asked_again_in_order() {
    let asks = |names: [&str; 2]| json!([{"patch": names[0], "as": "x"}, {"patch": names[1], "as": "y"}, {"activity": "a"}, {"event": "go"}]);
    for new in [asks(["q", "p"]), json!([{"activity": "a"}, {"event": "go"}])] {
        let stall = change(&asks(["p", "q"]), &new).unwrap_err();
        assert_eq!(stall.code, StallCode::PatchMismatch);
    }
}

#[test]
fn a_rerun_asks_anew_for_what_it_lacks() {
    let body = json!([{"each": ["x", "y", "z"], "item": "i", "do": {"activity": {"$": "i"}}, "as": "all"}, {"return": {"$": "all"}}]);
    let mut bench = Bench::new(body);
    bench.start();
    bench.turns[0].retain(|event| event.message().event_id != 3);
    let (at, name) = (bench.now, "y".to_owned());
    let rerun_parent_instance_info = Some(RerunParentInstanceInfo { instance_id: "source".into() });
    let chosen = TaskScheduledEvent { name, rerun_parent_instance_info, ..Default::default() };
    bench.turns[0][3] = Event::new(event(2, at, EventType::TaskScheduled(chosen)));
    bench.forget();
    assert_eq!(short(&bench.turn(vec![done(2, "2")])), ["3 task z"]);
    bench.forget();
    assert_eq!(short(&bench.turn(vec![done(3, "3"), done(1, "1")])), ["4 completed [1,2,3]"]);
}

#[test]
fn answers_that_break_the_protocol_stall() {
    let timer = |reference| Command::Timer { reference, due: crate::bridge::Due::After(1) };
    let end = || Command::Complete { output: None };
    for steps in [
        vec![vec![], vec![timer(2)]],
        vec![vec![], vec![timer(1), timer(1)]],
        vec![vec![], vec![end(), timer(1)]],
        vec![vec![], vec![Command::Cancel { reference: 1 }]],
        vec![vec![timer(1)], vec![]],
        vec![vec![]],
    ] {
        let mut replay = Replay::new("i");
        let at = crate::model::Micros::from_millis(1);
        replay.turn(vec![
            Event::new(event(-1, at, super::bench::turn_started())),
            Event::new(event(-1, at, super::bench::started(None))),
        ]);
        assert!(matches!(replay.next(1), Ok(Next::Jobs { .. })));
        assert!(replay.next(1).is_err(), "the answer is owed");
        assert_eq!(replay.apply(steps).unwrap_err().code, StallCode::InvalidArgument);
    }
}

/// A run that took `patches`, one in each turn, goes on with `new` code.
fn patched(patches: &[&str], new: &Value) -> Result<(), Stall> {
    let old: Vec<Value> = patches
        .iter()
        .flat_map(|name| [json!({"patch": name, "as": "p"}), json!({"activity": name})])
        .collect();
    let mut bench = Bench::new(json!(old));
    bench.start();
    for id in (1..).take(patches.len() - 1) {
        bench.turn(vec![done(id, "0")]);
    }
    bench.code(new.clone());
    bench.forget();
    bench.try_turn(vec![done(i32::try_from(patches.len()).unwrap(), "0")]).map(drop)
}

#[test]
fn patches_that_do_not_fit_are_told_with_both_sides() {
    let ask = |name: &str| json!({"patch": name, "as": "p"});
    let call = |name: &str| json!({"activity": name});
    for (new, code, texts) in [
        (json!([call("a"), call("b")]), StallCode::PatchMismatch, ["[\"a\", \"b\"]", "asked for [] only"]),
        (
            json!([ask("a"), call("a"), call("b")]),
            StallCode::PatchMismatch,
            ["[\"a\", \"b\"]", "asked for [\"a\"] only"],
        ),
        (json!([call("x"), call("b")]), StallCode::NonDeterminism, ["\"x\"", "\"a\" has not been asked for"]),
    ] {
        let stall = patched(&["a", "b"], &new).unwrap_err();
        assert_eq!(stall.code, code, "{new}: {stall}");
        for text in texts {
            assert!(stall.message.contains(text), "{text:?} is missing: {stall}");
        }
    }
    let same = json!([ask("a"), call("a"), ask("a"), ask("b"), call("b"), ask("c"), {"return": 1}]);
    patched(&["a", "b"], &same).unwrap();
}

#[test]
fn a_patch_counts_once_however_often_it_is_asked_for_or_recorded() {
    let patch = || Command::Patch { name: "p".to_owned() };
    let timer = Command::Timer { reference: 1, due: crate::bridge::Due::After(1) };
    let at = crate::model::Micros::from_millis(1);
    let started = |patches: &[&str]| {
        let patches = patches.iter().map(|name| (*name).to_owned()).collect();
        let version = Some(crate::history::wire::WorkflowVersion { patches, name: None });
        Event::new(event(
            -1,
            at,
            EventType::WorkflowStarted(crate::history::wire::WorkflowStartedEvent { version }),
        ))
    };
    let begin = Event::new(event(-1, at, super::bench::started(None)));
    let mut fresh = Replay::new("i");
    fresh.turn(vec![started(&[]), begin.clone()]);
    assert!(matches!(fresh.next(1), Ok(Next::Jobs { .. })));
    fresh.apply(vec![vec![], vec![patch(), patch(), timer.clone()]]).unwrap();
    let Ok(Next::Done(result)) = fresh.next(1) else { panic!("the turn is over") };
    assert_eq!(result.version.unwrap().patches, ["p"]);

    // Some official SDKs record a patch as often as it was asked for.
    let mut rebuilt = Replay::new("i");
    rebuilt.past(vec![started(&["p", "p"]), begin]);
    rebuilt.turn(vec![started(&[]), Event::new(event(-1, at, raised("go", "0")))]);
    assert!(matches!(rebuilt.next(1), Ok(Next::Jobs { .. })));
    rebuilt.apply(vec![vec![], vec![patch()]]).unwrap();
    assert!(matches!(rebuilt.next(1), Ok(Next::Done(_))));
}
