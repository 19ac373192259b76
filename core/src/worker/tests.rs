//! The worker between a source that the test plays and a scripted host.

use std::collections::VecDeque;

use serde_json::{Value, json};

use super::*;
use crate::engine::machine::Evict;
use crate::engine::store::Key;
use crate::engine::task::{ActivityKey, ActivityResult, ActivityTask};
use crate::engine::{Abilities, ActivityWork, WorkflowWork};
use crate::history::wire::history_event::EventType;
use crate::history::{Event, wire};
use crate::model::Micros;
use crate::testkit::text::TextHost;

#[derive(Default)]
struct Source {
    turns: Mutex<VecDeque<WorkflowTask>>,
    evictions: Mutex<Vec<(RunKey, Evict)>>,
    activities: Mutex<VecDeque<Arc<ActivityTask>>>,
    cancels: Mutex<Vec<ActivityKey>>,
    outcomes: Mutex<Vec<(i64, bool)>>,
    results: Mutex<Vec<ActivityKey>>,
    given_back: Mutex<Vec<u64>>,
    dropped: Mutex<Vec<i64>>,
    left: Mutex<bool>,
    past: Mutex<Option<Vec<Event>>>,
}

impl Session for Source {
    fn take_turns(&self, max: usize) -> WorkflowWork {
        let mut turns = self.turns.lock().unwrap();
        let take = turns.len().min(max);
        let tasks = turns.drain(..take).collect();
        WorkflowWork { tasks, evictions: std::mem::take(&mut self.evictions.lock().unwrap()) }
    }

    fn take_activities(&self, max: usize) -> ActivityWork {
        let mut activities = self.activities.lock().unwrap();
        let take = activities.len().min(max);
        let tasks = activities.drain(..take).collect();
        ActivityWork { tasks, cancels: std::mem::take(&mut self.cancels.lock().unwrap()) }
    }

    fn past(&self, _: &WorkflowTask) -> Result<Vec<Event>> {
        self.past.lock().unwrap().clone().ok_or_else(|| Error::new(ErrorKind::Unavailable, "unreadable"))
    }

    fn answer_turns(&self, answers: Vec<TurnOutcome>) {
        let told = answers.iter().map(|answer| (answer.run.key.0, answer.cached));
        self.outcomes.lock().unwrap().extend(told);
    }

    fn answer_activities(&self, answers: Vec<(ActivityKey, ActivityResult)>) {
        self.results.lock().unwrap().extend(answers.iter().map(|(key, _)| *key));
    }

    fn give_back(&self, _: RunKey, token: u64) {
        self.given_back.lock().unwrap().push(token);
    }

    fn dropped(&self, run: RunKey) {
        self.dropped.lock().unwrap().push(run.key.0);
    }

    fn leave(&self) {
        *self.left.lock().unwrap() = true;
    }
}

struct Joined(Arc<Source>);

impl TaskSource for Joined {
    fn join(&self, _: Arc<Abilities>, _: Arc<dyn Bell>) -> Result<Arc<dyn Session>> {
        Ok(self.0.clone())
    }
}

struct Bench {
    source: Arc<Source>,
    worker: Worker,
    host: TextHost,
}

impl Bench {
    fn new(max_cached: usize, slots: usize) -> Bench {
        let program = json!({"name": "flow", "body": [{"event": "tick", "as": "x"}, {"return": {"$": "x"}}]});
        let host = TextHost::new([&program]);
        let mut open: Value = serde_json::from_str(&host.open(max_cached)).unwrap();
        open["slots"] = json!({"workflows": slots, "activities": slots});
        let source = Arc::new(Source::default());
        let (worker, _) = Worker::join(&Joined(source.clone()), &open.to_string(), 1 << 20).unwrap();
        Bench { source, worker, host }
    }

    fn poll(&self) -> Poll {
        self.worker.poll_workflows(10, 1 << 20, Some(Duration::ZERO)).unwrap()
    }

    /// The ids and kinds of jobs of the next batch.
    fn next(&mut self) -> Vec<String> {
        let Poll::Batch(text) = self.poll() else { return Vec::new() };
        self.worker.complete(&self.host.turns(&text)).unwrap();
        jobs(&text)
    }

