//! What a function has open: attempts with their retries and limits, timers, waits.

use std::time::Duration;

use super::machine::{Machine, Role, code_of};
use crate::bridge::{Job, Ref, Stall, TaskError};
use crate::error::ErrorKind;
use crate::history::wire::create_timer_action::Origin;
use crate::history::wire::{TimerOriginActivityRetry, TimerOriginChildWorkflowRetry};
use crate::model::{Failure, Micros, Payload};
use crate::retry::RetryPolicy;

/// The name of the timer that limits an attempt of an activity.
pub(super) const LIMIT_TIMER: &str = "timeout";

/// Something that the function asked for and that is not answered yet.
pub(super) enum Call {
    Activity(Attempts),
    Child(Attempts),
    Timer {
        id: i32,
    },
    Wait {
        /// The event's name, folded.
        key: String,
        /// The timer that limits the wait.
        limit: Option<i32>,
    },
}

/// The attempts of one call.
pub(super) struct Attempts {
    /// The current attempt, from 1.
    pub(super) attempt: u32,
    /// The action of the current attempt, or the timer of the pause before it.
    pub(super) action: i32,
    /// The timer that limits the current attempt.
    pub(super) limit: Option<i32>,
    pub(super) timeout_ms: Option<i64>,
    /// What another attempt needs; absent without a policy.
    pub(super) again: Option<Box<Again>>,
}

/// What another attempt needs.
pub(super) struct Again {
    pub(super) policy: RetryPolicy,
    pub(super) began: Micros,
    pub(super) target: Target,
    /// An activity: the key of all attempts. A child: the instance ID of the first attempt.
    pub(super) key: String,
}

/// What is called.
#[derive(Clone)]
pub(super) struct Target {
    pub(super) name: String,
    /// The version that the function chose for a child.
    pub(super) version: Option<String>,
    pub(super) input: Payload,
    pub(super) app: Option<String>,
    /// The instance ID that the function chose for a child.
    pub(super) id: Option<String>,
}

impl Machine {
    /// An attempt failed: it is tried again after a pause, or the function gets the failure.
    pub(super) fn attempt_failed(&mut self, reference: Ref, failure: &Failure) -> Result<Option<Job>, Stall> {
        let now = self.now;
        let Some(call) = self.calls.get_mut(&reference) else { return Ok(None) };
        let is_child = matches!(call, Call::Child(_));
        let (Call::Activity(attempts) | Call::Child(attempts)) = call else { return Ok(None) };
        let limit = attempts.limit.take();
        let attempt = attempts.attempt;
        let pause = attempts.again.as_ref().and_then(|again| {
            let elapsed = u64::try_from(now.0.saturating_sub(again.began.0)).unwrap_or(0);
            let pause = again.policy.pause(attempt, Duration::from_micros(elapsed), failure)?;
            Some((pause, again.key.clone()))
        });
        self.disarm(limit);
        let Some((pause, key)) = pause else {
            self.calls.remove(&reference);
            let code =
                if is_child { ErrorKind::ChildFailed } else { code_of(failure, ErrorKind::ActivityFailed) };
            return Ok(Some(Job::Failed { reference, error: task_error(failure, code) }));
        };
        let origin = if is_child {
            Origin::ChildWorkflowRetry(TimerOriginChildWorkflowRetry { instance_id: key })
        } else {
            Origin::ActivityRetry(TimerOriginActivityRetry { task_execution_id: key })
        };
        let timer = self.create_timer(now.plus(pause), None, origin, reference)?;
        self.open.insert(timer, (Role::Pause, reference));
        if let Some(Call::Activity(attempts) | Call::Child(attempts)) = self.calls.get_mut(&reference) {
            attempts.action = timer;
        }
        Ok(None)
    }

