//! The sans-IO state machine of one instance: (state, input) → (state, effects).
//!
//! No clock, no I/O, no randomness: time and ids come in through [`Context`], everything to be done goes out as
//! [`Effect`]s. The driver decides what may leave before the flush and what must wait for it.

use std::cell::OnceCell;
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use bytes::Bytes;
use uuid::Uuid;

use crate::engine::snapshot::{Identity, Snapshot};
use crate::engine::store::{InboxRow, InstanceRow, Key, Op, ParentLink, TimerRow};
use crate::engine::task::{ActivityKey, ActivityTask, RunKey, TurnResult, Version, WorkflowTask};
use crate::history::wire::history_event::EventType;
use crate::history::{Event, record, wire};
use crate::model::{Failure, Micros, Payload, RuntimeStatus, WorkflowState};

mod children;
mod control;
mod create;
mod deliver;
mod index;
mod load;
mod rerun;
#[cfg(test)]
mod tests;
mod turn;

pub(crate) use control::child_failure;
pub use create::{NewInstance, create};
pub use rerun::{Rerun, rerun};

/// Numbers and time for one input of the machine.
pub struct Context<'a> {
    /// Engine time.
    pub now: Micros,
    /// Gives unused numbers.
    pub ids: &'a mut Ids,
}

/// Gives out keys, inbox numbers, tokens and execution IDs. A seed makes the execution IDs repeatable for tests.
#[derive(Debug)]
pub struct Ids {
    /// The next instance key.
    pub next_key: i64,
    /// The next inbox number.
    pub next_inbox: i64,
    next_token: u64,
    seed: Option<u64>,
}

impl Ids {
    /// Numbers from `next_key` and `next_inbox` on; random execution IDs unless a seed is given.
    pub fn new(next_key: i64, next_inbox: i64, seed: Option<u64>) -> Ids {
        Ids { next_key, next_inbox, next_token: 1, seed }
    }

    fn key(&mut self) -> Key {
        self.next_key += 1;
        Key(self.next_key - 1)
    }

    fn inbox(&mut self) -> i64 {
        self.next_inbox += 1;
        self.next_inbox - 1
    }

    fn token(&mut self) -> u64 {
        self.next_token += 1;
        self.next_token - 1
    }

    fn execution_id(&mut self) -> String {
        match &mut self.seed {
            None => Uuid::new_v4().to_string(),
            Some(seed) => {
                *seed += 1;
                Uuid::new_v5(&Uuid::NAMESPACE_OID, &seed.to_be_bytes()).to_string()
            }
        }
    }
}

/// What the machine asks of the driver.
#[derive(Clone, Debug)]
pub enum Effect {
    /// Write this in the batch's transaction.
    Store(Op),
    /// Hand out this turn; it need not wait for the flush.
    Task(WorkflowTask),
    /// Hand out this turn after the flush, since a worker may have to read the turn that is being written.
    TaskAfterFlush(WorkflowTask),
    /// Hand out this activity after the flush.
    Activity(ActivityTask),
    /// These activities are no longer wanted.
    StopActivities(Vec<ActivityKey>),
    /// Arm a timer after the flush.
    Timer(TimerRow),
    /// Something for another instance, in the same transaction.
    Send(Message),
    /// An event waits in memory only: if its turn is not back soon, write it (see [`Machine::save_staged`]).
    Staged,
    /// A worker that has this run cached must drop it.
    Evict(RunKey, Evict),
    /// The children are to be terminated, in slices; the instance's inbox remembers it.
    Recurse,
}

/// Why a worker drops a cached instance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Evict {
    /// The run ended without the worker.
    Ended,
    /// The run stalled.
    Stalled,
}

/// News for another instance.
#[derive(Clone, Debug)]
pub enum Message {
    /// Start a child (or a detached instance, without a parent).
    Start(Box<NewInstance>),
    /// A child ended.
    ChildDone {
        /// Who waits.
        parent: ParentLink,
        /// With what it ended.
        result: Result<Payload, Failure>,
    },
    /// Raise an event.
    Raise {
        /// To whom.
        instance_id: String,
        /// Its name.
        name: String,
        /// Its data.
        data: Payload,
    },
}

#[derive(Debug)]
struct Inbox {
    event: Event,
    /// Its row, once it is (or is being) stored.
    row: Option<i64>,
}

impl Inbox {
    /// Whether losing it with the process loses nothing: a fired timer's row stays until a turn took the event.
    fn is_timer(&self) -> bool {
        matches!(self.event.message().event_type, Some(EventType::TimerFired(_)))
    }
}

