//! Lives of an engine by seed, and the seeded bugs that they must find.
//!
//! `EVERSTEP_SEEDS=5000` lives more of them, `EVERSTEP_SEED=42` only one.

use everstep::testkit::{mutants, simulation};

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().expect("a number"))
}

#[test]
fn every_life_ends_well() {
    if let Some(seed) = number("EVERSTEP_SEED") {
        println!("{:?}", simulation::run(seed).expect("the life of this seed ends well"));
        return;
    }
    let seeds = number("EVERSTEP_SEEDS").unwrap_or(2_000);
    let (mut deaths, mut commits, mut instances, mut reruns, mut stalled) = (0, 0, 0, 0, 0);
    for seed in 0..seeds {
        match simulation::run(seed) {
            Ok(report) => {
                deaths += report.deaths;
                commits += report.commits;
                instances += report.instances;
                reruns += report.reruns;
                stalled += report.stalled;
            }
            Err(violation) => panic!("seed {seed}: {violation}; run again with EVERSTEP_SEED={seed}"),
        }
    }
    println!(
        "{seeds} lives, {deaths} deaths, {commits} commits, {instances} instances, {reruns} of them reruns, ended as they had to, \
         {stalled} after a stall"
    );
    assert!(stalled > seeds / 10, "too few stalls to prove anything");
    assert!(reruns > seeds, "too few reruns to prove anything");
    assert!(deaths > seeds, "the lives are too quiet to prove anything");
}

#[test]
fn a_seed_is_one_life() {
    for seed in 0..100 {
        let (once, again) = (simulation::run(seed).unwrap(), simulation::run(seed).unwrap());
        assert_eq!(once, again, "seed {seed}");
    }
}

#[test]
fn every_seeded_bug_is_found() {
    for (mutant, what) in mutants::ALL {
        let found = mutants::with(mutant, || {
            (0..2_000).find_map(|seed| simulation::run(seed).err().map(|text| (seed, text)))
        });
        let (seed, violation) =
            found.unwrap_or_else(|| panic!("the mutant {mutant} ({what}) survives 2,000 seeds"));
        println!("{mutant}: seed {seed}: {violation}");
    }
}
