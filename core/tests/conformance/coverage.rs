//! What ran, what did not and why: the table feature × (happy, error, cached, replayed, restarted).

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use super::case::{Case, Kind, capabilities, read};
use super::place::{Mode, Place};

const COLUMNS: [&str; 5] = ["happy", "error", "cached", "replayed", "restarted"];

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Listed {
    #[serde(rename = "about")]
    _about: String,
    skips: Vec<Skip>,
    empty: Vec<Empty>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Skip {
    runner: Option<String>,
    case: Option<String>,
    need: Option<String>,
    endpoint: Option<String>,
    mode: Option<String>,
    step: Option<String>,
    #[serde(default)]
    slow: bool,
    reason: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Empty {
    feature: String,
    cell: String,
    reason: String,
}

/// The listed reasons, and what has run so far.
pub(crate) struct Coverage {
    listed: Listed,
    capabilities: BTreeMap<&'static str, BTreeSet<String>>,
    runtime: String,
    cells: BTreeMap<(String, &'static str), usize>,
    features: BTreeSet<String>,
}

impl Coverage {
    /// `runtime` is the version of Dapr.
    pub(crate) fn new(runtime: &str, cases: &[Case]) -> Coverage {
        let listed: Listed =
            serde_json::from_value(read("coverage.json")).expect("coverage.json has its format");
        assert!(listed.skips.iter().all(|skip| !skip.reason.is_empty()), "a skip needs a reason");
        assert!(listed.empty.iter().all(|empty| !empty.reason.is_empty()), "an empty cell needs a reason");
        let features = cases.iter().map(|case| case.feature.clone()).collect();
        let columns = Place::ALL.map(Place::column);
        let capabilities =
            columns.into_iter().map(|column| (column, capabilities(column, runtime))).collect();
        Coverage { listed, capabilities, runtime: runtime.to_owned(), cells: BTreeMap::new(), features }
    }

    /// The listed reason why a case is not run here. Nothing: it runs.
    pub(crate) fn skipped(&self, case: &Case, place: Place, mode: Mode) -> Option<String> {
        if mode == Mode::Restarted
            && let Some(reason) = &case.no_restart
        {
            return Some(reason.clone());
        }
        let is =
            |listed: &Option<String>, value: &str| listed.as_deref().is_none_or(|listed| listed == value);
        let once = case.slow.is_some()
            && ![(Place::Memory, Mode::Cached), (Place::DaprGrpc, Mode::Cached)].contains(&(place, mode));
        let applies = |skip: &&Skip| {
            is(&skip.runner, "rust")
                && is(&skip.case, &case.name)
                && is(&skip.endpoint, place.name())
                && is(&skip.mode, mode.name())
                && skip.need.as_ref().is_none_or(|need| case.needs.contains(need))
                && skip
                    .step
                    .as_ref()
                    .is_none_or(|step| case.steps.iter().any(|found| found["do"] == step.as_str()))
                && (!skip.slow || once)
        };
        let listed = self.listed.skips.iter().find(applies).map(|skip| skip.reason.clone());
        listed.or_else(|| {
            let has = &self.capabilities[place.column()];
            let lacks = |need: &&String| place.is_dapr() && !has.contains(*need);
            let need = case.needs.iter().find(lacks)?;
            Some(format!("Dapr {} has no {need} there", self.runtime))
        })
    }

    /// What a case needs and nothing has, nor is listed as skipped.
    pub(crate) fn missing<'a>(&self, case: &'a Case) -> Option<&'a String> {
        let listed = |need: &&String| self.listed.skips.iter().any(|skip| skip.need.as_ref() == Some(*need));
        case.needs.iter().find(|need| !self.capabilities["embedded"].contains(*need) && !listed(need))
    }

    pub(crate) fn ran(&mut self, case: &Case, mode: Mode) {
        let kind = if case.kind == Kind::Happy { "happy" } else { "error" };
        if mode == Mode::Cached {
            *self.cells.entry((case.feature.clone(), kind)).or_default() += 1;
        }
        *self.cells.entry((case.feature.clone(), mode.name())).or_default() += 1;
    }

    /// Prints the table; gives the empty cells without a reason, and the reasons that are not needed any more.
    pub(crate) fn report(&self) -> Vec<String> {
        let mut faults = Vec::new();
        println!("{:18}{}", "feature", COLUMNS.map(|column| format!("{column:>11}")).concat());
        for feature in &self.features {
            let mut row = format!("{feature:18}");
            for column in COLUMNS {
                let count = self.cells.get(&(feature.clone(), column)).copied().unwrap_or_default();
                let listed =
                    self.listed.empty.iter().any(|empty| &empty.feature == feature && empty.cell == column);
                row += &if count == 0 { format!("{:>11}", "-") } else { format!("{count:>11}") };
                if (count == 0) != listed {
                    let fault =
                        if listed { "is listed as empty and is not" } else { "is empty without a reason" };
                    faults.push(format!("coverage.json: {feature} × {column} {fault}"));
                }
            }
            println!("{row}");
        }
        faults
    }
}
