//! Power loss, full disks and failing flushes, on a disk in memory beneath SQLite itself.
//!
//! A memory store beside the file is told what was acknowledged. After every power loss the file must hold exactly that,
//! or that and the whole batch that was under way.

use std::hash::{DefaultHasher, Hash, Hasher};

use bytes::Bytes;

use super::*;
use crate::engine::store::InboxRow;
use crate::engine::store::memory::MemoryStore;
use crate::model::{Filter, Micros, RuntimeStatus};
use crate::testkit::disk::{Disk, below};
use crate::testkit::stores;
use crate::testkit::vfs::Mount;

fn open(mount: &Mount, durability: Durability) -> Result<SqliteStore> {
    let options = SqliteOptions { durability, vfs: Some(mount.name().to_owned()) };
    let store = SqliteStore::open_with("orders.db", &options)?;
    // Checkpoints in the middle of small loads.
    store
        .connection
        .pragma_update(None, "wal_autocheckpoint", 20)
        .map_err(|error| store.place.fault(error))?;
    Ok(store)
}

/// Batches as an engine makes them, by seed: starts, turns, ends, events, timers, continuations, purges.
struct Script {
    random: u64,
    next_key: i64,
    next_inbox: i64,
    time: i64,
}

impl Script {
    fn batch(&mut self, known: &mut dyn Store) -> Vec<Op> {
        self.time += 1;
        let mut ops = Vec::new();
        for _ in 0..=below(&mut self.random, 4) {
            let key = 1 + below(&mut self.random, self.next_key.unsigned_abs()) as i64;
            let used = ops.iter().any(|op| matches!(op, Op::Update { row, .. } if row.key == Key(key)));
            match known.load(Key(key)).unwrap() {
                Some(loaded) if !used => self.advance(loaded, &mut ops),
                _ => self.start(&mut ops),
            }
        }
        ops
    }

    fn record(&mut self) -> Bytes {
        let length = match below(&mut self.random, 20) {
            0 => 30_000,
            _ => below(&mut self.random, 900) as usize,
        };
        vec![below(&mut self.random, 256) as u8; length].into()
    }

    fn start(&mut self, ops: &mut Vec<Op>) {
        let key = self.next_key;
        self.next_key += 1;
        let mut row = stores::row(key, &format!("order-{key}"));
        (row.created_at, row.updated_at, row.has_work) = (Micros(self.time), Micros(self.time), true);
        row.status = RuntimeStatus::Pending;
        ops.push(Op::Insert(Box::new(row)));
        ops.push(self.event(Key(key)));
        if below(&mut self.random, 4) == 0 {
            let fire_at = Micros(below(&mut self.random, 1000) as i64);
            ops.push(Op::PutTimer(TimerRow { fire_at, key: Key(key), timer_id: TimerRow::START }));
        }
    }

    fn event(&mut self, key: Key) -> Op {
        self.next_inbox += 1;
        Op::PutInbox { key, row: InboxRow { id: self.next_inbox, event: self.record() } }
    }

    fn advance(&mut self, loaded: Loaded, ops: &mut Vec<Op>) {
        let (key, mut row) = (loaded.row.key, loaded.row);
        let expected_turn = row.next_turn;
        row.updated_at = Micros(self.time);
        if row.status.is_terminal() {
            return ops.push(Op::Delete(key));
        }
        match below(&mut self.random, 8) {
            0 => ops.push(self.event(key)),
            kind => {
                ops.extend(loaded.inbox.iter().map(|event| Op::DropInbox { key, id: event.id }));
                if kind == 1 {
                    ops.push(Op::DropTurns(key));
                    row.generation += 1;
                }
                ops.push(Op::Turn { key, turn: expected_turn, data: self.record() });
                row.next_turn += 1;
                row.status = if kind == 2 { RuntimeStatus::Completed } else { RuntimeStatus::Running };
                row.has_work = kind > 4;
            }
        }
        ops.push(Op::Update { row: Box::new(row), expected_turn });
    }
}

