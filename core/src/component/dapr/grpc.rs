//! Dapr's task hub service, which its own SDKs use: every operation that a sidecar has.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use prost::Message;

use super::super::{Pending, Workflow};
use super::errors::of_status;
use super::lost::{Landed, landed};
use crate::error::{Error, ErrorKind, Result};
use crate::history::{Event, wire};
use crate::model::{
    Filter, ListRequest, Micros, Page, Payload, RerunRequest, Reuse, RuntimeStatus, StartRequest, Started,
    WorkflowState,
};
use crate::options::{ClientOptions, RemoteOptions};
use crate::runtime::reactor::within;
use crate::worker::TaskSource;
use crate::worker::dapr::DaprSource;

mod channel;
mod state;

pub(crate) use channel::{Channel, Failed};

/// A wait is asked for again after this, so that a sidecar that was replaced or an instance that stalled is noticed.
const CHUNK: Duration = Duration::from_secs(10);
/// How long a wait bears that the sidecar is away.
const OUTAGE: Duration = Duration::from_secs(60);
/// How many states a page holds unless it is asked for another number.
const PAGE: usize = 100;

macro_rules! method {
    ($name:literal) => {
        concat!("/TaskHubSidecarService/", $name)
    };
}

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
    /// A component for `grpc://host:port` or `grpcs://host:port`. It connects with the first call.
    ///
    /// # Errors
    /// `invalid_argument` for certificates that cannot be read, `resource_exhausted` without threads for connections.
    pub fn open(endpoint: &str, options: &ClientOptions) -> Result<DaprGrpc> {
        let channel = Channel::open(endpoint, options)?;
        Ok(DaprGrpc {
            endpoint: endpoint.to_owned(),
            channel,
            timeout: options.call_timeout,
            remote: options.remote.clone(),
        })
    }

    fn run<'a, T: Send + 'static>(
        &'a self,
        call: impl Future<Output = Result<T>> + Send + 'a,
    ) -> Pending<'a, T> {
        Box::pin(within(self.channel.reactor(), call))
    }

    async fn call<Q, A>(&self, method: &'static str, request: Q) -> Result<A>
    where
        Q: Message + Clone + 'static,
        A: Message + Default + 'static,
    {
        self.channel.unary(method, request, self.timeout).await.map_err(|failed| self.error(&failed))
    }

    fn error(&self, failed: &Failed) -> Error {
        match failed {
            Failed::Unsent(status) => {
                let message = format!("nothing answers at {}; is the sidecar running?", self.endpoint);
                Error::new(ErrorKind::Unavailable, message).with_source(status.clone())
            }
            Failed::Status(status) => of_status(status),
        }
    }

    async fn state(&self, id: &str, payloads: bool) -> Result<WorkflowState> {
        let request = wire::GetInstanceRequest {
            instance_id: id.to_owned(),
            get_inputs_and_outputs: payloads,
            router: None,
        };
        found(self.call(method!("GetInstance"), request).await?)
    }

    async fn start_once(&self, request: StartRequest) -> Result<Started> {
        let id = request.instance_id.unwrap_or_default();
        let request = wire::CreateInstanceRequest {
            instance_id: id.clone(),
            name: request.name,
            input: request.input,
            scheduled_start_timestamp: request.start_at.map(wire::timestamp),
            ..Default::default()
        };
        let began = Micros::now();
        let create = |request| self.channel.unary(method!("StartInstance"), request, self.timeout);
        let failed = match create(request.clone()).await {
            Ok(answer) => return Ok(started(answer)),
            Err(failed) => failed,
        };
        if !failed.is_outage() || matches!(failed, Failed::Unsent(_)) {
            return Err(self.start_error(&failed));
        }
        match landed(&self.state(&id, false).await, began) {
            Landed::Yes => Ok(Started { instance_id: id, execution_id: None }),
            Landed::No => create(request).await.map(started).map_err(|failed| self.start_error(&failed)),
            Landed::Unclear => Err(self.error(&failed)),
        }
    }

    fn start_error(&self, failed: &Failed) -> Error {
        let error = self.error(failed);
        if error.kind() != ErrorKind::Timeout {
            return error;
        }
        let message =
            format!("{}; a sidecar answers a start only while a worker is connected", error.message());
        Error::new(ErrorKind::Timeout, message).with_source(error)
    }

    async fn wait(
        &self,
        method: &'static str,
        id: &str,
        timeout: Option<Duration>,
        payloads: bool,
        done: fn(RuntimeStatus) -> bool,
    ) -> Result<WorkflowState> {
        let until = timeout.and_then(|timeout| Instant::now().checked_add(timeout));
        let mut away: Option<Instant> = None;
        loop {
            // A wait for an instance that is missing, or stalled, would hang: its state is asked for first.
            let error = match self.state(id, payloads).await {
                Ok(state) if done(state.status) => return Ok(state),
                Ok(_) => {
                    away = None;
                    let chunk = left(until).map_or(CHUNK, |left| CHUNK.min(left));
                    if chunk.is_zero() {
                        return Err(Error::new(ErrorKind::Timeout, "the time given has passed"));
                    }
                    let request = wire::GetInstanceRequest {
                        instance_id: id.to_owned(),
                        get_inputs_and_outputs: false,
                        router: None,
                    };
                    let waited =
                        self.channel.unary::<_, wire::GetInstanceResponse>(method, request, chunk).await;
                    match waited {
                        Ok(_) => continue,
                        Err(failed) => self.error(&failed),
                    }
                }
                Err(error) => error,
            };
            match error.kind() {
                ErrorKind::Timeout if away.is_none() => {}
                ErrorKind::Unavailable | ErrorKind::Timeout | ErrorKind::Cancelled => {
                    let since = *away.get_or_insert_with(Instant::now);
                    if since.elapsed() > OUTAGE || left(until) == Some(Duration::ZERO) {
                        return Err(error);
                    }
                    tokio::time::sleep(super::connection::pause(3)).await;
                }
                _ => return Err(error),
            }
        }
    }
}

