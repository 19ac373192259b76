//! One machine, a store that only takes what is consistent, and the rules that hold after every input.

use std::collections::BTreeSet;

use super::super::*;
use crate::bridge::{Stall, StallCode};
use crate::engine::store::memory::MemoryStore;
use crate::engine::store::{Loaded, Store};
use wire::workflow_action::WorkflowActionType as Action;

/// When every test begins.
pub(super) const BEGIN: Micros = Micros(1_700_000_000_000_000);

pub(super) struct Bench {
    pub(super) machine: Machine,
    pub(super) ids: Ids,
    pub(super) now: Micros,
    store: MemoryStore,
    next_turn: u32,
    /// The time of the last turn.
    turn_time: Micros,
    dropped: BTreeSet<i64>,
    /// The data of raised events that a turn took.
    taken: BTreeSet<String>,
}

/// The effects of one input.
pub(super) struct Out(pub(super) Vec<Effect>);

impl Bench {
    pub(super) fn new(new: NewInstance) -> (Bench, Out) {
        let mut ids = Ids::new(1, 1, Some(7));
        let mut effects = Vec::new();
        let machine = create(new, &mut Context { now: BEGIN, ids: &mut ids }, &mut effects);
        let (store, turn_time) = (MemoryStore::new(), Micros(0));
        let (dropped, taken) = Default::default();
        let mut bench = Bench { machine, ids, now: BEGIN, store, next_turn: 0, turn_time, dropped, taken };
        bench.commit(&effects);
        (bench, Out(effects))
    }

    /// An instance whose first turn is out.
    pub(super) fn begun() -> (Bench, WorkflowTask) {
        let (bench, out) = Bench::new(new("a"));
        let task = out.task();
        (bench, task)
    }

    /// An instance whose first turn asked for these actions.
    pub(super) fn after(actions: Vec<wire::WorkflowAction>) -> Bench {
        let (mut bench, task) = Bench::begun();
        bench.turn(&task, actions);
        bench
    }

