//! From the wire's messages to the fields of [`HistoryEvent`].

use super::Event;
use super::event::{HistoryEvent, Parent, Stall, TimerOrigin};
use super::wire::history_event::EventType;
use super::wire::{self, HistoryPropagationScope, StalledReason, timer_created_event};
use crate::model::RuntimeStatus;

impl From<&Event> for HistoryEvent {
    fn from(event: &Event) -> HistoryEvent {
        let message = event.message();
        let mut view = HistoryEvent {
            kind: event.kind(),
            event_id: message.event_id,
            timestamp: message.timestamp.as_ref().map(wire::micros),
            ..HistoryEvent::default()
        };
        if let Some(router) = &message.router {
            view.source_app_id = named(&router.source_app_id);
            view.target_app_id.clone_from(&router.target_app_id);
            view.target_app_namespace.clone_from(&router.target_app_namespace);
        }
        if let Some(kind) = &message.event_type {
            fill(&mut view, kind);
        }
        if let Some(own) = &message.own {
            fill_own(&mut view, own);
        }
        view
    }
}

fn fill(view: &mut HistoryEvent, kind: &EventType) {
    match kind {
        EventType::ExecutionStarted(event) => started(view, event),
        EventType::ExecutionCompleted(event) => {
            view.status = Some(RuntimeStatus::from_number(event.workflow_status));
            view.result.clone_from(&event.result);
            failed(view, event.failure_details.as_ref());
        }
        EventType::ExecutionTerminated(event) => {
            view.input.clone_from(&event.input);
            view.recurse = Some(event.recurse);
        }
        EventType::TaskScheduled(event) => task_scheduled(view, event),
        EventType::TaskCompleted(event) => {
            view.task_id = Some(event.task_scheduled_id);
            view.result.clone_from(&event.result);
            view.task_execution_id = named(&event.task_execution_id);
        }
        EventType::TaskFailed(event) => {
            view.task_id = Some(event.task_scheduled_id);
            failed(view, event.failure_details.as_ref());
            view.task_execution_id = named(&event.task_execution_id);
        }
        EventType::ChildWorkflowInstanceCreated(event) => child_created(view, event),
        EventType::ChildWorkflowInstanceCompleted(event) => {
            view.task_id = Some(event.task_scheduled_id);
            view.result.clone_from(&event.result);
        }
        EventType::ChildWorkflowInstanceFailed(event) => {
            view.task_id = Some(event.task_scheduled_id);
            failed(view, event.failure_details.as_ref());
        }
        EventType::TimerCreated(event) => timer_created(view, event),
        EventType::TimerFired(event) => {
            view.task_id = Some(event.timer_id);
            view.fire_at = event.fire_at.as_ref().map(wire::micros);
        }
        EventType::WorkflowStarted(event) => {
            if let Some(version) = &event.version {
                view.version.clone_from(&version.name);
                view.patches.clone_from(&version.patches);
            }
        }
        EventType::WorkflowCompleted(_) => {}
        EventType::EventSent(event) => {
            view.instance_id = named(&event.instance_id);
            view.name = Some(event.name.clone());
            view.input.clone_from(&event.input);
        }
        EventType::EventRaised(event) => {
            view.name = Some(event.name.clone());
            view.input.clone_from(&event.input);
        }
        EventType::ContinueAsNew(event) => view.input.clone_from(&event.input),
        EventType::ExecutionSuspended(event) => view.input.clone_from(&event.input),
        EventType::ExecutionResumed(event) => view.input.clone_from(&event.input),
        EventType::ExecutionStalled(event) => {
            view.stalled_reason = Some(stalled_reason(event.reason));
            view.description.clone_from(&event.description);
        }
        EventType::DetachedWorkflowInstanceCreated(event) => view.instance_id = named(&event.instance_id),
    }
}

fn started(view: &mut HistoryEvent, event: &wire::ExecutionStartedEvent) {
    view.name = Some(event.name.clone());
    view.version.clone_from(&event.version);
    view.input.clone_from(&event.input);
    if let Some(instance) = &event.workflow_instance {
        view.instance_id = named(&instance.instance_id);
        view.execution_id.clone_from(&instance.execution_id);
    }
    view.parent = event.parent_instance.as_ref().map(parent);
    view.start_at = event.scheduled_start_timestamp.as_ref().map(wire::micros);
    traced(view, event.parent_trace_context.as_ref());
    view.span_id.clone_from(&event.workflow_span_id);
    view.tags.clone_from(&event.tags);
}

