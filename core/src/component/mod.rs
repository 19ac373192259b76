//! The workflow API as a trait: embedded engine, Dapr over HTTP, Dapr over gRPC, or a user's own.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use crate::error::{Error, ErrorKind, Result};
use crate::history::Event;
use crate::model::{
    BulkAction, BulkStep, Change, Filter, ListRequest, Page, Payload, RerunRequest, Seen, StartRequest,
    Started, StatusCounts, WorkflowState,
};
use crate::worker::TaskSource;

pub mod dapr;
mod embedded;
mod registry;

pub use embedded::Embedded;
pub use registry::{Registry, open_component};

/// The name of the default component, the one that Dapr's own guide uses.
pub const DEFAULT_COMPONENT: &str = "dapr";

/// What an operation gives back: a future that may be dropped, which cancels the call. It needs no runtime of its own:
/// [`crate::runtime::block_on`] is enough.
pub type Pending<'a, T> = Pin<Box<dyn Future<Output = Result<T>> + Send + 'a>>;

fn not_implemented<T: Send + 'static>() -> Pending<'static, T> {
    Box::pin(std::future::ready(Err(Error::new(
        ErrorKind::NotImplemented,
        "this component doesn't implement the current API operation",
    ))))
}

/// One implementation of the workflow API.
///
/// The first eight operations are Dapr's component contract. Every method has a default that answers
/// `not_implemented`, so a component implements what it can. Requests arrive validated by [`crate::Client`].
pub trait Workflow: Send + Sync {
    /// The endpoint that this component serves, for messages.
    fn endpoint(&self) -> &str;

    /// Starts an instance; answers when the start is durable.
    fn start(&self, _request: StartRequest) -> Pending<'_, Started> {
        not_implemented()
    }

    /// The state of an instance.
    fn get<'a>(&'a self, _instance_id: &'a str, _payloads: bool) -> Pending<'a, WorkflowState> {
        not_implemented()
    }

    /// Pauses an instance; answers when the request is durable.
    fn pause<'a>(&'a self, _instance_id: &'a str, _reason: Option<String>) -> Pending<'a, ()> {
        not_implemented()
    }

    /// Resumes a paused or stalled instance.
    fn resume<'a>(&'a self, _instance_id: &'a str, _reason: Option<String>) -> Pending<'a, ()> {
        not_implemented()
    }

    /// Raises an event to an instance.
    fn raise_event<'a>(
        &'a self,
        _instance_id: &'a str,
        _event_name: String,
        _data: Payload,
    ) -> Pending<'a, ()> {
        not_implemented()
    }

    /// Ends an instance, and its children if `recursive`.
    fn terminate<'a>(&'a self, _instance_id: &'a str, _output: Payload, _recursive: bool) -> Pending<'a, ()> {
        not_implemented()
    }

    /// Deletes a finished instance, and its children if `recursive`; gives the count of deleted instances.
    fn purge<'a>(&'a self, _instance_id: &'a str, _recursive: bool) -> Pending<'a, u64> {
        not_implemented()
    }

    /// Takes one slice of a bulk operation, after the one that gave the cursor. The filter names its statuses.
    fn bulk(&self, _action: BulkAction, _filter: Filter, _cursor: Option<String>) -> Pending<'_, BulkStep> {
        not_implemented()
    }

    /// Waits until the first turn has run. Without a timeout it waits as long as it takes.
    fn wait_for_start<'a>(
        &'a self,
        _instance_id: &'a str,
        _timeout: Option<Duration>,
        _payloads: bool,
    ) -> Pending<'a, WorkflowState> {
        not_implemented()
    }

    /// Waits until the instance has ended (or stalled, which is `workflow_stalled`).
    fn wait_for_completion<'a>(
        &'a self,
        _instance_id: &'a str,
        _timeout: Option<Duration>,
        _payloads: bool,
    ) -> Pending<'a, WorkflowState> {
        not_implemented()
    }

    /// Waits until the state is another one than the one seen; without one it answers at once. States may be passed over,
    /// the final one never is. Where that was seen it answers nothing again: the client does not ask.
    fn next_change<'a>(
        &'a self,
        _instance_id: &'a str,
        _seen: Option<Seen>,
        _payloads: bool,
    ) -> Pending<'a, Change> {
        not_implemented()
    }

    /// One page of the instances that match, newest first.
    fn list(&self, _request: ListRequest) -> Pending<'_, Page> {
        not_implemented()
    }

    /// How many instances match, by status.
    fn count(&self, _filter: Filter) -> Pending<'_, StatusCounts> {
        not_implemented()
    }

    /// The history of an instance, decoded.
    fn history<'a>(&'a self, _instance_id: &'a str) -> Pending<'a, Vec<Event>> {
        not_implemented()
    }

    /// Goes on from an event of a finished instance, in a new instance; answers when that is durable.
    fn rerun(&self, _request: RerunRequest) -> Pending<'_, Started> {
        not_implemented()
    }

    /// Where workers of this component get their tasks.
    ///
    /// # Errors
    /// `not_implemented` where the component runs no workflows itself, `store_locked`, `closed`.
    fn tasks(&self) -> Result<Arc<dyn TaskSource>> {
        Err(Error::new(
            ErrorKind::NotImplemented,
            "this component has no tasks for workers; open the worker on an embedded or a gRPC endpoint",
        ))
    }

    /// Gives back what the component holds. Later calls are `closed`.
    fn close(&self) {}
}
