//! A batch of ops as statements of one transaction.

use std::collections::HashSet;

use rusqlite::types::{ToSql, ToSqlOutput, ValueRef};
use rusqlite::{Connection, ErrorCode, params};

use super::super::{InstanceRow, Key, Op, TimerRow};
use super::facts::Ledger;
use crate::error::Error;

/// Why a batch was not applied.
#[derive(Debug)]
pub(super) enum Refusal {
    /// An op broke a rule of the trait; the transaction only has to be rolled back.
    Guard(Error),
    /// SQLite failed.
    Sqlite(rusqlite::Error),
}

impl From<rusqlite::Error> for Refusal {
    fn from(error: rusqlite::Error) -> Refusal {
        Refusal::Sqlite(error)
    }
}

type Result<T> = std::result::Result<T, Refusal>;

/// Applies the ops inside the transaction that is open and gives the facts that hold after it.
pub(super) fn apply(connection: &Connection, ledger: &Ledger, ops: &[Op]) -> Result<Ledger> {
    let (next, must_write) = ledger.after(ops);
    let mut batch = Batch { connection, known: HashSet::new(), at: next.facts.last_time.0 };
    for op in ops {
        batch.apply(op)?;
    }
    if must_write {
        next.write(connection)?;
    }
    Ok(next)
}

struct Batch<'c> {
    connection: &'c Connection,
    /// Instances that were seen in this batch, so that their further ops need no look-up.
    known: HashSet<Key>,
    at: i64,
}

