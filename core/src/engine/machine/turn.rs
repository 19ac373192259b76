//! Turns: handing one out, and writing what it asked for.

use super::create::generation_id;
use super::*;
use crate::bridge::{Stall, StallCode};
use wire::workflow_action::WorkflowActionType as Action;

impl Machine {
    /// Hands out the next turn if there is one and nothing stands against it.
    pub(super) fn dispatch(&mut self, context: &mut Context<'_>, effects: &mut Vec<Effect>) {
        if self.inbox.is_empty() || self.turn.is_some() || self.is_finished() || self.pause.is_some() {
            return;
        }
        let delayed = self.row.started_at.is_none() && self.row.start_at.is_some_and(|at| at > context.now);
        let halted = self.row.status == RuntimeStatus::Suspended || (self.stall.is_some() && !self.retry);
        if delayed || halted {
            return;
        }
        self.retry = false;
        let time = self.turn_time(context.now);
        let started = engine_event(time, EventType::WorkflowStarted(wire::WorkflowStartedEvent::default()));
        let token = context.ids.token();
        let mut events = Vec::with_capacity(self.inbox.len() + 1);
        events.push(started.clone());
        events.extend(self.inbox.iter().map(|item| item.event.clone()));
        self.turn = Some(InFlight { token, started, taken: self.inbox.len() });
        let task = WorkflowTask {
            run: self.run(),
            token,
            instance_id: self.instance_id.clone(),
            execution_id: self.seed_run.as_ref().unwrap_or(&self.execution_id).clone(),
            name: self.name.clone(),
            version: self.wanted_version(),
            turn: self.row.next_turn,
            has_past: self.has_past,
            events,
        };
        effects.push(if self.wrote_turn { Effect::TaskAfterFlush(task) } else { Effect::Task(task) });
    }

    fn wanted_version(&self) -> Version {
        match &self.version {
            Some(name) => Version::Named(name.clone()),
            // Also in a later generation: continuing as new keeps what the run began with.
            None if self.row.started_at.is_some() => Version::Unversioned,
            None => Version::Latest,
        }
    }

    /// The turn was taken back before any worker had it; what it would have delivered stays in the inbox.
    pub fn turn_withdrawn(&mut self) {
        self.turn = None;
    }

    /// The worker that had the turn is gone: the turn is handed out again.
    pub fn turn_lost(&mut self, token: u64, context: &mut Context<'_>, effects: &mut Vec<Effect>) {
        if self.turn.as_ref().is_some_and(|turn| turn.token == token) {
            self.turn = None;
            // The one more try of a stalled instance was not had.
            self.retry = self.stall.is_some();
            self.apply_pause(context, effects);
            self.dispatch(context, effects);
        }
    }

    /// A turn came back: its events and what it asked for become one record. An answer that nobody waits for is dropped.
    pub fn turn_done(
        &mut self,
        token: u64,
        mut result: TurnResult,
        context: &mut Context<'_>,
        effects: &mut Vec<Effect>,
    ) {
        let Some(turn) = self.turn.take_if(|turn| turn.token == token) else { return };
        let time = turn.started.timestamp();
        let now = context.now.max(time);
        self.stall = None;
        if self.row.started_at.is_none() {
            self.drop_start_timer(effects);
            self.row.started_at = Some(time);
        }
        if mutant!("version_not_kept") {
            result.version = None;
        }
        let ran = result.version.as_ref().and_then(|version| version.name.as_deref());
        if ran.is_some() && ran != self.version.as_deref() {
            self.row.version = ran.map(str::to_owned);
            self.version = ran.map(Arc::from);
        }
        self.row.status = RuntimeStatus::Running;
        self.row.custom_status = result.custom_status.clone();
        let mut events = Vec::with_capacity(1 + turn.taken + result.actions.len());
        events.push(self.started_event(&turn, &result, time));
        self.take_inbox(turn.taken, &mut events, effects);
        for action in result.actions {
            if let Some(Action::CompleteWorkflow(done)) = action.workflow_action_type {
                if done.workflow_status == RuntimeStatus::ContinuedAsNew.number() {
                    return self.continue_as_new(done, now, context, effects);
                }
                self.finish(action.id, done, now, &mut events, effects);
                break;
            }
            self.act(action, now, &mut events, effects);
        }
        // After the actions: a turn may give up what it has only just asked for.
        for id in &result.cancelled_timers {
            self.cancel_timer(*id, effects);
        }
        self.cancel_tasks(&result.cancelled_tasks, effects);
        self.write_turn(&events, now, effects);
        self.apply_pause(context, effects);
        self.dispatch(context, effects);
    }

