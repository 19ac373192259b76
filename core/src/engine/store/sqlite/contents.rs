//! What stands in a file, read beside its owner and without leaving anything behind.

use std::ffi::OsString;
use std::fmt::Write;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, OpenFlags};

use super::super::lock::file_error;
use super::super::report::Contents;
use super::fault::fault;
use super::list;
use super::open::{APPLICATION_ID, BUSY_TIMEOUT, MIGRATIONS};
use crate::error::{Error, ErrorKind, Result};
use crate::model::Filter;
use crate::report::Problem;

/// Reads the file at `path`; what is wrong with it comes beside.
pub(in super::super) fn contents(path: &Path) -> (Contents, Option<Problem>) {
    let mut contents = Contents { known_schema: i64::try_from(MIGRATIONS.len()).ok(), ..Contents::default() };
    let answer = read(path, &mut contents);
    (contents, answer.err().as_ref().map(Problem::from))
}

/// The file that SQLite keeps beside another one.
pub(in super::super) fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(suffix);
    PathBuf::from(name)
}

fn read(path: &Path, contents: &mut Contents) -> Result<()> {
    let fault = |error| fault(path, error);
    let connection = connect(path).map_err(fault)?;
    let number = |sql| connection.query_row(sql, [], |row| row.get::<_, i64>(0)).map_err(fault);
    let application = number("PRAGMA application_id")?;
    let schema = number("PRAGMA user_version")?;
    contents.page_size = Some(number("PRAGMA page_size")?);
    let shown = path.display();
    if application == 0 && number("SELECT count(*) FROM sqlite_schema")? == 0 {
        let message = format!("the store {shown} is empty; its owner has not finished creating it");
        return Err(Error::new(ErrorKind::Unavailable, message));
    }
    if application != i64::from(APPLICATION_ID) {
        let message = format!("{shown} is a database of another program; name another path");
        return Err(Error::new(ErrorKind::InvalidArgument, message));
    }
    contents.schema = Some(schema);
    contents.journal_mode = Some(match left_alone(path) {
        true => header_mode(path)?,
        false => connection.query_row("PRAGMA journal_mode", [], |row| row.get(0)).map_err(fault)?,
    });
    match contents.known_schema {
        Some(known) if schema > known => {
            let message =
                format!("the store {shown} has schema {schema}, this version knows {known}; update everstep");
            Err(Error::new(ErrorKind::StoreVersion, message))
        }
        // An older one is brought up by its next owner; what it counts may have other names.
        Some(known) if schema < known => Ok(()),
        _ => {
            let counts = list::count(&connection, &Filter::default()).map_err(fault)?;
            let named = counts.into_iter().map(|(status, count)| (status.name().to_string(), count));
            contents.instances = Some(named.collect());
            Ok(())
        }
    }
}

/// Whether the file was closed in order: an owner's file always has a journal.
fn left_alone(path: &Path) -> bool {
    !beside(path, "-wal").exists()
}

/// The journal mode that the file's first bytes name. Only for a file that nobody has open: closing it here would drop the
/// locks that SQLite holds on it in this process.
fn header_mode(path: &Path) -> Result<String> {
    let mut header = [0; 20];
    File::open(path)
        .and_then(|mut file| file.read_exact(&mut header))
        .map_err(|error| file_error("read", path, error))?;
    Ok(if header[18] == 2 { "wal" } else { "delete" }.to_owned())
}

/// A connection that changes nothing. A reader of a file in this mode makes files beside it, so one that is left alone is
/// read as a file that cannot change.
fn connect(path: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = if left_alone(path) {
        let name = format!("{}?immutable=1", uri(path));
        Connection::open_with_flags(name, flags | OpenFlags::SQLITE_OPEN_URI)?
    } else {
        Connection::open_with_flags(path, flags)?
    };
    connection.busy_timeout(BUSY_TIMEOUT)?;
    connection.pragma_update(None, "query_only", 1)?;
    Ok(connection)
}

/// The path as SQLite's URIs have it.
fn uri(path: &Path) -> String {
    let mut name = String::from("file:");
    for byte in path.as_os_str().as_encoded_bytes() {
        if byte.is_ascii_alphanumeric() || b"/-_.~".contains(byte) {
            name.push(char::from(*byte));
        } else {
            let _ = write!(name, "%{byte:02X}");
        }
    }
    name
}
