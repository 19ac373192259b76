//! The recorded histories through replay: a function of the same shape is rebuilt from every beginning of a history and
//! must ask in the next turn for what the official SDK's worker asked for there.

use everstep::bridge::{Stall, StallCode};
use everstep::history::{Event, wire};
use everstep::testkit::host::Host;
use everstep::worker::replay::{Next, Replay, TurnResult};
use serde_json::{Value, json};
use wire::history_event::EventType;
use wire::workflow_action::WorkflowActionType as Action;

use crate::recorded::events;
use crate::shapes;
use crate::vectors::{Block, Case, cases};

/// The program of a case whose histories are cut here.
fn program(case: &str) -> Option<Value> {
    let name = match case.split_once('/')?.1.strip_suffix(".json")? {
        "no_input" => "single",
        "stalled_patch" => "patched_wait",
        "stalled_version" => "versioned_wait",
        name @ ("single" | "chain" | "fanout" | "two_events" | "retry" | "act_fail_caught" | "patched"
        | "versioned") => name,
        _ => return None,
    };
    shapes::program(name)
}

/// What a worker asked for: id, kind, name. The id of the end is not compared: Java counts waits that leave no event.
type Asked = (i32, &'static str, String);

/// What an event of the history says was asked for; timers that only official SDKs make are left out.
fn asked(event: &Event) -> Option<Asked> {
    let id = event.message().event_id;
    Some(match event.message().event_type.as_ref()? {
        EventType::TaskScheduled(task) => (id, "task", task.name.clone()),
        EventType::TimerCreated(_) if is_sentinel(event) => return None,
        EventType::TimerCreated(_) => (id, "timer", String::new()),
        EventType::ChildWorkflowInstanceCreated(child) => (id, "child", child.name.clone()),
        EventType::ExecutionCompleted(done) => (0, "end", decoded(done.result.as_deref())),
        _ => return None,
    })
}

fn is_sentinel(event: &Event) -> bool {
    match event.message().event_type.as_ref() {
        Some(EventType::TimerCreated(timer)) => timer.fire_at.is_some_and(|at| at.seconds >= 253_402_300_799),
        _ => false,
    }
}

fn decoded(payload: Option<&str>) -> String {
    let value: Value = serde_json::from_str(payload.unwrap_or("null")).unwrap();
    value.to_string()
}

fn of_result(result: &TurnResult) -> Vec<Asked> {
    let actions = result.actions.iter().map(|action| match action.workflow_action_type.as_ref().unwrap() {
        Action::ScheduleTask(task) => (action.id, "task", task.name.clone()),
        Action::CreateTimer(_) => (action.id, "timer", String::new()),
        Action::CreateChildWorkflow(child) => (action.id, "child", child.name.clone()),
        Action::CompleteWorkflow(done) => (0, "end", decoded(done.result.as_deref())),
        other => panic!("{other:?}"),
    });
    actions.collect()
}

/// The events of each turn, which a WorkflowStarted begins.
fn turns(events: Vec<Event>) -> Vec<Vec<Event>> {
    let mut turns: Vec<Vec<Event>> = Vec::new();
    for event in events {
        if event.kind() == "WorkflowStarted" {
            turns.push(Vec::new());
        }
        turns.last_mut().unwrap().push(event);
    }
    turns
}

/// The version of a turn: its name and patches.
fn version(turn: &[Event]) -> (Option<String>, Vec<String>) {
    match turn[0].message().event_type.as_ref() {
        Some(EventType::WorkflowStarted(started)) => {
            started.version.clone().map_or_else(Default::default, |version| (version.name, version.patches))
        }
        other => panic!("{other:?}"),
    }
}

/// What a worker was given in this turn: its events without what the worker's answer added.
fn given(turn: &[Event]) -> Vec<Event> {
    let mut started = turn[0].message().clone();
    started.event_type = Some(EventType::WorkflowStarted(wire::WorkflowStartedEvent::default()));
    let answer = [
        "TaskScheduled",
        "TimerCreated",
        "ChildWorkflowInstanceCreated",
        "ExecutionCompleted",
        "ExecutionStalled",
    ];
    let news = turn[1..].iter().filter(|event| !answer.contains(&event.kind())).cloned();
    [Event::new(started)].into_iter().chain(news).collect()
}

/// Rebuilds `past` and runs `turn` after it.
fn run(program: &Value, past: &[Vec<Event>], turn: &[Event]) -> Result<TurnResult, Stall> {
    let start = past.first().map_or(turn, Vec::as_slice);
    let name = start.iter().find_map(|event| match event.message().event_type.as_ref() {
        Some(EventType::ExecutionStarted(started)) => Some(started.name.clone()),
        _ => None,
    });
    let mut host = Host::new();
    host.program(&json!({"name": name.unwrap(), "version": program["version"], "body": program["body"]}));
    let mut replay = Replay::new("recorded");
    if let (Some(latest), []) = (program["version"].as_str(), past) {
        replay.default_version(latest);
    }
    past.iter().for_each(|turn| replay.past(turn.clone()));
    replay.turn(given(turn));
    loop {
        match replay.next(1 << 20)? {
            Next::Done(result) => return Ok(result),
            Next::Jobs { jobs, .. } => replay.apply(host.apply("recorded", "run", &jobs)?)?,
        }
    }
}

/// Replays a history from each of its beginnings; gives the number of turns.
fn check(case: &Case, program: &Value) -> usize {
    let block = Block { label: case.name.clone(), data: &case.data };
    let turns = turns(events(&block));
    let all = turns.iter().flatten();
    let base =
        all.filter(|event| asked(event).is_some()).map(|event| event.message().event_id).min().unwrap();
    // A run that begins here counts from 1, whoever once counted from 0.
    let shift = 1 - base.min(1);
    for (number, turn) in turns.iter().enumerate() {
        let label = format!("{} turn {number}", case.name);
        let result = run(program, &turns[..number], turn).unwrap_or_else(|stall| panic!("{label}: {stall}"));
        let mut expected: Vec<Asked> = turn.iter().filter_map(asked).collect();
        expected.sort_unstable_by_key(|(id, kind, _)| (*kind == "end", *id));
        for (id, ..) in expected.iter_mut().filter(|(_, kind, _)| *kind != "end" && number == 0) {
            *id += shift;
        }
        assert_eq!(of_result(&result), expected, "{label}");
        let found = result.version.map_or_else(Default::default, |version| (version.name, version.patches));
        assert_eq!(found, version(turn), "{label}");
    }
    turns.len()
}

#[test]
fn a_function_of_the_same_shape_goes_on_wherever_it_is_rebuilt() {
    let mut seen = Vec::new();
    for case in cases() {
        if let Some(program) = program(&case.name) {
            let turns = check(&case, &program);
            seen.push((case.name, turns));
        }
    }
    let count = |part: &str| seen.iter().filter(|(name, _)| name.contains(part)).count();
    assert_eq!(
        [count("patched"), count("versioned"), count("stalled_"), seen.len()],
        [3, 3, 2, 35],
        "{seen:?}"
    );
    assert!(seen.iter().map(|(_, turns)| turns).sum::<usize>() > 80, "{seen:?}");
}

#[test]
fn a_recorded_patch_that_the_function_no_longer_asks_for_stalls() {
    for case in cases().iter().filter(|case| case.name.ends_with("/patched.json")) {
        let block = Block { label: case.name.clone(), data: &case.data };
        let turns = turns(events(&block));
        let body = json!([{"activity": "greet", "input": "new", "as": "x"}, {"return": {"$": "x"}}]);
        let stall = run(&json!({"body": body}), &turns[..1], &turns[1]).unwrap_err();
        assert_eq!(stall.code, StallCode::PatchMismatch, "{}: {stall}", case.name);
        assert!(stall.message.contains("[\"patch-ü\"]") && stall.message.contains("[]"), "{stall}");
    }
}

#[test]
fn a_recorded_version_that_the_function_has_not_stalls() {
    for case in cases().iter().filter(|case| case.name.ends_with("/versioned.json")) {
        let block = Block { label: case.name.clone(), data: &case.data };
        let turns = turns(events(&block));
        let body = json!([{"activity": "greet", "input": "v1", "as": "x"}, {"return": {"$": "x"}}]);
        let stall = run(&json!({"version": "v1", "body": body}), &turns[..1], &turns[1]).unwrap_err();
        assert_eq!(stall.code, StallCode::VersionNotAvailable, "{}: {stall}", case.name);
    }
}
