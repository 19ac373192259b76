//! What a function asks for becomes actions, with ids in the order of asking.

use std::collections::BTreeMap;

use super::calls::{Again, Attempts, Call, LIMIT_TIMER, Target};
use super::dialect::{Dialect, SEND_EVENT, START_WORKFLOW, SendEvent, StartWorkflow, call_version, errand};
use super::ledger::{Kind, non_determinism};
use super::machine::{Machine, Ready, Role};
use super::waits::fold;
use crate::bridge::{Command, Due, Ref, Stall, Step, random};
use crate::history::wire::create_timer_action::Origin;
use crate::history::wire::workflow_action::WorkflowActionType as Type;
use crate::history::wire::{self, OrchestrationStatus, OwnData};
use crate::model::{Failure, Micros, Payload};
use crate::retry::RetryPolicy;

/// The last instant that the wire knows, 9999-12-31T23:59:59.999999Z.
const LATEST: Micros = Micros(253_402_300_799_999_999);

impl Machine {
    /// Applies the commands of one step.
    ///
    /// # Errors
    /// `non_determinism` and `patch_mismatch` when they are not those of the history, `invalid_argument` when they
    /// break the protocol.
    pub(super) fn step(&mut self, step: Step) -> Result<(), Stall> {
        for command in step {
            if self.has_ended() {
                let kind = command.kind();
                return Err(Stall::invalid(format!(
                    "the command {kind:?} came after the last command of the run"
                )));
            }
            self.command(command)?;
        }
        Ok(())
    }

    fn command(&mut self, command: Command) -> Result<(), Stall> {
        match command {
            Command::Activity { reference, name, input, retry, timeout_ms, app } => {
                self.count(reference)?;
                let target = Target { name, version: None, input, app, id: None };
                self.activity(reference, target, retry, timeout_ms)
            }
            Command::Child { reference, name, version, input, id, retry, app, detached } => {
                self.count(reference)?;
                if self.dialect == Dialect::Dapr && version.is_some() {
                    return Err(unheard_version(&name));
                }
                let target = Target { name, version, input, app, id };
                if detached { self.detached(reference, target) } else { self.child(reference, target, retry) }
            }
            Command::Timer { reference, due } => {
                self.count(reference)?;
                let at = match due {
                    Due::After(after) => self.after(after),
                    Due::At(at) => Micros::from_millis(at).min(LATEST),
                };
                let origin = Origin::CreateTimer(wire::TimerOriginCreateTimer {});
                let id = self.create_timer(at, None, origin, reference)?;
                self.open.insert(id, (Role::Timer, reference));
                self.calls.insert(reference, Call::Timer { id });
                Ok(())
            }
            Command::Event { reference, name, timeout_ms } => {
                self.count(reference)?;
                self.wait(reference, &name, timeout_ms)
            }
            Command::Cancel { reference } => {
                if reference > self.last_ref {
                    return Err(Stall::invalid(format!(
                        "the command \"cancel\" names ref {reference}, which was never asked for"
                    )));
                }
                self.cancel(reference);
                Ok(())
            }
            Command::Send { id, name, data } => self.send(id, name, data),
            Command::Status { status } => {
                self.custom_status = status;
                Ok(())
            }
            Command::Patch { name } => self.patches.ask(name, self.live),
            Command::Complete { output } => self.finish(OrchestrationStatus::Completed, output, None),
            Command::Continue { input, keep_events } => {
                self.keep_events = keep_events;
                if !self.errands.is_empty() {
                    // Dapr would drop what the turn asked for before.
                    self.last_wish = Some(input);
                    return Ok(());
                }
                self.finish(OrchestrationStatus::ContinuedAsNew, input, None)
            }
            Command::Fail { error } => {
                self.finish(OrchestrationStatus::Failed, None, Some(&Failure::from(&error)))
            }
        }
    }

    /// Refs count 1, 2, 3 …
    fn count(&mut self, reference: Ref) -> Result<(), Stall> {
        if reference != self.last_ref + 1 {
            let (last, found) = (self.last_ref, reference);
            return Err(Stall::invalid(format!("refs must count up by 1; after {last} came {found}")));
        }
        self.last_ref = reference;
        Ok(())
    }

    fn after(&self, millis: i64) -> Micros {
        Micros(self.now.0.saturating_add(millis.max(0).saturating_mul(1000))).min(LATEST)
    }

