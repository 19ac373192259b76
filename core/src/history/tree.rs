//! A history with those of the children that it started.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use super::{Event, HistoryEvent, decode};

/// A decoded history, and the histories of its children as far as they were asked for.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct HistoryTree {
    /// The instance.
    pub instance_id: String,
    /// Its events, oldest first, linked with each other.
    pub events: Vec<HistoryEvent>,
    /// Children by their instance IDs. One that was purged, or whose ID another workflow has taken over, is not there.
    pub children: BTreeMap<String, Arc<HistoryTree>>,
}

impl HistoryTree {
    /// A history without its children.
    pub fn new(instance_id: impl Into<String>, events: &[Event]) -> HistoryTree {
        HistoryTree { instance_id: instance_id.into(), events: decode(events), children: BTreeMap::new() }
    }

    /// The instance IDs of the children that this history started, in the order of their starts. Detached workflows are
    /// not children.
    pub fn child_ids(&self) -> Vec<&str> {
        let mut known = HashSet::new();
        let created = self.events.iter().filter(|event| event.kind == "ChildWorkflowInstanceCreated");
        let ids = created.filter(|event| !event.detached).filter_map(|event| event.instance_id.as_deref());
        ids.filter(|id| known.insert(*id)).collect()
    }

    /// Whether this is the history of a child of that instance.
    pub fn is_child_of(&self, instance_id: &str) -> bool {
        let started = self.events.iter().find(|event| event.kind == "ExecutionStarted");
        let parent = started.and_then(|event| event.parent.as_ref());
        parent.is_some_and(|parent| parent.instance_id == instance_id)
    }
}
