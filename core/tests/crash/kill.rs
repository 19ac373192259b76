//! SIGKILL under load, again and again on one file.

use std::collections::{BTreeMap, HashSet};
use std::path::Path;
use std::time::{Duration, Instant};

use everstep::engine::store::Durability;
use everstep::engine::store::Store;
use everstep::engine::store::sqlite::SqliteStore;
use everstep::testkit::disk::below;
use everstep::testkit::scratch::Scratch;
use rusqlite::Connection;

use crate::child::{Child, Files, lines};
use crate::orders::{STEPS, child_of};
use crate::phase::{Phase, PhaseFile};
use crate::register::Told;
use crate::verify::{self, Found, is_order};

const KILLS: u32 = 50;
/// How many kills must hit a commit before its answers were released.
const IN_COMMIT: u32 = 30;
/// How many of those must hit each half of it.
const IN_EACH_PHASE: u32 = 8;
/// So many kills without the numbers above mean that this machine does not hit what it aims at.
const TOO_MANY: u32 = 200;

/// What the parent knows of the file and of the world between two lives.
#[derive(Default)]
struct Before {
    results: HashSet<(String, i32)>,
    ledger: usize,
}

#[test]
fn what_was_acknowledged_survives_every_kill() {
    let scratch = Scratch::new();
    let files = Files::begin(&scratch);
    let (phase, mut random) = (files.phase(), 42);
    let (mut writing, mut flushed, mut kills, mut found_out) = (0, 0, 0, 0);
    let mut before = Before::default();
    while kills < KILLS || writing + flushed < IN_COMMIT || writing.min(flushed) < IN_EACH_PHASE {
        assert!(kills < TOO_MANY, "{kills} kills: {writing} before the flush, {flushed} behind it");
        match one_life(&files, &phase, kills, &mut random) {
            Phase::Writing => writing += 1,
            Phase::Flushed => flushed += 1,
            Phase::Outside => {}
        }
        kills += 1;
        found_out += u32::from(damage_is_seen(&files));
        before = check(&files, &before).unwrap_or_else(|text| panic!("after kill {kills}: {text}"));
    }
    // A kill right after the log was folded in leaves nothing to lose.
    assert!(found_out > kills / 4, "only {found_out} files were found to miss their log");
    let told = Told::in_file(&files.register());
    phase.reset();
    Child::begin("finish", &files, kills).await_end();
    let repeated = check_end(&files, &before).unwrap_or_else(|text| panic!("at the end: {text}"));
    println!(
        "{kills} kills: {writing} before a flush, {flushed} between a flush and its answers; {found_out} lost logs found out; {} acknowledged, \
         {} instances, {repeated} activities repeated",
        told.acknowledged(),
        told.starts.len(),
    );
}

/// Runs a child and kills it; gives where that met the engine's thread.
fn one_life(files: &Files, phase: &PhaseFile, life: u32, random: &mut u64) -> Phase {
    phase.reset();
    let mut child = Child::begin("load", files, life);
    if life % 6 == 5 {
        // While it opens the file and takes up what the last life left.
        std::thread::sleep(micros(random, 40_000));
    } else {
        await_that(|| phase.load_has_begun(), Duration::from_secs(60));
        std::thread::sleep(micros(random, 60_000));
        let aim = [Phase::Writing, Phase::Flushed][life as usize % 2];
        // A load that is through has no more commits; the kill is as good then, it only does not count as one in a commit.
        await_that(|| phase.get() == aim, Duration::from_secs(2));
    }
    child.kill();
    phase.get()
}

fn micros(random: &mut u64, limit: u64) -> Duration {
    Duration::from_micros(below(random, limit))
}

/// Without a sleep: what is aimed at may last for microseconds.
fn await_that(holds: impl Fn() -> bool, limit: Duration) {
    let until = Instant::now() + limit;
    while !holds() && Instant::now() < until {
        std::thread::yield_now();
    }
}

/// A copy of the file and its log as the kill left them, so that the next life finds them untouched.
fn copy(files: &Files) -> Files {
    let copy = Files(files.0.join("copy"));
    let _ = std::fs::remove_dir_all(&copy.0);
    std::fs::create_dir(&copy.0).unwrap();
    for name in ["workflows.db", "workflows.db-wal"] {
        match std::fs::copy(files.0.join(name), copy.0.join(name)) {
            Ok(_) => {}
            Err(error) => assert_eq!(error.kind(), std::io::ErrorKind::NotFound, "{error}"),
        }
    }
    copy
}

fn read(path: &Path) -> Result<Found, String> {
    let check = |connection: Connection| {
        connection.query_row("PRAGMA integrity_check", [], |row| row.get::<_, String>(0))
    };
    let answer = Connection::open(path).and_then(check).map_err(|error| error.to_string())?;
    if answer != "ok" {
        return Err(answer);
    }
    let store = SqliteStore::open(path, Durability::Full).map_err(|error| error.to_string())?;
    verify::read(store.reader().as_ref())
}

fn check(files: &Files, before: &Before) -> Result<Before, String> {
    let found = read(&copy(files).store())?;
    found.hold_against(&Told::in_file(&files.register()))?;
    let ledger = lines(&files.ledger());
    // What was recorded when the last life ended is not asked for in this one.
    for line in &ledger[before.ledger..] {
        let (id, task) = entry(line);
        if before.results.contains(&(id.clone(), task)) {
            return Err(format!("{id}: task {task} has a result, and ran again"));
        }
    }
    if let Some(lost) = before.results.difference(&found.results).next() {
        return Err(format!("the result of {lost:?} is gone"));
    }
    Ok(Before { results: found.results, ledger: ledger.len() })
}

fn entry(line: &str) -> (String, i32) {
    let words: Vec<&str> = line.split(' ').collect();
    (words[0].to_owned(), words[1].parse().expect("the ledger has numbers"))
}

/// Everything has ended once; every activity ran at least once, under one key. Gives how many ran more often.
fn check_end(files: &Files, before: &Before) -> Result<usize, String> {
    check(files, before)?;
    let found = read(&copy(files).store())?;
    found.hold_end()?;
    let mut keys: BTreeMap<(String, i32), HashSet<String>> = BTreeMap::new();
    let ledger = lines(&files.ledger());
    for line in &ledger {
        keys.entry(entry(line)).or_default().insert(line.split(' ').nth(2).unwrap_or_default().to_owned());
    }
    for (task, keys) in &keys {
        if keys.len() != 1 {
            return Err(format!("{task:?} ran under several keys: {keys:?}"));
        }
    }
    let distinct: HashSet<&String> = keys.values().flatten().collect();
    if distinct.len() != keys.len() {
        return Err("two activities have one key".to_owned());
    }
    for id in found.statuses.keys().filter(|id| is_order(id)) {
        let ran = |id: &str| keys.keys().filter(|(found, _)| found == id).count();
        let counts = (ran(id), ran(&child_of(id)));
        if counts != (STEPS, 1) {
            return Err(format!("{id} and its child ran {counts:?} different activities"));
        }
    }
    Ok(ledger.len() - keys.len())
}

/// Whether the check finds out that a file has lost what stood in its log.
fn damage_is_seen(files: &Files) -> bool {
    let copy = copy(files);
    let _ = std::fs::remove_file(copy.0.join("workflows.db-wal"));
    let told = Told::in_file(&files.register());
    read(&copy.store()).and_then(|found| found.hold_against(&told)).is_err()
}
