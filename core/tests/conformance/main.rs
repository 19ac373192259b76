//! Runs the cases of `conformance/` against the embedded engine: on `memory:` and `sqlite:`, cached, with every turn a
//! replay, and with a restart after every step. `conformance/README.md` says what a case is.

#![allow(clippy::print_stdout, reason = "this is a test runner of its own")]

mod case;
mod coverage;
mod expect;
mod records;
mod steps;
mod world;

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Instant;

use case::{Case, Fixtures};
use coverage::Coverage;
use records::Records;
use world::{Mode, Place, World};

/// How many runs are under way at a time; most of a run is waiting.
const SIDE_BY_SIDE: usize = 8;

struct Job {
    case: usize,
    place: Place,
    mode: Mode,
}

type Done = Result<Option<Records>, String>;

fn main() -> ExitCode {
    let filter = std::env::args().skip(1).find(|argument| !argument.starts_with('-'));
    let mut cases = case::cases();
    let mut coverage = Coverage::new(case::capabilities(), &cases);
    let mut faults: Vec<String> = Vec::new();
    if let Some(filter) = &filter {
        cases.retain(|case| case.name.starts_with(filter.as_str()));
        if cases.is_empty() {
            // The filter of a run over all tests was meant for others; without a filter no cases are a failure.
            println!("no case begins with {filter:?}");
            return ExitCode::SUCCESS;
        }
    }
    let (jobs, skips) = plan(&cases, &coverage, &mut faults);
    let started = Instant::now();
    let results = run_all(&cases, &jobs);
    let mut records: BTreeMap<&str, Vec<(&Job, Records)>> = BTreeMap::new();
    for (job, result) in jobs.iter().zip(results) {
        let case = &cases[job.case];
        match result {
            Ok(found) => {
                coverage.ran(case, job.mode);
                records.entry(case.name.as_str()).or_default().extend(found.map(|found| (job, found)));
            }
            Err(fault) => faults.push(format!("{}: {fault}", label(case, job))),
        }
    }
    for (name, records) in &records {
        faults.extend(differences(name, records));
    }
    if filter.is_none() {
        faults.extend(coverage.report());
    }
    for ((case, reason), count) in &skips {
        println!("skipped {count} × {case}: {reason}");
    }
    faults.iter().for_each(|fault| println!("FAILED {fault}"));
    let seconds = started.elapsed().as_secs_f64();
    println!("{} cases, {} runs, {} faults, {seconds:.1} s", cases.len(), jobs.len(), faults.len());
    if faults.is_empty() && !jobs.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

type Skips = BTreeMap<(String, String), usize>;

fn plan(cases: &[Case], coverage: &Coverage, faults: &mut Vec<String>) -> (Vec<Job>, Skips) {
    let (mut jobs, mut skips) = (Vec::new(), Skips::new());
    for (index, case) in cases.iter().enumerate() {
        if let Some(need) = coverage.missing(case) {
            faults.push(format!(
                "{} needs {need:?}, which nothing has and coverage.json does not list",
                case.name
            ));
            continue;
        }
        for place in Place::ALL {
            for mode in Mode::ALL {
                match coverage.skipped(case, place, mode) {
                    None => jobs.push(Job { case: index, place, mode }),
                    // A whole mode that a component does not have is one line, not one per case.
                    Some(reason) if place == Place::Memory && mode == Mode::Restarted => {
                        *skips.entry(("memory:, restarted".to_owned(), reason.to_owned())).or_default() += 1;
                    }
                    Some(reason) => *skips.entry((case.name.clone(), reason.to_owned())).or_default() += 1,
                }
            }
        }
    }
    (jobs, skips)
}

fn run_all(cases: &[Case], jobs: &[Job]) -> Vec<Done> {
    let fixtures = Arc::new(case::fixtures());
    let next = AtomicUsize::new(0);
    let results: Vec<Mutex<Option<Done>>> = jobs.iter().map(|_| Mutex::new(None)).collect();
    std::thread::scope(|scope| {
        for _ in 0..SIDE_BY_SIDE {
            scope.spawn(|| {
                while let Some(job) = jobs.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let done = catch_unwind(AssertUnwindSafe(|| run(&cases[job.case], job, &fixtures)));
                    let done = done.unwrap_or_else(|_| Err("it panicked".to_owned()));
                    let index =
                        jobs.iter().position(|other| std::ptr::eq(other, job)).expect("it is one of them");
                    *results[index].lock().expect("nobody panics here") = Some(done);
                }
            });
        }
    });
    let done = |result: Mutex<Option<Done>>| result.into_inner().ok().flatten().expect("all have run");
    results.into_iter().map(done).collect()
}

fn run(case: &Case, job: &Job, fixtures: &Arc<Fixtures>) -> Done {
    let mut world = World::open(job.place, job.mode, fixtures.clone(), &case.fixtures)
        .map_err(|error| format!("it cannot be opened: {error}"))?;
    steps::run(case, &mut world, job.mode)?;
    // Random values differ from run to run by design.
    Ok(records::of(&world, case.feature != "determinism"))
}

/// All runs of a case leave the same histories.
fn differences(name: &str, records: &[(&Job, Records)]) -> Vec<String> {
    let Some(((_, first), others)) = records.split_first() else { return Vec::new() };
    let differing = others.iter().filter(|(_, found)| found != first);
    differing
        .map(|(job, found)| {
            let place = format!("{} {}", job.place.scheme(), job.mode.name());
            format!("{name}: {place} left another history\n  first {first:?}\n  here  {found:?}")
        })
        .collect()
}

fn label(case: &Case, job: &Job) -> String {
    format!("{} on {} {}", case.name, job.place.scheme(), job.mode.name())
}
