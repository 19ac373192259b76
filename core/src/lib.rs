//! Durable workflows from one core: the workflow API of Dapr on an engine inside the process, and on a Dapr cluster.
//!
//! Everything that is true in all languages lives here: validation, ids, retries, errors, replay, timers. A binding
//! converts values and maps errors. See `ARCHITECTURE.md` for the parts and who owns what.

/// Whether a seeded bug is switched on: see `testkit::mutants`. Always false outside tests.
#[cfg(any(test, feature = "testkit"))]
macro_rules! mutant {
    ($name:literal) => {
        crate::testkit::mutants::is_on($name)
    };
}
#[cfg(not(any(test, feature = "testkit")))]
macro_rules! mutant {
    ($name:literal) => {
        false
    };
}

pub mod bridge;
mod client;
pub mod component;
pub mod engine;
mod error;
mod handle;
pub mod history;
pub mod model;
mod options;
pub mod report;
pub mod retry;
pub mod runtime;
#[cfg(any(test, feature = "testkit"))]
pub mod testkit;
pub mod worker;

pub use client::Client;
pub use error::{Error, ErrorKind, Result};
pub use handle::WorkflowHandle;
pub use options::{ClientOptions, Endpoint, Environment, RemoteOptions};
