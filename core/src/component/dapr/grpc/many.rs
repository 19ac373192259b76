//! Many instances at once. Dapr lists IDs and knows no filters, so the states are asked for, several at a time, and what
//! does not match is left out here.
//!
//! Pages go by the ID and not by Dapr's own token: with some of its stores that is an offset, which a purge moves.

use futures_util::stream::{self, StreamExt, TryStreamExt};

use super::super::again::shorn;
use super::DaprGrpc;
use crate::error::{Error, ErrorKind, Result};
use crate::history::wire::history_event::EventType;
use crate::history::{Event, wire};
use crate::model::{
    BulkAction, BulkStep, Filter, ListRequest, Micros, Page, RuntimeStatus, StatusCounts, WorkflowState,
};

/// How many states a page holds unless it is asked for another number.
const PAGE: usize = 100;
/// How many IDs one answer holds: below the 4 MiB that a sidecar sends. As a rule all come at once.
const IDS: u32 = 20_000;
/// How many states are asked for at a time.
const TOGETHER: usize = 16;
/// How many instances are looked at for one page or slice, however few of them match.
const LOOKS: usize = 1000;
/// How many instances a slice of a bulk operation is done to.
const SLICE: usize = 50;
/// What the states of a page may hold before it ends early.
const PAGE_BYTES: usize = 8 << 20;

/// Where a slice of a bulk operation begins.
struct Place {
    done: u64,
    began: Micros,
    after: Option<String>,
}

impl DaprGrpc {
    pub(super) async fn page(&self, request: ListRequest) -> Result<Page> {
        let ListRequest { filter, cursor, limit, payloads } = request;
        let after = cursor.as_deref().map(listed).transpose()?;
        let limit = limit.unwrap_or(PAGE);
        let ids = self.ids(after, &filter).await?;
        let (mut states, mut bytes, mut seen) = (Vec::new(), 0, 0);
        while seen < ids.len().min(LOOKS) && states.len() < limit && bytes < PAGE_BYTES {
            // No more than fit on the page: what is read beyond would be read again for the next one.
            let part = &ids[seen..ids.len().min(seen + TOGETHER.min(limit - states.len()))];
            seen += part.len();
            for state in self.matching(part, &filter).await? {
                let state = shorn(state, payloads);
                bytes += [&state.input, &state.output].into_iter().flatten().map(String::len).sum::<usize>();
                states.push(if payloads { self.explained(state).await } else { state });
            }
        }
        let cursor = (seen < ids.len()).then(|| format!(".{}", ids[seen - 1]));
        Ok(Page { states, cursor })
    }

    pub(super) async fn tally(&self, filter: Filter) -> Result<StatusCounts> {
        let mut counts = std::collections::BTreeMap::<i32, u64>::new();
        for part in self.ids(None, &filter).await?.chunks(LOOKS) {
            for state in self.matching(part, &filter).await? {
                *counts.entry(state.status.number()).or_default() += 1;
            }
        }
        Ok(counts.into_iter().map(|(number, count)| (RuntimeStatus::from_number(number), count)).collect())
    }

    pub(super) async fn slice(
        &self,
        action: BulkAction,
        filter: Filter,
        cursor: Option<String>,
    ) -> Result<BulkStep> {
        let mut place = match cursor {
            Some(cursor) => Place::parse(&cursor)?,
            None => Place { done: 0, began: Micros::now(), after: None },
        };
        let before = place.done;
        match self.do_slice(&action, &filter, &mut place).await {
            Ok(more) => {
                let cursor = more.then(|| place.cursor());
                Ok(BulkStep { done: place.done, cursor })
            }
            // The next slice meets the error first.
            Err(_) if place.done > before => Ok(BulkStep { done: place.done, cursor: Some(place.cursor()) }),
            Err(error) => Err(error.having_done(place.done)),
        }
    }

    /// Gives whether there may be more.
    async fn do_slice(&self, action: &BulkAction, filter: &Filter, place: &mut Place) -> Result<bool> {
        let ids = self.ids(place.after.as_deref(), filter).await?;
        let before = place.done;
        let looked_at = ids.len().min(LOOKS);
        for part in ids[..looked_at].chunks(TOGETHER) {
            if place.done >= before + SLICE as u64 {
                return Ok(true);
            }
            let mut states = self.matching(part, filter).await?;
            // What was created since the first slice is none of this operation's.
            states.retain(|state| state.created_at <= place.began);
            place.done += self.do_to(action, states).await?;
            place.after = part.last().cloned();
        }
        Ok(looked_at < ids.len())
    }

    /// Gives how many it was done to. One that is gone or has become another meanwhile does not count.
    async fn do_to(&self, action: &BulkAction, states: Vec<WorkflowState>) -> Result<u64> {
        let calls = states.into_iter().map(|state| async move {
            match self.do_to_one(action, state.instance_id).await {
                Ok(()) => Ok(1),
                Err(error) if is_of_one(&error) => Ok(0),
                Err(error) => Err(error),
            }
        });
        // A parent and its child that are ended at once wait for each other in Dapr, each in the middle of its own end.
        let together =
            if matches!(action, BulkAction::Terminate { recursive: true, .. }) { 1 } else { TOGETHER };
        stream::iter(calls)
            .buffer_unordered(together)
            .try_fold(0, |sum, one| async move { Ok(sum + one) })
            .await
    }

