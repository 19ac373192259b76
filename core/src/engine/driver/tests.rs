//! The driver over a store that counts, looks around while it commits, and can refuse.

use std::sync::mpsc::{TryRecvError, sync_channel};
use std::sync::{Mutex, PoisonError};

use futures_channel::oneshot;
use serde_json::json;

use super::*;
use crate::bridge::Stall;
use crate::bridge::WorkflowName;
use crate::engine::Shared;
use crate::engine::dispatch::{Abilities, Bell, WorkerId};
use crate::engine::snapshot::Want;
use crate::engine::store::memory::MemoryStore;
use crate::engine::store::{Facts, InstanceRow, Loaded, Position, Reader, TimerRow};
use crate::engine::task::TurnResult;
use crate::history::wire;
use crate::model::{Filter, StartRequest};
use crate::testkit::text::TextHost;
use crate::worker::source::EmbeddedSource;
use crate::worker::{Poll, Worker};
use wire::workflow_action::WorkflowActionType as Action;

mod full;
mod reruns;

mod slices;

/// What happens at a commit, before anything is durable.
type Hook = Box<dyn FnMut(&[Op]) -> Result<()> + Send>;

/// A store that outlives its engine.
#[derive(Clone, Default)]
struct Disk {
    store: Arc<Mutex<MemoryStore>>,
    hook: Arc<Mutex<Option<Hook>>>,
}

