//! The ceiling: what the core does with five-activity workflows when the host costs nearly nothing.
//!
//! A host in Rust speaks the bridge's text on two threads, as every language does; the callers are futures on one thread
//! in a closed loop. What a language loses against this figure is its own.
//!
//! `engine --dir DIR [--in-flight N] [--seconds S] [--durability full|process]`

mod callers;
mod host;

use std::error::Error;
use std::io::Write as _;
use std::path::PathBuf;
use std::time::Duration;

use everstep::engine::store::Durability;
use everstep::{Client, ClientOptions};

use serde_json::json;

/// What the command line asks for.
struct Options {
    dir: PathBuf,
    in_flight: usize,
    seconds: f64,
    durability: Durability,
}

impl Options {
    fn parse() -> Result<Self, Box<dyn Error + Send + Sync>> {
        let mut options = Self {
            dir: PathBuf::from(".cache/bench"),
            in_flight: 256,
            seconds: 2.0,
            durability: Durability::Full,
        };
        let mut arguments = std::env::args().skip(1);
        while let Some(name) = arguments.next() {
            let value = arguments.next().ok_or(format!("{name} needs a value"))?;
            match name.as_str() {
                "--dir" => options.dir = value.into(),
                "--in-flight" => options.in_flight = value.parse()?,
                "--seconds" => options.seconds = value.parse()?,
                "--durability" if value == "full" => options.durability = Durability::Full,
                "--durability" if value == "process" => options.durability = Durability::Process,
                _ => return Err(format!("unknown argument {name} {value}").into()),
            }
        }
        Ok(options)
    }
}

fn main() -> Result<(), Box<dyn Error + Send + Sync>> {
    let options = Options::parse()?;
    std::fs::create_dir_all(&options.dir)?;
    let path = options.dir.join("engine.db");
    for suffix in ["", "-wal", "-shm", ".lock"] {
        // What is not there need not be removed.
        let _ = std::fs::remove_file(format!("{}{suffix}", path.display()));
    }
    let endpoint = format!("sqlite:{}", path.display());
    let client = Client::open(ClientOptions::at(endpoint).durability(options.durability))?;
    let host = host::Host::start(&client)?;
    let span = Duration::from_secs_f64(options.seconds);
    let done = callers::closed_loop(&client, options.in_flight, span)?;
    host.stop();
    client.close();
    let line = json!({
        "measure": "engine", "in_flight": options.in_flight, "wf_per_s": done.per_second,
        "cpu_us": done.cpu_us, "disk_kb": std::fs::metadata(&path)?.len() as f64 / done.workflows as f64 / 1e3,
    });
    writeln!(std::io::stdout(), "{line}")?;
    Ok(())
}
