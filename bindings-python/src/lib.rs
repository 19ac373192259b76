//! The native module of the Python package: converts values, maps errors, carries batches across. Nothing else: the
//! public API is Python, the behaviour is the core's.
//!
//! No thread of the core ever touches Python. Whatever can block does so detached from the interpreter, on the thread
//! that called.

use pyo3::prelude::*;

mod call;
mod client;
mod convert;
mod error;
mod history;
mod wait;
mod worker;

/// The native module of everstep. Private.
#[pymodule(gil_used = false)]
mod _native {
    #[pymodule_export]
    use super::call::{NativeCall, NativeQueue};
    #[pymodule_export]
    use super::client::NativeClient;
    #[pymodule_export]
    use super::history::NativeHistory;
    #[pymodule_export]
    use super::worker::NativeWorker;

    use pyo3::prelude::*;

    #[pymodule_init]
    fn init(module: &Bound<'_, PyModule>) -> PyResult<()> {
        module.add("__version__", env!("CARGO_PKG_VERSION"))
    }

    /// Code and retryability of every kind of error.
    #[pyfunction]
    fn error_kinds() -> Vec<(&'static str, bool)> {
        everstep::ErrorKind::ALL.iter().map(|kind| (kind.code(), kind.is_retryable())).collect()
    }

    /// What is known of this library and of the endpoint that a client with this argument would use: JSON for programs,
    /// rows for people.
    #[pyfunction]
    fn report(py: Python<'_>, endpoint: Option<&str>) -> (String, Vec<(&'static str, String)>) {
        py.detach(|| {
            let report = everstep::report::Report::of_process(endpoint);
            (report.to_json(), report.rows())
        })
    }
}
