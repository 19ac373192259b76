//! Pause, resume, terminate, and the second try of a stalled instance. None of them needs a worker.

use super::*;

impl Machine {
    /// Pauses the instance. A turn in flight is accepted and written first; pausing twice is one pause.
    pub fn suspend(&mut self, reason: Option<String>, context: &mut Context<'_>, effects: &mut Vec<Effect>) {
        if self.is_finished() || self.row.status == RuntimeStatus::Suspended || self.pause.is_some() {
            return;
        }
        let suspended = wire::ExecutionSuspendedEvent { input: reason };
        let event = engine_event(context.now, EventType::ExecutionSuspended(suspended));
        if self.turn.is_some() {
            let row = Some(self.store_inbox(&event, context, effects));
            self.pause = Some(Inbox { event, row });
            return self.touch(context.now);
        }
        self.pause = Some(Inbox { event, row: None });
        self.apply_pause(context, effects);
    }

    /// Writes a pause that was asked for, once no turn is in flight.
    pub(super) fn apply_pause(&mut self, context: &mut Context<'_>, effects: &mut Vec<Effect>) {
        if self.turn.is_some() || self.is_finished() {
            return;
        }
        let Some(item) = self.pause.take() else { return };
        if let Some(row) = item.row {
            self.drop_inbox(row, effects);
        }
        self.save_staged(context, effects);
        self.row.status = RuntimeStatus::Suspended;
        self.write_control(item.event, context, effects);
    }

    /// A record of its own for something that no worker took part in.
    fn write_control(&mut self, control: Event, context: &mut Context<'_>, effects: &mut Vec<Effect>) {
        let time = self.turn_time(context.now);
        let started = engine_event(time, EventType::WorkflowStarted(wire::WorkflowStartedEvent::default()));
        self.write_turn(&[started, control], time, effects);
    }

    /// Goes on after a pause; a stalled instance is tried once more.
    pub fn resume(&mut self, reason: Option<String>, context: &mut Context<'_>, effects: &mut Vec<Effect>) {
        if self.is_finished() {
            return;
        }
        if let Some(item) = self.pause.take() {
            if let Some(row) = item.row {
                self.drop_inbox(row, effects);
            }
            return self.touch(context.now);
        }
        if self.row.status == RuntimeStatus::Suspended {
            let begun = self.row.started_at.is_some();
            self.row.status = match (&self.stall, begun) {
                (Some(_), _) => RuntimeStatus::Stalled,
                (None, true) => RuntimeStatus::Running,
                (None, false) => RuntimeStatus::Pending,
            };
            let resumed = wire::ExecutionResumedEvent { input: reason };
            let event = engine_event(context.now, EventType::ExecutionResumed(resumed));
            self.write_control(event, context, effects);
        }
        self.retry_stalled(context, effects);
        self.dispatch(context, effects);
    }

    /// Lets a stalled instance run one more turn: a worker with other code may be there.
    pub fn retry_stalled(&mut self, context: &mut Context<'_>, effects: &mut Vec<Effect>) {
        if self.stall.is_some() && self.turn.is_none() {
            self.retry = true;
            self.dispatch(context, effects);
        }
    }

    /// Ends the instance. A finished one stays as it is. With `recursive` its children follow, in slices.
    pub fn terminate(
        &mut self,
        output: Payload,
        recursive: bool,
        context: &mut Context<'_>,
        effects: &mut Vec<Effect>,
    ) {
        if self.is_finished() {
            return;
        }
        self.turn = None;
        let time = self.turn_time(context.now);
        let terminated = wire::ExecutionTerminatedEvent { input: output.clone(), recurse: recursive };
        let terminated = engine_event(time, EventType::ExecutionTerminated(terminated));
        let started = engine_event(time, EventType::WorkflowStarted(wire::WorkflowStartedEvent::default()));
        let mut events = vec![started];
        // An instance that no worker has begun keeps what it was started with.
        let begin =
            |item: &&Inbox| matches!(item.event.message().event_type, Some(EventType::ExecutionStarted(_)));
        events.extend(self.inbox.iter().find(begin).map(|item| item.event.clone()));
        events.push(terminated.clone());
        let done = wire::CompleteWorkflowAction {
            workflow_status: RuntimeStatus::Terminated.number(),
            result: output,
            ..Default::default()
        };
        self.stall = None;
        self.finish(self.max_action + 1, done, time, &mut events, effects);
        self.write_turn(&events, time, effects);
        effects.push(Effect::Evict(self.run(), Evict::Ended));
        if recursive && !self.family.is_empty() {
            self.recursion = Some(self.store_inbox(&terminated, context, effects));
            effects.push(Effect::Recurse);
        }
    }

    /// All children were told to end.
    pub fn recursion_done(&mut self, now: Micros, effects: &mut Vec<Effect>) {
        if let Some(row) = self.recursion.take() {
            self.drop_inbox(row, effects);
            self.touch(now);
        }
    }

    /// Tells the parent how this run ended.
    pub(super) fn tell_parent(&self, result: &Payload, failure: Option<&Failure>, effects: &mut Vec<Effect>) {
        let Some(parent) = self.row.parent.clone() else { return };
        let result = match self.row.status {
            RuntimeStatus::Completed => Ok(result.clone()),
            RuntimeStatus::Terminated => {
                let message = format!("child workflow {:?} was terminated", self.row.id);
                Err(child_failure("WorkflowTerminated", message))
            }
            _ => Err(failure.cloned().unwrap_or_default()),
        };
        effects.push(Effect::Send(Message::ChildDone { parent, result }));
    }
}

/// What a child fails with that did not fail by its own code: replay tells it by the type of its cause.
pub(crate) fn child_failure(cause: &str, message: String) -> Failure {
    let cause = Failure {
        error_type: cause.to_owned(),
        message: message.clone(),
        non_retriable: true,
        ..Failure::default()
    };
    Failure {
        error_type: "ChildWorkflowError".to_owned(),
        message,
        non_retriable: true,
        cause: Some(Box::new(cause)),
        ..Failure::default()
    }
}
