//! Errors: Java makes the exception of every kind, by its code.

use everstep::Error;
use everstep::model::Failure;

/// An error of the core.
#[derive(uniffi::Record)]
pub struct NativeError {
    pub code: String,
    pub message: String,
    pub operation: Option<String>,
    pub instance_id: Option<String>,
    pub failure: Option<Vec<NativeFailure>>,
    pub done: Option<i64>,
}

impl From<&Error> for NativeError {
    fn from(error: &Error) -> NativeError {
        NativeError {
            code: error.code().to_owned(),
            message: error.message().to_owned(),
            operation: error.operation().map(str::to_owned),
            instance_id: error.instance_id().map(str::to_owned),
            failure: error.failure().map(chain),
            done: error.done().map(|done| done as i64),
        }
    }
}

/// One of a chain of failures.
#[derive(uniffi::Record)]
pub struct NativeFailure {
    pub error_type: String,
    pub message: String,
    pub stack: Option<String>,
    pub non_retryable: bool,
}

/// A failure and its causes, the outermost first.
pub(crate) fn chain(failure: &Failure) -> Vec<NativeFailure> {
    let chain = std::iter::successors(Some(failure), |failure| failure.cause.as_deref());
    let native = |failure: &Failure| NativeFailure {
        error_type: failure.error_type.clone(),
        message: failure.message.clone(),
        stack: failure.stack.clone(),
        non_retryable: failure.non_retriable,
    };
    chain.map(native).collect()
}
