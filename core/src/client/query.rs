//! What asks about instances.

use super::{Client, check};
use crate::component::Pending;
use crate::history::Event;
use crate::model::{Filter, Page, WorkflowState};

/// How many states a page has when nobody says.
const PAGE: usize = 100;

impl Client {
    /// The state of an instance, with its payloads if asked for.
    ///
    /// # Errors
    /// `invalid_argument`, `not_found`.
    pub fn get(
        &self,
        component: Option<&str>,
        instance_id: &str,
        payloads: bool,
    ) -> Pending<'static, WorkflowState> {
        self.of_instance("get_workflow", component, instance_id, Ok(()), move |component, id| {
            component.get(id, payloads)
        })
    }

    /// One page of the instances that match, newest first. Without a limit a page has 100 states; 1,000 is the most.
    ///
    /// # Errors
    /// `invalid_argument`.
    pub fn list(
        &self,
        component: Option<&str>,
        filter: Filter,
        cursor: Option<String>,
        limit: Option<usize>,
    ) -> Pending<'static, Page> {
        let limit = limit.unwrap_or(PAGE);
        let checked = check::filter(&filter).and_then(|()| check::limit(limit));
        self.of_all("list_workflows", component, checked, move |component| {
            component.list(filter, cursor, limit)
        })
    }

    /// The history of an instance.
    ///
    /// # Errors
    /// `invalid_argument`, `not_found`.
    pub fn history(&self, component: Option<&str>, instance_id: &str) -> Pending<'static, Vec<Event>> {
        self.of_instance("get_workflow_history", component, instance_id, Ok(()), |component, id| {
            component.history(id)
        })
    }
}
