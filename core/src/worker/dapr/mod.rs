//! Tasks from a Dapr sidecar: its stream of work items, as the rest of the worker knows tasks from the embedded engine.
//!
//! All workers of a process that serve one sidecar share a [`Hub`](hub::Hub): one stream, and one [`Dispatch`] that gives each task
//! to a worker which has its name. The stream opens with the first worker and closes with the last one.
//!
//! [`Dispatch`]: crate::engine::dispatch::Dispatch

use std::sync::{Arc, Mutex, PoisonError, Weak};

use super::source::{Session, TaskSource};
use crate::component::dapr::Channel;
use crate::engine::{Abilities, Bell};
use crate::error::Result;
use crate::options::RemoteOptions;

mod activities;
mod answers;
mod connection;
mod errands;
mod hub;
mod items;
#[cfg(feature = "testkit")]
pub(crate) mod probe;
mod receive;
mod runs;
mod send;
mod session;
mod stream;
mod suffix;
mod watch;

use hub::Hub;

/// The hubs of this process. A forked child has a list of its own: the parent's streams are not there.
static HUBS: Mutex<Vec<Known>> = Mutex::new(Vec::new());

struct Known {
    process: u32,
    endpoint: String,
    remote: RemoteOptions,
    hub: Weak<Hub>,
}

/// The tasks of one sidecar.
pub(crate) struct DaprSource {
    endpoint: String,
    channel: Channel,
    remote: RemoteOptions,
}

impl DaprSource {
    pub(crate) fn new(endpoint: &str, channel: Channel, remote: RemoteOptions) -> DaprSource {
        DaprSource { endpoint: endpoint.to_owned(), channel, remote }
    }

    fn hub(&self) -> Arc<Hub> {
        let process = std::process::id();
        let mut hubs = HUBS.lock().unwrap_or_else(PoisonError::into_inner);
        hubs.retain(|known| known.process == process && known.hub.strong_count() > 0);
        let same = |known: &&Known| known.endpoint == self.endpoint && known.remote == self.remote;
        let open =
            hubs.iter().filter(same).filter_map(|known| known.hub.upgrade()).find(|hub| !hub.is_closed());
        open.unwrap_or_else(|| {
            let hub = Hub::open(self.endpoint.clone(), self.channel.clone());
            hubs.push(Known {
                process,
                endpoint: self.endpoint.clone(),
                remote: self.remote.clone(),
                hub: Arc::downgrade(&hub),
            });
            hub
        })
    }
}

impl TaskSource for DaprSource {
    fn join(&self, abilities: Arc<Abilities>, bell: Arc<dyn Bell>) -> Result<Arc<dyn Session>> {
        loop {
            // The last worker may leave between the two steps.
            if let Some(session) = session::join(&self.hub(), abilities.clone(), &bell) {
                return Ok(session);
            }
        }
    }
}
