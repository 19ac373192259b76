//! The vectors of `conformance/bridge` against the Rust host, and against this module's own reader and writer.

use serde_json::{Value, json};

use super::random::{Random, Uuids, seed};
use super::{ActivityTask, Command, EvictReason, Job, Parent, PayloadMode, TaskError, WorkflowTask};
use super::{read_completion, write_activity_tasks, write_workflow_tasks};
use crate::testkit::text::TextHost;

fn vectors(name: &str) -> Value {
    let path = format!("{}/../conformance/bridge/{name}", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

/// Without what may be left out on either side.
fn bare(value: &Value) -> Value {
    match value {
        Value::Object(map) => map
            .iter()
            .filter(|(key, value)| match key.as_str() {
                "stack" => false,
                "retryable" | "keep_events" => **value != json!(true),
                _ => **value != json!(false),
            })
            .map(|(key, value)| (key.clone(), bare(value)))
            .collect(),
        Value::Array(items) => items.iter().map(bare).collect(),
        Value::Number(number) => json!(number.as_f64()),
        other => other.clone(),
    }
}

#[test]
fn the_scripted_host_passes_the_turns() {
    let file = vectors("turns.json");
    let mut count = 0;
    for vector in file["vectors"].as_array().unwrap() {
        let name = &vector["name"];
        let mut host = TextHost::new([
            &json!({"name": "program", "version": vector["version"], "body": vector["body"]}),
        ]);
        for task in vector["tasks"].as_array().unwrap() {
            let sent = json!({"v": 1, "batch": "b", "tasks": [
                {"t": "t", "id": file["id"], "run": file["run"], "more": task["more"], "jobs": task["jobs"]}]});
            let text = host.turns(&sent.to_string());
            let answer: Value = serde_json::from_str(&text).unwrap();
            let read = read_completion(&text).unwrap();
            match task["stall"].as_str() {
                Some(code) => {
                    assert_eq!(answer["turns"][0]["stall"]["code"], code, "{name}");
                    assert_eq!(read.turns[0].steps.as_ref().unwrap_err().code.code(), code, "{name}");
                }
                None => {
                    assert_eq!(bare(&answer["turns"][0]["steps"]), bare(&task["steps"]), "{name}");
                    assert_eq!(
                        read.turns[0].steps.as_ref().unwrap().len(),
                        task["jobs"].as_array().unwrap().len()
                    );
                }
            }
        }
        count += 1;
    }
    assert!(count >= 25, "only {count} vectors");
}

#[test]
fn the_reader_takes_every_step_of_the_vectors() {
    for vector in vectors("turns.json")["vectors"].as_array().unwrap() {
        for task in vector["tasks"].as_array().unwrap().iter().filter(|task| task["stall"].is_null()) {
            let text = json!({"v": 1, "turns": [{"t": "t", "steps": task["steps"]}]}).to_string();
            let steps = read_completion(&text).unwrap().turns.remove(0).steps.unwrap();
            for (step, expected) in steps.iter().zip(task["steps"].as_array().unwrap()) {
                let kinds: Vec<_> = step.iter().map(Command::kind).collect();
                let expected: Vec<_> =
                    expected.as_array().unwrap().iter().map(|c| c["kind"].as_str().unwrap()).collect();
                assert_eq!(kinds, expected, "{}", vector["name"]);
            }
        }
    }
}

#[test]
fn random_numbers_and_uuids_are_those_of_the_vectors() {
    for row in vectors("random.json")["runs"].as_array().unwrap() {
        let run = row["run"].as_str().unwrap();
        assert_eq!(seed(run).to_string(), row["seed"], "{run}");
        let (mut whole, mut part) = (Random::new(seed(run)), Random::new(seed(run)));
        for expected in row["u64"].as_array().unwrap() {
            assert_eq!(whole.next_u64().to_string(), *expected, "{run}");
        }
        for expected in row["f64"].as_array().unwrap() {
            assert_eq!(part.next_f64(), expected.as_str().unwrap().parse::<f64>().unwrap(), "{run}");
        }
        let mut uuids = Uuids::new(run);
        let made: Vec<String> = (0..12).map(|_| uuids.next_uuid().to_string()).collect();
        assert_eq!(json!([made[0], made[1], made[2], made[11]]), row["uuids"], "{run}");
    }
}

fn every_job() -> Vec<Job> {
    let cause = TaskError {
        error_type: "C".into(),
        retryable: true,
        data: Some("[1]".into()),
        ..TaskError::default()
    };
    let error = TaskError {
        error_type: "E\"".into(),
        message: "m\n".into(),
        stack: Some("s".into()),
        code: Some("timeout".into()),
        data: Some("NaN".into()),
        cause: Some(Box::new(cause)),
        ..TaskError::default()
    };
    vec![
        Job::Turn { now: 5, replay: true, patches: vec!["a".into(), "b\u{e4}".into()] },
        Job::Start {
            name: "n".into(),
            version: Some("2".into()),
            input: Some("{\"a\": 1}".into()),
            seed: u64::MAX,
            parent: Some(Parent { id: "p".into(), run: Some("r".into()) }),
            tags: [("k".to_owned(), "v".to_owned())].into(),
        },
        Job::Done { reference: 1, value: None },
        Job::Done { reference: 2, value: Some(String::new()) },
        Job::Failed { reference: 3, error },
        Job::Evict { reason: EvictReason::Closing },
    ]
}

#[test]
fn a_batch_is_one_json_text() {
    let task =
        WorkflowTask { token: "t".into(), id: "i".into(), run: "r".into(), more: true, jobs: every_job() };
    let text = write_workflow_tasks("b7", &[task.clone(), task], PayloadMode::Inline);
    let value: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(
        value["tasks"][1]["jobs"],
        json!([
            {"kind": "turn", "now": 5, "replay": true, "patches": ["a", "b\u{e4}"]},
            {"kind": "start", "name": "n", "version": "2", "input": {"a": 1}, "seed": "18446744073709551615",
             "parent": {"id": "p", "run": "r"}, "tags": {"k": "v"}},
            {"kind": "done", "ref": 1},
            {"kind": "done", "ref": 2, "value_text": ""},
            {"kind": "failed", "ref": 3, "error": {"type": "E\"", "message": "m\n", "stack": "s", "code": "timeout",
             "retryable": false, "data_text": "NaN", "cause": {"type": "C", "message": "", "retryable": true, "data": [1]}}},
            {"kind": "evict", "reason": "closing"}
        ])
    );
    assert_eq!(
        (&value["v"], &value["batch"], &value["tasks"][0]["more"]),
        (&json!(1), &json!("b7"), &json!(true))
    );
}

#[test]
fn the_estimate_covers_the_text() {
    for mode in [PayloadMode::Inline, PayloadMode::Text] {
        for job in every_job() {
            let task = |jobs| WorkflowTask { jobs, ..WorkflowTask::default() };
            let empty = write_workflow_tasks("", &[task(vec![])], mode).len();
            let full = write_workflow_tasks("", &[task(vec![job.clone()])], mode).len();
            assert!(full - empty <= super::text_len(&job), "{job:?}");
        }
    }
}

#[test]
fn one_bad_payload_leaves_the_batch_readable() {
    let inputs = [
        "[".repeat(1_000_000),
        "9".repeat(5_000),
        "NaN".to_owned(),
        "{\"__proto__\":1}".to_owned(),
        "\"\\ud800\"".to_owned(),
    ];
    let tasks: Vec<ActivityTask> = inputs
        .iter()
        .map(|input| ActivityTask {
            name: "a".into(),
            input: Some(input.clone()),
            attempt: 2,
            ..ActivityTask::default()
        })
        .collect();
    let text = write_activity_tasks("b8", &tasks, &["c".to_owned()], PayloadMode::Inline);
    let value: std::collections::BTreeMap<String, Box<serde_json::value::RawValue>> =
        serde_json::from_str(&text).unwrap();
    let items: Vec<&serde_json::value::RawValue> = serde_json::from_str(value["tasks"].get()).unwrap();
    let raw: Vec<bool> = items.iter().map(|item| item.get().contains("\"input\":")).collect();
    assert_eq!(raw, [false, false, false, true, true]);
    assert_eq!(value["cancel"].get(), "[\"c\"]");
    let text = write_activity_tasks("b8", &tasks, &[], PayloadMode::Text);
    assert!(!text.contains("\"input\":"));
}