    /// The turn's `WorkflowStarted`, with what a rebuild of rows and workers must know of the turn.
    fn started_event(&self, turn: &InFlight, result: &TurnResult, time: Micros) -> Event {
        let version = result.version.clone().or_else(|| {
            self.row
                .version
                .clone()
                .map(|name| wire::WorkflowVersion { name: Some(name), patches: Vec::new() })
        });
        let gives_up = !result.cancelled_timers.is_empty() || !result.cancelled_tasks.is_empty();
        let own = (gives_up || result.custom_status.is_some()).then(|| {
            Box::new(wire::OwnData {
                cancelled_timers: result.cancelled_timers.clone(),
                cancelled_tasks: result.cancelled_tasks.clone(),
                custom_status: result.custom_status.clone(),
                ..Default::default()
            })
        });
        if version.is_none() && own.is_none() {
            return turn.started.clone();
        }
        let started = wire::WorkflowStartedEvent { version };
        event(-1, time, EventType::WorkflowStarted(started), own)
    }

    /// Moves the events that the turn was given from the inbox into its record.
    fn take_inbox(&mut self, taken: usize, events: &mut Vec<Event>, effects: &mut Vec<Effect>) {
        let given = if mutant!("lost_staged_result") { self.inbox.len() } else { taken };
        for item in self.inbox.drain(..given).take(taken).collect::<Vec<_>>() {
            if let Some(row) = item.row
                && !mutant!("inbox_not_deleted")
            {
                self.drop_inbox(row, effects);
            }
            if let Some(EventType::TimerFired(fired)) = &item.event.message().event_type
                && let Some(timer) = self.timers.get(&fired.timer_id)
                && let Some(fire_at) = timer.fire_at
            {
                let row = TimerRow { fire_at, key: self.row.key, timer_id: fired.timer_id };
                if !mutant!("double_timer") {
                    effects.push(Effect::Store(Op::DropTimer(row)));
                }
            }
            self.close_open(item.event.message().event_type.as_ref());
            events.push(item.event);
        }
    }

    fn cancel_timer(&mut self, id: i32, effects: &mut Vec<Effect>) {
        if let Some(OpenTimer { fire_at: Some(fire_at), .. }) = self.timers.remove(&id) {
            let row = TimerRow { fire_at, key: self.row.key, timer_id: id };
            effects.push(Effect::Store(Op::DropTimer(row)));
        }
    }

    fn cancel_tasks(&mut self, ids: &[i32], effects: &mut Vec<Effect>) {
        let run = self.run();
        let gone: Vec<ActivityKey> = ids
            .iter()
            .filter(|id| self.tasks.remove(id).is_some())
            .map(|id| ActivityKey { run, task_id: *id })
            .collect();
        if !gone.is_empty() && !mutant!("stale_generation") {
            effects.push(Effect::StopActivities(gone));
        }
    }

