//! Dapr's workflow API, as a sidecar serves it.

mod again;
mod connection;
mod errors;
mod fault;
mod grpc;
mod http;
mod lost;
mod metadata;
#[cfg(feature = "testkit")]
pub(crate) mod probe;

pub(crate) use connection::pause;
pub use grpc::DaprGrpc;
pub(crate) use grpc::{Channel, Failed, error_of};
pub use http::DaprHttp;
pub(crate) use metadata::{Answer as MetadataAnswer, Metadata};
