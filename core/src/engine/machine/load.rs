//! Rebuilding a machine from what the store has.

use std::collections::HashSet;

use super::*;
use crate::engine::store::Loaded;
use crate::error::Result;

/// Who made a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A worker ran a turn.
    Worker,
    /// The engine alone: a pause, a resumption, a termination, or the reason of a stall.
    Engine,
}

/// Who made this record.
pub(super) fn kind(events: &[Event]) -> Kind {
    let by_engine = events.iter().any(|event| {
        matches!(
            event.message().event_type,
            Some(
                EventType::ExecutionSuspended(_)
                    | EventType::ExecutionResumed(_)
                    | EventType::ExecutionTerminated(_)
                    | EventType::ExecutionStalled(_)
            )
        )
    });
    if by_engine { Kind::Engine } else { Kind::Worker }
}

impl Machine {
    /// The machine of a stored instance.
    ///
    /// # Errors
    /// `store_corrupt` if a record cannot be read.
    pub fn load(loaded: Loaded) -> Result<Machine> {
        let mut machine = Machine::from_row(loaded.row);
        for (_, data) in &loaded.turns {
            machine.has_past = true;
            let events = record::unframe(data)?;
            if kind(&events) == Kind::Worker {
                machine.stall = None;
            }
            for event in &events {
                machine.recall(event);
            }
            // Last, because a turn may have given up what it had only just asked for.
            if let Some(own) = events.first().and_then(|event| event.message().own.as_ref()) {
                for id in &own.cancelled_timers {
                    machine.timers.remove(id);
                }
                for id in &own.cancelled_tasks {
                    machine.tasks.remove(id);
                }
            }
        }
        for row in loaded.inbox {
            let event = Event::decode(row.event)?;
            machine.recall_inbox(Inbox { event, row: Some(row.id) });
        }
        Ok(machine)
    }

    fn recall_inbox(&mut self, item: Inbox) {
        match &item.event.message().event_type {
            Some(EventType::ExecutionSuspended(_)) => self.pause = Some(item),
            Some(EventType::ExecutionTerminated(_)) => self.recursion = item.row,
            Some(EventType::ExecutionStarted(started)) => {
                self.recall_start(started, false);
                self.last_time = self.last_time.max(item.event.timestamp());
                // Events that came before a continue-as-new have smaller numbers than its start.
                self.inbox.push_front(item);
            }
            other => {
                self.mark_answered(other.as_ref());
                self.inbox.push_back(item);
            }
        }
    }

    fn recall_start(&mut self, started: &wire::ExecutionStartedEvent, rerun: bool) {
        let run = started.workflow_instance.as_ref().and_then(|instance| instance.execution_id.as_deref());
        self.seed_run = run.filter(|_| rerun).map(Arc::from);
        self.input = started.input.as_deref().map(Arc::from);
        self.tags = started.tags.clone().into_iter().collect();
    }

    /// Takes in one event of the history.
    fn recall(&mut self, event: &Event) {
        let message = event.message();
        let id = message.event_id;
        self.max_action = self.max_action.max(id);
        self.last_time = self.last_time.max(event.timestamp());
        match &message.event_type {
            Some(EventType::ExecutionStarted(started)) => {
                let rerun = message.own.as_ref().is_some_and(|own| !own.rerun_of.is_empty());
                self.recall_start(started, rerun);
            }
            Some(EventType::TaskScheduled(_)) => {
                self.tasks.insert(id, OpenTask::default());
            }
            Some(EventType::TimerCreated(timer)) => {
                let fire_at = timer_due(timer.fire_at.as_ref());
                self.timers.insert(id, OpenTimer { fire_at, fired: false });
            }
            Some(EventType::ChildWorkflowInstanceCreated(child)) => {
                self.children.insert(id, child.instance_id.clone());
                self.family.push(child.instance_id.clone());
            }
            Some(EventType::ExecutionCompleted(done)) => {
                self.outcome = Outcome {
                    output: done.result.as_deref().map(Arc::from),
                    failure: done.failure_details.as_ref().map(|details| Arc::new(details.into())),
                };
                self.tasks.clear();
                self.timers.clear();
                self.children.clear();
                self.stall = None;
            }
            Some(EventType::ExecutionStalled(stalled)) => self.stall.clone_from(&stalled.description),
            other => self.close_open(other.as_ref()),
        }
    }

