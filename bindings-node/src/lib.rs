//! The native module of the Node package: converts values, maps errors, carries batches across. Nothing else: the public
//! API is TypeScript, the behaviour is the core's.
//!
//! Nothing here blocks the event loop. What can block runs on a thread of its own, what has to wait stands in a queue of
//! the core's; threads reach JavaScript through thread-safe functions only, once per batch.
#![allow(
    missing_docs,
    unreachable_pub,
    clippy::needless_pass_by_value,
    reason = "what is exported goes to JavaScript, which gives owned values; the documented API is the TypeScript around it"
)]

use napi_derive::napi;

mod call;
mod client;
mod convert;
mod error;
mod event;
mod history;
mod rehearsal;
mod worker;

/// The version of the crate, which the loader compares with the package's.
#[napi]
pub fn version() -> &'static str {
    env!("CARGO_PKG_VERSION")
}

/// Code and retryability of a kind of error.
#[napi(object, object_from_js = false)]
pub struct NativeKind {
    pub code: &'static str,
    pub retryable: bool,
}

/// Every kind of error.
#[napi]
pub fn error_kinds() -> Vec<NativeKind> {
    let kinds = everstep::ErrorKind::ALL.iter();
    kinds.map(|kind| NativeKind { code: kind.code(), retryable: kind.is_retryable() }).collect()
}

/// What is known of this library and of an endpoint, for programs and for people.
#[napi(object, object_from_js = false)]
pub struct NativeReport {
    pub json: String,
    pub rows: Vec<Vec<String>>,
}

/// Looks at the endpoint that a client with this argument would use.
#[napi]
pub fn report(endpoint: Option<String>) -> NativeReport {
    let report = everstep::report::Report::of_process(endpoint.as_deref());
    let rows = report.rows().into_iter().map(|(name, text)| vec![name.to_owned(), text]);
    NativeReport { json: report.to_json(), rows: rows.collect() }
}
