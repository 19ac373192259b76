//! From work items to tasks.

use std::sync::Arc;

use bytes::Bytes;
use prost::Message;

use super::activities::Offer;
use super::answers;
use super::errands::is_errand;
use super::hub::{Hub, Inner};
use super::items::{TurnItem, Unreadable, WorkItem};
use super::runs::{Delivery, Placed};
use super::session::stall_text;
use crate::bridge::Level;
use crate::engine::dispatch::unknown_activity;
use crate::engine::machine::Evict;
use crate::engine::task::{ActivityTask, Version};
use crate::history::wire;
use crate::history::wire::history_event::EventType;
use crate::worker::replay::dialect::read_call_version;

impl Hub {
    /// Takes in what came on a stream. What cannot be read is said, and answered if it says what it belongs to.
    pub(super) fn receive(self: &Arc<Hub>, stream: u64, item: WorkItem) {
        let WorkItem { workflow, activity, completion_token } = item;
        let taken = match (workflow, activity) {
            (Some(bytes), _) => self.receive_turn(stream, &completion_token, bytes),
            (_, Some(bytes)) => self.receive_activity(stream, completion_token, bytes),
            // A sign of life.
            _ => Ok(()),
        };
        if taken == Err(Unreadable) {
            self.notice(Level::Error, "a work item cannot be read; it is left alone".to_owned());
        }
    }

    fn receive_turn(
        self: &Arc<Hub>,
        stream: u64,
        completion_token: &str,
        bytes: Bytes,
    ) -> Result<(), Unreadable> {
        let item = Arc::new(TurnItem::read(bytes)?);
        let mut inner = self.lock();
        if !inner.is_live(stream) {
            return Ok(());
        }
        let placed = item.new_events().and_then(|events| {
            let delivery = Delivery {
                stream,
                completion_token: completion_token.to_owned(),
                item: item.clone(),
                events,
            };
            self.hand_out(&mut inner, delivery)
        });
        drop(inner);
        match placed {
            Ok(()) => self.look(),
            Err(Unreadable) => self.refuse(stream, &item.instance_id, completion_token),
        }
        Ok(())
    }

    /// Answers a turn whose history cannot be read. Another version of this library may be able to.
    pub(super) fn refuse(self: &Arc<Hub>, stream: u64, instance_id: &str, completion_token: &str) {
        let text = format!("instance {instance_id:?} stalls: its history cannot be decoded");
        self.notice(Level::Error, text);
        self.lock().stalled = true;
        self.send_turn(stream, answers::stalled(instance_id, completion_token));
    }

    /// Gives a turn to a worker, or keeps it until the one that has an earlier delivery answers.
    pub(super) fn hand_out(self: &Arc<Hub>, inner: &mut Inner, delivery: Delivery) -> Result<(), Unreadable> {
        if inner.runs.lacks_beginning(&delivery.item)? {
            self.complete(delivery);
            return Ok(());
        }
        let withdraw = |run| self.dispatch.withdraw(run);
        let has_plain = |name: &str| self.dispatch.has(name, &Version::Unversioned);
        match inner.runs.place(delivery, withdraw, has_plain)? {
            Placed::Turn(task, over) => {
                if let Some(over) = over {
                    self.dispatch.evict(over, Evict::Ended);
                }
                self.dispatch.turns(vec![task]);
            }
            Placed::Held => {}
        }
        Ok(())
    }

    fn receive_activity(
        self: &Arc<Hub>,
        stream: u64,
        completion_token: String,
        bytes: Bytes,
    ) -> Result<(), Unreadable> {
        let request = wire::ActivityRequest::decode(bytes).map_err(|_| Unreadable)?;
        let instance = request.workflow_instance.unwrap_or_default();
        let name = (Arc::from(instance.instance_id), request.task_id);
        let mut inner = self.lock();
        match inner.activities.offer(&name, &request.task_execution_id, completion_token, stream) {
            Offer::Known => {}
            Offer::Answered(answer) => {
                drop(inner);
                self.answer_again(answer);
            }
            Offer::Run(key, _) if is_errand(&request.name) => {
                drop(inner);
                self.run_errand(key, request.name, request.input);
            }
            Offer::Run(key, other) => {
                let run = instance.execution_id.map(Arc::from).or_else(|| inner.runs.execution_id(&name.0));
                let (attempt, deadline) = read_call_version(request.version.as_deref());
                let task = ActivityTask {
                    run: key.run,
                    task_id: key.task_id,
                    instance_id: name.0,
                    execution_id: run.unwrap_or_else(|| Arc::from("")),
                    name: request.name,
                    input: request.input,
                    attempt,
                    execution_key: request.task_execution_id,
                    deadline,
                };
                if let Some(other) = other {
                    self.dispatch.stop(&[other]);
                }
                self.dispatch.activities(vec![task]);
                drop(inner);
                self.look();
            }
        }
        Ok(())
    }

    /// Answers for those who have waited in vain for a worker that has their name or version.
    pub(super) fn give_up(self: &Arc<Hub>) {
        let overdue = self.dispatch.overdue(std::time::Instant::now());
        for task in overdue.activities {
            let failure = unknown_activity(&task.name);
            let instance = &task.instance_id;
            self.notice(
                Level::Error,
                format!("an activity of instance {instance:?} fails: {}", failure.message),
            );
            self.activity_ended(task.activity_key(), Err(failure));
        }
        for (run, token, stall) in overdue.turns {
            let ended = self.lock().runs.ended(run, token, None);
            let Some(ended) = ended else { continue };
            let delivery = &ended.out.delivery;
            let (instance, completion) = (&*ended.instance_id, &*delivery.completion_token);
            let response = if self.dispatch.knows_workflow(&ended.name) {
                self.lock().stalled = true;
                self.notice(Level::Error, stall_text(&ended.name, instance, &stall));
                answers::stalled(instance, completion)
            } else {
                wire::WorkflowResponse {
                    version: delivery.patches(),
                    ..self.end_unknown(delivery, &ended.name)
                }
            };
            self.send_turn(ended.out.delivery.stream, response);
        }
    }

    /// The end of an instance whose workflow no worker has.
    fn end_unknown(&self, delivery: &Delivery, name: &str) -> wire::WorkflowResponse {
        let (instance, completion) = (delivery.item.instance_id.as_str(), delivery.completion_token.as_str());
        let output = delivery.events.iter().find_map(|event| match &event.message().event_type {
            Some(EventType::ExecutionTerminated(terminated)) => Some(terminated.input.clone()),
            _ => None,
        });
        if let Some(output) = output {
            return answers::terminated(instance, completion, output);
        }
        let failure = answers::unknown_workflow(name);
        self.notice(Level::Error, format!("instance {instance:?} fails: {}", failure.message));
        answers::failed(instance, completion, &failure)
    }
}

impl Delivery {
    fn patches(&self) -> Option<wire::WorkflowVersion> {
        let patches = self.item.patches().unwrap_or_default();
        (!patches.is_empty()).then_some(wire::WorkflowVersion { patches, name: None })
    }
}
