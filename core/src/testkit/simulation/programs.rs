//! The workflows of the simulation: whatever happens around them, their outcome is known.

use serde_json::{Value, json};

/// A workload: its programs and what an instance of it must end with.
#[derive(Clone)]
pub(super) struct Work {
    /// The program to start.
    pub(super) name: &'static str,
    /// The version to start, if not the latest that there is then.
    pub(super) version: Option<&'static str>,
    /// Its input.
    pub(super) input: Value,
    /// The events that it waits for: name and data, each raised once.
    pub(super) events: Vec<(&'static str, Value)>,
    /// What it must end with. `VERSION` in a list stands for the version that it began with.
    pub(super) output: Value,
}

/// Stands for a run's version in its output.
const VERSION: &str = "the version";

impl Work {
    /// What a run of this version must end with.
    pub(super) fn output_of(&self, version: Option<&str>) -> Value {
        match &self.output {
            Value::Array(items) => {
                let of = |item: &Value| if item == VERSION { json!(version) } else { item.clone() };
                items.iter().map(of).collect()
            }
            other => other.clone(),
        }
    }
}

/// The programs of a worker: all of them, but of the versions maybe one alone.
pub(super) fn deployed(number: u64) -> Vec<Value> {
    let gone = match number % 4 {
        0 => Some("v1"),
        1 => Some("v2"),
        _ => None,
    };
    let Value::Array(mut all) = programs() else { return Vec::new() };
    all.retain(|program| gone.is_none_or(|gone| program["version"] != gone));
    all
}

/// The number of a worker that has all programs.
pub(super) const ALL: u64 = 2;

/// The programs, in the language of `conformance/fixtures.md`.
fn programs() -> Value {
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
        ]},
        {"name": "flow", "version": "v1", "body": [
            {"activity": "echo", "input": {"$": "input"}, "as": "n"},
            {"timer": 300},
            {"if": {"$lt": [{"$": "n"}, 2]}, "then": [{"continue_as_new": {"$add": [{"$": "n"}, 1]}}]},
            {"activity": "echo", "input": "v1", "as": "x"},
            {"return": [{"$version": {}}, {"$": "x"}]}
        ]},
        {"name": "flow", "version": "v2", "body": [
            {"timer": 200},
            {"activity": "echo", "input": {"$": "input"}, "as": "n"},
            {"if": {"$lt": [{"$": "n"}, 2]}, "then": [{"continue_as_new": {"$add": [{"$": "n"}, 1]}}]},
            {"timer": 100},
            {"activity": "echo", "input": "v2", "as": "x"},
            {"return": [{"$version": {}}, {"$": "x"}]}
        ]}
    ])
}

/// Picks a workload by a number.
pub(super) fn work(number: u64) -> Work {
    let size = 1 + i64::try_from(number / 16 % 4).expect("below 4");
    let plain = |name, output| Work { name, version: None, input: json!(size), events: Vec::new(), output };
    let range: Vec<i64> = (0..size).collect();
    match number % 10 {
        0 => plain("chain", json!(range.iter().sum::<i64>())),
        1 => plain("fan", json!(range)),
        2 => Work {
            name: "events",
            version: None,
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
            version: None,
            input: json!(2),
            events: vec![("TICK", json!("kept"))],
            output: json!([3, "kept", ["late", 3]]),
        },
        6 => plain("retries", json!(size + 1)),
        7 | 8 => Work {
            version: [None, Some("v1"), Some("v2")][usize::try_from(number / 64 % 3).expect("below 3")],
            ..plain("flow", json!([VERSION, VERSION]))
        },
        _ => Work {
            name: "patience",
            version: None,
            input: json!(null),
            events: vec![("tick", json!(7))],
            output: json!(["timed out", 7]),
        },
    }
}
