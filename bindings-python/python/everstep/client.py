"""The client: starts workflows, controls them and asks about them."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any, Generic, Literal, TypeVar, overload

from ._native import NativeClient
from .durations import milliseconds
from .errors import DecodeError, InvalidArgumentError
from .functions import definition_of
from .payload import ABSENT, decode, payload_text

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Generator, Iterable, Iterator, Mapping
    from types import TracebackType

    from typing_extensions import Self

    from .context import WorkflowContext
    from .durations import Duration
    from .models import HistoryEvent, RuntimeStatus, WorkflowState
    from .payload import Decoder

I = TypeVar("I")  # noqa: E741
R = TypeVar("R")
R_co = TypeVar("R_co", covariant=True)

Durability = Literal["full", "process"]
Reuse = Literal["finished", "never"]


class Client:
    """Starts workflows, controls them and asks about them. Threads may share one.

    ``endpoint`` says where workflows run: ``memory:``, ``sqlite:PATH`` and others; without one it is found by
    ``EVERSTEP_ENDPOINT``, Dapr's variables, or a file under the nearest ``.everstep/``. ``components`` are more of them
    by name, for ``workflow_component``. With ``durability="process"`` an acknowledged change survives the death of the
    process, not that of the machine. ``call_timeout`` limits every call that is no wait; its default is 60 seconds.

    Raises ``InvalidArgumentError``, ``FailedPreconditionError``, ``OperationNotImplementedError``, and what opening the
    store answers.
    """

    def __init__(
        self,
        endpoint: str | None = None,
        *,
        components: Mapping[str, str] | None = None,
        durability: Durability = "full",
        call_timeout: Duration | None = None,
        max_payload_bytes: int | None = None,
    ) -> None:
        if max_payload_bytes is not None and (type(max_payload_bytes) is not int or max_payload_bytes < 1):
            raise InvalidArgumentError("max_payload_bytes must be an int of at least 1")
        self._native = NativeClient(
            _optional(endpoint, "endpoint"),
            _strings(components, "components"),
            _text(durability, "durability"),
            None if call_timeout is None else milliseconds(call_timeout, "call_timeout"),
            max_payload_bytes,
        )
        for warning in self._native.warnings:
            import logging

            logging.getLogger("everstep").warning("%s", warning)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<everstep.Client {self.endpoint}{' closed' if self.is_closed else ''}>"

    @property
    def endpoint(self) -> str:
        """The endpoint of the default component."""
        return self._native.endpoint

    @property
    def is_closed(self) -> bool:
        """Whether the client is closed."""
        return self._native.is_closed

    def close(self) -> None:
        """Gives back what the client holds. Later calls raise ``ClosedError``."""
        self._native.close()

    # Starting.

    @overload
    def start_workflow(
        self,
        function: Callable[[WorkflowContext, I], Coroutine[Any, Any, R]],
        input: I,
        *,
        instance_id: str | None = None,
        workflow_component: str | None = None,
        workflow_options: Mapping[str, str] | None = None,
        start_at: datetime | Duration | None = None,
        version: str | None = None,
        tags: Mapping[str, str] | None = None,
        reuse: Reuse = "finished",
    ) -> WorkflowHandle[R]: ...
    @overload
    def start_workflow(
        self,
        function: Callable[[WorkflowContext, I], Generator[Any, Any, R]],
        input: I,
        *,
        instance_id: str | None = None,
        workflow_component: str | None = None,
        workflow_options: Mapping[str, str] | None = None,
        start_at: datetime | Duration | None = None,
        version: str | None = None,
        tags: Mapping[str, str] | None = None,
        reuse: Reuse = "finished",
    ) -> WorkflowHandle[R]: ...
    @overload
    def start_workflow(
        self,
        function: Callable[[WorkflowContext], Coroutine[Any, Any, R]],
        *,
        instance_id: str | None = None,
        workflow_component: str | None = None,
        workflow_options: Mapping[str, str] | None = None,
        start_at: datetime | Duration | None = None,
        version: str | None = None,
        tags: Mapping[str, str] | None = None,
        reuse: Reuse = "finished",
    ) -> WorkflowHandle[R]: ...
    @overload
    def start_workflow(
        self,
        function: Callable[[WorkflowContext], Generator[Any, Any, R]],
        *,
        instance_id: str | None = None,
        workflow_component: str | None = None,
        workflow_options: Mapping[str, str] | None = None,
        start_at: datetime | Duration | None = None,
        version: str | None = None,
        tags: Mapping[str, str] | None = None,
        reuse: Reuse = "finished",
    ) -> WorkflowHandle[R]: ...
    @overload
    def start_workflow(
        self,
        function: str,
        input: Any = ...,
        *,
        instance_id: str | None = None,
        workflow_component: str | None = None,
        workflow_options: Mapping[str, str] | None = None,
        start_at: datetime | Duration | None = None,
        version: str | None = None,
        tags: Mapping[str, str] | None = None,
        reuse: Reuse = "finished",
    ) -> WorkflowHandle[Any]: ...
    @overload
    def start_workflow(
        self,
        *,
        workflow_name: str,
        input: Any = ...,
        instance_id: str | None = None,
        workflow_component: str | None = None,
        workflow_options: Mapping[str, str] | None = None,
        start_at: datetime | Duration | None = None,
        version: str | None = None,
        tags: Mapping[str, str] | None = None,
        reuse: Reuse = "finished",
    ) -> WorkflowHandle[Any]: ...
    def start_workflow(
        self,
        function: Any = None,
        input: Any = ABSENT,
        *,
        workflow_name: str | None = None,
        instance_id: str | None = None,
        workflow_component: str | None = None,
        workflow_options: Mapping[str, str] | None = None,
        start_at: datetime | Duration | None = None,
        version: str | None = None,
        tags: Mapping[str, str] | None = None,
        reuse: Reuse = "finished",
    ) -> WorkflowHandle[Any]:
        """Starts a workflow, given as a function or by its registered name; returns when the start is durable.

        An instance ID has 1 to 64 bytes of letters, digits, ``_`` and ``-``; without one it is a random UUID. The ID of
        a finished instance may be taken over, unless ``reuse`` is ``"never"``. ``start_at`` is a time, or how long from
        now. Raises ``InvalidArgumentError``, ``AlreadyExistsError``, ``PayloadTooLargeError``.
        """
        name, decoder = _workflow(function, workflow_name)
        started = self._native.start(
            _optional(workflow_component, "workflow_component"),
            name,
            payload_text(input, "input"),
            _optional(instance_id, "instance_id"),
            _strings(workflow_options, "workflow_options"),
            _start_at(start_at),
            _optional(version, "version"),
            _strings(tags, "tags"),
            _text(reuse, "reuse"),
        )
        return WorkflowHandle(self, started[0], started[1], workflow_component, decoder)

    @overload
    def get_handle(
        self,
        instance_id: str,
        function: Callable[..., Coroutine[Any, Any, R]],
        *,
        execution_id: str | None = None,
        workflow_component: str | None = None,
    ) -> WorkflowHandle[R]: ...
    @overload
    def get_handle(
        self,
        instance_id: str,
        function: Callable[..., Generator[Any, Any, R]],
        *,
        execution_id: str | None = None,
        workflow_component: str | None = None,
    ) -> WorkflowHandle[R]: ...
    @overload
    def get_handle(
        self,
        instance_id: str,
        *,
        execution_id: str | None = None,
        workflow_component: str | None = None,
    ) -> WorkflowHandle[Any]: ...
    def get_handle(
        self,
        instance_id: str,
        function: Any = None,
        *,
        execution_id: str | None = None,
        workflow_component: str | None = None,
    ) -> WorkflowHandle[Any]:
        """A handle of an instance; it asks nothing. With the function its result is decoded by the annotation."""
        decoder = None if function is None else _workflow(function, None)[1]
        return WorkflowHandle(
            self,
            _text(instance_id, "instance_id"),
            _optional(execution_id, "execution_id"),
            _optional(workflow_component, "workflow_component"),
            decoder,
        )

    # Asking.

    def get_workflow(
        self, instance_id: str, workflow_component: str | None = None, *, payloads: bool = True
    ) -> WorkflowState:
        """Returns the state of an instance. Raises ``NotFoundError``."""
        component = _optional(workflow_component, "workflow_component")
        return _state(self._native.get(component, _text(instance_id, "instance_id"), bool(payloads)))

    def wait_for_workflow_start(
        self,
        instance_id: str,
        workflow_component: str | None = None,
        *,
        timeout: Duration | None = None,
        payloads: bool = True,
    ) -> WorkflowState:
        """Waits until the first turn has run. Raises ``NotFoundError``, ``OperationTimeoutError``."""
        return _state(
            self._native.wait_for_start(
                _optional(workflow_component, "workflow_component"),
                _text(instance_id, "instance_id"),
                _timeout(timeout),
                bool(payloads),
            )
        )

    def wait_for_workflow_completion(
        self,
        instance_id: str,
        workflow_component: str | None = None,
        *,
        timeout: Duration | None = None,
        payloads: bool = True,
    ) -> WorkflowState:
        """Waits until an instance has ended, in whatever way.

        Raises ``NotFoundError``, ``OperationTimeoutError``, ``WorkflowStalledError``.
        """
        return _state(
            self._native.wait_for_completion(
                _optional(workflow_component, "workflow_component"),
                _text(instance_id, "instance_id"),
                _timeout(timeout),
                bool(payloads),
            )
        )

    def list_workflows(
        self,
        *,
        workflow_component: str | None = None,
        workflow_name: str | None = None,
        statuses: Iterable[RuntimeStatus | str] = (),
        created_from: datetime | None = None,
        created_to: datetime | None = None,
        page_size: int = 100,
    ) -> Iterator[WorkflowState]:
        """Yields the states of the instances that match, newest first, page by page. Without payloads."""
        filter = _filter(workflow_name, statuses, created_from, created_to)
        component = _optional(workflow_component, "workflow_component")
        if type(page_size) is not int or not 1 <= page_size <= 1000:
            raise InvalidArgumentError("page_size must be an int from 1 to 1000")
        return self._pages(component, filter, page_size)

    def _pages(
        self, component: str | None, filter: tuple[str | None, list[str], int | None, int | None], size: int
    ) -> Iterator[WorkflowState]:
        cursor: str | None = None
        while True:
            states, cursor = self._native.list(component, *filter, cursor, size)
            yield from map(_state, states)
            if cursor is None:
                return

    def get_workflow_history(self, instance_id: str, workflow_component: str | None = None) -> list[HistoryEvent]:
        """Returns the events of an instance, oldest first. Raises ``NotFoundError``."""
        from .models import event_from_native

        component = _optional(workflow_component, "workflow_component")
        return [
            event_from_native(event) for event in self._native.history(component, _text(instance_id, "instance_id"))
        ]

    # Controlling.

    def pause_workflow(
        self, instance_id: str, workflow_component: str | None = None, *, reason: str | None = None
    ) -> None:
        """Pauses an instance; returns when the request is durable. Raises ``NotFoundError``."""
        component = _optional(workflow_component, "workflow_component")
        self._native.pause(component, _text(instance_id, "instance_id"), _optional(reason, "reason"))

    def resume_workflow(
        self, instance_id: str, workflow_component: str | None = None, *, reason: str | None = None
    ) -> None:
        """Resumes a paused or stalled instance; returns when the request is durable. Raises ``NotFoundError``."""
        component = _optional(workflow_component, "workflow_component")
        self._native.resume(component, _text(instance_id, "instance_id"), _optional(reason, "reason"))

    def raise_workflow_event(
        self,
        instance_id: str,
        event_name: str,
        event_data: Any = ABSENT,
        workflow_component: str | None = None,
    ) -> None:
        """Raises an event to an instance; returns when it is durable. Raises ``NotFoundError``."""
        self._native.raise_event(
            _optional(workflow_component, "workflow_component"),
            _text(instance_id, "instance_id"),
            _text(event_name, "event_name"),
            payload_text(event_data, "event_data"),
        )

    def terminate_workflow(
        self,
        instance_id: str,
        workflow_component: str | None = None,
        *,
        output: Any = ABSENT,
        recursive: bool = True,
    ) -> None:
        """Ends an instance, and its children if ``recursive``; a finished one stays as it is.

        Returns when the request is durable. Raises ``NotFoundError``.
        """
        component = _optional(workflow_component, "workflow_component")
        self._native.terminate(
            component, _text(instance_id, "instance_id"), payload_text(output, "output"), bool(recursive)
        )

    def purge_workflow(self, instance_id: str, workflow_component: str | None = None, *, recursive: bool = True) -> int:
        """Deletes a finished instance, and its children if ``recursive``; returns how many were deleted.

        Raises ``NotFoundError``, ``FailedPreconditionError`` while one of them is unfinished.
        """
        component = _optional(workflow_component, "workflow_component")
        return self._native.purge(component, _text(instance_id, "instance_id"), bool(recursive))

    def purge_workflows(
        self,
        *,
        workflow_component: str | None = None,
        workflow_name: str | None = None,
        statuses: Iterable[RuntimeStatus | str] = (),
        created_from: datetime | None = None,
        created_to: datetime | None = None,
    ) -> int:
        """Deletes all finished instances that match; returns how many."""
        component = _optional(workflow_component, "workflow_component")
        return self._native.purge_matching(component, *_filter(workflow_name, statuses, created_from, created_to))


class WorkflowHandle(Generic[R_co]):
    """One run of a workflow."""

    __slots__ = ("_client", "_component", "_decoder", "execution_id", "instance_id")

    def __init__(
        self,
        client: Client,
        instance_id: str,
        execution_id: str | None,
        component: str | None,
        decoder: Decoder | None,
    ) -> None:
        self._client = client
        self._component = component
        self._decoder = decoder
        self.instance_id = instance_id
        """The instance ID."""
        self.execution_id = execution_id
        """The run's execution ID, where the component gives one."""

    def __repr__(self) -> str:
        return f"<everstep.WorkflowHandle {self.instance_id!r}>"

    def result(self, timeout: Duration | None = None) -> R_co:
        """Waits for this run's output and decodes it; without a timeout as long as it takes.

        Raises ``WorkflowFailedError`` with the chain of failures, ``WorkflowTerminatedError``,
        ``WorkflowStalledError``, ``OperationTimeoutError``, ``NotFoundError`` (also when another run has taken the
        instance ID over), and ``DecodeError``.
        """
        text = self._client._native.result(self._component, self.instance_id, self.execution_id, _timeout(timeout))
        try:
            return decode(text, self._decoder)  # type: ignore[no-any-return]
        except DecodeError as error:
            error.instance_id = self.instance_id
            error.text = text
            raise

    def get(self, *, payloads: bool = True) -> WorkflowState:
        """See ``Client.get_workflow``."""
        return self._client.get_workflow(self.instance_id, self._component, payloads=payloads)

    def history(self) -> list[HistoryEvent]:
        """See ``Client.get_workflow_history``."""
        return self._client.get_workflow_history(self.instance_id, self._component)

    def pause(self, *, reason: str | None = None) -> None:
        """See ``Client.pause_workflow``."""
        self._client.pause_workflow(self.instance_id, self._component, reason=reason)

    def resume(self, *, reason: str | None = None) -> None:
        """See ``Client.resume_workflow``."""
        self._client.resume_workflow(self.instance_id, self._component, reason=reason)

    def raise_event(self, event_name: str, event_data: Any = ABSENT) -> None:
        """See ``Client.raise_workflow_event``."""
        self._client.raise_workflow_event(self.instance_id, event_name, event_data, self._component)

    def terminate(self, *, output: Any = ABSENT, recursive: bool = True) -> None:
        """See ``Client.terminate_workflow``."""
        self._client.terminate_workflow(self.instance_id, self._component, output=output, recursive=recursive)

    def purge(self, *, recursive: bool = True) -> int:
        """See ``Client.purge_workflow``."""
        return self._client.purge_workflow(self.instance_id, self._component, recursive=recursive)

    def wait_for_start(self, timeout: Duration | None = None, *, payloads: bool = True) -> WorkflowState:
        """See ``Client.wait_for_workflow_start``."""
        return self._client.wait_for_workflow_start(
            self.instance_id, self._component, timeout=timeout, payloads=payloads
        )

    def wait_for_completion(self, timeout: Duration | None = None, *, payloads: bool = True) -> WorkflowState:
        """See ``Client.wait_for_workflow_completion``."""
        return self._client.wait_for_workflow_completion(
            self.instance_id, self._component, timeout=timeout, payloads=payloads
        )


