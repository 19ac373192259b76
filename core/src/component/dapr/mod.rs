//! Dapr's workflow API, as a sidecar serves it.

mod connection;
mod errors;
mod grpc;
mod http;
mod lost;
mod marker;

pub(crate) use connection::pause;
pub use grpc::DaprGrpc;
pub(crate) use grpc::{Channel, Failed};
pub use http::DaprHttp;
pub(crate) use marker::{unmark, unmarked_event};

/// The error that a failed call means.
pub(crate) fn error_of(failed: &Failed) -> crate::error::Error {
    errors::of_status(failed.status())
}
