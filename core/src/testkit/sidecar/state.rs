//! Instances, the streams of workers, and what goes to which.

use std::collections::BTreeMap;

use bytes::Bytes;
use tokio::sync::mpsc;
use tokio::task::AbortHandle;
use tonic::{Code, Status};
use uuid::Uuid;

use super::apply::Outcome;
use super::fault::Fault;
use super::hub::Call;
use super::instance::{Instance, Turn, news};
use super::{Runtime, items};
use crate::history::wire::history_event::EventType;
use crate::history::{Event, wire};
use crate::model::Micros;

/// What a stream of work items sends.
pub(super) enum Out {
    Item(Bytes),
    End(Code, String),
}

pub(super) struct Stream {
    sender: mpsc::UnboundedSender<Out>,
    connection: u64,
    capabilities: Vec<i32>,
    /// How many events of each instance it has got.
    known: BTreeMap<String, usize>,
}

/// An activity that has no result yet.
struct Task {
    token: String,
    /// The stream that has it.
    stream: Option<u64>,
}

/// A timer to arm once the lock is free: instance, run, id and time.
pub(super) type Timer = (String, String, i32, prost_types::Timestamp);

pub(super) struct State {
    pub(super) runtime: Runtime,
    pub(super) instances: BTreeMap<String, Instance>,
    pub(super) streams: BTreeMap<u64, Stream>,
    activities: BTreeMap<(String, i32), Task>,
    next: u64,
    last_used: u64,
    pub(super) connections: BTreeMap<u64, AbortHandle>,
    pub(super) faults: Vec<(&'static str, Fault)>,
    pub(super) calls: Vec<Call>,
    pub(super) released: u64,
    pub(super) turns_sent: usize,
    pub(super) activities_sent: usize,
    pub(super) stale: usize,
    pub(super) refused: Vec<String>,
    pub(super) miscounts: BTreeMap<String, i32>,
    pub(super) timers: Vec<Timer>,
}

impl State {
    pub(super) fn new(runtime: Runtime) -> State {
        State {
            runtime,
            instances: BTreeMap::new(),
            streams: BTreeMap::new(),
            activities: BTreeMap::new(),
            next: 0,
            last_used: 0,
            connections: BTreeMap::new(),
            faults: Vec::new(),
            calls: Vec::new(),
            released: 0,
            turns_sent: 0,
            activities_sent: 0,
            stale: 0,
            refused: Vec::new(),
            miscounts: BTreeMap::new(),
            timers: Vec::new(),
        }
    }

    fn number(&mut self) -> u64 {
        self.next += 1;
        self.next
    }

    pub(super) fn connected(&mut self) -> u64 {
        self.number()
    }

    /// Cuts one connection.
    pub(super) fn cut(&mut self, connection: u64) {
        if let Some(task) = self.connections.remove(&connection) {
            task.abort();
        }
        self.close_connection(connection);
    }

    pub(super) fn close_connection(&mut self, connection: u64) {
        self.connections.remove(&connection);
        let streams = self.streams.iter().filter(|(_, stream)| stream.connection == connection);
        let streams: Vec<u64> = streams.map(|(number, _)| *number).collect();
        streams.into_iter().for_each(|stream| self.close_stream(stream));
    }

    /// A worker connected: what waits goes out, and what stalled is tried again.
    pub(super) fn open_stream(
        &mut self,
        connection: u64,
        capabilities: Vec<i32>,
    ) -> (u64, mpsc::UnboundedReceiver<Out>) {
        let (sender, receiver) = mpsc::unbounded_channel();
        let number = self.number();
        let known = BTreeMap::new();
        self.streams.insert(number, Stream { sender, connection, capabilities, known });
        let ids: Vec<String> = self.instances.keys().cloned().collect();
        for id in ids {
            let stalled = self.instances.get(&id).is_some_and(|instance| instance.stalled);
            if stalled {
                self.dispatch(&id);
            } else {
                self.look(&id);
            }
        }
        self.send_activities();
        (number, receiver)
    }

    /// What a stream had goes to another one.
    pub(super) fn close_stream(&mut self, stream: u64) {
        if self.streams.remove(&stream).is_none() {
            return;
        }
        for task in self.activities.values_mut().filter(|task| task.stream == Some(stream)) {
            task.stream = None;
        }
        let lost =
            |instance: &&mut Instance| instance.turn.as_ref().is_some_and(|turn| turn.stream == stream);
        let mut ids = Vec::new();
        for instance in self.instances.values_mut().filter(lost) {
            instance.turn = None;
            ids.push(instance.id.clone());
        }
        ids.iter().for_each(|id| self.look(id));
        self.send_activities();
    }

