"""What listing, histories and reruns give and take, as Dapr's SDK has it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import TYPE_CHECKING

from .task import FailureDetails, details_of
from .workflow_state import naive

if TYPE_CHECKING:
    from ..history import HistoryEvent

_MOST = 2**32 - 1
_NAMED = frozenset(
    (
        "ExecutionStarted",
        "TaskScheduled",
        "ChildWorkflowInstanceCreated",
        "DetachedWorkflowInstanceCreated",
        "TimerCreated",
        "EventSent",
        "EventRaised",
    )
)
_ANSWERS = frozenset(("TaskCompleted", "TaskFailed", "ChildWorkflowInstanceCompleted", "ChildWorkflowInstanceFailed"))
_EPOCH = datetime(1970, 1, 1)


class Unset:
    """The type of ``UNSET``."""

    def __repr__(self) -> str:
        return "<unset>"


UNSET = Unset()
"""No input at all, where ``None`` is one."""


@dataclass(frozen=True)
class WorkflowInstanceIdPage:
    """A page of instance IDs."""

    instance_ids: list[str]
    continuation_token: str | None
    """What the next page is asked for with; absent after the last one."""


class WorkflowHistoryEventType(Enum):
    """The kind of an event of a history; ``UNKNOWN`` for what a newer runtime writes."""

    UNKNOWN = "unknown"
    EXECUTION_STARTED = "executionStarted"
    EXECUTION_COMPLETED = "executionCompleted"
    EXECUTION_TERMINATED = "executionTerminated"
    EXECUTION_SUSPENDED = "executionSuspended"
    EXECUTION_RESUMED = "executionResumed"
    EXECUTION_STALLED = "executionStalled"
    TASK_SCHEDULED = "taskScheduled"
    TASK_COMPLETED = "taskCompleted"
    TASK_FAILED = "taskFailed"
    CHILD_WORKFLOW_INSTANCE_CREATED = "childWorkflowInstanceCreated"
    CHILD_WORKFLOW_INSTANCE_COMPLETED = "childWorkflowInstanceCompleted"
    CHILD_WORKFLOW_INSTANCE_FAILED = "childWorkflowInstanceFailed"
    DETACHED_WORKFLOW_INSTANCE_CREATED = "detachedWorkflowInstanceCreated"
    TIMER_CREATED = "timerCreated"
    TIMER_FIRED = "timerFired"
    EVENT_SENT = "eventSent"
    EVENT_RAISED = "eventRaised"
    CONTINUE_AS_NEW = "continueAsNew"
    WORKFLOW_STARTED = "workflowStarted"
    WORKFLOW_COMPLETED = "workflowCompleted"

    @classmethod
    def _missing_(cls, value: object) -> WorkflowHistoryEventType:  # noqa: ARG003
        return cls.UNKNOWN


_RERUNNABLE = frozenset(
    (
        WorkflowHistoryEventType.TASK_SCHEDULED,
        WorkflowHistoryEventType.TIMER_CREATED,
        WorkflowHistoryEventType.CHILD_WORKFLOW_INSTANCE_CREATED,
    )
)


@dataclass(frozen=True)
class WorkflowHistoryEvent:
    """One event of an instance's history. What its kind does not have is ``None``."""

    event_id: int
    """Its ID, which a rerun names it by; -1 for events that have none."""
    timestamp: datetime
    """When it was written, in UTC without a time zone."""
    event_type: WorkflowHistoryEventType
    name: str | None
    """The name of the workflow, activity, child, timer or event that was asked for or raised."""
    task_scheduled_id: int | None
    """Of an answer of an activity or child, the ID of the event that asked for it."""
    failure_details: FailureDetails | None

    @property
    def is_rerunnable(self) -> bool:
        """Whether a rerun may begin here."""
        return self.event_type in _RERUNNABLE


def history_event(event: HistoryEvent) -> WorkflowHistoryEvent:
    """The event as Dapr's SDK has it."""
    return WorkflowHistoryEvent(
        event.event_id,
        naive(event.timestamp) or _EPOCH,
        WorkflowHistoryEventType(event.type[:1].lower() + event.type[1:]),
        (event.name or None) if event.type in _NAMED else None,
        event.attributes.get("task_id") if event.type in _ANSWERS else None,
        None if event.failure is None else details_of(event.failure),
    )


def check_page_size(page_size: int | None) -> None:
    """Raises ``ValueError`` for a size that a page cannot have."""
    if page_size is not None and not 1 <= page_size <= _MOST:
        raise ValueError(f"page_size must be from 1 to {_MOST}; leave it out for the default")


def check_rerun(event_id: int, new_instance_id: str | None, new_child_instance_id: str | None) -> None:
    """Raises ``ValueError`` for an event that has no ID, and for an ID that is empty."""
    if not 0 <= event_id <= _MOST:
        raise ValueError(f"event_id must be from 0 to {_MOST}; an event with -1 has no ID, and no rerun begins there")
    if "" in (new_instance_id, new_child_instance_id):
        raise ValueError("the ID of a new instance must not be empty; leave it out to get one")


def page_size_of(page_size: int | None) -> int:
    """The size of a page that everstep reads: at most 1,000."""
    return 100 if page_size is None else min(page_size, 1000)