    fn begin(&mut self, key: i64) -> Vec<String> {
        self.source.turns.lock().unwrap().push_back(first(key));
        self.next()
    }

    fn outcomes(&self) -> Vec<(i64, bool)> {
        std::mem::take(&mut self.source.outcomes.lock().unwrap())
    }
}

fn jobs(text: &str) -> Vec<String> {
    let batch: Value = serde_json::from_str(text).unwrap();
    let tasks = batch["tasks"].as_array().unwrap().clone();
    tasks
        .iter()
        .map(|task| {
            let kinds: Vec<&str> =
                task["jobs"].as_array().unwrap().iter().map(|job| job["kind"].as_str().unwrap()).collect();
            format!("{} {}", task["id"].as_str().unwrap(), kinds.join(" "))
        })
        .collect()
}

fn run(key: i64) -> RunKey {
    RunKey { key: Key(key), generation: 0 }
}

fn event(time: i64, event_type: EventType) -> Event {
    Event::new(wire::HistoryEvent {
        event_id: -1,
        timestamp: Some(wire::timestamp(Micros(time))),
        event_type: Some(event_type),
        ..Default::default()
    })
}

fn started() -> Vec<Event> {
    let start = wire::ExecutionStartedEvent { name: "flow".to_owned(), ..Default::default() };
    vec![
        event(1, EventType::WorkflowStarted(wire::WorkflowStartedEvent::default())),
        event(1, EventType::ExecutionStarted(Box::new(start))),
    ]
}

fn task(key: i64, turn: u32, events: Vec<Event>) -> WorkflowTask {
    WorkflowTask {
        run: run(key),
        token: u64::try_from(key).unwrap() * 100 + u64::from(turn),
        instance_id: Arc::from(format!("i{key}")),
        execution_id: Arc::from(format!("e{key}")),
        name: Arc::from("flow"),
        version: crate::engine::task::Version::Latest,
        turn,
        has_past: turn > 0,
        events,
    }
}

fn first(key: i64) -> WorkflowTask {
    task(key, 0, started())
}

/// A turn that brings the event which the workflow waits for.
fn tick(key: i64, turn: u32) -> WorkflowTask {
    let raised = wire::EventRaisedEvent { name: "tick".to_owned(), input: Some("5".to_owned()) };
    let started = EventType::WorkflowStarted(wire::WorkflowStartedEvent::default());
    task(key, turn, vec![event(9, started), event(9, EventType::EventRaised(raised))])
}

fn activity(key: i64) -> Arc<ActivityTask> {
    Arc::new(ActivityTask {
        run: run(key),
        task_id: 1,
        instance_id: Arc::from("i"),
        execution_id: Arc::from("e"),
        name: "echo".to_owned(),
        input: Some("1".to_owned()),
        attempt: 1,
        execution_key: String::new(),
        deadline: None,
    })
}

#[test]
fn no_more_turns_are_taken_than_there_are_slots() {
    let mut bench = Bench::new(10, 1);
    bench.source.turns.lock().unwrap().extend([first(1), first(2)]);
    let Poll::Batch(text) = bench.poll() else { panic!("there is a turn") };
    assert_eq!(jobs(&text), ["i1 turn start"]);
    assert_eq!(bench.poll(), Poll::Empty);
    assert_eq!(bench.source.turns.lock().unwrap().len(), 1, "it waits at the source");
    // A run that holds the only slot is given up: that must get through.
    bench.source.evictions.lock().unwrap().push((run(1), Evict::Ended));
    assert_eq!(bench.next(), ["i1 evict"]);
    assert_eq!(bench.next(), ["i2 turn start"]);
    bench.worker.complete(&bench.host.turns(&text)).unwrap();
    assert_eq!(bench.outcomes(), [(2, true)], "the late answer has no turn");
}

#[test]
fn the_least_recently_used_instance_goes_first() {
    let mut bench = Bench::new(2, 10);
    bench.begin(1);
    bench.begin(2);
    bench.source.turns.lock().unwrap().push_back(task(1, 1, tick(1, 1).events[..1].to_vec()));
    assert!(bench.next().is_empty(), "a turn without news needs no host");
    bench.begin(3);
    assert_eq!(*bench.source.dropped.lock().unwrap(), [2]);
    assert_eq!(bench.next(), ["i2 evict"]);
    assert_eq!(bench.outcomes(), [(1, true), (2, true), (1, true), (3, true)]);
}

