"""What an activity may know of itself."""

from __future__ import annotations

import threading
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

from .errors import FailedPreconditionError

if TYPE_CHECKING:
    from datetime import datetime


class ActivityContext:
    """One attempt of an activity. Take it as an annotated first parameter, or from ``current_activity()``."""

    __slots__ = ("_cancelled", "_task")

    def __init__(self, task: dict[str, Any]) -> None:
        self._task = task
        self._cancelled: threading.Event | None = None

    @property
    def name(self) -> str:
        """The activity's registered name."""
        return self._task["name"]  # type: ignore[no-any-return]

    @property
    def instance_id(self) -> str:
        """The workflow instance that called."""
        return self._task["id"]  # type: ignore[no-any-return]

    @property
    def execution_id(self) -> str:
        """The run that called."""
        return self._task["run"]  # type: ignore[no-any-return]

    @property
    def task_key(self) -> str:
        """The same for all attempts of one call, and for no other call: a key to do something once with."""
        return self._task["key"]  # type: ignore[no-any-return]

    @property
    def task_id(self) -> int:
        """Dapr's number of the call in its run."""
        return self._task["task"]  # type: ignore[no-any-return]

    @property
    def attempt(self) -> int:
        """Which attempt this is, from 1."""
        return self._task["attempt"]  # type: ignore[no-any-return]

    @property
    def deadline(self) -> datetime | None:
        """When the attempt's timeout ends, if it has one."""
        from .models import instant

        millis = self._task.get("deadline")
        return None if millis is None else instant(millis * 1000)

    @property
    def is_cancelled(self) -> bool:
        """Whether nobody waits for the result any more. Long activities look at it now and then."""
        return self._cancelled is not None and self._cancelled.is_set()

    def wait_cancelled(self, timeout: float | None = None) -> bool:
        """Sleeps until the activity is cancelled or the timeout has passed; says whether it is cancelled."""
        if self._cancelled is None:
            self._cancelled = threading.Event()
        return self._cancelled.wait(timeout)

    def cancel(self) -> None:
        """Has ``is_cancelled`` say yes; the worker calls this."""
        if self._cancelled is None:
            self._cancelled = threading.Event()
        self._cancelled.set()


current: ContextVar[ActivityContext] = ContextVar("everstep.current_activity")


def current_activity() -> ActivityContext:
    """The activity that the calling code runs in. Raises ``FailedPreconditionError`` elsewhere."""
    try:
        return current.get()
    except LookupError:
        raise FailedPreconditionError("no activity runs here; call this inside an activity") from None
