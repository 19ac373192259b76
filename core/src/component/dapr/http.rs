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
use super::again::{self, Until, ask_again, has_ended, has_started, shorn};
use super::connection::{MOMENT, PATIENCE, budget, pause, tls};
use super::errors::{Body, NO_ROUTE, dropped, is_unhosted, of_answer};
use super::fault;
use super::lost::{Landed, landed};
use super::metadata::{Metadata, late};
use crate::error::{Error, ErrorKind, Result};
use crate::history::Event;
use crate::model::{
    BulkAction, BulkStep, Change, Filter, ListRequest, Micros, Page, Payload, RerunRequest, Reuse, Seen,
    StartRequest, Started, StatusCounts, WorkflowState,
};
use crate::options::ClientOptions;
use crate::runtime::reactor::{self, within};
use crate::worker::TaskSource;

pub(super) mod state;
#[cfg(test)]
mod tests;

/// The API's versions, newest first. Runtimes before 1.15 know only the older one.
const VERSIONS: [&str; 2] = ["v1.0", "v1.0-beta1"];
/// The name of the component in paths; the runtime does not look at it.
const COMPONENT: &str = "dapr";
/// How much longer than payloads an answer may be.
const ANSWER: usize = 1 << 20;
/// How long a sidecar may take to say something of itself.
const ASIDE: Duration = Duration::from_millis(400);

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
            .tls_backend_preconfigured(tls(&options.remote, endpoint.starts_with("https:"))?)
            .build()
            .map_err(|error| Error::internal("HTTP cannot be set up").with_source(error))?;
        Ok(DaprHttp {
            endpoint: endpoint.to_owned(),
            client,
            reactor: reactor::handle()?,
            version: AtomicUsize::new(0),
            timeout: budget(options.call_timeout),
            max_answer: 4 * options.max_payload_bytes + ANSWER,
        })
    }

    /// Sends a request, by the API's version that the sidecar has. The error is one of a request that did not land.
    async fn send(&self, method: Method, path: &str, body: Option<&Payload>) -> Result<Sent> {
        let began = Instant::now();
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
            let sent = self.deliver(request, began).await?;
            let unknown = matches!(&sent, Sent::Answer(StatusCode::NOT_FOUND, body) if Body::read(body).code == NO_ROUTE);
            if !unknown || version + 1 == VERSIONS.len() {
                return Ok(sent);
            }
            self.version.store(version + 1, Ordering::Relaxed);
        }
    }

    /// Sends a request, again while the connection is refused; one that changes nothing also when it broke.
    async fn deliver(&self, request: Request, began: Instant) -> Result<Sent> {
        for attempt in 1.. {
            // A request without a stream can always be copied.
            let Some(mut copy) = request.try_clone() else { break };
            *copy.timeout_mut() = Some(self.timeout.saturating_sub(began.elapsed()));
            let failed = match self.once(copy).await {
                Ok(Sent::Lost(error)) if request.method() == Method::GET => Ok(error),
                Ok(Sent::Answer(status, body)) if is_unhosted(&String::from_utf8_lossy(&body)) => {
                    Err(of_answer(status.as_u16(), &Body::read(&body)))
                }
                Ok(sent) => return Ok(sent),
                Err(error) => Err(error),
            };
            let kind = failed.as_ref().map_or_else(Error::kind, Error::kind);
            let pause = pause(attempt);
            if kind != ErrorKind::Unavailable || began.elapsed() + pause >= PATIENCE.min(self.timeout) {
                return failed.map(Sent::Lost);
            }
            tokio::time::sleep(pause).await;
        }
        Err(Error::internal("a request cannot be repeated"))
    }

    /// Sends a request once. The error is one of a request that did not land.
    async fn once(&self, request: Request) -> Result<Sent> {
        let error = match self.client.execute(request).await {
            Ok(answer) => return Ok(self.read(answer).await),
            Err(error) => error,
        };
        match fault::of_chain(&error, &self.endpoint) {
            Some(fault) => Err(fault.with_source(error.without_url())),
            None if error.is_connect() => {
                Err(fault::unreachable(&error, &self.endpoint).with_source(error.without_url()))
            }
            None => Ok(Sent::Lost(self.lost(error))),
        }
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

    fn lost(&self, error: reqwest::Error) -> Error {
        let (kind, what) = if error.is_timeout() {
            (ErrorKind::Timeout, "no answer in time".to_owned())
        } else if fault::text_of(&error).contains("invalid HTTP") {
            let message =
                format!("what answers at {} speaks no HTTP/1.1; is it Dapr's gRPC port?", self.endpoint);
            return Error::new(ErrorKind::FailedPrecondition, message).with_source(error.without_url());
        } else {
            (ErrorKind::Unavailable, "the connection broke before the answer came".to_owned())
        };
        let message =
            format!("{what}; the operation may still happen, ask for its state before repeating it");
        Error::new(kind, message).with_source(error.without_url())
    }

    /// What the sidecar says of itself, if it says so quickly.
    async fn metadata(&self) -> Option<Metadata> {
        let request = self.client.get(format!("{}/v1.0/metadata", self.endpoint)).timeout(ASIDE);
        let answer = request.send().await.ok()?;
        match self.read(answer).await {
            Sent::Answer(StatusCode::OK, body) => Metadata::of_json(&body),
            _ => None,
        }
    }

    /// What the sidecar says of its health, if that is bad.
    async fn unhealthy(&self) -> Option<Body> {
        let request = self.client.get(format!("{}/v1.0/healthz", self.endpoint)).timeout(ASIDE);
        let answer = request.send().await.ok()?;
        match self.read(answer).await {
            Sent::Answer(status, body) if !status.is_success() => Some(Body::read(&body)),
            _ => None,
        }
    }

    /// Sends and wants a success.
    async fn call(&self, method: Method, path: &str, body: Option<&Payload>) -> Result<Bytes> {
        match self.send(method, path, body).await? {
            Sent::Answer(status, body) => self.accepted(status, body).await,
            Sent::Lost(error) => Err(error),
        }
    }

    /// The body of a success. Where the error does not say what is wrong, the sidecar's health may.
    async fn accepted(&self, status: StatusCode, body: Bytes) -> Result<Bytes> {
        if status.is_success() {
            return Ok(body);
        }
        let error = of_answer(status.as_u16(), &Body::read(&body));
        if error.kind() != ErrorKind::Internal {
            return Err(error);
        }
        Err(match self.unhealthy().await {
            Some(body) => of_answer(500, &body).with_source(error),
            None => error,
        })
    }

    async fn state(&self, id: &str) -> Result<WorkflowState> {
        let (path, began) = (segment(id), Instant::now());
        let mut attempt = 0;
        loop {
            match self.call(Method::GET, &path, None).await {
                Err(error) if is_half_written(&error) && began.elapsed() < PATIENCE => {
                    attempt += 1;
                    tokio::time::sleep(MOMENT * attempt).await;
                }
                answer => return state::read(&answer?),
            }
        }
    }

    /// A request about an instance that answers nothing.
    fn control<'a>(&'a self, id: &'a str, verb: &'a str, body: Option<Payload>) -> Pending<'a, ()> {
        let path = format!("{}/{verb}", segment(id));
        self.run(async move { self.call(Method::POST, &path, body.as_ref()).await.map(drop) })
    }

    /// Starts an instance. If the connection breaks, it is looked up before anything is sent again; one that got no answer
    /// in time may still be under way, so it is only looked up.
    async fn start_once(&self, request: &StartRequest, id: &str) -> Result<Started> {
        let path = format!("{}/start?instanceID={}", segment(&request.name), segment(id));
        let began = Micros::now();
        let lost = match self.send(Method::POST, &path, Some(&request.input)).await? {
            Sent::Answer(status, body) => return self.accepted(status, body).await.map(|_| started(id)),
            Sent::Lost(error) => error,
        };
        if lost.kind() == ErrorKind::Timeout {
            return match self.state(id).await {
                Ok(state) if state.created_at >= began => Ok(started(id)),
                _ => Err(late(self.metadata().await.as_ref(), lost)),
            };
        }
        match landed(|| self.state(id), began).await {
            Landed::Yes => return Ok(started(id)),
            Landed::Unclear => return Err(lost),
            Landed::No => {}
        }
        match self.call(Method::POST, &path, Some(&request.input)).await {
            Ok(_) => Ok(started(id)),
            // The first attempt may have been under way all the time.
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                match landed(|| self.state(id), began).await {
                    Landed::Yes => Ok(started(id)),
                    _ => Err(error),
                }
            }
            Err(error) => Err(error),
        }
    }

    /// Asks again and again until the state is what is wanted.
    fn poll<'a>(
        &'a self,
        id: &'a str,
        timeout: Option<Duration>,
        payloads: bool,
        done: fn(&WorkflowState) -> bool,
    ) -> impl Future<Output = Result<WorkflowState>> + Send + 'a {
        let until = Until::after(timeout);
        async move {
            let state = ask_again(until, || Box::pin(self.state(id)), done).await?;
            Ok(shorn(state, payloads))
        }
    }

    fn run<'a, T: Send + 'static>(
        &'a self,
        call: impl Future<Output = Result<T>> + Send + 'a,
    ) -> Pending<'a, T> {
        Box::pin(within(&self.reactor, call))
    }
}

