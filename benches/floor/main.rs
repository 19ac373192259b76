//! The floor: what SQLite and the disk can do with the commits of a five-activity workflow and no engine at all.
//!
//! Every workflow is 7 commits of fixed bytes, one after the other; `--in-flight` of them run at a time. Each load runs
//! on SQLite as everstep sets it up and on a raw preallocated log, in turns, so that both see the same machine.
//! Results go to standard output as JSON lines, a table for people to standard error. The program ends with status 1
//! if SQLite falls below its part of the raw log: then the floor itself is broken and nothing may be measured by it.

mod flush;
mod raw;
mod run;
mod sqlite;
mod workload;

use std::io::Write as _;
use std::path::PathBuf;
use std::time::Duration;

use serde_json::json;

use crate::run::{Failure, Log, Measured, closed_loop};

/// The part of the raw log's rate that SQLite must reach, by workflows in flight.
const LEAST: [(usize, f64); 2] = [(32, 0.35), (256, 0.25)];

/// What the command line asks for.
struct Options {
    dir: PathBuf,
    in_flight: Vec<usize>,
    runs: usize,
    seconds: f64,
}

impl Options {
    fn parse() -> Result<Self, Failure> {
        let mut options =
            Self { dir: PathBuf::from(".cache/bench"), in_flight: vec![1, 32, 256], runs: 3, seconds: 2.0 };
        let mut arguments = std::env::args().skip(1);
        while let Some(name) = arguments.next() {
            let mut value = || arguments.next().ok_or(format!("{name} needs a value"));
            match name.as_str() {
                "--dir" => options.dir = value()?.into(),
                "--runs" => options.runs = value()?.parse()?,
                "--seconds" => options.seconds = value()?.parse()?,
                "--in-flight" => {
                    options.in_flight = value()?.split(',').map(str::parse).collect::<Result<_, _>>()?;
                }
                other => {
                    let known = "--dir, --runs, --seconds and --in-flight";
                    return Err(format!("unknown argument {other}: use {known}").into());
                }
            }
        }
        if options.runs == 0 || options.in_flight.contains(&0) || !(0.1..=60.0).contains(&options.seconds) {
            return Err("--runs and --in-flight are at least 1, --seconds between 0.1 and 60".into());
        }
        Ok(options)
    }
}

fn main() -> Result<(), Failure> {
    let options = Options::parse()?;
    std::fs::create_dir_all(&options.dir)?;
    let span = Duration::from_secs_f64(options.seconds);

    let flush = flush::measure(&options.dir, span)?;
    line(
        &json!({"measure": "flush", "samples": flush.samples, "p50_us": flush.p50_us, "p99_us": flush.p99_us}),
    )?;
    note(&format!("flush of 4 to 16 KiB: p50 {:.0} µs, p99 {:.0} µs", flush.p50_us, flush.p99_us))?;
    note(&format!(
        "{:>9}  {:<6} {:>8} {:>9} {:>9} {:>11}",
        "in flight", "log", "wf/s", "ack p50", "ack p99", "writer CPU"
    ))?;

    let mut kept = true;
    for &in_flight in &options.in_flight {
        let (mut raw, mut sqlite) = (Vec::new(), Vec::new());
        for _ in 0..options.runs {
            raw.push(measure("raw", in_flight, span, raw::RawLog::create(&options.dir)?)?);
            sqlite.push(measure("sqlite", in_flight, span, sqlite::SqliteLog::create(&options.dir)?)?);
        }
        kept &= judge(in_flight, &raw, &sqlite)?;
    }
    if kept { Ok(()) } else { Err("sqlite is below its part of the raw log".into()) }
}

/// Runs one load on one log and prints what came out.
fn measure<L: Log>(name: &str, in_flight: usize, span: Duration, log: L) -> Result<Measured, Failure> {
    let measured = closed_loop(log, in_flight, span)?;
    line(&json!({
        "measure": "run", "log": name, "in_flight": in_flight, "wf_per_s": measured.per_second,
        "workflows": measured.workflows, "ack_p50_us": measured.ack_p50_us, "ack_p99_us": measured.ack_p99_us,
        "writer_cpu_us": measured.writer_cpu_us, "process_cpu_us": measured.process_cpu_us,
    }))?;
    note(&format!(
        "{in_flight:>9}  {name:<6} {:>8.0} {:>6.0} µs {:>6.0} µs {:>8.0} µs",
        measured.per_second, measured.ack_p50_us, measured.ack_p99_us, measured.writer_cpu_us
    ))?;
    Ok(measured)
}

/// Compares the medians; true if SQLite reaches its part or none is set for this load.
fn judge(in_flight: usize, raw: &[Measured], sqlite: &[Measured]) -> Result<bool, Failure> {
    let (raw, sqlite) = (median(raw), median(sqlite));
    let ratio = sqlite / raw;
    let least = LEAST.iter().find(|(n, _)| *n == in_flight).map(|(_, least)| *least);
    let reached = least.is_none_or(|least| ratio >= least);
    line(&json!({
        "measure": "floor", "in_flight": in_flight, "sqlite_wf_per_s": sqlite, "raw_wf_per_s": raw,
        "ratio": ratio, "least": least, "reached": reached,
    }))?;
    if let Some(least) = least {
        let verdict = if reached { "reached" } else { "MISSED" };
        note(&format!(
            "{in_flight:>9}  sqlite is {:.0} % of the raw log, at least {:.0} %: {verdict}",
            ratio * 100.0,
            least * 100.0
        ))?;
    }
    Ok(reached)
}

fn median(runs: &[Measured]) -> f64 {
    let mut rates: Vec<f64> = runs.iter().map(|run| run.per_second).collect();
    rates.sort_by(f64::total_cmp);
    rates[rates.len() / 2]
}

fn line(value: &serde_json::Value) -> std::io::Result<()> {
    writeln!(std::io::stdout(), "{value}")
}

fn note(text: &str) -> std::io::Result<()> {
    writeln!(std::io::stderr(), "{text}")
}
