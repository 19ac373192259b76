//! What the engine must know when it opens the store, without a page of its own in every commit.
//!
//! `last_time`, `next_key` and `next_inbox` change with nearly every commit; writing them each time would add a page to
//! each. They are found from what commits write anyway:
//!
//! - `last_time` is the largest of `meta.last_time`, the `at` of the newest turn, and the `updated_at` of the newest
//!   instance. A commit that changes it and writes neither of the latter two, or removes turns, writes `meta`.
//! - `next_key` follows the largest key, or `meta.next_key`, which every commit writes that deletes an instance.
//! - `next_inbox` is reserved in `meta` in blocks, so numbers leave a gap when the store is opened again.

use rusqlite::{Connection, OptionalExtension, Result};

use super::super::{Facts, Op};
use crate::model::Micros;

/// How many inbox numbers one write of `meta` reserves.
const INBOX_BLOCK: i64 = 4096;

/// The facts and how far `meta` covers them.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ledger {
    pub(super) facts: Facts,
    inbox_mark: i64,
}

impl Ledger {
    pub(super) fn read(connection: &Connection) -> Result<Ledger> {
        let (time, key, inbox) =
            connection.query_row("SELECT last_time, next_key, next_inbox FROM meta", [], |row| {
                Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?, row.get::<_, i64>(2)?))
            })?;
        let newest_turn: Option<i64> = connection
            .query_row("SELECT at FROM turns ORDER BY id DESC LIMIT 1", [], |row| row.get(0))
            .optional()?;
        let newest: Option<(i64, i64)> = connection
            .query_row("SELECT pk, updated_at FROM instances ORDER BY pk DESC LIMIT 1", [], |row| {
                Ok((row.get(0)?, row.get(1)?))
            })
            .optional()?;
        let last_time = time.max(newest_turn.unwrap_or(time)).max(newest.map_or(time, |newest| newest.1));
        let next_key = key.max(newest.map_or(key, |newest| newest.0 + 1));
        let facts = Facts { next_key, next_inbox: inbox, last_time: Micros(last_time) };
        Ok(Ledger { facts, inbox_mark: inbox })
    }

    /// The facts after `ops`, and whether `meta` must say them.
    pub(super) fn after(&self, ops: &[Op]) -> (Ledger, bool) {
        let mut next = *self;
        let facts = &mut next.facts;
        for op in ops {
            if let Op::Insert(row) | Op::Update { row, .. } = op {
                facts.last_time = facts.last_time.max(row.updated_at);
            }
        }
        let (mut told, mut erased, mut deleted) = (false, false, false);
        for op in ops {
            match op {
                Op::Insert(row) if row.key.0 >= facts.next_key => {
                    facts.next_key = row.key.0 + 1;
                    told |= row.updated_at == facts.last_time;
                }
                Op::Turn { .. } => (told, erased) = (true, false),
                Op::DropTurns(_) => erased = true,
                Op::Delete(_) => deleted = true,
                Op::PutInbox { row, .. } => facts.next_inbox = facts.next_inbox.max(row.id + 1),
                _ => {}
            }
        }
        let reserve = facts.next_inbox > next.inbox_mark;
        if reserve {
            next.inbox_mark = facts.next_inbox + INBOX_BLOCK;
        }
        let untold = !told && next.facts.last_time > self.facts.last_time;
        (next, reserve || deleted || erased || untold)
    }

    pub(super) fn write(&self, connection: &Connection) -> Result<()> {
        let sql = "UPDATE meta SET last_time = ?1, next_key = ?2, next_inbox = ?3";
        let facts = &self.facts;
        connection.prepare_cached(sql)?.execute((facts.last_time.0, facts.next_key, self.inbox_mark))?;
        Ok(())
    }
}
