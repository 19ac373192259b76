//! Dapr's task hub service, which its own SDKs use: every operation that a sidecar has.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use prost::Message;

use super::super::{Pending, Workflow};
use super::again::{self, Until, has_ended, has_started, shorn};
use super::connection::budget;
use super::errors::of_status;
use super::fault;
use super::metadata::{Answer, Metadata};
use crate::error::{Error, ErrorKind, Result};
use crate::history::wire::history_event::EventType;
use crate::history::{Event, wire};
use crate::model::{
    BulkAction, BulkStep, Change, Filter, ListRequest, Micros, Page, Payload, RerunRequest, RuntimeStatus,
    Seen, StartRequest, Started, StatusCounts, WorkflowState,
};
use crate::options::{ClientOptions, RemoteOptions};
use crate::runtime::reactor::within;
use crate::worker::TaskSource;
use crate::worker::dapr::DaprSource;

macro_rules! method {
    ($name:literal) => {
        concat!("/TaskHubSidecarService/", $name)
    };
}

mod channel;
mod dial;
mod line;
mod many;
mod start;
pub(super) mod state;
#[cfg(test)]
mod tests;
mod wait;

pub(crate) use channel::{Channel, Failed};

/// How long a sidecar may take to say something of itself.
const ASIDE: Duration = Duration::from_millis(400);

/// A sidecar, by the service that Dapr's SDKs use.
pub struct DaprGrpc {
    endpoint: String,
    channel: Channel,
    timeout: Duration,
    remote: RemoteOptions,
}

/// The bytes of the events as they came: what this version does not know stays in them.
#[derive(Clone, PartialEq, Message)]
struct RawHistory {
    #[prost(bytes = "bytes", repeated, tag = "1")]
    events: Vec<Bytes>,
}

impl DaprGrpc {
    /// A component for `grpc://host:port`, `grpcs://host:port`, `unix:/path` or `unix-abstract:name`. It connects with the
    /// first call.
    ///
    /// # Errors
    /// `invalid_argument` for certificates that cannot be read, `resource_exhausted` without threads for connections.
    pub fn open(endpoint: &str, options: &ClientOptions) -> Result<DaprGrpc> {
        let channel = Channel::open(endpoint, options)?;
        let (timeout, remote) = (budget(options.call_timeout), options.remote.clone());
        Ok(DaprGrpc { endpoint: endpoint.to_owned(), channel, timeout, remote })
    }

