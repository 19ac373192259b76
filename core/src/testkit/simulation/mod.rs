//! Machine, replay, store, a scripted host and a clock of its own, all on one thread, with faults by seed.
//!
//! One seed is one life of an engine: starts, reruns, events, pauses, slow and repeated answers, workers that come and go, a
//! clock that jumps, full disks, and deaths around commits. Whatever happens, each workflow ends with its one result.
//! A seed that fails prints what was violated and fails again.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_channel::oneshot;
use serde_json::{Value, json};

use crate::bridge::random::Random;
use crate::engine::request::{Control, Request};
use crate::engine::{Driver, Shared, VERSION_GRACE, give_up};
use crate::error::{ErrorKind, Result};
use crate::model::{Micros, Started};
use crate::testkit::text::TextHost;
use crate::worker::source::EmbeddedSource;
use crate::worker::{Poll, Worker};

mod oracle;
mod programs;
mod reruns;
mod store;

use programs::Work;
use reruns::Source;
use store::{Disk, Fault};

/// How many steps of one life have faults.
const TROUBLED: usize = 400;
/// How many more steps everything has to come to its end.
const CALM: usize = 20_000;

/// What a life came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// How often the process died.
    pub deaths: u64,
    /// How many commits were written.
    pub commits: u64,
    /// How many instances ended as they had to.
    pub instances: u64,
    /// How many of them were reruns.
    pub reruns: u64,
    /// How many of them have stalled on their way, for want of their version.
    pub stalled: u64,
}

/// Lives the life of a seed.
///
/// # Errors
/// What was violated, in words.
pub fn run(seed: u64) -> std::result::Result<Report, String> {
    let mut life = Life::new(seed);
    for _ in 0..TROUBLED {
        life.step()?;
    }
    life.settle()?;
    life.verify()?;
    Ok(Report {
        deaths: life.deaths,
        commits: life.disk.commits.load(std::sync::atomic::Ordering::Relaxed),
        instances: life.cases.len() as u64,
        reruns: life.cases.iter().filter(|case| case.source.is_some()).count() as u64,
        stalled: life.stalled()?,
    })
}

/// One process.
struct Process {
    shared: Arc<Shared>,
    driver: Driver,
    worker: Worker,
    host: TextHost,
    /// Batches that the host has and has not answered, in the order of their polls.
    turns: VecDeque<String>,
    /// Activities at the host.
    activities: Vec<Value>,
}

struct Case {
    id: String,
    work: Work,
    /// Absent for one that is started.
    source: Option<Source>,
    /// Whether the caller was told that it is started.
    started: bool,
    starting: Option<oneshot::Receiver<Result<Started>>>,
    /// Events by index: told that they are raised.
    raised: Vec<bool>,
    raising: Option<(usize, oneshot::Receiver<Result<()>>)>,
    paused: bool,
}

struct Life {
    random: Random,
    disk: Disk,
    process: Process,
    clock: Micros,
    cases: Vec<Case>,
    deaths: u64,
    /// Faults are over.
    calm: bool,
    /// How often an activity ran, by instance, run and task.
    ran: HashMap<(String, String, i64), u64>,
}

fn begin(disk: &Disk, seed: u64, deployed: u64, max_cached: usize) -> Process {
    let (shared, driver) = Shared::over(disk.open(), Some(seed)).expect("the disk can be read");
    let host = TextHost::new(&programs::deployed(deployed));
    let source = EmbeddedSource::by_hand(shared.clone());
    let (worker, _) =
        Worker::join(&source, &host.open(max_cached), 1 << 20).expect("the host's names are good");
    Process { shared, driver, worker, host, turns: VecDeque::new(), activities: Vec::new() }
}

impl Life {
    fn new(seed: u64) -> Life {
        let mut random = Random::new(seed);
        let disk = Disk::default();
        let cases = (0..3 + random.next_u64() % 6)
            .map(|number| {
                let work = programs::work(random.next_u64());
                Case {
                    id: format!("case-{number}"),
                    source: None,
                    started: false,
                    starting: None,
                    raised: vec![false; work.events.len()],
                    raising: None,
                    paused: false,
                    work,
                }
            })
            .collect();
        let process = begin(&disk, random.next_u64(), random.next_u64(), cache_size(&mut random));
        let (clock, ran) = (Micros(1_700_000_000_000_000), HashMap::new());
        Life { random, disk, process, clock, cases, deaths: 0, calm: false, ran }
    }