impl Batch<'_> {
    fn apply(&mut self, op: &Op) -> Result<()> {
        match op {
            Op::Insert(row) => self.insert(row),
            Op::Update { row, expected_turn } => self.update(row, *expected_turn),
            Op::Delete(key) => self.delete(*key),
            Op::Turn { key, turn, data } => {
                self.require(*key)?;
                let sql = "INSERT INTO turns (pk, turn, at, data) VALUES (?1, ?2, ?3, ?4)";
                let values = params![key.0, turn, self.at, &data[..]];
                self.unique(sql, values, || format!("turn {turn} of instance key {} exists already", key.0))
            }
            Op::DropTurns(key) => self.run("DELETE FROM turns WHERE pk = ?1", params![key.0]).map(drop),
            Op::PutInbox { key, row } => {
                self.require(*key)?;
                let sql = "INSERT INTO inbox (pk, id, event) VALUES (?1, ?2, ?3)";
                let values = params![key.0, row.id, &row.event[..]];
                self.unique(sql, values, || format!("inbox row {} exists already", row.id))
            }
            Op::DropInbox { key, id } => {
                self.run("DELETE FROM inbox WHERE pk = ?1 AND id = ?2", params![key.0, id]).map(drop)
            }
            Op::PutTimer(timer) => {
                self.require(timer.key)?;
                let sql = "INSERT OR IGNORE INTO timers (fire_at, pk, timer_id) VALUES (?1, ?2, ?3)";
                self.run(sql, params![timer.fire_at.0, timer.key.0, timer.timer_id]).map(drop)
            }
            Op::DropTimer(timer) => self.drop_timer(*timer),
            Op::DropTimers(key, timers) => timers.iter().try_for_each(|&(fire_at, timer_id)| {
                self.drop_timer(TimerRow { fire_at, key: *key, timer_id })
            }),
        }
    }

    fn insert(&mut self, row: &InstanceRow) -> Result<()> {
        let sql = "INSERT INTO instances (pk, instance_id, name, status, has_work, created_at, updated_at, next_turn, \
                   generation, execution_id, version, started_at, completed_at, start_at, custom_status, \
                   parent_pk, parent_generation, parent_task, parent_id) \
                   VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19)";
        let parent = row.parent.as_ref();
        let values = params![
            row.key.0,
            row.id,
            row.name,
            row.status.number(),
            row.has_work,
            row.created_at.0,
            row.updated_at.0,
            row.next_turn,
            row.generation,
            ExecutionId::of(&row.execution_id),
            row.version,
            row.started_at.map(|time| time.0),
            row.completed_at.map(|time| time.0),
            row.start_at.map(|time| time.0),
            row.custom_status,
            parent.map(|parent| parent.key.0),
            parent.map(|parent| parent.generation),
            parent.map(|parent| parent.task_id),
            parent.map(|parent| &parent.instance_id),
        ];
        let used = || format!("instance key {} or its instance ID is in use", row.key.0);
        self.unique(sql, values, used).map_err(|refusal| match refusal {
            Refusal::Guard(error) => Refusal::Guard(error.of_instance(&row.id)),
            other => other,
        })?;
        self.known.insert(row.key);
        Ok(())
    }

    /// Most turns change no indexed column, and SQLite rewrites the entries of every index that an UPDATE names, changed
    /// or not. So the first statement names none and applies only while they stay; the second one is for the rest.
    fn update(&mut self, row: &InstanceRow, expected_turn: u32) -> Result<()> {
        let execution_id = ExecutionId::of(&row.execution_id);
        let values = params![
            row.key.0,
            expected_turn,
            row.status.number(),
            row.has_work,
            row.name,
            row.updated_at.0,
            row.next_turn,
            row.generation,
            execution_id,
            row.version,
            row.started_at.map(|time| time.0),
            row.completed_at.map(|time| time.0),
            row.custom_status,
        ];
        let usual = "UPDATE instances SET updated_at = ?6, next_turn = ?7, generation = ?8, execution_id = ?9, \
                     version = ?10, started_at = ?11, completed_at = ?12, custom_status = ?13 \
                     WHERE pk = ?1 AND next_turn = ?2 AND status = ?3 AND has_work = ?4 AND name = ?5";
        let any = "UPDATE instances SET status = ?3, has_work = ?4, name = ?5, updated_at = ?6, next_turn = ?7, \
                   generation = ?8, execution_id = ?9, version = ?10, started_at = ?11, completed_at = ?12, \
                   custom_status = ?13 WHERE pk = ?1 AND next_turn = ?2";
        if self.run(usual, values)? == 0 && self.run(any, values)? == 0 {
            let key = row.key.0;
            let message = format!("instance key {key} is not there or not at turn {expected_turn}");
            return Err(Refusal::Guard(Error::internal(message)));
        }
        self.known.insert(row.key);
        Ok(())
    }

    fn delete(&mut self, key: Key) -> Result<()> {
        self.known.remove(&key);
        if self.run("DELETE FROM instances WHERE pk = ?1", params![key.0])? == 0 {
            return Ok(());
        }
        self.run("DELETE FROM turns WHERE pk = ?1", params![key.0])?;
        self.run("DELETE FROM inbox WHERE pk = ?1", params![key.0])?;
        self.run("DELETE FROM timers WHERE pk = ?1", params![key.0])?;
        Ok(())
    }

    fn drop_timer(&self, timer: TimerRow) -> Result<()> {
        let sql = "DELETE FROM timers WHERE fire_at = ?1 AND pk = ?2 AND timer_id = ?3";
        self.run(sql, params![timer.fire_at.0, timer.key.0, timer.timer_id]).map(drop)
    }

    fn require(&mut self, key: Key) -> Result<()> {
        if self.known.contains(&key) {
            return Ok(());
        }
        let sql = "SELECT 1 FROM instances WHERE pk = ?1";
        if !self.connection.prepare_cached(sql)?.exists([key.0])? {
            return Err(Refusal::Guard(Error::internal(format!("no instance has key {}", key.0))));
        }
        self.known.insert(key);
        Ok(())
    }

    fn run(&self, sql: &str, values: &[&dyn ToSql]) -> Result<usize> {
        Ok(self.connection.prepare_cached(sql)?.execute(values)?)
    }

    fn unique(&self, sql: &str, values: &[&dyn ToSql], taken: impl FnOnce() -> String) -> Result<()> {
        match self.connection.prepare_cached(sql)?.execute(values) {
            Err(error) if error.sqlite_error_code() == Some(ErrorCode::ConstraintViolation) => {
                Err(Refusal::Guard(Error::internal(taken()).with_source(error)))
            }
            other => Ok(other.map(drop)?),
        }
    }
}

/// An execution ID as it is stored: 16 bytes where it is a UUID in its usual form.
enum ExecutionId<'a> {
    Uuid(uuid::Bytes),
    Text(&'a str),
}

impl ExecutionId<'_> {
    fn of(text: &str) -> ExecutionId<'_> {
        let usual =
            |id: &uuid::Uuid| *id.hyphenated().encode_lower(&mut uuid::Uuid::encode_buffer()) == *text;
        match uuid::Uuid::try_parse(text).ok().filter(usual) {
            Some(id) => ExecutionId::Uuid(id.into_bytes()),
            None => ExecutionId::Text(text),
        }
    }
}

impl ToSql for ExecutionId<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            ExecutionId::Uuid(bytes) => ValueRef::Blob(bytes),
            ExecutionId::Text(text) => ValueRef::Text(text.as_bytes()),
        }))
    }
}