impl Workflow for DaprGrpc {
    fn endpoint(&self) -> &str {
        &self.endpoint
    }

    fn start(&self, request: StartRequest) -> Pending<'_, Started> {
        let beyond = [
            (request.version.is_some(), "version"),
            (!request.tags.is_empty(), "tags"),
            (request.reuse == Reuse::Never, "reuse=\"never\"; Dapr has it from 1.19 on"),
        ];
        if let Some((_, what)) = beyond.into_iter().find(|(given, _)| *given) {
            return refused(what);
        }
        self.run(self.start_once(request))
    }

    fn get<'a>(&'a self, instance_id: &'a str, payloads: bool) -> Pending<'a, WorkflowState> {
        self.run(self.state(instance_id, payloads))
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

    fn wait_for_start<'a>(
        &'a self,
        instance_id: &'a str,
        timeout: Option<Duration>,
        payloads: bool,
    ) -> Pending<'a, WorkflowState> {
        let method = method!("WaitForInstanceStart");
        self.run(self.wait(method, instance_id, timeout, payloads, |status| status != RuntimeStatus::Pending))
    }

    fn wait_for_completion<'a>(
        &'a self,
        instance_id: &'a str,
        timeout: Option<Duration>,
        payloads: bool,
    ) -> Pending<'a, WorkflowState> {
        self.run(async move {
            let method = method!("WaitForInstanceCompletion");
            let ended = |status: RuntimeStatus| status.is_terminal() || status == RuntimeStatus::Stalled;
            let state = self.wait(method, instance_id, timeout, payloads, ended).await?;
            if state.status == RuntimeStatus::Stalled {
                return Err(Error::new(ErrorKind::WorkflowStalled, state.reason.unwrap_or_default()));
            }
            Ok(state)
        })
    }

    /// Dapr lists IDs, so the states are asked for one by one; those that are purged meanwhile are left out.
    fn list(&self, request: ListRequest) -> Pending<'_, Page> {
        let ListRequest { filter, cursor, limit, payloads } = request;
        if filter != Filter::default() {
            return refused("filter of a listing");
        }
        self.run(async move {
            let request = wire::ListInstanceIDsRequest {
                continuation_token: cursor,
                page_size: u32::try_from(limit.unwrap_or(PAGE)).ok(),
            };
            let answer: wire::ListInstanceIDsResponse =
                self.call(method!("ListInstanceIDs"), request).await?;
            let mut states = Vec::with_capacity(answer.instance_ids.len());
            for id in answer.instance_ids {
                match self.state(&id, payloads).await {
                    Ok(state) => states.push(state),
                    Err(error) if error.kind() == ErrorKind::NotFound => {}
                    Err(error) => return Err(error),
                }
            }
            Ok(Page { states, cursor: answer.continuation_token.filter(|token| !token.is_empty()) })
        })
    }

    fn history<'a>(&'a self, instance_id: &'a str) -> Pending<'a, Vec<Event>> {
        let request = wire::GetInstanceHistoryRequest { instance_id: instance_id.to_owned() };
        self.run(async move {
            let answer: RawHistory = self.call(method!("GetInstanceHistory"), request).await?;
            answer.events.into_iter().map(Event::decode).collect()
        })
    }

    fn rerun(&self, request: RerunRequest) -> Pending<'_, Started> {
        let Ok(event_id) = u32::try_from(request.from_event) else {
            return Box::pin(std::future::ready(Err(Error::invalid("from_event must not be negative"))));
        };
        let request = wire::RerunWorkflowFromEventRequest {
            source_instance_id: request.instance_id,
            event_id,
            new_instance_id: request.new_instance_id,
            overwrite_input: request.input.is_some(),
            input: request.input.flatten(),
            ..Default::default()
        };
        self.run(async move {
            let answer: wire::RerunWorkflowFromEventResponse =
                self.call(method!("RerunWorkflowFromEvent"), request).await?;
            Ok(Started { instance_id: answer.new_instance_id, execution_id: None })
        })
    }

    fn tasks(&self) -> Result<Arc<dyn TaskSource>> {
        Ok(Arc::new(DaprSource::new(&self.endpoint, self.channel.clone(), self.remote.clone())))
    }
}

fn left(until: Option<Instant>) -> Option<Duration> {
    until.map(|until| until.saturating_duration_since(Instant::now()))
}

fn found(answer: wire::GetInstanceResponse) -> Result<WorkflowState> {
    match answer.workflow_state {
        Some(state) if answer.exists => Ok(state::read(state)),
        _ => Err(Error::new(ErrorKind::NotFound, "no such workflow instance")),
    }
}

fn started(answer: wire::CreateInstanceResponse) -> Started {
    Started { instance_id: answer.instance_id, execution_id: None }
}

fn refused<T: Send + 'static>(what: &str) -> Pending<'static, T> {
    let message = format!("Dapr 1.18 has no {what}");
    Box::pin(std::future::ready(Err(Error::new(ErrorKind::NotImplemented, message))))
}
