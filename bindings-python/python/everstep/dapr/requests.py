"""What both flavours of the client do with arguments and with time."""

from __future__ import annotations

import time
import warnings
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from ..errors import OperationNotImplementedError
from ..payload import ABSENT, Absent, RawPayload
from .payloads import payload
from .workflow_management import UNSET

if TYPE_CHECKING:
    from ..errors import WorkflowStalledError
    from .logger import Logger

_LONGEST_PAUSE = 1.0


def start_time(moment: datetime | None) -> datetime | None:
    """The time to start at; one without a zone is UTC."""
    if moment is None or moment.utcoffset() is not None:
        return moment
    return moment.replace(tzinfo=timezone.utc)


def rerun_input(input: Any) -> RawPayload | Absent:
    """The input of a rerun: its own where none is given, and null for ``None``."""
    if input is UNSET:
        return ABSENT
    return RawPayload("null") if input is None else payload(input)


def ignore_reuse(policy: object) -> None:
    """Says that the policy has no effect, as in Dapr's SDK."""
    if policy is not None:
        warnings.warn(
            "reuse_id_policy has no effect: the ID of a finished instance can always be taken over",
            DeprecationWarning,
            stacklevel=3,
        )


def refuse_child(new_child_instance_id: str | None) -> None:
    """Refuses to choose the ID of the child that a rerun begins with. Raises ``OperationNotImplementedError``."""
    if new_child_instance_id is not None:
        raise OperationNotImplementedError(
            "the ID of the child that a rerun begins with cannot be chosen; leave it out, and read it from the history"
        )


class Deadline:
    """How much time of a wait is left, and how long to wait before a stalled instance is looked at again."""

    def __init__(self, seconds: float) -> None:
        self._end = time.monotonic() + seconds if seconds else None
        self._pause = 0.05
        self._told = ""

    def left(self) -> float | None:
        """The seconds that are left; none without a limit."""
        return None if self._end is None else max(self._end - time.monotonic(), 0.0)

    def pause(self, stalled: WorkflowStalledError, logger: Logger) -> float:
        """How long to wait; the log has each reason once. Raises ``TimeoutError`` when no time is left."""
        if stalled.message != self._told:
            self._told = stalled.message
            logger.warning("%s", stalled)
        left = self.left()
        if left is not None and left <= 0:
            raise TimeoutError(f"the wait took too long; the workflow is stalled: {stalled.message}") from stalled
        pause, self._pause = self._pause, min(self._pause * 2, _LONGEST_PAUSE)
        return pause if left is None else min(pause, left)
