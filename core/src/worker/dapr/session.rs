//! One worker at a hub.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::super::replay::Dialect;
use super::super::source::{Session, TurnOutcome};
use super::super::status::Status;
use super::answers;
use super::hub::Hub;
use super::items::Unreadable;
use super::runs::Ended;
use crate::bridge::{Level, Notice, Stall};
use crate::component::Pending;
use crate::engine::dispatch::WorkerId;
use crate::engine::task::{ActivityKey, ActivityResult, RunKey, WorkflowTask};
use crate::engine::{Abilities, ActivityWork, Bell, WorkflowWork};
use crate::error::{Error, ErrorKind, Result};
use crate::history::Event;

struct DaprSession {
    hub: Arc<Hub>,
    worker: WorkerId,
    left: AtomicBool,
}

/// Registers a worker; nothing when the hub has just closed.
pub(super) fn join(
    hub: &Arc<Hub>,
    abilities: Arc<Abilities>,
    bell: &Arc<dyn Bell>,
) -> Option<Arc<dyn Session>> {
    if !hub.enter() {
        return None;
    }
    let worker = hub.dispatch.join(abilities, bell);
    hub.retry_stalled();
    hub.look();
    Some(Arc::new(DaprSession { hub: hub.clone(), worker, left: AtomicBool::new(false) }))
}

impl Hub {
    /// A new worker may have what stalled instances lack. The runtime tries them again when the stream is opened anew.
    fn retry_stalled(&self) {
        let inner = self.lock();
        let stalled = inner.live.as_ref().filter(|_| inner.stalled).map(|live| live.number);
        drop(inner);
        if let Some(stream) = stalled {
            self.drop_stream(stream);
        }
    }

    fn turn_ended(self: &Arc<Hub>, worker: WorkerId, answer: TurnOutcome) {
        self.dispatch.turn_answered(worker, answer.run, answer.cached);
        let mut inner = self.lock();
        let cached = answer.cached.then_some(worker);
        let Some(ended) = inner.runs.ended(answer.run, answer.token, cached) else { return };
        let Ended { out, instance_id, held, name } = ended;
        let stream = out.delivery.stream;
        if !inner.is_live(stream) {
            inner.runs.outdated(&instance_id);
        }
        if let Some(held) = held.filter(|held| inner.is_live(held.stream)) {
            let _ = self.hand_out(&mut inner, held);
        }
        if !inner.is_live(stream) {
            return;
        }
        let completion = &out.delivery.completion_token;
        let mut given_up = Vec::new();
        let response = match answer.outcome {
            Ok(result) => {
                let running = |id: &i32| inner.activities.running(&(instance_id.clone(), *id));
                given_up.extend(result.cancelled_tasks.iter().filter_map(running));
                answers::turn(&instance_id, completion, result)
            }
            Err(stall) => {
                inner.stalled = true;
                self.notice(Level::Error, stall_text(&name, &instance_id, &stall));
                answers::stalled(&instance_id, completion)
            }
        };
        drop(inner);
        self.send_turn(stream, response);
        self.stop_activities(&given_up);
    }

    /// Activities that their workflow gave up are stopped, and answered, since the runtime waits for an answer to each.
    fn stop_activities(self: &Arc<Hub>, keys: &[ActivityKey]) {
        if keys.is_empty() {
            return;
        }
        self.dispatch.stop(keys);
        for key in keys {
            self.activity_ended(*key, Err(answers::given_up()));
        }
    }

    /// A worker has a turn no more: it is handed out again, as long as its stream lives.
    fn turn_lost(self: &Arc<Hub>, run: RunKey, token: u64) {
        let mut inner = self.lock();
        let Some(ended) = inner.runs.ended(run, token, None) else { return };
        let again = ended.held.unwrap_or(ended.out.delivery);
        if inner.is_live(again.stream) {
            let _ = self.hand_out(&mut inner, again);
        }
    }
}

/// What is said of a stall: the runtime keeps no more of it than that there was one.
pub(super) fn stall_text(name: &str, instance_id: &str, stall: &Stall) -> String {
    let place = stall.event_index.map(|index| format!(" (event {index} of its history)")).unwrap_or_default();
    format!("workflow {name:?}, instance {instance_id:?}, stalled: {stall}{place}")
}

impl Session for DaprSession {
    fn take_turns(&self, max: usize) -> WorkflowWork {
        self.hub.dispatch.take_turns(self.worker, max)
    }

    fn take_activities(&self, max: usize) -> ActivityWork {
        self.hub.dispatch.take_activities(self.worker, max)
    }

    fn dialect(&self) -> Dialect {
        Dialect::Dapr
    }

    fn past(&self, task: &WorkflowTask) -> Result<Vec<Event>> {
        let inner = self.hub.lock();
        let out = inner.runs.out(task.run).filter(|out| out.token == task.token);
        let delivery = out.map(|out| out.delivery.clone());
        drop(inner);
        let Some(delivery) = delivery else {
            return Err(Error::new(ErrorKind::NotFound, "the turn was taken back"));
        };
        if delivery.item.left_out > 0 {
            let history = self.hub.history(&delivery.item.instance_id);
            // On a new stream the runtime sends the whole history.
            return history.inspect_err(|_| self.hub.drop_stream(delivery.stream));
        }
        delivery.item.past_events().map_err(|Unreadable| {
            if self.hub.lock().runs.ended(task.run, task.token, None).is_some() {
                self.hub.refuse(delivery.stream, &task.instance_id, &delivery.completion_token);
            }
            Error::new(ErrorKind::StoreCorrupt, "a history event cannot be decoded")
        })
    }

    fn answer_turns(&self, answers: Vec<TurnOutcome>) {
        answers.into_iter().for_each(|answer| self.hub.turn_ended(self.worker, answer));
    }

    fn answer_activities(&self, answers: Vec<(ActivityKey, ActivityResult)>) {
        for (key, result) in answers {
            if self.hub.dispatch.activity_answered(self.worker, key) {
                self.hub.activity_ended(key, result);
            }
        }
    }

    fn give_back(&self, run: RunKey, token: u64) {
        self.hub.dispatch.turn_answered(self.worker, run, false);
        self.hub.turn_lost(run, token);
    }

    fn dropped(&self, run: RunKey) {
        self.hub.dispatch.dropped(self.worker, run);
        self.hub.lock().runs.dropped(run);
    }

    fn status(&self) -> Status {
        self.hub.status()
    }

    fn ready(&self, timeout: Option<Duration>) -> Pending<'static, ()> {
        self.hub.ready(timeout)
    }

    fn take_notices(&self) -> Vec<Notice> {
        self.hub.take_notices()
    }

    fn settle(&self, patience: Duration) {
        self.hub.settle(patience);
    }

    fn leave(&self) {
        if self.left.swap(true, Ordering::AcqRel) {
            return;
        }
        for (run, token) in self.hub.dispatch.leave(self.worker) {
            self.hub.turn_lost(run, token);
        }
        self.hub.lock().runs.left(self.worker);
        self.hub.look();
        self.hub.exit();
    }
}

impl Drop for DaprSession {
    fn drop(&mut self) {
        self.leave();
    }
}
