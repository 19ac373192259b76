"""The client: starts workflows, controls them and asks about them. Its operations are in ``operations.py``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, TypeVar, overload

from ._native import NativeClient
from .arguments import optional_path, optional_text, strings, text_of
from .durations import milliseconds
from .errors import InvalidArgumentError
from .handle import WorkflowHandle
from .operations import Operations
from .payload import ABSENT
from .wire import JSON

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Generator, Iterator, Mapping
    from datetime import datetime
    from types import TracebackType

    from typing_extensions import Self, Unpack

    from .arguments import StrPath
    from .codecs import Codec
    from .context import WorkflowContext
    from .durations import Duration
    from .history import History, HistoryEvent
    from .models import RuntimeStatus, WorkflowState
    from .operations import Call, Criteria, Pages, Reuse, StartOptions

I = TypeVar("I")  # noqa: E741
R = TypeVar("R")

Durability = Literal["full", "process"]


class BaseClient:
    """What both flavours of the client are: an open client of the core."""

    def __init__(
        self,
        endpoint: str | None = None,
        *,
        components: Mapping[str, str] | None = None,
        durability: Durability = "full",
        call_timeout: Duration | None = None,
        max_payload_bytes: int | None = None,
        codec: Codec | None = None,
        api_token: str | None = None,
        tls_roots: StrPath | None = None,
        tls_certificate: StrPath | None = None,
        tls_key: StrPath | None = None,
    ) -> None:
        if max_payload_bytes is not None and (type(max_payload_bytes) is not int or max_payload_bytes < 1):
            raise InvalidArgumentError("max_payload_bytes must be an int of at least 1")
        self._wire = JSON
        if codec is not None:
            from .codecs import wire_of

            self._wire = wire_of(codec)
        self._native = NativeClient(
            optional_text(endpoint, "endpoint"),
            strings(components, "components"),
            text_of(durability, "durability"),
            None if call_timeout is None else milliseconds(call_timeout, "call_timeout"),
            max_payload_bytes,
            optional_text(api_token, "api_token"),
            optional_path(tls_roots, "tls_roots"),
            optional_path(tls_certificate, "tls_certificate"),
            optional_path(tls_key, "tls_key"),
        )
        self._operations = Operations(self._native, self._wire)
        for warning in self._native.warnings:
            import logging

            logging.getLogger("everstep").warning("%s", warning)

    def __repr__(self) -> str:
        return f"<everstep.{type(self).__name__} {self.endpoint}{' closed' if self.is_closed else ''}>"

    @property
    def endpoint(self) -> str:
        """The endpoint of the default component."""
        return self._native.endpoint

    @property
    def is_closed(self) -> bool:
        """Whether the client is closed."""
        return self._native.is_closed


class Client(BaseClient):
    """Starts workflows, controls them and asks about them. Threads may share one.

    ``endpoint`` says where workflows run: ``memory:``, ``sqlite:PATH`` and others; without one it is found by
    ``EVERSTEP_ENDPOINT``, Dapr's variables, or a file under the nearest ``.everstep/``. ``components`` are more of them
    by name, for ``workflow_component``. With ``durability="process"`` an acknowledged change survives the death of the
    process, not that of the machine. ``call_timeout`` limits every call that is no wait; its default is 60 seconds.
    ``codec`` writes and reads payloads; without one they are JSON, read by annotation.

    The rest is for Dapr's endpoints. ``api_token`` is the sidecar's; without it ``DAPR_API_TOKEN``. ``tls_roots`` is a
    PEM file of the authorities to trust instead of the system's, ``tls_certificate`` and ``tls_key`` prove this client;
    without them ``EVERSTEP_TLS_ROOTS``, ``EVERSTEP_TLS_CERTIFICATE`` and ``EVERSTEP_TLS_KEY``.

    Raises ``InvalidArgumentError``, ``FailedPreconditionError``, ``OperationNotImplementedError``, and what opening the
    store answers.
    """

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Gives back what the client holds. Later calls raise ``ClosedError``."""
        self._native.close()

    # Starting.

    @overload
    def start_workflow(
        self,
        function: Callable[[WorkflowContext, I], Coroutine[Any, Any, R]],
        input: I,
        **options: Unpack[StartOptions],
    ) -> WorkflowHandle[R]: ...
    @overload
    def start_workflow(
        self,
        function: Callable[[WorkflowContext, I], Generator[Any, Any, R]],
        input: I,
        **options: Unpack[StartOptions],
    ) -> WorkflowHandle[R]: ...
    @overload
    def start_workflow(
        self,
        function: Callable[[WorkflowContext], Coroutine[Any, Any, R]],
        **options: Unpack[StartOptions],
    ) -> WorkflowHandle[R]: ...
    @overload
    def start_workflow(
        self,
        function: Callable[[WorkflowContext], Generator[Any, Any, R]],
        **options: Unpack[StartOptions],
    ) -> WorkflowHandle[R]: ...
    @overload
    def start_workflow(
        self,
        function: str,
        input: Any = ...,
        **options: Unpack[StartOptions],
    ) -> WorkflowHandle[Any]: ...
    @overload
    def start_workflow(
        self,
        *,
        workflow_name: str,
        input: Any = ...,
        **options: Unpack[StartOptions],
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
        now. A function starts in its version, a name in its latest one unless ``version`` names another.

        Raises ``InvalidArgumentError``, ``AlreadyExistsError``, ``PayloadTooLargeError``.
        """
        call = self._operations.start_workflow(
            function,
            input,
            workflow_name,
            instance_id,
            workflow_component,
            workflow_options,
            start_at,
            version,
            tags,
            reuse,
        )
        return WorkflowHandle(self, *call.wait())

    def rerun_workflow(
        self,
        instance_id: str,
        from_event: HistoryEvent | int,
        workflow_component: str | None = None,
        *,
        new_instance_id: str | None = None,
        input: Any = ABSENT,
    ) -> WorkflowHandle[Any]:
        """Goes on from an event of a finished instance, in a new instance; returns when that is durable.

        ``from_event`` is a ``TaskScheduled``, ``TimerCreated`` or ``ChildWorkflowInstanceCreated`` of the history, or
        its ID. What was done before it stays done. Its activity, timer or child runs again, with ``input`` if that is
        given, and so does whatever was open then; all that followed is asked for again. Name, input, version and tags
        are kept. Activities that run again have new task keys, children new IDs; timers are due when they were.

        Raises ``NotFoundError`` for the instance or the event, ``FailedPreconditionError`` while the instance has not
        finished, ``AlreadyExistsError`` if the new ID is in use, ``InvalidArgumentError`` (also for a child, for an
        event of another kind, and for a timer with an input), ``PayloadTooLargeError``.
        """
        call = self._operations.rerun_workflow(instance_id, from_event, workflow_component, new_instance_id, input)
        return WorkflowHandle(self, *call.wait())

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
        """A handle of an instance; it asks nothing. With the function its result is decoded by the annotation.

        Raises ``InvalidArgumentError``.
        """
        return WorkflowHandle(self, *self._operations.run(instance_id, function, execution_id, workflow_component))

    # Asking.

    def get_workflow(
        self, instance_id: str, workflow_component: str | None = None, *, payloads: bool = True
    ) -> WorkflowState:
        """Returns the state of an instance. Raises ``NotFoundError``."""
        return self._operations.get_workflow(instance_id, workflow_component, payloads).wait()

    def wait_for_workflow_start(
        self,
        instance_id: str,
        workflow_component: str | None = None,
        *,
        timeout: Duration | None = None,
        payloads: bool = True,
    ) -> WorkflowState:
        """Waits until the first turn has run. Raises ``NotFoundError``, ``OperationTimeoutError``."""
        call = self._operations.wait_for_workflow_start(instance_id, workflow_component, timeout, payloads)
        return call.wait()

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
        call = self._operations.wait_for_workflow_completion(instance_id, workflow_component, timeout, payloads)
        return call.wait()

    def watch_workflow(
        self, instance_id: str, workflow_component: str | None = None, *, payloads: bool = True
    ) -> Iterator[WorkflowState]:
        """Yields the state of an instance now, and again whenever it has changed, to the final one.

        It does not poll, except on Dapr, which is asked again in growing intervals up to half a second.

        A change is another status, custom status, output, failure, reason or version, the first turn, or a new run or
        generation. A slow loop gets the latest state and may miss some in between, never the final one. Paused and
        stalled are not final. Leaving the loop ends the watch. Raises ``NotFoundError``, also when the instance is
        purged meanwhile, ``ClosedError``, and ``StoreLockedError`` where another process owns the file.
        """
        return self._changes(self._operations.watch_workflow(instance_id, None, workflow_component, payloads))

    def _changes(
        self, next_change: Callable[[str | None], Call[tuple[WorkflowState, str] | None]]
    ) -> Iterator[WorkflowState]:
        seen: str | None = None
        while (change := next_change(seen).wait()) is not None:
            state, seen = change
            yield state

    def list_workflows(
        self, *, page_size: int = 100, payloads: bool = False, **criteria: Unpack[Criteria]
    ) -> Iterator[WorkflowState]:
        """Yields the states of the instances that match, newest first, read page by page as they are asked for.

        ``criteria``: ``workflow_component``, ``workflow_name``, ``statuses``, ``created_from`` (inclusive),
        ``created_to`` (exclusive), ``parent_instance_id``. Those that are given must all be met.

        No instance is yielded twice, and each that was there at the first page and matched all the time is yielded.
        One that begins or ceases to match meanwhile may be or not; one that is created meanwhile is not.

        States come without input, output, failure, reason and tags; ``payloads=True`` reads them too, which costs about
        as much as ``get_workflow`` for each. ``page_size`` is from 1 to 1,000. Raises ``InvalidArgumentError``.
        """
        return self._states(self._operations.list_workflows(page_size, payloads, criteria))

    def _states(self, page: Pages[list[WorkflowState]]) -> Iterator[WorkflowState]:
        cursor: str | None = None
        while True:
            states, cursor = page(cursor).wait()
            yield from states
            if cursor is None:
                return

    def count_workflows(self, **criteria: Unpack[Criteria]) -> dict[RuntimeStatus, int]:
        """Returns how many instances match, by status. A status that none has is left out.

        ``criteria`` are those of ``list_workflows``. It reads an index from end to end: some 30 ms for a million.
        Raises ``InvalidArgumentError``.
        """
        return self._operations.count_workflows(criteria).wait()

    def get_workflow_history(
        self, instance_id: str, workflow_component: str | None = None, *, expand: int = 0
    ) -> History:
        """Returns the events of an instance, oldest first and linked. Raises ``NotFoundError``.

        ``expand`` is how many levels of children are read with it, 1,000 histories at most; other children are read
        when they are asked for.
        """
        return self._operations.get_workflow_history(instance_id, workflow_component, expand, blocking=True).wait()

    # Controlling.

    def pause_workflow(
        self, instance_id: str, workflow_component: str | None = None, *, reason: str | None = None
    ) -> None:
        """Pauses an instance; returns when the request is durable. Raises ``NotFoundError``."""
        self._operations.pause_workflow(instance_id, workflow_component, reason).wait()

    def resume_workflow(
        self, instance_id: str, workflow_component: str | None = None, *, reason: str | None = None
    ) -> None:
        """Resumes a paused or stalled instance; returns when the request is durable. Raises ``NotFoundError``."""
        self._operations.resume_workflow(instance_id, workflow_component, reason).wait()

    def raise_workflow_event(
        self,
        instance_id: str,
        event_name: str,
        event_data: Any = ABSENT,
        workflow_component: str | None = None,
    ) -> None:
        """Raises an event to an instance; returns when it is durable. Raises ``NotFoundError``."""
        self._operations.raise_workflow_event(instance_id, event_name, event_data, workflow_component).wait()

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
        self._operations.terminate_workflow(instance_id, workflow_component, output, recursive).wait()

    def purge_workflow(self, instance_id: str, workflow_component: str | None = None, *, recursive: bool = True) -> int:
        """Deletes a finished instance, and its children if ``recursive``; returns how many were deleted.

        Raises ``NotFoundError``, ``FailedPreconditionError`` while one of them is unfinished.
        """
        return self._operations.purge_workflow(instance_id, workflow_component, recursive).wait()

    # Controlling many: in slices of a few milliseconds, between which the engine does what others ask.

    def purge_workflows(self, *, progress: Callable[[int], object] | None = None, **criteria: Unpack[Criteria]) -> int:
        """Deletes the finished instances that match; returns how many. Children go if they match themselves.

        ``criteria`` are those of ``list_workflows``; instances that are created meanwhile are not touched. It goes in
        short slices, between which the engine does what others ask. ``progress`` is called after each with the count
        so far, all of it durable; an exception that it raises ends the operation there. The error of a slice that
        failed has the count as ``done``. Raises ``InvalidArgumentError``, also for a status that is not final.
        """
        return self._in_slices(self._operations.purge_workflows(criteria), progress)

    def terminate_workflows(
        self,
        *,
        output: Any = ABSENT,
        recursive: bool = True,
        progress: Callable[[int], object] | None = None,
        **criteria: Unpack[Criteria],
    ) -> int:
        """Ends the unfinished instances that match, and their children if ``recursive``; returns how many matched.

        Parents end before their children. As ``purge_workflows`` otherwise.
        """
        return self._in_slices(self._operations.terminate_workflows(output, recursive, criteria), progress)

    def pause_workflows(
        self,
        *,
        reason: str | None = None,
        progress: Callable[[int], object] | None = None,
        **criteria: Unpack[Criteria],
    ) -> int:
        """Pauses the pending and running instances that match; returns how many. As ``purge_workflows`` otherwise."""
        return self._in_slices(self._operations.pause_workflows(reason, criteria), progress)

    def resume_workflows(
        self,
        *,
        reason: str | None = None,
        progress: Callable[[int], object] | None = None,
        **criteria: Unpack[Criteria],
    ) -> int:
        """Resumes suspended instances that match and tries stalled ones again; returns how many.

        As ``purge_workflows`` otherwise.
        """
        return self._in_slices(self._operations.resume_workflows(reason, criteria), progress)

    def _in_slices(self, slices: Pages[int], progress: Callable[[int], object] | None) -> int:
        cursor: str | None = None
        while True:
            done, cursor = slices(cursor).wait()
            if progress is not None:
                progress(done)
            if cursor is None:
                return done