impl Disk {
    fn with<T>(&self, f: impl FnOnce(&mut MemoryStore) -> T) -> T {
        f(&mut self.store.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn at_commit(&self, hook: impl FnMut(&[Op]) -> Result<()> + Send + 'static) {
        *self.hook.lock().unwrap() = Some(Box::new(hook));
    }

    fn full(&self) {
        self.at_commit(|_| Err(Error::new(ErrorKind::ResourceExhausted, "the disk is full")));
    }

    fn well(&self) {
        *self.hook.lock().unwrap() = None;
    }

    fn row(&self, id: &str) -> Option<InstanceRow> {
        self.with(|store| Store::find(store, id)).unwrap()
    }

    fn status(&self, id: &str) -> RuntimeStatus {
        self.row(id).expect("it is stored").status
    }
}

impl Store for Disk {
    fn facts(&mut self) -> Result<Facts> {
        self.with(Store::facts)
    }

    fn commit(&mut self, ops: &[Op]) -> Result<()> {
        if let Some(hook) = self.hook.lock().unwrap().as_mut() {
            hook(ops)?;
        }
        self.with(|store| store.commit(ops))
    }

    fn find(&mut self, id: &str) -> Result<Option<InstanceRow>> {
        self.with(|store| Store::find(store, id))
    }

    fn load(&mut self, key: Key) -> Result<Option<Loaded>> {
        self.with(|store| Store::load(store, key))
    }

    fn list(&mut self, filter: &Filter, before: Option<Position>, limit: usize) -> Result<Vec<InstanceRow>> {
        self.with(|store| Store::list(store, filter, before, limit))
    }

    fn with_work(&mut self, after: Key, limit: usize) -> Result<Vec<Key>> {
        self.with(|store| store.with_work(after, limit))
    }

    fn timers(&mut self, after: Option<TimerRow>, limit: usize) -> Result<Vec<TimerRow>> {
        self.with(|store| store.timers(after, limit))
    }

    fn reader(&self) -> Arc<dyn Reader> {
        self.with(|store| store.reader())
    }

    fn commits(&self) -> u64 {
        self.with(|store| store.commits())
    }
}

struct Silent;

impl Bell for Silent {
    fn workflows(&self) {}
    fn activities(&self) {}
}

/// An engine driven by hand, with one worker that the test plays.
struct World {
    disk: Disk,
    shared: Arc<Shared>,
    driver: Driver,
    worker: WorkerId,
    clock: Micros,
}

impl World {
    fn open(disk: &Disk) -> World {
        let (shared, driver) = Shared::over(Box::new(disk.clone()), Some(1)).unwrap();
        let flow = WorkflowName { name: "flow".to_owned(), ..WorkflowName::default() };
        let abilities = Arc::new(Abilities::new(&[flow], &["act".to_owned()]));
        let bell: Arc<dyn Bell> = Arc::new(Silent);
        let worker = shared.dispatch.join(abilities, &bell);
        World { disk: disk.clone(), shared, driver, worker, clock: Micros(1_700_000_000_000_000) }
    }

    /// The process dies, another one opens the disk.
    fn restart(self) -> World {
        World::open(&self.disk)
    }

    fn run(&mut self, requests: Vec<Request>) -> bool {
        self.clock.0 += 1_000;
        self.driver.run(requests, self.clock)
    }

    /// Rounds until none is due at once.
    fn settle(&mut self) {
        for _ in 0..1_000 {
            let requests = self.shared.inbox.take();
            self.run(requests);
            let now = Instant::now();
            if self.driver.next_round(now, self.clock).is_none_or(|due| due > now) {
                return;
            }
        }
        panic!("the engine never rests");
    }

    /// Starts an instance; gives what the caller was told.
    fn start(&mut self, id: &str) -> Option<Result<Started>> {
        let (request, mut answer) = start(id);
        self.run(vec![request]);
        heard(&mut answer)
    }

    fn turn(&self) -> WorkflowTask {
        self.shared.dispatch.take_turns(self.worker, 1).tasks.pop().expect("a turn waits")
    }

    /// Takes the waiting turn and answers it with these actions.
    fn answer(&mut self, actions: Vec<Action>) {
        let task = self.turn();
        let request = answered(&task, actions);
        self.shared.dispatch.turn_answered(self.worker, task.run, false);
        self.run(vec![request]);
    }

    /// An instance with this many children, of which none has had a turn.
    fn family(disk: &Disk, children: usize) -> World {
        let mut world = World::open(disk);
        world.start("root");
        world.answer((0..children).map(|number| child(&format!("kid-{number}"))).collect());
        assert_eq!(disk.status(&format!("kid-{}", children - 1)), RuntimeStatus::Pending);
        world
    }
}

fn start(id: &str) -> (Request, oneshot::Receiver<Result<Started>>) {
    let (reply, answer) = oneshot::channel();
    let request =
        StartRequest { name: "flow".to_owned(), instance_id: Some(id.to_owned()), ..StartRequest::default() };
    (Request::Start(Box::new(request), reply), answer)
}

fn terminate(id: &str) -> (Request, oneshot::Receiver<Result<()>>) {
    let (reply, answer) = oneshot::channel();
    (Request::Control(id.to_owned(), Control::Terminate { output: None, recursive: true }, reply), answer)
}

fn purge(id: &str, recursive: bool) -> (Request, oneshot::Receiver<Result<u64>>) {
    let (reply, answer) = oneshot::channel();
    (Request::Purge { instance_id: id.to_owned(), recursive, reply }, answer)
}

fn answered(task: &WorkflowTask, kinds: Vec<Action>) -> Request {
    let actions = (1..)
        .zip(kinds)
        .map(|(id, kind)| wire::WorkflowAction { id, workflow_action_type: Some(kind), ..Default::default() })
        .collect();
    let outcome: std::result::Result<TurnResult, Stall> = Ok(TurnResult { actions, ..TurnResult::default() });
    Request::Turn { run: task.run, token: task.token, outcome: Box::new(outcome) }
}

fn child(id: &str) -> Action {
    let (instance_id, name) = (id.to_owned(), "leaf".to_owned());
    Action::CreateChildWorkflow(wire::CreateChildWorkflowAction { instance_id, name, ..Default::default() })
}

fn activity() -> Action {
    Action::ScheduleTask(wire::ScheduleTaskAction { name: "act".to_owned(), ..Default::default() })
}

/// The answer, if it has come.
fn heard<T>(answer: &mut oneshot::Receiver<Result<T>>) -> Option<Result<T>> {
    answer.try_recv().expect("the engine answers")
}

/// How many commits a workflow with this many activities costs, from its start to its end.
fn commits(activities: usize) -> u64 {
    let disk = Disk::default();
    let (shared, mut driver) = Shared::over(Box::new(disk.clone()), Some(1)).unwrap();
    let program = json!({"name": "chain", "body": [
        {"for": "i", "in": {"$range": {"$": "input"}}, "do": [{"activity": "echo", "input": {"$": "i"}}]},
        {"return": "done"}
    ]});
    let mut host = TextHost::new([&program]);
    let source = EmbeddedSource::by_hand(shared.clone());
    let (worker, _) = Worker::join(&source, &host.open(100), 1 << 20).unwrap();
    let mut clock = Micros(1_700_000_000_000_000);
    let mut total = 0;
    // The second one, so that nothing of the opening is counted.
    for id in ["first", "second"] {
        let before = disk.commits();
        let (reply, _answer) = oneshot::channel();
        let request = StartRequest {
            name: "chain".to_owned(),
            instance_id: Some(id.to_owned()),
            input: Some(activities.to_string()),
            ..StartRequest::default()
        };
        shared.inbox.push(Request::Start(Box::new(request), reply)).unwrap();
        for _ in 0..100 {
            clock.0 += 1_000;
            driver.run(shared.inbox.take(), clock);
            if let Poll::Batch(text) = worker.poll_workflows(10, 1 << 20, Some(Duration::ZERO)).unwrap() {
                worker.complete(&host.turns(&text)).unwrap();
            } else if let Poll::Batch(text) =
                worker.poll_activities(10, 1 << 20, Some(Duration::ZERO)).unwrap()
            {
                worker.complete(&host.activities(&text)).unwrap();
            }
        }
        assert_eq!(disk.status(id), RuntimeStatus::Completed);
        total = disk.commits() - before;
    }
    total
}

#[test]
fn a_workflow_costs_two_commits_and_one_for_each_activity() {
    assert_eq!(commits(1), 3);
    assert_eq!(commits(5), 7);
}

#[test]
fn turns_leave_before_the_flush_and_everything_else_after_it() {
    let disk = Disk::default();
    let mut world = World::open(&disk);
    let (request, mut answer) = start("a");
    let (shared, worker) = (world.shared.clone(), world.worker);
    let taken = Arc::new(Mutex::new(Vec::new()));
    let kept = taken.clone();
    let mut told = false;
    disk.at_commit(move |_| {
        kept.lock().unwrap().extend(shared.dispatch.take_turns(worker, 10).tasks);
        assert!(shared.dispatch.take_activities(worker, 10).tasks.is_empty(), "an activity left early");
        assert!(shared.hub.get("a").is_none_or(|state| state.started_at.is_none()), "a state left early");
        // Told after the first commit, it is known at the second.
        let first = !std::mem::replace(&mut told, true);
        assert_eq!(answer.try_recv().is_ok_and(|answer| answer.is_none()), first, "an answer left early");
        Ok(())
    });
    world.run(vec![request]);
    let task = taken.lock().unwrap().pop().expect("the turn left before the flush");
    assert!(world.shared.hub.get("a").is_some());
    world.run(vec![answered(&task, vec![activity()])]);
    assert!(world.shared.hub.get("a").is_some_and(|state| state.started_at.is_some()));
    assert_eq!(world.shared.dispatch.take_activities(world.worker, 10).tasks.len(), 1);
    assert_eq!(disk.commits(), 2);
}

#[test]
fn a_result_is_on_disk_once_the_worker_has_settled_or_the_engine_has_closed() {
    for settles in [true, false] {
        let disk = Disk::default();
        let mut world = World::open(&disk);
        world.start("a");
        world.answer(vec![activity()]);
        let task = world.shared.dispatch.take_activities(world.worker, 1).tasks.pop().unwrap();
        let result =
            Request::Activity { key: task.activity_key(), result: Box::new(Ok(Some("1".to_owned()))) };
        let (done, settled) = sync_channel(1);
        world.run(vec![result, if settles { Request::Settle(done) } else { Request::Close }]);
        assert_eq!(settled.try_recv().is_ok(), settles);
        // Another process, at once: the activity is not run again.
        let mut world = world.restart();
        world.settle();
        assert!(world.shared.dispatch.take_activities(world.worker, 1).tasks.is_empty());
        assert_eq!(world.turn().events.len(), 2);
    }
}

#[test]
fn who_settles_on_a_full_disk_is_not_kept_waiting() {
    let disk = Disk::default();
    let mut world = World::open(&disk);
    world.start("a");
    world.answer(vec![activity()]);
    let task = world.shared.dispatch.take_activities(world.worker, 1).tasks.pop().unwrap();
    disk.full();
    let (done, settled) = sync_channel(1);
    let result = Request::Activity { key: task.activity_key(), result: Box::new(Ok(None)) };
    world.run(vec![result, Request::Settle(done)]);
    assert_eq!(settled.try_recv(), Err(TryRecvError::Disconnected));
}

#[test]
fn nothing_of_a_refused_commit_leaves_and_its_work_is_done_later() {
    let disk = Disk::default();
    let mut world = World::open(&disk);
    world.start("a");
    disk.full();
    world.answer(vec![activity()]);
    assert!(world.shared.dispatch.take_activities(world.worker, 10).tasks.is_empty());
    let error = world.start("b").expect("refused").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ResourceExhausted);
    let now = Instant::now();
    let next = world.driver.next_round(now, world.clock).expect("it tries again");
    assert!(next > now, "a full disk is not asked again at once");
    disk.well();
    world.clock = world.clock.plus(BACKOFF);
    world.settle();
    assert!(disk.row("b").is_none());
    world.answer(vec![activity()]);
    assert_eq!(world.shared.dispatch.take_activities(world.worker, 10).tasks.len(), 1);
}

#[test]
fn children_are_terminated_in_slices_and_after_a_crash() {
    let disk = Disk::default();
    let mut world = World::family(&disk, 450);
    world.run(vec![terminate("root").0]);
    assert_eq!(disk.status("kid-0"), RuntimeStatus::Terminated);
    assert_eq!(disk.status("kid-449"), RuntimeStatus::Pending);
    let mut world = world.restart();
    world.settle();
    for number in 0..450 {
        assert_eq!(disk.status(&format!("kid-{number}")), RuntimeStatus::Terminated);
    }
    assert!(disk.row("root").is_some_and(|row| !row.has_work));
}

#[test]
fn a_refused_termination_does_not_reach_the_children() {
    let disk = Disk::default();
    let mut world = World::family(&disk, 3);
    disk.full();
    let (request, mut answer) = terminate("root");
    world.run(vec![request]);
    assert!(heard(&mut answer).expect("refused").is_err());
    disk.well();
    world.clock = world.clock.plus(BACKOFF);
    world.settle();
    assert_eq!(disk.status("root"), RuntimeStatus::Running);
    assert_eq!(disk.status("kid-0"), RuntimeStatus::Pending);
}

#[test]
fn a_full_disk_between_two_slices_loses_no_termination() {
    let disk = Disk::default();
    let mut world = World::family(&disk, 450);
    world.run(vec![terminate("root").0]);
    disk.full();
    world.run(Vec::new());
    disk.well();
    world.clock = world.clock.plus(BACKOFF);
    world.settle();
    assert!((0..450).all(|number| disk.status(&format!("kid-{number}")) == RuntimeStatus::Terminated));
}

#[test]
fn who_purges_or_replaces_an_instance_does_not_save_its_children() {
    for replace in [false, true] {
        let disk = Disk::default();
        let mut world = World::family(&disk, 450);
        let next = if replace { start("root").0 } else { purge("root", false).0 };
        world.run(vec![terminate("root").0]);
        world.run(vec![next]);
        world.settle();
        assert_eq!(disk.row("root").is_some(), replace);
        assert!((0..450).all(|number| disk.status(&format!("kid-{number}")) == RuntimeStatus::Terminated));
    }
}

#[test]
fn a_purge_sees_the_termination_before_it() {
    for children in [0, 3, 450] {
        let disk = Disk::default();
        let mut world = World::open(&disk);
        world.start("root");
        world.answer(
            (0..children).map(|number| child(&format!("kid-{number}"))).chain([activity()]).collect(),
        );
        let (request, mut answer) = purge("root", true);
        world.run(vec![terminate("root").0, request]);
        world.settle();
        assert_eq!(heard(&mut answer).expect("answered").unwrap(), 1 + children);
        assert!(disk.row("root").is_none() && disk.row("kid-0").is_none());
    }
}

#[test]
fn a_purge_goes_in_slices_children_first_and_a_refused_one_can_be_asked_again() {
    let disk = Disk::default();
    let mut world = World::family(&disk, 450);
    assert_eq!(
        heard(&mut {
            let (request, answer) = purge("root", true);
            world.run(vec![request]);
            answer
        })
        .expect("refused")
        .unwrap_err()
        .kind(),
        ErrorKind::FailedPrecondition
    );
    world.run(vec![terminate("root").0]);
    world.settle();
    let (request, mut answer) = purge("root", true);
    world.run(vec![request]);
    assert!(heard(&mut answer).is_none() && disk.row("root").is_some());
    disk.full();
    world.run(Vec::new());
    let first = heard(&mut answer).expect("refused").unwrap_err().done().expect("it says how far it came");
    assert!((1..100).contains(&first), "{first} in one slice");
    disk.well();
    world.clock = world.clock.plus(BACKOFF);
    world.settle();
    let (request, mut answer) = purge("root", true);
    world.run(vec![request]);
    world.settle();
    assert_eq!(heard(&mut answer).expect("answered").unwrap(), 451 - first);
    assert!(disk.row("root").is_none() && disk.row("kid-0").is_none() && disk.row("kid-449").is_none());
}

#[test]
fn a_broken_store_stops_the_engine_and_ends_every_wait() {
    let disk = Disk::default();
    let mut world = World::open(&disk);
    world.start("a");
    disk.at_commit(|_| Err(Error::new(ErrorKind::Unavailable, "the disk is gone")));
    let early = world.shared.hub.wait("a", Want::Completion, None);
    world.answer(vec![activity()]);
    assert!(world.driver.is_broken() && early.is_over());
    assert!(world.shared.hub.wait("a", Want::Completion, None).is_over(), "a later wait ends at once");
    let error = world.start("b").expect("refused").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert_eq!(world.driver.next_round(Instant::now(), world.clock), None);
}

#[test]
fn an_activity_that_no_worker_has_fails_its_call() {
    let disk = Disk::default();
    let mut world = World::open(&disk);
    world.start("a");
    world.answer(vec![activity()]);
    let task = world.shared.dispatch.take_activities(world.worker, 1).tasks.pop().unwrap();
    world.run(vec![unknown_activity(&task)]);
    let task = world.turn();
    assert!(format!("{:?}", task.events[1].message()).contains("ActivityNotRegistered"));
}
