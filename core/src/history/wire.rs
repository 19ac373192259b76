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

/// The instant of a wire timestamp, rounded down to a microsecond; out of range becomes the nearest instant.
pub fn micros(timestamp: &prost_types::Timestamp) -> Micros {
    round(timestamp, timestamp.nanos.div_euclid(1000))
}

/// The instant of a wire timestamp, rounded up to a microsecond, so that a timer never fires early.
pub fn micros_ceil(timestamp: &prost_types::Timestamp) -> Micros {
    let up = i32::from(timestamp.nanos.rem_euclid(1000) != 0);
    round(timestamp, timestamp.nanos.div_euclid(1000) + up)
}

fn round(timestamp: &prost_types::Timestamp, micros: i32) -> Micros {
    Micros(timestamp.seconds.saturating_mul(1_000_000).saturating_add(i64::from(micros)))
}

/// How many causes of a failure are written. Decoders give up on messages nested deeper than 100, so a longer chain
/// would make its history unreadable.
pub const MAX_CAUSES: usize = 64;

impl From<&Failure> for TaskFailureDetails {
    /// Causes beyond [`MAX_CAUSES`] are left out.
    fn from(failure: &Failure) -> TaskFailureDetails {
        details(failure, MAX_CAUSES)
    }
}

fn details(failure: &Failure, causes: usize) -> TaskFailureDetails {
    let cause = failure.cause.as_deref().filter(|_| causes > 0);
    TaskFailureDetails {
        error_type: failure.error_type.clone(),
        error_message: failure.message.clone(),
        stack_trace: failure.stack.clone(),
        inner_failure: cause.map(|cause| Box::new(details(cause, causes - 1))),
        is_non_retriable: failure.non_retriable,
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timestamps_round_down_and_up_on_both_sides_of_the_epoch() {
        for (seconds, nanos, down, up) in [
            (0, 0, 0, 0),
            (1, 1, 1_000_000, 1_000_001),
            (1, 999_999_999, 1_999_999, 2_000_000),
            (-1, 500, -1_000_000, -999_999),
            (-62_135_596_800, 0, -62_135_596_800_000_000, -62_135_596_800_000_000),
            (253_402_300_799, 999_999_999, 253_402_300_799_999_999, 253_402_300_800_000_000),
            (i64::MAX, 1, i64::MAX, i64::MAX),
        ] {
            let value = prost_types::Timestamp { seconds, nanos };
            assert_eq!(
                (micros(&value), micros_ceil(&value)),
                (Micros(down), Micros(up)),
                "{seconds} {nanos}"
            );
        }
    }

    #[test]
    fn an_instant_survives_the_wire() {
        for at in [0, 1, -1, 999_999, -1_000_001, -62_135_596_800_000_000, 253_402_300_799_999_999] {
            let value = timestamp(Micros(at));
            assert!((0..1_000_000_000).contains(&value.nanos));
            assert_eq!((micros(&value), micros_ceil(&value)), (Micros(at), Micros(at)));
        }
    }

    #[test]
    fn a_failure_survives_the_wire_with_its_causes() {
        let failure = Failure {
            error_type: "ValueError".into(),
            message: "too large".into(),
            stack: Some(String::new()),
            non_retriable: true,
            cause: Some(Box::new(Failure { error_type: "IOError".into(), ..Failure::default() })),
        };
        assert_eq!(Failure::from(&TaskFailureDetails::from(&failure)), failure);
    }

    #[test]
    fn a_failure_with_endless_causes_stays_readable() {
        let mut failure = Failure::default();
        for level in 0..200 {
            failure =
                Failure { message: level.to_string(), cause: Some(Box::new(failure)), ..Failure::default() };
        }
        let failed = ChildWorkflowInstanceFailedEvent {
            failure_details: Some((&failure).into()),
            ..ChildWorkflowInstanceFailedEvent::default()
        };
        let event = HistoryEvent {
            event_type: Some(history_event::EventType::ChildWorkflowInstanceFailed(failed)),
            ..HistoryEvent::default()
        };
        let completed =
            CompleteWorkflowAction { carryover_events: vec![event.clone()], ..Default::default() };
        let action = WorkflowAction {
            workflow_action_type: Some(workflow_action::WorkflowActionType::CompleteWorkflow(completed)),
            ..WorkflowAction::default()
        };
        let response = WorkflowResponse { actions: vec![action], ..WorkflowResponse::default() };
        let bytes = prost::Message::encode_to_vec(&response);
        assert_eq!(<WorkflowResponse as prost::Message>::decode(&bytes[..]).unwrap(), response);

        let Some(history_event::EventType::ChildWorkflowInstanceFailed(failed)) = event.event_type else {
            panic!()
        };
        let failure = Failure::from(&failed.failure_details.unwrap());
        let chain = std::iter::successors(Some(&failure), |failure| failure.cause.as_deref());
        assert_eq!(chain.count(), 1 + MAX_CAUSES);
    }
}
