//! Dapr's HTTP API: the seven operations of a workflow component, and waiting by asking again.
//!
//! Only what cannot have landed is sent again: a connection that was refused. A start whose answer was lost is looked up
//! first, because Dapr wipes a finished instance of that ID and runs it anew, and a blind repetition would do the work twice.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use reqwest::{Method, Request, Response, StatusCode};
use tokio::runtime::Handle;

use super::super::{Pending, Workflow};
use super::connection::{PATIENCE, pause, tls};
use super::errors::{Body, NO_ROUTE, of_answer};
use super::lost::{Landed, landed};
use crate::error::{Error, ErrorKind, Result};
use crate::model::{Micros, Payload, Reuse, RuntimeStatus, StartRequest, Started, WorkflowState};
use crate::options::ClientOptions;
use crate::runtime::reactor::{self, within};
use crate::worker::TaskSource;

mod state;
#[cfg(test)]
mod tests;

/// The API's versions, newest first. Runtimes before 1.15 know only the older one.
const VERSIONS: [&str; 2] = ["v1.0", "v1.0-beta1"];
/// The name of the component in paths; the runtime does not look at it.
const COMPONENT: &str = "dapr";
/// How much longer than payloads an answer may be.
const ANSWER: usize = 1 << 20;

/// A sidecar, by Dapr's HTTP API.
pub struct DaprHttp {
    endpoint: String,
    client: reqwest::Client,
    reactor: Handle,
    version: AtomicUsize,
    timeout: Duration,
    max_answer: usize,
}

/// What a request ended with.
enum Sent {
    Answer(StatusCode, Bytes),
    /// It was sent, or may have been, and no answer came.
    Lost(Error),
}

impl DaprHttp {
    /// A component for `http://host:port` or `https://host:port`. It connects with the first call.
    ///
    /// # Errors
    /// `invalid_argument` for certificates that cannot be read, `resource_exhausted` without threads for connections.
    pub fn open(endpoint: &str, options: &ClientOptions) -> Result<DaprHttp> {
        let mut headers = reqwest::header::HeaderMap::new();
        if let Some(token) = &options.remote.api_token {
            let mut value = reqwest::header::HeaderValue::from_str(token)
                .map_err(|_| Error::invalid("the API token has a character that no header can carry"))?;
            value.set_sensitive(true);
            headers.insert("dapr-api-token", value);
        }
        let client = reqwest::Client::builder()
            .default_headers(headers)
            .user_agent(concat!("everstep/", env!("CARGO_PKG_VERSION")))
            .redirect(reqwest::redirect::Policy::none())
            // A sidecar stands beside its application, where no proxy leads.
            .no_proxy()
            .tcp_nodelay(true)
            .connect_timeout(PATIENCE)
            .timeout(options.call_timeout)
            .tls_backend_preconfigured(tls(&options.remote, endpoint.starts_with("https:"))?)
            .build()
            .map_err(|error| Error::internal("HTTP cannot be set up").with_source(error))?;
        Ok(DaprHttp {
            endpoint: endpoint.to_owned(),
            client,
            reactor: reactor::handle()?,
            version: AtomicUsize::new(0),
            timeout: options.call_timeout,
            max_answer: 4 * options.max_payload_bytes + ANSWER,
        })
    }

    /// Sends a request, by the API's version that the sidecar has. The error is one of a request that did not land.
    async fn send(&self, method: Method, path: &str, body: Option<&Payload>) -> Result<Sent> {
        loop {
            let version = self.version.load(Ordering::Relaxed);
            let url = format!("{}/{}/workflows/{COMPONENT}/{path}", self.endpoint, VERSIONS[version]);
            let mut request = self.client.request(method.clone(), url);
            if let Some(body) = body {
                request =
                    request.header("content-type", "application/json").body(body.clone().unwrap_or_default());
            }
            let request = request
                .build()
                .map_err(|error| Error::internal("a request cannot be built").with_source(error))?;
            let sent = self.deliver(request).await?;
            let unknown = matches!(&sent, Sent::Answer(StatusCode::NOT_FOUND, body) if Body::read(body).code == NO_ROUTE);
            if !unknown || version + 1 == VERSIONS.len() {
                return Ok(sent);
            }
            self.version.store(version + 1, Ordering::Relaxed);
        }
    }

    /// Sends a request, again while the connection is refused.
    async fn deliver(&self, request: Request) -> Result<Sent> {
        let began = Instant::now();
        for attempt in 1.. {
            // A request without a stream can always be copied.
            let Some(copy) = request.try_clone() else { break };
            match self.client.execute(copy).await {
                Ok(answer) => return Ok(self.read(answer).await),
                Err(error) if error.is_connect() && began.elapsed() < PATIENCE.min(self.timeout) => {
                    tokio::time::sleep(pause(attempt)).await;
                }
                Err(error) if error.is_connect() => return Err(self.unreachable(error)),
                Err(error) => return Ok(Sent::Lost(self.lost(error))),
            }
        }
        Err(Error::internal("a request cannot be repeated"))
    }

