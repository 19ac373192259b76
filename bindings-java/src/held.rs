//! What Java holds of the core, by number. A number is given once, so that one that was released is known as such for
//! ever, and a call holds what it works on until it returns.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock, PoisonError, RwLock};

use everstep::history::HistoryTree;

use crate::client::NativeClient;
use crate::worker::NativeWorker;

/// One thing that is held.
#[derive(Clone)]
pub(crate) enum Held {
    Client(Arc<NativeClient>),
    Worker(Arc<NativeWorker>),
    History(Arc<HistoryTree>),
}

static NEXT: AtomicU64 = AtomicU64::new(1);
static ALL: LazyLock<RwLock<HashMap<u64, Held>>> = LazyLock::new(RwLock::default);

/// Holds something, until `release`.
pub(crate) fn hold(thing: Held) -> u64 {
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    ALL.write().unwrap_or_else(PoisonError::into_inner).insert(number, thing);
    number
}

pub(crate) fn release(number: u64) {
    // Dropped after the lock: a worker's end takes its time.
    let gone = ALL.write().unwrap_or_else(PoisonError::into_inner).remove(&number);
    drop(gone);
}

fn get(number: u64) -> Option<Held> {
    ALL.read().unwrap_or_else(PoisonError::into_inner).get(&number).cloned()
}

pub(crate) fn client(number: u64) -> Option<Arc<NativeClient>> {
    match get(number) {
        Some(Held::Client(client)) => Some(client),
        _ => None,
    }
}

pub(crate) fn worker(number: u64) -> Option<Arc<NativeWorker>> {
    match get(number) {
        Some(Held::Worker(worker)) => Some(worker),
        _ => None,
    }
}

pub(crate) fn history(number: u64) -> Option<Arc<HistoryTree>> {
    match get(number) {
        Some(Held::History(history)) => Some(history),
        _ => None,
    }
}
