//! Listing and counting. Every combination of parent, name and status has its own stretch of an index, in the order of
//! creation; a page is merged from the newest of each. A scan for two criteria at once would read a million rows to find a
//! rare status.

use std::borrow::Cow;
use std::collections::BTreeMap;

use rusqlite::{Connection, Result, Row};

use super::super::{InstanceRow, Key, Position};
use super::read::{all, by_key, limited, one};
use crate::model::{Filter, RuntimeStatus, StatusCounts};

macro_rules! stretch {
    (page $prefix:literal) => {
        concat!(
            "SELECT created_at, pk FROM instances WHERE ",
            $prefix,
            "status = ?1 AND created_at >= ?2 AND created_at <= ?3 AND (created_at < ?3 OR pk < ?4) \
             ORDER BY created_at DESC, pk DESC LIMIT ?5"
        )
    };
    (count $prefix:literal) => {
        concat!(
            "SELECT count(*) FROM instances WHERE ",
            $prefix,
            "status = ?1 AND created_at >= ?2 AND created_at < ?3"
        )
    };
    (next $prefix:literal) => {
        concat!("SELECT min(status) FROM instances WHERE ", $prefix, "status > ?1")
    };
}

/// A query for each way to choose the instances of one status.
struct Queries {
    of_all: &'static str,
    of_name: &'static str,
    of_children: &'static str,
}

macro_rules! queries {
    ($kind:ident, $name:literal, $parent:literal) => {
        Queries {
            of_all: stretch!($kind ""),
            of_name: stretch!($kind $name),
            of_children: stretch!($kind $parent),
        }
    };
}

const PAGE: Queries = queries!(page, "name = ?6 AND ", "parent_id = ?7 AND name = ?6 AND ");
const COUNT: Queries = queries!(count, "name = ?4 AND ", "parent_id = ?5 AND name = ?4 AND ");
const NEXT_STATUS: Queries = queries!(next, "name = ?2 AND ", "parent_id = ?3 AND name = ?2 AND ");
const NEXT_NAME: &str = "SELECT min(name) FROM instances WHERE parent_id = ?1 AND name > ?2";

/// The instances of one name and parent, where the filter has them.
struct Group<'f> {
    parent: Option<&'f str>,
    name: Option<Cow<'f, str>>,
}

impl Group<'_> {
    fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// The rows that one of the queries gives. Which parameters it has follows from which query it is.
    fn all<T>(
        &self,
        connection: &Connection,
        queries: &Queries,
        bounds: &[i64],
        mut read: impl FnMut(&Row<'_>) -> Result<T>,
    ) -> Result<Vec<T>> {
        let mut values: Vec<&dyn rusqlite::ToSql> = bounds.iter().map(|bound| bound as _).collect();
        let (name, parent) = (self.name(), self.parent);
        let sql = match (&name, &parent) {
            (None, _) => queries.of_all,
            (Some(name), None) => {
                values.push(name);
                queries.of_name
            }
            (Some(name), Some(parent)) => {
                values.extend([name as &dyn rusqlite::ToSql, parent]);
                queries.of_children
            }
        };
        all(connection, sql, &values[..], &mut read)
    }

    /// The statuses to look for: the filter's, or those that occur, by one jump in the index for each.
    fn statuses(&self, connection: &Connection, filter: &Filter) -> Result<Vec<i32>> {
        let mut found: Vec<i32> = filter.statuses.iter().map(|status| status.number()).collect();
        found.sort_unstable();
        found.dedup();
        if !found.is_empty() {
            return Ok(found);
        }
        let mut after = i64::MIN;
        loop {
            let next = self.all(connection, &NEXT_STATUS, &[after], |row| row.get::<_, Option<i32>>(0))?;
            let Some(status) = next.into_iter().flatten().next() else { return Ok(found) };
            found.push(status);
            after = i64::from(status);
        }
    }
}

/// The groups that the filter is made of: the children of a parent are one for each name that occurs.
fn groups<'f>(connection: &Connection, filter: &'f Filter) -> Result<Vec<Group<'f>>> {
    let parent = filter.parent.as_deref();
    let name = filter.name.as_deref().map(Cow::Borrowed);
    let (Some(of), None) = (parent, &name) else { return Ok(vec![Group { parent, name }]) };
    let (mut groups, mut after) = (Vec::new(), String::new());
    while let Some(name) =
        one(connection, NEXT_NAME, (of, &after), |row| row.get::<_, Option<String>>(0))?.flatten()
    {
        after.clone_from(&name);
        groups.push(Group { parent, name: Some(Cow::Owned(name)) });
    }
    Ok(groups)
}

/// One page.
pub(super) fn rows(
    connection: &Connection,
    filter: &Filter,
    before: Option<Position>,
    limit: usize,
) -> Result<Vec<InstanceRow>> {
    let from = filter.created_from.map_or(i64::MIN, |from| from.0);
    let mut end = before.map_or((i64::MAX, i64::MAX), |(at, key)| (at.0, key.0));
    if let Some(to) = filter.created_to {
        end = end.min((to.0, i64::MIN));
    }
    let mut page: Vec<(i64, i64)> = Vec::new();
    for group in groups(connection, filter)? {
        for status in group.statuses(connection, filter)? {
            let bounds = [i64::from(status), from, end.0, end.1, limited(limit)];
            page.extend(group.all(connection, &PAGE, &bounds, |row| Ok((row.get(0)?, row.get(1)?)))?);
        }
    }
    page.sort_unstable_by(|a, b| b.cmp(a));
    page.truncate(limit);
    page.into_iter().filter_map(|(_, key)| by_key(connection, Key(key)).transpose()).collect()
}

/// How many match, by status. Reads the stretches of the index and no row.
pub(super) fn count(connection: &Connection, filter: &Filter) -> Result<StatusCounts> {
    let from = filter.created_from.map_or(i64::MIN, |from| from.0);
    let to = filter.created_to.map_or(i64::MAX, |to| to.0);
    let mut counts = BTreeMap::new();
    for group in groups(connection, filter)? {
        for status in group.statuses(connection, filter)? {
            let bounds = [i64::from(status), from, to];
            let found = group.all(connection, &COUNT, &bounds, |row| row.get::<_, i64>(0))?;
            *counts.entry(status).or_default() += found.iter().sum::<i64>().unsigned_abs();
        }
    }
    let found = counts.into_iter().filter(|(_, count)| *count > 0);
    Ok(found.map(|(number, count)| (RuntimeStatus::from_number(number), count)).collect())
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
        for (queries, range) in [
            (PAGE, "status=? AND created_at>? AND created_at<?"),
            (COUNT, "status=? AND created_at>? AND created_at<?"),
            (NEXT_STATUS, "status>?"),
        ] {
            let search =
                |index, prefix| format!("SEARCH instances USING COVERING INDEX {index} ({prefix}{range})");
            assert_eq!(plan(&connection, queries.of_all), search("instances_status", ""));
            assert_eq!(plan(&connection, queries.of_name), search("instances_name", "name=? AND "));
            let children = "parent_id=? AND name=? AND ";
            assert_eq!(plan(&connection, queries.of_children), search("instances_parent", children));
        }
        let names = "SEARCH instances USING COVERING INDEX instances_parent (parent_id=? AND name>?)";
        assert_eq!(plan(&connection, NEXT_NAME), names);
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
        assert!(!plan(&connection, "SELECT at FROM turns ORDER BY id DESC LIMIT 1").contains("TEMP"));
    }
}
