//! What changes instances. Every call answers when the request is durable; none promises a status.

use super::{Client, check};
use crate::component::Pending;
use crate::model::{Filter, Payload};

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

    /// Deletes the finished instances that match; answers how many are gone.
    ///
    /// # Errors
    /// `invalid_argument`, also for a status that is not final.
    pub fn purge_matching(&self, component: Option<&str>, filter: Filter) -> Pending<'static, u64> {
        let checked = check::purge_filter(&filter);
        self.of_all("purge_workflows", component, checked, move |component| component.purge_matching(filter))
    }
}
