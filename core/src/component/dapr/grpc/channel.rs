//! The calls to a sidecar: when they are repeated, and how they fail.

use std::sync::Arc;
use std::time::{Duration, Instant};

use http::{HeaderMap, HeaderValue};
use hyper_util::rt::TokioIo;
use prost::Message;
use tokio::runtime::Handle;
use tonic::client::Grpc;
use tonic::transport::{Channel as Connection, Endpoint};
use tonic::{Code, Request, Status, Streaming, TimeoutExpired};

use super::super::connection::{MOMENT, PATIENCE, pause};
use super::super::errors::{is_half_written, is_unhosted};
use super::super::fault;
use super::dial::Dialer;
use super::line::{Line, framed};
use crate::error::{Error, Result};
use crate::options::ClientOptions;
use crate::runtime::reactor;

/// A sidecar closes a connection that is pinged more often than every 8 s.
const PING_EVERY: Duration = Duration::from_secs(30);
const PING_TIMEOUT: Duration = Duration::from_secs(10);
/// How much longer than the largest payload a message may be. A history holds many of them.
const HISTORY: usize = 64 << 20;
const USER_AGENT: &str = concat!("everstep/", env!("CARGO_PKG_VERSION"));

/// Connections that are made with the first call and again when they were lost: one for calls, one for streams.
#[derive(Clone)]
pub(crate) struct Channel {
    line: Arc<Line>,
    connection: Connection,
    token: Option<HeaderValue>,
    reactor: Handle,
    max_message: usize,
}

/// How a call failed.
#[derive(Debug)]
pub(crate) enum Failed {
    /// Nothing was sent.
    Unsent(Status),
    /// The sidecar answered, or may have got the call.
    Status(Status),
}

impl Channel {
    /// A channel for `grpc://host:port`, `grpcs://host:port`, `unix:/path` or `unix-abstract:name`.
    ///
    /// # Errors
    /// `invalid_argument` for certificates that cannot be read, `resource_exhausted` without threads for connections.
    pub(crate) fn open(url: &str, options: &ClientOptions) -> Result<Channel> {
        let reactor = reactor::handle()?;
        let dialer = Dialer::new(url, &options.remote)?;
        let token = options.remote.api_token.as_deref().map(header).transpose()?;
        let max_message = options.max_payload_bytes.saturating_add(HISTORY);
        let mut headers = HeaderMap::new();
        headers.insert("user-agent", HeaderValue::from_static(USER_AGENT));
        if let Some(token) = &token {
            headers.insert("dapr-api-token", token.clone());
        }
        let line = Arc::new(Line::new(dialer.clone(), reactor.clone(), headers, max_message));
        let connection = streams(dialer, &reactor)?;
        Ok(Channel { line, connection, token, reactor, max_message })
    }

    /// The reactor that futures of this channel need.
    pub(crate) fn reactor(&self) -> &Handle {
        &self.reactor
    }

    /// Calls a method of the task hub service, again while nothing can be sent or the sidecar does not host workflows yet.
    pub(crate) async fn unary<Q, A>(
        &self,
        method: &'static str,
        request: Q,
        timeout: Duration,
    ) -> std::result::Result<A, Failed>
    where
        Q: Message + Clone + 'static,
        A: Message + Default + 'static,
    {
        self.call(method, request, timeout, Failed::is_nothing).await
    }

    /// Calls a method that changes nothing, again while the sidecar is away or reads what is half written.
    pub(super) async fn ask<Q, A>(
        &self,
        method: &'static str,
        request: Q,
        timeout: Duration,
    ) -> std::result::Result<A, Failed>
    where
        Q: Message + Clone + 'static,
        A: Message + Default + 'static,
    {
        self.call(method, request, timeout, |failed| failed.is_outage() || failed.is_half_written()).await
    }

    async fn call<Q, A>(
        &self,
        method: &'static str,
        request: Q,
        timeout: Duration,
        again: fn(&Failed) -> bool,
    ) -> std::result::Result<A, Failed>
    where
        Q: Message + Clone + 'static,
        A: Message + Default + 'static,
    {
        let began = Instant::now();
        let body = framed(&request);
        let mut attempt = 0;
        loop {
            let left = timeout.saturating_sub(began.elapsed());
            let failed = match self.send(method, body.clone(), left).await {
                Ok(answer) => return Ok(answer),
                Err(failed) => failed,
            };
            attempt += 1;
            let pause = if failed.is_half_written() { MOMENT * attempt } else { pause(attempt) };
            let enough = began.elapsed() + pause >= PATIENCE.min(timeout);
            if enough || !again(&failed) || failed.is_final() {
                return Err(failed);
            }
            tokio::time::sleep(pause).await;
        }
    }

    /// Calls a method of the task hub service once.
    pub(crate) async fn once<Q, A>(
        &self,
        method: &'static str,
        request: Q,
        timeout: Duration,
    ) -> std::result::Result<A, Failed>
    where
        Q: Message + 'static,
        A: Message + Default + 'static,
    {
        self.send(method, framed(&request), timeout).await
    }

