//! SQLite's errors as the library's kinds.

use std::path::Path;

use rusqlite::ErrorCode;
use rusqlite::ffi;

use crate::error::{Error, ErrorKind};

/// The error of a statement on the store at `path`.
pub(super) fn fault(path: &Path, error: rusqlite::Error) -> Error {
    let (kind, cure) = classify(&error);
    Error::new(kind, format!("the store {}: {}{cure}", path.display(), what(&error))).with_source(error)
}

/// Whether the connection may be used after this error once the transaction is rolled back. After a failed flush nobody
/// knows what the disk holds, and asking again may be answered with a false yes.
pub(super) fn is_survivable(error: &rusqlite::Error) -> bool {
    use ErrorCode::{ConstraintViolation, DatabaseBusy, DatabaseLocked, DiskFull, OutOfMemory, TooBig};
    error.sqlite_error_code().is_some_and(|code| {
        matches!(code, ConstraintViolation | DatabaseBusy | DatabaseLocked | DiskFull | OutOfMemory | TooBig)
    })
}

fn classify(error: &rusqlite::Error) -> (ErrorKind, &'static str) {
    const WRITABLE: &str =
        "; allow this user to read and write the file and its directory, or name another path";
    let Some(found) = error.sqlite_error() else {
        return match error {
            rusqlite::Error::InvalidColumnType(..)
            | rusqlite::Error::FromSqlConversionFailure(..)
            | rusqlite::Error::IntegralValueOutOfRange(..) => {
                (ErrorKind::StoreCorrupt, "; restore the file from a backup")
            }
            _ => (ErrorKind::Internal, ""),
        };
    };
    match found.code {
        ErrorCode::DiskFull => (ErrorKind::ResourceExhausted, "; free space on its disk"),
        ErrorCode::OutOfMemory => (ErrorKind::ResourceExhausted, ""),
        ErrorCode::TooBig => (ErrorKind::PayloadTooLarge, "; a record may have 1000000000 bytes"),
        ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase => {
            (ErrorKind::StoreCorrupt, "; restore the file from a backup, or move it away to begin anew")
        }
        ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked => {
            (ErrorKind::StoreLocked, "; another program writes to the file, which only its owner may do")
        }
        ErrorCode::ReadOnly | ErrorCode::PermissionDenied => (ErrorKind::PermissionDenied, WRITABLE),
        ErrorCode::CannotOpen => (ErrorKind::Unavailable, WRITABLE),
        ErrorCode::SystemIoFailure if found.extended_code == ffi::SQLITE_IOERR_NOMEM => {
            (ErrorKind::ResourceExhausted, "")
        }
        ErrorCode::SystemIoFailure => {
            (ErrorKind::Unavailable, "; see whether its disk is in order, then open the store again")
        }
        _ => (ErrorKind::Internal, ""),
    }
}

/// What SQLite says, with its own number: messages alone are too coarse to find the cause of an I/O error.
fn what(error: &rusqlite::Error) -> String {
    match error.sqlite_error() {
        Some(found) => format!("{error} (sqlite {})", found.extended_code),
        None => error.to_string(),
    }
}