fn parent(info: &wire::ParentInstanceInfo) -> Parent {
    let instance = info.workflow_instance.clone().unwrap_or_default();
    Parent {
        instance_id: instance.instance_id,
        execution_id: instance.execution_id,
        name: info.name.clone(),
        version: info.version.clone(),
        task_id: info.task_scheduled_id,
        app_id: info.app_id.clone(),
        app_namespace: info.app_namespace.clone(),
    }
}

fn task_scheduled(view: &mut HistoryEvent, event: &wire::TaskScheduledEvent) {
    view.name = Some(event.name.clone());
    view.version.clone_from(&event.version);
    view.input.clone_from(&event.input);
    view.task_execution_id = named(&event.task_execution_id);
    traced(view, event.parent_trace_context.as_ref());
    view.rerun_of = rerun_of(event.rerun_parent_instance_info.as_ref());
    view.propagation = event.history_propagation_scope.map(propagation);
}

fn child_created(view: &mut HistoryEvent, event: &wire::ChildWorkflowInstanceCreatedEvent) {
    view.name = Some(event.name.clone());
    view.version.clone_from(&event.version);
    view.input.clone_from(&event.input);
    view.instance_id = named(&event.instance_id);
    traced(view, event.parent_trace_context.as_ref());
    view.rerun_of = rerun_of(event.rerun_parent_instance_info.as_ref());
    view.propagation = event.history_propagation_scope.map(propagation);
    view.retry_of = event.retry_parent_instance_info.as_ref().and_then(|info| named(&info.instance_id));
}

fn timer_created(view: &mut HistoryEvent, event: &wire::TimerCreatedEvent) {
    use timer_created_event::Origin;
    view.name.clone_from(&event.name);
    view.fire_at = event.fire_at.as_ref().map(wire::micros);
    view.rerun_of = rerun_of(event.rerun_parent_instance_info.as_ref());
    view.origin = event.origin.as_ref().map(|origin| match origin {
        Origin::CreateTimer(_) => TimerOrigin::CreateTimer,
        Origin::ExternalEvent(origin) => TimerOrigin::ExternalEvent(origin.name.clone()),
        Origin::ActivityRetry(origin) => TimerOrigin::ActivityRetry(origin.task_execution_id.clone()),
        Origin::ChildWorkflowRetry(origin) => TimerOrigin::ChildWorkflowRetry(origin.instance_id.clone()),
    });
}

fn failed(view: &mut HistoryEvent, details: Option<&wire::TaskFailureDetails>) {
    view.failure = details.map(Into::into);
}

fn fill_own(view: &mut HistoryEvent, own: &wire::OwnData) {
    view.attempt = (own.attempt != 0).then_some(own.attempt);
    view.call = (own.call != 0).then_some(own.call);
    view.first_execution_id = own.run.as_ref().and_then(|run| named(&run.execution_id));
    view.timeout_millis = (own.timeout_ms != 0).then_some(own.timeout_ms);
    view.cancelled_timers.clone_from(&own.cancelled_timers);
    view.cancelled_tasks.clone_from(&own.cancelled_tasks);
    view.custom_status.clone_from(&own.custom_status);
    view.detached = own.detached;
    view.clears_custom_status = own.clears_custom_status;
    view.stall = own.stall.as_ref().map(|stall| Stall {
        code: stall.code.clone(),
        message: stall.message.clone(),
        stack: named(&stall.stack),
        event_index: stall.event_index,
    });
    if let Some(source) = named(&own.rerun_of) {
        view.rerun_of = Some(source);
    }
    view.tags.extend(own.tags.clone());
}

fn rerun_of(info: Option<&wire::RerunParentInstanceInfo>) -> Option<String> {
    info.and_then(|info| named(&info.instance_id))
}

fn traced(view: &mut HistoryEvent, context: Option<&wire::TraceContext>) {
    if let Some(context) = context {
        view.trace_parent = named(&context.trace_parent);
        view.trace_state.clone_from(&context.trace_state);
    }
}

fn propagation(number: i32) -> &'static str {
    HistoryPropagationScope::try_from(number).map_or("UNKNOWN", |scope| scope.as_str_name())
}

fn stalled_reason(number: i32) -> &'static str {
    StalledReason::try_from(number).map_or("UNKNOWN", |reason| reason.as_str_name())
}

/// Text of a field without presence: the empty text means that there is none.
fn named(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.to_owned())
}
