//! What changes instances. Every call answers when the request is durable; none promises a status.

use super::{Client, check};
use crate::component::Pending;
use crate::model::{BulkAction, BulkStep, Filter, Payload, RuntimeStatus};

impl Client {
    /// Pauses an instance. A paused one may be paused again.
    ///
    /// # Errors
    /// `invalid_argument`, `not_found`.
    pub fn pause(
        &self,
        component: Option<&str>,
        instance_id: &str,
        reason: Option<String>,
    ) -> Pending<'static, ()> {
        let checked = check::payload("reason", reason.as_ref(), self.options().max_payload_bytes);
        self.of_instance("pause_workflow", component, instance_id, checked, move |component, id| {
            component.pause(id, reason)
        })
    }

    /// Resumes a paused instance, and tries a stalled one again.
    ///
    /// # Errors
    /// `invalid_argument`, `not_found`.
    pub fn resume(
        &self,
        component: Option<&str>,
        instance_id: &str,
        reason: Option<String>,
    ) -> Pending<'static, ()> {
        let checked = check::payload("reason", reason.as_ref(), self.options().max_payload_bytes);
        self.of_instance("resume_workflow", component, instance_id, checked, move |component, id| {
            component.resume(id, reason)
        })
    }

    /// Raises an event to an instance. It is kept until the instance waits for that name.
    ///
    /// # Errors
    /// `invalid_argument`, `payload_too_large`, `not_found`.
    pub fn raise_event(
        &self,
        component: Option<&str>,
        instance_id: &str,
        event_name: impl Into<String>,
        data: Payload,
    ) -> Pending<'static, ()> {
        let event_name = event_name.into();
        let checked = check::name("event", &event_name)
            .and_then(|()| check::payload("event data", data.as_ref(), self.options().max_payload_bytes));
        self.of_instance("raise_workflow_event", component, instance_id, checked, move |component, id| {
            component.raise_event(id, event_name, data)
        })
    }

    /// Ends an instance, and its children if `recursive`. Nothing happens to a finished one.
    ///
    /// # Errors
    /// `invalid_argument`, `payload_too_large`, `not_found`.
    pub fn terminate(
        &self,
        component: Option<&str>,
        instance_id: &str,
        output: Payload,
        recursive: bool,
    ) -> Pending<'static, ()> {
        let checked = check::payload("output", output.as_ref(), self.options().max_payload_bytes);
        self.of_instance("terminate_workflow", component, instance_id, checked, move |component, id| {
            component.terminate(id, output, recursive)
        })
    }

    /// Deletes a finished instance, and its children if `recursive`; answers how many instances are gone.
    ///
    /// # Errors
    /// `invalid_argument`, `not_found`, `failed_precondition` unless all of them are finished.
    pub fn purge(
        &self,
        component: Option<&str>,
        instance_id: &str,
        recursive: bool,
    ) -> Pending<'static, u64> {
        self.of_instance("purge_workflow", component, instance_id, Ok(()), move |component, id| {
            component.purge(id, recursive)
        })
    }

    /// Takes one slice of a bulk operation: without a cursor the first one, then the one after the slice that gave the
    /// cursor, until none is given. A slice takes a few milliseconds of the engine, and what others ask goes on between
    /// two; the caller may stop after any of them. Answers what was done so far once it is durable.
    ///
    /// Filter and action must stay the same from slice to slice. A filter without statuses means those that the action
    /// concerns: finished instances for a purge, unfinished ones for a termination, pending and running ones for a pause,
    /// suspended and stalled ones for a resumption.
    ///
    /// Instances that are created after the first slice are not touched. Counted is each instance that matched when its
    /// turn came; what a recursive termination ends besides is not, unless it matches. A purge by filter is never
    /// recursive: children go if they match themselves.
    ///
    /// # Errors
    /// `invalid_argument`, also for a status that the action does not concern and for a cursor of another operation;
    /// `payload_too_large`. An error of a later slice says how many were done before ([`crate::Error::done`]).
    pub fn bulk(
        &self,
        component: Option<&str>,
        action: BulkAction,
        mut filter: Filter,
        cursor: Option<String>,
    ) -> Pending<'static, BulkStep> {
        let max_bytes = self.options().max_payload_bytes;
        let checked = check::bulk(&action, &filter).and_then(|()| match &action {
            BulkAction::Terminate { output, .. } => check::payload("output", output.as_ref(), max_bytes),
            BulkAction::Pause { reason } | BulkAction::Resume { reason } => {
                check::payload("reason", reason.as_ref(), max_bytes)
            }
            BulkAction::Purge => Ok(()),
        });
        if filter.statuses.is_empty() {
            filter.statuses =
                RuntimeStatus::ALL.into_iter().filter(|status| action.concerns(*status)).collect();
        }
        self.of_all(action.operation(), component, checked, move |component| {
            component.bulk(action, filter, cursor)
        })
    }
}
