//! The embedded durable engine: machine (sans-IO), driver (the one thread), store.
//!
//! An [`Engine`] is shared by all clients and workers of a process that name the same file, and closes with the last of
//! them.

use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use futures_channel::oneshot;

use crate::error::{Error, ErrorKind, Result};
use crate::history::{Event, record};
use crate::model::{Filter, WorkflowState};
use clock::Clock;
pub use clock::Time;

mod clock;
pub(crate) mod dispatch;
mod driver;
pub mod machine;
pub(crate) mod request;
pub(crate) mod snapshot;
pub mod store;
pub mod task;
mod timers;

use dispatch::Dispatch;
pub use dispatch::{Abilities, ActivityWork, Bell, WorkflowWork};
pub(crate) use driver::Driver;
pub(crate) use driver::bulk::BulkSlice;
use machine::Machine;
use request::{Inbox, Reply, Request};
use snapshot::{Hub, Snapshot, Want};
use store::{Durability, InstanceRow, Key, Loaded, Position, Reader, Store};
#[cfg(any(test, feature = "testkit"))]
pub(crate) use {dispatch::VERSION_GRACE, driver::give_up};

/// After how much quiet the store does what waited for it.
const QUIET: Duration = Duration::from_secs(1);

/// How long a round of a busy engine waits for those who are about to ask: a flush shared is a flush saved.
const LINGER: Duration = Duration::from_micros(200);

/// An engine: its thread, and what other threads share with it.
pub struct Engine {
    endpoint: String,
    durability: Durability,
    time: Time,
    shared: Arc<Shared>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

/// What the engine's thread shares with callers and workers.
pub(crate) struct Shared {
    pub(crate) inbox: Inbox,
    pub(crate) hub: Arc<Hub>,
    pub(crate) dispatch: Arc<Dispatch>,
    pub(crate) reader: Arc<dyn Reader>,
}

impl Shared {
    /// What is shared over a store, and the driver of the store.
    pub(crate) fn over(store: Box<dyn Store>, seed: Option<u64>) -> Result<(Arc<Shared>, Driver)> {
        let (hub, dispatch) = (Arc::new(Hub::default()), Arc::new(Dispatch::default()));
        let reader = store.reader();
        let driver = Driver::open(store, dispatch.clone(), hub.clone(), seed)?;
        Ok((Arc::new(Shared { inbox: Inbox::default(), hub, dispatch, reader }), driver))
    }
}

/// The engines of this process by endpoint.
static ENGINES: Mutex<Option<HashMap<String, Weak<Engine>>>> = Mutex::new(None);

impl Engine {
    /// The engine of this endpoint: the one that is open in this process, or a new one on the store that `open` gives.
    ///
    /// # Errors
    /// `failed_precondition` if it is open with another durability; what `open` answers.
    pub fn shared(
        endpoint: &str,
        durability: Durability,
        time: Time,
        open: impl FnOnce() -> Result<Box<dyn Store>>,
    ) -> Result<Arc<Engine>> {
        let mut engines = ENGINES.lock().unwrap_or_else(PoisonError::into_inner);
        let engines = engines.get_or_insert_with(HashMap::new);
        engines.retain(|_, engine| engine.strong_count() > 0);
        if let Some(engine) = engines.get(endpoint).and_then(Weak::upgrade) {
            if engine.durability != durability {
                return Err(Error::new(
                    ErrorKind::FailedPrecondition,
                    format!(
                        "{endpoint} is open in this process with durability {:?}; use the same for all its clients",
                        engine.durability
                    ),
                ));
            }
            return Ok(engine);
        }
        let engine = Engine::start(endpoint.to_owned(), durability, time, open()?)?;
        engines.insert(endpoint.to_owned(), Arc::downgrade(&engine));
        Ok(engine)
    }

