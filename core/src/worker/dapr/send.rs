//! Answers on their way to the runtime, and what becomes of those that fail.
//!
//! A turn's answer counts for the stream that delivered it, and must land at most once: Dapr 1.18 tells answers apart by the
//! instance alone, so a second one could end the next turn. One that may have landed is repeated only where the runtime gave a
//! token for the turn; else the stream is dropped, and the runtime delivers again what it has no answer for. An activity's answer
//! changes nothing when it comes twice, and is repeated until the runtime has it.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tonic::Code;

use super::answers;
use super::hub::Hub;
use crate::bridge::Level;
use crate::component::dapr::{Failed, error_of, pause};
use crate::engine::task::{ActivityKey, ActivityResult};
use crate::error::{Error, ErrorKind, Result};
use crate::history::{Event, wire};
use crate::runtime::{reactor, wait_on};

const COMPLETE_ACTIVITY: &str = "/TaskHubSidecarService/CompleteActivityTask";
const COMPLETE_TURN: &str = "/TaskHubSidecarService/CompleteWorkflowTask";
/// The same under the name that runtimes before 1.18 know.
const COMPLETE_TURN_OLD: &str = "/TaskHubSidecarService/CompleteOrchestratorTask";
pub(super) const HISTORY: &str = "/TaskHubSidecarService/GetInstanceHistory";
/// How long a runtime may take to take an answer.
pub(super) const PATIENCE: Duration = Duration::from_secs(30);

/// What to do about an answer that failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Next {
    /// Send it again.
    Again,
    /// The runtime does not know the call by this name.
    OtherName,
    /// Send a small failure in its place.
    TooLarge,
    /// It may have landed.
    Unclear,
}

fn next(failed: &Failed) -> Next {
    let status = failed.status();
    match status.code() {
        _ if matches!(failed, Failed::Unsent(_)) => Next::Again,
        Code::Unimplemented => Next::OtherName,
        _ if status.message().contains("failed to proxy request: required metadata") => Next::OtherName,
        Code::ResourceExhausted | Code::OutOfRange if is_about_size(status.message()) => Next::TooLarge,
        // Too many calls at a time: it was refused before anything was done.
        Code::ResourceExhausted => Next::Again,
        _ => Next::Unclear,
    }
}

/// Whether a refusal is about the size of the message, in the words of grpc-go, or of the client on this side.
fn is_about_size(text: &str) -> bool {
    ["larger than max", "message length too large"].iter().any(|part| text.contains(part))
}

impl Hub {
    /// Answers a turn, as long as the stream lives that delivered it.
    pub(super) fn send_turn(self: &Arc<Hub>, stream: u64, response: wire::WorkflowResponse) {
        let hub = self.clone();
        self.spawn(async move { hub.deliver_turn(stream, response).await });
    }

    async fn deliver_turn(&self, stream: u64, mut response: wire::WorkflowResponse) {
        let mut is_small = false;
        for attempt in 1.. {
            if !self.lock().is_live(stream) {
                return self.lock().runs.outdated(&response.instance_id);
            }
            let old = self.speaks_old.load(Ordering::Relaxed);
            let method = if old { COMPLETE_TURN_OLD } else { COMPLETE_TURN };
            let sent = self.channel.once::<_, wire::CompleteTaskResponse>(method, response.clone(), PATIENCE);
            let Err(failed) = sent.await else { return };
            match next(&failed) {
                Next::OtherName if !old => self.speaks_old.store(true, Ordering::Relaxed),
                Next::TooLarge if !is_small => {
                    is_small = true;
                    let failure = answers::too_large("what the turn asks for");
                    let instance = &response.instance_id;
                    self.notice(Level::Error, format!("instance {instance:?} fails: {}", failure.message));
                    let small = answers::failed(&response.instance_id, &response.completion_token, &failure);
                    // The patches must stay: a runtime compares them first.
                    response = wire::WorkflowResponse { version: response.version, ..small };
                    self.lock().runs.outdated(&response.instance_id);
                }
                Next::Again => tokio::time::sleep(pause(attempt)).await,
                Next::Unclear if !response.completion_token.is_empty() => {
                    tokio::time::sleep(pause(attempt)).await;
                }
                Next::Unclear | Next::OtherName | Next::TooLarge => {
                    let (instance, error) = (&response.instance_id, error_of(&failed, &self.endpoint));
                    let why = error.message();
                    self.notice(
                        Level::Warning,
                        format!(
                            "the answer of instance {instance:?} may be lost ({why}); it is asked for again"
                        ),
                    );
                    self.lock().runs.outdated(&response.instance_id);
                    return self.drop_stream(stream);
                }
            }
        }
    }

