//! Whether a worker gets tasks.

use crate::error::{Error, ErrorKind};
use crate::model::Micros;

/// How a worker stands with the source of its tasks.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Status {
    /// Whether tasks may come. Always true on the embedded engine, until the worker is closed.
    pub connected: bool,
    /// Since when they may come, or not.
    pub since: Micros,
    /// Why the connection was lost last, or was not made: kind and message.
    pub last_error: Option<(ErrorKind, String)>,
}

impl Status {
    /// The status of a worker whose source is in this process.
    pub(crate) fn local() -> Status {
        Status { connected: true, since: Micros::now(), last_error: None }
    }

    /// What a wait for the connection ends with when its time is over.
    pub(crate) fn timeout(&self) -> Error {
        let why = self.last_error.as_ref().map(|(_, message)| format!(": {message}")).unwrap_or_default();
        Error::new(ErrorKind::Timeout, format!("the worker did not get ready in the time given{why}"))
    }
}

/// Whether another attempt cannot mend it: somebody has to change something first.
pub(crate) fn stays(kind: ErrorKind) -> bool {
    matches!(
        kind,
        ErrorKind::Unauthenticated
            | ErrorKind::PermissionDenied
            | ErrorKind::NotImplemented
            | ErrorKind::InvalidArgument
            | ErrorKind::Closed
    )
}
