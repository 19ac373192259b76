//! What the recorded workers ran, by the name of the workflow, in the language of `conformance/fixtures.md`.

use serde_json::{Value, json};

/// Every workflow that a worker had.
pub const NAMES: [&str; 32] = [
    "single",
    "child_echo",
    "chain",
    "fanout",
    "act_fail",
    "act_fail_caught",
    "wf_fail",
    "child_boom",
    "retry",
    "retry_exhausted",
    "timer",
    "timer_named",
    "event",
    "event_early",
    "event_wait_long",
    "event_timeout",
    "event_timeout_any",
    "two_events",
    "child",
    "child_fixed_id",
    "child_fail",
    "child_retry",
    "parent_waiter",
    "waiter",
    "can",
    "custom_status",
    "mixed",
    "slow",
    "patched",
    "patched_wait",
    "versioned",
    "versioned_wait",
];

/// The program of a workflow; nothing for one that no worker had.
pub fn program(name: &str) -> Option<Value> {
    let input = json!({"$": "input"});
    let greet =
        |input: Value| json!([{"activity": "greet", "input": input, "as": "x"}, {"return": {"$": "x"}}]);
    let got = json!({"return": {"got": {"$": "x"}}});
    let retry = |attempts: u32, first: u32| json!({"max_attempts": attempts, "first_interval_ms": first, "backoff": 2});
    let body = match name {
        "single" | "child_echo" => greet(input),
        "chain" => json!([
            {"set": "x", "to": input},
            {"for": "i", "in": [1, 2, 3], "do": [{"activity": "append", "input": {"$": "x"}, "as": "x"}]},
            {"return": {"$": "x"}}
        ]),
        "fanout" => json!([
            {"each": [1, 2, 3, 4, 5], "item": "i", "do": {"activity": "square", "input": {"$": "i"}}, "as": "p"},
            {"set": "sum", "to": {"$add": [{"$": "p.0"}, {"$": "p.1"}, {"$": "p.2"}, {"$": "p.3"}, {"$": "p.4"}]}},
            {"return": {"sum": {"$": "sum"}, "parts": {"$": "p"}, "label": input}}
        ]),
        "act_fail" => json!([{"activity": "boom", "input": input}]),
        "act_fail_caught" => json!([
            {"try": [{"activity": "boom", "input": input}], "catch": [{"activity": "greet", "input": "recovered", "as": "x"}]},
            {"return": {"$": "x"}}
        ]),
        "wf_fail" | "child_boom" => json!([{"raise": "ValueError", "message": "bad"}]),
        "retry" => json!([
            {"activity": "flaky", "input": input, "retry": retry(4, 300), "as": "x"}, {"return": {"$": "x"}}
        ]),
        "retry_exhausted" => json!([{"activity": "boom", "input": input, "retry": retry(2, 200)}]),
        "timer" | "timer_named" => json!([{"timer": 1000}, {"return": "ding"}]),
        "event" => json!([{"event": "Order_Placed", "as": "x"}, got]),
        "event_early" => json!([{"timer": 2000}, {"event": "early", "as": "x"}, got]),
        "event_wait_long" => json!([{"event": "approval", "timeout_ms": 600_000, "as": "x"}, got]),
        "event_timeout" => json!([
            {"try": [{"event": "approval", "timeout_ms": 1000, "as": "x"}, got], "catch": []}, {"return": "timed out"}
        ]),
        "event_timeout_any" => json!([
            {"set": "ms", "to": 30_000},
            {"if": {"$eq": [input, 1]}, "then": [{"set": "ms", "to": 1000}]},
            {"any": [{"event": "approval"}, {"timer": {"$": "ms"}}], "as": "first"},
            {"if": {"$eq": [{"$": "first.index"}, 0]}, "then": [{"return": {"got": {"$": "first.value"}}}]},
            {"return": "timed out"}
        ]),
        "two_events" => {
            json!([{"event": "ev", "as": "a"}, {"event": "ev", "as": "b"}, {"return": [{"$": "a"}, {"$": "b"}]}])
        }
        "child" => {
            json!([{"child": "child_echo", "input": input, "as": "x"}, {"return": {"child": {"$": "x"}}}])
        }
        "child_fixed_id" => json!([
            {"child": "child_echo", "input": input, "id": {"$add": [{"$instance_id": {}}, "-kid"]}, "as": "x"},
            {"return": {"child": {"$": "x"}}}
        ]),
        "child_fail" => json!([{"child": "child_boom", "input": input}]),
        "child_retry" => json!([{"child": "child_boom", "input": input, "retry": retry(2, 200)}]),
        "parent_waiter" => json!([{"child": "waiter", "input": input, "as": "x"}, {"return": {"$": "x"}}]),
        "waiter" => json!([{"event": "go", "as": "x"}, got]),
        "can" => json!([
            {"if": {"$eq": [input, 1]}, "then": [{"timer": 2000}], "else": [{"activity": "square", "input": input}]},
            {"event": "tick", "as": "x"},
            {"if": {"$lt": [input, 3]}, "then": [{"continue_as_new": {"$add": [input, 1]}}]},
            {"return": {"generation": input, "last": {"$": "x"}}}
        ]),
        "custom_status" => json!([
            {"status": "working"}, {"activity": "greet", "input": input, "as": "x"}, {"status": "waiting"},
            {"event": "go"}, {"return": {"$": "x"}}
        ]),
        "mixed" => json!([
            {"all": [
                {"activity": "square", "input": 3}, {"timer": 500}, {"child": "child_echo", "input": "mix"}, {"event": "go"}
            ], "as": "all"},
            {"return": {"$": "all.0"}}
        ]),
        "slow" => json!([{"activity": "slow_act", "input": input, "as": "x"}, {"return": {"$": "x"}}]),
        "patched" => json!([
            {"patch": "patch-ü", "as": "p"},
            {"if": {"$": "p"}, "then": [{"set": "x", "to": "new"}], "else": [{"set": "x", "to": "old"}]},
            {"activity": "greet", "input": {"$": "x"}, "as": "x"},
            {"return": {"$": "x"}}
        ]),
        "patched_wait" => {
            json!([{"patch": "patch-ü", "as": "p"}, {"event": "go", "as": "x"}, {"return": [{"$": "p"}, {"$": "x"}]}])
        }
        "versioned" => greet(json!({"$version": {}})),
        "versioned_wait" => json!([{"event": "go", "as": "x"}, {"return": [{"$version": {}}, {"$": "x"}]}]),
        _ => return None,
    };
    let version = name.starts_with("versioned").then_some("v2");
    Some(json!({"name": name, "version": version, "body": body}))
}

/// Why our answers to the work items of a case cannot be those that were recorded.
pub fn of_another_shape(case: &str) -> Option<&'static str> {
    Some(match case {
        "java/event_other_case.json" => {
            "Java 1.17 tells event names in another case apart, Dapr and we do not"
        }
        "go/terminate_child_only.json" => "Go takes a child that was terminated as one that succeeded",
        "go/rerun_fanout_input.json" => {
            "the steps that Dapr kept do not show that their worker counts from 0"
        }
        _ if case.ends_with("/unknown_name.json") => "no worker had the workflow",
        _ => return None,
    })
}
