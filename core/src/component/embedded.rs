//! The workflow API on the engine inside the process.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::{Pending, Workflow};
use crate::engine::request::{Control, Request};
use crate::engine::snapshot::Want;
use crate::engine::store::{Key, Reader, Store, memory::MemoryStore, sqlite};
use crate::engine::{self, BulkSlice, Engine, Time};
use crate::error::{Error, ErrorKind, Result};
use crate::history::Event;
use crate::model::{
    BulkAction, BulkStep, Change, Filter, ListRequest, Micros, Page, Payload, RerunRequest, RuntimeStatus,
    Seen, StartRequest, Started, StatusCounts, WorkflowState,
};
use crate::options::{ClientOptions, Endpoint};
use crate::worker::source::{EmbeddedSource, TaskSource};

/// How many states a page holds at most.
const PAGE: usize = 1_000;

/// An engine in this process, or a read-only look at a file that another process owns.
pub struct Embedded {
    endpoint: String,
    side: Mutex<Side>,
}

#[derive(Clone)]
enum Side {
    Owner(Arc<Engine>),
    /// Another process owns the file; the error says which.
    ReadOnly(Arc<dyn Reader>, Arc<Error>),
    Closed,
}

impl Embedded {
    /// Opens the engine of `memory:`, `test:` or `sqlite:`. If another process owns the file, reading works and everything else
    /// answers `store_locked`.
    ///
    /// # Errors
    /// `invalid_argument` for other endpoints; what opening the store answers.
    pub fn open(endpoint: &Endpoint, options: &ClientOptions) -> Result<Embedded> {
        let text = endpoint.to_string();
        let side = match endpoint {
            Endpoint::Memory(name) => Embedded::open_memory(&text, name.is_some(), Time::Wall, options)?,
            Endpoint::Test(name) => Embedded::open_memory(&text, name.is_some(), Time::Skipping, options)?,
            Endpoint::Sqlite(path) => Embedded::open_file(path, options)?,
            other => return Err(Error::invalid(format!("{other} is not an embedded endpoint"))),
        };
        Ok(Embedded { endpoint: text, side: Mutex::new(side) })
    }

    fn open_memory(text: &str, shared: bool, time: Time, options: &ClientOptions) -> Result<Side> {
        let store = || Box::new(MemoryStore::new());
        let engine = match shared {
            true => Engine::shared(text, options.durability, time, || Ok(store()))?,
            false => Engine::start(text.to_owned(), options.durability, time, store())?,
        };
        Ok(Side::Owner(engine))
    }

    fn open_file(path: &Path, options: &ClientOptions) -> Result<Side> {
        let durability = options.durability;
        let opened = Engine::shared(&file_name(path), durability, Time::Wall, || {
            sqlite::SqliteStore::open(path, durability).map(|store| Box::new(store) as Box<dyn Store>)
        });
        match opened {
            Ok(engine) => Ok(Side::Owner(engine)),
            Err(error) if error.kind() == ErrorKind::StoreLocked => {
                Ok(Side::ReadOnly(sqlite::open_reader(path)?, Arc::new(error)))
            }
            Err(error) => Err(error),
        }
    }

    fn side(&self) -> Side {
        self.side.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn owner(&self) -> Result<Arc<Engine>> {
        match self.side() {
            Side::Owner(engine) => Ok(engine),
            Side::ReadOnly(_, error) => Err(error.duplicate()),
            Side::Closed => Err(Error::new(ErrorKind::Closed, "the client is closed")),
        }
    }

    fn reader(&self) -> Result<Arc<dyn Reader>> {
        match self.side() {
            Side::Owner(engine) => Ok(engine.reader().clone()),
            Side::ReadOnly(reader, _) => Ok(reader),
            Side::Closed => Err(Error::new(ErrorKind::Closed, "the client is closed")),
        }
    }

    /// Says where it was looked for.
    fn explain(&self, error: Error) -> Error {
        if error.kind() != ErrorKind::NotFound {
            return error;
        }
        let explained = Error::new(ErrorKind::NotFound, format!("{} in {}", error.message(), self.endpoint));
        match error.instance_id() {
            Some(id) => explained.of_instance(id),
            None => explained,
        }
    }

    fn control<'a>(&'a self, instance_id: &'a str, control: Control) -> Pending<'a, ()> {
        Box::pin(async move {
            let engine = self.owner()?;
            let id = instance_id.to_owned();
            engine
                .ask(|reply| Request::Control(id, control, reply))
                .await
                .map_err(|error| self.explain(error))
        })
    }

    fn wait<'a>(
        &'a self,
        instance_id: &'a str,
        want: Want,
        timeout: Option<Duration>,
        payloads: bool,
    ) -> Pending<'a, WorkflowState> {
        Box::pin(async move {
            let engine = self.owner()?;
            let snapshot = engine
                .wait(instance_id, want, timeout)
                .await
                .map_err(|error| self.explain(error.of_instance(instance_id)))?;
            let state = snapshot.to_state(payloads);
            if want == Want::Completion && state.status == RuntimeStatus::Stalled {
                let reason = state.reason.unwrap_or_default();
                return Err(Error::new(ErrorKind::WorkflowStalled, reason).of_instance(instance_id));
            }
            Ok(state)
        })
    }
}