    /// A timer fired.
    pub(super) fn fired(&mut self, timer: i32, reference: Ref) -> Result<Option<Job>, Stall> {
        let role = self.open.remove(&timer).map(|(role, _)| role);
        match role {
            Some(Role::Pause) => self.next_attempt(reference).map(|()| None),
            Some(Role::Limit) => self.attempt_timed_out(reference),
            Some(Role::WaitLimit) => Ok(self.wait_timed_out(reference)),
            _ => {
                self.calls.remove(&reference);
                Ok(Some(Job::Done { reference, value: None }))
            }
        }
    }

    fn next_attempt(&mut self, reference: Ref) -> Result<(), Stall> {
        let Some(call) = self.calls.get_mut(&reference) else { return Ok(()) };
        let is_child = matches!(call, Call::Child(_));
        let (Call::Activity(attempts) | Call::Child(attempts)) = call else { return Ok(()) };
        attempts.attempt += 1;
        let (attempt, timeout_ms) = (attempts.attempt, attempts.timeout_ms);
        let Some(again) = &attempts.again else { return Ok(()) };
        let (target, key) = (again.target.clone(), again.key.clone());
        let (action, limit) = if is_child {
            (self.create_child(&target, reference, attempt)?.0, None)
        } else {
            self.schedule(&target, reference, attempt, timeout_ms, Some(key))?
        };
        if let Some(Call::Activity(attempts) | Call::Child(attempts)) = self.calls.get_mut(&reference) {
            (attempts.action, attempts.limit) = (action, limit);
        }
        Ok(())
    }

    fn attempt_timed_out(&mut self, reference: Ref) -> Result<Option<Job>, Stall> {
        let Some(Call::Activity(attempts)) = self.calls.get_mut(&reference) else { return Ok(None) };
        attempts.limit = None;
        let (action, timeout) = (attempts.action, attempts.timeout_ms.unwrap_or(0));
        self.open.remove(&action);
        self.cancelled_tasks.push(action);
        let failure = Failure {
            error_type: "ActivityTimeout".to_owned(),
            message: format!("the activity did not end within its timeout of {timeout} ms"),
            ..Failure::default()
        };
        self.attempt_failed(reference, &failure)
    }

    fn wait_timed_out(&mut self, reference: Ref) -> Option<Job> {
        let Some(Call::Wait { key, .. }) = self.calls.remove(&reference) else { return None };
        self.waits.give_up(&key);
        Some(Job::Failed { reference, error: wait_timeout() })
    }

    /// Gives up what the function does not want any more.
    pub(super) fn cancel(&mut self, reference: Ref) {
        match self.calls.remove(&reference) {
            Some(Call::Activity(attempts)) => {
                self.disarm(attempts.limit);
                self.give_up_action(attempts.action);
            }
            Some(Call::Child(attempts)) => self.give_up_action(attempts.action),
            Some(Call::Timer { id }) => self.give_up_action(id),
            Some(Call::Wait { key, limit }) => {
                self.waits.give_up(&key);
                self.disarm(limit);
            }
            None => {}
        }
    }

    fn give_up_action(&mut self, id: i32) {
        match self.open.remove(&id) {
            Some((Role::Task, _)) => self.cancelled_tasks.push(id),
            // A child goes on; what it ends with is dropped.
            Some((Role::Child, _)) | None => {}
            Some(_) => self.cancelled_timers.push(id),
        }
    }
}

/// What a wait fails with when its time is over.
pub(super) fn wait_timeout() -> TaskError {
    TaskError::new("WaitTimeout", ErrorKind::Timeout, "no event came within the wait's timeout")
}

/// A failure as a function gets it; causes of the library's own types get their codes too.
pub(super) fn task_error(failure: &Failure, code: ErrorKind) -> TaskError {
    let mut error = TaskError::from(failure).with_code(code);
    if let (Some(cause), Some(of)) = (&mut error.cause, &failure.cause) {
        let code = code_of(of, ErrorKind::Internal);
        if code != ErrorKind::Internal {
            cause.code = Some(code.code().to_owned());
        }
    }
    error
}
