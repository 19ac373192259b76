//! Which runs there are.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use super::case::Case;
use super::coverage::Coverage;
use super::differences::Differences;
use super::place::{Mode, Place, Sidecar};
use super::steps::PATIENCE;

/// How long a run waits that should fail.
const SHORT: Duration = Duration::from_secs(3);

/// What the arguments ask for.
#[derive(Default)]
pub(crate) struct Wanted {
    /// How the names of the cases begin.
    pub(crate) filter: Option<String>,
    places: Vec<Place>,
    pub(crate) sidecars: Vec<Sidecar>,
}

impl Wanted {
    /// Reads the arguments: the beginning of a name, and `--place NAME` as often as one likes. Others are meant for other
    /// test programs.
    pub(crate) fn of(arguments: impl Iterator<Item = String>) -> Result<Wanted, String> {
        let mut wanted = Wanted::default();
        let mut arguments = arguments;
        while let Some(argument) = arguments.next() {
            if argument == "--place" {
                let name = arguments.next().unwrap_or_default();
                let place = Place::ALL.into_iter().find(|place| place.name() == name);
                wanted.places.push(place.ok_or_else(|| {
                    format!(
                        "there is no place {name:?}; there are {}",
                        Place::ALL.map(Place::name).join(", ")
                    )
                })?);
            } else if !argument.starts_with('-') {
                wanted.filter = Some(argument);
            }
        }
        if wanted.places.is_empty() {
            wanted.places.extend(Place::EMBEDDED);
        }
        if wanted.on_dapr() {
            wanted.sidecars = Sidecar::all();
            if wanted.sidecars.is_empty() {
                return Err(
                    "no sidecar: set EVERSTEP_DAPR_GRPC_PORTS and EVERSTEP_DAPR_HTTP_PORTS".to_owned()
                );
            }
        }
        Ok(wanted)
    }

    pub(crate) fn on_dapr(&self) -> bool {
        self.places.iter().any(|place| place.is_dapr())
    }

    /// On Dapr each case also runs once on `memory:`, whose histories the others are compared with.
    fn includes(&self, place: Place, mode: Mode) -> bool {
        self.places.contains(&place) || (self.on_dapr() && (place, mode) == (Place::Memory, Mode::Cached))
    }
}

/// One run of a case.
pub(crate) struct Job {
    pub(crate) case: Case,
    pub(crate) place: Place,
    pub(crate) mode: Mode,
    /// An entry of `differences.json` that this run leaves out: it should fail.
    pub(crate) without: Option<usize>,
}

impl Job {
    pub(crate) fn patience(&self) -> Duration {
        match self.without {
            Some(_) => SHORT,
            // Dapr takes its time to try a stalled instance again.
            None if self.place.is_dapr() => PATIENCE * 2,
            None => PATIENCE,
        }
    }
}

impl fmt::Display for Job {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} on {} {}", self.case.name, self.place.name(), self.mode.name())
    }
}

/// The runs, and how often what is skipped for which reason.
#[derive(Default)]
pub(crate) struct Plan {
    pub(crate) jobs: Vec<Job>,
    pub(crate) skips: BTreeMap<(String, String), usize>,
}

impl Plan {
    fn skip(&mut self, what: &str, reason: &str) {
        *self.skips.entry((what.to_owned(), reason.to_owned())).or_default() += 1;
    }
}

pub(crate) fn make(
    cases: &[Case],
    wanted: &Wanted,
    coverage: &Coverage,
    differences: &Differences,
    faults: &mut Vec<String>,
) -> Plan {
    let mut plan = Plan::default();
    for case in cases {
        if let Some(need) = coverage.missing(case) {
            let name = &case.name;
            faults.push(format!("{name} needs {need:?}, which nothing has and coverage.json does not list"));
            continue;
        }
        for place in Place::ALL {
            for mode in Mode::ALL.into_iter().filter(|mode| wanted.includes(place, *mode)) {
                match coverage.skipped(case, place, mode) {
                    None => add(&mut plan, case, place, mode, differences),
                    // A whole mode that a place does not have, or what a place cannot do, is one line, not one per case.
                    Some(reason) if place == Place::Memory && mode == Mode::Restarted => {
                        plan.skip("memory:, restarted", &reason);
                    }
                    Some(reason) if place.is_dapr() => {
                        plan.skip(&format!("{}, {}", place.name(), mode.name()), &reason);
                    }
                    Some(reason) => plan.skip(&case.name, &reason),
                }
            }
        }
    }
    plan
}

fn add(plan: &mut Plan, case: &Case, place: Place, mode: Mode, differences: &Differences) {
    match differences.applied(case, place, None) {
        Some(case) => plan.jobs.push(Job { case, place, mode, without: None }),
        None => plan.skip(&case.name, "a difference of Dapr"),
    }
    if mode != Mode::Cached {
        return;
    }
    for (index, entry) in differences.of(case, place) {
        if let Some(case) = differences.applied(case, place, Some(index))
            && entry.is_needed_by_steps()
        {
            plan.jobs.push(Job { case, place, mode, without: Some(index) });
        }
    }
}