    fn run<'a, T: Send + 'static>(
        &'a self,
        call: impl Future<Output = Result<T>> + Send + 'a,
    ) -> Pending<'a, T> {
        Box::pin(within(self.channel.reactor(), call))
    }

    /// Calls what must not be done twice.
    async fn call<Q, A>(&self, method: &'static str, request: Q) -> Result<A>
    where
        Q: Message + Clone + 'static,
        A: Message + Default + 'static,
    {
        self.channel.unary(method, request, self.timeout).await.map_err(|failed| self.error(&failed, method))
    }

    /// Calls what changes nothing.
    async fn ask<Q, A>(&self, method: &'static str, request: Q) -> Result<A>
    where
        Q: Message + Clone + 'static,
        A: Message + Default + 'static,
    {
        self.channel.ask(method, request, self.timeout).await.map_err(|failed| self.error(&failed, method))
    }

    fn error(&self, failed: &Failed, method: &str) -> Error {
        error(failed, method, &self.endpoint)
    }

    /// What the sidecar says of itself, if it says so quickly.
    async fn metadata(&self) -> Option<Metadata> {
        const METHOD: &str = "/dapr.proto.runtime.v1.Dapr/GetMetadata";
        let answer: Answer = self.channel.once(METHOD, (), ASIDE).await.ok()?;
        Some(answer.into())
    }

    /// The state with its payloads: without them Dapr leaves out the custom status and the failure as well.
    async fn state(&self, id: &str) -> Result<WorkflowState> {
        let request = wire::GetInstanceRequest {
            instance_id: id.to_owned(),
            get_inputs_and_outputs: true,
            router: None,
        };
        found(self.ask(method!("GetInstance"), request).await?)
    }

    /// The state, with the reason if it is stalled.
    async fn explained(&self, state: WorkflowState) -> WorkflowState {
        if state.status != RuntimeStatus::Stalled {
            return state;
        }
        let events = self.events(&state.instance_id).await.unwrap_or_default();
        let reason = events.iter().rev().find_map(|event| match &event.message().event_type {
            Some(EventType::ExecutionStalled(stall)) => stall.description.clone(),
            _ => None,
        });
        WorkflowState { reason: reason.or(state.reason), ..state }
    }

    async fn events(&self, id: &str) -> Result<Vec<Event>> {
        let request = wire::GetInstanceHistoryRequest { instance_id: id.to_owned() };
        let answer: RawHistory = self.ask(method!("GetInstanceHistory"), request).await?;
        answer.events.into_iter().map(Event::decode).collect()
    }
}

impl Workflow for DaprGrpc {
    fn endpoint(&self) -> &str {
        &self.endpoint
    }

    fn start(&self, request: StartRequest) -> Pending<'_, Started> {
        self.run(self.start_once(request))
    }

    fn get<'a>(&'a self, instance_id: &'a str, payloads: bool) -> Pending<'a, WorkflowState> {
        self.run(async move {
            let state = self.state(instance_id).await?;
            Ok(shorn(self.explained(state).await, payloads))
        })
    }

    fn pause<'a>(&'a self, instance_id: &'a str, reason: Option<String>) -> Pending<'a, ()> {
        let request = wire::SuspendRequest { instance_id: instance_id.to_owned(), reason, router: None };
        self.run(async move {
            self.call::<_, wire::SuspendResponse>(method!("SuspendInstance"), request).await.map(drop)
        })
    }

    fn resume<'a>(&'a self, instance_id: &'a str, reason: Option<String>) -> Pending<'a, ()> {
        let request = wire::ResumeRequest { instance_id: instance_id.to_owned(), reason, router: None };
        self.run(async move {
            self.call::<_, wire::ResumeResponse>(method!("ResumeInstance"), request).await.map(drop)
        })
    }

    fn raise_event<'a>(&'a self, instance_id: &'a str, event_name: String, data: Payload) -> Pending<'a, ()> {
        let request = wire::RaiseEventRequest {
            instance_id: instance_id.to_owned(),
            name: event_name,
            input: data,
            router: None,
        };
        self.run(async move {
            self.call::<_, wire::RaiseEventResponse>(method!("RaiseEvent"), request).await.map(drop)
        })
    }

    fn terminate<'a>(&'a self, instance_id: &'a str, output: Payload, recursive: bool) -> Pending<'a, ()> {
        let request =
            wire::TerminateRequest { instance_id: instance_id.to_owned(), output, recursive, router: None };
        self.run(async move {
            self.call::<_, wire::TerminateResponse>(method!("TerminateInstance"), request).await.map(drop)
        })
    }

    fn purge<'a>(&'a self, instance_id: &'a str, recursive: bool) -> Pending<'a, u64> {
        // Never with force: a 1.18 sidecar dies of it where the instance is missing.
        let request = wire::PurgeInstancesRequest {
            request: Some(wire::purge_instances_request::Request::InstanceId(instance_id.to_owned())),
            recursive,
            ..Default::default()
        };
        self.run(async move {
            let answer: wire::PurgeInstancesResponse = self.call(method!("PurgeInstances"), request).await?;
            Ok(u64::try_from(answer.deleted_instance_count).unwrap_or(0))
        })
    }

    fn bulk(&self, action: BulkAction, filter: Filter, cursor: Option<String>) -> Pending<'_, BulkStep> {
        self.run(self.slice(action, filter, cursor))
    }

    fn wait_for_start<'a>(
        &'a self,
        instance_id: &'a str,
        timeout: Option<Duration>,
        payloads: bool,
    ) -> Pending<'a, WorkflowState> {
        self.run(async move {
            let until = Until::after(timeout);
            let state = self.wait(method!("WaitForInstanceStart"), instance_id, until, has_started).await?;
            Ok(shorn(self.explained(state).await, payloads))
        })
    }

    fn wait_for_completion<'a>(
        &'a self,
        instance_id: &'a str,
        timeout: Option<Duration>,
        payloads: bool,
    ) -> Pending<'a, WorkflowState> {
        self.run(async move {
            let until = Until::after(timeout);
            let state =
                self.wait(method!("WaitForInstanceCompletion"), instance_id, until, has_ended).await?;
            again::ended(shorn(self.explained(state).await, payloads))
        })
    }

    fn next_change<'a>(
        &'a self,
        instance_id: &'a str,
        seen: Option<Seen>,
        payloads: bool,
    ) -> Pending<'a, Change> {
        self.run(async move {
            let change = again::next_change(seen, || Box::pin(self.state(instance_id))).await?;
            let state = shorn(self.explained(change.state).await, payloads);
            Ok(Change { state, ..change })
        })
    }

    fn list(&self, request: ListRequest) -> Pending<'_, Page> {
        self.run(self.page(request))
    }

    fn count(&self, filter: Filter) -> Pending<'_, StatusCounts> {
        self.run(self.tally(filter))
    }

    fn history<'a>(&'a self, instance_id: &'a str) -> Pending<'a, Vec<Event>> {
        self.run(self.events(instance_id))
    }

    fn rerun(&self, request: RerunRequest) -> Pending<'_, Started> {
        let Ok(event_id) = u32::try_from(request.from_event) else {
            return Box::pin(std::future::ready(Err(Error::invalid("from_event must not be negative"))));
        };
        let (id, began) = (request.new_instance_id.clone().unwrap_or_default(), Micros::now());
        let request = wire::RerunWorkflowFromEventRequest {
            source_instance_id: request.instance_id,
            event_id,
            new_instance_id: request.new_instance_id,
            overwrite_input: request.input.is_some(),
            input: request.input.flatten(),
            ..Default::default()
        };
        self.run(async move {
            let answer = self.call(method!("RerunWorkflowFromEvent"), request).await;
            match answer.map(|answer: wire::RerunWorkflowFromEventResponse| answer.new_instance_id) {
                Ok(instance_id) => Ok(Started { instance_id, execution_id: None }),
                Err(error) => self.stalled_at_once(id, began, error).await,
            }
        })
    }

    fn tasks(&self) -> Result<Arc<dyn TaskSource>> {
        Ok(Arc::new(DaprSource::new(&self.endpoint, self.channel.clone(), self.remote.clone())))
    }
}

/// The error that a failed call of a worker's means.
pub(crate) fn error_of(failed: &Failed, endpoint: &str) -> Error {
    error(failed, "", endpoint)
}

fn error(failed: &Failed, method: &str, endpoint: &str) -> Error {
    let status = failed.status();
    let error = fault::of_chain(status, endpoint).unwrap_or_else(|| match failed {
        Failed::Unsent(status) => fault::unreachable(status, endpoint),
        Failed::Status(status) => of_status(status, method),
    });
    error.with_source(status.clone())
}

fn found(answer: wire::GetInstanceResponse) -> Result<WorkflowState> {
    match answer.workflow_state {
        Some(state) if answer.exists => Ok(state::read(state)),
        _ => Err(Error::new(ErrorKind::NotFound, "no such workflow instance")),
    }
}