    pub(super) fn end_streams(&mut self, code: Code, text: &str) {
        for stream in self.streams.values() {
            let _ = stream.sender.send(Out::End(code, text.to_owned()));
        }
        let streams: Vec<u64> = self.streams.keys().copied().collect();
        streams.into_iter().for_each(|stream| self.close_stream(stream));
    }

    pub(super) fn send_all(&mut self, item: &Bytes) {
        for stream in self.streams.values() {
            let _ = stream.sender.send(Out::Item(item.clone()));
        }
    }

    pub(super) fn ping(&mut self) -> usize {
        let knows = i32::from(wire::WorkerCapability::HealthPing);
        let streams = self.streams.values().filter(|stream| stream.capabilities.contains(&knows));
        streams.filter(|stream| stream.sender.send(Out::Item(items::health_ping())).is_ok()).count()
    }

    /// The stream whose turn it is; with an ID the one that knows its history.
    fn pick(&mut self, instance_id: Option<&str>) -> Option<u64> {
        let warm = |stream: &Stream| instance_id.is_some_and(|id| stream.known.contains_key(id));
        let next = self
            .streams
            .iter()
            .find(|(_, stream)| warm(stream))
            .or_else(|| self.streams.range(self.last_used + 1..).next())
            .or_else(|| self.streams.iter().next());
        let number = *next?.0;
        self.last_used = number;
        Some(number)
    }

    /// Accepts an instance.
    ///
    /// # Errors
    /// If one that runs has the ID.
    pub(super) fn create(&mut self, instance: Instance) -> Result<(), Status> {
        if let Some(there) = self.instances.get(&instance.id)
            && !there.is_finished()
        {
            if there.parent.is_some() && there.parent == instance.parent {
                return Ok(());
            }
            let text = format!(
                "failed to create workflow instance: an active workflow with ID '{}' already exists",
                instance.id
            );
            return Err(Status::unknown(text));
        }
        let id = instance.id.clone();
        self.activities.retain(|(of, _), _| *of != id);
        if let Some(at) = instance.start_at {
            self.timers.push((id.clone(), instance.execution_id.clone(), -1, wire::timestamp(at)));
        }
        self.instances.insert(id.clone(), instance);
        self.look(&id);
        Ok(())
    }

    /// Puts an event into an instance's inbox. False: there is none.
    pub(super) fn deliver(&mut self, id: &str, event: Event) -> bool {
        let Some(instance) = self.instances.get_mut(id) else { return false };
        if !instance.is_finished() {
            instance.inbox.push_back(event);
            // What comes before a delayed start runs the first turn at once.
            instance.start_at = None;
            self.look(id);
        }
        true
    }

    /// Hands out a turn if there is something to do.
    pub(super) fn look(&mut self, id: &str) {
        let Some(instance) = self.instances.get(id) else { return };
        let early = instance.past.is_empty() && instance.start_at.is_some_and(|at| at > Micros::now());
        if !instance.stalled && !early {
            self.dispatch(id);
        }
    }

    fn dispatch(&mut self, id: &str) {
        let Some(instance) = self.instances.get(id) else { return };
        if instance.turn.is_some() || instance.inbox.is_empty() || instance.is_finished() {
            return;
        }
        let Some(number) = self.pick(Some(id)) else { return };
        let miscount = self.miscounts.remove(id).unwrap_or(0);
        let (tokens, of_tomorrow) = (self.runtime.completion_tokens, self.runtime.of_tomorrow);
        let (Some(instance), Some(stream)) = (self.instances.get_mut(id), self.streams.get_mut(&number))
        else {
            return;
        };
        let turn = Turn {
            stream: number,
            token: if tokens { Uuid::new_v4().to_string() } else { String::new() },
            started: news(EventType::WorkflowStarted(wire::WorkflowStartedEvent::default())),
            taken: instance.inbox.len(),
        };
        let stateful = i32::from(wire::WorkerCapability::StatefulHistory);
        let mut known = None;
        if self.runtime.stateful_history && stream.capabilities.contains(&stateful) {
            let before = stream.known.insert(id.to_owned(), instance.past.len());
            known = before.filter(|count| (1..=instance.past.len()).contains(count));
        }
        let known = known.map(|count| (count, i32::try_from(count).unwrap_or(i32::MAX) + miscount));
        let item = items::turn(instance, &turn, known, of_tomorrow);
        instance.turn = Some(turn);
        self.turns_sent += 1;
        let _ = stream.sender.send(Out::Item(item));
    }

