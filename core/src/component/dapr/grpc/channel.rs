//! One HTTP/2 connection to a sidecar and the calls on it.

use std::time::{Duration, Instant};

use http::Uri;
use http::uri::PathAndQuery;
use hyper_util::rt::TokioIo;
use prost::Message;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::runtime::Handle;
use tokio_rustls::TlsConnector;
use tonic::client::Grpc;
use tonic::metadata::{Ascii, MetadataValue};
use tonic::transport::{Channel as Connection, Endpoint};
use tonic::{Code, ConnectError, Request, Status, Streaming};

use super::super::connection::{PATIENCE, pause, tls};
use crate::error::{Error, Result};
use crate::options::ClientOptions;
use crate::runtime::reactor;

/// A sidecar closes a connection that is pinged more often than every 8 s.
const PING_EVERY: Duration = Duration::from_secs(30);
const PING_TIMEOUT: Duration = Duration::from_secs(10);
/// How much longer than the largest payload a message may be. A history holds many of them.
const HISTORY: usize = 64 << 20;

/// A connection that is made with the first call and again when it was lost.
#[derive(Clone)]
pub(crate) struct Channel {
    connection: Connection,
    token: Option<MetadataValue<Ascii>>,
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
    /// A channel for `grpc://host:port` or `grpcs://host:port`.
    ///
    /// # Errors
    /// `invalid_argument` for certificates that cannot be read, `resource_exhausted` without threads for connections.
    pub(crate) fn open(url: &str, options: &ClientOptions) -> Result<Channel> {
        let (secure, authority) = match url.strip_prefix("grpcs://") {
            Some(authority) => (true, authority),
            None => (false, url.trim_start_matches("grpc://")),
        };
        let reactor = reactor::handle()?;
        let wrong = |error: tonic::transport::Error| {
            Error::invalid("the endpoint has no host and port that can be called").with_source(error)
        };
        let scheme = if secure { "https" } else { "http" };
        let endpoint = Endpoint::from_shared(format!("{scheme}://{authority}"))
            .and_then(|endpoint| endpoint.user_agent(concat!("everstep/", env!("CARGO_PKG_VERSION"))))
            .map_err(wrong)?
            .connect_timeout(PATIENCE)
            .tcp_nodelay(true)
            .http2_keep_alive_interval(PING_EVERY)
            .keep_alive_timeout(PING_TIMEOUT)
            .keep_alive_while_idle(true)
            .initial_stream_window_size(1 << 20)
            .initial_connection_window_size(4 << 20);
        let token = options.remote.api_token.as_deref().map(|token| token.parse().map_err(|_| bad_token()));
        let connection = {
            let _inside = reactor.enter();
            if secure {
                let connector = TlsConnector::from(std::sync::Arc::new(h2(tls(&options.remote, true)?)));
                endpoint.connect_with_connector_lazy(tower::service_fn(move |uri| {
                    let connector = connector.clone();
                    async move { connect_tls(&connector, uri).await.map(TokioIo::new) }
                }))
            } else {
                endpoint.connect_lazy()
            }
        };
        let max_message = options.max_payload_bytes.saturating_add(HISTORY);
        Ok(Channel { connection, token: token.transpose()?, reactor, max_message })
    }

    /// The reactor that futures of this channel need.
    pub(crate) fn reactor(&self) -> &Handle {
        &self.reactor
    }

    /// Calls a method of the task hub service, again while the connection is refused.
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
        let began = Instant::now();
        for attempt in 1.. {
            match self.once(method, request.clone(), timeout).await {
                Err(Failed::Unsent(status)) if began.elapsed() >= PATIENCE.min(timeout) => {
                    return Err(Failed::Unsent(status));
                }
                Err(Failed::Unsent(_)) => tokio::time::sleep(pause(attempt)).await,
                answer => return answer,
            }
        }
        Err(Failed::Unsent(Status::unavailable("no attempt is left")))
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
        let mut request = self.request(request);
        request.set_timeout(timeout);
        let mut grpc = self.grpc();
        let call = async {
            grpc.ready().await.map_err(|error| Failed::of(Status::from_error(error.into())))?;
            let codec = tonic_prost::ProstCodec::<Q, A>::default();
            grpc.unary(request, path(method), codec).await.map_err(Failed::of)
        };
        match tokio::time::timeout(timeout, call).await {
            Ok(answer) => answer.map(tonic::Response::into_inner),
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
            request.metadata_mut().insert("dapr-api-token", token.clone());
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
    fn of(status: Status) -> Failed {
        let mut cause = std::error::Error::source(&status);
        while let Some(error) = cause {
            if error.is::<ConnectError>() {
                return Failed::Unsent(status);
            }
            cause = error.source();
        }
        Failed::Status(status)
    }

    /// The status, wherever it comes from.
    pub(crate) fn status(&self) -> &Status {
        match self {
            Failed::Unsent(status) | Failed::Status(status) => status,
        }
    }

    /// Whether the sidecar is away rather than of another opinion.
    pub(crate) fn is_outage(&self) -> bool {
        let status = self.status();
        matches!(self, Failed::Unsent(_))
            || (matches!(status.code(), Code::Unavailable | Code::Cancelled | Code::Unknown)
                && std::error::Error::source(status).is_some())
    }
}

fn path(method: &'static str) -> PathAndQuery {
    PathAndQuery::from_static(method)
}

fn bad_token() -> Error {
    Error::invalid("the API token has a character that no header can carry")
}

fn h2(mut config: rustls::ClientConfig) -> rustls::ClientConfig {
    config.alpn_protocols = vec![b"h2".to_vec()];
    config
}

trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

async fn connect_tls(connector: &TlsConnector, uri: Uri) -> std::io::Result<Box<dyn Stream>> {
    let host = uri.host().unwrap_or_default().trim_matches(['[', ']']).to_owned();
    let stream = TcpStream::connect((host.as_str(), uri.port_u16().unwrap_or(443))).await?;
    stream.set_nodelay(true)?;
    let name = rustls::pki_types::ServerName::try_from(host)
        .map_err(|error| std::io::Error::new(std::io::ErrorKind::InvalidInput, error))?;
    Ok(Box::new(connector.connect(name, stream).await?))
}
