//! A history that was read, with those of its children.

use std::sync::Arc;

use everstep::history::{DiagramOptions, HistoryEvent, HistoryTree, mermaid};
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::convert::event;

/// A decoded history. It stays in the core; Python asks for what it shows.
#[pyclass(frozen, module = "everstep._native")]
pub(crate) struct NativeHistory {
    tree: Arc<HistoryTree>,
}

impl From<HistoryTree> for NativeHistory {
    fn from(tree: HistoryTree) -> NativeHistory {
        NativeHistory { tree: Arc::new(tree) }
    }
}

#[pymethods]
impl NativeHistory {
    #[getter]
    fn instance_id(&self) -> &str {
        &self.tree.instance_id
    }

    /// All events, oldest first.
    fn events<'py>(&self, py: Python<'py>) -> PyResult<Vec<NativeEvent<'py>>> {
        self.tree.events.iter().map(|view| whole(py, view)).collect()
    }

    /// The instance IDs of the children that it started.
    fn child_ids(&self) -> Vec<&str> {
        self.tree.child_ids()
    }

    /// The history of a child, if it was read.
    fn child(&self, instance_id: &str) -> Option<NativeHistory> {
        self.tree.children.get(instance_id).map(|tree| NativeHistory { tree: tree.clone() })
    }

    /// The history as a Mermaid diagram.
    fn mermaid(
        &self,
        py: Python<'_>,
        depth: usize,
        max_lines: usize,
        max_text: usize,
        payloads: bool,
    ) -> String {
        let mut options = DiagramOptions::default();
        (options.depth, options.max_lines) = (depth, max_lines);
        (options.max_text, options.payloads) = (max_text, payloads);
        py.detach(|| mermaid(&self.tree, &options))
    }
}

/// Event ID, kind, microseconds since 1970, what it says, what it has to do with the others.
type NativeEvent<'py> = (i32, &'static str, Option<i64>, Bound<'py, PyDict>, Links);

/// Turn, counterpart, duration in microseconds, first attempt, use of the timer, what it serves, where it was given up.
type Links =
    (u32, Option<usize>, Option<u128>, Option<usize>, Option<&'static str>, Option<usize>, Option<usize>);

fn whole<'py>(py: Python<'py>, view: &HistoryEvent) -> PyResult<NativeEvent<'py>> {
    let links = (
        view.turn,
        view.counterpart,
        view.duration.map(|duration| duration.as_micros()),
        view.first_attempt,
        view.timer_use.map(everstep::history::TimerUse::name),
        view.serves,
        view.given_up,
    );
    Ok((view.event_id, view.kind, view.timestamp.map(|time| time.0), event(py, view)?, links))
}