    async fn send<A>(
        &self,
        method: &'static str,
        body: bytes::Bytes,
        timeout: Duration,
    ) -> std::result::Result<A, Failed>
    where
        A: Message + Default + 'static,
    {
        match tokio::time::timeout(timeout, self.line.call(method, body, timeout)).await {
            Ok(answer) => answer,
            Err(_) => Err(Failed::Status(Status::deadline_exceeded("no answer in time"))),
        }
    }

    /// Opens a stream of messages from the sidecar. A sidecar may answer only with the first message, so this may take as
    /// long as that.
    pub(crate) async fn stream<Q, A>(
        &self,
        method: &'static str,
        request: Q,
    ) -> std::result::Result<Streaming<A>, Failed>
    where
        Q: Message + 'static,
        A: Message + Default + 'static,
    {
        let mut grpc = self.grpc();
        grpc.ready().await.map_err(|error| Failed::of(Status::from_error(error.into())))?;
        let codec = tonic_prost::ProstCodec::<Q, A>::default();
        let answer = grpc.server_streaming(self.request(request), path(method), codec).await;
        answer.map(tonic::Response::into_inner).map_err(Failed::of)
    }

    fn request<Q>(&self, message: Q) -> Request<Q> {
        let mut request = Request::new(message);
        if let Some(token) = &self.token {
            request.metadata_mut().as_mut().insert("dapr-api-token", token.clone());
        }
        request
    }

    fn grpc(&self) -> Grpc<Connection> {
        Grpc::new(self.connection.clone())
            .max_decoding_message_size(self.max_message)
            .max_encoding_message_size(self.max_message)
    }
}

impl Failed {
    /// Nothing was sent, because of this.
    pub(super) fn unsent(error: impl std::error::Error + Send + Sync + 'static) -> Failed {
        let mut status = Status::unavailable("there is no connection");
        status.set_source(Arc::new(error));
        Failed::Unsent(status)
    }

    fn of(status: Status) -> Failed {
        let mut cause = std::error::Error::source(&status);
        while let Some(error) = cause {
            if error.is::<tonic::ConnectError>() {
                return Failed::Unsent(status);
            }
            if error.is::<TimeoutExpired>() {
                return Failed::Status(Status::deadline_exceeded("no answer in time"));
            }
            cause = error.source();
        }
        Failed::Status(status)
    }

    /// Whether another attempt would end alike, because of certificates for example.
    fn is_final(&self) -> bool {
        fault::of_chain(self.status(), "").is_some()
    }

    /// The status, wherever it comes from.
    pub(crate) fn status(&self) -> &Status {
        match self {
            Failed::Unsent(status) | Failed::Status(status) => status,
        }
    }

    /// Whether a state was read while it was written.
    fn is_half_written(&self) -> bool {
        is_half_written(self.status().message())
    }

    /// Whether the call has certainly done nothing, and may do something soon.
    fn is_nothing(&self) -> bool {
        matches!(self, Failed::Unsent(_)) || is_unhosted(self.status().message())
    }

    /// Whether the sidecar is away rather than of another opinion.
    pub(crate) fn is_outage(&self) -> bool {
        let status = self.status();
        matches!(self, Failed::Unsent(_))
            || (matches!(status.code(), Code::Unavailable | Code::Cancelled | Code::Unknown)
                && std::error::Error::source(status).is_some())
    }
}

/// The connection for streams, which tonic reads.
fn streams(dialer: Dialer, reactor: &Handle) -> Result<Connection> {
    let wrong = |error: tonic::transport::Error| {
        Error::invalid("the endpoint has no host and port that can be called").with_source(error)
    };
    let scheme = if dialer.is_secure() { "https" } else { "http" };
    let endpoint = Endpoint::from_shared(format!("{scheme}://{}", dialer.authority()))
        .and_then(|endpoint| endpoint.user_agent(USER_AGENT))
        .map_err(wrong)?
        .http2_keep_alive_interval(PING_EVERY)
        .keep_alive_timeout(PING_TIMEOUT)
        .keep_alive_while_idle(true)
        .initial_stream_window_size(1 << 20)
        .initial_connection_window_size(4 << 20);
    let _inside = reactor.enter();
    Ok(endpoint.connect_with_connector_lazy(tower::service_fn(move |_| {
        let dialer = dialer.clone();
        async move { dialer.dial().await.map(TokioIo::new) }
    })))
}

fn path(method: &'static str) -> http::uri::PathAndQuery {
    http::uri::PathAndQuery::from_static(method)
}

fn header(token: &str) -> Result<HeaderValue> {
    let wrong = |_| Error::invalid("the API token has a character that no header can carry");
    let mut value = HeaderValue::from_str(token).map_err(wrong)?;
    value.set_sensitive(true);
    Ok(value)
}
