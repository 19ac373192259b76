//! Options of a client, and where it finds its endpoint.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use crate::engine::store::Durability;
use crate::error::{Error, ErrorKind, Result};

mod address;
mod endpoint;
mod remote;

pub use endpoint::Endpoint;
pub(crate) use endpoint::resolve;
pub use remote::RemoteOptions;

/// Options of a client. Begin with `ClientOptions::default()` and change what you need.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ClientOptions {
    /// Where workflows run: `memory:`, `memory:NAME`, `test:`, `sqlite:PATH`, `http(s)://host:port`, `grpc(s)://host:port` or
    /// `dapr:`. Absent: `EVERSTEP_ENDPOINT`, then Dapr's variables, then a file under `.everstep/`.
    pub endpoint: Option<String>,
    /// More components by name, each with its endpoint. The name `dapr` means the default one, so give either it or
    /// `endpoint`.
    pub components: BTreeMap<String, String>,
    /// How much an acknowledged change survives, on the embedded engine. Default: full.
    pub durability: Durability,
    /// How long a call waits for its answer; waits for a workflow have their own timeouts. Default: 60 s.
    pub call_timeout: Duration,
    /// The largest input, output or event, in bytes of encoded text. Default: 4 MiB, which is what a Dapr sidecar takes
    /// unless it is told otherwise, so that what runs embedded also runs there.
    pub max_payload_bytes: usize,
    /// How remote endpoints are reached.
    pub remote: RemoteOptions,
}

impl Default for ClientOptions {
    fn default() -> ClientOptions {
        ClientOptions {
            endpoint: None,
            components: BTreeMap::new(),
            durability: Durability::default(),
            call_timeout: Duration::from_secs(60),
            max_payload_bytes: 4 << 20,
            remote: RemoteOptions::default(),
        }
    }
}

impl ClientOptions {
    /// Options of a client of this endpoint.
    pub fn at(endpoint: impl Into<String>) -> ClientOptions {
        ClientOptions::default().endpoint(endpoint)
    }

    /// Sets where workflows run.
    #[must_use]
    pub fn endpoint(mut self, endpoint: impl Into<String>) -> ClientOptions {
        self.endpoint = Some(endpoint.into());
        self
    }

    /// Adds a component by name.
    #[must_use]
    pub fn component(mut self, name: impl Into<String>, endpoint: impl Into<String>) -> ClientOptions {
        self.components.insert(name.into(), endpoint.into());
        self
    }

    /// Sets how much an acknowledged change survives.
    #[must_use]
    pub fn durability(mut self, durability: Durability) -> ClientOptions {
        self.durability = durability;
        self
    }

    /// Sets how long a call waits for its answer.
    #[must_use]
    pub fn call_timeout(mut self, timeout: Duration) -> ClientOptions {
        self.call_timeout = timeout;
        self
    }

    /// Sets the largest payload in bytes.
    #[must_use]
    pub fn max_payload_bytes(mut self, bytes: usize) -> ClientOptions {
        self.max_payload_bytes = bytes;
        self
    }

    pub(crate) fn check(&self) -> Result<()> {
        if self.call_timeout.is_zero() {
            return Err(Error::invalid("call_timeout is zero; give a positive duration"));
        }
        if self.max_payload_bytes == 0 {
            return Err(Error::invalid("max_payload_bytes is zero; give a positive size"));
        }
        if self.endpoint.is_some() && self.components.contains_key(crate::component::DEFAULT_COMPONENT) {
            return Err(Error::invalid(
                "both endpoint and components[\"dapr\"] are given; \"dapr\" is the default component, so give one of them",
            ));
        }
        Ok(())
    }
}

type Lookup = Box<dyn Fn(&str) -> Option<String> + Send + Sync>;

/// What surrounds a program: its environment variables and its working directory. Given in, so that a test needs no
/// change to its process.
pub struct Environment {
    variable: Lookup,
    directory: PathBuf,
}

impl Environment {
    /// The environment of this process.
    ///
    /// # Errors
    /// `failed_precondition` when the working directory is gone.
    pub fn of_process() -> Result<Environment> {
        let directory = std::env::current_dir().map_err(|error| {
            Error::new(ErrorKind::FailedPrecondition, "the working directory cannot be read")
                .with_source(error)
        })?;
        Ok(Environment::new(|name| std::env::var(name).ok(), directory))
    }

    /// An environment of these variables and this working directory.
    pub fn new(
        variable: impl Fn(&str) -> Option<String> + Send + Sync + 'static,
        directory: impl Into<PathBuf>,
    ) -> Environment {
        Environment { variable: Box::new(variable), directory: directory.into() }
    }

    /// The variable's value; an empty one counts as absent.
    pub(crate) fn variable(&self, name: &str) -> Option<String> {
        (self.variable)(name).filter(|value| !value.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_that_make_no_sense_are_refused() {
        let refused = [
            ClientOptions::default().call_timeout(Duration::ZERO),
            ClientOptions::default().max_payload_bytes(0),
            ClientOptions::at("memory:").component("dapr", "memory:other"),
        ];
        for options in refused {
            assert_eq!(options.check().unwrap_err().kind(), ErrorKind::InvalidArgument);
        }
        assert!(ClientOptions::at("memory:").component("archive", "memory:other").check().is_ok());
    }
}