    /// Turns one action into its event and what follows from it.
    fn act(
        &mut self,
        action: wire::WorkflowAction,
        now: Micros,
        events: &mut Vec<Event>,
        effects: &mut Vec<Effect>,
    ) {
        let wire::WorkflowAction { id, workflow_action_type, own, .. } = action;
        self.max_action = self.max_action.max(id);
        let Some(kind) = workflow_action_type else { return };
        match kind {
            Action::ScheduleTask(task) => {
                let scheduled = wire::TaskScheduledEvent {
                    name: task.name,
                    version: task.version,
                    input: task.input,
                    task_execution_id: task.task_execution_id,
                    ..Default::default()
                };
                self.tasks.insert(id, OpenTask::default());
                let event = event(id, now, EventType::TaskScheduled(scheduled), own);
                if let Some(EventType::TaskScheduled(task)) = &event.message().event_type {
                    effects.push(Effect::Activity(self.activity(id, task, &event)));
                }
                events.push(event);
            }
            Action::CreateTimer(timer) => {
                let fire_at = timer_due(timer.fire_at.as_ref());
                self.timers.insert(id, OpenTimer { fire_at, fired: false });
                if let Some(fire_at) = fire_at {
                    let row = TimerRow { fire_at, key: self.row.key, timer_id: id };
                    effects.push(Effect::Store(Op::PutTimer(row)));
                    effects.push(Effect::Timer(row));
                }
                let created = wire::TimerCreatedEvent {
                    fire_at: timer.fire_at,
                    name: timer.name,
                    origin: timer.origin.map(Into::into),
                    ..Default::default()
                };
                events.push(event(id, now, EventType::TimerCreated(created), own));
            }
            Action::CreateChildWorkflow(child) => self.start_child(id, child, own, now, events, effects),
            Action::CreateDetachedWorkflow(child) => {
                self.start_detached(id, child, own, now, events, effects);
            }
            Action::SendEvent(send) => self.send_event(id, send, now, events, effects),
            _ => {}
        }
    }

    /// Ends the run: timers, tasks and unread events go in the same commit, the parent is told in it.
    pub(super) fn finish(
        &mut self,
        id: i32,
        done: wire::CompleteWorkflowAction,
        now: Micros,
        events: &mut Vec<Event>,
        effects: &mut Vec<Effect>,
    ) {
        let failure = done.failure_details.as_ref().map(Failure::from);
        self.row.status = RuntimeStatus::from_number(done.workflow_status);
        self.row.completed_at = Some(now);
        self.tell_parent(&done.result, failure.as_ref(), effects);
        self.outcome =
            Outcome { output: done.result.as_deref().map(Arc::from), failure: failure.map(Arc::new) };
        self.clear(effects);
        let completed = wire::ExecutionCompletedEvent {
            workflow_status: done.workflow_status,
            result: done.result,
            failure_details: done.failure_details,
        };
        events.push(event(id, now, EventType::ExecutionCompleted(completed), None));
    }

    /// Drops everything that the run still waits for.
    pub(super) fn clear(&mut self, effects: &mut Vec<Effect>) {
        let armed: Vec<(Micros, i32)> =
            self.timers.iter().filter_map(|(id, timer)| timer.fire_at.map(|at| (at, *id))).collect();
        if !armed.is_empty() {
            effects.push(Effect::Store(Op::DropTimers(self.row.key, armed)));
        }
        self.drop_start_timer(effects);
        let open: Vec<i32> = self.tasks.keys().copied().collect();
        self.cancel_tasks(&open, effects);
        self.timers.clear();
        self.children.clear();
        for item in std::mem::take(&mut self.inbox) {
            if let Some(row) = item.row {
                self.drop_inbox(row, effects);
            }
        }
        if let Some(row) = self.pause.take().and_then(|item| item.row) {
            self.drop_inbox(row, effects);
        }
    }

    /// The next generation: its history begins anew, unread events come along behind those the turn carries over.
    fn continue_as_new(
        &mut self,
        done: wire::CompleteWorkflowAction,
        now: Micros,
        context: &mut Context<'_>,
        effects: &mut Vec<Effect>,
    ) {
        let unread: Vec<Inbox> = self.inbox.drain(..).collect();
        let pause = self.pause.take();
        self.clear(effects);
        self.family.clear();
        effects.push(Effect::Store(Op::DropTurns(self.row.key)));
        self.row.generation += 1;
        self.row.next_turn += 1;
        self.execution_id = generation_id(&self.row.execution_id, self.row.generation);
        self.seed_run = None;
        self.input = done.result.as_deref().map(Arc::from);
        self.has_past = false;
        self.max_action = 0;
        self.last_time = self.last_time.max(now);
        self.wrote_turn = true;
        self.pause = pause;
        self.touch(now);
        self.put(self.next_start(done.result, now), context, effects);
        for carried in done.carryover_events {
            self.put(Event::new(carried), context, effects);
        }
        for item in unread {
            let raised = matches!(item.event.message().event_type, Some(EventType::EventRaised(_)));
            if let Some(row) = item.row {
                self.drop_inbox(row, effects);
            }
            if raised {
                self.put(item.event, context, effects);
            }
        }
        self.apply_pause(context, effects);
        self.dispatch(context, effects);
    }

