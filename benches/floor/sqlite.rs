//! SQLite as everstep sets it up: an append-only log of turns beside one narrow row per instance.

use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, params};

use crate::run::{Failure, Log};
use crate::workload::{COMMITS, Commit};

const SETUP: &str = "
    PRAGMA page_size = 8192;
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = FULL;
    PRAGMA wal_autocheckpoint = 500;
    PRAGMA journal_size_limit = 67108864;
    PRAGMA cache_size = -16384;
    PRAGMA mmap_size = 0;
    PRAGMA temp_store = MEMORY;
    PRAGMA fullfsync = 1;
    PRAGMA checkpoint_fullfsync = 1;
    CREATE TABLE instances (
        key INTEGER PRIMARY KEY, id TEXT NOT NULL, name TEXT NOT NULL, status INTEGER NOT NULL,
        created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL, next_turn INTEGER NOT NULL
    );
    CREATE UNIQUE INDEX instances_by_id ON instances (id);
    CREATE INDEX instances_by_status ON instances (status, created_at);
    CREATE INDEX instances_by_name ON instances (name, status, created_at);
    CREATE TABLE turns (
        row INTEGER PRIMARY KEY, key INTEGER NOT NULL, turn INTEGER NOT NULL, data BLOB NOT NULL
    );
    CREATE UNIQUE INDEX turns_by_key ON turns (key, turn);
";
const INSERT: &str = "INSERT INTO instances (key, id, name, status, created_at, updated_at, next_turn)
    VALUES (?1, ?2, 'five_activities', 0, ?1, ?1, 1)";
const UPDATE: &str = "UPDATE instances SET status = ?3, updated_at = ?1 + ?2, next_turn = ?2 + 1
    WHERE key = ?1 AND next_turn = ?2";
const TURN: &str = "INSERT INTO turns (key, turn, data) VALUES (?1, ?2, ?3)";

/// The database of one run; its files are gone when it is dropped.
pub(crate) struct SqliteLog {
    connection: Connection,
    path: PathBuf,
}

impl SqliteLog {
    pub(crate) fn create(dir: &Path) -> Result<Self, Failure> {
        let path = dir.join("floor.db");
        remove(&path);
        let connection = Connection::open(&path)?;
        connection.execute_batch(SETUP)?;
        Ok(Self { connection, path })
    }

    fn apply(&self, commit: &Commit) -> Result<(), Failure> {
        let step = commit.step as i64;
        if step == 0 {
            let id = format!("bench-workflow-{}", commit.workflow);
            self.connection.prepare_cached(INSERT)?.execute(params![commit.workflow, id])?;
        } else {
            let status = if commit.is_last() { 2 } else { 1 };
            let changed =
                self.connection.prepare_cached(UPDATE)?.execute(params![commit.workflow, step, status])?;
            if changed != 1 {
                return Err(format!("workflow {} is not at turn {step}", commit.workflow).into());
            }
        }
        self.connection.prepare_cached(TURN)?.execute(params![commit.workflow, step, commit.record])?;
        Ok(())
    }
}

impl Log for SqliteLog {
    const LINGER: Option<Duration> = Some(Duration::from_micros(200));

    fn write(&mut self, commits: &[Commit]) -> Result<(), Failure> {
        self.connection.prepare_cached("BEGIN IMMEDIATE")?.execute([])?;
        for commit in commits {
            self.apply(commit)?;
        }
        self.connection.prepare_cached("COMMIT")?.execute([])?;
        Ok(())
    }

    fn check(self, workflows: usize, commits: usize) -> Result<(), Failure> {
        let count = |query| self.connection.query_row(query, [], |row| row.get::<_, i64>(0));
        let turns = count("SELECT count(*) FROM turns")?;
        let finished = count("SELECT count(*) FROM instances WHERE status = 2 AND next_turn = 7")?;
        if turns != commits as i64 || finished != workflows as i64 || commits != workflows * COMMITS {
            return Err(
                format!("sqlite: {turns} turns, {finished} finished of {workflows} with {commits}").into()
            );
        }
        Ok(())
    }
}

impl Drop for SqliteLog {
    fn drop(&mut self) {
        remove(&self.path);
    }
}

/// Files that stay behind are removed by the next run.
fn remove(path: &Path) {
    for suffix in ["", "-wal", "-shm"] {
        let mut file = path.as_os_str().to_owned();
        file.push(suffix);
        let _ = std::fs::remove_file(file);
    }
}
