//! The recorded work items through the worker, as bytes on a stream: what it answers has to be such that the recorded history can
//! go on with it, and its reader of bytes has to find what a decoder finds.

use std::sync::atomic::{AtomicU64, Ordering};

use everstep::history::wire::work_item::Request;
use everstep::history::{Event, wire};
use everstep::testkit::fuzz::read_lazily;
use everstep::testkit::host::Host;
use everstep::testkit::sidecar::{Call, Runtime, Sidecar};
use everstep::testkit::text::TextHost;
use everstep::testkit::workers::Workers;
use prost::Message;
use serde_json::Value;
use wire::history_event::EventType;

use crate::recorded::raw_events;
use crate::shapes::{NAMES, of_another_shape, program};
use crate::vectors::{base64, cases, items};
use crate::worked::{Asked, Turn, asked, expected, turns};

/// The last event of a kind.
fn last_start(events: &[wire::HistoryEvent]) -> Option<(i64, i32)> {
    let started =
        events.iter().rev().find(|event| matches!(event.event_type, Some(EventType::WorkflowStarted(_))));
    started.and_then(|event| event.timestamp.as_ref()).map(|at| (at.seconds, at.nanos))
}

#[test]
fn the_worker_reads_in_every_item_what_a_decoder_reads() {
    let mut count = 0;
    for case in cases() {
        for item in items(&case.data["work_items_b64"]) {
            let bytes = base64(item);
            let Some(Request::WorkflowRequest(request)) =
                wire::WorkItem::decode(bytes.clone()).unwrap().request
            else {
                assert!(read_lazily(&bytes).is_none(), "{}", case.name);
                continue;
            };
            let found = read_lazily(&bytes).unwrap_or_else(|| panic!("{}", case.name));
            assert_eq!(found.instance_id, request.instance_id);
            assert_eq!(found.last_turn, last_start(&request.past_events), "{}", case.name);
            assert_eq!(found.this_turn, last_start(&request.new_events), "{}", case.name);
            let messages =
                |events: &[Event]| events.iter().map(|event| event.message().clone()).collect::<Vec<_>>();
            assert_eq!(messages(&found.past), request.past_events, "{}", case.name);
            assert_eq!(messages(&found.new), request.new_events, "{}", case.name);
            let mut all = request.past_events.iter().chain(&request.new_events);
            let start = all.find_map(|event| match event.event_type.as_ref() {
                Some(EventType::ExecutionStarted(started)) => Some(started),
                _ => None,
            });
            let (start, (name, _)) = (start.unwrap(), found.name.unwrap());
            assert_eq!(name, start.name, "{}", case.name);
            let execution =
                start.workflow_instance.as_ref().and_then(|instance| instance.execution_id.clone());
            assert_eq!(found.execution_id, execution, "{}", case.name);
            count += 1;
        }
        // Every byte of a history stays what it was.
        for raw in raw_events(base64(&case.data["history_b64"])) {
            assert_eq!(Event::decode(raw.clone()).unwrap().bytes(), &raw);
        }
    }
    assert!(count > 460, "{count} turns");
}

fn host() -> TextHost {
    let mut host = Host::new();
    NAMES.iter().for_each(|name| host.program(&program(name).unwrap()));
    ["greet", "append", "square", "boom", "flaky", "slow_act"]
        .iter()
        .for_each(|name| host.activity(name, |task| Ok(task.input.clone())));
    TextHost::over(host)
}

/// Sends an item and waits for the answer to it.
struct Line {
    sidecar: Sidecar,
    seen: AtomicU64,
}

impl Line {
    fn ask(&self, item: &bytes::Bytes, method: &str) -> Call {
        let before = self.seen.fetch_add(1, Ordering::Relaxed);
        let before = usize::try_from(before).unwrap();
        self.sidecar.send(item);
        self.sidecar.until("an answer", |sidecar| sidecar.calls_of(method).len() > before);
        self.sidecar.calls_of(method).swap_remove(before)
    }
}

fn answers(turn: &Turn, line: &Line) -> Vec<Asked> {
    let response: wire::WorkflowResponse = Sidecar::read(&line.ask(&turn.item, "CompleteWorkflowTask"));
    assert_eq!(response.instance_id, turn.request.instance_id);
    asked(&response.actions)
}

/// Whether a run was numbered as we number. An instance that a worker has cached knows its own ids, so it cannot go on in a history
/// that has others; one that is rebuilt can.
fn counts_as_we_do(turns: &[Turn], instance: &str) -> bool {
    let mut ids: Vec<i32> = Vec::new();
    for turn in turns.iter().filter(|turn| turn.request.instance_id == instance) {
        let past = turn.request.past_events.iter().filter(|event| !is_wait(event));
        ids.extend(past.map(|event| event.event_id).filter(|id| *id >= 0));
        ids.extend(
            asked(&turn.answer.actions).into_iter().filter(|(_, kind, _)| *kind != "end").map(|(id, ..)| id),
        );
    }
    ids.sort_unstable();
    ids.dedup();
    ids.iter().zip(1..).all(|(id, number)| *id == number)
}

