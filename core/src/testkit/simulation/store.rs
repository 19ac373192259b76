//! A store whose process can die around a commit, and whose disk can be full.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use crate::engine::store::memory::MemoryStore;
use crate::engine::store::{Facts, InstanceRow, Key, Loaded, Op, Position, Reader, Store, TimerRow};
use crate::error::{Error, ErrorKind, Result};
use crate::model::Filter;

/// What the next commit meets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// The process dies before anything is durable.
    Before,
    /// The process dies when all is durable and nobody has been told.
    After,
    /// The disk is full.
    Full,
}

/// The disk: it survives its process.
#[derive(Clone, Default)]
pub(super) struct Disk {
    store: Arc<Mutex<MemoryStore>>,
    fault: Arc<Mutex<Option<Fault>>>,
    pub(super) commits: Arc<AtomicU64>,
}

impl Disk {
    pub(super) fn arm(&self, fault: Option<Fault>) {
        *self.fault.lock().unwrap_or_else(PoisonError::into_inner) = fault;
    }

    fn with<T>(&self, f: impl FnOnce(&mut MemoryStore) -> T) -> T {
        f(&mut self.store.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// A store on this disk, as a new process opens it.
    pub(super) fn open(&self) -> Box<dyn Store> {
        Box::new(Faulty(self.clone()))
    }

    pub(super) fn reader(&self) -> Arc<dyn Reader> {
        self.with(|store| store.reader())
    }
}

struct Faulty(Disk);

impl Store for Faulty {
    fn facts(&mut self) -> Result<Facts> {
        self.0.with(Store::facts)
    }

    fn commit(&mut self, ops: &[Op]) -> Result<()> {
        let fault = self.0.fault.lock().unwrap_or_else(PoisonError::into_inner).take();
        let died = || Error::new(ErrorKind::Unavailable, "the process died");
        match fault {
            Some(Fault::Before) => return Err(died()),
            Some(Fault::Full) => return Err(Error::new(ErrorKind::ResourceExhausted, "the disk is full")),
            Some(Fault::After) | None => {}
        }
        self.0.commits.fetch_add(1, Ordering::Relaxed);
        self.0.with(|store| store.commit(ops))?;
        if fault == Some(Fault::After) { Err(died()) } else { Ok(()) }
    }

    fn find(&mut self, id: &str) -> Result<Option<InstanceRow>> {
        self.0.with(|store| Store::find(store, id))
    }

    fn load(&mut self, key: Key) -> Result<Option<Loaded>> {
        self.0.with(|store| Store::load(store, key))
    }

    fn list(&mut self, filter: &Filter, before: Option<Position>, limit: usize) -> Result<Vec<InstanceRow>> {
        self.0.with(|store| Store::list(store, filter, before, limit))
    }

    fn with_work(&mut self, after: Key, limit: usize) -> Result<Vec<Key>> {
        self.0.with(|store| store.with_work(after, limit))
    }

    fn timers(&mut self, after: Option<TimerRow>, limit: usize) -> Result<Vec<TimerRow>> {
        self.0.with(|store| store.timers(after, limit))
    }

    fn reader(&self) -> Arc<dyn Reader> {
        self.0.reader()
    }

    fn commits(&self) -> u64 {
        self.0.commits.load(Ordering::Relaxed)
    }
}
