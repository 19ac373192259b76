//! A worker of a sidecar that the test plays, and activities that can be held.

use std::collections::BTreeMap;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use everstep::Client;
use everstep::history::wire;
use everstep::testkit::host::Host;
use everstep::testkit::sidecar::{Runtime, Sidecar};
use everstep::testkit::text::TextHost;
use everstep::worker::{Poll, Worker};
use serde_json::{Value, json};

pub const PATIENCE: Duration = Duration::from_secs(30);

/// What the activity `held` does: it notes that it runs, and waits until the test opens the gate.
#[derive(Clone, Default)]
pub struct Gate(Arc<(Mutex<Inside>, Condvar)>);

#[derive(Default)]
struct Inside {
    open: bool,
    ran: BTreeMap<String, usize>,
}

impl Gate {
    pub fn opened() -> Gate {
        let gate = Gate::default();
        gate.open();
        gate
    }

    fn lock(&self) -> MutexGuard<'_, Inside> {
        self.0.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn open(&self) {
        self.lock().open = true;
        self.0.1.notify_all();
    }

    fn pass(&self, key: String) {
        let mut inside = self.lock();
        *inside.ran.entry(key).or_default() += 1;
        self.0.1.notify_all();
        let end = Instant::now() + PATIENCE;
        while !inside.open {
            let left = end.saturating_duration_since(Instant::now());
            assert!(!left.is_zero(), "nobody opens the gate");
            inside = self.0.1.wait_timeout(inside, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Waits until so many calls were begun.
    pub fn until(&self, calls: usize) {
        let end = Instant::now() + PATIENCE;
        let mut inside = self.lock();
        while inside.ran.values().sum::<usize>() < calls {
            let left = end.saturating_duration_since(Instant::now());
            assert!(!left.is_zero(), "only {:?} ran", inside.ran);
            inside = self.0.1.wait_timeout(inside, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// How many calls there were, and how often the one that ran most often did.
    pub fn ran(&self) -> (usize, usize) {
        let inside = self.lock();
        (inside.ran.len(), inside.ran.values().copied().max().unwrap_or(0))
    }
}

/// A worker with its two threads.
pub struct Serving {
    pub worker: Arc<Worker>,
    threads: Vec<JoinHandle<()>>,
}

impl Serving {
    /// `slots` limits turns and activities alike.
    pub fn open(client: &Client, programs: &Value, gate: &Gate, cached: usize, slots: usize) -> Serving {
        let host = || {
            let mut host = Host::new();
            host.fixture_activities();
            let gate = gate.clone();
            host.activity("held", move |task| {
                gate.pass(format!("{} {}", task.id, task.task));
                Ok(task.input.clone())
            });
            host.activity("large", |_| Ok(Some(format!("\"{}\"", "x".repeat(200_000)))));
            programs.as_array().unwrap().iter().for_each(|program| host.program(program));
            TextHost::over(host)
        };
        let mut open: Value = serde_json::from_str(&host().open(cached)).unwrap();
        open["slots"] = json!({"workflows": slots, "activities": slots});
        let (worker, _) = Worker::open(client, None, &open.to_string()).unwrap();
        let worker = Arc::new(worker);
        let (mut turns, mut activities) = (host(), host());
        let (for_turns, for_activities) = (worker.clone(), worker.clone());
        let threads = vec![
            std::thread::spawn(move || {
                while let Ok(Poll::Batch(batch)) = for_turns.poll_workflows(slots, 1 << 20, None) {
                    for_turns.complete(&turns.turns(&batch)).unwrap();
                }
            }),
            std::thread::spawn(move || {
                while let Ok(Poll::Batch(batch)) = for_activities.poll_activities(slots, 1 << 20, None) {
                    for_activities.complete(&activities.activities(&batch)).unwrap();
                }
            }),
        ];
        Serving { worker, threads }
    }

    pub fn simple(client: &Client, programs: &Value) -> Serving {
        Serving::open(client, programs, &Gate::opened(), 1000, 100)
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        self.worker.shutdown(Duration::from_millis(200));
        for thread in self.threads.drain(..) {
            if thread.join().is_err() && !std::thread::panicking() {
                panic!("a polling thread panicked");
            }
        }
    }
}

/// Three activities one after the other, each of which adds one.
pub fn chain() -> Value {
    json!([{"name": "chain", "body": [
        {"set": "x", "to": {"$": "input"}},
        {"for": "i", "in": [1, 2, 3], "do": [{"activity": "add", "input": [{"$": "x"}, 1], "as": "x"}]},
        {"return": {"$": "x"}}
    ]}])
}

/// One activity that the test holds.
pub fn held() -> Value {
    json!([{"name": "held", "body": [{"activity": "held", "input": {"$": "input"}, "as": "x"}, {"return": {"$": "x"}}]}])
}

/// Three events, each with what was seen before it as the status.
pub fn events() -> Value {
    json!([{"name": "events", "body": [
        {"event": "a", "as": "a"}, {"status": "after a"}, {"event": "b", "as": "b"}, {"activity": "echo", "input": 5, "as": "e"},
        {"event": "c", "as": "c"}, {"return": [{"$": "a"}, {"$": "b"}, {"$": "c"}, {"$": "e"}]}
    ]}])
}

/// Waits for the end of an instance; gives its output.
pub fn output(sidecar: &Sidecar, id: &str) -> Option<String> {
    sidecar.until(&format!("the end of {id}"), |sidecar| sidecar.output(id).is_some());
    sidecar.output(id).unwrap()
}

/// Both lines of the runtime.
pub fn lines() -> [(&'static str, Runtime); 2] {
    [("1.18", Runtime::dapr_1_18()), ("1.19", Runtime::dapr_1_19())]
}

/// What a worker answered to turns, by either name.
pub fn turns_answered(sidecar: &Sidecar) -> Vec<wire::WorkflowResponse> {
    let calls = sidecar.calls().into_iter();
    let of_turns =
        calls.filter(|call| ["CompleteWorkflowTask", "CompleteOrchestratorTask"].contains(&&*call.method));
    of_turns.map(|call| Sidecar::read(&call)).collect()
}

/// What a history may not show, whatever went wrong on the way: an id twice, an answer to nothing, two ends.
pub fn check_history(sidecar: &Sidecar, id: &str) {
    let events = everstep::history::decode(&sidecar.history(id));
    let mut ids: Vec<i32> = events.iter().map(|event| event.event_id).filter(|id| *id >= 0).collect();
    let all = ids.len();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), all, "{id}: an id was given twice: {events:#?}");
    let answers: Vec<i32> = events.iter().filter_map(|event| event.task_id).collect();
    assert!(answers.iter().all(|answer| ids.contains(answer)), "{id}: an answer to nothing: {events:#?}");
    let ends = events.iter().filter(|event| event.kind == "ExecutionCompleted").count();
    assert!(ends <= 1, "{id}: {ends} ends");
    assert_eq!(sidecar.refused(), Vec::<String>::new());
}
