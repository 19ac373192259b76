//! Kinds of events, by Dapr's words.

use super::Event;
use super::wire::history_event::EventType;

impl Event {
    /// Its kind, for example `TaskScheduled`; `Unknown` for one that a newer runtime knows.
    pub fn kind(&self) -> &'static str {
        match &self.message().event_type {
            Some(EventType::ExecutionStarted(_)) => "ExecutionStarted",
            Some(EventType::ExecutionCompleted(_)) => "ExecutionCompleted",
            Some(EventType::ExecutionTerminated(_)) => "ExecutionTerminated",
            Some(EventType::TaskScheduled(_)) => "TaskScheduled",
            Some(EventType::TaskCompleted(_)) => "TaskCompleted",
            Some(EventType::TaskFailed(_)) => "TaskFailed",
            Some(EventType::ChildWorkflowInstanceCreated(_)) => "ChildWorkflowInstanceCreated",
            Some(EventType::ChildWorkflowInstanceCompleted(_)) => "ChildWorkflowInstanceCompleted",
            Some(EventType::ChildWorkflowInstanceFailed(_)) => "ChildWorkflowInstanceFailed",
            Some(EventType::TimerCreated(_)) => "TimerCreated",
            Some(EventType::TimerFired(_)) => "TimerFired",
            Some(EventType::WorkflowStarted(_)) => "WorkflowStarted",
            Some(EventType::WorkflowCompleted(_)) => "WorkflowCompleted",
            Some(EventType::EventSent(_)) => "EventSent",
            Some(EventType::EventRaised(_)) => "EventRaised",
            Some(EventType::ContinueAsNew(_)) => "ContinueAsNew",
            Some(EventType::ExecutionSuspended(_)) => "ExecutionSuspended",
            Some(EventType::ExecutionResumed(_)) => "ExecutionResumed",
            Some(EventType::ExecutionStalled(_)) => "ExecutionStalled",
            Some(EventType::DetachedWorkflowInstanceCreated(_)) => "DetachedWorkflowInstanceCreated",
            None => "Unknown",
        }
    }
}