impl Workflow for Embedded {
    fn endpoint(&self) -> &str {
        &self.endpoint
    }

    fn start(&self, request: StartRequest) -> Pending<'_, Started> {
        Box::pin(async move {
            let engine = self.owner()?;
            engine.ask(|reply| Request::Start(Box::new(request), reply)).await
        })
    }

    fn get<'a>(&'a self, instance_id: &'a str, payloads: bool) -> Pending<'a, WorkflowState> {
        let state = match self.side() {
            Side::Owner(engine) => engine.state(instance_id, payloads),
            Side::ReadOnly(reader, _) => {
                engine::stored(reader.as_ref(), instance_id).map(|snapshot| snapshot.to_state(payloads))
            }
            Side::Closed => Err(Error::new(ErrorKind::Closed, "the client is closed")),
        };
        Box::pin(std::future::ready(state.map_err(|error| self.explain(error))))
    }

    fn pause<'a>(&'a self, instance_id: &'a str, reason: Option<String>) -> Pending<'a, ()> {
        self.control(instance_id, Control::Pause(reason))
    }

    fn resume<'a>(&'a self, instance_id: &'a str, reason: Option<String>) -> Pending<'a, ()> {
        self.control(instance_id, Control::Resume(reason))
    }

    fn raise_event<'a>(&'a self, instance_id: &'a str, event_name: String, data: Payload) -> Pending<'a, ()> {
        self.control(instance_id, Control::Raise { name: event_name, data })
    }

    fn terminate<'a>(&'a self, instance_id: &'a str, output: Payload, recursive: bool) -> Pending<'a, ()> {
        self.control(instance_id, Control::Terminate { output, recursive })
    }

    fn purge<'a>(&'a self, instance_id: &'a str, recursive: bool) -> Pending<'a, u64> {
        Box::pin(async move {
            let engine = self.owner()?;
            let instance_id = instance_id.to_owned();
            engine
                .ask(|reply| Request::Purge { instance_id, recursive, reply })
                .await
                .map_err(|error| self.explain(error))
        })
    }

    fn bulk(&self, action: BulkAction, filter: Filter, cursor: Option<String>) -> Pending<'_, BulkStep> {
        Box::pin(async move {
            let engine = self.owner()?;
            let [done, at, key] = match &cursor {
                Some(cursor) => parse_cursor(cursor)?,
                None => [0; 3],
            };
            let before = cursor.is_some().then_some((Micros(at), Key(key)));
            let done = done.unsigned_abs();
            let slice = Box::new(BulkSlice { action, filter, before, done });
            let step = engine.ask(|reply| Request::Bulk(slice, reply)).await;
            step.map_err(|error| error.having_done(done))
        })
    }

    fn wait_for_start<'a>(
        &'a self,
        instance_id: &'a str,
        timeout: Option<Duration>,
        payloads: bool,
    ) -> Pending<'a, WorkflowState> {
        self.wait(instance_id, Want::Start, timeout, payloads)
    }

    fn wait_for_completion<'a>(
        &'a self,
        instance_id: &'a str,
        timeout: Option<Duration>,
        payloads: bool,
    ) -> Pending<'a, WorkflowState> {
        self.wait(instance_id, Want::Completion, timeout, payloads)
    }

    fn next_change<'a>(
        &'a self,
        instance_id: &'a str,
        seen: Option<Seen>,
        payloads: bool,
    ) -> Pending<'a, Change> {
        Box::pin(async move {
            let engine = self.owner()?;
            let snapshot = engine
                .wait(instance_id, Want::Change(seen), None)
                .await
                .map_err(|error| self.explain(error.of_instance(instance_id)))?;
            let mut state = snapshot.to_state(payloads);
            engine.explain(&mut state);
            Ok(Change { state, seen: snapshot.seen() })
        })
    }

    fn list(&self, request: ListRequest) -> Pending<'_, Page> {
        let ListRequest { filter, cursor, limit, payloads } = request;
        let page = self.reader().and_then(|reader| {
            let before = cursor.as_deref().map(parse_cursor).transpose()?;
            let before = before.map(|[at, key]| (Micros(at), Key(key)));
            let limit = limit.unwrap_or(PAGE).clamp(1, PAGE);
            let (mut states, next) = engine::page(reader.as_ref(), &filter, before, limit, payloads)?;
            if payloads && let Side::Owner(engine) = self.side() {
                states.iter_mut().for_each(|state| engine.explain(state));
            }
            Ok(Page { states, cursor: next.map(|(at, key)| format!("{}.{}", at.0, key.0)) })
        });
        Box::pin(std::future::ready(page))
    }

    fn count(&self, filter: Filter) -> Pending<'_, StatusCounts> {
        Box::pin(std::future::ready(self.reader().and_then(|reader| reader.count(&filter))))
    }

    fn history<'a>(&'a self, instance_id: &'a str) -> Pending<'a, Vec<Event>> {
        let events = self.reader().and_then(|reader| engine::events(reader.as_ref(), instance_id));
        Box::pin(std::future::ready(events.map_err(|error| self.explain(error))))
    }

    fn rerun(&self, request: RerunRequest) -> Pending<'_, Started> {
        Box::pin(async move {
            let engine = self.owner()?;
            engine
                .ask(|reply| Request::Rerun(Box::new(request), reply))
                .await
                .map_err(|error| self.explain(error))
        })
    }

    fn tasks(&self) -> Result<Arc<dyn TaskSource>> {
        Ok(Arc::new(EmbeddedSource::new(self.owner()?)))
    }

    fn close(&self) {
        let side =
            std::mem::replace(&mut *self.side.lock().unwrap_or_else(PoisonError::into_inner), Side::Closed);
        // The engine ends with its last client or worker.
        drop(side);
    }
}