#[derive(Debug, Default)]
struct OpenTask {
    /// Whether its result waits in the inbox.
    answered: bool,
    /// Whether it was handed out a second time, so that an answer must call back a copy that waits.
    again: bool,
}

#[derive(Debug)]
struct OpenTimer {
    /// Absent for the year 9999, which is never armed.
    fire_at: Option<Micros>,
    fired: bool,
}

#[derive(Debug)]
struct InFlight {
    token: u64,
    /// The turn's `WorkflowStarted`.
    started: Event,
    /// How many events of the inbox it was given.
    taken: usize,
}

/// How a finished or stalled instance came to stand still.
#[derive(Clone, Debug, Default)]
struct Outcome {
    output: Option<Arc<str>>,
    failure: Option<Arc<Failure>>,
}

/// One instance.
#[derive(Debug)]
pub struct Machine {
    row: InstanceRow,
    /// The `next_turn` that the store has.
    stored_turn: u32,
    dirty: bool,
    /// Whether something changed that callers have not seen published.
    news: bool,
    /// Whether a turn was written since the last [`Machine::flush`].
    wrote_turn: bool,
    instance_id: Arc<str>,
    execution_id: Arc<str>,
    /// Of a rerun: the run whose execution ID the function's random values come from.
    seed_run: Option<Arc<str>>,
    name: Arc<str>,
    /// The row's version, shared with turns and states.
    version: Option<Arc<str>>,
    input: Option<Arc<str>>,
    tags: BTreeMap<String, String>,
    /// What snapshots share, made by the first.
    identity: OnceCell<Arc<Identity>>,
    outcome: Outcome,
    inbox: VecDeque<Inbox>,
    tasks: BTreeMap<i32, OpenTask>,
    timers: BTreeMap<i32, OpenTimer>,
    /// Open children: action id to instance ID.
    children: BTreeMap<i32, String>,
    /// Every attached child of this generation, finished or not.
    family: Vec<String>,
    /// Whether the present generation has a turn.
    has_past: bool,
    last_time: Micros,
    max_action: i32,
    turn: Option<InFlight>,
    /// A pause that waits for the turn in flight: its row and event.
    pause: Option<Inbox>,
    stall: Option<String>,
    /// Whether a stalled instance may be tried once more.
    retry: bool,
    /// The row that remembers that the children are to be terminated.
    recursion: Option<i64>,
}

impl Machine {
    /// The instance's key.
    pub fn key(&self) -> Key {
        self.row.key
    }

    /// The present run.
    pub fn run(&self) -> RunKey {
        RunKey { key: self.row.key, generation: self.row.generation }
    }

    /// Its row, as it will be stored.
    pub fn row(&self) -> &InstanceRow {
        &self.row
    }

    /// The instance ID.
    pub fn instance_id(&self) -> &Arc<str> {
        &self.instance_id
    }

    /// The execution ID of the present generation.
    pub fn execution_id(&self) -> &Arc<str> {
        &self.execution_id
    }

    /// Whether nothing can happen to it any more.
    pub fn is_finished(&self) -> bool {
        self.row.status.is_terminal()
    }

    /// Every attached child of the present generation.
    pub fn family(&self) -> &[String] {
        &self.family
    }

    /// Whether its children are still to be terminated.
    pub fn is_recursing(&self) -> bool {
        self.recursion.is_some()
    }

    /// The name of its workflow.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Whether a turn of it is handed out.
    pub(crate) fn has_turn(&self) -> bool {
        self.turn.is_some() && !self.is_finished()
    }

    /// Whether an activity of it has no result yet.
    pub(crate) fn has_activity(&self) -> bool {
        !self.is_finished() && self.tasks.values().any(|task| !task.answered)
    }

    /// Whether it may leave memory: nothing is known of it that the store does not have.
    pub fn is_idle(&self) -> bool {
        self.turn.is_none()
            && self.pause.is_none()
            && !self.dirty
            && self.recursion.is_none()
            && self.inbox.iter().all(|item| item.row.is_some())
            && (self.tasks.is_empty() || self.is_finished())
    }

