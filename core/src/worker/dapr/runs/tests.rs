//! Deliveries, answers and losses, without a server.

use bytes::Bytes;
use prost::Message;

use super::*;
use crate::history::wire;
use crate::history::wire::history_event::EventType;
use crate::model::Micros;

/// A history: turns begin at their times, the first one with the start of `execution`.
fn history(execution: &str, turns: &[i64]) -> Vec<wire::HistoryEvent> {
    let at = |time: i64, kind| wire::HistoryEvent {
        event_id: -1,
        timestamp: Some(wire::timestamp(Micros(time))),
        event_type: Some(kind),
        ..Default::default()
    };
    let start = wire::ExecutionStartedEvent {
        name: "flow".into(),
        workflow_instance: Some(wire::WorkflowInstance {
            instance_id: "a".into(),
            execution_id: Some(execution.into()),
        }),
        ..Default::default()
    };
    let mut events = Vec::new();
    for (number, time) in turns.iter().enumerate() {
        events.push(at(*time, EventType::WorkflowStarted(wire::WorkflowStartedEvent::default())));
        events.push(match number {
            0 => at(*time, EventType::ExecutionStarted(Box::new(start.clone()))),
            _ => at(*time, EventType::TimerCreated(wire::TimerCreatedEvent::default())),
        });
    }
    events
}

fn delivery(stream: u64, execution: &str, past: &[i64], now: i64) -> Delivery {
    let all: Vec<i64> = past.iter().copied().chain([now]).collect();
    let mut past = history(execution, &all);
    let new = past.split_off(2 * (all.len() - 1));
    let request = wire::WorkflowRequest {
        instance_id: "a".into(),
        past_events: past,
        new_events: new,
        ..Default::default()
    };
    let item = Arc::new(TurnItem::read(Bytes::from(request.encode_to_vec())).unwrap());
    let events = item.new_events().unwrap();
    Delivery { stream, completion_token: String::new(), item, events }
}

struct Bench {
    runs: Runs,
    worker: WorkerId,
    /// Whether a worker has the turns that are out.
    taken: bool,
}

impl Bench {
    fn new() -> Bench {
        let dispatch = crate::engine::dispatch::Dispatch::strict();
        let bell: Arc<dyn crate::engine::Bell> = Arc::new(Silent);
        Bench { runs: Runs::default(), worker: dispatch.join(Arc::default(), &bell), taken: true }
    }

    fn place(&mut self, delivery: Delivery) -> Placed {
        let taken = self.taken;
        self.runs.place(delivery, |_| !taken, |_| true).unwrap()
    }

    fn turn(&mut self, delivery: Delivery) -> WorkflowTask {
        match self.place(delivery) {
            Placed::Turn(task, _) => task,
            Placed::Held => panic!("held"),
        }
    }

    fn cached(&mut self, task: &WorkflowTask) -> Ended {
        self.runs.ended(task.run, task.token, Some(self.worker)).unwrap()
    }
}

struct Silent;

impl crate::engine::Bell for Silent {
    fn workflows(&self) {}
    fn activities(&self) {}
}

/// The number that a worker's cached instance waits for after it ran the task.
fn waits_for(task: &WorkflowTask) -> u32 {
    task.turn + 1
}

#[test]
fn a_cached_instance_goes_on_from_the_turn_that_it_ran_last() {
    let mut bench = Bench::new();
    let first = bench.turn(delivery(1, "e", &[], 10));
    assert!(!first.has_past);
    bench.cached(&first);
    let second = bench.turn(delivery(1, "e", &[10], 20));
    assert_eq!((second.run, second.turn), (first.run, waits_for(&first)));
    bench.cached(&second);
    assert_eq!(bench.turn(delivery(1, "e", &[10, 20], 30)).turn, waits_for(&second));
}

#[test]
fn a_turn_that_the_runtime_did_not_write_is_not_gone_on_from() {
    let mut bench = Bench::new();
    let first = bench.turn(delivery(1, "e", &[], 10));
    bench.cached(&first);
    let second = bench.turn(delivery(1, "e", &[10], 20));
    bench.cached(&second);
    // The answer to the second turn was lost: it comes again, and begins later.
    let again = bench.turn(delivery(1, "e", &[10], 25));
    assert_ne!(again.turn, waits_for(&second));
    bench.cached(&again);
    assert_eq!(bench.turn(delivery(1, "e", &[10, 25], 30)).turn, waits_for(&again));
}