/// Whether a state was read while it was written. The text that says so may be cut, so that its beginning counts.
fn is_half_written(error: &Error) -> bool {
    error.kind() == ErrorKind::Unavailable && error.message().contains("error while getting workflow info")
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

    fn bulk(&self, action: BulkAction, _: Filter, _: Option<String>) -> Pending<'_, BulkStep> {
        refused(match action {
            BulkAction::Purge => "purge of many instances",
            BulkAction::Terminate { .. } => "termination of many instances",
            BulkAction::Pause { .. } => "pause of many instances",
            BulkAction::Resume { .. } => "resume of many instances",
        })
    }

    fn list(&self, _: ListRequest) -> Pending<'_, Page> {
        refused("list of instances")
    }

    fn count(&self, _: Filter) -> Pending<'_, StatusCounts> {
        refused("count of instances")
    }

    fn history<'a>(&'a self, _: &'a str) -> Pending<'a, Vec<Event>> {
        refused("histories")
    }

    fn rerun(&self, _: RerunRequest) -> Pending<'_, Started> {
        refused("rerun")
    }

    fn start(&self, request: StartRequest) -> Pending<'_, Started> {
        self.run(async move {
            check_start(&request)?;
            let id = request.instance_id.as_deref().unwrap_or_default();
            self.start_once(&request, id).await
        })
    }

    fn get<'a>(&'a self, instance_id: &'a str, payloads: bool) -> Pending<'a, WorkflowState> {
        self.run(async move { Ok(shorn(self.state(instance_id).await?, payloads)) })
    }

    fn pause<'a>(&'a self, instance_id: &'a str, reason: Option<String>) -> Pending<'a, ()> {
        match reason {
            None => self.control(instance_id, "pause", None),
            Some(_) => refused("reason of a pause"),
        }
    }

    fn resume<'a>(&'a self, instance_id: &'a str, reason: Option<String>) -> Pending<'a, ()> {
        match reason {
            None => self.control(instance_id, "resume", None),
            Some(_) => refused("reason of a resume"),
        }
    }

    fn raise_event<'a>(&'a self, instance_id: &'a str, event_name: String, data: Payload) -> Pending<'a, ()> {
        let path = format!("{}/raiseEvent/{}", segment(instance_id), segment(&event_name));
        self.run(async move { self.call(Method::POST, &path, Some(&data)).await.map(drop) })
    }

    fn terminate<'a>(&'a self, instance_id: &'a str, output: Payload, recursive: bool) -> Pending<'a, ()> {
        match (output, recursive) {
            (Some(_), _) => refused("output of a termination"),
            (None, false) => refused("termination without the children"),
            (None, true) => self.control(instance_id, "terminate", None),
        }
    }

    /// Answers 1: the API does not say how many children went along.
    fn purge<'a>(&'a self, instance_id: &'a str, recursive: bool) -> Pending<'a, u64> {
        if !recursive {
            return refused("purge without the children");
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
        self.run(self.poll(instance_id, timeout, payloads, has_started))
    }

    fn wait_for_completion<'a>(
        &'a self,
        instance_id: &'a str,
        timeout: Option<Duration>,
        payloads: bool,
    ) -> Pending<'a, WorkflowState> {
        self.run(async move { again::ended(self.poll(instance_id, timeout, payloads, has_ended).await?) })
    }

    fn next_change<'a>(
        &'a self,
        instance_id: &'a str,
        seen: Option<Seen>,
        payloads: bool,
    ) -> Pending<'a, Change> {
        self.run(async move {
            let change = again::next_change(seen, || Box::pin(self.state(instance_id))).await?;
            Ok(Change { state: shorn(change.state, payloads), ..change })
        })
    }
}

/// What a start over HTTP cannot say is refused before anything is sent.
fn check_start(request: &StartRequest) -> Result<()> {
    if let Some(error) = dropped(request) {
        return Err(error);
    }
    if request.reuse == Reuse::Never {
        return Err(not_implemented("reuse=\"never\", which takes a runtime of 1.19 or later besides"));
    }
    match request.start_at {
        Some(_) => Err(not_implemented("start_at")),
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
