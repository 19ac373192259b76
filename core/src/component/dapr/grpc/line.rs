//! One HTTP/2 connection and the calls on it.
//!
//! A call is written and read by the thread that makes it; the reactor only moves bytes. Nothing stands between the two:
//! on a sidecar of the same machine the client's own time is what a call costs.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Poll;
use std::time::Duration;

use bytes::{Buf, BufMut, Bytes, BytesMut};
use h2::client::{ResponseFuture, SendRequest};
use h2::{Ping, PingPong, Reason, RecvStream};
use http::{HeaderMap, HeaderValue, Method, Uri};
use prost::Message;
use tokio::runtime::Handle;
use tonic::{Code, Status};

use super::channel::Failed;
use super::dial::Dialer;

/// A sidecar closes a connection that is pinged more often than every 8 s.
const PING_EVERY: Duration = Duration::from_secs(30);
const PING_TIMEOUT: Duration = Duration::from_secs(10);
/// How much an answer, and how much all of them may have on the way before they are read.
const WINDOWS: (u32, u32) = (1 << 20, 4 << 20);
/// The bytes before a message: whether it is compressed, and its length.
const PREFIX: usize = 5;

/// A connection that is made with the first call and again when it was lost.
pub(super) struct Line {
    dialer: Dialer,
    reactor: Handle,
    scheme_and_authority: String,
    headers: HeaderMap,
    max_message: usize,
    live: Mutex<Live>,
    /// One dials at a time; the others take what it got.
    dialing: tokio::sync::Mutex<()>,
    /// Held while a request is queued, and while the reactor writes: the head and the body of a request leave together, in
    /// one system call.
    writing: Arc<Mutex<()>>,
}

#[derive(Default)]
struct Live {
    sender: Option<SendRequest<Bytes>>,
    /// Counts connections, so that one that was lost is forgotten and not its successor.
    number: u64,
}

impl Line {
    /// A line for calls with these headers.
    pub(super) fn new(dialer: Dialer, reactor: Handle, mut headers: HeaderMap, max_message: usize) -> Line {
        headers.insert("content-type", HeaderValue::from_static("application/grpc"));
        headers.insert("te", HeaderValue::from_static("trailers"));
        let scheme = if dialer.is_secure() { "https" } else { "http" };
        let scheme_and_authority = format!("{scheme}://{}", dialer.authority());
        let (live, dialing, writing) = (Mutex::default(), tokio::sync::Mutex::default(), Arc::default());
        Line { dialer, reactor, scheme_and_authority, headers, max_message, live, dialing, writing }
    }

    /// Makes one call.
    pub(super) async fn call<A>(&self, method: &str, body: Bytes, timeout: Duration) -> Result<A, Failed>
    where
        A: Message + Default,
    {
        let answer = self.send(method, body, timeout).await?;
        self.read(answer).await
    }

    /// Sends a request, over a new connection if the present one turns out to be closed.
    async fn send(&self, method: &str, body: Bytes, timeout: Duration) -> Result<ResponseFuture, Failed> {
        let mut request = http::Request::new(());
        *request.method_mut() = Method::POST;
        *request.uri_mut() = self.uri(method)?;
        *request.headers_mut() = self.headers.clone();
        request.headers_mut().insert("grpc-timeout", timeout_header(timeout));
        loop {
            let (number, sender, fresh) = self.sender().await?;
            let sent = match sender.ready().await {
                Ok(sender) => self.queue(sender, request.clone(), body.clone()),
                Err(error) => Err(error),
            };
            match sent {
                Ok(answer) => return Ok(answer),
                Err(error) => {
                    self.forget(number);
                    if fresh {
                        return Err(Failed::unsent(error));
                    }
                }
            }
        }
    }

    fn queue(
        &self,
        mut sender: SendRequest<Bytes>,
        head: http::Request<()>,
        body: Bytes,
    ) -> Result<ResponseFuture, h2::Error> {
        let _together = lock(&self.writing);
        let (answer, mut stream) = sender.send_request(head, false)?;
        stream.send_data(body, true)?;
        Ok(answer)
    }

    fn uri(&self, method: &str) -> Result<Uri, Failed> {
        format!("{}{method}", self.scheme_and_authority).parse().map_err(Failed::unsent)
    }

    async fn read<A: Message + Default>(&self, answer: ResponseFuture) -> Result<A, Failed> {
        let (head, mut stream) = answer.await.map_err(of_stream)?.into_parts();
        if let Some(status) = Status::from_header_map(&head.headers) {
            return Err(Failed::Status(status));
        }
        let kind = head.headers.get("content-type").map(HeaderValue::as_bytes).unwrap_or_default();
        if !head.status.is_success() || !kind.starts_with(b"application/grpc") {
            return Err(Failed::Status(no_grpc(head.status)));
        }
        let message = self.message(&mut stream).await?;
        let trailers = stream.trailers().await.map_err(of_stream)?.unwrap_or_default();
        match Status::from_header_map(&trailers) {
            Some(status) if status.code() == Code::Ok => {}
            Some(status) => return Err(Failed::Status(status)),
            None => return Err(Failed::Status(Status::internal("the answer ends without a status"))),
        }
        let message = message.ok_or_else(|| Failed::Status(Status::internal("the answer has no message")))?;
        let wrong = |_| Failed::Status(Status::internal("the answer is no message of the task hub service"));
        A::decode(message).map_err(wrong)
    }