#[test]
fn without_a_cache_every_turn_is_a_rebuild() {
    let mut bench = Bench::new(0, 10);
    bench.begin(1);
    assert_eq!(bench.outcomes(), [(1, false)]);
    assert_eq!(bench.next(), ["i1 evict"]);
    *bench.source.past.lock().unwrap() = Some(started());
    bench.source.turns.lock().unwrap().push_back(tick(1, 1));
    assert_eq!(bench.next(), ["i1 turn start"]);
    assert_eq!(bench.next(), ["i1 turn done"]);
    assert_eq!(bench.outcomes(), [(1, false)]);
}

#[test]
fn an_instance_that_has_not_seen_all_turns_is_rebuilt() {
    let mut bench = Bench::new(10, 10);
    bench.begin(1);
    *bench.source.past.lock().unwrap() = Some(started());
    bench.source.turns.lock().unwrap().push_back(tick(1, 4));
    assert_eq!(bench.next(), ["i1 evict", "i1 turn start"]);
    assert_eq!(bench.next(), ["i1 turn done"]);
}

#[test]
fn a_turn_whose_past_cannot_be_read_is_given_back() {
    let mut bench = Bench::new(10, 1);
    bench.source.turns.lock().unwrap().push_back(tick(1, 1));
    assert_eq!(bench.poll(), Poll::Empty);
    assert_eq!(*bench.source.given_back.lock().unwrap(), [101]);
    assert_eq!(bench.begin(2), ["i2 turn start"], "its slot is free again");
}

#[test]
fn a_run_given_up_between_two_locks_is_not_kept() {
    let source = Source::default();
    let slots = crate::bridge::Slots { workflows: 1, activities: 1 };
    let mut state = State::new(10, slots);
    let begun = state.accept(WorkflowWork { tasks: vec![first(1)], evictions: Vec::new() });
    let (task, cached) = begun.into_iter().next().unwrap();
    let (token, progress) = (task.token, turn::begin(task, cached, &source, &Abilities::default()));
    state.accept(WorkflowWork { tasks: Vec::new(), evictions: vec![(run(1), Evict::Stalled)] });
    assert!(state.begun(token, progress, Instant::now()).is_none(), "nobody waits for it");
    assert_eq!(state.free_turns(10), 1);
    let text = state.write_turns(10, 1 << 20, PayloadMode::Text).unwrap();
    assert_eq!(jobs(&text), ["i1 evict"]);
    assert!(state.is_drained());
}

#[test]
fn idle_instances_leave_after_their_time() {
    let source = Source::default();
    let slots = crate::bridge::Slots { workflows: 9, activities: 9 };
    let mut state = State::new(10, slots);
    assert_eq!(state.idle_until(IDLE), None);
    let mut host = Bench::new(10, 10).host;
    let begun = state.accept(WorkflowWork { tasks: vec![first(1)], evictions: Vec::new() });
    let now = Instant::now();
    for (task, cached) in begun {
        let token = task.token;
        let progress = turn::begin(task, cached, &source, &Abilities::default());
        assert!(state.begun(token, progress, now).is_none());
    }
    let text = state.write_turns(10, 1 << 20, PayloadMode::Text).unwrap();
    let answers = bridge::read_completion(&host.turns(&text)).unwrap().turns;
    for answer in answers {
        let turn = state.answered(&answer.token).unwrap();
        let token = turn.token;
        assert!(state.begun(token, Some(turn.answer(answer.steps, 1 << 20)), now).unwrap().cached);
    }
    assert_eq!(state.idle_until(IDLE), Some(now + IDLE));
    assert!(state.expire(now, IDLE).is_empty());
    assert_eq!(state.expire(now + IDLE, IDLE), [run(1)]);
}