    /// One input, and the commit that follows.
    pub(super) fn feed(
        &mut self,
        input: impl FnOnce(&mut Machine, &mut Context<'_>, &mut Vec<Effect>),
    ) -> Out {
        let mut effects = Vec::new();
        input(&mut self.machine, &mut Context { now: self.now, ids: &mut self.ids }, &mut effects);
        self.machine.flush(&mut effects);
        self.commit(&effects);
        Out(effects)
    }

    pub(super) fn turn(&mut self, task: &WorkflowTask, actions: Vec<wire::WorkflowAction>) -> Out {
        self.answer(task, TurnResult { actions, ..TurnResult::default() })
    }

    pub(super) fn answer(&mut self, task: &WorkflowTask, result: TurnResult) -> Out {
        self.feed(|machine, context, effects| machine.turn_done(task.token, result, context, effects))
    }

    pub(super) fn stall(&mut self, task: &WorkflowTask, message: &str) -> Out {
        let stall = Stall::new(StallCode::NonDeterminism, message);
        self.feed(|machine, context, effects| machine.turn_stalled(task.token, stall, context, effects))
    }

    pub(super) fn raise(&mut self, data: &str) -> Out {
        let data = Some(data.to_owned());
        self.feed(|machine, context, effects| machine.raise("tick".to_owned(), data, context, effects))
    }

    pub(super) fn done(&mut self, id: i32) -> Out {
        let result = Ok(Some("1".to_owned()));
        self.feed(|machine, context, effects| machine.activity_done(id, result, context, effects))
    }

    pub(super) fn fire(&mut self, id: i32, fire_at: Micros) -> Out {
        let row = TimerRow { fire_at, key: self.machine.key(), timer_id: id };
        self.feed(|machine, context, effects| machine.timer_fired(row, context, effects))
    }

    pub(super) fn pause(&mut self) -> Out {
        self.feed(|machine, context, effects| machine.suspend(Some("why".to_owned()), context, effects))
    }

    pub(super) fn resume(&mut self) -> Out {
        self.feed(|machine, context, effects| machine.resume(None, context, effects))
    }

    pub(super) fn terminate(&mut self, recursive: bool) -> Out {
        let output = Some("\"out\"".to_owned());
        self.feed(|machine, context, effects| machine.terminate(output, recursive, context, effects))
    }

    /// The process dies, another one opens the store.
    pub(super) fn restart(&mut self) -> Out {
        let loaded = self.loaded();
        let turns = loaded.turns.clone();
        self.machine = Machine::load(loaded).expect("what was written can be read");
        self.feed(|machine, context, effects| machine.recover(&turns, context, effects).expect("readable"))
    }

    pub(super) fn status(&self) -> RuntimeStatus {
        self.machine.row().status
    }

    pub(super) fn loaded(&mut self) -> Loaded {
        self.store.load(self.machine.key()).expect("readable").expect("the instance is stored")
    }

    /// The kinds of all events in the stored turns.
    pub(super) fn history(&mut self) -> Vec<Event> {
        let turns = self.loaded().turns;
        turns.iter().flat_map(|(_, data)| record::unframe(data).expect("readable")).collect()
    }

    fn commit(&mut self, effects: &[Effect]) {
        let ops = ops(effects);
        let updates = ops.iter().filter(|op| matches!(op, Op::Update { .. })).count();
        assert!(updates <= 1, "the row is written once");
        for op in &ops {
            match op {
                Op::Turn { turn, data, .. } => self.check_turn(*turn, data),
                // The turn that continues as new is counted, not kept.
                Op::DropTurns(_) => self.next_turn += 1,
                Op::DropInbox { id, .. } => assert!(self.dropped.insert(*id), "row {id} dropped twice"),
                _ => {}
            }
        }
        self.store.commit(&ops).expect("the store's guards hold");
        let tasks =
            effects.iter().filter(|effect| matches!(effect, Effect::Task(_) | Effect::TaskAfterFlush(_)));
        assert!(tasks.count() <= 1, "one turn at a time");
        self.check_record();
    }

    fn check_turn(&mut self, turn: u32, data: &Bytes) {
        let events = record::unframe(data).expect("what was framed");
        assert_eq!(turn, self.next_turn, "turns follow each other");
        self.next_turn += 1;
        let time = events.first().expect("a turn has events").timestamp();
        assert!(time > self.turn_time, "the time of turn {turn} does not rise");
        self.turn_time = time;
        for event in &events {
            if let Some(EventType::EventRaised(raised)) = &event.message().event_type {
                let data = raised.input.clone().unwrap_or_default();
                assert!(self.taken.insert(data.clone()), "the event {data} was taken twice");
            }
        }
    }

    /// The row, the timers and the machine in memory say nothing that the turns and the inbox do not.
    fn check_record(&mut self) {
        let loaded = self.loaded();
        let (mut row, timers) = Machine::index(&loaded).expect("readable");
        assert!(row.updated_at <= loaded.row.updated_at);
        row.updated_at = loaded.row.updated_at;
        assert_eq!(row, loaded.row);
        assert_eq!(timers, self.store.timers(None, 1_000).expect("readable"));
        let read = Machine::load(loaded).expect("readable");
        assert_eq!(view(&read), view(&self.machine), "what is loaded is not what is in memory");
    }
}

/// What of a machine must not depend on whether it was loaded.
fn view(machine: &Machine) -> String {
    let stored: BTreeSet<i64> = machine.inbox.iter().filter_map(|item| item.row).collect();
    let tasks: Vec<&i32> = machine.tasks.keys().collect();
    let timers: Vec<_> = machine.timers.iter().map(|(id, timer)| (id, timer.fire_at)).collect();
    let action = if machine.is_finished() { 0 } else { machine.max_action };
    let pause = machine.pause.as_ref().map(|item| item.row);
    format!(
        "{:?} inbox {stored:?} tasks {tasks:?} timers {timers:?} children {:?} family {:?} past {} action {action} \
         pause {pause:?} stall {:?} recursion {:?} input {:?} tags {:?} outcome {:?} run {} row {:?}",
        machine.row.status,
        machine.children,
        machine.family,
        machine.has_past,
        machine.stall,
        machine.recursion,
        machine.input,
        machine.tags,
        machine.outcome,
        machine.execution_id,
        machine.row,
    )
}

fn ops(effects: &[Effect]) -> Vec<Op> {
    let op = |effect: &Effect| match effect {
        Effect::Store(op) => Some(op.clone()),
        _ => None,
    };
    effects.iter().filter_map(op).collect()
}

impl Out {
    /// The turn that was handed out.
    pub(super) fn task(&self) -> WorkflowTask {
        self.maybe_task().expect("a turn was handed out")
    }

