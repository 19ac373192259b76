//! One case's store, client and worker.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use everstep::component::Registry;
use everstep::model::Seen;
use everstep::testkit::text::TextHost;
use everstep::testkit::workers::Workers;
use everstep::{Client, ClientOptions, Environment, Result};

use super::case::Fixtures;
use super::place::{Mode, Place, Sidecar};

pub(crate) struct World {
    pub(crate) client: Client,
    /// That of the workers, which need gRPC.
    worker_client: Client,
    /// `{NAME}` in texts, and the execution IDs of kept runs.
    pub(crate) names: BTreeMap<String, String>,
    pub(crate) runs: BTreeMap<String, Option<String>>,
    /// What kept watches have seen.
    pub(crate) watches: BTreeMap<String, Seen>,
    pub(crate) place: Place,
    /// How long a step waits for what should come.
    pub(crate) patience: Duration,
    endpoint: String,
    sidecar: Option<Sidecar>,
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
        sidecar: Option<&Sidecar>,
        mode: Mode,
        patience: Duration,
        fixtures: Arc<Fixtures>,
        deploy: &[String],
    ) -> Result<World> {
        let id = uuid::Uuid::new_v4().simple().to_string();
        let id = format!("c-{}", &id[..12]);
        let mut directory = None;
        let endpoint = match (place, sidecar) {
            (Place::Memory, _) => "memory:".to_owned(),
            (Place::Sqlite, _) => {
                let made = std::env::temp_dir().join(format!("everstep-conformance-{id}"));
                std::fs::create_dir_all(&made).expect("the temporary directory can be written");
                format!("sqlite:{}", directory.insert(made).join("workflows.db").display())
            }
            (Place::DaprGrpc, Some(sidecar)) => sidecar.grpc(),
            (Place::DaprHttp, Some(sidecar)) => sidecar.http(),
            (Place::DaprGrpc | Place::DaprHttp, None) => panic!("a case on Dapr has a sidecar"),
        };
        let (client, worker_client) = clients(&endpoint, sidecar, patience)?;
        let mut world = World {
            client,
            worker_client,
            names: BTreeMap::from([("id".to_owned(), id)]),
            runs: BTreeMap::new(),
            watches: BTreeMap::new(),
            place,
            patience,
            endpoint,
            sidecar: sidecar.cloned(),
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

    /// The client that sees lists and histories, which Dapr's HTTP API does not have.
    pub(crate) fn reader(&self) -> &Client {
        if self.place == Place::DaprHttp { &self.worker_client } else { &self.client }
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
        let workers = Workers::open(&self.worker_client, self.mode.max_cached(), host)?;
        // For a moment after a worker has gone Dapr refuses what it has written half.
        workers.ready(self.patience)?;
        Ok(Some(workers))
    }

    /// Closes everything and opens it again on the same store.
    pub(crate) fn restart(&mut self) -> Result<()> {
        let deployed = std::mem::take(&mut self.workers);
        let names: Vec<(String, Vec<String>)> =
            deployed.into_iter().map(|worker| (worker.name, worker.fixtures)).collect();
        self.watches.clear();
        self.close();
        (self.client, self.worker_client) = clients(&self.endpoint, self.sidecar.as_ref(), self.patience)?;
        names.into_iter().try_for_each(|(name, fixtures)| self.open_worker(&name, &fixtures))
    }

    fn close(&self) {
        self.client.close();
        self.worker_client.close();
    }
}

impl Drop for World {
    fn drop(&mut self) {
        self.workers.clear();
        self.close();
        if let Some(directory) = &self.directory {
            let _ = std::fs::remove_dir_all(directory);
        }
    }
}

fn clients(endpoint: &str, sidecar: Option<&Sidecar>, patience: Duration) -> Result<(Client, Client)> {
    let own = client(endpoint, patience)?;
    let workers = match sidecar {
        Some(sidecar) if sidecar.grpc() != endpoint => client(&sidecar.grpc(), patience)?,
        _ => own.clone(),
    };
    Ok((own, workers))
}

/// A client that nothing in the environment changes.
pub(crate) fn client(endpoint: &str, patience: Duration) -> Result<Client> {
    let options = ClientOptions::at(endpoint).call_timeout(patience);
    Client::open_in(&Environment::new(|_| None, "/"), Registry::default(), options)
}