    /// The state that callers see, without the reasons that only the engine's other parts know.
    pub(crate) fn snapshot(&self) -> Snapshot {
        let row = &self.row;
        let identity = self.identity.get_or_init(|| {
            Arc::new(Identity {
                instance_id: self.instance_id.clone(),
                execution_id: Arc::from(row.execution_id.as_str()),
                name: self.name.clone(),
                created_at: row.created_at,
                start_at: row.start_at,
                parent_instance_id: row.parent.as_ref().map(|parent| parent.instance_id.clone()),
                tags: self.tags.clone(),
            })
        });
        Snapshot {
            identity: identity.clone(),
            status: row.status,
            version: self.version.clone(),
            last_updated_at: row.updated_at,
            started_at: row.started_at,
            completed_at: row.completed_at,
            custom_status: row.custom_status.as_deref().map(Arc::from),
            failure: self.outcome.failure.clone(),
            reason: self.stall.as_deref().filter(|_| row.status == RuntimeStatus::Stalled).map(Arc::from),
            input: self.input.clone(),
            output: self.outcome.output.clone(),
            print: Default::default(),
        }
    }

    /// The state that a row alone tells: no payloads, failure or labels.
    pub(crate) fn bare_state(row: InstanceRow) -> WorkflowState {
        Machine::from_row(row).snapshot().to_state(false)
    }

    /// Whether its state is to be published; true once for each change.
    pub(crate) fn take_news(&mut self) -> bool {
        std::mem::take(&mut self.news)
    }

    /// Puts the changed row into the batch; to be called once for each batch that touched the instance.
    pub fn flush(&mut self, effects: &mut Vec<Effect>) {
        self.wrote_turn = false;
        if !self.dirty {
            return;
        }
        self.dirty = false;
        self.row.has_work = self.has_work();
        let row = Box::new(self.row.clone());
        effects.push(Effect::Store(Op::Update { row, expected_turn: self.stored_turn }));
        self.stored_turn = self.row.next_turn;
    }

    fn has_work(&self) -> bool {
        if self.is_finished() {
            return self.recursion.is_some();
        }
        // A delayed start is found by its timer, not by the search for work.
        if self.start_timer().is_some() {
            return self.pause.is_some();
        }
        !self.tasks.is_empty() || self.pause.is_some() || self.inbox.iter().any(|item| item.row.is_some())
    }

    /// The timer that begins a delayed start, as long as the first turn is not written.
    fn start_timer(&self) -> Option<TimerRow> {
        let fire_at = self.row.start_at.filter(|_| self.row.started_at.is_none())?;
        Some(TimerRow { fire_at, key: self.row.key, timer_id: TimerRow::START })
    }

    fn touch(&mut self, now: Micros) {
        self.row.updated_at = self.row.updated_at.max(now);
        self.dirty = true;
        self.news = true;
    }

    /// The time of a new turn: it rises strictly within an instance.
    fn turn_time(&self, now: Micros) -> Micros {
        now.max(Micros(self.last_time.0 + 1))
    }

    /// Writes one turn. Its number fences: the same number twice is refused by the store.
    fn write_turn(&mut self, events: &[Event], time: Micros, effects: &mut Vec<Effect>) {
        let data = record::frame(events);
        effects.push(Effect::Store(Op::Turn { key: self.row.key, turn: self.row.next_turn, data }));
        self.row.next_turn += 1;
        self.last_time = self.last_time.max(time);
        self.wrote_turn = true;
        self.has_past = true;
        self.touch(time);
    }

    fn store_inbox(&self, event: &Event, context: &mut Context<'_>, effects: &mut Vec<Effect>) -> i64 {
        let id = context.ids.inbox();
        let row = InboxRow { id, event: event.bytes().clone() };
        effects.push(Effect::Store(Op::PutInbox { key: self.row.key, row }));
        id
    }

    fn drop_inbox(&self, id: i64, effects: &mut Vec<Effect>) {
        effects.push(Effect::Store(Op::DropInbox { key: self.row.key, id }));
    }
}

/// An event that the engine makes itself.
fn engine_event(time: Micros, event_type: EventType) -> Event {
    event(-1, time, event_type, None)
}

fn event(id: i32, time: Micros, event_type: EventType, own: Option<Box<wire::OwnData>>) -> Event {
    Event::new(wire::HistoryEvent {
        event_id: id,
        timestamp: Some(wire::timestamp(time)),
        event_type: Some(event_type),
        own,
        ..Default::default()
    })
}

fn timer_due(fire_at: Option<&prost_types::Timestamp>) -> Option<Micros> {
    /// 9999-01-01: everything from here on is Dapr's way of saying never.
    const NEVER: Micros = Micros(253_370_764_800_000_000);
    let due = wire::micros_ceil(fire_at?);
    (due < NEVER).then_some(due)
}