    /// A new engine on a store of its own.
    ///
    /// # Errors
    /// What the store answers; `resource_exhausted` if no thread can be had.
    pub fn start(
        endpoint: String,
        durability: Durability,
        time: Time,
        store: Box<dyn Store>,
    ) -> Result<Arc<Engine>> {
        let (shared, driver) = Shared::over(store, None)?;
        let thread = {
            let shared = shared.clone();
            std::thread::Builder::new()
                .name("everstep-engine".to_owned())
                .spawn(move || serve(driver, &shared, time))
                .map_err(|error| {
                    Error::new(ErrorKind::ResourceExhausted, "no thread for the engine").with_source(error)
                })?
        };
        Ok(Arc::new(Engine { endpoint, durability, time, shared, thread: Mutex::new(Some(thread)) }))
    }

    /// The endpoint that it serves.
    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    pub(crate) fn shared_parts(&self) -> &Arc<Shared> {
        &self.shared
    }

    pub(crate) fn reader(&self) -> &Arc<dyn Reader> {
        &self.shared.reader
    }

    /// Asks the engine's thread for something and waits for the answer, which comes after the flush.
    pub(crate) async fn ask<T>(&self, request: impl FnOnce(Reply<T>) -> Request) -> Result<T> {
        let (reply, answer) = oneshot::channel();
        if self.shared.inbox.push(request(reply)).is_err() {
            return Err(closed());
        }
        answer.await.unwrap_or_else(|_| Err(closed()))
    }

    /// The state of an instance as of the last flush.
    pub(crate) fn state(&self, instance_id: &str, payloads: bool) -> Result<WorkflowState> {
        let mut state = match self.shared.hub.get(instance_id) {
            Some(snapshot) => snapshot.to_state(payloads),
            None => stored(self.shared.reader.as_ref(), instance_id)?.to_state(payloads),
        };
        self.explain(&mut state);
        Ok(state)
    }

    /// Says why an instance does not begin.
    pub(crate) fn explain(&self, state: &mut WorkflowState) {
        if state.reason.is_none() && state.status == crate::model::RuntimeStatus::Pending {
            state.reason = self.shared.dispatch.why_pending(&state.name, state.version.as_deref());
        }
    }

    /// Waits for an instance.
    pub(crate) async fn wait(
        &self,
        instance_id: &str,
        want: Want,
        timeout: Option<Duration>,
    ) -> Result<Arc<Snapshot>> {
        let wait = self.shared.hub.wait(instance_id, want, timeout);
        if !wait.is_over() {
            // Begun before this look, so that nothing falls between the two.
            if self.shared.hub.get(instance_id).is_none() {
                wait.offer(stored(self.shared.reader.as_ref(), instance_id));
            }
            if timeout.is_some() || self.time == Time::Skipping {
                drop(self.shared.inbox.push(Request::Look));
            }
        }
        wait.await
    }