def _state(values: tuple[Any, ...]) -> WorkflowState:
    # Imported with the first state: making its classes is a good part of what importing the package would take.
    from .models import state_from_native

    return state_from_native(values)


def _text(value: object, name: str) -> str:
    if not isinstance(value, str):
        raise InvalidArgumentError(f"{name} must be a str, not {type(value).__name__}")
    if not value.isascii():
        try:
            value.encode()
        except UnicodeEncodeError:
            raise InvalidArgumentError(f"{name} holds a lone surrogate, which is no character") from None
    return value


def _optional(value: object, name: str) -> str | None:
    return None if value is None else _text(value, name)


def _strings(values: Mapping[str, str] | None, name: str) -> dict[str, str]:
    if values is None:
        return {}
    if not hasattr(values, "items"):
        raise InvalidArgumentError(f"{name} must be a mapping of str to str, not {type(values).__name__}")
    return {_text(key, f"a key of {name}"): _text(value, f"{name}[{key!r}]") for key, value in values.items()}


def _workflow(function: Any, workflow_name: str | None) -> tuple[str, Decoder | None]:
    if function is None:
        if workflow_name is None:
            raise InvalidArgumentError("a start needs a workflow: a function, or workflow_name")
        return _text(workflow_name, "workflow_name"), None
    if workflow_name is not None:
        raise InvalidArgumentError("both function and workflow_name are given; give one of them")
    if isinstance(function, str):
        return _text(function, "function"), None
    definition = definition_of(function)
    if definition.kind != "workflow":
        raise InvalidArgumentError(f"{definition.name} is an activity; only workflows are started")
    return definition.name, definition.output


