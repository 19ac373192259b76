//! The workflows of the simulation: whatever happens around them, their outcome is known.

use serde_json::{Value, json};

/// A workload: its programs and what an instance of it must end with.
#[derive(Clone)]
pub(super) struct Work {
    /// The program to start.
    pub(super) name: &'static str,
    /// Its input.
    pub(super) input: Value,
    /// The events that it waits for: name and data, each raised once.
    pub(super) events: Vec<(&'static str, Value)>,
    /// What it must end with.
    pub(super) output: Value,
}

/// The programs, in the language of `conformance/fixtures.md`.
pub(super) fn programs() -> Value {
    json!([
        {"name": "chain", "body": [
            {"set": "sum", "to": 0},
            {"for": "i", "in": {"$range": {"$": "input"}}, "do": [
                {"activity": "echo", "input": {"$": "i"}, "as": "x"},
                {"set": "sum", "to": {"$add": [{"$": "sum"}, {"$": "x"}]}}
            ]},
            {"return": {"$": "sum"}}
        ]},
        {"name": "fan", "body": [
            {"each": {"$range": {"$": "input"}}, "item": "i", "do": {"activity": "echo", "input": {"$": "i"}}, "as": "all"},
            {"return": {"$": "all"}}
        ]},
        {"name": "events", "body": [
            {"set": "seen", "to": []},
            {"for": "i", "in": {"$range": {"$": "input"}}, "do": [
                {"event": "tick", "as": "x"},
                {"set": "seen", "to": {"$push": [{"$": "seen"}, {"$": "x"}]}},
                {"activity": "echo", "input": {"$": "i"}}
            ]},
            {"return": {"$len": {"$": "seen"}}}
        ]},
        {"name": "timers", "body": [
            {"for": "i", "in": {"$range": {"$": "input"}}, "do": [
                {"timer": 500},
                {"activity": "echo", "input": {"$": "i"}}
            ]},
            {"all": [{"timer": 300}, {"timer": 700}, {"activity": "echo", "input": "x"}], "as": "all"},
            {"return": "timed"}
        ]},
        {"name": "leaf", "body": [
            {"activity": "echo", "input": {"$": "input"}, "as": "x"},
            {"timer": 100},
            {"return": {"$add": [{"$": "x"}, 1]}}
        ]},
        {"name": "parent", "body": [
            {"each": {"$range": {"$": "input"}}, "item": "i", "do": {"child": "leaf", "input": {"$": "i"}}, "as": "all"},
            {"child": "leaf", "input": 10, "as": "last"},
            {"return": {"$push": [{"$": "all"}, {"$": "last"}]}}
        ]},
        {"name": "generations", "body": [
            {"begin": {"activity": "echo", "input": ["late", {"$": "input"}]}, "as": "late"},
            {"activity": "echo", "input": {"$": "input"}, "as": "n"},
            {"if": {"$lt": [{"$": "n"}, 3]}, "then": [{"continue_as_new": {"$add": [{"$": "n"}, 1]}}]},
            {"timer": 50},
            {"event": "tick", "as": "x"},
            {"await": "late", "as": "late"},
            {"return": [{"$": "n"}, {"$": "x"}, {"$": "late"}]}
        ]},
        {"name": "retries", "body": [
            {"activity": "flaky", "input": {"fails": {"$": "input"}},
             "retry": {"max_attempts": 5, "first_interval_ms": 200, "backoff": 2.0}, "as": "x"},
            {"return": {"$": "x.attempt"}}
        ]},
        {"name": "patience", "body": [
            {"try": [{"event": "never", "timeout_ms": 400, "as": "x"}], "catch": [{"set": "x", "to": "timed out"}]},
            {"event": "tick", "timeout_ms": 3_600_000_000i64, "as": "y"},
            {"return": [{"$": "x"}, {"$": "y"}]}
        ]}
    ])
}

/// Picks a workload by a number.
pub(super) fn work(number: u64) -> Work {
    let size = 1 + i64::try_from(number / 16 % 4).expect("below 4");
    let plain = |name, output| Work { name, input: json!(size), events: Vec::new(), output };
    let range: Vec<i64> = (0..size).collect();
    match number % 8 {
        0 => plain("chain", json!(range.iter().sum::<i64>())),
        1 => plain("fan", json!(range)),
        2 => Work {
            name: "events",
            input: json!(size),
            events: range.iter().map(|i| ("tick", json!(i))).collect(),
            output: json!(size),
        },
        3 => plain("timers", json!("timed")),
        4 => {
            let mut all: Vec<i64> = range.iter().map(|i| i + 1).collect();
            all.push(11);
            plain("parent", json!(all))
        }
        5 => Work {
            name: "generations",
            input: json!(2),
            events: vec![("TICK", json!("kept"))],
            output: json!([3, "kept", ["late", 3]]),
        },
        6 => plain("retries", json!(size + 1)),
        _ => Work {
            name: "patience",
            input: json!(null),
            events: vec![("tick", json!(7))],
            output: json!(["timed out", 7]),
        },
    }
}
