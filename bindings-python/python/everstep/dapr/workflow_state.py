"""The state of an instance, as Dapr's SDK has it."""

from __future__ import annotations

import json
from datetime import timezone
from enum import Enum
from typing import TYPE_CHECKING, Any

from .task import FailureDetails, details_of

if TYPE_CHECKING:
    from datetime import datetime

    from ..models import WorkflowState as EverstepState


class WorkflowStatus(Enum):
    """Where an instance stands."""

    UNKNOWN = 0
    RUNNING = 1
    COMPLETED = 2
    FAILED = 3
    TERMINATED = 4
    PENDING = 5
    SUSPENDED = 6
    STALLED = 7


class OrchestrationFailedError(Exception):
    """The workflow ended in failure. Raised by ``WorkflowState.raise_if_failed``."""

    def __init__(self, message: str, failure_details: FailureDetails) -> None:
        super().__init__(message)
        self._failure_details = failure_details

    @property
    def failure_details(self) -> FailureDetails:
        """What it failed with."""
        return self._failure_details


def naive(moment: datetime | None) -> datetime | None:
    """A time as Dapr's SDK has it: UTC, and without saying so."""
    return None if moment is None else moment.astimezone(timezone.utc).replace(tzinfo=None)


class WorkflowState:
    """The state of an instance. Payloads are text, as they are stored."""

    def __init__(self, state: EverstepState) -> None:
        self._state = state

    @property
    def instance_id(self) -> str:
        """The instance ID."""
        return self._state.instance_id

    @property
    def name(self) -> str:
        """The workflow's registered name."""
        return self._state.name

    @property
    def runtime_status(self) -> WorkflowStatus:
        """Where it stands; ``UNKNOWN`` for what has no name here."""
        return WorkflowStatus.__members__.get(self._state.runtime_status.value, WorkflowStatus.UNKNOWN)

    @property
    def created_at(self) -> datetime | None:
        """When it was created, in UTC without a time zone."""
        return naive(self._state.created_at)

    @property
    def last_updated_at(self) -> datetime | None:
        """When it changed last, in UTC without a time zone."""
        return naive(self._state.last_updated_at)

    @property
    def serialized_input(self) -> str | None:
        """The input's text."""
        return self._state.raw_input or None

    @property
    def serialized_output(self) -> str | None:
        """The output's text."""
        return self._state.raw_output or None

    @property
    def serialized_custom_status(self) -> str | None:
        """The custom status's text."""
        return self._state.raw_custom_status or None

    @property
    def failure_details(self) -> FailureDetails | None:
        """What it failed with."""
        return None if self._state.failure is None else details_of(self._state.failure)

    def raise_if_failed(self) -> None:
        """Raises ``OrchestrationFailedError`` if the workflow ended in failure."""
        details = self.failure_details
        if details is not None:
            raise OrchestrationFailedError(f"workflow {self.instance_id!r} failed: {details.message}", details)

    def to_json(self) -> dict[str, Any]:
        """The same as plain data."""
        state: dict[str, Any] = {
            "instance_id": self.instance_id,
            "name": self.name,
            "runtime_status": self._state.runtime_status.value,
            "created_at": self.created_at,
            "last_updated_at": self.last_updated_at,
            "serialized_input": self.serialized_input,
            "serialized_output": self.serialized_output,
            "serialized_custom_status": self.serialized_custom_status,
        }
        details = self.failure_details
        if details is not None:
            state["failure_details"] = {
                "message": details.message,
                "error_type": details.error_type,
                "stack_trace": details.stack_trace,
            }
        return state

    def __str__(self) -> str:
        return json.dumps(self.to_json(), indent=4, sort_keys=True, default=str)
