//! Asking a sidecar again until an instance is as it is wanted, for what Dapr cannot be made to say by itself.

use std::time::{Duration, Instant};

use super::super::Pending;
use super::connection::{PATIENCE, pause};
use crate::error::{Error, ErrorKind, Result};
use crate::model::{Change, Look, RuntimeStatus, Seen, WorkflowState};

/// How long a wait bears that the sidecar is away, once it has answered.
const OUTAGE: Duration = Duration::from_secs(60);
/// From one question to the next, at first and at last.
const INTERVAL: (Duration, Duration) = (Duration::from_millis(10), Duration::from_millis(500));

/// What a question gets for which no time is left.
const MOMENT: Duration = Duration::from_millis(200);

/// The time that a wait may take.
#[derive(Clone, Copy)]
pub(super) struct Until(Option<Instant>);

impl Until {
    /// From now on; a time beyond what the clock can express is endless.
    pub(super) fn after(timeout: Option<Duration>) -> Until {
        Until(timeout.and_then(|timeout| Instant::now().checked_add(timeout)))
    }

    /// What is left of it; nothing for an endless one.
    pub(super) fn left(self) -> Option<Duration> {
        self.0.map(|until| until.saturating_duration_since(Instant::now()))
    }

    /// # Errors
    /// `timeout` when nothing is left.
    pub(super) fn check(self) -> Result<()> {
        match self.left() {
            Some(Duration::ZERO) => Err(Error::new(ErrorKind::Timeout, "the time given has passed")),
            _ => Ok(()),
        }
    }

    /// Gives up a question when the time is over; one that is asked at the very end has a moment.
    ///
    /// # Errors
    /// `timeout`; what the question answers.
    pub(super) async fn limit<T>(self, question: impl Future<Output = Result<T>>) -> Result<T> {
        let Some(left) = self.left() else { return question.await };
        let late = |_| Error::new(ErrorKind::Timeout, "the sidecar does not answer");
        tokio::time::timeout(left.max(MOMENT), question).await.map_err(late)?
    }

    /// Waits, but no longer than there is time.
    pub(super) async fn sleep(self, pause: Duration) {
        tokio::time::sleep(self.left().map_or(pause, |left| pause.min(left))).await;
    }
}

/// Bears a while that the sidecar is away: it is restarted, moved, or overloaded.
#[derive(Default)]
pub(super) struct Bearing {
    answered: bool,
    away: Option<(Instant, u32)>,
}

impl Bearing {
    /// Notes an answer.
    pub(super) fn answered(&mut self) {
        (self.answered, self.away) = (true, None);
    }

    /// Waits before the next attempt after an error.
    ///
    /// # Errors
    /// The error, if it does not come from an outage or the outage lasts too long; `timeout` when the time is over.
    pub(super) async fn bear(&mut self, error: Error, until: Until) -> Result<()> {
        if !matches!(error.kind(), ErrorKind::Unavailable | ErrorKind::Timeout) {
            return Err(error);
        }
        let (since, attempt) = self.away.get_or_insert_with(|| (Instant::now(), 0));
        *attempt += 1;
        let patience = if self.answered { OUTAGE } else { PATIENCE };
        if since.elapsed() >= patience {
            return Err(error);
        }
        if until.check().is_err() {
            let message =
                format!("the time given has passed, and the sidecar does not answer: {}", error.message());
            return Err(Error::new(ErrorKind::Timeout, message).with_source(error));
        }
        until.sleep(pause(*attempt)).await;
        Ok(())
    }
}

/// Asks for the state until it is wanted.
///
/// # Errors
/// `timeout`; what asking answers, but for short outages.
pub(super) async fn ask_again<'a>(
    until: Until,
    ask: impl Fn() -> Pending<'a, WorkflowState>,
    wanted: impl Fn(&WorkflowState) -> bool,
) -> Result<WorkflowState> {
    let (mut interval, longest) = INTERVAL;
    let mut bearing = Bearing::default();
    loop {
        match until.limit(ask()).await {
            Ok(state) if wanted(&state) => return Ok(state),
            Ok(_) => {
                bearing.answered();
                until.check()?;
                until.sleep(interval).await;
                interval = interval.mul_f64(1.5).min(longest);
            }
            Err(error) => bearing.bear(error, until).await?,
        }
    }
}

