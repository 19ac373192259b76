"""What the API gives back: states, statuses, failures. Histories are in ``history.py``."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from enum import Enum
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar, cast

from .payload import decoder_of
from .wire import JSON

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from .errors import FailureTuple
    from .wire import Wire

T = TypeVar("T")
_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)


class RuntimeStatus(str, Enum):
    """Where an instance stands, in Dapr's words."""

    RUNNING = "RUNNING"
    COMPLETED = "COMPLETED"
    CONTINUED_AS_NEW = "CONTINUED_AS_NEW"
    FAILED = "FAILED"
    CANCELED = "CANCELED"
    TERMINATED = "TERMINATED"
    PENDING = "PENDING"
    SUSPENDED = "SUSPENDED"
    STALLED = "STALLED"
    UNKNOWN = "UNKNOWN"

    @property
    def is_terminal(self) -> bool:
        """Whether nothing can happen to the instance any more but a purge or a new start."""
        return self in _TERMINAL

    def __str__(self) -> str:
        return self.value


_TERMINAL = frozenset((RuntimeStatus.COMPLETED, RuntimeStatus.FAILED, RuntimeStatus.CANCELED, RuntimeStatus.TERMINATED))


@dataclass(frozen=True)
class Failure:
    """What user code failed with, and what caused that."""

    error_type: str
    """The name of the type that was raised, for example ``ValueError``."""
    message: str
    stack_trace: str | None = None
    non_retryable: bool = False
    """Whether retry policies leave it alone."""
    cause: Failure | None = None
    code: str | None = None
    """The code of this library's table, where a workflow saw one."""

    def chain(self) -> Iterator[Failure]:
        """Yields this failure, its cause, the cause of that, and so on."""
        failure: Failure | None = self
        while failure is not None:
            yield failure
            failure = failure.cause

    def is_caused_by(self, error_type: str | type[BaseException]) -> bool:
        """Tells whether this failure or one of its causes is of this type, by its exact name."""
        name = error_type if isinstance(error_type, str) else error_type.__name__
        return any(failure.error_type == name for failure in self.chain())

    def revealed(self, reveal: Callable[[str], str]) -> Failure:
        """The same with its texts unsealed, for a client with a codec that seals them."""
        return Failure(
            self.error_type,
            reveal(self.message),
            None if self.stack_trace is None else reveal(self.stack_trace),
            self.non_retryable,
            None if self.cause is None else self.cause.revealed(reveal),
            self.code,
        )


def failure_from_native(failure: FailureTuple | None, wire: Wire = JSON) -> Failure | None:
    """The chain that the native module gives, with its texts unsealed."""
    if failure is None:
        return None
    error_type, message, stack, non_retryable, cause = failure
    inner = failure_from_native(cast("FailureTuple | None", cause), wire)
    if wire.reveal is not None:
        message, stack = wire.reveal(message), None if stack is None else wire.reveal(stack)
    return Failure(error_type, message, stack, non_retryable, inner)


def instant(micros: int | None) -> datetime | None:
    """The time that a count of microseconds since 1970 means; none where Python's calendar ends."""
    if micros is None:
        return None
    try:
        return _EPOCH + timedelta(microseconds=micros)
    except OverflowError:
        return None


@dataclass(frozen=True)
class WorkflowState:
    """The state of an instance. Payloads stay text, as they are stored, until ``input`` and the like are read."""

    # No field: it takes no part in a comparison and stands in no copy.
    _wire: ClassVar[Wire] = JSON

    instance_id: str
    execution_id: str | None
    name: str
    version: str | None
    runtime_status: RuntimeStatus
    created_at: datetime | None
    last_updated_at: datetime | None
    started_at: datetime | None = None
    completed_at: datetime | None = None
    start_at: datetime | None = None
    """When it is to begin, if the start was delayed."""
    raw_input: str | None = field(default=None, repr=False)
    raw_output: str | None = field(default=None, repr=False)
    raw_custom_status: str | None = field(default=None, repr=False)
    failure: Failure | None = None
    reason: str | None = None
    """Why it does not move: no worker has its name, or what it stalled on."""
    parent_instance_id: str | None = None
    tags: Mapping[str, str] = field(default_factory=dict)

    @property
    def input(self) -> Any:
        """The decoded input, or ``None``. Raises ``DecodeError`` where ``raw_input`` is no JSON."""
        return self._wire.value(self.raw_input)

    @property
    def output(self) -> Any:
        """The decoded output, or ``None``. Raises ``DecodeError`` where ``raw_output`` is no JSON."""
        return self._wire.value(self.raw_output)

    @property
    def custom_status(self) -> Any:
        """The custom status, decoded if it is JSON and as text if not: other SDKs write bare text."""
        from .errors import DecodeError

        try:
            return self._wire.value(self.raw_custom_status)
        except DecodeError:
            return self.raw_custom_status

    def input_as(self, type: type[T]) -> T:
        """Decodes the input as this type. Raises ``DecodeError``."""
        return cast("T", self._wire.value(self.raw_input, decoder_of(type)))

    def output_as(self, type: type[T]) -> T:
        """Decodes the output as this type. Raises ``DecodeError``."""
        return cast("T", self._wire.value(self.raw_output, decoder_of(type)))

    def _repr_html_(self) -> str:
        from .display import state_html

        return state_html(self)

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:
        from .display import bundle

        return bundle(self, self._repr_html_())

    @property
    def properties(self) -> dict[str, str]:
        """The properties map of Dapr's API."""
        failure = self.failure
        values = {
            "input": self.raw_input,
            "output": self.raw_output,
            "custom_status": self.raw_custom_status,
            "failure.error_type": failure.error_type if failure else None,
            "failure.error_message": failure.message if failure else None,
            "failure.stack_trace": failure.stack_trace if failure else None,
        }
        return {f"dapr.workflow.{key}": value for key, value in values.items() if value is not None}


def state_from_native(values: tuple[Any, ...], wire: Wire = JSON) -> WorkflowState:
    """Builds a state from the native module's tuple, which has the order of the fields."""
    (instance_id, execution_id, name, version, status, created, updated, started, completed, start_at, *rest) = values
    raw_input, raw_output, raw_status, failure, reason, parent, tags = rest
    try:
        runtime_status = RuntimeStatus(status)
    except ValueError:
        runtime_status = RuntimeStatus.UNKNOWN
    state = WorkflowState(
        instance_id,
        execution_id,
        name,
        version,
        runtime_status,
        instant(created),
        instant(updated),
        instant(started),
        instant(completed),
        instant(start_at),
        raw_input,
        raw_output,
        raw_status,
        failure_from_native(failure, wire),
        reason,
        parent,
        tags,
    )
    if wire is not JSON:
        object.__setattr__(state, "_wire", wire)
    return state
