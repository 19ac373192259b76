//! What asks about instances.

use super::{Client, check};
use crate::component::Pending;
use crate::history::Event;
use crate::model::{Filter, ListRequest, Page, StatusCounts, WorkflowState};

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

    /// One page of the instances that match, newest first.
    ///
    /// The pages of one iteration, each asked for with the cursor of the one before, show no instance twice, and every
    /// instance that was there before the first page and matched all the time until the last one. One that begins or ceases
    /// to match in between may be shown or not, as it stood when its page was made; one that is created in between is not
    /// shown, also in the place of one with the same ID.
    ///
    /// States come without input, output, failure, reason and labels, from the index and the row alone, unless
    /// [`ListRequest::payloads`] asks for them; that costs about as much as a [`Client::get`] for each.
    ///
    /// # Errors
    /// `invalid_argument`, also for a cursor that no listing gave.
    pub fn list(&self, component: Option<&str>, mut request: ListRequest) -> Pending<'static, Page> {
        let limit = *request.limit.get_or_insert(PAGE);
        let checked = check::filter(&request.filter).and_then(|()| check::limit(limit));
        self.of_all("list_workflows", component, checked, move |component| component.list(request))
    }

    /// How many instances match, by status. Reads an index from end to end: about 30 ms for a million.
    ///
    /// # Errors
    /// `invalid_argument`.
    pub fn count(&self, component: Option<&str>, filter: Filter) -> Pending<'static, StatusCounts> {
        let checked = check::filter(&filter);
        self.of_all("count_workflows", component, checked, move |component| component.count(filter))
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
