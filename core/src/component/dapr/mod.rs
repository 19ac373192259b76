//! Dapr's workflow API, as a sidecar serves it.

mod connection;
mod errors;
mod grpc;
mod http;
mod lost;

pub use grpc::DaprGrpc;
pub use http::DaprHttp;
