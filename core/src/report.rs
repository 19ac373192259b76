//! What is known of an endpoint without opening it, for bug reports and tools.
//!
//! A report makes no file, takes no lock and reads no payload, so it may be made beside an owner at work.

use serde::Serialize;

use crate::engine::store::report::{StoreReport, store_report};
use crate::error::Error;
use crate::options::{Endpoint, Environment, resolve};

/// What is known of this library and of the endpoint that a client would use. Serializes to the JSON that all tools show.
#[derive(Debug, Serialize)]
#[non_exhaustive]
pub struct Report {
    /// The library.
    pub core: Library,
    /// The endpoint as a client takes it. Absent when none can be found; `problems` says why.
    pub endpoint: Option<String>,
    /// What named the endpoint: `argument`, the environment variable's name, or `default`.
    pub endpoint_from: Option<&'static str>,
    /// The store, where the endpoint is a file.
    pub store: Option<StoreReport>,
    /// What is wrong.
    pub problems: Vec<Problem>,
}

/// The library that made a report.
#[derive(Debug, Serialize)]
#[non_exhaustive]
pub struct Library {
    /// Its version.
    pub version: &'static str,
    /// How it was built: `release` or `debug`.
    pub profile: &'static str,
    /// The operating system and the architecture that it was built for.
    pub target: String,
    /// The version of its SQLite.
    pub sqlite: &'static str,
}

/// Something that is wrong with an endpoint.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Problem {
    /// A code of the error table.
    pub code: &'static str,
    /// What is wrong, and the cure.
    pub message: String,
}

impl Problem {
    pub(crate) fn new(code: &'static str, message: impl Into<String>) -> Problem {
        Problem { code, message: message.into() }
    }
}

impl From<&Error> for Problem {
    fn from(error: &Error) -> Problem {
        Problem::new(error.code(), error.message())
    }
}

impl Report {
    /// Looks at the endpoint that a client with this argument would use in this process.
    pub fn of_process(argument: Option<&str>) -> Report {
        match Environment::of_process() {
            Ok(environment) => Report::of(argument, &environment),
            Err(error) => Report::empty(vec![Problem::from(&error)]),
        }
    }

    /// Looks at the endpoint that a client with this argument would use in an environment.
    pub fn of(argument: Option<&str>, environment: &Environment) -> Report {
        let resolved = match resolve(argument, environment) {
            Ok(resolved) => resolved,
            Err(error) => return Report::empty(vec![Problem::from(&error)]),
        };
        let unnamed = if resolved.is_default() { "default" } else { "argument" };
        let mut report = Report::empty(Vec::new());
        report.endpoint = Some(resolved.endpoint.to_string());
        report.endpoint_from = Some(resolved.variable.unwrap_or(unnamed));
        if let Endpoint::Sqlite(path) = &resolved.endpoint {
            let (store, problems) = store_report(path);
            report.store = Some(store);
            report.problems = problems;
        }
        report
    }

    fn empty(problems: Vec<Problem>) -> Report {
        let core = Library {
            version: env!("CARGO_PKG_VERSION"),
            profile: if cfg!(debug_assertions) { "debug" } else { "release" },
            target: format!("{} {}", std::env::consts::OS, std::env::consts::ARCH),
            sqlite: rusqlite::version(),
        };
        Report { core, endpoint: None, endpoint_from: None, store: None, problems }
    }

    /// The report as JSON.
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).expect("texts, numbers and lists are always JSON")
    }
}
