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
    deployed: Vec<String>,
    fixtures: Arc<Fixtures>,
    workers: Option<Workers>,
}

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
            deployed: Vec::new(),
            fixtures,
            workers: None,
        };
        world.deploy(deploy)?;
        Ok(world)
    }

    /// Closes the worker and opens one with these fixtures; none means no worker.
    pub(crate) fn deploy(&mut self, fixtures: &[String]) -> Result<()> {
        self.workers = None;
        self.deployed = fixtures.to_vec();
        if !self.deployed.is_empty() {
            let programs = self.deployed.iter().map(|name| {
                self.fixtures.get(name).unwrap_or_else(|| panic!("fixtures.json has no {name:?}"))
            });
            let programs: Vec<_> = programs.collect();
            let host = || TextHost::new(programs.iter().copied());
            self.workers = Some(Workers::open(&self.client, self.mode.max_cached(), host)?);
        }
        Ok(())
    }

    /// Closes everything and opens it again on the same store.
    pub(crate) fn restart(&mut self) -> Result<()> {
        self.workers = None;
        self.watches.clear();
        self.client.close();
        self.client = client(&self.endpoint)?;
        self.deploy(&self.deployed.clone())
    }
}

impl Drop for World {
    fn drop(&mut self) {
        self.workers = None;
        self.client.close();
        if let Some(directory) = &self.directory {
            let _ = std::fs::remove_dir_all(directory);
        }
    }
}

fn client(endpoint: &str) -> Result<Client> {
    Client::open_in(&Environment::new(|_| None, "/"), Registry::default(), ClientOptions::at(endpoint))
}
