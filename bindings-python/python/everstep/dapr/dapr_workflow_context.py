"""The context of a workflow function, and what drives the function."""

from __future__ import annotations

import random
import string
import warnings
from asyncio import CancelledError
from collections.abc import Callable, Generator, Sequence
from datetime import datetime, timedelta, timezone
from functools import partial
from types import GeneratorType
from typing import TYPE_CHECKING, Any, TypeVar

from ..payload import ABSENT, Absent, RawPayload
from .names import name_of
from .payloads import InputOf, payload
from .propagation import PropagatedHistory, PropagationScope, refuse_propagation
from .task import DurableTask, Task, call_failed, wait_failed

if TYPE_CHECKING:
    from uuid import UUID

    from ..context import WorkflowContext
    from .retry_policy import RetryPolicy

    Workflow = Callable[..., Generator[Task[Any], Any, Any] | Any]

T = TypeVar("T")


class DaprWorkflowContext:
    """What a workflow asks for, and what it may know: the first argument of every workflow function.

    Whatever is asked for is asked for when it is called; ``yield`` the task for its result. ``context`` is the same in
    everstep's words, with what Dapr's SDK has no word for.
    """

    def __init__(self, context: WorkflowContext) -> None:
        self.context = context
        self._next: tuple[RawPayload | Absent, bool] | None = None
        self._moments = 0

    # What the workflow asks for.

    def call_activity(
        self,
        activity: Callable[..., Any] | str,
        *,
        input: Any = None,
        retry_policy: RetryPolicy | None = None,
        app_id: str | None = None,
        propagation: PropagationScope | None = None,
    ) -> Task[Any]:
        """Runs an activity, given as its function or by its registered name. The task fails with ``TaskFailedError``.

        Raises ``TypeError`` for an input that has no JSON.
        """
        refuse_propagation(propagation)
        retry = None if retry_policy is None else retry_policy.obj
        future = self.context.call_activity(name_of(activity), payload(input), retry=retry, app_id=app_id)
        return DurableTask(future, call_failed(f"{self.instance_id}: Activity task #{future.ref}"))

    def call_child_workflow(
        self,
        workflow: Callable[..., Any] | str,
        *,
        input: Any = None,
        instance_id: str | None = None,
        retry_policy: RetryPolicy | None = None,
        app_id: str | None = None,
        propagation: PropagationScope | None = None,
    ) -> Task[Any]:
        """Runs a child workflow. Without an ``instance_id`` it gets one that derives from its parent's.

        As ``call_activity`` otherwise.
        """
        refuse_propagation(propagation)
        retry = None if retry_policy is None else retry_policy.obj
        future = self.context.call_child(
            name_of(workflow), payload(input), instance_id=instance_id, retry=retry, app_id=app_id
        )
        return DurableTask(future, call_failed(f"Sub-orchestration task #{future.ref}"))

    def create_timer(self, fire_at: datetime | timedelta) -> Task[None]:
        """Waits until a time, which is UTC if it has no zone, or this long. It costs nothing, however long."""
        due = max(fire_at, timedelta(0)) if isinstance(fire_at, timedelta) else fire_at
        return DurableTask(self.context.create_timer(due), _as_it_is)

    def wait_for_external_event(self, name: str, *, timeout: datetime | timedelta | None = None) -> Task[Any]:
        """Waits for an event of this name, compared without case; its result is the event's data.

        With a timeout, a length of time or a moment, the task fails with ``TimeoutError``. A negative length is none.
        Events of one name are taken first in, first out, also those that came before the wait.
        """
        if timeout is not None and not isinstance(timeout, (datetime, timedelta)):
            raise TypeError(f"timeout must be a timedelta or a datetime, not {type(timeout).__name__}")
        wait = timeout
        if isinstance(wait, datetime):
            wait = max(_aware(wait) - self.context.now(), timedelta(0))
        elif wait is not None and wait < timedelta(0):
            wait = None
        return DurableTask(self.context.wait_for_event(name, timeout=wait), wait_failed(name, timeout))

    def continue_as_new(self, new_input: Any, *, save_events: bool = False) -> None:
        """Ends this run, when the function yields or returns, and begins the next one with an empty history.

        Events that nobody took go with it if ``save_events`` is true. Only the first call counts.
        """
        if self._next is None:
            self._next = payload(new_input), save_events

    def set_custom_status(self, custom_status: object) -> None:
        """Says something of the workflow for those who ask for its state. The text is sent as it stands."""
        if isinstance(custom_status, str):
            status: RawPayload | Absent = RawPayload(custom_status)
        elif custom_status is None:
            status = ABSENT
        else:
            warnings.warn(
                "a custom status that is no str is deprecated in Dapr's SDK; make a JSON text of it",
                DeprecationWarning,
                stacklevel=2,
            )
            status = payload(custom_status)
        self.context.set_custom_status(status)

    def is_patched(self, patch_name: str) -> bool:
        """Whether this run takes a changed path of the code: one that passed this place before the change does not."""
        return self.context.is_patched(patch_name)

    # What the workflow may know.

    @property
    def instance_id(self) -> str:
        """The instance ID."""
        return self.context.instance_id

    @property
    def current_utc_datetime(self) -> datetime:
        """The turn's time in UTC, without a time zone, the same at every replay."""
        return self.context.now().replace(tzinfo=None)

    @property
    def is_replaying(self) -> bool:
        """Whether this turn is one of the past, run again to rebuild the workflow's state."""
        return self.context.is_replaying

    def get_propagated_history(self) -> PropagatedHistory | None:
        """The history that the caller handed down; everstep hands none down yet."""
        return None

    # What is the same at every replay. Dapr's SDK has these without saying so.

    def now(self) -> datetime:
        """The same as ``current_utc_datetime``."""
        return self.current_utc_datetime

    def now_with_sequence(self) -> datetime:
        """The turn's time, a microsecond later with each call, so that no two are the same."""
        self._moments += 1
        return self.current_utc_datetime + timedelta(microseconds=self._moments - 1)

    def current_utc_datetime_with_sequence(self) -> datetime:
        """The same as ``now_with_sequence``."""
        return self.now_with_sequence()

    def random(self) -> random.Random:
        """Random numbers, the same at every replay."""
        return self.context.random

    def random_int(self, min_value: int = 0, max_value: int = 2**31 - 1) -> int:
        """A random number from ``min_value`` to ``max_value``, both included. Raises ``ValueError``."""
        return self.context.random.randint(min_value, max_value)

    def random_string(self, length: int, *, alphabet: str | None = None) -> str:
        """Random characters, of letters and digits unless an alphabet is given. Raises ``ValueError``."""
        letters = string.ascii_letters + string.digits if alphabet is None else alphabet
        if length < 0 or not letters:
            raise ValueError("length must not be negative, and alphabet not be empty")
        return "".join(self.context.random.choice(letters) for _ in range(length))

    def random_choice(self, sequence: Sequence[T]) -> T:
        """One of these. Raises ``IndexError`` where there is none."""
        return self.context.random.choice(sequence)

    def uuid4(self) -> UUID:
        """A UUID that is the same at every replay."""
        return self.context.uuid()

    def new_guid(self) -> UUID:
        """The same as ``uuid4``."""
        return self.context.uuid()

    def leave(self) -> None:
        """Begins the next run, if the function has asked for it."""
        if self._next is not None:
            new_input, save_events = self._next
            self.context.continue_as_new(new_input, keep_events=save_events)