/// Everything that a store holds, one line for each thing. Not to be printed whole.
fn everything(store: &mut dyn Store) -> Vec<String> {
    let reader = store.reader();
    let rows = reader.list(&Filter::default(), None, 10_000).unwrap();
    let loaded = rows.iter().map(|row| reader.load(&row.id).unwrap().unwrap());
    let digest = |data: &Bytes| {
        let mut hasher = DefaultHasher::new();
        data.hash(&mut hasher);
        (data.len(), hasher.finish())
    };
    let mut lines: Vec<_> = loaded
        .map(|loaded| {
            let turns: Vec<_> = loaded.turns.iter().map(|(turn, data)| (turn, digest(data))).collect();
            let inbox: Vec<_> = loaded.inbox.iter().map(|row| (row.id, digest(&row.event))).collect();
            format!("{:?} {turns:?} {inbox:?}", loaded.row)
        })
        .collect();
    lines.extend(store.timers(None, 10_000).unwrap().iter().map(|timer| format!("{timer:?}")));
    lines.push(format!("{:?}", store.with_work(Key(0), 10_000).unwrap()));
    lines.push(format!("{:?}", store.facts().unwrap().last_time));
    lines
}

fn assert_same(store: &mut dyn Store, acknowledged: &mut dyn Store) {
    let (found, expected) = (everything(store), everything(acknowledged));
    let lines = found.iter().zip(&expected);
    let first = lines
        .filter(|(found, expected)| found != expected)
        .map(|(found, expected)| format!("{:.200}\nis not what was acknowledged:\n{:.200}", found, expected));
    assert!(
        found == expected,
        "{} lines for {}: {:?}",
        found.len(),
        expected.len(),
        first.into_iter().next()
    );
}

fn assert_sound(store: &SqliteStore) {
    let answer: String = store.connection.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
    assert_eq!(answer, "ok");
}

/// Commits until the power fails, at `cuts` points one after the other on the same file. Gives the number of
/// acknowledged commits, or `None` when one of them was lost.
fn survives(seed: u64, cuts: usize, durability: Durability, deaf: bool) -> Option<u64> {
    let mut disk = Disk::new(seed);
    let mut script = Script { random: seed, next_key: 1, next_inbox: 0, time: 0 };
    let mut acknowledged = MemoryStore::new();
    for _ in 0..cuts {
        if deaf {
            disk.ignore_syncs();
        }
        disk.cut_after(below(&mut script.random, 900));
        let under_way = commit_until_cut(&disk, durability, &mut script, &mut acknowledged);
        assert!(disk.is_cut());
        disk = disk.after_power_loss();
        let mount = Mount::new(&disk);
        let mut store = open(&mount, durability).unwrap();
        assert_sound(&store);
        let found = everything(&mut store);
        if found != everything(&mut acknowledged) {
            acknowledged.commit(&under_way?).unwrap();
            if found != everything(&mut acknowledged) {
                return None;
            }
        }
        assert!(store.ledger.facts.next_key >= acknowledged.facts().unwrap().next_key);
        assert!(store.ledger.facts.next_inbox >= acknowledged.facts().unwrap().next_inbox);
    }
    Some(acknowledged.commits())
}

/// Gives the batch that failed, if it was a batch.
fn commit_until_cut(
    disk: &Arc<Disk>,
    durability: Durability,
    script: &mut Script,
    acknowledged: &mut MemoryStore,
) -> Option<Vec<Op>> {
    let mount = Mount::new(disk);
    let mut store = open(&mount, durability).ok()?;
    loop {
        match below(&mut script.random, 12) {
            0 => drop(store.idle()),
            1 => {
                drop(store);
                store = open(&mount, durability).ok()?;
            }
            _ => {}
        }
        let batch = script.batch(acknowledged);
        if store.commit(&batch).is_err() {
            assert!(disk.is_cut());
            assert_eq!(store.find("x").unwrap_err().kind(), ErrorKind::Unavailable);
            return Some(batch);
        }
        acknowledged.commit(&batch).unwrap();
    }
}

#[test]
fn no_acknowledged_commit_is_lost_at_two_hundred_power_losses() {
    let mut commits = 0;
    for seed in 0..50 {
        commits +=
            survives(seed, 4, Durability::Full, false).unwrap_or_else(|| panic!("seed {seed} lost a commit"));
    }
    assert!(commits > 2000, "only {commits} commits were tried");
}

