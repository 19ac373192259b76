//! Commits that are refused in the middle of work that goes on in slices.

use std::sync::atomic::{AtomicI64, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use everstep::bridge::{Stall, StallCode};
use everstep::engine::store::memory::MemoryStore;
use everstep::engine::store::{
    Durability, Facts, InstanceRow, Key, Loaded, Op, Position, Reader, Store, TimerRow,
};
use everstep::engine::{Engine, Time};
use everstep::model::{BulkAction, Filter, Micros, RuntimeStatus, StartRequest};
use everstep::runtime::wait_on;
use everstep::testkit::ChildOptions;
use everstep::testkit::host::{End, Fault, Host};
use everstep::testkit::text::TextHost;
use everstep::testkit::workers::Workers;
use everstep::{Client, Error, ErrorKind, Result};

use crate::PATIENCE;
use crate::orders;

/// More than two slices of anything.
const MANY: usize = 450;

/// A store in memory that refuses commits when it is told to.
#[derive(Clone, Default)]
struct Refusing {
    store: Arc<Mutex<MemoryStore>>,
    /// How many more commits are taken before refusals, and how many refusals there are then.
    taken: Arc<AtomicI64>,
    refusals: Arc<AtomicI64>,
}

impl Refusing {
    fn refuse(&self, after: i64, count: i64) {
        self.taken.store(after, Ordering::SeqCst);
        self.refusals.store(count, Ordering::SeqCst);
    }

    fn is_through(&self) -> bool {
        self.refusals.load(Ordering::SeqCst) <= 0
    }

    fn store(&self) -> MutexGuard<'_, MemoryStore> {
        self.store.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A client of an engine on it.
    fn client(&self) -> (Arc<Engine>, Client) {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let endpoint = format!("memory:refusing-{}", NEXT.fetch_add(1, Ordering::Relaxed));
        let engine = Engine::shared(&endpoint, Durability::Full, Time::Wall, || Ok(Box::new(self.clone())));
        (engine.unwrap(), orders::open(&endpoint).unwrap())
    }
}

impl Store for Refusing {
    fn commit(&mut self, ops: &[Op]) -> Result<()> {
        if self.refusals.load(Ordering::SeqCst) > 0 && self.taken.fetch_sub(1, Ordering::SeqCst) <= 0 {
            self.refusals.fetch_sub(1, Ordering::SeqCst);
            return Err(Error::new(ErrorKind::ResourceExhausted, "the disk is full"));
        }
        self.store().commit(ops)
    }

    fn facts(&mut self) -> Result<Facts> {
        self.store().facts()
    }

    fn find(&mut self, id: &str) -> Result<Option<InstanceRow>> {
        Store::find(&mut *self.store(), id)
    }

    fn load(&mut self, key: Key) -> Result<Option<Loaded>> {
        Store::load(&mut *self.store(), key)
    }

    fn list(&mut self, filter: &Filter, before: Option<Position>, limit: usize) -> Result<Vec<InstanceRow>> {
        Store::list(&mut *self.store(), filter, before, limit)
    }

    fn with_work(&mut self, after: Key, limit: usize) -> Result<Vec<Key>> {
        self.store().with_work(after, limit)
    }

    fn timers(&mut self, after: Option<TimerRow>, limit: usize) -> Result<Vec<TimerRow>> {
        self.store().timers(after, limit)
    }

    fn reader(&self) -> Arc<dyn Reader> {
        self.store().reader()
    }

    fn commits(&self) -> u64 {
        self.store().commits()
    }
}

/// `brood` has as many children as its input says, and waits for them; `child` waits for an event; `quick` ends at once;
/// `stalls` stalls unless it is mended.
fn host(mended: bool) -> TextHost {
    let mut host = Host::new();
    host.workflow("brood", |ctx, input| async move {
        let count: usize = input.as_deref().and_then(|text| text.parse().ok()).unwrap_or_default();
        let id = |number| ChildOptions { id: Some(format!("child-{number}")), ..ChildOptions::default() };
        let children: Vec<_> = (0..count).map(|number| ctx.child_with("child", None, id(number))).collect();
        ctx.all(&children).await?;
        Ok(End::Return(None))
    });
    host.workflow("child", |ctx, _| async move { Ok(End::Return(ctx.event("go", None).await?)) });
    host.workflow("quick", |_, _| async move { Ok(End::Return(Some("1".to_owned()))) });
    host.workflow("stalls", move |_, _| async move {
        match mended {
            true => Ok(End::Return(Some("1".to_owned()))),
            false => Err(Fault::Stalled(Stall::new(StallCode::NonDurable, "not yet mended"))),
        }
    });
    TextHost::over(host)
}

fn workers(client: &Client, mended: bool) -> Workers {
    Workers::open(client, 1000, || host(mended)).unwrap()
}

fn count(store: &Refusing, name: &str, status: RuntimeStatus) -> usize {
    let filter = Filter { name: Some(name.to_owned()), statuses: vec![status], ..Filter::default() };
    let reader = store.store().reader();
    reader.list(&filter, None, 10_000).unwrap().len()
}

fn until(what: &str, holds: impl Fn() -> bool) {
    let limit = Instant::now() + PATIENCE;
    while !holds() {
        assert!(Instant::now() < limit, "waited in vain: {what}");
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// Takes all slices; the error is the one of the slice that was refused.
fn bulk(client: &Client, action: &BulkAction, name: &str) -> Result<u64> {
    let mut cursor = None;
    loop {
        let filter = Filter { name: Some(name.to_owned()), ..Filter::default() };
        let step = wait_on(client.bulk(None, action.clone(), filter, cursor), Some(PATIENCE))?;
        cursor = step.cursor;
        if cursor.is_none() {
            return Ok(step.done);
        }
    }
}

#[test]
fn a_bulk_operation_counts_what_it_has_done() {
    let purged = (BulkAction::Purge, RuntimeStatus::Completed);
    let ended = (BulkAction::Terminate { output: None, recursive: true }, RuntimeStatus::Terminated);
    for (after, (action, status)) in (0..3).flat_map(|after| [(after, &purged), (after, &ended)]) {
        let store = Refusing::default();
        let (_engine, client) = store.client();
        let _running = workers(&client, true);
        let purges = *action == BulkAction::Purge;
        let name = if purges { "quick" } else { "child" };
        for number in 0..MANY {
            orders::start(&client, name, &format!("{name}-{number}"), None).unwrap();
        }
        let begun = if purges { *status } else { RuntimeStatus::Running };
        until("all are there", || count(&store, name, begun) == MANY);
        store.refuse(after, 1);
        let error = bulk(&client, action, name).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ResourceExhausted, "{error}");
        let done = usize::try_from(error.done().unwrap()).unwrap();
        assert_eq!(done > 0, after > 0, "{error}");
        assert_eq!(count(&store, name, begun), MANY - done, "what was refused is as it was");
        let rest = bulk(&client, action, name).unwrap();
        assert_eq!(usize::try_from(rest).unwrap(), MANY - done);
        assert_eq!(count(&store, name, *status), if purges { 0 } else { MANY });
    }
}

#[test]
fn a_termination_that_was_refused_ends_no_child_and_one_that_was_accepted_ends_all() {
    for after in 0..3 {
        let store = Refusing::default();
        let (_engine, client) = store.client();
        let _workers = workers(&client, true);
        orders::start(&client, "brood", "brood", Some(MANY.to_string())).unwrap();
        until("all children run", || count(&store, "child", RuntimeStatus::Running) == MANY);
        store.refuse(after, 1);
        let terminate = || wait_on(client.terminate(None, "brood", None, true), Some(PATIENCE));
        if let Err(error) = terminate() {
            assert_eq!((error.kind(), after), (ErrorKind::ResourceExhausted, 0), "{error}");
            // Rounds in which a slice could go on.
            for number in 0..5 {
                orders::start(&client, "quick", &format!("quick-{number}"), None).unwrap();
            }
            assert_eq!(count(&store, "child", RuntimeStatus::Running), MANY);
            terminate().unwrap();
        }
        until("all children end", || count(&store, "child", RuntimeStatus::Terminated) == MANY);
        until("nothing is left to do", || store.store().with_work(Key(i64::MIN), 10).unwrap().is_empty());
        assert!(store.is_through(), "commit {after} was never reached");
    }
}

#[test]
fn a_delayed_start_that_was_refused_when_it_was_due_begins_once_and_leaves_no_timer() {
    let store = Refusing::default();
    let (_engine, client) = store.client();
    let _workers = workers(&client, true);
    let start_at = Some(Micros::now().plus(Duration::from_secs(1)));
    for number in 0..5 {
        let (name, instance_id) = ("quick".to_owned(), Some(format!("quick-{number}")));
        let request = StartRequest { name, instance_id, start_at, ..StartRequest::default() };
        wait_on(client.start(None, request), Some(PATIENCE)).unwrap();
    }
    store.refuse(0, 3);
    for number in 0..5 {
        assert_eq!(orders::result(&client, &format!("quick-{number}")).unwrap().as_deref(), Some("1"));
    }
    assert!(store.is_through());
    until("no timer is left", || store.store().timers(None, 10).unwrap().is_empty());
}

#[test]
fn a_stalled_workflow_whose_turn_was_refused_is_tried_again() {
    let store = Refusing::default();
    let (_engine, client) = store.client();
    let broken = workers(&client, false);
    orders::start(&client, "stalls", "stalls-0", None).unwrap();
    assert_eq!(orders::result(&client, "stalls-0").unwrap_err().kind(), ErrorKind::WorkflowStalled);
    drop(broken);
    store.refuse(0, 2);
    let _mended = workers(&client, true);
    until("it has ended", || count(&store, "stalls", RuntimeStatus::Completed) == 1);
    assert!(store.is_through());
}
