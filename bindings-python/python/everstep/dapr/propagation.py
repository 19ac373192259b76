"""Histories that a workflow hands down to what it calls.

The names are here, so that programs that mention them run. Everstep hands no history down yet: a scope other than
``NONE`` is refused, and what is received is always ``None``.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Protocol, TypeVar

from ..errors import OperationNotImplementedError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .task import FailureDetails

    class _Named(Protocol):
        @property
        def name(self) -> str: ...

    N = TypeVar("N", bound=_Named)


class PropagationScope(Enum):
    """How much of its history a workflow hands down."""

    NONE = 0
    OWN_HISTORY = 1
    """Its own events."""
    LINEAGE = 2
    """Its own events, and those that it was given itself."""


class PropagationNotFoundError(Exception):
    """A history that was handed down holds nothing of this name."""


@dataclass(frozen=True)
class ActivityResult:
    """One activity of a history that was handed down. Payloads are text."""

    name: str
    started: bool
    completed: bool
    failed: bool
    input: str | None
    output: str | None
    error: FailureDetails | None


@dataclass(frozen=True)
class ChildWorkflowResult:
    """One child workflow of a history that was handed down. Payloads are text."""

    name: str
    started: bool
    completed: bool
    failed: bool
    output: str | None
    error: FailureDetails | None


@dataclass(frozen=True)
class WorkflowResult:
    """One workflow of a history that was handed down."""

    instance_id: str
    app_id: str
    name: str
    activities: list[ActivityResult] = field(default_factory=list, repr=False)
    child_workflows: list[ChildWorkflowResult] = field(default_factory=list, repr=False)

    def get_activities_by_name(self, name: str) -> list[ActivityResult]:
        """Its activities of this name, in order."""
        return _named(self.activities, name)

    def get_last_activity_by_name(self, name: str) -> ActivityResult:
        """The last of them. Raises ``PropagationNotFoundError``."""
        return _last(self.activities, name, "activity")

    def get_child_workflows_by_name(self, name: str) -> list[ChildWorkflowResult]:
        """Its children of this name, in order."""
        return _named(self.child_workflows, name)

    def get_last_child_workflow_by_name(self, name: str) -> ChildWorkflowResult:
        """The last of them. Raises ``PropagationNotFoundError``."""
        return _last(self.child_workflows, name, "child workflow")


@dataclass(frozen=True)
class PropagatedHistory:
    """What was handed down: the oldest ancestor first, the caller last."""

    scope: PropagationScope
    workflows: list[WorkflowResult] = field(default_factory=list, repr=False)

    def get_app_ids(self) -> list[str]:
        """The applications that took part, each once."""
        return list(dict.fromkeys(workflow.app_id for workflow in self.workflows))

    def get_workflows(self) -> list[WorkflowResult]:
        """All workflows."""
        return list(self.workflows)

    def get_workflows_by_name(self, name: str) -> list[WorkflowResult]:
        """The workflows of this name, in order."""
        return _named(self.workflows, name)

    def get_last_workflow_by_name(self, name: str) -> WorkflowResult:
        """The last of them. Raises ``PropagationNotFoundError``."""
        return _last(self.workflows, name, "workflow")


def _named(results: Iterable[N], name: str) -> list[N]:
    return [result for result in results if result.name == name]


def _last(results: Iterable[N], name: str, kind: str) -> N:
    found = _named(results, name)
    if not found:
        raise PropagationNotFoundError(f"the history that was handed down has no {kind} {name!r}")
    return found[-1]


def refuse_propagation(scope: PropagationScope | None) -> None:
    """Refuses to hand a history down. Raises ``OperationNotImplementedError``."""
    if scope is not None and scope is not PropagationScope.NONE:
        raise OperationNotImplementedError(
            "everstep hands no history down yet; leave propagation out, and give what is needed as input"
        )
