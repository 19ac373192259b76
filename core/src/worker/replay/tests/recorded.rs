//! What a real Dapr sent to the official SDKs' workers, and what they answered: our answers have the same ids and kinds.
//!
//! Only Python and JavaScript count ids from 1, as we do. Python's timers of the year 9999 for waits without a timeout
//! are left out on both sides; where one stands before another action, ids of that very turn are not compared.

use std::path::PathBuf;

use prost::Message;
use serde_json::{Value, json};

use super::bench::{INSTANCE, RUN, drive};
use crate::history::Event;
use crate::history::wire::workflow_action::WorkflowActionType as Type;
use crate::history::wire::{self, work_item::Request};
use crate::testkit::host::Host;
use crate::worker::replay::{Replay, TurnResult};

/// The recorded workflows, by name, as programs.
fn programs() -> Vec<(&'static str, Value)> {
    let input = || json!({"$": "input"});
    let policy = |attempts: u32, first: u32, backoff: u32| json!({"max_attempts": attempts, "first_interval_ms": first, "backoff": backoff});
    let greet =
        |input: Value| json!([{"activity": "greet", "input": input, "as": "x"}, {"return": {"$": "x"}}]);
    let timed = json!([
        {"any": [{"event": "approval"}, {"timer": {"$add": [1000]}}], "as": "first"},
        {"if": {"$": "first.index"}, "then": [{"return": "timed out"}]},
        {"return": {"got": {"$": "first.value"}}}
    ]);
    let limited = |timeout: u32| {
        json!([{"try": [{"event": "approval", "timeout_ms": timeout, "as": "x"}], "catch": [{"return": "timed out"}]},
               {"return": {"got": {"$": "x"}}}])
    };
    vec![
        ("single", greet(input())),
        (
            "chain",
            json!([{"set": "x", "to": input()}, {"for": "i", "in": [1, 2, 3], "do": [{"activity": "append", "as": "x"}]}, {"return": {"$": "x"}}]),
        ),
        (
            "fanout",
            json!([{"each": [1, 2, 3, 4, 5], "item": "i", "do": {"activity": "square", "input": {"$": "i"}}, "as": "x"}, {"return": {"$": "x"}}]),
        ),
        ("act_fail", json!([{"activity": "boom"}])),
        (
            "act_fail_caught",
            json!([{"try": [{"activity": "boom"}], "catch": [{"activity": "greet", "as": "x"}, {"return": {"$": "x"}}]}]),
        ),
        ("wf_fail", json!([{"raise": "ValueError", "message": "x"}])),
        (
            "retry",
            json!([{"activity": "flaky", "retry": policy(4, 300, 2), "as": "x"}, {"return": {"$": "x"}}]),
        ),
        ("retry_exhausted", json!([{"activity": "boom", "retry": policy(2, 200, 1)}])),
        ("timer", json!([{"timer": 1000}, {"return": "ding"}])),
        ("event", json!([{"event": "Order_Placed", "as": "x"}, {"return": {"got": {"$": "x"}}}])),
        (
            "event_early",
            json!([{"timer": 2000}, {"event": "early", "as": "x"}, {"return": {"got": {"$": "x"}}}]),
        ),
        (
            "two_events",
            json!([{"event": "ev", "as": "x"}, {"event": "ev", "as": "y"}, {"return": [{"$": "x"}, {"$": "y"}]}]),
        ),
        ("event_timeout", limited(1000)),
        ("event_wait_long", limited(600_000)),
        ("event_timeout_any", timed),
        ("child", json!([{"child": "child_echo", "as": "x"}, {"return": {"child": {"$": "x"}}}])),
        (
            "child_fixed_id",
            json!([{"child": "child_echo", "id": "kid", "as": "x"}, {"return": {"child": {"$": "x"}}}]),
        ),
        ("child_echo", greet(input())),
        ("child_fail", json!([{"child": "child_boom"}])),
        ("child_boom", json!([{"raise": "ValueError", "message": "x"}])),
        ("child_retry", json!([{"child": "child_boom", "retry": policy(2, 200, 1)}])),
        (
            "can",
            json!([
                {"if": {"$eq": [input(), 1]}, "then": [{"timer": 2000}], "else": [{"activity": "square", "input": input()}]},
                {"event": "tick", "as": "x"},
                {"if": {"$lt": [input(), 3]}, "then": [{"continue_as_new": {"$add": [input(), 1]}}]},
                {"return": {"generation": input(), "last": {"$": "x"}}}
            ]),
        ),
        ("waiter", json!([{"event": "go", "as": "x"}, {"return": {"got": {"$": "x"}}}])),
        (
            "custom_status",
            json!([{"status": 1}, {"activity": "greet", "as": "x"}, {"status": 2}, {"event": "go"}, {"return": {"$": "x"}}]),
        ),
        (
            "mixed",
            json!([
                {"all": [{"activity": "square"}, {"timer": 500}, {"child": "child_echo"}, {"event": "go"}], "as": "x"},
                {"return": {"$": "x.0"}}
            ]),
        ),
        (
            "patched",
            json!([{"patch": "patch-\u{fc}", "as": "p"}, {"activity": "greet", "as": "x"}, {"return": {"$": "x"}}]),
        ),
        ("versioned", greet(json!("v2"))),
    ]
}

