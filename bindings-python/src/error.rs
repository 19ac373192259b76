//! Errors: one factory in Python makes the exception of every kind.

use everstep::model::Failure;
use everstep::{Error, ErrorKind};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::PyTuple;

/// The exception for an error of the core.
pub(crate) fn to_python(py: Python<'_>, error: &Error) -> PyErr {
    static FACTORY: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    let made = FACTORY.import(py, "everstep.errors", "from_native").and_then(|factory| {
        let failure = error.failure().map(|failure| failure_to_python(py, failure)).transpose()?;
        let (operation, instance_id) = (error.operation(), error.instance_id());
        factory.call1((error.code(), error.message(), operation, instance_id, failure, error.done()))
    });
    match made {
        Ok(exception) => PyErr::from_value(exception),
        Err(broken) => broken,
    }
}

/// The chain of failures as nested tuples.
pub(crate) fn failure_to_python<'py>(py: Python<'py>, failure: &Failure) -> PyResult<Bound<'py, PyTuple>> {
    let mut outer: Option<Bound<'py, PyTuple>> = None;
    let chain: Vec<&Failure> =
        std::iter::successors(Some(failure), |failure| failure.cause.as_deref()).collect();
    for failure in chain.into_iter().rev() {
        let fields = (
            failure.error_type.as_str(),
            failure.message.as_str(),
            failure.stack.as_deref(),
            failure.non_retriable,
            outer.take(),
        );
        outer = Some(fields.into_pyobject(py)?);
    }
    Ok(outer.expect("a chain has at least its first failure"))
}

/// Remembers the process that an object was made in: threads do not survive a fork.
#[derive(Clone, Copy)]
pub(crate) struct Process(u32);

impl Process {
    pub(crate) fn current() -> Process {
        Process(std::process::id())
    }

    pub(crate) fn is_current(self) -> bool {
        self.0 == std::process::id()
    }

    /// # Errors
    /// `forked` in a child of the process.
    pub(crate) fn check(self) -> Result<(), Error> {
        if self.is_current() {
            return Ok(());
        }
        Err(Error::new(
            ErrorKind::Forked,
            "this object was made before the process forked; make a client and a worker in the child",
        ))
    }
}