#[test]
fn a_turn_that_ran_elsewhere_has_the_instance_rebuilt() {
    let mut bench = Bench::new();
    let first = bench.turn(delivery(1, "e", &[], 10));
    bench.cached(&first);
    assert_ne!(bench.turn(delivery(1, "e", &[10, 20], 30)).turn, waits_for(&first));
}

#[test]
fn an_answer_that_went_nowhere_leaves_nothing_to_go_on_from() {
    let mut bench = Bench::new();
    let first = bench.turn(delivery(1, "e", &[], 10));
    bench.cached(&first);
    bench.runs.outdated("a");
    assert_ne!(bench.turn(delivery(1, "e", &[10], 20)).turn, waits_for(&first));
}

#[test]
fn another_generation_is_another_run() {
    let mut bench = Bench::new();
    let first = bench.turn(delivery(1, "e", &[], 10));
    bench.cached(&first);
    let Placed::Turn(next, over) = bench.place(delivery(1, "f", &[], 20)) else { panic!() };
    assert_eq!(over, Some(first.run));
    assert_ne!(next.run, first.run);
    assert_eq!(bench.runs.len(), 1);
}

#[test]
fn a_redelivery_waits_for_the_worker_that_has_the_turn() {
    let mut bench = Bench::new();
    let first = bench.turn(delivery(1, "e", &[], 10));
    assert!(matches!(bench.place(delivery(2, "e", &[], 15)), Placed::Held));
    let ended = bench.cached(&first);
    let again = bench.turn(ended.held.unwrap());
    assert_ne!(again.turn, waits_for(&first), "the answer of the lost stream counts for nothing");
    assert!(bench.runs.ended(first.run, first.token, None).is_none(), "a second answer");
}

#[test]
fn a_redelivery_takes_the_place_of_a_turn_that_nobody_has_yet() {
    let mut bench = Bench { taken: false, ..Bench::new() };
    let first = bench.turn(delivery(1, "e", &[], 10));
    let again = bench.turn(delivery(2, "e", &[], 15));
    assert_eq!(again.run, first.run);
    assert!(bench.runs.ended(first.run, first.token, None).is_none());
    assert_eq!(bench.runs.out(again.run).unwrap().delivery.stream, 2);
}

#[test]
fn what_is_neither_out_nor_cached_is_forgotten() {
    let mut bench = Bench::new();
    let first = bench.turn(delivery(1, "e", &[], 10));
    assert!(bench.runs.ended(first.run, first.token, None).is_some());
    assert_eq!(bench.runs.len(), 0);
    let second = bench.turn(delivery(1, "e", &[10], 20));
    bench.cached(&second);
    bench.runs.dropped(second.run);
    assert_eq!(bench.runs.len(), 0);
    let third = bench.turn(delivery(1, "e", &[10, 20], 30));
    bench.cached(&third);
    bench.runs.left(bench.worker);
    assert_eq!(bench.runs.len(), 0);
}

#[test]
fn a_lost_stream_takes_its_turns_along() {
    let mut bench = Bench { taken: false, ..Bench::new() };
    let first = bench.turn(delivery(1, "e", &[], 10));
    assert_eq!(bench.runs.lost_stream(2), []);
    assert_eq!(bench.runs.lost_stream(1), [first.run]);
    bench.runs.withdrawn(first.run);
    assert_eq!(bench.runs.len(), 0);
}

#[test]
fn what_nobody_ever_ran_is_run_and_not_replayed() {
    let mut bench = Bench::new();
    let task = bench.turn(delivery(1, "e", &[10], 20));
    assert!(!task.has_past);
    assert_eq!(task.events.len(), 4);
    assert_eq!(task.version, Version::Unversioned);
    let placed = Runs::default().place(delivery(1, "e", &[10], 20), |_| true, |_| false).unwrap();
    let Placed::Turn(task, _) = placed else { panic!() };
    assert_eq!(task.version, Version::Latest);
}