def _timeout(timeout: Duration | None) -> int | None:
    return None if timeout is None else milliseconds(timeout, "timeout")


def _micros(moment: datetime, name: str) -> int:
    if not isinstance(moment, datetime):
        raise InvalidArgumentError(f"{name} must be a datetime, not {type(moment).__name__}")
    if moment.tzinfo is None:
        raise InvalidArgumentError(f"{name} must have a time zone; write datetime(..., tzinfo=timezone.utc)")
    return (moment - datetime(1970, 1, 1, tzinfo=timezone.utc)) // timedelta(microseconds=1)


def _start_at(value: datetime | Duration | None) -> int | None:
    if value is None:
        return None
    if isinstance(value, datetime):
        return _micros(value, "start_at")
    return _micros(datetime.now(timezone.utc), "start_at") + 1000 * milliseconds(value, "start_at")


def _filter(
    name: str | None,
    statuses: Iterable[RuntimeStatus | str],
    created_from: datetime | None,
    created_to: datetime | None,
) -> tuple[str | None, list[str], int | None, int | None]:
    from .models import RuntimeStatus

    if isinstance(statuses, str):
        raise InvalidArgumentError("statuses must be a collection; write [RuntimeStatus.RUNNING]")
    try:
        names = [RuntimeStatus(status).value for status in statuses]
    except ValueError as error:
        raise InvalidArgumentError(f"statuses: {error}") from None
    return (
        _optional(name, "workflow_name"),
        names,
        None if created_from is None else _micros(created_from, "created_from"),
        None if created_to is None else _micros(created_to, "created_to"),
    )
