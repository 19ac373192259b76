//! The client: makes the calls that Java asks for. How their answers are waited for is not said here: see `call.rs`.

use std::sync::Arc;
use std::time::Duration;

use everstep::component::Pending;
use everstep::model::ListRequest;
use everstep::runtime::block_on;
use everstep::worker::Worker;
use everstep::{Client, Error, ErrorKind, Result};

use crate::answer::{Answer, text};
use crate::call::Calls;
use crate::held::{Held, client, worker};
use crate::request::{Options, Request, Tail, read, rerun};
use crate::worker::NativeWorker;

/// How much later than asked a wait ends at the latest.
const GRACE: Duration = Duration::from_secs(1);

/// A client of the core, and its calls.
pub(crate) struct NativeClient {
    pub(crate) client: Client,
    calls: Calls,
}

/// Opens a client: what is held, its endpoint and its warnings, or the error.
#[uniffi::export]
pub fn client_open(options: String) -> String {
    let opened = read::<Options>(&options).and_then(|(options, _)| options.read()).and_then(Client::open);
    text(opened.map(|client| Held::Client(Arc::new(NativeClient { client, calls: Calls::new() })).into()))
}

/// Asks for something: its answer, or a ticket of a call whose answer will be taken under `key`.
#[uniffi::export]
pub fn client_ask(held: u64, key: u64, request: String) -> String {
    let asked = client(held).ok_or_else(|| Error::new(ErrorKind::Closed, "the client is closed")).and_then(
        |client| {
            let (request, tail) = read(&request)?;
            client.ask(key, request, &tail)
        },
    );
    asked.unwrap_or_else(|error| text(Err(error)))
}

/// Waits on the calling thread until calls have ended, and gives up to `max` of them: see `Calls::take`.
#[uniffi::export]
pub fn client_take(held: u64, max: u32) -> Option<String> {
    client(held)?.calls.take(max as usize)
}

/// Gives a call up.
#[uniffi::export]
pub fn client_cancel(held: u64, ticket: u64) {
    if let Some(client) = client(held) {
        client.calls.cancel(ticket);
    }
}

/// Gives up all calls, now and later, and ends every `client_take`.
#[uniffi::export]
pub fn client_end(held: u64) {
    if let Some(client) = client(held) {
        client.calls.close();
    }
}

