//! HTTP/2 and gRPC by hand: every call can be answered, held, reset or cut at any place.

use std::future::{Future, poll_fn};
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::Poll;

use bytes::{BufMut, Bytes, BytesMut};
use h2::server::SendResponse;
use h2::{Reason, RecvStream, SendStream};
use http::{HeaderMap, HeaderValue, Request, Response};
use prost::Message;
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::runtime::Handle;
use tokio::task::JoinHandle;
use tonic::{Code, Status};

use super::fault::{Fault, What};
use super::hub::Hub;
use super::methods;
use super::state::Out;
use crate::history::wire;

/// A port of the loopback interface, answered or only reserved.
pub(super) struct Listener {
    port: u16,
    place: Mutex<Place>,
}

enum Place {
    /// Bound, so that nobody else gets the port, and refusing.
    Reserved(Option<TcpSocket>),
    Open(JoinHandle<()>),
}

fn bind(port: u16) -> TcpSocket {
    let socket = TcpSocket::new_v4().expect("a test has sockets");
    socket.set_reuseaddr(true).expect("a socket has this option");
    socket.bind(SocketAddr::from(([127, 0, 0, 1], port))).expect("the loopback interface has a free port");
    socket
}

impl Listener {
    pub(super) fn bind(handle: &Handle) -> Listener {
        let _inside = handle.enter();
        let socket = bind(0);
        let port = socket.local_addr().expect("a bound socket has an address").port();
        Listener { port, place: Mutex::new(Place::Reserved(Some(socket))) }
    }

    pub(super) fn port(&self) -> u16 {
        self.port
    }

    pub(super) fn listen(&self, handle: &Handle, hub: &Arc<Hub>) {
        let mut place = self.place.lock().unwrap_or_else(PoisonError::into_inner);
        if let Place::Reserved(socket) = &mut *place {
            let _inside = handle.enter();
            let socket = socket.take().expect("a reserved port has its socket");
            let listener = socket.listen(1024).expect("a bound socket can listen");
            *place = Place::Open(handle.spawn(accept(listener, hub.clone())));
        }
    }

    pub(super) fn close(&self, handle: &Handle) {
        let mut place = self.place.lock().unwrap_or_else(PoisonError::into_inner);
        if let Place::Open(task) = &mut *place {
            task.abort();
            // The port is free once the listener is gone.
            let _ = handle.block_on(task);
            let _inside = handle.enter();
            *place = Place::Reserved(Some(bind(self.port)));
        }
    }
}

async fn accept(listener: TcpListener, hub: Arc<Hub>) {
    while let Ok((stream, _)) = listener.accept().await {
        let _ = stream.set_nodelay(true);
        // The number is there before the connection can do anything.
        hub.change(|state| {
            let number = state.connected();
            let task = tokio::spawn(connection(stream, number, hub.clone()));
            state.connections.insert(number, task.abort_handle());
        });
    }
}

async fn connection(stream: TcpStream, number: u64, hub: Arc<Hub>) {
    let mut builder = h2::server::Builder::new();
    builder.initial_window_size(8 << 20).initial_connection_window_size(64 << 20);
    builder.max_concurrent_streams(100_000).max_send_buffer_size(64 << 20);
    if let Ok(mut connection) = builder.handshake::<_, Bytes>(stream).await {
        while let Some(Ok((request, respond))) = connection.accept().await {
            tokio::spawn(call(request, respond, number, hub.clone()));
        }
    }
    hub.change(|state| state.close_connection(number));
}

async fn call(
    mut request: Request<RecvStream>,
    mut respond: SendResponse<Bytes>,
    connection: u64,
    hub: Arc<Hub>,
) {
    let path = request.uri().path().to_owned();
    let method = path.strip_prefix("/TaskHubSidecarService/").unwrap_or(&path).to_owned();
    let Some(mut body) = body(request.body_mut()).await else { return };
    let size = body.len().saturating_sub(5);
    let message = if size > 0 { body.split_off(5) } else { Bytes::new() };
    // A release that follows the sight of the call is meant for it.
    let (number, released) = hub.change(|state| {
        state.calls.push(super::Call {
            method: method.clone(),
            connection,
            message: message.clone(),
            ended: false,
            cancelled: false,
        });
        (state.calls.len() - 1, state.released)
    });
    let checked = {
        let state = hub.lock();
        let token = request.headers().get("dapr-api-token").and_then(|token| token.to_str().ok());
        if state.runtime.api_token.is_some() && token != state.runtime.api_token.as_deref() {
            Err(Status::unauthenticated("Unauthorized"))
        } else if !methods::has(&state, &method) {
            Err(methods::unknown(&state))
        } else if size > state.runtime.max_message {
            let text =
                format!("grpc: received message larger than max ({size} vs. {})", state.runtime.max_message);
            Err(Status::resource_exhausted(text))
        } else {
            Ok(())
        }
    };
    match checked {
        Err(status) => unary(&mut respond, Err(status)),
        Ok(()) if method == "GetWorkItems" => work_items(&hub, respond, connection, message).await,
        Ok(()) => {
            let heard = answer(&hub, &method, message, connection, released, &mut respond).await;
            hub.change(|state| state.calls[number].cancelled = !heard);
        }
    }
    hub.change(|state| state.calls[number].ended = true);
}