    fn chance(&mut self, of: u64) -> bool {
        self.random.next_u64().is_multiple_of(of)
    }

    fn pick(&mut self, below: usize) -> usize {
        usize::try_from(self.random.next_u64() % below as u64).expect("below a usize")
    }

    /// Something happens.
    fn step(&mut self) -> std::result::Result<(), String> {
        match self.random.next_u64() % 17 {
            0 | 1 => self.start_one(),
            2 => self.raise_one(),
            3 => self.pause_or_resume(),
            4..=6 => self.poll_turns(),
            7 | 8 => self.answer_turns(),
            9 => self.poll_activities()?,
            10 | 11 => self.answer_activity(),
            12 => self.clock.0 += i64::try_from(self.random.next_u64() % 3_000).expect("small"),
            13 => self.trouble()?,
            14 => self.rerun_one()?,
            _ => self.round()?,
        }
        Ok(())
    }

    fn trouble(&mut self) -> std::result::Result<(), String> {
        match self.random.next_u64() % 8 {
            0 => {
                self.disk.arm(Some(Fault::Before));
                self.round()
            }
            1 => {
                self.disk.arm(Some(Fault::After));
                self.round()
            }
            2 => {
                self.disk.arm(Some(Fault::Full));
                self.round()
            }
            3 => self.die(),
            4 => {
                let deployed = self.random.next_u64();
                self.deploy(deployed);
                Ok(())
            }
            5 => {
                // The wall clock is set back; the engine's time is not.
                self.clock.0 -= 50_000;
                Ok(())
            }
            _ => {
                self.clock.0 += 250_000;
                Ok(())
            }
        }
    }

    /// A worker comes, the old one goes with all that it had.
    fn deploy(&mut self, deployed: u64) {
        let source = EmbeddedSource::by_hand(self.process.shared.clone());
        self.process.host = TextHost::new(&programs::deployed(deployed));
        let open = self.process.host.open(cache_size(&mut self.random));
        let (worker, _) = Worker::join(&source, &open, 1 << 20).expect("the host's names are good");
        self.process.worker = worker;
        self.process.turns.clear();
        self.process.activities.clear();
    }

    fn start_one(&mut self) {
        let index = self.pick(self.cases.len());
        let case = &mut self.cases[index];
        if case.started || case.starting.is_some() {
            return;
        }
        let request = case.ask();
        drop(self.process.shared.inbox.push(request));
    }

    fn raise_one(&mut self) {
        let index = self.pick(self.cases.len());
        let case = &mut self.cases[index];
        let Some(event) = case.raised.iter().position(|raised| !raised) else { return };
        if !case.started || case.raising.is_some() {
            return;
        }
        let (reply, answer) = oneshot::channel();
        let (name, data) = &case.work.events[event];
        let control = Control::Raise { name: (*name).to_owned(), data: Some(data.to_string()) };
        case.raising = Some((event, answer));
        drop(self.process.shared.inbox.push(Request::Control(case.id.clone(), control, reply)));
    }

    fn pause_or_resume(&mut self) {
        let index = self.pick(self.cases.len());
        let calm = self.calm;
        let case = &mut self.cases[index];
        if !case.started {
            return;
        }
        let control = if case.paused || calm { Control::Resume(None) } else { Control::Pause(None) };
        case.paused = !case.paused && !calm;
        let (reply, _) = oneshot::channel();
        drop(self.process.shared.inbox.push(Request::Control(case.id.clone(), control, reply)));
    }

    fn poll_turns(&mut self) {
        let max = 1 + self.pick(8);
        if let Ok(Poll::Batch(text)) = self.process.worker.poll_workflows(max, 1 << 20, Some(Duration::ZERO))
        {
            self.process.turns.push_back(text);
        }
    }

    fn answer_turns(&mut self) {
        let Some(batch) = self.process.turns.pop_front() else { return };
        let text = self.process.host.turns(&batch);
        let twice = self.chance(8);
        for _ in 0..=u8::from(twice) {
            self.process.worker.complete(&text).expect("the host writes well-formed text");
        }
    }