    /// Ends the engine: what waits is written, then its thread stops. Later calls are `closed`.
    pub fn close(&self) {
        drop(self.shared.inbox.push(Request::Close));
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(thread) = thread
            && thread.thread().id() != std::thread::current().id()
        {
            // A panic of the thread was answered to its callers already.
            drop(thread.join());
        }
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        self.close();
    }
}

/// The state of an instance that is not in the engine's memory.
pub(crate) fn stored(reader: &dyn Reader, instance_id: &str) -> Result<Snapshot> {
    let missing = || Error::new(ErrorKind::NotFound, "no such workflow instance").of_instance(instance_id);
    told(reader, reader.ends(instance_id)?.ok_or_else(missing)?)
}

/// What the ends of an instance tell of it.
fn told(reader: &dyn Reader, ends: Loaded) -> Result<Snapshot> {
    let (key, id) = (ends.row.key, ends.row.id.clone());
    let snapshot = Machine::load(ends)?.snapshot();
    if snapshot.input.is_none() && snapshot.started_at.is_none() {
        // An instance that was paused before its first turn has its start behind the first record.
        let whole = reader.load(&id)?.filter(|whole| whole.row.key == key);
        return whole.map_or(Ok(snapshot), |whole| Ok(Machine::load(whole)?.snapshot()));
    }
    Ok(snapshot)
}

/// The events of an instance's present generation.
pub(crate) fn events(reader: &dyn Reader, instance_id: &str) -> Result<Vec<Event>> {
    let row = reader.find(instance_id)?.ok_or_else(|| {
        Error::new(ErrorKind::NotFound, "no such workflow instance").of_instance(instance_id)
    })?;
    events_before(reader, row.key, u32::MAX)
}

/// The events of the turns before `turn`.
pub(crate) fn events_before(reader: &dyn Reader, key: Key, turn: u32) -> Result<Vec<Event>> {
    let mut events = Vec::new();
    for (number, data) in reader.turns(key)? {
        if number < turn {
            events.extend(record::unframe(&data)?);
        }
    }
    Ok(events)
}

/// What the records of a page of states with payloads may take together, in bytes.
const PAGE_BYTES: usize = 8 << 20;

/// A page of states and where the next one begins. The filter decides on one state of the store.
pub(crate) fn page(
    reader: &dyn Reader,
    filter: &Filter,
    before: Option<Position>,
    limit: usize,
    payloads: bool,
) -> Result<(Vec<WorkflowState>, Option<Position>)> {
    if !payloads {
        let rows = reader.list(filter, before, limit)?;
        let next = rows.last().filter(|_| rows.len() == limit).map(InstanceRow::position);
        return Ok((rows.into_iter().map(Machine::bare_state).collect(), next));
    }
    let found = reader.list_ends(filter, before, limit, PAGE_BYTES)?;
    let size: usize = found.iter().map(Loaded::size).sum();
    let more = found.len() == limit || size > PAGE_BYTES;
    let next = found.last().filter(|_| more).map(|last| last.row.position());
    let state = |loaded| Ok(told(reader, loaded)?.to_state(true));
    Ok((found.into_iter().map(state).collect::<Result<_>>()?, next))
}

fn closed() -> Error {
    Error::new(ErrorKind::Closed, "the engine is closed")
}

/// The life of the engine's thread.
fn serve(mut driver: Driver, shared: &Shared, time: Time) {
    let outcome = catch_unwind(AssertUnwindSafe(|| rounds(&mut driver, shared, time)));
    let error = match outcome {
        Ok(()) => closed(),
        Err(_) => Error::internal("the engine's thread ended by a panic; open the client again"),
    };
    for request in shared.inbox.close() {
        driver::refuse(request, &error);
    }
    shared.hub.close(&error);
}

fn rounds(driver: &mut Driver, shared: &Shared, time: Time) {
    let Shared { inbox, hub, dispatch, .. } = shared;
    // When the quiet is long enough for what waits for it; absent while there is nothing to be done.
    let mut quiet = Some(Instant::now() + QUIET);
    // Whether the last round served several: only then is it worth waiting for company.
    let mut busy = false;
    let mut clock = Clock::after(driver.now());
    loop {
        let now = Instant::now();
        let waits = hub.expire(now);
        if time == Time::Skipping
            && inbox.is_empty()
            && hub.is_waited_for()
            && let Some(next) = driver.next_without_work()
        {
            clock.skip(next);
        }
        let overdue = dispatch.next_overdue();
        let due = [driver.next_round(now, clock.now()), waits, overdue, quiet].into_iter().flatten().min();
        inbox.wait(due);
        if busy {
            inbox.linger(dispatch.out(), Instant::now() + LINGER);
        }
        let mut requests = inbox.take();
        // After the inbox: a worker whose coming is told there is known to the dispatch, so that nothing stalls for want
        // of what it has.
        driver::give_up(dispatch.overdue(Instant::now()), &mut requests);
        busy = requests.len() > 1;
        if requests.is_empty() && quiet.is_some_and(|at| at <= Instant::now()) {
            driver.idle();
            quiet = None;
        }
        let last = requests.iter().any(|request| matches!(request, Request::Close));
        if driver.run(requests, clock.now()) {
            quiet = Some(Instant::now() + QUIET);
        }
        if last {
            return;
        }
    }
}