/// The whole body; nothing if the caller went away before its end.
async fn body(stream: &mut RecvStream) -> Option<Bytes> {
    let mut whole = BytesMut::new();
    while let Some(data) = stream.data().await {
        let data = data.ok()?;
        let _ = stream.flow_control().release_capacity(data.len());
        whole.extend_from_slice(&data);
    }
    Some(whole.freeze())
}

/// Does a call with the fault that is ready for it. False: the caller gave it up.
async fn answer(
    hub: &Arc<Hub>,
    method: &str,
    message: Bytes,
    connection: u64,
    released: u64,
    respond: &mut SendResponse<Bytes>,
) -> bool {
    let fault = {
        let mut state = hub.lock();
        let at = state.faults.iter().position(|(of, _)| *of == method);
        at.map(|at| state.faults.remove(at).1)
    };
    let Some(Fault { applied, what }) = fault else {
        return match unless_reset(respond, methods::run(hub, method, message)).await {
            Some(result) => {
                unary(respond, result);
                true
            }
            None => false,
        };
    };
    let mut done = Ok(Bytes::new());
    if applied {
        done = methods::run(hub, method, message.clone()).await;
    }
    match what {
        What::Status(code, text) => unary(respond, Err(Status::new(code, text))),
        What::Reset => respond.send_reset(Reason::INTERNAL_ERROR),
        What::Bytes(bytes) => raw(respond, bytes),
        What::Cut => hub.change(|state| state.cut(connection)),
        What::Hold => {
            hub.when(|state| (state.released > released).then_some(())).await;
            if !applied {
                done = methods::run(hub, method, message).await;
            }
            unary(respond, done);
        }
    }
    true
}

/// Waits, unless the caller resets the call.
async fn unless_reset<T>(respond: &mut SendResponse<Bytes>, future: impl Future<Output = T>) -> Option<T> {
    let mut future = pin!(future);
    poll_fn(|context| {
        if let Poll::Ready(value) = future.as_mut().poll(context) {
            return Poll::Ready(Some(value));
        }
        respond.poll_reset(context).map(|_| None)
    })
    .await
}

fn headers() -> Response<()> {
    let mut response = Response::new(());
    response.headers_mut().insert("content-type", HeaderValue::from_static("application/grpc"));
    response
}

fn frame(message: &[u8]) -> Bytes {
    let mut frame = BytesMut::with_capacity(message.len() + 5);
    frame.put_u8(0);
    frame.put_u32(u32::try_from(message.len()).expect("a test's messages are below 4 GiB"));
    frame.extend_from_slice(message);
    frame.freeze()
}

fn trailers(code: Code, text: &str) -> HeaderMap {
    let mut trailers = HeaderMap::new();
    trailers.insert("grpc-status", HeaderValue::from(i32::from(code)));
    let mut message = String::new();
    for byte in text.bytes() {
        match byte {
            b'%' | 0..0x20 | 0x7f.. => message.push_str(&format!("%{byte:02X}")),
            _ => message.push(char::from(byte)),
        }
    }
    trailers.insert("grpc-message", HeaderValue::from_str(&message).expect("it is escaped"));
    trailers
}

/// Answers; a caller that is gone gets nothing.
fn unary(respond: &mut SendResponse<Bytes>, answer: Result<Bytes, Status>) {
    let Ok(mut stream) = respond.send_response(headers(), false) else { return };
    let (code, text) = match answer {
        Ok(message) => {
            let _ = stream.send_data(frame(&message), false);
            (Code::Ok, String::new())
        }
        Err(status) => (status.code(), status.message().to_owned()),
    };
    let _ = stream.send_trailers(trailers(code, &text));
}

/// Answers with an OK and bytes that may be no message.
fn raw(respond: &mut SendResponse<Bytes>, bytes: Vec<u8>) {
    let Ok(mut stream) = respond.send_response(headers(), false) else { return };
    let _ = stream.send_data(bytes.into(), false);
    let _ = stream.send_trailers(trailers(Code::Ok, ""));
}

/// Sends work items until the test or the worker ends the stream.
async fn work_items(hub: &Arc<Hub>, mut respond: SendResponse<Bytes>, connection: u64, message: Bytes) {
    let Ok(request) = wire::GetWorkItemsRequest::decode(message) else { return };
    let Ok(mut stream) = respond.send_response(headers(), false) else { return };
    let (number, mut items) = hub.change(|state| state.open_stream(connection, request.capabilities));
    loop {
        let next = poll_fn(|context| {
            if let Poll::Ready(item) = items.poll_recv(context) {
                return Poll::Ready(item);
            }
            stream.poll_reset(context).map(|_| None)
        });
        match next.await {
            Some(Out::Item(item)) if stream.send_data(frame(&item), false).is_ok() => {}
            Some(Out::End(code, text)) => {
                end(&mut stream, code, &text);
                break;
            }
            _ => break,
        }
    }
    hub.change(|state| state.close_stream(number));
}

fn end(stream: &mut SendStream<Bytes>, code: Code, text: &str) {
    let _ = stream.send_trailers(trailers(code, text));
}