    pub(super) fn maybe_task(&self) -> Option<WorkflowTask> {
        self.0.iter().find_map(|effect| match effect {
            Effect::Task(task) | Effect::TaskAfterFlush(task) => Some(task.clone()),
            _ => None,
        })
    }

    pub(super) fn ops(&self) -> Vec<Op> {
        ops(&self.0)
    }

    /// The events of the turn that was written.
    pub(super) fn written(&self) -> Vec<Event> {
        let turn = |op: Op| match op {
            Op::Turn { data, .. } => Some(record::unframe(&data).expect("readable")),
            _ => None,
        };
        self.ops().into_iter().find_map(turn).unwrap_or_default()
    }

    pub(super) fn count(&self, which: impl Fn(&Op) -> bool) -> usize {
        self.ops().iter().filter(|op| which(op)).count()
    }

    pub(super) fn has(&self, which: impl Fn(&Effect) -> bool) -> bool {
        self.0.iter().any(which)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn activities(&self) -> Vec<i32> {
        let id = |effect: &Effect| match effect {
            Effect::Activity(task) => Some(task.task_id),
            _ => None,
        };
        self.0.iter().filter_map(id).collect()
    }

    pub(super) fn stopped(&self) -> Vec<i32> {
        let ids = |effect: &Effect| match effect {
            Effect::StopActivities(keys) => keys.iter().map(|key| key.task_id).collect(),
            _ => Vec::new(),
        };
        self.0.iter().flat_map(ids).collect()
    }
}

pub(super) fn new(id: &str) -> NewInstance {
    NewInstance {
        id: id.to_owned(),
        name: "flow".to_owned(),
        input: Some("1".to_owned()),
        tags: BTreeMap::from([("team".to_owned(), "red".to_owned())]),
        ..NewInstance::default()
    }
}

pub(super) fn action(id: i32, kind: Action) -> wire::WorkflowAction {
    wire::WorkflowAction { id, workflow_action_type: Some(kind), ..Default::default() }
}

pub(super) fn schedule(id: i32) -> wire::WorkflowAction {
    action(
        id,
        Action::ScheduleTask(wire::ScheduleTaskAction { name: "act".to_owned(), ..Default::default() }),
    )
}

pub(super) fn timer(id: i32, fire_at: Micros) -> wire::WorkflowAction {
    let fire_at = Some(wire::timestamp(fire_at));
    action(id, Action::CreateTimer(wire::CreateTimerAction { fire_at, ..Default::default() }))
}

pub(super) fn child(id: i32, instance: &str) -> wire::WorkflowAction {
    let instance_id = instance.to_owned();
    let name = "leaf".to_owned();
    action(
        id,
        Action::CreateChildWorkflow(wire::CreateChildWorkflowAction {
            instance_id,
            name,
            ..Default::default()
        }),
    )
}

pub(super) fn complete(id: i32, status: RuntimeStatus) -> wire::WorkflowAction {
    let workflow_status = status.number();
    let result = Some("9".to_owned());
    action(
        id,
        Action::CompleteWorkflow(wire::CompleteWorkflowAction {
            workflow_status,
            result,
            ..Default::default()
        }),
    )
}

/// The names of events, as short as they can be told apart.
pub(super) fn kinds(events: &[Event]) -> Vec<String> {
    let name = |event: &Event| {
        let text = format!("{:?}", event.message().event_type);
        text.trim_start_matches("Some(").split('(').next().unwrap_or_default().to_owned()
    };
    events.iter().map(name).collect()
}