#[test]
fn the_check_finds_commits_that_are_not_flushed() {
    let lost = (0..20).filter(|&seed| survives(seed, 1, Durability::Process, false).is_none()).count();
    assert!(lost >= 5, "{lost} of 20");
    // A drive that only says that it flushed.
    let lost = (0..20)
        .filter(|&seed| {
            std::panic::catch_unwind(|| survives(seed, 1, Durability::Full, true).is_none()).unwrap_or(true)
        })
        .count();
    assert!(lost >= 5, "{lost} of 20");
}

#[test]
fn a_full_disk_refuses_and_recovers() {
    let disk = Disk::new(7);
    let mount = Mount::new(&disk);
    let mut store = open(&mount, Durability::Full).unwrap();
    let mut script = Script { random: 7, next_key: 1, next_inbox: 0, time: 0 };
    let mut acknowledged = MemoryStore::new();
    let mut refused = 0;
    for step in 0..400 {
        let batch = script.batch(&mut acknowledged);
        // Room for a little more, in rounds.
        disk.limit((step % 40 > 30).then(|| disk.used() + 3000));
        match store.commit(&batch) {
            Ok(()) => acknowledged.commit(&batch).unwrap(),
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::ResourceExhausted, "{error}");
                refused += 1;
            }
        }
        if step % 20 == 0 {
            store.idle().unwrap();
            assert_same(&mut store, &mut acknowledged);
        }
    }
    assert!(refused > 10, "{refused}");
    assert_sound(&store);
    disk.limit(None);
    drop(store);
    let after = disk.after_power_loss();
    let mount = Mount::new(&after);
    assert_same(&mut open(&mount, Durability::Full).unwrap(), &mut acknowledged);
}

#[test]
fn a_failed_flush_breaks_the_store_until_it_is_opened_again() {
    for seed in 0..40 {
        let mut disk = Disk::new(seed);
        let mut script = Script { random: seed, next_key: 1, next_inbox: 0, time: 0 };
        let mut acknowledged = MemoryStore::new();
        let mount = Mount::new(&disk);
        let mut store = open(&mount, Durability::Full).unwrap();
        for _ in 0..below(&mut script.random, 30) {
            let batch = script.batch(&mut acknowledged);
            store.commit(&batch).unwrap();
            acknowledged.commit(&batch).unwrap();
        }
        disk.fail_syncs(1);
        let batch = script.batch(&mut acknowledged);
        let error = store.commit(&batch).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unavailable);
        assert!(error.message().contains("orders.db") && error.message().contains("1034"), "{error}");
        assert_eq!(store.commit(&batch).unwrap_err().kind(), ErrorKind::Unavailable);
        assert_eq!(store.find("order-1").unwrap_err().kind(), ErrorKind::Unavailable);
        assert_eq!(store.facts().unwrap_err().kind(), ErrorKind::Unavailable);
        assert_eq!(store.idle().unwrap_err().kind(), ErrorKind::Unavailable);
        if seed % 2 == 0 {
            // As after a kill: the connection does not close the file in an orderly way.
            std::mem::forget(store);
            let live = Disk::new(seed);
            for name in ["orders.db", "orders.db-wal"] {
                disk.hand_over(name, &live);
            }
            disk = live;
        } else {
            drop(store);
        }
        let mount = Mount::new(&disk);
        let mut store = open(&mount, Durability::Full).unwrap();
        if everything(&mut store) != everything(&mut acknowledged) {
            acknowledged.commit(&batch).unwrap();
            assert_same(&mut store, &mut acknowledged);
        }
        // No checkpoint must help.
        store.connection.pragma_update(None, "wal_autocheckpoint", 0).unwrap();
        for _ in 0..3 {
            let batch = script.batch(&mut acknowledged);
            store.commit(&batch).unwrap();
            acknowledged.commit(&batch).unwrap();
        }
        std::mem::forget(store);
        let after = disk.after_power_loss();
        let mount = Mount::new(&after);
        let mut store = open(&mount, Durability::Full).unwrap();
        assert_sound(&store);
        assert_same(&mut store, &mut acknowledged);
    }
}