    async fn do_to_one(&self, action: &BulkAction, instance_id: String) -> Result<()> {
        let router = None;
        match action.clone() {
            BulkAction::Purge => {
                let request = Some(wire::purge_instances_request::Request::InstanceId(instance_id));
                let request = wire::PurgeInstancesRequest { request, ..Default::default() };
                self.call::<_, wire::PurgeInstancesResponse>(method!("PurgeInstances"), request)
                    .await
                    .map(drop)
            }
            BulkAction::Terminate { output, recursive } => {
                let request = wire::TerminateRequest { instance_id, output, recursive, router };
                self.call::<_, wire::TerminateResponse>(method!("TerminateInstance"), request).await.map(drop)
            }
            BulkAction::Pause { reason } => {
                let request = wire::SuspendRequest { instance_id, reason, router };
                self.call::<_, wire::SuspendResponse>(method!("SuspendInstance"), request).await.map(drop)
            }
            BulkAction::Resume { reason } => {
                let request = wire::ResumeRequest { instance_id, reason, router };
                self.call::<_, wire::ResumeResponse>(method!("ResumeInstance"), request).await.map(drop)
            }
        }
    }

    /// The states of those that are there and match, in the order of the IDs.
    async fn matching(&self, ids: &[String], filter: &Filter) -> Result<Vec<WorkflowState>> {
        let states = ids.iter().cloned().map(|id| async move {
            match self.state(&id).await {
                Ok(state) => {
                    let parent_instance_id = state.parent_instance_id.or_else(|| filter.parent.clone());
                    let state = WorkflowState { parent_instance_id, ..state };
                    Ok(Some(state).filter(|state| filter.matches(state)))
                }
                Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
                Err(error) => Err(error),
            }
        });
        let found: Vec<_> = stream::iter(states).buffered(TOGETHER).try_collect().await?;
        Ok(found.into_iter().flatten().collect())
    }

    /// The IDs of the instances that come after this one and may match, sorted.
    async fn ids(&self, after: Option<&str>, filter: &Filter) -> Result<Vec<String>> {
        let mut ids = match &filter.parent {
            Some(parent) => self.children(parent).await?,
            None => self.all_ids().await?,
        };
        ids.retain(|id| after.is_none_or(|after| id.as_str() > after));
        ids.sort_unstable();
        ids.dedup();
        Ok(ids)
    }

    /// The IDs of an instance's children. Dapr keeps with a child no word of its parent, but the parent's history has them.
    async fn children(&self, parent: &str) -> Result<Vec<String>> {
        let events = match self.events(parent).await {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
            events => events?,
        };
        let child = |event: &Event| match &event.message().event_type {
            Some(EventType::ChildWorkflowInstanceCreated(child)) => Some(child.instance_id.clone()),
            _ => None,
        };
        Ok(events.iter().filter_map(child).collect())
    }

    async fn all_ids(&self) -> Result<Vec<String>> {
        let mut ids = Vec::new();
        let mut continuation_token = None;
        loop {
            let request = wire::ListInstanceIDsRequest { continuation_token, page_size: Some(IDS) };
            let answer: wire::ListInstanceIDsResponse = self.ask(method!("ListInstanceIDs"), request).await?;
            ids.extend(answer.instance_ids);
            continuation_token = answer.continuation_token.filter(|token| !token.is_empty());
            if continuation_token.is_none() {
                return Ok(ids);
            }
        }
    }
}

impl Place {
    fn cursor(&self) -> String {
        format!("{}.{}.{}", self.done, self.began.0, self.after.as_deref().unwrap_or_default())
    }

    fn parse(text: &str) -> Result<Place> {
        let mut parts = text.splitn(3, '.');
        let mut number = || parts.next()?.parse::<u64>().ok();
        let numbers = number().zip(number());
        match (numbers, parts.next()) {
            (Some((done, began)), Some(after)) if format!("{done}.{began}.{after}") == text => {
                let began = Micros(i64::try_from(began).map_err(|_| no_cursor())?);
                Ok(Place { done, began, after: Some(after.to_owned()).filter(|after| !after.is_empty()) })
            }
            _ => Err(no_cursor()),
        }
    }
}

/// The ID in the cursor of a listing.
fn listed(cursor: &str) -> Result<&str> {
    cursor.strip_prefix('.').filter(|id| !id.is_empty()).ok_or_else(no_cursor)
}

fn no_cursor() -> Error {
    Error::invalid("the cursor is not one that this operation gave; begin without one")
}

/// Whether an error says that an instance is gone or has become another since its state was read.
fn is_of_one(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::NotFound | ErrorKind::FailedPrecondition | ErrorKind::WorkflowStalled)
}
