//! Prints what the SQLite store costs a five-activity workflow: processor time, bytes on disk, and reads.
//!
//! `cargo run --release --example store_cost [directory]`: seven commits a workflow, all workflows in flight advancing by
//! one in every commit, each at its own stage, about 3.8 KB of records. Linux only: processor time comes from /proc.
#![allow(clippy::print_stdout, clippy::unwrap_used, missing_docs)]

use std::path::Path;
use std::time::Instant;

use bytes::Bytes;
use everstep::engine::store::sqlite::SqliteStore;
use everstep::engine::store::{Durability, InboxRow, InstanceRow, Key, Op, Store};
use everstep::model::{Filter, Micros, RuntimeStatus};

const STAGES: usize = 7;

struct Flow {
    row: InstanceRow,
    stage: usize,
    start: i64,
}

struct Load {
    flows: Vec<Flow>,
    next_key: i64,
    next_inbox: i64,
    time: i64,
    record: Bytes,
    finished: usize,
}

impl Load {
    fn new(in_flight: usize) -> Load {
        let mut load = Load {
            flows: Vec::new(),
            next_key: 1,
            next_inbox: 1,
            time: 1_790_000_000_000_000,
            record: (0..560_u32).map(|index| (index * 7 % 251) as u8).collect::<Vec<_>>().into(),
            finished: 0,
        };
        for index in 0..in_flight {
            let flow = Flow { row: load.row(), stage: index % STAGES, start: 0 };
            load.flows.push(flow);
        }
        load
    }

    fn row(&mut self) -> InstanceRow {
        self.next_key += 1;
        InstanceRow {
            key: Key(self.next_key - 1),
            id: uuid::Uuid::new_v4().to_string(),
            execution_id: uuid::Uuid::new_v4().to_string(),
            name: "order_processing".into(),
            ..InstanceRow::default()
        }
    }

    /// Brings every flow on by one commit. The flows of the first round begin at their stage as if they were new.
    fn batch(&mut self) -> Vec<Op> {
        let mut ops = Vec::new();
        self.time += 1000;
        for index in 0..self.flows.len() {
            if self.flows[index].stage == STAGES {
                self.finished += 1;
                let row = self.row();
                self.flows[index] = Flow { row, stage: 0, start: 0 };
            }
            let (time, record, inbox) = (Micros(self.time), self.record.clone(), self.next_inbox);
            let flow = &mut self.flows[index];
            let key = flow.row.key;
            flow.row.updated_at = time;
            if flow.row.created_at == Micros(0) {
                flow.row.created_at = time;
                flow.row.has_work = true;
                ops.push(Op::Insert(Box::new(flow.row.clone())));
                ops.push(Op::PutInbox { key, row: InboxRow { id: inbox, event: record.slice(..400) } });
                flow.start = inbox;
                self.next_inbox += 1;
                flow.stage += 1;
                continue;
            }
            if flow.row.status == RuntimeStatus::Pending {
                flow.row.status = RuntimeStatus::Running;
                flow.row.started_at = Some(time);
                ops.push(Op::DropInbox { key, id: flow.start });
            }
            flow.stage += 1;
            if flow.stage == STAGES {
                flow.row.status = RuntimeStatus::Completed;
                flow.row.completed_at = Some(time);
                flow.row.has_work = false;
            }
            let turn = flow.row.next_turn;
            flow.row.next_turn += 1;
            ops.push(Op::Turn { key, turn, data: record });
            ops.push(Op::Update { row: Box::new(flow.row.clone()), expected_turn: turn });
        }
        ops
    }
}

fn cpu_nanoseconds() -> u64 {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    text.split(' ').next().unwrap().parse().unwrap()
}

fn run(directory: &Path, in_flight: usize, durability: Durability) {
    let path = directory.join(format!("cost-{in_flight}-{durability:?}.db"));
    for suffix in ["", "-wal", "-shm", ".lock"] {
        let _ = std::fs::remove_file(format!("{}{suffix}", path.display()));
    }
    let mut store = SqliteStore::open(&path, durability).unwrap();
    let mut load = Load::new(in_flight);
    let target = 30_000.min(in_flight * 200);
    let (mut cpu, began) = (0, Instant::now());
    let mut longest = std::time::Duration::ZERO;
    while load.finished < target {
        let ops = load.batch();
        let (before, at) = (cpu_nanoseconds(), Instant::now());
        store.commit(&ops).unwrap();
        longest = longest.max(at.elapsed());
        cpu += cpu_nanoseconds() - before;
    }
    let seconds = began.elapsed().as_secs_f64();
    let reader = store.reader();
    let ids: Vec<_> =
        reader.list(&Filter::default(), None, 2000).unwrap().into_iter().map(|row| row.id).collect();
    let mut reads: Vec<_> = ids.iter().map(|id| timed(|| drop(reader.ends(id).unwrap().unwrap()))).collect();
    reads.sort_unstable();
    let mut pages: Vec<_> =
        (0..50).map(|_| timed(|| drop(reader.list(&Filter::default(), None, 100).unwrap()))).collect();
    pages.sort_unstable();
    store.idle().unwrap();
    let bytes = std::fs::metadata(&path).unwrap().len();
    let micros = cpu as f64 / 1000.0 / load.finished as f64;
    let rate = load.finished as f64 / seconds;
    let kilobytes = bytes as f64 / 1024.0 / load.next_key as f64;
    println!(
        "{in_flight:4} in flight, {durability:?}: {rate:6.0}/s, {micros:5.1} us of processor and {kilobytes:.2} KiB a \
         workflow, longest commit {longest:.1?}; ends p50 {} p99 {} us; page of 100 p50 {} us",
        reads[reads.len() / 2],
        reads[reads.len() * 99 / 100],
        pages[pages.len() / 2]
    );
}

fn timed(call: impl FnOnce()) -> u128 {
    let began = Instant::now();
    call();
    began.elapsed().as_micros()
}

fn main() {
    let directory = std::env::args_os().nth(1).map_or_else(std::env::temp_dir, Into::into);
    for durability in [Durability::Full, Durability::Process] {
        for in_flight in [1, 32, 256] {
            run(&directory, in_flight, durability);
        }
    }
}
