//! The native library of the JVM package: converts values, maps errors, carries batches across. Nothing else: the public
//! API is Java, the behaviour is the core's.
//!
//! No function calls back into the JVM. What has to wait stands in a queue of the core's, from which one platform thread of
//! the JVM takes answers in batches; a worker's tasks are polled by platform threads. All else returns at once, since a
//! native call holds the carrier of a virtual thread.
#![allow(
    missing_docs,
    unreachable_pub,
    clippy::needless_pass_by_value,
    reason = "what is exported goes to Java, which gives owned values; the documented API is the Java around it"
)]

uniffi::setup_scaffolding!();

mod answer;
mod call;
mod client;
mod convert;
mod error;
mod event;
mod history;
mod worker;

/// The version of the crate, which the loader compares with the package's.
#[uniffi::export]
pub fn native_version() -> String {
    env!("CARGO_PKG_VERSION").to_owned()
}

/// Code and retryability of a kind of error.
#[derive(uniffi::Record)]
pub struct NativeKind {
    pub code: String,
    pub retryable: bool,
}

/// Every kind of error.
#[uniffi::export]
pub fn error_kinds() -> Vec<NativeKind> {
    let kinds = everstep::ErrorKind::ALL.iter();
    kinds.map(|kind| NativeKind { code: kind.code().to_owned(), retryable: kind.is_retryable() }).collect()
}

/// What is known of this library and of the endpoint that a client with this argument would use, as JSON.
#[uniffi::export]
pub fn native_report(endpoint: Option<String>) -> String {
    everstep::report::Report::of_process(endpoint.as_deref()).to_json()
}