    /// Gives the next id. An action of the past is checked and struck out, a new one is built and kept.
    fn emit(
        &mut self,
        kind: Kind,
        name: Option<&str>,
        own: OwnData,
        build: impl FnOnce(i32) -> Type,
    ) -> Result<i32, Stall> {
        let id = self.ledger.next_free(self.next_id);
        let next = id.checked_add(1);
        self.next_id = next
            .ok_or_else(|| Stall::invalid("the run has used up all action ids; continue as new earlier"))?;
        let known = self.ledger.strike(id, kind, name, own.call);
        if !known.map_err(|stall| self.patches.suspect(stall))? {
            // Whatever has something to say says whose call it is.
            let own = (self.dialect == Dialect::Own && own.call != 0).then_some(own);
            let built = build(id);
            // A sidecar reads where it goes off the action; versions before 1.19 have it inside as well.
            let router = match &built {
                Type::ScheduleTask(action) => action.router.clone(),
                Type::CreateChildWorkflow(action) => action.router.clone(),
                Type::CreateDetachedWorkflow(action) => action.router.clone(),
                _ => None,
            };
            let workflow_action_type = Some(built);
            if self.actions.is_empty() {
                // Most turns ask for one thing, and a list takes room for four of these large ones by itself.
                self.actions.reserve_exact(1);
            }
            self.actions.push(wire::WorkflowAction {
                id,
                workflow_action_type,
                router,
                own: own.map(Box::new),
            });
        }
        if !self.early.is_empty() && self.early.contains_key(&id) {
            self.ready.push_back(Ready::Early(id));
        }
        Ok(id)
    }

    fn activity(
        &mut self,
        reference: Ref,
        target: Target,
        retry: Option<RetryPolicy>,
        timeout_ms: Option<i64>,
    ) -> Result<(), Stall> {
        let (action, limit) = self.schedule(&target, reference, 1, timeout_ms, None)?;
        let began = self.now;
        let key = random::task_key(&self.space, action);
        let again = retry.map(|policy| Box::new(Again { policy, began, key, target }));
        self.calls
            .insert(reference, Call::Activity(Attempts { attempt: 1, action, limit, timeout_ms, again }));
        Ok(())
    }

    /// Schedules one attempt of an activity and its limit.
    pub(super) fn schedule(
        &mut self,
        target: &Target,
        reference: Ref,
        attempt: u32,
        timeout_ms: Option<i64>,
        key: Option<String>,
    ) -> Result<(i32, Option<i32>), Stall> {
        let own = OwnData {
            attempt: i32::try_from(attempt).unwrap_or(i32::MAX),
            timeout_ms: timeout_ms.map_or(0, |timeout| timeout.max(1)),
            call: reference,
            ..OwnData::default()
        };
        let space = self.space;
        let version = match self.dialect {
            Dialect::Own => None,
            Dialect::Dapr => call_version(own.attempt, timeout_ms.map(|timeout| self.after(timeout))),
        };
        let router = self.router(target.app.as_ref());
        let id = self.emit(Kind::Task, Some(&target.name), own, |id| {
            Type::ScheduleTask(wire::ScheduleTaskAction {
                name: target.name.clone(),
                version,
                input: target.input.clone(),
                router,
                task_execution_id: key.unwrap_or_else(|| random::task_key(&space, id)),
                ..Default::default()
            })
        })?;
        self.open.insert(id, (Role::Task, reference));
        let Some(timeout) = timeout_ms else { return Ok((id, None)) };
        let origin = Origin::CreateTimer(wire::TimerOriginCreateTimer {});
        let limit = self.create_timer(self.after(timeout), Some(LIMIT_TIMER), origin, reference)?;
        self.open.insert(limit, (Role::Limit, reference));
        Ok((id, Some(limit)))
    }

    pub(super) fn create_timer(
        &mut self,
        at: Micros,
        name: Option<&str>,
        origin: Origin,
        reference: Ref,
    ) -> Result<i32, Stall> {
        let own = OwnData { call: reference, ..OwnData::default() };
        self.emit(Kind::Timer, None, own, |_| {
            Type::CreateTimer(wire::CreateTimerAction {
                fire_at: Some(wire::timestamp(at.min(LATEST))),
                name: name.map(str::to_owned),
                origin: Some(origin),
            })
        })
    }

    fn child(&mut self, reference: Ref, target: Target, retry: Option<RetryPolicy>) -> Result<(), Stall> {
        let (action, key) = self.create_child(&target, reference, 1)?;
        let began = self.now;
        let again = retry.map(|policy| Box::new(Again { policy, began, key, target }));
        let attempts = Attempts { attempt: 1, action, limit: None, timeout_ms: None, again };
        self.calls.insert(reference, Call::Child(attempts));
        Ok(())
    }

    /// Creates one attempt of a child; gives its action and its instance ID.
    pub(super) fn create_child(
        &mut self,
        target: &Target,
        reference: Ref,
        attempt: u32,
    ) -> Result<(i32, String), Stall> {
        let attempt = i32::try_from(attempt).unwrap_or(i32::MAX);
        let own = OwnData { attempt, call: reference, ..OwnData::default() };
        let child_id = self.child_namer(target.id.clone());
        let router = self.router(target.app.as_ref());
        let id = self.emit(Kind::Child, Some(&target.name), own, |id| {
            Type::CreateChildWorkflow(wire::CreateChildWorkflowAction {
                instance_id: child_id(id),
                name: target.name.clone(),
                version: target.version.clone(),
                input: target.input.clone(),
                router,
                ..Default::default()
            })
        })?;
        self.open.insert(id, (Role::Child, reference));
        Ok((id, child_id(id)))
    }

