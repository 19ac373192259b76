//! What a workflow function of the [`Host`](super::host::Host) asks with.

use std::collections::{BTreeMap, HashMap};
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Context, Poll};

use super::group::Group;
use super::host::RunInfo;
use crate::bridge::random::{Random, Uuids};
use crate::bridge::{Command, Due, Parent, Ref, Step, TaskError};
use crate::error::ErrorKind;
use crate::model::Payload;
use crate::retry::RetryPolicy;

pub(super) type Outcome = Result<Payload, TaskError>;

/// The durable context of one run. Cheap to clone; all clones are the same run.
#[derive(Clone)]
pub struct Ctx(Arc<Mutex<Shared>>);

/// Something that was asked for; a future of its result. Dropping it does not cancel it.
#[derive(Clone)]
pub struct Task {
    pub(super) reference: Ref,
    shared: Arc<Mutex<Shared>>,
}

/// Options of [`Ctx::activity_with`].
#[derive(Clone, Debug, Default)]
pub struct ActivityOptions {
    /// How often and when it is tried again.
    pub retry: Option<RetryPolicy>,
    /// How long one attempt may take.
    pub timeout_ms: Option<i64>,
}

/// Options of [`Ctx::child_with`].
#[derive(Clone, Debug, Default)]
pub struct ChildOptions {
    /// The version to run, if not the latest.
    pub version: Option<String>,
    /// The child's instance ID.
    pub id: Option<String>,
    /// How often and when it is tried again.
    pub retry: Option<RetryPolicy>,
    /// Start it without being its parent.
    pub detached: bool,
}

/// The state that a run's context and tasks share.
pub(super) struct Shared {
    info: RunInfo,
    now: i64,
    replay: bool,
    patches: Vec<String>,
    answers: HashMap<String, bool>,
    random: Random,
    uuids: Uuids,
    last: Ref,
    commands: Step,
    pub(super) tasks: HashMap<Ref, Slot>,
    pending: usize,
    pub(super) groups: Vec<Group>,
    woken: bool,
}

#[derive(Default)]
pub(super) struct Slot {
    pub(super) outcome: Option<Outcome>,
    pub(super) groups: Vec<usize>,
}

impl Shared {
    pub(super) fn turn(&mut self, now: i64, replay: bool, patches: &[String]) {
        (self.now, self.replay) = (now, replay);
        self.patches = patches.to_vec();
    }

    pub(super) fn resolve(&mut self, reference: Ref, outcome: Outcome) {
        let Some(slot) = self.tasks.get_mut(&reference) else { return };
        if slot.outcome.is_some() {
            return;
        }
        self.pending -= 1;
        self.woken = true;
        for group in &slot.groups {
            self.groups[*group].note(reference, &outcome);
        }
        slot.outcome = Some(outcome);
    }

    pub(super) fn take_woken(&mut self) -> bool {
        std::mem::take(&mut self.woken)
    }

    pub(super) fn take_commands(&mut self) -> Step {
        std::mem::take(&mut self.commands)
    }

    pub(super) fn has_pending(&self) -> bool {
        self.pending > 0
    }

    fn ask(&mut self, command: impl FnOnce(Ref) -> Command) -> Ref {
        self.last += 1;
        self.commands.push(command(self.last));
        self.tasks.insert(self.last, Slot::default());
        self.pending += 1;
        self.last
    }

    pub(super) fn outcome(&self, reference: Ref) -> Outcome {
        self.tasks
            .get(&reference)
            .and_then(|slot| slot.outcome.clone())
            .expect("only asked of resolved tasks")
    }
}

impl Future for Task {
    type Output = Outcome;

    fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Outcome> {
        let shared = lock(&self.shared);
        match shared.tasks.get(&self.reference).and_then(|slot| slot.outcome.clone()) {
            Some(outcome) => Poll::Ready(outcome),
            None => Poll::Pending,
        }
    }
}

fn lock(shared: &Mutex<Shared>) -> MutexGuard<'_, Shared> {
    shared.lock().expect("nothing panics while it holds the lock")
}

impl Ctx {
    pub(super) fn new(id: &str, run: &str) -> Ctx {
        let info = RunInfo { id: id.to_owned(), run: run.to_owned(), ..RunInfo::default() };
        Ctx::fresh(info, 0)
    }

    /// A context without what another try left, but in the same turn.
    pub(super) fn restarted(
        &self,
        name: &str,
        seed: u64,
        version: &Option<String>,
        parent: &Option<Parent>,
        tags: &BTreeMap<String, String>,
    ) -> Ctx {
        let old = lock(&self.0);
        let info = RunInfo {
            name: name.to_owned(),
            version: version.clone(),
            parent: parent.clone(),
            tags: tags.clone(),
            ..old.info.clone()
        };
        let fresh = Ctx::fresh(info, seed);
        let mut shared = lock(&fresh.0);
        shared.turn(old.now, old.replay, &old.patches);
        shared.woken = true;
        drop(shared);
        fresh
    }

