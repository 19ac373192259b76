//! The queries, on whichever connection: the owner's or a reader's.

use bytes::Bytes;
use rusqlite::types::{Type, ValueRef};
use rusqlite::{Connection, Error, OptionalExtension, Params, Result, Row};

use super::super::{InboxRow, InstanceRow, Key, Loaded, ParentLink, TimerRow};
use crate::model::{Micros, RuntimeStatus};

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT pk, instance_id, name, status, has_work, created_at, updated_at, next_turn, generation, ",
            "execution_id, version, started_at, completed_at, start_at, custom_status, ",
            "parent_pk, parent_generation, parent_task, parent_id FROM instances ",
            $rest
        )
    };
}

fn instance(row: &Row<'_>) -> Result<InstanceRow> {
    let time = |index| Ok::<_, Error>(row.get::<_, Option<i64>>(index)?.map(Micros));
    let parent = match row.get(15)? {
        Some(key) => Some(ParentLink {
            key: Key(key),
            generation: row.get(16)?,
            task_id: row.get(17)?,
            instance_id: row.get(18)?,
        }),
        None => None,
    };
    Ok(InstanceRow {
        key: Key(row.get(0)?),
        id: row.get(1)?,
        name: row.get(2)?,
        status: RuntimeStatus::from_number(row.get(3)?),
        has_work: row.get(4)?,
        created_at: Micros(row.get(5)?),
        updated_at: Micros(row.get(6)?),
        next_turn: row.get(7)?,
        generation: row.get(8)?,
        execution_id: execution_id(row)?,
        version: row.get(10)?,
        started_at: time(11)?,
        completed_at: time(12)?,
        start_at: time(13)?,
        custom_status: row.get(14)?,
        parent,
    })
}

fn execution_id(row: &Row<'_>) -> Result<String> {
    let wrong = |kind| Error::InvalidColumnType(9, "execution_id".into(), kind);
    match row.get_ref(9)? {
        ValueRef::Text(text) => {
            std::str::from_utf8(text).map(str::to_owned).map_err(|error| Error::Utf8Error(9, error))
        }
        ValueRef::Blob(bytes) => {
            let id = uuid::Uuid::from_slice(bytes).map_err(|_| wrong(Type::Blob))?;
            Ok(id.hyphenated().to_string())
        }
        other => Err(wrong(other.data_type())),
    }
}

fn blob(row: &Row<'_>, index: usize) -> Result<Bytes> {
    match row.get_ref(index)? {
        ValueRef::Blob(bytes) => Ok(Bytes::copy_from_slice(bytes)),
        other => Err(Error::InvalidColumnType(index, "record".into(), other.data_type())),
    }
}

pub(super) fn all<T>(
    connection: &Connection,
    sql: &str,
    params: impl Params,
    read: impl FnMut(&Row<'_>) -> Result<T>,
) -> Result<Vec<T>> {
    connection.prepare_cached(sql)?.query_map(params, read)?.collect()
}

pub(super) fn one<T>(
    connection: &Connection,
    sql: &str,
    params: impl Params,
    read: impl FnOnce(&Row<'_>) -> Result<T>,
) -> Result<Option<T>> {
    connection.prepare_cached(sql)?.query_row(params, read).optional()
}

pub(super) fn find(connection: &Connection, id: &str) -> Result<Option<InstanceRow>> {
    one(connection, select!("WHERE instance_id = ?1"), [id], instance)
}

pub(super) fn by_key(connection: &Connection, key: Key) -> Result<Option<InstanceRow>> {
    one(connection, select!("WHERE pk = ?1"), [key.0], instance)
}

pub(super) fn turns(connection: &Connection, key: Key) -> Result<Vec<(u32, Bytes)>> {
    let sql = "SELECT turn, data FROM turns WHERE pk = ?1 ORDER BY turn";
    all(connection, sql, [key.0], |row| Ok((row.get(0)?, blob(row, 1)?)))
}

fn inbox(connection: &Connection, key: Key) -> Result<Vec<InboxRow>> {
    let sql = "SELECT id, event FROM inbox WHERE pk = ?1 ORDER BY id";
    all(connection, sql, [key.0], |row| Ok(InboxRow { id: row.get(0)?, event: blob(row, 1)? }))
}

/// The first and the last turn, or the only one.
fn end_turns(connection: &Connection, key: Key) -> Result<Vec<(u32, Bytes)>> {
    let read = |row: &Row<'_>| Ok((row.get(0)?, blob(row, 1)?));
    let first = "SELECT turn, data FROM turns WHERE pk = ?1 ORDER BY turn LIMIT 1";
    let last = "SELECT turn, data FROM turns WHERE pk = ?1 AND turn > ?2 ORDER BY turn DESC LIMIT 1";
    let mut ends = Vec::with_capacity(2);
    if let Some(first) = one(connection, first, [key.0], read)? {
        let last = one(connection, last, (key.0, first.0), read)?;
        ends.push(first);
        ends.extend(last);
    }
    Ok(ends)
}

pub(super) fn loaded(connection: &Connection, row: InstanceRow) -> Result<Loaded> {
    Ok(Loaded { turns: turns(connection, row.key)?, inbox: inbox(connection, row.key)?, row })
}

/// The row with its first and last turn and its inbox.
pub(super) fn ends(connection: &Connection, row: InstanceRow) -> Result<Loaded> {
    let turns = end_turns(connection, row.key)?;
    Ok(Loaded { turns, inbox: inbox(connection, row.key)?, row })
}

pub(super) fn with_work(connection: &Connection, after: Key, limit: usize) -> Result<Vec<Key>> {
    let sql = "SELECT pk FROM instances WHERE has_work = 1 AND pk > ?1 ORDER BY pk LIMIT ?2";
    all(connection, sql, (after.0, limited(limit)), |row| row.get(0).map(Key))
}

pub(super) fn timers(
    connection: &Connection,
    after: Option<TimerRow>,
    limit: usize,
) -> Result<Vec<TimerRow>> {
    let read = |row: &Row<'_>| {
        Ok(TimerRow { fire_at: Micros(row.get(0)?), key: Key(row.get(1)?), timer_id: row.get(2)? })
    };
    let limit = limited(limit);
    match after {
        None => {
            let sql = "SELECT fire_at, pk, timer_id FROM timers ORDER BY fire_at, pk, timer_id LIMIT ?1";
            all(connection, sql, [limit], read)
        }
        Some(TimerRow { fire_at, key, timer_id }) => {
            let sql = "SELECT fire_at, pk, timer_id FROM timers WHERE (fire_at, pk, timer_id) > (?1, ?2, ?3) \
                       ORDER BY fire_at, pk, timer_id LIMIT ?4";
            all(connection, sql, (fire_at.0, key.0, timer_id, limit), read)
        }
    }
}

/// A limit as SQLite takes it.
pub(super) fn limited(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}
