//! A handle of one run.

use std::time::Duration;

use crate::client::Client;
use crate::component::Pending;
use crate::history::{Event, HistoryTree};
use crate::model::{Change, Payload, Seen, WorkflowState};

/// One run of a workflow: a client, a component's name, an instance ID, and the run's execution ID where the component
/// gives one. Its methods are those of [`Client`].
#[derive(Clone, Debug)]
pub struct WorkflowHandle {
    client: Client,
    component: Option<String>,
    instance_id: String,
    execution_id: Option<String>,
}

impl WorkflowHandle {
    pub(crate) fn new(
        client: Client,
        component: Option<&str>,
        instance_id: &str,
        execution_id: Option<&str>,
    ) -> WorkflowHandle {
        WorkflowHandle {
            client,
            component: component.map(str::to_owned),
            instance_id: instance_id.to_owned(),
            execution_id: execution_id.map(str::to_owned),
        }
    }

    /// The instance ID.
    pub fn instance_id(&self) -> &str {
        &self.instance_id
    }

    /// The run's execution ID. Without one, [`WorkflowHandle::result`] answers for whatever run has the instance ID.
    pub fn execution_id(&self) -> Option<&str> {
        self.execution_id.as_deref()
    }

    /// See [`Client::get`].
    pub fn state(&self, payloads: bool) -> Pending<'static, WorkflowState> {
        self.client.get(self.component(), &self.instance_id, payloads)
    }

    /// See [`Client::history`].
    pub fn history(&self) -> Pending<'static, Vec<Event>> {
        self.client.history(self.component(), &self.instance_id)
    }

    /// See [`Client::history_tree`].
    pub fn history_tree(&self, depth: usize) -> Pending<'static, HistoryTree> {
        self.client.history_tree(self.component(), &self.instance_id, depth)
    }

    /// See [`Client::pause`].
    pub fn pause(&self, reason: Option<String>) -> Pending<'static, ()> {
        self.client.pause(self.component(), &self.instance_id, reason)
    }

    /// See [`Client::resume`].
    pub fn resume(&self, reason: Option<String>) -> Pending<'static, ()> {
        self.client.resume(self.component(), &self.instance_id, reason)
    }

    /// See [`Client::raise_event`].
    pub fn raise_event(&self, event_name: impl Into<String>, data: Payload) -> Pending<'static, ()> {
        self.client.raise_event(self.component(), &self.instance_id, event_name, data)
    }

    /// See [`Client::terminate`].
    pub fn terminate(&self, output: Payload, recursive: bool) -> Pending<'static, ()> {
        self.client.terminate(self.component(), &self.instance_id, output, recursive)
    }

    /// See [`Client::purge`].
    pub fn purge(&self, recursive: bool) -> Pending<'static, u64> {
        self.client.purge(self.component(), &self.instance_id, recursive)
    }

    /// See [`Client::wait_for_start`].
    pub fn wait_for_start(
        &self,
        timeout: Option<Duration>,
        payloads: bool,
    ) -> Pending<'static, WorkflowState> {
        self.client.wait_for_start(self.component(), &self.instance_id, timeout, payloads)
    }

    /// See [`Client::wait_for_completion`].
    pub fn wait_for_completion(
        &self,
        timeout: Option<Duration>,
        payloads: bool,
    ) -> Pending<'static, WorkflowState> {
        self.client.wait_for_completion(self.component(), &self.instance_id, timeout, payloads)
    }

    /// Waits for the next change of this run. See [`Client::next_change`].
    pub fn next_change(&self, seen: Option<Seen>, payloads: bool) -> Pending<'static, Option<Change>> {
        self.client.next_change(self.component(), &self.instance_id, self.execution_id(), seen, payloads)
    }

    /// Waits for the output of this run. See [`Client::result`].
    pub fn result(&self, timeout: Option<Duration>) -> Pending<'static, Payload> {
        self.client.result(self.component(), &self.instance_id, self.execution_id(), timeout)
    }

    fn component(&self) -> Option<&str> {
        self.component.as_deref()
    }
}
