//! Dapr's messages, generated from `proto/`, and their conversions.

use crate::model::{Failure, Micros};

#[allow(missing_docs, unreachable_pub, clippy::all, clippy::pedantic, clippy::needless_pass_by_value)]
mod generated {
    include!(concat!(env!("OUT_DIR"), "/dapr.rs"));
}

pub use generated::*;

/// The wire form of an instant.
pub fn timestamp(time: Micros) -> prost_types::Timestamp {
    let nanos = i32::try_from(time.0.rem_euclid(1_000_000) * 1000).expect("below a second");
    prost_types::Timestamp { seconds: time.0.div_euclid(1_000_000), nanos }
}

/// The instant of a wire timestamp, rounded down to a microsecond.
pub fn micros(timestamp: &prost_types::Timestamp) -> Micros {
    Micros(timestamp.seconds.saturating_mul(1_000_000).saturating_add(i64::from(timestamp.nanos) / 1000))
}

/// The instant of a wire timestamp, rounded up to a microsecond, so that a timer never fires early.
pub fn micros_ceil(timestamp: &prost_types::Timestamp) -> Micros {
    let nanos = i64::from(timestamp.nanos);
    Micros(timestamp.seconds.saturating_mul(1_000_000).saturating_add((nanos + 999) / 1000))
}

impl From<&Failure> for TaskFailureDetails {
    fn from(failure: &Failure) -> TaskFailureDetails {
        TaskFailureDetails {
            error_type: failure.error_type.clone(),
            error_message: failure.message.clone(),
            stack_trace: failure.stack.clone(),
            inner_failure: failure.cause.as_deref().map(|cause| Box::new(cause.into())),
            is_non_retriable: failure.non_retriable,
        }
    }
}

impl From<&TaskFailureDetails> for Failure {
    fn from(details: &TaskFailureDetails) -> Failure {
        Failure {
            error_type: details.error_type.clone(),
            message: details.error_message.clone(),
            stack: details.stack_trace.clone(),
            non_retriable: details.is_non_retriable,
            cause: details.inner_failure.as_deref().map(|inner| Box::new(inner.into())),
        }
    }
}

impl From<create_timer_action::Origin> for timer_created_event::Origin {
    fn from(origin: create_timer_action::Origin) -> timer_created_event::Origin {
        use create_timer_action::Origin as From;
        use timer_created_event::Origin as To;
        match origin {
            From::CreateTimer(origin) => To::CreateTimer(origin),
            From::ExternalEvent(origin) => To::ExternalEvent(origin),
            From::ActivityRetry(origin) => To::ActivityRetry(origin),
            From::ChildWorkflowRetry(origin) => To::ChildWorkflowRetry(origin),
        }
    }
}