    /// Sends the activities that no stream has.
    fn send_activities(&mut self) {
        let waiting = self.activities.iter().filter(|(_, task)| task.stream.is_none());
        let waiting: Vec<(String, i32)> = waiting.map(|(key, _)| key.clone()).collect();
        for key in waiting {
            let Some(number) = self.pick(None) else { return };
            let (Some(instance), Some(task)) = (self.instances.get(&key.0), self.activities.get_mut(&key))
            else {
                continue;
            };
            let Some(scheduled) = instance.scheduled(key.1) else { continue };
            let item = items::activity(instance, key.1, scheduled, &task.token, self.runtime.of_tomorrow);
            task.stream = Some(number);
            self.activities_sent += 1;
            if let Some(stream) = self.streams.get(&number) {
                let _ = stream.sender.send(Out::Item(item));
            }
        }
    }

    /// Takes the answer to a turn. In 1.18 it is known by its instance alone, so it ends whatever turn is out.
    pub(super) fn complete_turn(&mut self, response: wire::WorkflowResponse) {
        let id = response.instance_id.clone();
        let Some(instance) = self.instances.get_mut(&id) else {
            self.stale += 1;
            return;
        };
        let Some(turn) = &instance.turn else {
            self.stale += 1;
            return;
        };
        if !response.completion_token.is_empty() && response.completion_token != turn.token {
            self.stale += 1;
            return;
        }
        let (run, stream) = (instance.execution_id.clone(), turn.stream);
        match instance.apply(response) {
            Ok(outcome) => {
                if instance.execution_id != run || instance.is_finished() {
                    self.activities.retain(|(of, _), _| *of != id);
                    if let Some(stream) = self.streams.get_mut(&stream) {
                        stream.known.remove(&id);
                    }
                }
                self.follow(&id, outcome);
            }
            Err(reason) => self.refused.push(format!("{id}: {reason}")),
        }
    }

    fn follow(&mut self, id: &str, outcome: Outcome) {
        let tokens = self.runtime.completion_tokens;
        for task_id in outcome.activities {
            let token = if tokens { Uuid::new_v4().to_string() } else { String::new() };
            self.activities.insert((id.to_owned(), task_id), Task { token, stream: None });
        }
        self.send_activities();
        let run = self.instances.get(id).map(|instance| instance.execution_id.clone()).unwrap_or_default();
        let timers = outcome.timers.into_iter().map(|(timer, at)| (id.to_owned(), run.clone(), timer, at));
        self.timers.extend(timers);
        for child in outcome.children {
            let name = child.id.clone();
            if self.create(child).is_err() {
                self.refused.push(format!("{id}: the child {name} runs already"));
            }
        }
        if let Some((parent, event)) = outcome.told {
            self.tell(&parent.id, parent.task_id, event);
        }
        for (child, event) in outcome.terminated {
            self.deliver(&child, event);
        }
        self.look(id);
    }

    /// Delivers an answer once.
    fn tell(&mut self, id: &str, task_id: i32, event: Event) {
        if self.instances.get(id).is_some_and(|instance| !instance.is_answered(task_id)) {
            self.deliver(id, event);
        }
    }

    /// Takes the result of an activity.
    pub(super) fn complete_activity(&mut self, response: wire::ActivityResponse) {
        let key = (response.instance_id.clone(), response.task_id);
        let Some(task) = self.activities.get(&key) else {
            self.stale += 1;
            return;
        };
        if !response.completion_token.is_empty() && response.completion_token != task.token {
            self.stale += 1;
            return;
        }
        self.activities.remove(&key);
        let scheduled = self.instances.get(&key.0).and_then(|instance| instance.scheduled(key.1));
        let task_execution_id = scheduled.map(|task| task.task_execution_id.clone()).unwrap_or_default();
        let event_type = match response.failure_details {
            Some(failure) => EventType::TaskFailed(wire::TaskFailedEvent {
                task_scheduled_id: key.1,
                failure_details: Some(failure),
                task_execution_id,
                ..Default::default()
            }),
            None => EventType::TaskCompleted(wire::TaskCompletedEvent {
                task_scheduled_id: key.1,
                result: response.result,
                task_execution_id,
                ..Default::default()
            }),
        };
        self.tell(&key.0, key.1, news(event_type));
    }
}
