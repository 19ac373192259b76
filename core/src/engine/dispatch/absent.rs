//! What no connected worker has: how long it is waited for, and what becomes of those who wait.

use super::*;
use crate::bridge::{Stall, StallCode};
use crate::model::Failure;

/// How long an activity whose name no connected worker has waits for one that has.
pub(crate) const GRACE: Duration = Duration::from_secs(10);

/// How long a run whose version no connected worker has waits before it stalls, if there is a worker with another
/// version: long enough for the workers of one program to open one after the other.
pub(crate) const VERSION_GRACE: Duration = Duration::from_millis(250);

/// Who has waited in vain for as long as they may.
#[derive(Debug, Default)]
pub(crate) struct Overdue {
    /// Activities whose name no worker has.
    pub(crate) activities: Vec<Arc<ActivityTask>>,
    /// Turns whose version no worker has: run, token, and why they stall.
    pub(crate) turns: Vec<(RunKey, u64, Stall)>,
}

impl Dispatch {
    /// When somebody will have waited in vain for long enough, if nothing happens until then.
    pub(crate) fn next_overdue(&self) -> Option<Instant> {
        let inner = self.lock();
        let activities = inner.unknown.values().min().map(|since| *since + GRACE);
        let turns = inner.missing.values().min().map(|since| *since + VERSION_GRACE);
        [activities, turns].into_iter().flatten().min()
    }

    /// Takes those who have waited in vain for long enough.
    pub(crate) fn overdue(&self, now: Instant) -> Overdue {
        let mut inner = self.lock();
        let mut overdue = Overdue::default();
        for name in over(&inner.unknown, now, GRACE) {
            inner.unknown.remove(&name);
            overdue.activities.extend(inner.activities.remove(&name).unwrap_or_default());
        }
        for wanted in over(&inner.missing, now, VERSION_GRACE) {
            inner.missing.remove(&wanted);
            for task in inner.fresh.remove(&wanted).unwrap_or_default() {
                if turns::waits(&inner.waiting, &task) {
                    inner.waiting.remove(&task.run);
                    overdue.turns.push((task.run, task.token, inner.version_stall(&wanted)));
                }
            }
        }
        overdue
    }

    /// Whether a connected worker has the workflow in any version.
    pub(crate) fn knows_workflow(&self, name: &str) -> bool {
        self.lock().knows(name)
    }

    /// Whether a connected worker has the workflow in this version.
    pub(crate) fn has(&self, name: &str, version: &Version) -> bool {
        self.lock().has(&Wanted { name: Arc::from(name), version: version.clone() })
    }

    /// Why an instance that has not begun does not begin; absent where a connected worker can run it.
    pub(crate) fn why_pending(&self, name: &str, version: Option<&str>) -> Option<String> {
        let inner = self.lock();
        if !inner.knows(name) {
            return Some(format!("no connected worker has the workflow {name:?}"));
        }
        let version = Version::Named(Arc::from(version?));
        let wanted = Wanted { name: Arc::from(name), version };
        (!inner.has(&wanted)).then(|| inner.version_stall(&wanted).message)
    }
}

/// What an activity fails with that no connected worker has.
pub(crate) fn unknown_activity(name: &str) -> Failure {
    Failure {
        error_type: "ActivityNotRegistered".to_owned(),
        message: format!("no connected worker has the activity {name:?}; register it with a worker"),
        non_retriable: true,
        ..Failure::default()
    }
}

fn over<K: Clone>(since: &BTreeMap<K, Instant>, now: Instant, grace: Duration) -> Vec<K> {
    let over = since.iter().filter(|(_, since)| now.duration_since(**since) >= grace);
    over.map(|(key, _)| key.clone()).collect()
}

impl Inner {
    fn knows(&self, name: &str) -> bool {
        self.workers.values().any(|entry| entry.abilities.knows(name))
    }

    fn has(&self, wanted: &Wanted) -> bool {
        self.workers.values().any(|entry| entry.abilities.has(&wanted.name, &wanted.version))
    }

    /// Whether a turn waits for a version that nobody has, while somebody has the workflow in another one. Without any
    /// worker that has the workflow it just waits: nothing is wrong with the program yet.
    pub(super) fn is_missing(&self, wanted: &Wanted) -> bool {
        let waits = if self.strict { !self.workers.is_empty() } else { self.knows(&wanted.name) };
        waits && !self.has(wanted)
    }

    /// Looks anew, after a worker has come or gone, at what nobody has; what still is waited for keeps its time.
    pub(super) fn note_absent(&mut self) {
        self.note_unknown();
        let now = Instant::now();
        let mut missing = std::mem::take(&mut self.missing);
        missing.retain(|wanted, _| self.fresh.contains_key(wanted) && self.is_missing(wanted));
        for wanted in self.fresh.keys().filter(|wanted| self.is_missing(wanted)) {
            missing.entry(wanted.clone()).or_insert(now);
        }
        self.missing = missing;
    }

    /// Starts the grace of activities that no connected worker has.
    pub(super) fn note_unknown(&mut self) {
        let counts = |entry: &Entry| self.strict || !entry.abilities.activities.is_empty();
        if !self.workers.values().any(counts) {
            self.unknown.clear();
            return;
        }
        let waiting = &self.activities;
        self.unknown.retain(|name, _| waiting.contains_key(name));
        let now = Instant::now();
        for name in self.activities.keys() {
            let known = self.workers.values().any(|entry| entry.abilities.activities.contains(name));
            if !known {
                self.unknown.entry(name.clone()).or_insert(now);
            }
        }
    }

    fn version_stall(&self, wanted: &Wanted) -> Stall {
        let name = &wanted.name;
        let there: BTreeSet<Option<&str>> =
            self.workers.values().flat_map(|entry| entry.abilities.versions(name)).collect();
        let there: Vec<String> = there
            .into_iter()
            .map(|version| {
                version.map_or_else(|| "one without a version".to_owned(), |version| format!("{version:?}"))
            })
            .collect();
        let there = there.join(", ");
        let message = match &wanted.version {
            Version::Named(version) => format!(
                "no connected worker has version {version:?} of the workflow {name:?}, there is {there}; give a worker \
                 that version too, until its runs have ended"
            ),
            _ => format!(
                "the run began when the workflow {name:?} had no version, there is {there}; give a worker the function \
                 without a version too, until its runs have ended"
            ),
        };
        Stall::new(StallCode::VersionNotAvailable, message)
    }
}