def _as_it_is(error: BaseException) -> Exception:
    return error if isinstance(error, Exception) else RuntimeError("the timer was cancelled")


def _aware(moment: datetime) -> datetime:
    return moment if moment.utcoffset() is not None else moment.replace(tzinfo=timezone.utc)


def run_workflow(
    function: Workflow, given: InputOf, context: WorkflowContext, input: Any
) -> Generator[Any, Any, RawPayload | Absent]:
    """Runs a workflow function as everstep runs a generator: what it yields are futures, and its output is text."""
    dapr = DaprWorkflowContext(context)
    result = function(dapr, *given.arguments(input))
    if isinstance(result, GeneratorType):
        result = yield from _drive(result, dapr)
    dapr.leave()
    return payload(result)


def _drive(main: Generator[Task[Any], Any, Any], dapr: DaprWorkflowContext) -> Generator[Any, Any, Any]:
    step: Callable[[], Any] = partial(main.send, None)
    try:
        while True:
            try:
                task = step()
            except StopIteration as stop:
                return stop.value
            except Exception:
                dapr.leave()
                raise
            dapr.leave()
            if not isinstance(task, Task):
                raise TypeError(f"a workflow must yield tasks, not {type(task).__name__}")
            while not task.is_complete:
                try:
                    yield task.future()
                except (Exception, CancelledError):
                    # The task says itself what it failed with.
                    if not task.is_complete:
                        raise
            if task.is_failed:
                step = partial(main.throw, task.get_exception())
            else:
                step = partial(main.send, task.get_result())
    finally:
        main.close()