impl NativeClient {
    /// A call that ends as `timeout` when the client's `call_timeout` has passed.
    fn call<T: Into<Answer> + Send + 'static>(&self, key: u64, pending: Pending<'static, T>) -> String {
        self.calls.submit(key, pending, Some(self.client.call_timeout()))
    }

    /// The same for what reads so much that the caller's carrier thread would be missed meanwhile.
    fn read<T: Into<Answer> + Send + 'static>(&self, key: u64, pending: Pending<'static, T>) -> String {
        self.calls.defer(key, pending, Some(self.client.call_timeout()))
    }

    /// A wait, which may take as long as its caller says. The component ends it, and its error knows of what; this
    /// side only sees to it that a component that is stuck does not keep the caller for ever.
    fn wait<T: Into<Answer> + Send + 'static>(
        &self,
        key: u64,
        timeout_ms: Option<u64>,
        ask: impl FnOnce(&Client, Option<Duration>) -> Pending<'static, T>,
    ) -> String {
        let timeout = timeout_ms.map(Duration::from_millis);
        let latest = timeout.map(|timeout| timeout.saturating_add(GRACE));
        self.calls.submit(key, ask(&self.client, timeout), latest)
    }

    fn ask(&self, key: u64, request: Request, tail: &Tail<'_>) -> Result<String> {
        use Request as R;
        let client = &self.client;
        Ok(match request {
            R::Close {} => {
                let client = client.clone();
                self.calls.block(key, move || {
                    client.close();
                    Ok(())
                })
            }
            R::OpenWorker { component, open } => {
                let client = client.clone();
                self.calls.block(key, move || {
                    let (worker, _) = Worker::open(&client, component.as_deref(), open.get())?;
                    Ok(Held::Worker(Arc::new(NativeWorker::new(worker, None))))
                })
            }
            R::Rehearse { component, instance_id, open } => {
                let client = client.clone();
                self.calls.block(key, move || {
                    let history = client.history(component.as_deref(), &instance_id);
                    let events = block_on(history, Some(client.call_timeout()), &mut || Ok(()))?;
                    let limit = client.options().max_payload_bytes;
                    let (worker, rehearsal) = Worker::rehearse(&instance_id, events, open.get(), limit)?;
                    Ok(Held::Worker(Arc::new(NativeWorker::new(worker, Some(rehearsal)))))
                })
            }
            R::Ready { worker: held, timeout_ms } => {
                let worker =
                    worker(held).ok_or_else(|| Error::new(ErrorKind::Closed, "the worker is closed"))?;
                self.calls.submit(key, worker.worker.ready(timeout_ms.map(Duration::from_millis)), None)
            }
            R::Start(start) => {
                let component = start.component.clone();
                self.call(key, client.start(component.as_deref(), start.read(tail)?))
            }
            R::Rerun { component, instance_id, from_event, new_instance_id, input } => {
                let request = rerun(instance_id, from_event, new_instance_id, tail.payload(input)?);
                self.call(key, client.rerun(component.as_deref(), request))
            }
            R::Get { component, instance_id, payloads } => {
                self.call(key, client.get(component.as_deref(), &instance_id, payloads))
            }
            R::Pause { component, instance_id, reason } => {
                self.call(key, client.pause(component.as_deref(), &instance_id, reason))
            }
            R::Resume { component, instance_id, reason } => {
                self.call(key, client.resume(component.as_deref(), &instance_id, reason))
            }
            R::RaiseEvent { component, instance_id, event_name, data } => self.call(
                key,
                client.raise_event(component.as_deref(), &instance_id, &event_name, tail.payload(data)?),
            ),
            R::Terminate { component, instance_id, output, recursive } => {
                let output = tail.payload(output)?;
                self.call(key, client.terminate(component.as_deref(), &instance_id, output, recursive))
            }
            R::Purge { component, instance_id, recursive } => {
                self.call(key, client.purge(component.as_deref(), &instance_id, recursive))
            }
            R::Bulk(mut bulk) => {
                let action = bulk.action(tail)?;
                self.call(
                    key,
                    client.bulk(bulk.component.as_deref(), action, bulk.filter.read()?, bulk.cursor),
                )
            }
            R::WaitForStart { component, instance_id, timeout_ms, payloads } => {
                self.wait(key, timeout_ms, |client, timeout| {
                    client.wait_for_start(component.as_deref(), &instance_id, timeout, payloads)
                })
            }
            R::WaitForCompletion { component, instance_id, timeout_ms, payloads } => {
                self.wait(key, timeout_ms, |client, timeout| {
                    client.wait_for_completion(component.as_deref(), &instance_id, timeout, payloads)
                })
            }
            R::NextChange { component, instance_id, execution_id, seen, payloads } => {
                let seen = seen.map(|seen| seen.parse()).transpose()?;
                self.wait(key, None, |client, _| {
                    let run = execution_id.as_deref();
                    client.next_change(component.as_deref(), &instance_id, run, seen, payloads)
                })
            }
            R::Result { component, instance_id, execution_id, timeout_ms } => {
                self.wait(key, timeout_ms, |client, timeout| {
                    client.result(component.as_deref(), &instance_id, execution_id.as_deref(), timeout)
                })
            }
            R::List { component, filter, cursor, page_size, payloads } => {
                let request =
                    ListRequest { filter: filter.read()?, cursor, limit: Some(page_size), payloads };
                self.read(key, client.list(component.as_deref(), request))
            }
            R::Count { component, filter } => {
                self.read(key, client.count(component.as_deref(), filter.read()?))
            }
            R::History { component, instance_id, depth } => {
                self.read(key, client.history_tree(component.as_deref(), &instance_id, depth))
            }
        })
    }
}
