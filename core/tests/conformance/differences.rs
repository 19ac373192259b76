//! What Dapr itself does differently: `conformance/dapr/differences.json`, applied to cases and held to be true.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use super::case::{Case, read};
use super::place::Place;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    #[serde(rename = "about")]
    _about: String,
    runtime: String,
    differences: Vec<Difference>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Difference {
    name: String,
    embedded: String,
    dapr: String,
    reason: String,
    cases: Vec<Entry>,
}

/// What a case expects elsewhere and not here.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Entry {
    case: String,
    /// Where it holds; both without it.
    places: Option<Vec<String>>,
    /// The case cannot be run to its end.
    #[serde(default)]
    skip: bool,
    /// By a step's number: what its keys are instead (null: without the key), the steps in its place, or null for none.
    #[serde(default)]
    steps: BTreeMap<usize, Value>,
    /// The histories left behind are others.
    #[serde(default)]
    history: bool,
    /// It is a race, so that the case may also run as it stands.
    #[serde(default)]
    sometimes: bool,
}

impl Entry {
    /// Whether the case fails without it.
    pub(crate) fn is_needed_by_steps(&self) -> bool {
        (self.skip || !self.steps.is_empty()) && !self.sometimes
    }

    fn is_at(&self, place: Place) -> bool {
        place.is_dapr()
            && self.places.as_ref().is_none_or(|places| places.iter().any(|name| name == place.name()))
    }
}

/// The table, by entries.
pub(crate) struct Differences {
    /// The version of Dapr that the table is about.
    pub(crate) runtime: String,
    entries: Vec<Entry>,
}

impl Differences {
    /// Reads the table; the faults are entries that mean nothing.
    pub(crate) fn read(cases: &[Case]) -> (Differences, Vec<String>) {
        let table: Table = serde_json::from_value(read("dapr/differences.json"))
            .unwrap_or_else(|error| panic!("differences.json has not its format: {error}"));
        let mut faults = Vec::new();
        let mut entries: Vec<Entry> = Vec::new();
        for difference in table.differences {
            let Difference { name, embedded, dapr, reason, cases: found } = difference;
            if [&name, &embedded, &dapr, &reason].iter().any(|text| text.is_empty()) || found.is_empty() {
                faults.push(format!("{name:?} needs texts and cases"));
            }
            for entry in found {
                faults.extend(
                    flaw(&entry, cases, &entries).map(|flaw| format!("{name}, {}: {flaw}", entry.case)),
                );
                entries.push(entry);
            }
        }
        let faults = faults.into_iter().map(|fault| format!("differences.json: {fault}")).collect();
        (Differences { runtime: table.runtime, entries }, faults)
    }

    /// The entries that concern a case at a place.
    pub(crate) fn of<'a>(&'a self, case: &'a Case, place: Place) -> impl Iterator<Item = (usize, &'a Entry)> {
        let all = self.entries.iter().enumerate();
        all.filter(move |(_, entry)| entry.case == case.name && entry.is_at(place))
    }

    /// The case as it holds at a place, one entry left out if asked for. Nothing: it cannot be run there.
    pub(crate) fn applied(&self, case: &Case, place: Place, without: Option<usize>) -> Option<Case> {
        let mut steps: Vec<Vec<Value>> = case.steps.iter().map(|step| vec![step.clone()]).collect();
        for (_, entry) in self.of(case, place).filter(|(index, _)| Some(*index) != without) {
            if entry.skip {
                return None;
            }
            for (index, other) in &entry.steps {
                steps[*index] = match other {
                    Value::Null => Vec::new(),
                    Value::Array(others) => others.clone(),
                    other => vec![patched(case.steps[*index].clone(), other)],
                };
            }
        }
        let mut here = case.clone();
        here.steps = steps.concat();
        Some(here)
    }

    /// Whether a case may leave other histories at a place.
    pub(crate) fn other_history(&self, case: &Case, place: Place) -> bool {
        self.of(case, place).any(|(_, entry)| entry.history)
    }

    /// Whether it must.
    pub(crate) fn always_other_history(&self, case: &Case, place: Place) -> bool {
        self.of(case, place).any(|(_, entry)| entry.history && !entry.sometimes)
    }
}

/// What is wrong with an entry, given those before it.
fn flaw(entry: &Entry, cases: &[Case], before: &[Entry]) -> Option<String> {
    let Some(case) = cases.iter().find(|case| case.name == entry.case) else {
        return Some("there is no such case".to_owned());
    };
    let unknown = |name: &&String| !Place::ALL.iter().any(|place| place.is_dapr() && place.name() == **name);
    if let Some(name) = entry.places.iter().flatten().find(unknown) {
        return Some(format!("there is no place {name:?}"));
    }
    if usize::from(entry.skip) + usize::from(!entry.steps.is_empty() || entry.history) != 1 {
        return Some("an entry skips its case, or says what is otherwise".to_owned());
    }
    if let Some(index) = entry.steps.keys().find(|index| **index >= case.steps.len()) {
        return Some(format!("there is no step {index}"));
    }
    let twice = before.iter().any(|other| {
        let both = Place::ALL.iter().any(|place| other.is_at(*place) && entry.is_at(*place));
        let same =
            other.skip || entry.skip || other.steps.keys().any(|index| entry.steps.contains_key(index));
        other.case == entry.case && both && same
    });
    twice.then(|| "another entry says it, too".to_owned())
}

/// Puts keys over those of an object, in depth; null takes a key away.
fn patched(target: Value, patch: &Value) -> Value {
    let Value::Object(keys) = patch else { return patch.clone() };
    let mut target = if let Value::Object(target) = target { target } else { serde_json::Map::new() };
    for (key, value) in keys {
        let old = target.remove(key).unwrap_or_default();
        if !value.is_null() {
            target.insert(key.clone(), patched(old, value));
        }
    }
    Value::Object(target)
}