/// Asks for the state until it is another one than the one seen.
///
/// # Errors
/// What asking answers, but for short outages.
pub(super) async fn next_change<'a>(
    seen: Option<Seen>,
    ask: impl Fn() -> Pending<'a, WorkflowState>,
) -> Result<Change> {
    let state = ask_again(Until::after(None), ask, |state| Some(look(state)) != seen).await?;
    let seen = look(&state);
    Ok(Change { state, seen })
}

/// Why it stalled is read only where it is news, so the time stands for it: a stall is recorded once for each reason.
fn look(state: &WorkflowState) -> Seen {
    let mut look = Look { reason: None, ..Look::of(state) };
    if state.status == RuntimeStatus::Stalled {
        look.run.1 = state.last_updated_at;
    }
    look.seen()
}

/// Whether the first turn has run.
pub(super) fn has_started(state: &WorkflowState) -> bool {
    state.status != RuntimeStatus::Pending
}

/// Whether nothing more happens by itself.
pub(super) fn has_ended(state: &WorkflowState) -> bool {
    state.status.is_terminal() || state.status == RuntimeStatus::Stalled
}

/// What a wait for the end gives.
///
/// # Errors
/// `workflow_stalled`.
pub(super) fn ended(state: WorkflowState) -> Result<WorkflowState> {
    match state.status {
        RuntimeStatus::Stalled => {
            Err(Error::new(ErrorKind::WorkflowStalled, state.reason.unwrap_or_default()))
        }
        _ => Ok(state),
    }
}

/// The state without input and output, which the runtime tells with the rest or not at all.
pub(super) fn shorn(state: WorkflowState, payloads: bool) -> WorkflowState {
    if payloads { state } else { WorkflowState { input: None, output: None, ..state } }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;
    use crate::model::Micros;
    use crate::runtime::reactor::{handle, within};
    use crate::runtime::wait_on;

    fn run<T: Send>(future: impl Future<Output = Result<T>> + Send) -> Result<T> {
        wait_on(within(&handle().unwrap(), future), Some(Duration::from_secs(30)))
    }

    fn script(answers: Vec<Result<WorkflowState>>) -> impl Fn() -> Pending<'static, WorkflowState> {
        let answers = Mutex::new(answers.into_iter());
        move || {
            let answer =
                answers.lock().unwrap().next().unwrap_or_else(|| Err(Error::internal("no answer is left")));
            Box::pin(std::future::ready(answer))
        }
    }

    fn away() -> Result<WorkflowState> {
        Err(Error::new(ErrorKind::Unavailable, "nothing answers"))
    }

    fn state(status: RuntimeStatus) -> WorkflowState {
        WorkflowState { status, ..WorkflowState::default() }
    }

    #[test]
    fn a_short_outage_is_borne() {
        let answers =
            vec![away(), Ok(state(RuntimeStatus::Running)), away(), away(), Ok(state(RuntimeStatus::Failed))];
        let found = run(ask_again(Until::after(None), script(answers), has_ended)).unwrap();
        assert_eq!(found.status, RuntimeStatus::Failed);
    }

    #[test]
    fn other_errors_end_it() {
        let answers = vec![Err(Error::new(ErrorKind::Unauthenticated, "no"))];
        let error = run(ask_again(Until::after(None), script(answers), has_ended)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unauthenticated);
    }

    #[test]
    fn an_outage_ends_with_the_time_given() {
        let ask = || -> Pending<'static, WorkflowState> { Box::pin(std::future::ready(away())) };
        let until = Until::after(Some(Duration::from_millis(20)));
        assert_eq!(run(ask_again(until, ask, has_ended)).unwrap_err().kind(), ErrorKind::Timeout);
    }

    #[test]
    fn a_change_is_another_state() {
        let (first, second) = (state(RuntimeStatus::Pending), state(RuntimeStatus::Running));
        let seen = run(next_change(None, script(vec![Ok(first.clone())]))).unwrap().seen;
        let later = WorkflowState { last_updated_at: Micros(7), ..first };
        let change = run(next_change(Some(seen), script(vec![Ok(later), Ok(second.clone())]))).unwrap();
        assert_eq!(change.state, second);
        let stalled = |at| WorkflowState { last_updated_at: Micros(at), ..state(RuntimeStatus::Stalled) };
        assert_ne!(look(&stalled(1)), look(&stalled(2)));
    }
}
