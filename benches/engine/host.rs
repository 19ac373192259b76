//! The host: a workflow that calls five activities one after the other, and the activity that adds one.

use std::fmt::Write as _;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use everstep::Client;
use everstep::Result;
use everstep::worker::{Poll, Worker};
use serde::Deserialize;

const OPEN: &str = r#"{"v":1,"host":"rust","payloads":"inline","workflows":[{"name":"five_activities"}],
    "activities":["add_one"],"max_cached":10000,"slots":{"workflows":1000,"activities":1000}}"#;
const MAX: usize = 256;
const MAX_BYTES: usize = 1 << 20;

#[derive(Deserialize)]
struct Batch<'a> {
    #[serde(borrow)]
    tasks: Vec<Task<'a>>,
}

#[derive(Deserialize)]
struct Task<'a> {
    t: &'a str,
    #[serde(default)]
    input: i64,
    #[serde(default)]
    jobs: Vec<Job<'a>>,
}

#[derive(Deserialize)]
struct Job<'a> {
    kind: &'a str,
    #[serde(rename = "ref", default)]
    reference: i64,
    #[serde(default)]
    input: i64,
    #[serde(default)]
    value: i64,
}

/// A worker and the threads that poll it.
pub(crate) struct Host {
    worker: Arc<Worker>,
    threads: Vec<JoinHandle<Result<()>>>,
}

impl Host {
    pub(crate) fn start(client: &Client) -> Result<Self> {
        let worker = Arc::new(Worker::open(client, None, OPEN)?.0);
        let workflows = {
            let worker = worker.clone();
            std::thread::spawn(move || run(&worker, || worker.poll_workflows(MAX, MAX_BYTES, None), turns))
        };
        let activities = {
            let worker = worker.clone();
            std::thread::spawn(move || run(&worker, || worker.poll_activities(MAX, MAX_BYTES, None), results))
        };
        Ok(Self { worker, threads: vec![workflows, activities] })
    }

    pub(crate) fn stop(self) {
        self.worker.shutdown(Duration::from_secs(10));
        for thread in self.threads {
            // A host that failed has left its workflows unfinished, which the callers have seen.
            let _ = thread.join();
        }
    }
}

fn run(
    worker: &Worker,
    poll: impl Fn() -> Result<Poll>,
    answer: impl Fn(&Batch<'_>) -> String,
) -> Result<()> {
    loop {
        match poll()? {
            Poll::Batch(text) => {
                let batch: Batch<'_> =
                    serde_json::from_str(&text).expect("the core writes what the protocol says");
                worker.complete(&answer(&batch))?;
            }
            Poll::Empty => {}
            Poll::Closed => return Ok(()),
        }
    }
}

fn turns(batch: &Batch<'_>) -> String {
    let mut text = String::from(r#"{"v":1,"turns":["#);
    for (index, task) in batch.tasks.iter().enumerate() {
        let comma = if index > 0 { "," } else { "" };
        let _ = write!(text, r#"{comma}{{"t":"{}","steps":["#, task.t);
        for (index, job) in task.jobs.iter().enumerate() {
            text.push_str(if index > 0 { ",[" } else { "[" });
            let (next, value) = match job.kind {
                "start" => (1, job.input),
                "done" => (job.reference + 1, job.value),
                _ => (0, 0),
            };
            let _ = match next {
                0 => Ok(()),
                6.. => write!(text, r#"{{"kind":"complete","output":{value}}}"#),
                _ => write!(text, r#"{{"kind":"activity","ref":{next},"name":"add_one","input":{value}}}"#),
            };
            text.push(']');
        }
        text.push_str("]}");
    }
    text.push_str("]}");
    text
}

fn results(batch: &Batch<'_>) -> String {
    let mut text = String::from(r#"{"v":1,"activities":["#);
    for (index, task) in batch.tasks.iter().enumerate() {
        let comma = if index > 0 { "," } else { "" };
        let _ = write!(text, r#"{comma}{{"t":"{}","value":{}}}"#, task.t, task.input + 1);
    }
    text.push_str("]}");
    text
}