    async fn read(&self, mut answer: Response) -> Sent {
        let mut body = BytesMut::new();
        loop {
            match answer.chunk().await {
                Ok(Some(chunk)) if body.len() + chunk.len() > self.max_answer => {
                    let message = format!("the answer has more than {} bytes", self.max_answer);
                    return Sent::Lost(Error::new(ErrorKind::PayloadTooLarge, message));
                }
                Ok(Some(chunk)) => body.extend_from_slice(&chunk),
                Ok(None) => return Sent::Answer(answer.status(), body.freeze()),
                Err(error) => return Sent::Lost(self.lost(error)),
            }
        }
    }

    fn unreachable(&self, error: reqwest::Error) -> Error {
        let message = format!("nothing answers at {}; is the sidecar running?", self.endpoint);
        Error::new(ErrorKind::Unavailable, message).with_source(error.without_url())
    }

    fn lost(&self, error: reqwest::Error) -> Error {
        let (kind, what) = if error.is_timeout() {
            (ErrorKind::Timeout, format!("no answer within {} s", self.timeout.as_secs_f64()))
        } else {
            (ErrorKind::Unavailable, "the connection broke before the answer came".to_owned())
        };
        let message =
            format!("{what}; the operation may still happen, ask for its state before repeating it");
        Error::new(kind, message).with_source(error.without_url())
    }

    /// Sends and wants a success.
    async fn call(&self, method: Method, path: &str, body: Option<&Payload>) -> Result<Bytes> {
        match self.send(method, path, body).await? {
            Sent::Answer(status, body) => accepted(status, body),
            Sent::Lost(error) => Err(error),
        }
    }

    async fn state(&self, id: &str) -> Result<WorkflowState> {
        let body = self.call(Method::GET, &segment(id), None).await?;
        state::read(&body)
    }

    /// A request about an instance that answers nothing.
    fn control<'a>(&'a self, id: &'a str, verb: &'a str, body: Option<Payload>) -> Pending<'a, ()> {
        let path = format!("{}/{verb}", segment(id));
        let call = async move { self.call(Method::POST, &path, body.as_ref()).await.map(drop) };
        Box::pin(within(&self.reactor, call))
    }

    async fn start_once(&self, request: &StartRequest, id: &str) -> Result<Started> {
        let path = format!("{}/start?instanceID={}", segment(&request.name), segment(id));
        let began = Micros::now();
        let lost = match self.send(Method::POST, &path, Some(&request.input)).await? {
            Sent::Answer(status, body) => return accepted(status, body).map(|_| started(id)),
            Sent::Lost(error) => error,
        };
        match landed(&self.state(id).await, began) {
            Landed::Yes => Ok(started(id)),
            Landed::No => self.call(Method::POST, &path, Some(&request.input)).await.map(|_| started(id)),
            Landed::Unclear => Err(lost),
        }
    }

    /// Asks again and again until the state is what is wanted.
    fn poll<'a>(
        &'a self,
        id: &'a str,
        timeout: Option<Duration>,
        payloads: bool,
        done: fn(&WorkflowState) -> bool,
    ) -> Pending<'a, WorkflowState> {
        let wait = async move {
            let until = timeout.and_then(|timeout| Instant::now().checked_add(timeout));
            let mut interval = Duration::from_millis(10);
            loop {
                let state = self.state(id).await?;
                if done(&state) {
                    return Ok(if payloads { state } else { state::without_payloads(state) });
                }
                let left = until.map(|until| until.saturating_duration_since(Instant::now()));
                if left == Some(Duration::ZERO) {
                    return Err(Error::new(ErrorKind::Timeout, "the time given has passed"));
                }
                tokio::time::sleep(left.map_or(interval, |left| interval.min(left))).await;
                interval = interval.mul_f64(1.5).min(Duration::from_secs(1));
            }
        };
        Box::pin(within(&self.reactor, wait))
    }
}

impl Workflow for DaprHttp {
    fn endpoint(&self) -> &str {
        &self.endpoint
    }

    fn tasks(&self) -> Result<Arc<dyn TaskSource>> {
        Err(Error::new(
            ErrorKind::FailedPrecondition,
            "workers get their tasks over Dapr's gRPC port; use grpc://HOST:PORT, or set DAPR_GRPC_PORT as the sidecar does",
        ))
    }