    /// The timer of a delayed start stays until the first turn is written: who loses that turn is woken again.
    fn drop_start_timer(&self, effects: &mut Vec<Effect>) {
        if let Some(timer) = self.start_timer() {
            effects.push(Effect::Store(Op::DropTimer(timer)));
        }
    }

    fn put(&mut self, event: Event, context: &mut Context<'_>, effects: &mut Vec<Effect>) {
        let row = Some(self.store_inbox(&event, context, effects));
        self.inbox.push_back(Inbox { event, row });
    }

    fn next_start(&self, input: Payload, now: Micros) -> Event {
        let parent = self.row.parent.as_ref().map(|link| wire::ParentInstanceInfo {
            task_scheduled_id: link.task_id,
            workflow_instance: Some(wire::WorkflowInstance {
                instance_id: link.instance_id.clone(),
                execution_id: None,
            }),
            ..Default::default()
        });
        let started = wire::ExecutionStartedEvent {
            name: self.row.name.clone(),
            version: self.row.version.clone(),
            input,
            workflow_instance: Some(wire::WorkflowInstance {
                instance_id: self.row.id.clone(),
                execution_id: Some(self.execution_id.to_string()),
            }),
            parent_instance: parent,
            tags: self.tags.clone().into_iter().collect(),
            ..Default::default()
        };
        let run = wire::OwnRun {
            execution_id: self.row.execution_id.clone(),
            started_at: self.row.started_at.map_or(0, |time| time.0),
            turn: self.row.next_turn,
            custom_status: self.row.custom_status.clone(),
        };
        let own = wire::OwnData { run: Some(run), ..Default::default() };
        event(-1, now, EventType::ExecutionStarted(Box::new(started)), Some(Box::new(own)))
    }

    /// The turn cannot be completed until the code changes: nothing of it is written but the reason.
    pub fn turn_stalled(
        &mut self,
        token: u64,
        stall: Stall,
        context: &mut Context<'_>,
        effects: &mut Vec<Effect>,
    ) {
        let Some(turn) = self.turn.take_if(|turn| turn.token == token) else { return };
        self.save_staged(context, effects);
        let message = stall.to_string();
        let known = self.stall.as_deref() == Some(message.as_str());
        self.row.status = RuntimeStatus::Stalled;
        self.stall = Some(message.clone());
        effects.push(Effect::Evict(self.run(), Evict::Stalled));
        if !known {
            let now = context.now.max(turn.started.timestamp());
            let stalled = wire::ExecutionStalledEvent {
                reason: stall_reason(stall.code).into(),
                description: Some(message),
            };
            let own = wire::OwnData {
                stall: Some(wire::OwnStall {
                    code: stall.code.code().to_owned(),
                    message: stall.message,
                    stack: stall.stack.unwrap_or_default(),
                    event_index: stall
                        .event_index
                        .map_or(-1, |index| i32::try_from(index).unwrap_or(i32::MAX)),
                }),
                ..Default::default()
            };
            self.write_turn(
                &[event(-1, now, EventType::ExecutionStalled(stalled), Some(Box::new(own)))],
                now,
                effects,
            );
        }
        self.touch(context.now);
        self.apply_pause(context, effects);
    }
}

fn stall_reason(code: StallCode) -> wire::StalledReason {
    match code {
        StallCode::VersionNotAvailable => wire::StalledReason::VersionNotAvailable,
        // Dapr has no reason for the other codes; the own field tells them apart.
        _ => wire::StalledReason::PatchMismatch,
    }
}
