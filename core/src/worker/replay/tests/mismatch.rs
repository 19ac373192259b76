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
