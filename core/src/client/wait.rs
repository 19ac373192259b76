//! Waiting for instances.

use std::time::Duration;

use super::Client;
use crate::component::{Pending, Workflow};
use crate::error::{Error, ErrorKind, Result};
use crate::model::{Payload, RuntimeStatus, WorkflowState};

impl Client {
    /// Waits until the first turn of an instance has run.
    ///
    /// # Errors
    /// `invalid_argument`, `not_found`, `timeout`, `workflow_stalled`.
    pub fn wait_for_start(
        &self,
        component: Option<&str>,
        instance_id: &str,
        timeout: Option<Duration>,
        payloads: bool,
    ) -> Pending<'static, WorkflowState> {
        self.waiting("wait_for_workflow_start", component, instance_id, move |component, id| {
            component.wait_for_start(id, timeout, payloads)
        })
    }

    /// Waits until an instance has ended, in whatever way.
    ///
    /// # Errors
    /// `invalid_argument`, `not_found`, `timeout`, `workflow_stalled`.
    pub fn wait_for_completion(
        &self,
        component: Option<&str>,
        instance_id: &str,
        timeout: Option<Duration>,
        payloads: bool,
    ) -> Pending<'static, WorkflowState> {
        self.waiting("wait_for_workflow_completion", component, instance_id, move |component, id| {
            component.wait_for_completion(id, timeout, payloads)
        })
    }

    /// Waits for the output of an instance; with an execution ID, for that of this run and no other.
    ///
    /// # Errors
    /// `workflow_failed` with the chain of failures, `workflow_terminated`, `workflow_stalled`, `timeout`, `not_found`
    /// (also when another run has taken the instance ID over), `invalid_argument`.
    pub fn result(
        &self,
        component: Option<&str>,
        instance_id: &str,
        execution_id: Option<&str>,
        timeout: Option<Duration>,
    ) -> Pending<'static, Payload> {
        let run = execution_id.map(str::to_owned);
        self.waiting("workflow_result", component, instance_id, move |component, id| {
            Box::pin(async move {
                let state = component.wait_for_completion(id, timeout, true).await?;
                same_run(&state, run.as_deref())?;
                outcome(state)
            })
        })
    }

    /// A wait for an instance, which ends as `closed` when the client is closed.
    pub(super) fn waiting<T: Send + 'static>(
        &self,
        operation: &'static str,
        component: Option<&str>,
        instance_id: &str,
        call: impl for<'a> FnOnce(&'a dyn Workflow, &'a str) -> Pending<'a, T> + Send + 'static,
    ) -> Pending<'static, T> {
        self.0.closing.guard(self.of_instance(operation, component, instance_id, Ok(()), call))
    }
}

pub(super) fn same_run(state: &WorkflowState, run: Option<&str>) -> Result<()> {
    match (run, state.execution_id.as_deref()) {
        (Some(expected), Some(found)) if expected != found => Err(Error::new(
            ErrorKind::NotFound,
            "the run is gone: another one has taken its instance ID over",
        )),
        _ => Ok(()),
    }
}

fn outcome(state: WorkflowState) -> Result<Payload> {
    match state.status {
        RuntimeStatus::Completed => Ok(state.output),
        RuntimeStatus::Failed => {
            let failure = state.failure.unwrap_or_default();
            let message = format!("the workflow failed with {}: {}", failure.error_type, failure.message);
            Err(Error::new(ErrorKind::WorkflowFailed, message).with_failure(failure))
        }
        RuntimeStatus::Terminated => {
            Err(Error::new(ErrorKind::WorkflowTerminated, "the workflow was terminated"))
        }
        RuntimeStatus::Canceled => {
            Err(Error::new(ErrorKind::WorkflowTerminated, "the workflow was cancelled"))
        }
        RuntimeStatus::Stalled => {
            let reason = state.reason.unwrap_or_else(|| "its code must be corrected".to_owned());
            let error = Error::new(ErrorKind::WorkflowStalled, format!("the workflow is stalled: {reason}"));
            Err(match state.failure {
                Some(failure) => error.with_failure(failure),
                None => error,
            })
        }
        status => Err(Error::internal(format!("the wait ended while the workflow is {status}"))),
    }
}