/// The endpoint of a file without links, so that the clients of a process share its engine whatever they call it. What is
/// not there yet has no links.
fn file_name(path: &Path) -> String {
    let real = path.ancestors().find_map(|there| {
        let rest = path.strip_prefix(there).ok()?;
        Some(there.canonicalize().ok()?.join(rest))
    });
    // Joining nothing would end the name in a slash.
    let real = real.map_or_else(|| path.to_owned(), |real| real.components().collect());
    Endpoint::Sqlite(real).to_string()
}

/// The numbers of a cursor, in the form in which it was given out and no other.
fn parse_cursor<const N: usize>(text: &str) -> Result<[i64; N]> {
    let parse = |part: &str| part.parse().ok().filter(|number: &i64| number.to_string() == part);
    let numbers: Option<Vec<i64>> = text.split('.').map(parse).collect();
    numbers
        .and_then(|numbers| numbers.try_into().ok())
        .ok_or_else(|| Error::invalid("the cursor is not one that this operation gave; begin without one"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Client;
    use crate::runtime::wait_on;

    #[test]
    fn a_cursor_that_nobody_gave_is_refused() {
        let options = ClientOptions { endpoint: Some("memory:".into()), ..ClientOptions::default() };
        let client = Client::open(options).unwrap();
        let list = |cursor: &str| {
            let request = ListRequest { cursor: Some(cursor.into()), ..ListRequest::default() };
            wait_on(client.list(None, request), Some(Duration::from_secs(30))).map(drop)
        };
        let bulk = |cursor: &str| {
            let call = client.bulk(None, BulkAction::Purge, Filter::default(), Some(cursor.into()));
            wait_on(call, Some(Duration::from_secs(30))).map(drop)
        };
        for wrong in ["", "1", "a.b", "1.2.", "1. 2", "+1.2", "01.2", "1.2.3.4", "1.99999999999999999999"] {
            for answer in [list(wrong), bulk(wrong)] {
                assert_eq!(answer.unwrap_err().kind(), ErrorKind::InvalidArgument, "{wrong:?}");
            }
        }
        assert_eq!(list("1.2.3").unwrap_err().kind(), ErrorKind::InvalidArgument, "it is a bulk operation's");
        assert_eq!(bulk("1.2").unwrap_err().kind(), ErrorKind::InvalidArgument, "it is a listing's");
        assert!(list("1.2").is_ok() && bulk("0.1.2").is_ok());
    }
}
