//! The one error type of the library and its kinds.
//!
//! `conformance/errors.json` is the table every language is checked against: code, meaning, whether a repetition of
//! the same call may succeed, and what the caller should do.

use std::fmt;

use crate::model::Failure;

/// Result of an operation of this library.
pub type Result<T, E = Error> = std::result::Result<T, E>;

macro_rules! kinds {
    ($($(#[$doc:meta])* $name:ident = $code:literal, $retryable:literal;)*) => {
        /// What went wrong, by what the caller should do next.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum ErrorKind { $($(#[$doc])* $name,)* }

        impl ErrorKind {
            /// Every kind, in the order of `conformance/errors.json`.
            pub const ALL: &'static [ErrorKind] = &[$(ErrorKind::$name,)*];

            /// The code that is the same in every language, for example `not_found`.
            pub const fn code(self) -> &'static str {
                match self { $(ErrorKind::$name => $code,)* }
            }

            /// Whether the same call may succeed later without a change by the caller.
            pub const fn is_retryable(self) -> bool {
                match self { $(ErrorKind::$name => $retryable,)* }
            }

            /// The kind with this code.
            pub fn from_code(code: &str) -> Option<ErrorKind> {
                match code { $($code => Some(ErrorKind::$name),)* _ => None }
            }
        }
    };
}

kinds! {
    /// An argument breaks a rule that the message names; nothing was sent or written.
    InvalidArgument = "invalid_argument", false;
    /// There is no such instance (or not the run that was asked for).
    NotFound = "not_found", false;
    /// The instance ID is in use.
    AlreadyExists = "already_exists", false;
    /// The instance or the program is not in a state that allows the operation.
    FailedPrecondition = "failed_precondition", false;
    /// The component cannot do this; the message names what can.
    NotImplemented = "not_implemented", false;
    /// The component cannot be reached now.
    Unavailable = "unavailable", true;
    /// The time given has passed; the operation may still happen.
    Timeout = "timeout", true;
    /// The caller gave the call up.
    Cancelled = "cancelled", false;
    /// Credentials are missing or wrong.
    Unauthenticated = "unauthenticated", false;
    /// The credentials do not allow this.
    PermissionDenied = "permission_denied", false;
    /// A payload is larger than the limit the message names.
    PayloadTooLarge = "payload_too_large", false;
    /// The workflow ended in failure; the error carries the chain of failures.
    WorkflowFailed = "workflow_failed", false;
    /// The workflow was terminated.
    WorkflowTerminated = "workflow_terminated", false;
    /// The workflow waits for corrected code; it is tried again with the next worker or resume.
    WorkflowStalled = "workflow_stalled", true;
    /// No worker knows the workflow.
    WorkflowNotRegistered = "workflow_not_registered", false;
    /// No connected worker knows the activity.
    ActivityNotRegistered = "activity_not_registered", false;
    /// An activity failed.
    ActivityFailed = "activity_failed", false;
    /// A child workflow failed.
    ChildFailed = "child_failed", false;
    /// A payload could not be decoded; its text stays readable.
    DecodeFailed = "decode_failed", false;
    /// Disk, memory or a configured limit is exhausted.
    ResourceExhausted = "resource_exhausted", true;
    /// Another process owns the store.
    StoreLocked = "store_locked", true;
    /// The store was written by a newer version.
    StoreVersion = "store_version", false;
    /// The store is damaged.
    StoreCorrupt = "store_corrupt", false;
    /// The client, worker or engine is closed.
    Closed = "closed", false;
    /// The object was made before a fork of the process.
    Forked = "forked", false;
    /// A fault of this library; please report it.
    Internal = "internal", false;
}

impl fmt::Display for ErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

/// An error: its kind, a message without payloads or secrets, and where it arose.
#[derive(Debug)]
pub struct Error(Box<Inner>);

#[derive(Debug)]
struct Inner {
    kind: ErrorKind,
    message: String,
    operation: Option<&'static str>,
    instance_id: Option<String>,
    failure: Option<Failure>,
    done: Option<u64>,
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

impl Error {
    /// An error of `kind`. The message is lower case, has no trailing period, and names the limit that was broken.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Error {
        Error(Box::new(Inner {
            kind,
            message: message.into(),
            operation: None,
            instance_id: None,
            failure: None,
            done: None,
            source: None,
        }))
    }

    /// Names the operation, for example `start_workflow`; the innermost name stays.
    #[must_use]
    pub fn in_operation(mut self, operation: &'static str) -> Error {
        self.0.operation.get_or_insert(operation);
        self
    }

    /// Names the instance; the innermost name stays.
    #[must_use]
    pub fn of_instance(mut self, instance_id: impl Into<String>) -> Error {
        self.0.instance_id.get_or_insert_with(|| instance_id.into());
        self
    }

    /// Attaches what the user's code failed with.
    #[must_use]
    pub fn with_failure(mut self, failure: Failure) -> Error {
        self.0.failure = Some(failure);
        self
    }

    /// Keeps what caused this error.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Error {
        self.0.source = Some(source.into());
        self
    }

    /// What went wrong.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// The code of [`Error::kind`].
    pub fn code(&self) -> &'static str {
        self.0.kind.code()
    }

    /// Whether the same call may succeed later without a change by the caller.
    pub fn is_retryable(&self) -> bool {
        self.0.kind.is_retryable()
    }

    /// The message, without operation and instance.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// The operation that failed, if it is known.
    pub fn operation(&self) -> Option<&'static str> {
        self.0.operation
    }

    /// The instance concerned, if there is one.
    pub fn instance_id(&self) -> Option<&str> {
        self.0.instance_id.as_deref()
    }

    /// How many instances an operation on many had been done to, durably, when it failed.
    pub fn done(&self) -> Option<u64> {
        self.0.done
    }

    /// What the user's code failed with, innermost cause last.
    pub fn failure(&self) -> Option<&Failure> {
        self.0.failure.as_ref()
    }

    /// Says how far an operation on many had come.
    pub(crate) fn having_done(mut self, done: u64) -> Error {
        self.0.message = format!("{}; {done} instances were done before", self.0.message);
        self.0.done = Some(done);
        self
    }

    pub(crate) fn invalid(message: impl Into<String>) -> Error {
        Error::new(ErrorKind::InvalidArgument, message)
    }

    pub(crate) fn internal(message: impl Into<String>) -> Error {
        Error::new(ErrorKind::Internal, message)
    }

    /// The same error again, for one of several callers. The source stays with the first.
    pub(crate) fn duplicate(&self) -> Error {
        Error(Box::new(Inner {
            kind: self.0.kind,
            message: self.0.message.clone(),
            operation: self.0.operation,
            instance_id: self.0.instance_id.clone(),
            failure: self.0.failure.clone(),
            done: self.0.done,
            source: None,
        }))
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(operation) = self.0.operation {
            write!(f, "{operation}: ")?;
        }
        f.write_str(&self.0.message)?;
        if let Some(id) = &self.0.instance_id {
            write!(f, " (instance {id:?})")?;
        }
        Ok(())
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.source.as_deref().map(|source| source as _)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_unique_and_round_trip() {
        for (index, kind) in ErrorKind::ALL.iter().enumerate() {
            assert_eq!(ErrorKind::from_code(kind.code()), Some(*kind));
            assert!(ErrorKind::ALL[..index].iter().all(|other| other.code() != kind.code()));
        }
    }

    #[test]
    fn the_innermost_operation_and_instance_stay() {
        let error =
            Error::new(ErrorKind::NotFound, "no such instance").of_instance("a").in_operation("get_workflow");
        let error = error.of_instance("b").in_operation("outer");
        assert_eq!(error.to_string(), "get_workflow: no such instance (instance \"a\")");
    }
}