#[test]
fn a_batch_can_be_polled_again_and_a_token_answers_once() {
    let bench = Bench::new(10, 10);
    bench.source.turns.lock().unwrap().push_back(first(1));
    let Poll::Batch(text) = bench.poll() else { panic!("there is a turn") };
    let batch: Value = serde_json::from_str(&text).unwrap();
    let again = bench.worker.repoll(batch["batch"].as_str().unwrap()).unwrap();
    assert_eq!(jobs(&again), jobs(&text));
    assert_eq!(bench.worker.repoll("b99").unwrap_err().kind(), ErrorKind::NotFound);
    let mut host = bench.host;
    let answer = host.turns(&text);
    bench.worker.complete(&answer).unwrap();
    bench.worker.complete(&answer).unwrap();
    assert_eq!(*bench.source.outcomes.lock().unwrap(), [(1, true)]);
    assert_eq!(bench.worker.complete("no").unwrap_err().kind(), ErrorKind::DecodeFailed);
}

#[test]
fn an_activity_that_is_no_longer_wanted_is_called_off_even_while_the_worker_drains() {
    let mut bench = Bench::new(10, 1);
    bench.source.activities.lock().unwrap().extend([activity(1), activity(2)]);
    let poll = || bench.worker.poll_activities(10, 1 << 20, Some(Duration::ZERO)).unwrap();
    let Poll::Batch(text) = poll() else { panic!("there is an activity") };
    assert_eq!(poll(), Poll::Empty, "one slot");
    bench.worker.gate.lock().close();
    let key = ActivityKey { run: run(1), task_id: 1 };
    bench.source.cancels.lock().unwrap().push(key);
    let Poll::Batch(cancel) = poll() else { panic!("it is called off") };
    let (text, cancel): (Value, Value) =
        (serde_json::from_str(&text).unwrap(), serde_json::from_str(&cancel).unwrap());
    assert_eq!(cancel["cancel"][0], text["tasks"][0]["t"]);
    assert_eq!(poll(), Poll::Closed);
    bench.worker.complete(&bench.host.activities(&text.to_string())).unwrap();
    assert!(bench.source.results.lock().unwrap().is_empty());
}

#[test]
fn a_shutdown_waits_for_what_is_at_the_host_and_then_leaves() {
    let mut bench = Bench::new(10, 10);
    bench.begin(1);
    bench.source.turns.lock().unwrap().push_back(first(2));
    let Poll::Batch(text) = bench.poll() else { panic!("there is a turn") };
    let answer = bench.host.turns(&text);
    std::thread::scope(|scope| {
        let worker = &bench.worker;
        let ended = scope.spawn(|| worker.shutdown(Duration::from_secs(60)));
        let mut seen = Vec::new();
        worker.complete(&answer).unwrap();
        loop {
            match worker.poll_workflows(10, 1 << 20, Some(Duration::from_secs(60))).unwrap() {
                Poll::Batch(text) => seen.extend(jobs(&text)),
                Poll::Closed => break,
                Poll::Empty => panic!("the worker never closes"),
            }
        }
        ended.join().unwrap();
        seen.sort();
        assert_eq!(seen, ["i1 evict", "i2 evict"]);
    });
    assert!(*bench.source.left.lock().unwrap() && bench.worker.is_closed());
}

#[test]
fn a_shutdown_does_not_wait_beyond_its_deadline() {
    let mut bench = Bench::new(10, 10);
    bench.source.turns.lock().unwrap().push_back(first(1));
    let Poll::Batch(text) = bench.poll() else { panic!("there is a turn") };
    bench.worker.shutdown(Duration::ZERO);
    assert!(*bench.source.left.lock().unwrap());
    bench.worker.complete(&bench.host.turns(&text)).unwrap();
    assert!(bench.outcomes().is_empty(), "it is handed out again by the source");
    assert_eq!(bench.poll(), Poll::Closed);
    bench.worker.shutdown(Duration::MAX);
}

#[test]
fn a_shutdown_without_time_lets_one_go_that_waits() {
    let bench = Bench::new(10, 10);
    bench.source.turns.lock().unwrap().push_back(first(1));
    assert!(matches!(bench.poll(), Poll::Batch(_)), "there is a turn");
    let begun = Instant::now();
    std::thread::scope(|scope| {
        let patient = scope.spawn(|| bench.worker.shutdown(Duration::from_secs(60)));
        while !bench.worker.is_closed() {
            std::thread::yield_now();
        }
        bench.worker.shutdown(Duration::ZERO);
        patient.join().unwrap();
    });
    assert!(begun.elapsed() < Duration::from_secs(30));
}