    fn fresh(info: RunInfo, seed: u64) -> Ctx {
        Ctx(Arc::new(Mutex::new(Shared {
            uuids: Uuids::new(&info.run),
            info,
            now: 0,
            replay: false,
            patches: Vec::new(),
            answers: HashMap::new(),
            random: Random::new(seed),
            last: 0,
            commands: Step::new(),
            tasks: HashMap::new(),
            pending: 0,
            groups: Vec::new(),
            woken: false,
        })))
    }

    pub(super) fn shared(&self) -> MutexGuard<'_, Shared> {
        lock(&self.0)
    }

    fn ask(&self, command: impl FnOnce(Ref) -> Command) -> Task {
        Task { reference: self.shared().ask(command), shared: Arc::clone(&self.0) }
    }

    /// Asks for an activity.
    pub fn activity(&self, name: &str, input: Payload) -> Task {
        self.activity_with(name, input, ActivityOptions::default())
    }

    /// Asks for an activity with options.
    pub fn activity_with(&self, name: &str, input: Payload, options: ActivityOptions) -> Task {
        let ActivityOptions { retry, timeout_ms } = options;
        let name = name.to_owned();
        self.ask(|reference| Command::Activity { reference, name, input, retry, timeout_ms, app: None })
    }

    /// Asks for a child workflow.
    pub fn child(&self, name: &str, input: Payload) -> Task {
        self.child_with(name, input, ChildOptions::default())
    }

    /// Asks for a child workflow with options. A detached one is done at once.
    pub fn child_with(&self, name: &str, input: Payload, options: ChildOptions) -> Task {
        let ChildOptions { version, id, retry, detached } = options;
        let name = name.to_owned();
        let task = self.ask(|reference| Command::Child {
            reference,
            name,
            version,
            input,
            id,
            retry,
            app: None,
            detached,
        });
        if detached {
            self.shared().resolve(task.reference, Ok(None));
        }
        task
    }

    /// Asks for a timer.
    pub fn timer(&self, due: Due) -> Task {
        self.ask(|reference| Command::Timer { reference, due })
    }

    /// Asks for an external event.
    pub fn event(&self, name: &str, timeout_ms: Option<i64>) -> Task {
        let name = name.to_owned();
        self.ask(|reference| Command::Event { reference, name, timeout_ms })
    }

    /// Gives a task up. Who waits for it gets an error with the code `cancelled`; a finished task stays as it is.
    pub fn cancel(&self, task: &Task) {
        let mut shared = self.shared();
        let open = shared.tasks.get(&task.reference).is_some_and(|slot| slot.outcome.is_none());
        if open {
            shared.commands.push(Command::Cancel { reference: task.reference });
            let error = TaskError::new("Cancelled", ErrorKind::Cancelled, "the task was cancelled");
            shared.resolve(task.reference, Err(error));
        }
    }

    /// Raises an event at another instance.
    pub fn send(&self, id: &str, name: &str, data: Payload) {
        let command = Command::Send { id: id.to_owned(), name: name.to_owned(), data };
        self.shared().commands.push(command);
    }

    /// Sets the custom status.
    pub fn status(&self, status: Payload) {
        self.shared().commands.push(Command::Status { status });
    }

    /// Whether the run uses this patch. The first answer holds for the run.
    pub fn patch(&self, name: &str) -> bool {
        let mut shared = self.shared();
        if let Some(answer) = shared.answers.get(name) {
            return *answer;
        }
        let answer = !shared.replay || shared.patches.iter().any(|patch| patch == name);
        shared.answers.insert(name.to_owned(), answer);
        if answer {
            shared.commands.push(Command::Patch { name: name.to_owned() });
        }
        answer
    }

    /// The turn's time in milliseconds since 1970-01-01 UTC.
    pub fn now(&self) -> i64 {
        self.shared().now
    }

    /// Whether the turn is one of the past.
    pub fn is_replaying(&self) -> bool {
        self.shared().replay
    }

    /// The next deterministic random number in [0, 1).
    pub fn random(&self) -> f64 {
        self.shared().random.next_f64()
    }

    /// The next deterministic UUID.
    pub fn uuid(&self) -> String {
        self.shared().uuids.next_uuid().to_string()
    }

    /// What is known of the run.
    pub fn info(&self) -> RunInfo {
        self.shared().info.clone()
    }
}