/// Whether it is one of the timers that SDKs make for waits without an end.
fn is_wait(event: &wire::HistoryEvent) -> bool {
    matches!(&event.event_type, Some(EventType::TimerCreated(timer))
        if timer.fire_at.is_some_and(|at| at.seconds >= 253_402_300_799))
}

/// How many cases and turns went through a worker that keeps so many instances.
fn through(cached: usize) -> (usize, usize) {
    let line = Line { sidecar: Sidecar::open(Runtime::dapr_1_18()), seen: AtomicU64::new(0) };
    let client = line.sidecar.client();
    let _workers = Workers::open(&client, cached, host).unwrap();
    line.sidecar.until("the stream", |sidecar| sidecar.streams() == 1);
    let (mut same, mut count) = (0, 0);
    for case in cases().iter().filter(|case| of_another_shape(&case.name).is_none()) {
        let turns = turns(case);
        // Turns of other code stall; how a worker with that code does so is tried elsewhere.
        let fits = |turn: &&Turn| {
            turn.program().1.is_none() && (cached == 0 || counts_as_we_do(&turns, &turn.request.instance_id))
        };
        let before = count;
        for turn in turns.iter().filter(fits) {
            assert_eq!(answers(turn, &line), expected(turn), "{}, {cached} cached", case.name);
            count += 1;
        }
        same += usize::from(count > before);
    }
    assert_eq!((line.sidecar.streams(), line.sidecar.calls_of("GetWorkItems").len()), (1, 1));
    println!("{same} cases, {count} turns through the worker, {cached} cached");
    (same, count)
}

#[test]
fn the_workers_answers_fit_every_recorded_continuation() {
    assert_eq!(through(0), (138, 456));
}

#[test]
fn a_cached_instance_goes_on_in_a_history_with_the_same_ids() {
    assert_eq!(through(1000), (89, 268));
}

#[test]
fn the_worker_runs_every_recorded_activity() {
    let line = Line { sidecar: Sidecar::open(Runtime::dapr_1_18()), seen: AtomicU64::new(0) };
    let client = line.sidecar.client();
    let _workers = Workers::open(&client, 1000, host).unwrap();
    line.sidecar.until("the stream", |sidecar| sidecar.streams() == 1);
    let mut count = 0;
    for case in cases() {
        let mut sent: Vec<(String, i32, String)> = Vec::new();
        for item in items(&case.data["work_items_b64"]) {
            let bytes = base64(item);
            let Some(Request::ActivityRequest(request)) =
                wire::WorkItem::decode(bytes.clone()).unwrap().request
            else {
                continue;
            };
            let instance = request.workflow_instance.unwrap().instance_id;
            let key = (instance.clone(), request.task_id, request.task_execution_id.clone());
            // JavaScript gives no key, so those of its generations look the same.
            let again = sent.contains(&key) && !key.2.is_empty();
            assert!(!again || case.name == "python/slow_activity_restart.json", "{}", case.name);
            sent.push(key);
            let response: wire::ActivityResponse = Sidecar::read(&line.ask(&bytes, "CompleteActivityTask"));
            assert_eq!(
                (response.instance_id, response.task_id),
                (instance, request.task_id),
                "{}",
                case.name
            );
            // The host of the test writes JSON anew.
            let value =
                |payload: Option<String>| payload.map(|text| serde_json::from_str::<Value>(&text).unwrap());
            assert_eq!(value(response.result), value(request.input), "{}", case.name);
            assert_eq!(response.failure_details, None, "{}", case.name);
            count += 1;
        }
    }
    assert!(count > 200, "{count} activities");
    println!("{count} activities through the worker");
}

/// Nobody had these workflows; the worker says so, as the recorded ones did.
#[test]
fn the_worker_fails_what_nobody_has() {
    let line = Line { sidecar: Sidecar::open(Runtime::dapr_1_18()), seen: AtomicU64::new(0) };
    let client = line.sidecar.client();
    let _workers = Workers::open(&client, 1000, host).unwrap();
    line.sidecar.until("the stream", |sidecar| sidecar.streams() == 1);
    let unknown: Vec<_> =
        cases().into_iter().filter(|case| case.name.ends_with("/unknown_name.json")).collect();
    assert_eq!(unknown.len(), 4);
    for case in unknown {
        let turn = turns(&case).swap_remove(0);
        assert_eq!(answers(&turn, &line), [(i32::MAX, "end", "FAILED".to_owned())], "{}", case.name);
    }
}
