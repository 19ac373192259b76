//! A closed loop: `in_flight` workflows at a time, each asking for its next commit as soon as the last one is durable.

use std::error::Error;
use std::fs;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use crate::workload::Commit;

/// Whatever went wrong, to be printed.
pub(crate) type Failure = Box<dyn Error + Send + Sync>;

/// Where commits go.
pub(crate) trait Log: Send {
    /// How long the writer may wait for a batch to become whole.
    const LINGER: Option<Duration>;

    /// Makes all of `commits` durable.
    fn write(&mut self, commits: &[Commit]) -> Result<(), Failure>;

    /// Checks that what is there is what was written: `commits` commits of `workflows` finished workflows.
    fn check(self, workflows: usize, commits: usize) -> Result<(), Failure>;
}

/// What came out of one run.
pub(crate) struct Measured {
    /// Workflows that ended within the time.
    pub(crate) workflows: usize,
    /// Those per second.
    pub(crate) per_second: f64,
    /// From asking for a commit to hearing of it.
    pub(crate) ack_p50_us: f64,
    /// The same, of the slowest hundredth.
    pub(crate) ack_p99_us: f64,
    /// CPU of the writer per workflow; NaN where the system does not tell.
    pub(crate) writer_cpu_us: f64,
    /// CPU of the process per workflow; NaN where the system does not tell.
    pub(crate) process_cpu_us: f64,
}

/// What the writer thread hands back at its end.
struct Written<L> {
    log: L,
    commits: usize,
    cpu: Option<f64>,
}

/// Runs the loop for `span`, lets the open workflows end, and checks the log.
pub(crate) fn closed_loop<L: Log>(log: L, in_flight: usize, span: Duration) -> Result<Measured, Failure> {
    let cpu_before = process_cpu();
    let (ask, asked) = channel();
    let (acknowledge, acknowledged) = channel();
    let (driven, written) = thread::scope(|scope| {
        let writer = scope.spawn(|| write_all(log, in_flight, asked, acknowledge));
        (drive(in_flight, span, ask, acknowledged), writer.join())
    });
    let mut driven = driven;
    let written = written.map_err(|_| "the writer panicked")??;
    let process_cpu = process_cpu().zip(cpu_before).map(|(after, before)| after - before);
    written.log.check(driven.finished, written.commits)?;

    driven.acks.sort_unstable();
    let per_workflow = |cpu: Option<f64>| cpu.map_or(f64::NAN, |us| us / driven.finished as f64);
    Ok(Measured {
        workflows: driven.in_time,
        per_second: driven.in_time as f64 / driven.elapsed.as_secs_f64(),
        ack_p50_us: percentile(&driven.acks, 0.50),
        ack_p99_us: percentile(&driven.acks, 0.99),
        writer_cpu_us: per_workflow(written.cpu),
        process_cpu_us: per_workflow(process_cpu),
    })
}

/// What the driver saw.
struct Driven {
    in_time: usize,
    finished: usize,
    elapsed: Duration,
    acks: Vec<Duration>,
}

/// Asks for commits and hears of them, one by one, until the time is over and every workflow has ended. Ends early when
/// the writer has failed.
#[expect(
    clippy::needless_pass_by_value,
    reason = "an end of a channel that is dropped tells the other thread"
)]
fn drive(in_flight: usize, span: Duration, ask: Sender<Commit>, acknowledged: Receiver<Commit>) -> Driven {
    let began = Instant::now();
    let mut driven = Driven { in_time: 0, finished: 0, elapsed: span, acks: Vec::new() };
    let mut since = vec![began; in_flight];
    let mut workflow = in_flight as i64;
    let mut open = in_flight;
    let mut asked = (0..in_flight).try_for_each(|slot| ask.send(Commit::first(slot, slot as i64 + 1)));
    while open > 0 && asked.is_ok() {
        let Ok(commit) = acknowledged.recv() else { break };
        let now = Instant::now();
        driven.acks.push(now - since[commit.slot]);
        since[commit.slot] = now;
        let over = now - began >= span;
        if let Some(next) = commit.next() {
            asked = ask.send(next);
            continue;
        }
        driven.finished += 1;
        if over {
            open -= 1;
        } else {
            driven.in_time += 1;
            workflow += 1;
            asked = ask.send(Commit::first(commit.slot, workflow));
        }
    }
    driven
}

/// The writer: all that is there, one flush, until nobody asks any more.
#[expect(
    clippy::needless_pass_by_value,
    reason = "an end of a channel that is dropped tells the other thread"
)]
fn write_all<L: Log>(
    mut log: L,
    in_flight: usize,
    asked: Receiver<Commit>,
    acknowledge: Sender<Commit>,
) -> Result<Written<L>, Failure> {
    let cpu_before = thread_cpu();
    let (mut batch, mut last, mut commits) = (Vec::new(), 0, 0);
    while let Ok(first) = asked.recv() {
        let linger = L::LINGER.filter(|_| last > 1);
        batch.push(first);
        batch.extend(asked.try_iter());
        if let Some(linger) = linger {
            gather(&asked, &mut batch, in_flight, linger);
        }
        log.write(&batch)?;
        last = batch.len();
        commits += last;
        for commit in batch.drain(..) {
            if acknowledge.send(commit).is_err() {
                return Err("the driver is gone".into());
            }
        }
    }
    let cpu = thread_cpu().zip(cpu_before).map(|(after, before)| after - before);
    Ok(Written { log, commits, cpu })
}

/// Waits up to `linger` for the commits that make the batch whole.
fn gather(asked: &Receiver<Commit>, batch: &mut Vec<Commit>, whole: usize, linger: Duration) {
    let until = Instant::now() + linger;
    while batch.len() < whole {
        let Ok(commit) = asked.recv_timeout(until.saturating_duration_since(Instant::now())) else { break };
        batch.push(commit);
    }
}

/// The value below which `part` of the sorted `samples` lie, in microseconds.
pub(crate) fn percentile(samples: &[Duration], part: f64) -> f64 {
    let at = (samples.len() as f64 * part) as usize;
    samples.get(at.min(samples.len().saturating_sub(1))).map_or(f64::NAN, |took| took.as_secs_f64() * 1e6)
}

/// CPU time of the calling thread in microseconds, where the system tells.
fn thread_cpu() -> Option<f64> {
    cpu_of("/proc/thread-self/schedstat")
}

/// CPU time of all living threads in microseconds, where the system tells.
fn process_cpu() -> Option<f64> {
    // The tick of /proc is 10 ms: good enough over seconds, and it counts threads that have ended.
    let stat = fs::read_to_string("/proc/self/stat").ok()?;
    let (_, fields) = stat.rsplit_once(')')?;
    let ticks = fields.split_whitespace().skip(11).take(2).map(|field| field.parse::<f64>().ok());
    ticks.sum::<Option<f64>>().map(|ticks| ticks * 10_000.0)
}

fn cpu_of(path: &str) -> Option<f64> {
    let text = fs::read_to_string(path).ok()?;
    let nanoseconds: f64 = text.split_whitespace().next()?.parse().ok()?;
    Some(nanoseconds / 1000.0)
}
