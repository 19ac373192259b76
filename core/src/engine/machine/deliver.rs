//! News for an instance: raised events, results of activities, fired timers, ended children.

use super::*;
use crate::engine::task::ActivityResult;

impl Machine {
    /// An event raised by a client or another instance. It is written with the batch that took it in.
    pub fn raise(
        &mut self,
        name: String,
        data: Payload,
        context: &mut Context<'_>,
        effects: &mut Vec<Effect>,
    ) {
        if self.is_finished() {
            return;
        }
        let raised = wire::EventRaisedEvent { name, input: data };
        self.deliver(EventType::EventRaised(raised), true, context, effects);
    }

    /// An activity ended. A second result, and one that nobody waits for any more, is dropped.
    pub fn activity_done(
        &mut self,
        id: i32,
        result: ActivityResult,
        context: &mut Context<'_>,
        effects: &mut Vec<Effect>,
    ) {
        let Some(task) = self.tasks.get_mut(&id).filter(|task| !task.answered) else { return };
        task.answered = true;
        if task.again {
            effects.push(Effect::StopActivities(vec![ActivityKey { run: self.run(), task_id: id }]));
        }
        let event = match result {
            Ok(result) => EventType::TaskCompleted(wire::TaskCompletedEvent {
                task_scheduled_id: id,
                result,
                ..Default::default()
            }),
            Err(failure) => EventType::TaskFailed(wire::TaskFailedEvent {
                task_scheduled_id: id,
                failure_details: Some((&failure).into()),
                ..Default::default()
            }),
        };
        self.deliver(event, false, context, effects);
    }

    /// A timer is due. One that was disarmed or has fired is ignored.
    pub fn timer_fired(&mut self, row: TimerRow, context: &mut Context<'_>, effects: &mut Vec<Effect>) {
        if row.timer_id == TimerRow::START {
            return self.begin_delayed(row, context, effects);
        }
        let finished = self.is_finished();
        match self.timers.get_mut(&row.timer_id) {
            Some(timer) if !timer.fired && timer.fire_at == Some(row.fire_at) => timer.fired = true,
            _ if mutant!("double_timer") && !finished => {}
            _ => return,
        }
        let fired =
            wire::TimerFiredEvent { fire_at: Some(wire::timestamp(row.fire_at)), timer_id: row.timer_id };
        self.deliver(EventType::TimerFired(fired), false, context, effects);
    }

    fn begin_delayed(&mut self, row: TimerRow, context: &mut Context<'_>, effects: &mut Vec<Effect>) {
        if self.start_timer() == Some(row) {
            self.dispatch(context, effects);
        }
    }

    /// A child ended; written in the transaction in which it ended, so that it is told exactly once.
    pub fn child_done(
        &mut self,
        id: i32,
        result: Result<Payload, Failure>,
        context: &mut Context<'_>,
        effects: &mut Vec<Effect>,
    ) {
        if self.is_finished() || !self.children.contains_key(&id) {
            return;
        }
        let event = match result {
            Ok(result) => {
                EventType::ChildWorkflowInstanceCompleted(wire::ChildWorkflowInstanceCompletedEvent {
                    task_scheduled_id: id,
                    result,
                    ..Default::default()
                })
            }
            Err(failure) => EventType::ChildWorkflowInstanceFailed(wire::ChildWorkflowInstanceFailedEvent {
                task_scheduled_id: id,
                failure_details: Some((&failure).into()),
                ..Default::default()
            }),
        };
        self.deliver(event, true, context, effects);
    }

    /// Puts an event into the inbox. What need not be stored now is staged: it goes to the worker at once and is
    /// written in the commit of the turn that it causes.
    fn deliver(
        &mut self,
        event_type: EventType,
        store: bool,
        context: &mut Context<'_>,
        effects: &mut Vec<Effect>,
    ) {
        let event = engine_event(context.now, event_type);
        let stays = self.row.status == RuntimeStatus::Suspended || self.stall.is_some();
        let mut item = Inbox { event, row: None };
        if store || (stays && !item.is_timer()) {
            item.row = Some(self.store_inbox(&item.event, context, effects));
            self.touch(context.now);
        } else if !item.is_timer() {
            effects.push(Effect::Staged);
        }
        self.inbox.push_back(item);
        self.dispatch(context, effects);
    }

    /// Writes the events that wait in memory only: their turn takes too long.
    pub fn save_staged(&mut self, context: &mut Context<'_>, effects: &mut Vec<Effect>) {
        for index in 0..self.inbox.len() {
            if self.inbox[index].row.is_none() && !self.inbox[index].is_timer() {
                let event = self.inbox[index].event.clone();
                self.inbox[index].row = Some(self.store_inbox(&event, context, effects));
                self.touch(context.now);
            }
        }
    }
}