    fn poll_activities(&mut self) -> std::result::Result<(), String> {
        let max = 1 + self.pick(8);
        let poll = self.process.worker.poll_activities(max, 1 << 20, Some(Duration::ZERO));
        if let Ok(Poll::Batch(text)) = poll {
            let batch: Value = serde_json::from_str(&text).map_err(|error| error.to_string())?;
            for task in batch["tasks"].as_array().into_iter().flatten() {
                self.note_activity(task)?;
                self.process.activities.push(task.clone());
            }
        }
        Ok(())
    }

    fn answer_activity(&mut self) {
        if self.process.activities.is_empty() {
            return;
        }
        let index = self.pick(self.process.activities.len());
        let task = self.process.activities.swap_remove(index);
        let batch = json!({"v": 1, "batch": "b", "tasks": [task], "cancel": []}).to_string();
        let text = self.process.host.activities(&batch);
        self.process.worker.complete(&text).expect("the host writes well-formed text");
    }

    /// One round of the engine. If its process died in it, the next one begins.
    fn round(&mut self) -> std::result::Result<(), String> {
        let mut requests = self.process.shared.inbox.take();
        if self.chance(4) {
            let over = Instant::now() + VERSION_GRACE;
            give_up(self.process.shared.dispatch.overdue(over), &mut requests);
        }
        self.process.driver.run(requests, self.clock);
        self.disk.arm(None);
        self.hear()?;
        if self.process.driver.is_broken() { self.die() } else { Ok(()) }
    }

    /// Takes in what callers were told.
    fn hear(&mut self) -> std::result::Result<(), String> {
        for case in &mut self.cases {
            if let Some(mut answer) = case.starting.take() {
                match answer.try_recv() {
                    Ok(Some(Ok(_))) => case.started = true,
                    Ok(Some(Err(error))) if error.kind() == ErrorKind::AlreadyExists => {
                        return Err(format!("{}: started twice", case.id));
                    }
                    Ok(None) => case.starting = Some(answer),
                    Ok(Some(Err(_))) | Err(_) => {}
                }
            }
            if let Some((event, mut answer)) = case.raising.take() {
                match answer.try_recv() {
                    Ok(Some(Ok(()))) => case.raised[event] = true,
                    Ok(Some(Err(error))) if error.kind() == ErrorKind::NotFound => {
                        return Err(format!("{}: an acknowledged start is lost", case.id));
                    }
                    Ok(None) => case.raising = Some((event, answer)),
                    Ok(Some(Err(_))) | Err(_) => {}
                }
            }
        }
        Ok(())
    }

    /// The process dies; another one opens the same disk.
    fn die(&mut self) -> std::result::Result<(), String> {
        self.deaths += 1;
        self.disk.arm(None);
        let seed = self.random.next_u64();
        let deployed = if self.calm { programs::ALL } else { self.random.next_u64() };
        let max_cached = cache_size(&mut self.random);
        self.process = begin(&self.disk, seed, deployed, max_cached);
        self.check_after_death()
    }

    /// No more faults: everything has to come to its end.
    fn settle(&mut self) -> std::result::Result<(), String> {
        self.calm = true;
        self.deploy(programs::ALL);
        for step in 0..CALM {
            self.start_one();
            self.raise_one();
            self.pause_or_resume();
            self.rerun_one()?;
            self.poll_turns();
            while !self.process.turns.is_empty() {
                self.answer_turns();
            }
            self.poll_activities()?;
            // Some answers take longer, so that there are late ones.
            while !self.process.activities.is_empty() && !self.chance(2) {
                self.answer_activity();
            }
            self.round()?;
            let now = Instant::now();
            if let Some(due) = self.process.driver.next_round(now, self.clock) {
                let wait = due.saturating_duration_since(now);
                self.clock = self.clock.plus(wait.min(Duration::from_secs(600)));
            }
            self.clock.0 += 1_000;
            if step % 16 == 0 && self.all_ended() {
                return Ok(());
            }
        }
        Err(self.stuck())
    }
}

/// Every other life replays each turn.
fn cache_size(random: &mut Random) -> usize {
    match random.next_u64() % 3 {
        0 => 0,
        1 => 2,
        _ => 100,
    }
}
