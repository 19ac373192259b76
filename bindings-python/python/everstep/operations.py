"""The operations: how each is asked for and how its answer is read. Said here once, for both flavours of the client.

To add an operation:

1. ``src/client.rs``: a function that makes the ``NativeCall`` (by ``self.call``; ``self.read`` for what reads much,
   ``self.wait`` for what waits), and its line in ``_native.pyi``. An answer of a new kind implements ``ToPython`` in
   ``src/convert.rs``.
2. Here: a method of ``Operations`` that checks its arguments (``arguments.py``) and gives a ``Call``.
3. ``client.py``: ``return self._operations.NAME(...).wait()``, with the documentation of its meaning.
   ``aio.py``: the same keywords, ``return await self._answer(self._operations.NAME(...))``.
4. ``handle.py``, if it is about one instance: a line in each of the two handles.

A flavour waits, and does nothing else: what needs a decision belongs here, or in the core.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, Literal, TypeVar

from .arguments import event_id_of, filter_of, optional_text, start_time, strings, text_of, timeout_ms, workflow_of
from .errors import DecodeError, EverstepError, InvalidArgumentError
from .wire import JSON

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from datetime import datetime

    from typing_extensions import TypedDict

    from ._native import NativeCall, NativeClient
    from .arguments import Filter
    from .durations import Duration
    from .history import History, HistoryEvent
    from .models import RuntimeStatus, WorkflowState
    from .payload import Decoder
    from .wire import Wire

    class StartOptions(TypedDict, total=False):
        """The keywords of every form of a start."""

        instance_id: str | None
        workflow_component: str | None
        workflow_options: Mapping[str, str] | None
        start_at: datetime | Duration | None
        version: str | None
        tags: Mapping[str, str] | None
        reuse: Reuse

    class Criteria(TypedDict, total=False):
        """Which instances a listing, a count or an operation on many means: those that meet all that are given."""

        workflow_component: str | None
        workflow_name: str | None
        statuses: Iterable[RuntimeStatus | str]
        """Any of these. Without any: all, or those that the operation concerns."""
        created_from: datetime | None
        """Created at this moment or later."""
        created_to: datetime | None
        """Created before this moment."""
        parent_instance_id: str | None
        """Children that an instance with this ID started, whichever run of it did."""


A = TypeVar("A")
T = TypeVar("T")
Reuse = Literal["finished", "never"]
Run = tuple[str, "str | None", "str | None", "Decoder | None"]
"""What a handle is of: instance ID, execution ID, component, and the decoder of its output."""


class Call(Generic[T]):
    """An operation that has been asked for, and how its answer is read. Nothing happens before it is waited for."""

    __slots__ = ("native", "read", "wire")

    def __init__(self, native: NativeCall[A], read: Callable[[A], T], wire: Wire = JSON) -> None:
        self.native: NativeCall[Any] = native
        self.read: Callable[[Any], T] = read
        self.wire = wire
        """What the failure that an error tells of was sealed by, if it tells of one."""

    def wait(self) -> T:
        """Blocks this thread until the answer is there."""
        return self.answer(self.native)

    def answer(self, native: NativeCall[Any]) -> T:
        """Reads the answer of a call that has ended, or blocks until it has."""
        try:
            answer = native.wait()
        except EverstepError as error:
            self._reveal(error)
            raise
        return self.read(answer)

    def _reveal(self, error: EverstepError) -> None:
        """Unseals what an error says of a failure."""
        reveal = self.wire.reveal
        if reveal is not None and error.failure is not None:
            sealed, error.failure = error.failure, error.failure.revealed(reveal)
            error.message = error.message.replace(sealed.message, error.failure.message)
            error.args = (error.message,)


if TYPE_CHECKING:
    Pages = Callable[[str | None], Call[tuple[T, str | None]]]
    """Asks for a page, or a slice, and the cursor of the next one. The first has none, and the last one gives none."""


class Operations:
    """Every operation of the API, asked of one client of the core."""

    def __init__(self, native: NativeClient, wire: Wire) -> None:
        self._native = native
        self._wire = wire

    # Starting.

    def start_workflow(
        self,
        function: Any,
        input: Any,
        workflow_name: str | None,
        instance_id: str | None,
        workflow_component: str | None,
        workflow_options: Mapping[str, str] | None,
        start_at: datetime | Duration | None,
        version: str | None,
        tags: Mapping[str, str] | None,
        reuse: Reuse,
    ) -> Call[Run]:
        name, version, decoder = workflow_of(function, workflow_name, version)
        self._wire.prepare(decoder)
        call = self._native.start(
            optional_text(workflow_component, "workflow_component"),
            name,
            self._wire.text(input, "input"),
            optional_text(instance_id, "instance_id"),
            strings(workflow_options, "workflow_options"),
            start_time(start_at),
            version,
            strings(tags, "tags"),
            text_of(reuse, "reuse"),
        )
        return Call(call, lambda started: (*started, workflow_component, decoder))

    def rerun_workflow(
        self,
        instance_id: str,
        from_event: HistoryEvent | int,
        workflow_component: str | None,
        new_instance_id: str | None,
        input: Any,
        decoder: Decoder | None = None,
    ) -> Call[Run]:
        call = self._native.rerun(
            optional_text(workflow_component, "workflow_component"),
            text_of(instance_id, "instance_id"),
            event_id_of(from_event),
            optional_text(new_instance_id, "new_instance_id"),
            self._wire.text(input, "input"),
        )
        return Call(call, lambda started: (*started, workflow_component, decoder))

    def run(self, instance_id: str, function: Any, execution_id: str | None, workflow_component: str | None) -> Run:
        """What ``get_handle`` makes a handle of; the core is not asked."""
        decoder = None if function is None else workflow_of(function, None)[2]
        self._wire.prepare(decoder)
        return (
            text_of(instance_id, "instance_id"),
            optional_text(execution_id, "execution_id"),
            optional_text(workflow_component, "workflow_component"),
            decoder,
        )

    # Asking.

    def get_workflow(self, instance_id: str, workflow_component: str | None, payloads: bool) -> Call[WorkflowState]:
        component = optional_text(workflow_component, "workflow_component")
        return Call(self._native.get(component, text_of(instance_id, "instance_id"), bool(payloads)), self._state)

    def wait_for_workflow_start(
        self, instance_id: str, workflow_component: str | None, timeout: Duration | None, payloads: bool
    ) -> Call[WorkflowState]:
        component, id = optional_text(workflow_component, "workflow_component"), text_of(instance_id, "instance_id")
        return Call(self._native.wait_for_start(component, id, timeout_ms(timeout), bool(payloads)), self._state)

    def wait_for_workflow_completion(
        self, instance_id: str, workflow_component: str | None, timeout: Duration | None, payloads: bool
    ) -> Call[WorkflowState]:
        component, id = optional_text(workflow_component, "workflow_component"), text_of(instance_id, "instance_id")
        return Call(self._native.wait_for_completion(component, id, timeout_ms(timeout), bool(payloads)), self._state)

    def result(
        self,
        instance_id: str,
        execution_id: str | None,
        component: str | None,
        decoder: Decoder | None,
        timeout: Duration | None,
    ) -> Call[Any]:
        def read(text: str | None) -> Any:
            try:
                return self._wire.value(text, decoder)
            except DecodeError as error:
                error.instance_id = instance_id
                raise

        return Call(self._native.result(component, instance_id, execution_id, timeout_ms(timeout)), read, self._wire)

    def watch_workflow(
        self, instance_id: str, execution_id: str | None, workflow_component: str | None, payloads: bool
    ) -> Callable[[str | None], Call[tuple[WorkflowState, str] | None]]:
        """Gives what asks for the next change after the one seen; the first is asked for without one."""
        component, id = optional_text(workflow_component, "workflow_component"), text_of(instance_id, "instance_id")
        return lambda seen: Call(
            self._native.next_change(component, id, execution_id, seen, bool(payloads)), self._change
        )

    def list_workflows(self, page_size: int, payloads: bool, criteria: Criteria) -> Pages[list[WorkflowState]]:
        component, filter = _criteria(**criteria)
        if type(page_size) is not int or not 1 <= page_size <= 1000:
            raise InvalidArgumentError("page_size must be an int from 1 to 1000")
        return lambda cursor: Call(self._native.list(component, filter, cursor, page_size, bool(payloads)), self._page)

    def count_workflows(self, criteria: Criteria) -> Call[dict[RuntimeStatus, int]]:
        return Call(self._native.count(*_criteria(**criteria)), _counts)

    def get_workflow_history(
        self, instance_id: str, workflow_component: str | None, expand: int, *, blocking: bool
    ) -> Call[History]:
        """With ``blocking`` the history reads what it lacks when it is asked for it."""
        from .history import History, levels

        component, id = optional_text(workflow_component, "workflow_component"), text_of(instance_id, "instance_id")
        depth = levels(expand)

        def read(child: str, depth: int) -> History:
            return self.get_workflow_history(child, component, depth, blocking=True).wait()

        more = read if blocking else None
        return Call(self._native.history(component, id, depth), lambda native: History(native, depth, more, self._wire))

    # Controlling.

    def pause_workflow(self, instance_id: str, workflow_component: str | None, reason: str | None) -> Call[None]:
        component, id = optional_text(workflow_component, "workflow_component"), text_of(instance_id, "instance_id")
        return Call(self._native.pause(component, id, optional_text(reason, "reason")), _as_it_is)

    def resume_workflow(self, instance_id: str, workflow_component: str | None, reason: str | None) -> Call[None]:
        component, id = optional_text(workflow_component, "workflow_component"), text_of(instance_id, "instance_id")
        return Call(self._native.resume(component, id, optional_text(reason, "reason")), _as_it_is)

    def raise_workflow_event(
        self, instance_id: str, event_name: str, event_data: Any, workflow_component: str | None
    ) -> Call[None]:
        component, id = optional_text(workflow_component, "workflow_component"), text_of(instance_id, "instance_id")
        name, data = text_of(event_name, "event_name"), self._wire.text(event_data, "event_data")
        return Call(self._native.raise_event(component, id, name, data), _as_it_is)

    def terminate_workflow(
        self, instance_id: str, workflow_component: str | None, output: Any, recursive: bool
    ) -> Call[None]:
        component, id = optional_text(workflow_component, "workflow_component"), text_of(instance_id, "instance_id")
        return Call(
            self._native.terminate(component, id, self._wire.text(output, "output"), bool(recursive)), _as_it_is
        )

    def purge_workflow(self, instance_id: str, workflow_component: str | None, recursive: bool) -> Call[int]:
        component, id = optional_text(workflow_component, "workflow_component"), text_of(instance_id, "instance_id")
        return Call(self._native.purge(component, id, bool(recursive)), _as_it_is)

    # Controlling many. Each gives what asks for a slice: how many were done so far, and the cursor of the next one.

    def purge_workflows(self, criteria: Criteria) -> Pages[int]:
        return self._bulk("purge", criteria)

    def terminate_workflows(self, output: Any, recursive: bool, criteria: Criteria) -> Pages[int]:
        return self._bulk("terminate", criteria, output=self._wire.text(output, "output"), recursive=bool(recursive))

    def pause_workflows(self, reason: str | None, criteria: Criteria) -> Pages[int]:
        return self._bulk("pause", criteria, reason=optional_text(reason, "reason"))

    def resume_workflows(self, reason: str | None, criteria: Criteria) -> Pages[int]:
        return self._bulk("resume", criteria, reason=optional_text(reason, "reason"))

    def _bulk(
        self,
        action: str,
        criteria: Criteria,
        output: str | None = None,
        recursive: bool = True,
        reason: str | None = None,
    ) -> Pages[int]:
        component, filter = _criteria(**criteria)

        def slice_after(cursor: str | None) -> Call[tuple[int, str | None]]:
            return Call(self._native.bulk(component, action, filter, cursor, output, recursive, reason), _as_it_is)

        return slice_after

    # How answers are read. The models are imported with the first answer that needs them: making their classes is a
    # good part of what importing the package would take.

    def _state(self, answer: tuple[Any, ...]) -> WorkflowState:
        from .models import state_from_native

        return state_from_native(answer, self._wire)

    def _change(self, answer: tuple[tuple[Any, ...], str] | None) -> tuple[WorkflowState, str] | None:
        return None if answer is None else (self._state(answer[0]), answer[1])

    def _page(self, answer: tuple[list[tuple[Any, ...]], str | None]) -> tuple[list[WorkflowState], str | None]:
        states, cursor = answer
        return [self._state(state) for state in states], cursor


def _criteria(
    workflow_component: str | None = None,
    workflow_name: str | None = None,
    statuses: Iterable[RuntimeStatus | str] = (),
    created_from: datetime | None = None,
    created_to: datetime | None = None,
    parent_instance_id: str | None = None,
) -> tuple[str | None, Filter]:
    component = optional_text(workflow_component, "workflow_component")
    return component, filter_of(workflow_name, statuses, created_from, created_to, parent_instance_id)


def _as_it_is(answer: T) -> T:
    return answer


def _counts(answer: list[tuple[str, int]]) -> dict[RuntimeStatus, int]:
    from .models import RuntimeStatus

    counts: dict[RuntimeStatus, int] = {}
    for name, count in answer:
        # A newer version may have several statuses without a name here.
        counts[RuntimeStatus(name)] = counts.get(RuntimeStatus(name), 0) + count
    return counts
