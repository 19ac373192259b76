//! The native library of the JVM package: converts values, maps errors, carries batches across. Nothing else: the public
//! API is Java, the behaviour is the core's.
//!
//! Few functions, and nothing but numbers and texts cross: what a type needs on the Java side is several classes each.
//! A request and its answer are JSON, which Java and this library, always of one version, agree upon here: see `request.rs`
//! and `answer.rs`. What Java holds of the core it knows by a number: see `held.rs`.
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
mod event;
mod held;
mod history;
mod request;
mod worker;

/// The version of the crate, which the loader compares with the package's.
#[uniffi::export]
pub fn native_version() -> String {
    env!("CARGO_PKG_VERSION").to_owned()
}

/// Every kind of error: whether it is retryable, by its code. JSON.
#[uniffi::export]
pub fn error_kinds() -> String {
    let kinds = everstep::ErrorKind::ALL.iter();
    let kinds: std::collections::BTreeMap<_, _> =
        kinds.map(|kind| (kind.code(), kind.is_retryable())).collect();
    answer::write(&kinds)
}

/// What is known of this library and of the endpoint that a client with this argument would use, as JSON or as rows for
/// people.
#[uniffi::export]
pub fn native_report(endpoint: Option<String>, json: bool) -> String {
    let report = everstep::report::Report::of_process(endpoint.as_deref());
    if json {
        return report.to_json();
    }
    let rows = report.rows().into_iter().map(|(name, text)| format!("{name:<11} {text}"));
    rows.collect::<Vec<_>>().join("\n")
}

/// Lets go of what Java holds; a call that is under way on it goes on. A number that is not known any more is nothing.
#[uniffi::export]
pub fn release(held: u64) {
    held::release(held);
}
