//! One case's store, client and worker.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use everstep::component::Registry;
use everstep::model::Seen;
use everstep::testkit::text::TextHost;
use everstep::testkit::workers::Workers;
use everstep::{Client, ClientOptions, Environment, Result};

use super::case::Fixtures;

/// Where and how a case runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Mode {
    Cached,
    Replayed,
    Restarted,
}

impl Mode {
    pub(crate) const ALL: [Mode; 3] = [Mode::Cached, Mode::Replayed, Mode::Restarted];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Mode::Cached => "cached",
            Mode::Replayed => "replayed",
            Mode::Restarted => "restarted",
        }
    }

    const fn max_cached(self) -> usize {
        match self {
            Mode::Replayed => 0,
            Mode::Cached | Mode::Restarted => 1000,
        }
    }
}

/// Which store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Place {
    Memory,
    Sqlite,
}

impl Place {
    pub(crate) const ALL: [Place; 2] = [Place::Memory, Place::Sqlite];

    pub(crate) const fn scheme(self) -> &'static str {
        match self {
            Place::Memory => "memory:",
            Place::Sqlite => "sqlite:",
        }
    }
}

pub(crate) struct World {
    pub(crate) client: Client,
    /// `{NAME}` in texts, and the execution IDs of kept runs.
    pub(crate) names: BTreeMap<String, String>,
    pub(crate) runs: BTreeMap<String, Option<String>>,
    /// What kept watches have seen.
    pub(crate) watches: BTreeMap<String, Seen>,
    endpoint: String,
    directory: Option<PathBuf>,
    mode: Mode,
    fixtures: Arc<Fixtures>,
    /// The worker of the case, and those that its steps open beside it, in that order.
    workers: Vec<Deployed>,
}

/// A worker and what it has.
struct Deployed {
    name: String,
    fixtures: Vec<String>,
    workers: Option<Workers>,
}

/// The name of the worker that a case begins with.
const MAIN: &str = "main";

impl World {
    pub(crate) fn open(
        place: Place,
        mode: Mode,
        fixtures: Arc<Fixtures>,
        deploy: &[String],
    ) -> Result<World> {
        let id = uuid::Uuid::new_v4().simple().to_string();
        let id = format!("c-{}", &id[..12]);
        let (endpoint, directory) = match place {
            Place::Memory => ("memory:".to_owned(), None),
            Place::Sqlite => {
                let directory = std::env::temp_dir().join(format!("everstep-conformance-{id}"));
                std::fs::create_dir_all(&directory).expect("the temporary directory can be written");
                (format!("sqlite:{}", directory.join("workflows.db").display()), Some(directory))
            }
        };
        let mut world = World {
            client: client(&endpoint)?,
            names: BTreeMap::from([("id".to_owned(), id)]),
            runs: BTreeMap::new(),
            watches: BTreeMap::new(),
            endpoint,
            directory,
            mode,
            fixtures,
            workers: Vec::new(),
        };
        world.deploy(deploy)?;
        Ok(world)
    }

    /// Closes the worker and opens one with these fixtures; none means no worker. Others stay.
    pub(crate) fn deploy(&mut self, fixtures: &[String]) -> Result<()> {
        match self.workers.iter().position(|worker| worker.name == MAIN) {
            None => self.open_worker(MAIN, fixtures),
            Some(at) => {
                self.workers[at].workers = None;
                self.workers[at].fixtures = fixtures.to_vec();
                self.workers[at].workers = self.serve(fixtures)?;
                Ok(())
            }
        }
    }

    /// Opens another worker beside those that are open.
    pub(crate) fn open_worker(&mut self, name: &str, fixtures: &[String]) -> Result<()> {
        let workers = self.serve(fixtures)?;
        self.workers.push(Deployed { name: name.to_owned(), fixtures: fixtures.to_vec(), workers });
        Ok(())
    }

    /// Closes a worker that a step has opened.
    pub(crate) fn close_worker(&mut self, name: &str) -> Result<(), String> {
        let at = self.workers.iter().position(|worker| worker.name == name);
        self.workers.remove(at.ok_or_else(|| format!("no worker {name:?} is open"))?);
        Ok(())
    }

    fn serve(&self, fixtures: &[String]) -> Result<Option<Workers>> {
        if fixtures.is_empty() {
            return Ok(None);
        }
        let programs: Vec<_> = fixtures
            .iter()
            .map(|name| self.fixtures.get(name).unwrap_or_else(|| panic!("fixtures.json has no {name:?}")))
            .collect();
        let host = || TextHost::new(programs.iter().copied());
        Workers::open(&self.client, self.mode.max_cached(), host).map(Some)
    }

    /// Closes everything and opens it again on the same store.
    pub(crate) fn restart(&mut self) -> Result<()> {
        let deployed = std::mem::take(&mut self.workers);
        let names: Vec<(String, Vec<String>)> =
            deployed.into_iter().map(|worker| (worker.name, worker.fixtures)).collect();
        self.watches.clear();
        self.client.close();
        self.client = client(&self.endpoint)?;
        names.into_iter().try_for_each(|(name, fixtures)| self.open_worker(&name, &fixtures))
    }
}

impl Drop for World {
    fn drop(&mut self) {
        self.workers.clear();
        self.client.close();
        if let Some(directory) = &self.directory {
            let _ = std::fs::remove_dir_all(directory);
        }
    }
}

fn client(endpoint: &str) -> Result<Client> {
    Client::open_in(&Environment::new(|_| None, "/"), Registry::default(), ClientOptions::at(endpoint))
}
