//! Dapr's workflow API, as a sidecar serves it.

mod connection;
mod errors;
mod grpc;
mod http;
mod lost;

pub(crate) use connection::pause;
pub use grpc::DaprGrpc;
pub(crate) use grpc::{Channel, Failed};
pub use http::DaprHttp;

/// The error that a failed call means.
pub(crate) fn error_of(failed: &Failed) -> crate::error::Error {
    errors::of_status(failed.status())
}
