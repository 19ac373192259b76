//! One case's store, client and worker.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use everstep::component::Registry;
use everstep::testkit::text::TextHost;
use everstep::worker::{Poll, Worker};
use everstep::{Client, ClientOptions, Environment, Result};
use serde_json::Value;

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
            self.workers =
                Some(Workers::open(&self.client, &programs.collect::<Vec<_>>(), self.mode.max_cached())?);
        }
        Ok(())
    }

    /// Closes everything and opens it again on the same store.
    pub(crate) fn restart(&mut self) -> Result<()> {
        self.workers = None;
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

/// A worker with its two polling threads.
struct Workers {
    worker: Arc<Worker>,
    threads: Vec<JoinHandle<()>>,
}

impl Workers {
    fn open(client: &Client, programs: &[&Value], max_cached: usize) -> Result<Workers> {
        let host = || TextHost::new(programs.iter().copied());
        let (worker, _) = Worker::open(client, None, &host().open(max_cached))?;
        let worker = Arc::new(worker);
        let (mut turns, mut activities) = (host(), host());
        let (for_turns, for_activities) = (worker.clone(), worker.clone());
        let threads = vec![
            std::thread::spawn(move || {
                serve(
                    &for_turns,
                    |worker| worker.poll_workflows(100, 1 << 20, None),
                    |batch| turns.turns(batch),
                );
            }),
            std::thread::spawn(move || {
                let poll = |worker: &Worker| worker.poll_activities(100, 1 << 20, None);
                serve(&for_activities, poll, |batch| activities.activities(batch));
            }),
        ];
        Ok(Workers { worker, threads })
    }
}

fn serve(worker: &Worker, poll: impl Fn(&Worker) -> Result<Poll>, mut run: impl FnMut(&str) -> String) {
    loop {
        match poll(worker) {
            Ok(Poll::Batch(batch)) => worker.complete(&run(&batch)).expect("the host's text can be read"),
            Ok(Poll::Empty) => {}
            Ok(Poll::Closed) | Err(_) => return,
        }
    }
}

impl Drop for Workers {
    fn drop(&mut self) {
        // An activity that waits to be stopped is given up when the worker closes, so there is nothing to wait for.
        self.worker.shutdown(Duration::from_millis(200));
        for thread in self.threads.drain(..) {
            if thread.join().is_err() && !std::thread::panicking() {
                panic!("a polling thread panicked");
            }
        }
    }
}