    /// An activity ended: the runtime is told until it has taken that.
    pub(super) fn activity_ended(self: &Arc<Hub>, key: ActivityKey, result: ActivityResult) {
        if self.lock().activities.ended(key, result) {
            let hub = self.clone();
            self.spawn(async move { hub.deliver_activity(key).await });
        }
    }

    async fn deliver_activity(&self, key: ActivityKey) {
        for attempt in 1.. {
            let Some(response) = self.lock().activities.answer(key) else { return };
            let call =
                self.channel.once::<_, wire::CompleteTaskResponse>(COMPLETE_ACTIVITY, response, PATIENCE);
            let Err(failed) = call.await else {
                if self.lock().activities.accepted(key) {
                    return;
                }
                continue;
            };
            if next(&failed) == Next::TooLarge {
                let failure = answers::too_large("the activity's result");
                self.notice(Level::Error, format!("an activity fails: {}", failure.message));
                self.lock().activities.replace(key, (&failure).into());
            }
            if self.is_closed() {
                return;
            }
            tokio::time::sleep(pause(attempt)).await;
        }
    }

    /// Repeats the answer of an activity that was delivered again.
    pub(super) fn answer_again(self: &Arc<Hub>, response: wire::ActivityResponse) {
        let channel = self.channel.clone();
        self.spawn(async move {
            // If it fails the runtime delivers once more.
            let _ =
                channel.once::<_, wire::CompleteTaskResponse>(COMPLETE_ACTIVITY, response, PATIENCE).await;
        });
    }

    /// The history of an instance, for a turn that came without it.
    pub(super) fn history(&self, instance_id: &str) -> Result<Vec<Event>> {
        let request = wire::GetInstanceHistoryRequest { instance_id: instance_id.to_owned() };
        let call = async {
            let answer = self.channel.once::<_, wire::GetInstanceHistoryResponse>(HISTORY, request, PATIENCE);
            answer.await.map_err(|failed| {
                Error::new(ErrorKind::Unavailable, "the history cannot be fetched")
                    .with_source(failed.status().clone())
            })
        };
        let answer = wait_on(reactor::within(self.channel.reactor(), call), None)?;
        Ok(answer.events.into_iter().map(Event::new).collect())
    }
}

#[cfg(test)]
mod tests {
    use tonic::Status;

    use super::*;

    #[test]
    fn only_what_was_not_sent_is_sent_again_without_a_doubt() {
        let answered = |code, text: &str| Failed::Status(Status::new(code, text));
        let table = [
            (Failed::Unsent(Status::unavailable("refused")), Next::Again),
            (answered(Code::Unavailable, "goaway"), Next::Unclear),
            (answered(Code::DeadlineExceeded, ""), Next::Unclear),
            (answered(Code::Unknown, "boom"), Next::Unclear),
            (answered(Code::Unimplemented, ""), Next::OtherName),
            (answered(Code::Unknown, "failed to proxy request: required metadata x"), Next::OtherName),
            (answered(Code::ResourceExhausted, "received message larger than max"), Next::TooLarge),
            (answered(Code::OutOfRange, "Error, encoded message length too large: found 9"), Next::TooLarge),
            (answered(Code::ResourceExhausted, "too many requests"), Next::Again),
        ];
        for (failed, expected) in table {
            assert_eq!(next(&failed), expected, "{failed:?}");
        }
    }
}
