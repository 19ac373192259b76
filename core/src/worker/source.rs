//! Where a worker's tasks come from: the embedded engine, or a Dapr sidecar. The rest of the worker cannot tell
//! them apart.

use std::sync::mpsc::sync_channel;
use std::sync::{Arc, Mutex, PoisonError};

use std::time::Duration;

use super::replay::Dialect;
use super::status::Status;
use crate::bridge::{Notice, Stall};
use crate::component::Pending;
use crate::engine::dispatch::WorkerId;
use crate::engine::request::Request;
use crate::engine::task::{ActivityKey, ActivityResult, RunKey, TurnResult, WorkflowTask};
use crate::engine::{self, Abilities, ActivityWork, Bell, Engine, Shared, WorkflowWork};
use crate::error::Result;
use crate::history::Event;

/// Gives out sessions.
pub trait TaskSource: Send + Sync {
    /// Registers a worker; the bell rings when there may be work.
    ///
    /// # Errors
    /// `closed` if the source is closed.
    fn join(&self, abilities: Arc<Abilities>, bell: Arc<dyn Bell>) -> Result<Arc<dyn Session>>;
}

/// One registered worker, seen from the worker.
pub trait Session: Send + Sync {
    /// Takes up to `max` turns and what must be dropped. Never blocks.
    fn take_turns(&self, max: usize) -> WorkflowWork;

    /// Takes up to `max` activities and what must be stopped. Never blocks.
    fn take_activities(&self, max: usize) -> ActivityWork;

    /// What the turns' answers are written for.
    fn dialect(&self) -> Dialect {
        Dialect::Own
    }

    /// The history before a turn, for a worker that has not cached the instance.
    ///
    /// # Errors
    /// What reading the store answers.
    fn past(&self, task: &WorkflowTask) -> Result<Vec<Event>>;

    /// Answers turns: run, token, outcome, and whether the instance stays cached.
    fn answer_turns(&self, answers: Vec<TurnOutcome>);

    /// Answers activities.
    fn answer_activities(&self, answers: Vec<(ActivityKey, ActivityResult)>);

    /// Gives a turn back unanswered: it is handed out again.
    fn give_back(&self, run: RunKey, token: u64);

    /// A cached instance was dropped.
    fn dropped(&self, run: RunKey);

    /// How the worker stands with the source.
    fn status(&self) -> Status {
        Status::local()
    }

    /// Ends when tasks may come.
    fn ready(&self, _timeout: Option<Duration>) -> Pending<'static, ()> {
        Box::pin(std::future::ready(Ok(())))
    }

    /// Takes what is to be said to those who run the worker. Never blocks.
    fn take_notices(&self) -> Vec<Notice> {
        Vec::new()
    }

    /// Waits until the answers that were given have reached the source, for as long as `patience`.
    fn settle(&self, _patience: Duration) {}

    /// Ends the session: what was not answered is handed out again.
    fn leave(&self);
}

/// The answer to a turn.
#[derive(Debug)]
pub struct TurnOutcome {
    /// Whose.
    pub run: RunKey,
    /// The task's token.
    pub token: u64,
    /// What the turn asked for, or why it cannot go on.
    pub outcome: std::result::Result<TurnResult, Stall>,
    /// Whether the worker keeps the instance.
    pub cached: bool,
}

/// Tasks of the embedded engine.
pub(crate) struct EmbeddedSource {
    shared: Arc<Shared>,
    /// Keeps the engine open as long as a worker is; absent where a test drives it by hand.
    engine: Option<Arc<Engine>>,
}

impl EmbeddedSource {
    pub(crate) fn new(engine: Arc<Engine>) -> EmbeddedSource {
        EmbeddedSource { shared: engine.shared_parts().clone(), engine: Some(engine) }
    }

    #[cfg(any(test, feature = "testkit"))]
    pub(crate) fn by_hand(shared: Arc<Shared>) -> EmbeddedSource {
        EmbeddedSource { shared, engine: None }
    }
}

impl TaskSource for EmbeddedSource {
    fn join(&self, abilities: Arc<Abilities>, bell: Arc<dyn Bell>) -> Result<Arc<dyn Session>> {
        let worker = self.shared.dispatch.join(abilities, &bell);
        self.shared.inbox.push_all(vec![Request::WorkerJoined]);
        Ok(Arc::new(EmbeddedSession {
            shared: self.shared.clone(),
            worker,
            engine: Mutex::new(self.engine.clone()),
        }))
    }
}

struct EmbeddedSession {
    shared: Arc<Shared>,
    worker: WorkerId,
    /// Keeps the engine open until the worker has left, whoever may still hold the worker itself.
    engine: Mutex<Option<Arc<Engine>>>,
}

impl Session for EmbeddedSession {
    fn take_turns(&self, max: usize) -> WorkflowWork {
        self.shared.dispatch.take_turns(self.worker, max)
    }

    fn take_activities(&self, max: usize) -> ActivityWork {
        self.shared.dispatch.take_activities(self.worker, max)
    }

    fn past(&self, task: &WorkflowTask) -> Result<Vec<Event>> {
        engine::events_before(self.shared.reader.as_ref(), task.run.key, task.turn)
    }

    fn answer_turns(&self, answers: Vec<TurnOutcome>) {
        let dispatch = &self.shared.dispatch;
        let mut requests = Vec::with_capacity(answers.len());
        for answer in answers {
            dispatch.turn_answered(self.worker, answer.run, answer.cached);
            requests.push(Request::Turn {
                run: answer.run,
                token: answer.token,
                outcome: Box::new(answer.outcome),
            });
        }
        self.shared.inbox.push_all(requests);
    }

    fn answer_activities(&self, answers: Vec<(ActivityKey, ActivityResult)>) {
        let dispatch = &self.shared.dispatch;
        let mut requests = Vec::with_capacity(answers.len());
        for (key, result) in answers {
            if dispatch.activity_answered(self.worker, key) {
                requests.push(Request::Activity { key, result: Box::new(result) });
            }
        }
        self.shared.inbox.push_all(requests);
    }

    fn give_back(&self, run: RunKey, token: u64) {
        self.shared.dispatch.turn_answered(self.worker, run, false);
        self.shared.inbox.push_all(vec![Request::TurnLost { run, token }]);
    }

    fn dropped(&self, run: RunKey) {
        self.shared.dispatch.dropped(self.worker, run);
    }

    fn settle(&self, patience: Duration) {
        // Nobody answers where a test drives the engine by hand, or once the worker has left.
        if self.engine.lock().unwrap_or_else(PoisonError::into_inner).is_none() {
            return;
        }
        let (done, settled) = sync_channel(1);
        self.shared.inbox.push_all(vec![Request::Settle(done)]);
        // A full disk, a closed engine and a slow one are told where they happen; the worker ends all the same.
        let _settled = settled.recv_timeout(patience);
    }

    fn leave(&self) {
        let orphans = self.shared.dispatch.leave(self.worker);
        let lost = orphans.into_iter().map(|(run, token)| Request::TurnLost { run, token });
        // The engine has to see for how long what only this worker had is waited for.
        self.shared.inbox.push_all(lost.chain([Request::Look]).collect());
        let engine = self.engine.lock().unwrap_or_else(PoisonError::into_inner).take();
        // Ends the engine if no client has it open any more.
        drop(engine);
    }
}

impl Drop for EmbeddedSession {
    fn drop(&mut self) {
        self.leave();
    }
}