const CASES: [&str; 29] = [
    "single",
    "no_input",
    "chain",
    "fanout",
    "act_fail",
    "act_fail_caught",
    "wf_fail",
    "retry",
    "retry_exhausted",
    "timer",
    "event",
    "event_no_payload",
    "event_early",
    "two_events",
    "event_timeout",
    "event_wait_long",
    "event_timeout_any",
    "event_before_timeout",
    "child",
    "child_fixed_id",
    "child_fail",
    "child_retry",
    "continue_as_new",
    "suspend_resume",
    "terminate",
    "custom_status",
    "delayed_start_event",
    "mixed",
    "rerun_chain",
];
const MORE: [&str; 4] = ["patched", "versioned", "rerun_fanout", "rerun_fanout_input"];

fn decode_base64(text: &str) -> Vec<u8> {
    let digit = |byte: u8| match byte {
        b'A'..=b'Z' => u32::from(byte - b'A'),
        b'a'..=b'z' => u32::from(byte - b'a') + 26,
        b'0'..=b'9' => u32::from(byte - b'0') + 52,
        b'+' => 62,
        _ => 63,
    };
    let bytes = text.trim_end_matches('=').as_bytes();
    let chunks = bytes.chunks(4).flat_map(|chunk| {
        let bits = chunk.iter().fold(0, |bits, byte| bits << 6 | digit(*byte)) << (6 * (4 - chunk.len()));
        bits.to_be_bytes()[1..chunk.len()].to_vec()
    });
    chunks.collect()
}

/// The turns of a case: what the worker was sent and what it answered.
fn turns(case: &Value) -> Vec<(wire::WorkflowRequest, wire::WorkflowResponse)> {
    let bytes = |list: &str, index: &Value| {
        decode_base64(case[list][usize::try_from(index.as_u64().unwrap()).unwrap()].as_str().unwrap())
    };
    let traffic: Vec<&Value> =
        case["traffic"].as_array().unwrap().iter().filter(|row| row["what"] == "workflow").collect();
    let mut turns = Vec::new();
    for (at, row) in traffic.iter().enumerate().filter(|(_, row)| row["dir"] == "to_worker") {
        let answer = traffic[at..]
            .iter()
            .find(|next| next["dir"] == "from_worker" && next["instance_id"] == row["instance_id"]);
        let item = wire::WorkItem::decode(&*bytes("work_items_b64", &row["work_item"])).unwrap();
        let Some(Request::WorkflowRequest(request)) = item.request else { panic!("no workflow request") };
        let Some(answer) = answer else { continue };
        let response =
            wire::WorkflowResponse::decode(&*bytes("completions_b64", &answer["completion"])).unwrap();
        turns.push((request, response));
    }
    turns
}

fn is_sentinel(action: &wire::WorkflowAction) -> bool {
    match &action.workflow_action_type {
        Some(Type::CreateTimer(timer)) => {
            timer.fire_at.as_ref().is_some_and(|at| at.seconds == 253_402_300_799)
        }
        _ => false,
    }
}

/// An action without what SDKs fill in their own ways.
fn outline(action: &wire::WorkflowAction, with_id: bool) -> String {
    let id = if with_id { action.id } else { 0 };
    match &action.workflow_action_type {
        Some(Type::ScheduleTask(task)) => format!("{id} task {}", task.name),
        Some(Type::CreateChildWorkflow(child)) => format!("{id} child {}", child.name),
        Some(Type::CreateTimer(timer)) => {
            format!("{id} timer at {:?}", timer.fire_at.map(|at| wire::micros(&at).as_millis()))
        }
        Some(Type::CompleteWorkflow(end)) => {
            let carried: Vec<_> = end.carryover_events.iter().map(|event| &event.event_type).collect();
            format!("{id} end {} {carried:?}", end.workflow_status)
        }
        other => format!("{id} {other:?}"),
    }
}

fn answer(host: &mut Host, request: &wire::WorkflowRequest) -> TurnResult {
    let events = |events: &[wire::HistoryEvent]| events.iter().cloned().map(Event::new).collect::<Vec<_>>();
    let mut replay = Replay::new(&request.instance_id);
    replay.past(events(&request.past_events));
    replay.turn(events(&request.new_events));
    let result = drive(&mut replay, host, 1 << 20, &mut Vec::new());
    host.evict(INSTANCE, RUN);
    result.unwrap_or_else(|stall| panic!("{}: {stall}", request.instance_id))
}

#[test]
fn recorded_turns_get_the_recorded_answers() {
    let mut host = Host::new();
    for (name, body) in programs() {
        host.program(&json!({"name": name, "body": body}));
    }
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../conformance/history");
    let mut compared = 0;
    for language in ["python", "javascript"] {
        for name in CASES.iter().chain(&MORE) {
            let Ok(text) = std::fs::read_to_string(folder.join(language).join(format!("{name}.json"))) else {
                continue;
            };
            let case: Value = serde_json::from_str(&text).unwrap();
            // This one waits 30 s where its twin waits 1 s; only kinds are told apart by it.
            let at = if *name == "event_before_timeout" { "timer" } else { "timer at" };
            for (request, response) in turns(&case) {
                let expected: Vec<_> =
                    response.actions.iter().filter(|action| !is_sentinel(action)).collect();
                let shifted = response.actions.len() > expected.len()
                    && !response.actions.last().is_some_and(is_sentinel);
                let cut = |text: String| {
                    if at == "timer" { text.split(" at ").next().unwrap().to_owned() } else { text }
                };
                let ours = answer(&mut host, &request);
                let ours: Vec<_> = ours.actions.iter().map(|action| cut(outline(action, !shifted))).collect();
                let theirs: Vec<_> = expected.iter().map(|action| cut(outline(action, !shifted))).collect();
                assert_eq!(ours, theirs, "{language} {name}");
                compared += 1;
            }
        }
    }
    assert!(compared > 120, "only {compared} turns were compared");
}
