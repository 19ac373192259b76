//! Errors and stalls as they cross to and from a host.

use std::fmt;

use crate::error::ErrorKind;
use crate::model::{Failure, Payload};

/// What an activity, a child workflow, a wait or a workflow failed with.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TaskError {
    /// The remote type's name, for example `ValueError`.
    pub error_type: String,
    /// The message.
    pub message: String,
    /// The stack, if there is one.
    pub stack: Option<String>,
    /// The code of this library's table, for example `activity_failed`. Dapr's wire has no place for it.
    pub code: Option<String>,
    /// Whether retry policies may try again.
    pub retryable: bool,
    /// Free details for the host. Dapr's wire has no place for them.
    pub data: Payload,
    /// What caused it.
    pub cause: Option<Box<TaskError>>,
}

impl TaskError {
    /// An error of the library itself: `error_type` for people, `kind` for programs.
    pub fn new(error_type: &str, kind: ErrorKind, message: impl Into<String>) -> TaskError {
        TaskError {
            error_type: error_type.to_owned(),
            message: message.into(),
            code: Some(kind.code().to_owned()),
            retryable: true,
            ..TaskError::default()
        }
    }

    /// The same error under this code.
    #[must_use]
    pub fn with_code(mut self, kind: ErrorKind) -> TaskError {
        self.code = Some(kind.code().to_owned());
        self
    }
}

impl From<&Failure> for TaskError {
    fn from(failure: &Failure) -> TaskError {
        TaskError {
            error_type: failure.error_type.clone(),
            message: failure.message.clone(),
            stack: failure.stack.clone(),
            code: None,
            retryable: !failure.non_retriable,
            data: None,
            cause: failure.cause.as_deref().map(|cause| Box::new(cause.into())),
        }
    }
}

impl From<&TaskError> for Failure {
    fn from(error: &TaskError) -> Failure {
        Failure {
            error_type: error.error_type.clone(),
            message: error.message.clone(),
            stack: error.stack.clone(),
            non_retriable: !error.retryable,
            cause: error.cause.as_deref().map(|cause| Box::new(cause.into())),
        }
    }
}

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $code:literal;)*) => {
        /// Why a turn cannot go on until the program is changed.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum StallCode { $($(#[$doc])* $name,)* }

        impl StallCode {
            /// Every code.
            pub const ALL: &'static [StallCode] = &[$(StallCode::$name,)*];

            /// The code as text, the same in every language.
            pub const fn code(self) -> &'static str {
                match self { $(StallCode::$name => $code,)* }
            }

            /// The stall code with this text.
            pub fn from_code(code: &str) -> Option<StallCode> {
                match code { $($code => Some(StallCode::$name),)* _ => None }
            }
        }
    };
}

codes! {
    /// The function asks for something else than its history says.
    NonDeterminism = "non_determinism";
    /// The function waits for something that no history can replay, or uses its context outside a turn.
    NonDurable = "non_durable";
    /// The function did not give its turn back in time.
    Blocked = "blocked";
    /// No worker has the version that the run uses.
    VersionNotAvailable = "version_not_available";
    /// The patches that the function asks for are not those of its history.
    PatchMismatch = "patch_mismatch";
    /// A value that the function hands out cannot be encoded.
    EncodeFailed = "encode_failed";
    /// The host's answer cannot be read.
    DecodeFailed = "decode_failed";
    /// The host's answer breaks the protocol.
    InvalidArgument = "invalid_argument";
}

impl fmt::Display for StallCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

/// A turn that cannot go on; nothing of it is committed but the description.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stall {
    /// Why.
    pub code: StallCode,
    /// What was found and what cures it.
    pub message: String,
    /// The host's stack, if there is one.
    pub stack: Option<String>,
    /// The event of the history concerned, counted from 0.
    pub event_index: Option<usize>,
}

impl Stall {
    /// A stall of `code`.
    pub fn new(code: StallCode, message: impl Into<String>) -> Stall {
        Stall { code, message: message.into(), stack: None, event_index: None }
    }

    /// Names the event of the history concerned.
    #[must_use]
    pub fn at_event(mut self, index: usize) -> Stall {
        self.event_index = Some(index);
        self
    }

    pub(crate) fn invalid(message: impl Into<String>) -> Stall {
        Stall::new(StallCode::InvalidArgument, message)
    }
}

impl fmt::Display for Stall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code, self.message)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stall_codes_round_trip() {
        for code in StallCode::ALL {
            assert_eq!(StallCode::from_code(code.code()), Some(*code));
        }
        assert_eq!(StallCode::from_code("tired"), None);
    }

    #[test]
    fn a_chain_of_failures_survives_both_ways() {
        let cause = Failure { error_type: "IoError".into(), message: "disk".into(), ..Failure::default() };
        let failure = Failure {
            error_type: "ValueError".into(),
            message: "bad".into(),
            stack: Some("at 1".into()),
            non_retriable: true,
            cause: Some(Box::new(cause)),
        };
        assert_eq!(Failure::from(&TaskError::from(&failure)), failure);
    }
}