    /// What a completion ends.
    pub(super) fn close_open(&mut self, event: Option<&EventType>) {
        match event {
            Some(EventType::TaskCompleted(done)) => drop(self.tasks.remove(&done.task_scheduled_id)),
            Some(EventType::TaskFailed(done)) => drop(self.tasks.remove(&done.task_scheduled_id)),
            Some(EventType::TimerFired(fired)) => drop(self.timers.remove(&fired.timer_id)),
            Some(EventType::ChildWorkflowInstanceCompleted(done)) => {
                drop(self.children.remove(&done.task_scheduled_id));
            }
            Some(EventType::ChildWorkflowInstanceFailed(done)) => {
                drop(self.children.remove(&done.task_scheduled_id));
            }
            _ => {}
        }
    }

    pub(super) fn mark_answered(&mut self, event: Option<&EventType>) {
        let id = match event {
            Some(EventType::TaskCompleted(done)) => done.task_scheduled_id,
            Some(EventType::TaskFailed(done)) => done.task_scheduled_id,
            _ => return,
        };
        if let Some(task) = self.tasks.get_mut(&id) {
            task.answered = true;
        }
    }

    /// Hands out again what a dead process or a failed commit left undone: timers, open activities, the turn, the
    /// pause, the termination of children. `turns` are the instance's turns, for the inputs of its activities.
    ///
    /// # Errors
    /// `store_corrupt` if a record cannot be read.
    pub fn recover(
        &mut self,
        turns: &[(u32, Bytes)],
        context: &mut Context<'_>,
        effects: &mut Vec<Effect>,
    ) -> Result<()> {
        if self.recursion.is_some() {
            effects.push(Effect::Recurse);
        }
        if self.is_finished() {
            return Ok(());
        }
        self.apply_pause(context, effects);
        for (id, timer) in &self.timers {
            if let Some(fire_at) = timer.fire_at {
                effects.push(Effect::Timer(TimerRow { fire_at, key: self.row.key, timer_id: *id }));
            }
        }
        if let (Some(fire_at), None) = (self.row.start_at, self.row.started_at) {
            effects.push(Effect::Timer(TimerRow { fire_at, key: self.row.key, timer_id: TimerRow::START }));
        }
        let mut open = HashSet::new();
        for (id, task) in self.tasks.iter_mut().filter(|(_, task)| !task.answered) {
            task.again = true;
            open.insert(*id);
        }
        if !open.is_empty() {
            for (_, data) in turns {
                for event in record::unframe(data)? {
                    let id = event.message().event_id;
                    if let (true, Some(EventType::TaskScheduled(task))) =
                        (open.contains(&id), &event.message().event_type)
                    {
                        effects.push(Effect::Activity(self.activity(id, task, &event)));
                    }
                }
            }
        }
        self.dispatch(context, effects);
        Ok(())
    }

    pub(super) fn activity(&self, id: i32, task: &wire::TaskScheduledEvent, event: &Event) -> ActivityTask {
        let own = event.message().own.as_ref();
        let timeout = own.map_or(0, |own| own.timeout_ms);
        ActivityTask {
            run: self.run(),
            task_id: id,
            instance_id: self.instance_id.clone(),
            execution_id: self.execution_id.clone(),
            name: task.name.clone(),
            input: task.input.clone(),
            attempt: own.map_or(1, |own| own.attempt.max(1)),
            execution_key: task.task_execution_id.clone(),
            deadline: (timeout > 0)
                .then(|| Micros(event.timestamp().0.saturating_add(timeout.saturating_mul(1000)))),
        }
    }
}
