//! What is known of the connection, and who hears of it.

use std::sync::Arc;
use std::time::Duration;

use futures_channel::oneshot;

use super::hub::Hub;
use crate::bridge::{Level, Notice};
use crate::component::Pending;
use crate::component::dapr::{Failed, error_of};
use crate::error::{Error, ErrorKind, Result};
use crate::model::Micros;
use crate::runtime::reactor::within;
use crate::worker::status::{Status, stays};

/// How many notices wait for a worker that polls.
const NOTICES: usize = 256;

/// The state of a hub's connection.
pub(super) struct Connection {
    connected: bool,
    since: Micros,
    error: Option<(ErrorKind, String)>,
    /// Whether it was there before: the first time is no news.
    been: bool,
    waiting: Vec<oneshot::Sender<Result<()>>>,
}

impl Default for Connection {
    fn default() -> Connection {
        Connection { connected: false, since: Micros::now(), error: None, been: false, waiting: Vec::new() }
    }
}

impl Connection {
    /// The stream is about to be opened anew: whoever asks now waits for that.
    pub(super) fn interrupted(&mut self) {
        if std::mem::replace(&mut self.connected, false) {
            self.since = Micros::now();
        }
    }
}

impl Hub {
    /// The stream with this number stands.
    pub(super) fn connected(&self, number: u64) {
        let mut inner = self.lock();
        if !inner.is_live(number) || inner.connection.connected {
            return;
        }
        let connection = &mut inner.connection;
        (connection.connected, connection.since) = (true, Micros::now());
        let again = std::mem::replace(&mut connection.been, true) || connection.error.is_some();
        for waiting in connection.waiting.drain(..) {
            let _ = waiting.send(Ok(()));
        }
        drop(inner);
        if again {
            self.notice(Level::Info, format!("connected to {}", self.endpoint));
        }
    }

    /// The connection is lost, or could not be made. What is known already is not said again.
    pub(super) fn disconnected(&self, failed: Option<&Failed>) {
        let mut inner = self.lock();
        let connection = &mut inner.connection;
        let was = connection.connected;
        connection.interrupted();
        let Some(failed) = failed else { return };
        let error = self.describe(failed);
        let news = (error.kind(), error.message().to_owned());
        let known = !was && connection.error.as_ref() == Some(&news);
        connection.error = Some(news);
        if stays(error.kind()) {
            for waiting in connection.waiting.drain(..) {
                let _ = waiting.send(Err(error.duplicate()));
            }
        }
        drop(inner);
        if !known {
            let level = if stays(error.kind()) { Level::Error } else { Level::Warning };
            let what = if was { "the connection is lost" } else { "no connection" };
            self.notice(level, format!("{what}: {}; trying again", error.message()));
        }
    }

    fn describe(&self, failed: &Failed) -> Error {
        let error = error_of(failed, &self.endpoint);
        match failed {
            Failed::Status(_) if error.kind() == ErrorKind::Unavailable && failed.is_outage() => {
                Error::new(ErrorKind::Unavailable, format!("the connection to {} broke", self.endpoint))
            }
            _ => error,
        }
    }

    pub(super) fn status(&self) -> Status {
        let connection = &self.lock().connection;
        Status {
            connected: connection.connected,
            since: connection.since,
            last_error: connection.error.clone(),
        }
    }

    /// Waits until the stream stands.
    pub(super) fn ready(self: &Arc<Hub>, timeout: Option<Duration>) -> Pending<'static, ()> {
        let mut inner = self.lock();
        if inner.connection.connected {
            return Box::pin(std::future::ready(Ok(())));
        }
        let (sender, receiver) = oneshot::channel();
        inner.connection.waiting.retain(|waiting| !waiting.is_canceled());
        inner.connection.waiting.push(sender);
        drop(inner);
        let hub = self.clone();
        let reactor = self.channel.reactor().clone();
        Box::pin(within(&reactor, async move {
            let closed = || Error::new(ErrorKind::Closed, "the worker is closed");
            let answer = match timeout {
                Some(timeout) => tokio::time::timeout(timeout, receiver).await,
                None => Ok(receiver.await),
            };
            match answer {
                Ok(answer) => answer.unwrap_or_else(|_| Err(closed())),
                Err(_) => Err(hub.status().timeout()),
            }
        }))
    }

    /// Says something to those who run a worker of this process.
    pub(super) fn notice(&self, level: Level, text: String) {
        let mut notices = self.notices.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if notices.len() < NOTICES {
            notices.push(Notice { level, text });
        }
        drop(notices);
        self.dispatch.ring_all();
    }

    pub(super) fn take_notices(&self) -> Vec<Notice> {
        std::mem::take(&mut *self.notices.lock().unwrap_or_else(std::sync::PoisonError::into_inner))
    }
}
