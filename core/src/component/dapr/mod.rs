//! Dapr's workflow API, as a sidecar serves it.

mod connection;
mod errors;
mod http;

pub use http::DaprHttp;
