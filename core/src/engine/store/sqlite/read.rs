//! The queries, on whichever connection: the owner's or a reader's.

use bytes::Bytes;
use rusqlite::types::{Type, ValueRef};
use rusqlite::{Connection, Error, OptionalExtension, Params, Result, Row};

use super::super::{InboxRow, InstanceRow, Key, Loaded, ParentLink, TimerRow};
use crate::model::{Filter, Micros, RuntimeStatus};

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

fn all<T>(
    connection: &Connection,
    sql: &str,
    params: impl Params,
    read: impl FnMut(&Row<'_>) -> Result<T>,
) -> Result<Vec<T>> {
    connection.prepare_cached(sql)?.query_map(params, read)?.collect()
}

fn one<T>(
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

pub(super) fn inbox(connection: &Connection, key: Key) -> Result<Vec<InboxRow>> {
    let sql = "SELECT id, event FROM inbox WHERE pk = ?1 ORDER BY id";
    all(connection, sql, [key.0], |row| Ok(InboxRow { id: row.get(0)?, event: blob(row, 1)? }))
}

/// The first and the last turn, or the only one.
pub(super) fn end_turns(connection: &Connection, key: Key) -> Result<Vec<(u32, Bytes)>> {
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

pub(super) fn with_work(connection: &Connection, after: Key, limit: usize) -> Result<Vec<Key>> {
    let sql = "SELECT pk FROM instances WHERE has_work = 1 AND pk > ?1 ORDER BY pk LIMIT ?2";
    all(connection, sql, (after.0, count(limit)), |row| row.get(0).map(Key))
}

pub(super) fn timers(
    connection: &Connection,
    after: Option<TimerRow>,
    limit: usize,
) -> Result<Vec<TimerRow>> {
    let read = |row: &Row<'_>| {
        Ok(TimerRow { fire_at: Micros(row.get(0)?), key: Key(row.get(1)?), timer_id: row.get(2)? })
    };
    let limit = count(limit);
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

/// One page. Every status has its own stretch of the index, so the page is merged from the newest of each; a scan for
/// two criteria at once would read a million rows to find a rare status.
pub(super) fn list(
    connection: &Connection,
    filter: &Filter,
    before: Option<(Micros, Key)>,
    limit: usize,
) -> Result<Vec<InstanceRow>> {
    let from = filter.created_from.unwrap_or(Micros(i64::MIN));
    let mut end = before.unwrap_or((Micros(i64::MAX), Key(i64::MAX)));
    if let Some(to) = filter.created_to {
        end = end.min((to, Key(i64::MIN)));
    }
    let mut page: Vec<(i64, i64)> = Vec::new();
    for status in statuses(connection, filter)? {
        let read = |row: &Row<'_>| Ok((row.get(0)?, row.get(1)?));
        let bounds = (status, from.0, end.0.0, end.1.0, count(limit));
        page.extend(match &filter.name {
            None => all(connection, PAGE, bounds, read)?,
            Some(name) => {
                let (status, from, time, key, limit) = bounds;
                all(connection, PAGE_OF_NAME, (status, from, time, key, limit, name), read)?
            }
        });
    }
    page.sort_unstable_by(|a, b| b.cmp(a));
    page.truncate(limit);
    page.into_iter().filter_map(|(_, key)| by_key(connection, Key(key)).transpose()).collect()
}

const PAGE: &str = "SELECT created_at, pk FROM instances \
    WHERE status = ?1 AND created_at >= ?2 AND created_at <= ?3 AND (created_at < ?3 OR pk < ?4) \
    ORDER BY created_at DESC, pk DESC LIMIT ?5";

const PAGE_OF_NAME: &str = "SELECT created_at, pk FROM instances \
    WHERE name = ?6 AND status = ?1 AND created_at >= ?2 AND created_at <= ?3 AND (created_at < ?3 OR pk < ?4) \
    ORDER BY created_at DESC, pk DESC LIMIT ?5";

/// The statuses to look for: the filter's, or those that occur, by one jump in the index for each.
fn statuses(connection: &Connection, filter: &Filter) -> Result<Vec<i32>> {
    let mut found: Vec<i32> = filter.statuses.iter().map(|status| status.number()).collect();
    found.sort_unstable();
    found.dedup();
    if !found.is_empty() {
        return Ok(found);
    }
    let mut after = i64::MIN;
    loop {
        let next: Option<i32> = match &filter.name {
            None => {
                let sql = "SELECT min(status) FROM instances WHERE status > ?1";
                connection.prepare_cached(sql)?.query_row([after], |row| row.get(0))?
            }
            Some(name) => {
                let sql = "SELECT min(status) FROM instances WHERE name = ?2 AND status > ?1";
                connection.prepare_cached(sql)?.query_row((after, name), |row| row.get(0))?
            }
        };
        let Some(status) = next else { return Ok(found) };
        found.push(status);
        after = i64::from(status);
    }
}

fn count(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::super::SqliteStore;
    use super::*;
    use crate::engine::store::Durability;
    use crate::testkit::scratch::Scratch;

    fn plan(connection: &Connection, sql: &str) -> String {
        let mut statement = connection.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
        let count = statement.parameter_count();
        let none = vec![1_i64; count];
        let lines = statement
            .query_map(rusqlite::params_from_iter(none), |row| row.get::<_, String>(3))
            .unwrap()
            .map(|line| line.unwrap());
        lines.collect::<Vec<_>>().join("; ")
    }

    #[test]
    fn every_query_walks_an_index() {
        let scratch = Scratch::new();
        let path = scratch.path("a.db");
        let _store = SqliteStore::open(&path, Durability::Full).unwrap();
        let connection = Connection::open(&path).unwrap();
        let in_status = "SEARCH instances USING COVERING INDEX instances_status (status=? AND created_at>? AND created_at<?)";
        assert_eq!(plan(&connection, PAGE), in_status);
        let in_name = "SEARCH instances USING COVERING INDEX instances_name (name=? AND status=? AND created_at>? AND created_at<?)";
        assert_eq!(plan(&connection, PAGE_OF_NAME), in_name);
        let work = "SELECT pk FROM instances WHERE has_work = 1 AND pk > ?1 ORDER BY pk LIMIT ?2";
        assert_eq!(
            plan(&connection, work),
            "SEARCH instances USING COVERING INDEX instances_work (has_work=? AND rowid>?)"
        );
        let timers = "SELECT fire_at, pk, timer_id FROM timers WHERE (fire_at, pk, timer_id) > (?1, ?2, ?3) \
                      ORDER BY fire_at, pk, timer_id LIMIT ?4";
        let timers = plan(&connection, timers);
        assert!(
            timers.starts_with("SEARCH timers USING PRIMARY KEY") && !timers.contains("TEMP"),
            "{timers}"
        );
        for sql in [
            "SELECT min(status) FROM instances WHERE status > ?1",
            "SELECT at FROM turns ORDER BY id DESC LIMIT 1",
        ] {
            assert!(!plan(&connection, sql).contains("TEMP"));
        }
    }
}
