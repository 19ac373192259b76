//! What a worker can run.

use std::collections::{BTreeSet, HashMap, HashSet};

use crate::bridge::WorkflowName;
use crate::engine::task::Version;

/// The workflows and activities that a worker has.
#[derive(Clone, Debug, Default)]
pub struct Abilities {
    workflows: HashMap<String, Definitions>,
    /// Names of activities.
    pub activities: HashSet<String>,
}

/// A worker's definitions of one workflow.
#[derive(Clone, Debug, Default)]
struct Definitions {
    /// Whether there is one without a version.
    unversioned: bool,
    versions: BTreeSet<String>,
    /// The version that new runs take; absent: the definition without one.
    latest: Option<String>,
}

impl Abilities {
    /// What a worker declares. Of several definitions with one name the marked one is the latest, else the last one.
    pub fn new<'a>(
        workflows: &[WorkflowName],
        activities: impl IntoIterator<Item = &'a String>,
    ) -> Abilities {
        let mut found =
            Abilities { activities: activities.into_iter().cloned().collect(), ..Abilities::default() };
        let marked: HashSet<&str> = workflows
            .iter()
            .filter(|workflow| workflow.latest)
            .map(|workflow| workflow.name.as_str())
            .collect();
        for workflow in workflows {
            let definitions = found.workflows.entry(workflow.name.clone()).or_default();
            match &workflow.version {
                Some(version) => drop(definitions.versions.insert(version.clone())),
                None => definitions.unversioned = true,
            }
            if workflow.latest || !marked.contains(workflow.name.as_str()) {
                definitions.latest.clone_from(&workflow.version);
            }
        }
        found
    }

    /// Whether it has the workflow in any version.
    pub fn knows(&self, name: &str) -> bool {
        self.workflows.contains_key(name)
    }

    /// Whether it can run a turn of this workflow and version.
    pub fn has(&self, name: &str, version: &Version) -> bool {
        self.workflows.get(name).is_some_and(|definitions| match version {
            Version::Latest => true,
            Version::Unversioned => definitions.unversioned,
            Version::Named(version) => definitions.versions.contains(&**version),
        })
    }

    /// The version that a new run of this workflow takes here; absent where it takes the definition without one.
    pub fn latest(&self, name: &str) -> Option<&str> {
        self.workflows.get(name)?.latest.as_deref()
    }

    /// The versions of a workflow, `None` for the definition without one.
    pub(super) fn versions<'a>(&'a self, name: &str) -> impl Iterator<Item = Option<&'a str>> {
        let definitions = self.workflows.get(name);
        let named = definitions.into_iter().flat_map(|definitions| &definitions.versions);
        let unversioned = definitions.is_some_and(|definitions| definitions.unversioned);
        unversioned.then_some(None).into_iter().chain(named.map(|version| Some(version.as_str())))
    }
}
