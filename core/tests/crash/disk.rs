//! An engine on a disk in memory that breaks when it is told to.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use everstep::engine::store::sqlite::{SqliteOptions, SqliteStore};
use everstep::engine::store::{Durability, Store};
use everstep::engine::{Engine, Time};
use everstep::testkit::disk::Disk;
use everstep::testkit::vfs::Mount;
use everstep::{Client, Result};

use crate::orders;
use crate::verify::{self, Found};

/// The engine on a disk and a client of it.
pub(crate) struct Machine {
    pub(crate) client: Client,
    _engine: Arc<Engine>,
    _mount: Mount,
}

impl Machine {
    /// Starts an engine on what the disk holds.
    pub(crate) fn start(disk: &Arc<Disk>) -> Result<Machine> {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        // Clients share the engine of a name, whatever store it was opened with.
        let endpoint = format!("memory:disk-{}", NEXT.fetch_add(1, Ordering::Relaxed));
        let mount = Mount::new(disk);
        let engine = Engine::shared(&endpoint, Durability::Full, Time::Wall, || {
            open(&mount).map(|store| Box::new(store) as Box<dyn Store>)
        })?;
        let client = orders::open(&endpoint)?;
        Ok(Machine { client, _mount: mount, _engine: engine })
    }
}

fn open(mount: &Mount) -> Result<SqliteStore> {
    let vfs = Some(mount.name().to_owned());
    SqliteStore::open_with("workflows.db", &SqliteOptions { durability: Durability::Full, vfs })
}

/// What the disk holds for one who comes later; no engine may use it now.
pub(crate) fn read(disk: &Arc<Disk>) -> std::result::Result<Found, String> {
    let mount = Mount::new(disk);
    let store = open(&mount).map_err(|error| error.to_string())?;
    verify::read(store.reader().as_ref())
}