    fn start(&self, request: StartRequest) -> Pending<'_, Started> {
        let start = async move {
            check_start(&request)?;
            let id = request.instance_id.as_deref().unwrap_or_default();
            self.start_once(&request, id).await
        };
        Box::pin(within(&self.reactor, start))
    }

    fn get<'a>(&'a self, instance_id: &'a str, payloads: bool) -> Pending<'a, WorkflowState> {
        let get = async move {
            let state = self.state(instance_id).await?;
            Ok(if payloads { state } else { state::without_payloads(state) })
        };
        Box::pin(within(&self.reactor, get))
    }

    fn pause<'a>(&'a self, instance_id: &'a str, reason: Option<String>) -> Pending<'a, ()> {
        match reason {
            None => self.control(instance_id, "pause", None),
            Some(_) => refused("a reason of a pause"),
        }
    }

    fn resume<'a>(&'a self, instance_id: &'a str, reason: Option<String>) -> Pending<'a, ()> {
        match reason {
            None => self.control(instance_id, "resume", None),
            Some(_) => refused("a reason of a resume"),
        }
    }

    fn raise_event<'a>(&'a self, instance_id: &'a str, event_name: String, data: Payload) -> Pending<'a, ()> {
        let path = format!("{}/raiseEvent/{}", segment(instance_id), segment(&event_name));
        let call = async move { self.call(Method::POST, &path, Some(&data)).await.map(drop) };
        Box::pin(within(&self.reactor, call))
    }

    fn terminate<'a>(&'a self, instance_id: &'a str, output: Payload, recursive: bool) -> Pending<'a, ()> {
        match (output, recursive) {
            (Some(_), _) => refused("an output of a termination"),
            (None, false) => refused("a termination without the children"),
            (None, true) => self.control(instance_id, "terminate", None),
        }
    }

    /// Answers 1: the API does not say how many children went along.
    fn purge<'a>(&'a self, instance_id: &'a str, recursive: bool) -> Pending<'a, u64> {
        if !recursive {
            return refused("a purge without the children");
        }
        let purge = self.control(instance_id, "purge", None);
        Box::pin(async move {
            // The runtime says of a stalled one that it is stalled, which here means that it cannot be purged.
            purge.await.map(|()| 1).map_err(|error| match error.kind() {
                ErrorKind::WorkflowStalled => {
                    Error::new(ErrorKind::FailedPrecondition, "the workflow is stalled; terminate it first")
                }
                _ => error,
            })
        })
    }

    fn wait_for_start<'a>(
        &'a self,
        instance_id: &'a str,
        timeout: Option<Duration>,
        payloads: bool,
    ) -> Pending<'a, WorkflowState> {
        self.poll(instance_id, timeout, payloads, |state| state.status != RuntimeStatus::Pending)
    }

    fn wait_for_completion<'a>(
        &'a self,
        instance_id: &'a str,
        timeout: Option<Duration>,
        payloads: bool,
    ) -> Pending<'a, WorkflowState> {
        let ended = self.poll(instance_id, timeout, payloads, |state| {
            state.status.is_terminal() || state.status == RuntimeStatus::Stalled
        });
        Box::pin(async move {
            let state = ended.await?;
            if state.status == RuntimeStatus::Stalled {
                let reason = state.reason.unwrap_or_default();
                return Err(Error::new(ErrorKind::WorkflowStalled, reason));
            }
            Ok(state)
        })
    }
}

/// What a start over HTTP cannot say is refused before anything is sent.
fn check_start(request: &StartRequest) -> Result<()> {
    let beyond = [
        (request.start_at.is_some(), "start_at; Dapr's gRPC API has it"),
        (request.version.is_some(), "version; no runtime takes it yet"),
        (!request.tags.is_empty(), "tags; no runtime takes them yet"),
        (request.reuse == Reuse::Never, "reuse=\"never\"; Dapr's gRPC API has it from 1.19 on"),
    ];
    match beyond.into_iter().find(|(given, _)| *given) {
        Some((_, what)) => Err(not_implemented(what)),
        None => Ok(()),
    }
}

fn not_implemented(what: &str) -> Error {
    Error::new(
        ErrorKind::NotImplemented,
        format!("Dapr's HTTP API has no {what}; use its gRPC port (DAPR_GRPC_PORT)"),
    )
}

fn refused<T: Send + 'static>(what: &str) -> Pending<'static, T> {
    Box::pin(std::future::ready(Err(not_implemented(what))))
}

fn accepted(status: StatusCode, body: Bytes) -> Result<Bytes> {
    if status.is_success() { Ok(body) } else { Err(of_answer(status.as_u16(), &Body::read(&body))) }
}

fn started(id: &str) -> Started {
    Started { instance_id: id.to_owned(), execution_id: None }
}

/// A segment of a path or a query: everything but unreserved characters is escaped, for the runtime reads `+` as a space.
fn segment(text: &str) -> String {
    text.bytes().fold(String::with_capacity(text.len()), |mut out, byte| {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            let digit = |nibble: u8| char::from(b"0123456789ABCDEF"[usize::from(nibble)]);
            out.extend(['%', digit(byte >> 4), digit(byte & 15)]);
        }
        out
    })
}
