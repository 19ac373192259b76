//! Waiting without holding the interpreter, so that other threads run and Ctrl-C works.

use std::time::Duration;

use everstep::component::Pending;
use everstep::{Error, ErrorKind};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;

use crate::error::to_python;

/// Waits for a call of the core, detached. On the main thread it looks for signals every 100 ms.
pub(crate) fn wait<T: Send>(
    py: Python<'_>,
    pending: Pending<'static, T>,
    deadline: Option<Duration>,
) -> PyResult<T> {
    let signals = is_main_thread(py)?;
    let mut interrupt: Option<PyErr> = None;
    let result = py.detach(|| {
        if !signals {
            return everstep::runtime::wait_on(pending, deadline);
        }
        let mut check = || {
            Python::attach(|py| py.check_signals()).map_err(|raised| {
                interrupt = Some(raised);
                Error::new(ErrorKind::Cancelled, "interrupted by a signal")
            })
        };
        everstep::runtime::block_on(pending, deadline, &mut check)
    });
    match (interrupt, result) {
        (Some(raised), Err(_)) => Err(raised),
        (_, result) => result.map_err(|error| to_python(py, &error)),
    }
}

/// Python runs signal handlers on its main thread only.
fn is_main_thread(py: Python<'_>) -> PyResult<bool> {
    static MAIN: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    static CURRENT: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    let main = MAIN.import(py, "threading", "main_thread")?.call0()?.getattr("ident")?;
    let current = CURRENT.import(py, "threading", "get_ident")?.call0()?;
    main.eq(current)
}
