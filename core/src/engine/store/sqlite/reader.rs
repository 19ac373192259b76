//! Reads beside the writer: a few connections, opened when they are first needed, shared by all threads.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use rusqlite::Connection;

use super::super::{InstanceRow, Key, Loaded, Position, Reader, up_to};
use super::open::Place;
use super::{list, read};
use crate::error::Result;
use crate::model::{Filter, StatusCounts};

/// How many reads run at once; further ones wait for one of them.
const CONNECTIONS: usize = 4;

/// Reads a store file from any thread.
#[derive(Debug)]
pub(super) struct SqliteReader {
    place: Place,
    shared: bool,
    pool: Mutex<Pool>,
    freed: Condvar,
}

#[derive(Debug, Default)]
struct Pool {
    free: Vec<Connection>,
    open: usize,
}

impl SqliteReader {
    /// A reader of the file at `place`; `shared` is one beside a writer of this process.
    pub(super) fn new(place: Place, shared: bool) -> SqliteReader {
        SqliteReader { place, shared, pool: Mutex::default(), freed: Condvar::new() }
    }

    /// Opens a first connection, so that what is wrong with the file shows now.
    pub(super) fn check(&self) -> Result<()> {
        self.with(|connection| connection.query_row("SELECT 1 FROM meta", [], |_| Ok(())))
    }

    /// Closes the connections that nobody uses.
    pub(super) fn release(&self) {
        let mut pool = self.pool();
        pool.open -= pool.free.len();
        pool.free.clear();
    }

    fn pool(&self) -> MutexGuard<'_, Pool> {
        // The lock is only held to move connections in and out.
        self.pool.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs `query` on one state of the store. A connection on which anything failed is not used again.
    fn with<T>(&self, query: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> Result<T> {
        let lease = Lease::take(self)?;
        let connection = lease.connection();
        let answer = (|| {
            connection.prepare_cached("BEGIN")?.execute([])?;
            let answer = query(connection)?;
            connection.prepare_cached("COMMIT")?.execute([])?;
            Ok(answer)
        })();
        match answer {
            Ok(answer) => {
                lease.give_back();
                Ok(answer)
            }
            Err(error) => Err(self.place.fault(error)),
        }
    }
}

/// A connection out of the pool. Dropped without [`Lease::give_back`], it makes room for a new one.
struct Lease<'r> {
    reader: &'r SqliteReader,
    connection: Option<Connection>,
}

impl<'r> Lease<'r> {
    fn take(reader: &'r SqliteReader) -> Result<Lease<'r>> {
        let mut pool = reader.pool();
        while pool.free.is_empty() && pool.open == CONNECTIONS {
            pool = reader.freed.wait(pool).unwrap_or_else(PoisonError::into_inner);
        }
        let mut lease = Lease { reader, connection: pool.free.pop() };
        if lease.connection.is_none() {
            pool.open += 1;
            drop(pool);
            lease.connection = Some(reader.place.reader(reader.shared)?);
        }
        Ok(lease)
    }

    fn connection(&self) -> &Connection {
        self.connection.as_ref().expect("a lease that was taken has a connection")
    }

    fn give_back(mut self) {
        self.reader.pool().free.extend(self.connection.take());
        self.reader.freed.notify_one();
        std::mem::forget(self);
    }
}

impl Drop for Lease<'_> {
    fn drop(&mut self) {
        drop(self.connection.take());
        self.reader.pool().open -= 1;
        self.reader.freed.notify_one();
    }
}

impl Reader for SqliteReader {
    fn find(&self, id: &str) -> Result<Option<InstanceRow>> {
        self.with(|connection| read::find(connection, id))
    }

    fn ends(&self, id: &str) -> Result<Option<Loaded>> {
        self.with(|connection| {
            let row = read::find(connection, id)?;
            row.map(|row| read::ends(connection, row)).transpose()
        })
    }

    fn load(&self, id: &str) -> Result<Option<Loaded>> {
        self.with(|connection| {
            let row = read::find(connection, id)?;
            row.map(|row| read::loaded(connection, row)).transpose()
        })
    }

    fn turns(&self, key: Key) -> Result<Vec<(u32, Bytes)>> {
        self.with(|connection| read::turns(connection, key))
    }

    fn list(&self, filter: &Filter, before: Option<Position>, limit: usize) -> Result<Vec<InstanceRow>> {
        self.with(|connection| list::rows(connection, filter, before, limit))
    }

    fn list_ends(
        &self,
        filter: &Filter,
        before: Option<Position>,
        limit: usize,
        bytes: usize,
    ) -> Result<Vec<Loaded>> {
        self.with(|connection| {
            let rows = list::rows(connection, filter, before, limit)?;
            up_to(bytes, rows.into_iter().map(|row| read::ends(connection, row)))
        })
    }

    fn count(&self, filter: &Filter) -> Result<StatusCounts> {
        self.with(|connection| list::count(connection, filter))
    }
}
