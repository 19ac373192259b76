//! This test binary as a process of its own, which a test may kill.

use std::io::{BufRead, BufReader, Write};
use std::os::unix::process::parent_id;
use std::path::{Path, PathBuf};
use std::process::{ChildStdout, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use everstep::Client;
use everstep::engine::store::Durability;
use everstep::engine::store::sqlite::SqliteStore;
use everstep::engine::{Engine, Time};
use everstep::testkit::scratch::Scratch;

use crate::PATIENCE;
use crate::load::Caller;
use crate::orders;
use crate::phase::{Marked, PhaseFile};
use crate::register::InFile;

const PART: &str = "EVERSTEP_CRASH_PART";
const DIRECTORY: &str = "EVERSTEP_CRASH_DIRECTORY";
const LIFE: &str = "EVERSTEP_CRASH_LIFE";

/// The files of one story, all in one directory.
#[derive(Clone, Debug)]
pub(crate) struct Files(pub(crate) PathBuf);

impl Files {
    /// A story that begins here. Without links, because engines are known by the real names of their files.
    pub(crate) fn begin(scratch: &Scratch) -> Files {
        let directory = scratch.directory().canonicalize().expect("the directory is there").join("story");
        std::fs::create_dir(&directory).expect("the directory can be written");
        Files(directory)
    }

    pub(crate) fn store(&self) -> PathBuf {
        self.0.join("workflows.db")
    }

    pub(crate) fn endpoint(&self) -> String {
        format!("sqlite:{}", self.store().display())
    }

    pub(crate) fn register(&self) -> PathBuf {
        self.0.join("register")
    }

    pub(crate) fn ledger(&self) -> PathBuf {
        self.0.join("ledger")
    }

    pub(crate) fn phase(&self) -> PhaseFile {
        PhaseFile::open(&self.0.join("phase"))
    }
}

/// A child process. Dropping it kills it.
pub(crate) struct Child(pub(crate) std::process::Child);

impl Child {
    /// Begins a part of [`in_a_process_of_its_own`].
    pub(crate) fn begin(part: &str, files: &Files, life: u32) -> Child {
        let program = std::env::current_exe().expect("the test binary has a path");
        let child = Command::new(program)
            .args(["child::in_a_process_of_its_own", "--exact", "--ignored", "--nocapture"])
            .env(PART, part)
            .env(DIRECTORY, &files.0)
            .env(LIFE, life.to_string())
            .stdout(Stdio::piped())
            .spawn();
        Child(child.expect("the child process starts"))
    }

    /// SIGKILL, and waits until the process is gone.
    pub(crate) fn kill(&mut self) {
        self.0.kill().expect("the child can be killed");
        self.0.wait().expect("the child can be waited for");
    }

    /// Waits until the child says that it is ready.
    pub(crate) fn await_ready(&mut self) {
        let output: ChildStdout = self.0.stdout.take().expect("asked for once");
        let ready = BufReader::new(output).lines().map_while(Result::ok).any(|line| line.ends_with("ready"));
        assert!(ready, "the child ended before it was ready");
    }

    /// Waits until it ends by itself.
    pub(crate) fn await_end(&mut self) {
        let until = Instant::now() + 2 * PATIENCE;
        loop {
            if let Some(status) = self.0.try_wait().expect("the child can be waited for") {
                return assert!(status.success(), "the child ended with {status}");
            }
            assert!(Instant::now() < until, "the child does not end");
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
#[ignore = "is the child process of other tests"]
fn in_a_process_of_its_own() {
    let variable = |name: &str| std::env::var(name).ok();
    let (Some(part), Some(directory)) = (variable(PART), variable(DIRECTORY)) else { return };
    let life = variable(LIFE).and_then(|life| life.parse().ok()).expect("the parent gives a number");
    let files = Files(PathBuf::from(directory));
    outlive_no_parent();
    match part.as_str() {
        "load" => load(&files, life),
        "finish" => finish(&files),
        "own" => own(&files),
        "leave" => leave(&files),
        other => panic!("there is no part {other:?}"),
    }
}

/// Ends this process with its parent, and in any case after a while.
fn outlive_no_parent() {
    let (parent, until) = (parent_id(), Instant::now() + 2 * PATIENCE);
    std::thread::spawn(move || {
        while parent_id() == parent && Instant::now() < until {
            std::thread::sleep(Duration::from_millis(50));
        }
        std::process::exit(3);
    });
}

fn wait_for_the_end() -> ! {
    loop {
        std::thread::park();
    }
}

/// An engine whose commits are marked, and a client of it.
fn engine(files: &Files) -> (Arc<Engine>, Client) {
    let endpoint = files.endpoint();
    let engine = Engine::shared(&endpoint, Durability::Full, Time::Wall, || {
        let store = SqliteStore::open(files.store(), Durability::Full)?;
        Ok(Box::new(Marked::new(store, files.phase())))
    });
    let engine = engine.expect("the file can be opened after a kill");
    (engine, orders::open(&endpoint).expect("the client opens"))
}

fn load(files: &Files, life: u32) {
    let (_engine, client) = engine(files);
    let _workers = orders::workers(&client, Some(&files.ledger()));
    let register = InFile(files.register());
    std::thread::scope(|scope| {
        for number in 0..4 {
            let caller = Caller { client: &client, register: &register, life, number, orders: 60 };
            scope.spawn(move || caller.run().expect("nothing is wrong until the kill"));
        }
        files.phase().begin_load();
    });
    wait_for_the_end();
}

fn finish(files: &Files) {
    let (_engine, client) = engine(files);
    let workers = orders::workers(&client, Some(&files.ledger()));
    crate::load::finish(&client, &workers).expect("everything ends");
}

/// Owns the file, with one instance that waits.
fn own(files: &Files) {
    let client = orders::open(&files.endpoint()).expect("the file has no owner");
    let _workers = orders::workers(&client, None);
    orders::start(&client, "box", "box-0-0", Some("[]".to_owned())).expect("it starts");
    let started = client.wait_for_start(None, "box-0-0", Some(PATIENCE), false);
    everstep::runtime::wait_on(started, None).expect("its first turn is written");
    orders::raise(&client, "box-0-0", "first").expect("it is raised");
    say_ready();
    wait_for_the_end();
}

/// Leaves instances behind whose activities nobody has begun.
fn leave(files: &Files) {
    let client = orders::open(&files.endpoint()).expect("the file has no owner");
    crate::recovery::leave_behind(&client);
    say_ready();
    wait_for_the_end();
}

fn say_ready() {
    let mut output = std::io::stdout();
    output.write_all(b"\nready\n").and_then(|()| output.flush()).expect("the parent listens");
}

pub(crate) fn lines(path: &Path) -> Vec<String> {
    std::fs::read_to_string(path).unwrap_or_default().lines().map(str::to_owned).collect()
}
