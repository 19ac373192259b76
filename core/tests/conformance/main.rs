//! Runs the cases of `conformance/`: on the embedded engine (`memory:` and `sqlite:`), or with `--place` on a real Dapr;
//! cached, with every turn a replay, and with a restart after every step. `conformance/README.md` says what a case is.

#![allow(clippy::print_stdout, reason = "this is a test runner of its own")]

mod case;
mod coverage;
mod differences;
mod expect;
mod place;
mod plan;
mod records;
mod steps;
mod sweep;
mod world;

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use case::Fixtures;
use coverage::Coverage;
use differences::Differences;
use place::{Place, Sidecar};
use plan::{Job, Wanted};
use records::Records;
use sweep::Keeper;
use world::World;

/// How many runs on embedded engines are under way at a time; most of a run is waiting.
const SIDE_BY_SIDE: usize = 8;

type Done = Result<Option<Records>, String>;

fn main() -> ExitCode {
    let wanted = match Wanted::of(std::env::args().skip(1)) {
        Ok(wanted) => wanted,
        Err(text) => {
            println!("{text}");
            return ExitCode::FAILURE;
        }
    };
    let mut cases = case::cases();
    let (differences, mut faults) = Differences::read(&cases);
    let mut coverage = Coverage::new(&differences.runtime, &cases);
    if let Some(filter) = &wanted.filter {
        cases.retain(|case| case.name.starts_with(filter.as_str()));
        if cases.is_empty() {
            // The filter of a run over all tests was meant for others; without a filter no cases are a failure.
            println!("no case begins with {filter:?}");
            return ExitCode::SUCCESS;
        }
    }
    let plan = plan::make(&cases, &wanted, &coverage, &differences, &mut faults);
    let started = Instant::now();
    let mut records: BTreeMap<&str, Vec<(&Job, Records)>> = BTreeMap::new();
    let (mut failed, mut times) = (0, Vec::new());
    for (job, (result, took)) in plan.jobs.iter().zip(run_all(&plan.jobs, &wanted.sidecars)) {
        times.push((took, job));
        match result {
            Ok(found) => {
                coverage.ran(&job.case, job.mode);
                let of = records.entry(job.case.name.as_str()).or_default();
                of.extend(found.map(|found| (job, found)));
            }
            Err(_) => failed += 1,
        }
    }
    for (name, records) in &records {
        faults.extend(compared(name, records, &differences));
    }
    if wanted.filter.is_none() && !wanted.on_dapr() {
        faults.extend(coverage.report());
    }
    for ((what, reason), count) in &plan.skips {
        println!("skipped {count} × {what}: {reason}");
    }
    if wanted.on_dapr() {
        times.sort_unstable_by_key(|(took, _)| std::cmp::Reverse(*took));
        times.iter().take(10).for_each(|(took, job)| println!("{:5.1} s {job}", took.as_secs_f64()));
    }
    faults.iter().for_each(|fault| println!("FAILED {fault}"));
    let seconds = started.elapsed().as_secs_f64();
    failed += faults.len();
    println!("{} cases, {} runs, {failed} faults, {seconds:.1} s", cases.len(), plan.jobs.len());
    if failed == 0 && !plan.jobs.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Runs all jobs, those on embedded engines first; a run on Dapr has a sidecar to itself.
fn run_all(jobs: &[Job], sidecars: &[Sidecar]) -> Vec<(Done, Duration)> {
    let fixtures = Arc::new(case::fixtures());
    let results: Vec<Mutex<Option<(Done, Duration)>>> = jobs.iter().map(|_| Mutex::new(None)).collect();
    let work = |next: &AtomicUsize, these: &[usize], sidecar: Option<&Sidecar>| {
        let mut keeper = None;
        while let Some(index) = these.get(next.fetch_add(1, Ordering::Relaxed)) {
            let began = Instant::now();
            let job = &jobs[*index];
            let mut once = || {
                let done = catch_unwind(AssertUnwindSafe(|| run(job, sidecar, &mut keeper, &fixtures)));
                judged(job, done.unwrap_or_else(|_| Err("it panicked".to_owned())))
            };
            let mut done = once();
            if let (Err(fault), true) = (&done, job.place.is_dapr()) {
                // A real runtime under load has races of its own; what fails twice is a fault.
                println!("again, for it failed: {job}: {fault}");
                done = once();
            }
            if let Err(fault) = &done {
                // At once: a run on Dapr takes minutes.
                println!("FAILED {}: {fault}", jobs[*index]);
            }
            *results[*index].lock().expect("nobody panics here") = Some((done, began.elapsed()));
        }
    };
    let (dapr, embedded): (Vec<usize>, Vec<usize>) =
        (0..jobs.len()).partition(|index| jobs[*index].place.is_dapr());
    let (next_dapr, next_embedded) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let (work, next_dapr, next_embedded, dapr, embedded) =
        (&work, &next_dapr, &next_embedded, &dapr, &embedded);
    std::thread::scope(|scope| {
        for _ in 0..SIDE_BY_SIDE {
            scope.spawn(move || work(next_embedded, embedded, None));
        }
    });
    std::thread::scope(|scope| {
        for sidecar in sidecars {
            scope.spawn(move || work(next_dapr, dapr, Some(sidecar)));
        }
    });
    let done = |result: Mutex<Option<_>>| result.into_inner().ok().flatten().expect("all have run");
    results.into_iter().map(done).collect()
}

/// A run that leaves an entry of `differences.json` out should fail.
fn judged(job: &Job, done: Done) -> Done {
    match (job.without, done) {
        (None, done) => done,
        (Some(_), Ok(_)) => Err("it would pass without its entry in differences.json".to_owned()),
        (Some(_), Err(_)) => Ok(None),
    }
}

fn run(job: &Job, sidecar: Option<&Sidecar>, keeper: &mut Option<Keeper>, fixtures: &Arc<Fixtures>) -> Done {
    let mut world =
        World::open(job.place, sidecar, job.mode, job.patience(), fixtures.clone(), &job.case.fixtures)
            .map_err(|error| format!("it cannot be opened: {error}"))?;
    *keeper = None;
    let taken = steps::run(&job.case, &mut world, job.mode);
    // Random values differ from run to run by design.
    let found = taken.is_ok().then(|| records::of(&world, job.case.feature != "determinism")).flatten();
    if let Some(sidecar) = sidecar {
        let opened = Keeper::open(sidecar, fixtures).map_err(|error| format!("no keeper: {error}"))?;
        drop(world);
        let swept = keeper.insert(opened).sweep();
        return taken.and(swept).map(|()| found);
    }
    taken.map(|()| found)
}

/// All runs of a case leave the same histories, except where it is said.
fn compared(name: &str, records: &[(&Job, Records)], differences: &Differences) -> Vec<String> {
    let Some(((_, first), others)) = records.split_first() else { return Vec::new() };
    let mut faults = Vec::new();
    for place in Place::ALL {
        let here = || others.iter().filter(|(job, _)| job.place == place);
        let differing: Vec<_> = here().filter(|(_, found)| found != first).collect();
        match here().next() {
            Some((job, _)) if differences.other_history(&job.case, place) => {
                if differing.is_empty() && differences.always_other_history(&job.case, place) {
                    faults.push(format!("{name}: on {} it leaves the same history", place.name()));
                }
            }
            _ => faults.extend(differing.into_iter().map(|(job, found)| {
                format!("{job} left another history\n  first {first:?}\n  here  {found:?}")
            })),
        }
    }
    faults
}