    /// The bytes of the one message of an answer.
    async fn message(&self, stream: &mut RecvStream) -> Result<Option<Bytes>, Failed> {
        let mut first = Bytes::new();
        let mut all = BytesMut::new();
        while let Some(part) = stream.data().await {
            let part = part.map_err(of_stream)?;
            // What cannot be released belongs to a stream that has ended.
            drop(stream.flow_control().release_capacity(part.len()));
            if first.is_empty() && all.is_empty() {
                first = part;
                continue;
            }
            all.extend_from_slice(&std::mem::take(&mut first));
            if all.len() + part.len() > self.max_message.saturating_add(PREFIX) {
                return Err(Failed::Status(self.too_large()));
            }
            all.extend_from_slice(&part);
        }
        let mut found = if all.is_empty() { first } else { all.freeze() };
        if found.is_empty() {
            return Ok(None);
        }
        if found.len() < PREFIX || found.get_u8() != 0 || found.get_u32() as usize != found.len() {
            return Err(Failed::Status(Status::internal("the answer is not one whole message")));
        }
        Ok(Some(found))
    }

    fn too_large(&self) -> Status {
        Status::out_of_range(format!("the answer has more than {} bytes", self.max_message))
    }

    /// The present connection and its number; a new one, if there is none.
    async fn sender(&self) -> Result<(u64, SendRequest<Bytes>, bool), Failed> {
        if let Some((number, sender)) = self.present() {
            return Ok((number, sender, false));
        }
        let _one = self.dialing.lock().await;
        if let Some((number, sender)) = self.present() {
            return Ok((number, sender, false));
        }
        let stream = self.dialer.dial().await.map_err(Failed::unsent)?;
        let (stream_window, window) = WINDOWS;
        let handshake = h2::client::Builder::new()
            .initial_window_size(stream_window)
            .initial_connection_window_size(window)
            .enable_push(false)
            .handshake(stream);
        let (sender, mut connection) = handshake.await.map_err(Failed::unsent)?;
        let pings = connection.ping_pong();
        let writing = self.writing.clone();
        self.reactor.spawn(async move {
            let mut connection = pin!(connection);
            let mut alive = pin!(keep_alive(pings));
            poll_fn(|context| {
                let moved = {
                    let _together = lock(&writing);
                    connection.as_mut().poll(context)
                };
                // Its end reaches those who wait for answers.
                if moved.is_ready() { Poll::Ready(()) } else { alive.as_mut().poll(context) }
            })
            .await;
        });
        let mut live = self.live();
        live.number += 1;
        live.sender = Some(sender.clone());
        Ok((live.number, sender, true))
    }

    fn present(&self) -> Option<(u64, SendRequest<Bytes>)> {
        let live = self.live();
        Some((live.number, live.sender.clone()?))
    }

    fn forget(&self, number: u64) {
        let mut live = self.live();
        if live.number == number {
            live.sender = None;
        }
    }

    fn live(&self) -> MutexGuard<'_, Live> {
        lock(&self.live)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Ends when the other side no longer answers.
async fn keep_alive(pings: Option<PingPong>) {
    let Some(mut pings) = pings else { return std::future::pending().await };
    loop {
        tokio::time::sleep(PING_EVERY).await;
        match tokio::time::timeout(PING_TIMEOUT, pings.ping(Ping::opaque())).await {
            Ok(Ok(_)) => {}
            _ => return,
        }
    }
}

/// The bytes of a message as they are sent.
pub(super) fn framed(message: &impl Message) -> Bytes {
    let length = message.encoded_len();
    let mut bytes = BytesMut::with_capacity(PREFIX + length);
    bytes.put_u8(0);
    bytes.put_u32(u32::try_from(length).unwrap_or(u32::MAX));
    message.encode(&mut bytes).expect("the buffer has room");
    bytes.freeze()
}

/// A whole number of milliseconds, or of seconds where those have more than eight digits.
fn timeout_header(timeout: Duration) -> HeaderValue {
    let millis = timeout.as_millis().max(1);
    let text = if millis < 100_000_000 {
        format!("{millis}m")
    } else {
        format!("{}S", timeout.as_secs().min(99_999_999))
    };
    HeaderValue::from_str(&text).expect("digits and a letter")
}

/// What the end of a stream without an answer means.
fn of_stream(error: h2::Error) -> Failed {
    // The other side says of these that it has not looked at them.
    let refused = error.reason() == Some(Reason::REFUSED_STREAM) && error.is_remote();
    let gone = error.is_go_away() && error.is_remote() && error.reason() == Some(Reason::NO_ERROR);
    if refused || gone {
        return Failed::unsent(error);
    }
    // So a sidecar ends a call whose time has passed.
    if error.is_reset() && error.is_remote() && error.reason() == Some(Reason::CANCEL) {
        return Failed::Status(Status::deadline_exceeded("the sidecar has given the call up"));
    }
    let mut status = Status::unavailable("the connection broke before the answer came");
    status.set_source(Arc::new(error));
    Failed::Status(status)
}

fn no_grpc(status: http::StatusCode) -> Status {
    let code = match status.as_u16() {
        401 => Code::Unauthenticated,
        403 => Code::PermissionDenied,
        429 | 502 | 503 | 504 => Code::Unavailable,
        _ => Code::FailedPrecondition,
    };
    Status::new(
        code,
        format!("what answers speaks HTTP ({}) and no gRPC; is it Dapr's gRPC port?", status.as_u16()),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timeouts_have_eight_digits_at_most() {
        for (timeout, text) in [
            (Duration::from_micros(1), "1m"),
            (Duration::from_secs(60), "60000m"),
            (Duration::from_secs(200_000), "200000S"),
            (Duration::MAX, "99999999S"),
        ] {
            assert_eq!(timeout_header(timeout), text);
        }
    }
}