    fn detached(&mut self, reference: Ref, target: Target) -> Result<(), Stall> {
        let own = OwnData { call: reference, detached: true, ..OwnData::default() };
        let child_id = self.child_namer(target.id);
        if self.dialect == Dialect::Dapr {
            let app = target.app.clone();
            let Target { name, version, input, .. } = target;
            return self.errand(START_WORKFLOW, app.as_ref(), |id| {
                errand(&StartWorkflow { instance_id: child_id(id), name, version, input })
            });
        }
        let router = self.router(target.app.as_ref());
        self.emit(Kind::Detached, None, own, |id| {
            Type::CreateDetachedWorkflow(wire::CreateDetachedWorkflowAction {
                instance_id: child_id(id),
                name: target.name,
                version: target.version,
                input: target.input,
                router,
                tags: BTreeMap::new(),
                ..Default::default()
            })
        })?;
        Ok(())
    }

    /// The ID of the child that an action creates: the chosen one, or a default one.
    fn child_namer(&self, chosen: Option<String>) -> impl Fn(i32) -> String + use<> {
        let (instance, run) = (self.instance_id.clone(), self.execution_id.clone().unwrap_or_default());
        move |id| chosen.clone().unwrap_or_else(|| random::child_id(&instance, &run, id))
    }

    fn wait(&mut self, reference: Ref, name: &str, timeout_ms: Option<i64>) -> Result<(), Stall> {
        let key = fold(name);
        let there = self.waits.ask(&key, reference);
        if there {
            self.ready.push_back(Ready::Wait(reference));
        }
        let limit = match timeout_ms {
            Some(timeout) if !there => {
                let origin = Origin::ExternalEvent(wire::TimerOriginExternalEvent { name: name.to_owned() });
                let id = self.create_timer(self.after(timeout), None, origin, reference)?;
                self.open.insert(id, (Role::WaitLimit, reference));
                Some(id)
            }
            _ => None,
        };
        // An event that an earlier wait leaves behind may still reach this one before the next event of the history.
        if !there && self.waits.has_buffered() {
            self.ready.push_back(Ready::Wait(reference));
        }
        self.calls.insert(reference, Call::Wait { key, limit });
        Ok(())
    }

    fn send(&mut self, instance_id: String, name: String, data: Payload) -> Result<(), Stall> {
        if self.dialect == Dialect::Dapr {
            let input = errand(&SendEvent { instance_id, event_name: name, data });
            return self.errand(SEND_EVENT, None, |_| input);
        }
        let kept = name.clone();
        self.emit(Kind::Sent, Some(&kept), OwnData::default(), |_| {
            Type::SendEvent(wire::SendEventAction {
                instance: Some(wire::WorkflowInstance { instance_id, execution_id: None }),
                name,
                data,
            })
        })?;
        Ok(())
    }

    /// Asks for an activity that the worker answers by itself, and for which the function does not wait.
    fn errand(
        &mut self,
        name: &str,
        app: Option<&String>,
        input: impl FnOnce(i32) -> Payload,
    ) -> Result<(), Stall> {
        let space = self.space;
        let router = self.router(app);
        let id = self.emit(Kind::Task, Some(name), OwnData::default(), |id| {
            Type::ScheduleTask(wire::ScheduleTaskAction {
                name: name.to_owned(),
                input: input(id),
                router,
                task_execution_id: random::task_key(&space, id),
                ..Default::default()
            })
        })?;
        self.errands.insert(id);
        Ok(())
    }

    /// Where an action goes that another application is asked for. A sidecar takes one without a source for its own.
    fn router(&self, app: Option<&String>) -> Option<wire::TaskRouter> {
        app.map(|app| wire::TaskRouter {
            source_app_id: self.app.clone().unwrap_or_default(),
            target_app_id: Some(app.clone()),
            ..Default::default()
        })
    }

    /// Ends the run.
    pub(super) fn finish(
        &mut self,
        status: OrchestrationStatus,
        result: Payload,
        failure: Option<&Failure>,
    ) -> Result<(), Stall> {
        let id = self.emit(Kind::Completed, None, OwnData::default(), |_| {
            Type::CompleteWorkflow(wire::CompleteWorkflowAction {
                workflow_status: status.into(),
                result,
                failure_details: failure.map(Into::into),
                ..Default::default()
            })
        })?;
        if !self.live && !self.ledger.rerun {
            return Err(non_determinism(&format!(
                "while it replays, the function ends with action {id}, but its history goes on"
            )));
        }
        self.finished = true;
        Ok(())
    }
}

/// A child must not silently run another version than the one that was asked for.
fn unheard_version(name: &str) -> Stall {
    Stall::invalid(format!(
        "Dapr does not hand a version on to a child workflow, so {name:?} cannot be asked for in one; leave the version out, \
         or give the versions names of their own"
    ))
}
