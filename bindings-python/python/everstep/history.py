"""Histories: the events of an instance, linked with each other, and the diagram of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, ClassVar, overload

from .errors import DecodeError, FailedPreconditionError, InvalidArgumentError, NotFoundError
from .models import Failure, RuntimeStatus, failure_from_native, instant
from .wire import JSON

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from ._native import NativeHistory
    from .wire import Wire

_ASK = frozenset(("TaskScheduled", "ChildWorkflowInstanceCreated", "TimerCreated"))
_BEGIN = _ASK | {"ExecutionStarted", "ExecutionSuspended"}


@dataclass(frozen=True)
class HistoryEvent:
    """One event of an instance's history. What its kind does not have is ``None``."""

    event_id: int
    """Its ID; -1 for events that answer nothing."""
    type: str
    """Its kind in Dapr's words, for example ``TaskScheduled``."""
    timestamp: datetime | None
    attributes: Mapping[str, Any] = field(default_factory=dict)
    """What the event says; what it does not say is absent. Payloads stay text, as they are stored."""
    turn: int = 0
    """The number of the turn that it was written with, from 1."""
    duration: timedelta | None = None
    """The time between this and its counterpart: of an activity, a child, a timer, a pause, the whole run."""
    timer_use: str | None = None
    """What a timer is for: ``sleep``, ``event_timeout``, ``activity_timeout`` or ``retry``."""

    # No fields: they take no part in a comparison and stand in no copy.
    _links: ClassVar[tuple[int | None, int | None, int | None, int | None]] = (None, None, None, None)
    _history: ClassVar[History | None] = None

    def __getstate__(self) -> dict[str, Any]:
        return {key: value for key, value in vars(self).items() if not key.startswith("_")}

    @property
    def name(self) -> str | None:
        """The name of the workflow, activity, child, timer or event; an answer has that of what it answers."""
        return self.attributes.get("name")

    @property
    def instance_id(self) -> str | None:
        """The instance that was started, created or addressed; a child's answer has that of the child."""
        return self.attributes.get("instance_id")

    @property
    def raw_input(self) -> str | None:
        """The input as text: of a start, a call, an event; of a pause the reason, of a termination the output."""
        return self.attributes.get("input")

    @property
    def raw_result(self) -> str | None:
        """The result as text."""
        return self.attributes.get("result")

    @property
    def input(self) -> Any:
        """The decoded input, or ``None``; text that is no payload stays text."""
        return self._decoded(self.raw_input)

    @property
    def result(self) -> Any:
        """The decoded result, or ``None``; text that is no payload stays text."""
        return self._decoded(self.raw_result)

    @property
    def failure(self) -> Failure | None:
        """What it failed with."""
        return self.attributes.get("failure")

    @property
    def status(self) -> RuntimeStatus | None:
        """The status that the run ended with."""
        return self.attributes.get("status")

    @property
    def attempt(self) -> int | None:
        """The attempt of the call, from 1, where it is known."""
        return self.attributes.get("attempt")

    @property
    def fire_at(self) -> datetime | None:
        """When a timer is due; ``None`` too for one that never is."""
        return self.attributes.get("fire_at")

    @property
    def index(self) -> int | None:
        """Its place in the history, from 0."""
        return self._history._place(self) if self._history is not None else None

    @property
    def scheduled(self) -> HistoryEvent | None:
        """What this event answers: the call, the timer, the wait, the pause or the start."""
        return None if self.type in _BEGIN else self._at(self._links[0])

    @property
    def outcome(self) -> HistoryEvent | None:
        """The event that answers this one; ``None`` while nothing has."""
        return self._at(self._links[0]) if self.type in _BEGIN else None

    @property
    def first_attempt(self) -> HistoryEvent | None:
        """Of a further attempt, the first one."""
        return self._at(self._links[1])

    @property
    def serves(self) -> HistoryEvent | None:
        """Of a timer, the attempt that it limits or that failed before it."""
        return self._at(self._links[2])

    @property
    def is_given_up(self) -> bool:
        """Whether nobody waits any more for this timer or activity."""
        return self._links[3] is not None

    @property
    def child(self) -> History | None:
        """The history of the child that this event is about; ``None`` if there is no child, or it was purged.

        It is read when it is asked for. One that came from an ``AsyncClient`` must have been read with the history, by
        ``expand``; else this raises ``FailedPreconditionError``.
        """
        if self._history is None or self.instance_id is None or not self.type.startswith("ChildWorkflow"):
            return None
        return self._history.child(self.instance_id)

    def _at(self, place: int | None) -> HistoryEvent | None:
        return None if place is None or self._history is None else self._history[place]

    def _decoded(self, text: str | None) -> Any:
        try:
            return (JSON if self._history is None else self._history._wire).value(text)
        except DecodeError:
            return text


class History(Sequence[HistoryEvent]):
    """The events of an instance, oldest first. It is as it was when it was read."""

    __slots__ = ("__weakref__", "_depth", "_events", "_native", "_places", "_read", "_wire")

    def __init__(
        self, native: NativeHistory, depth: int, read: Callable[[str, int], History] | None, wire: Wire = JSON
    ) -> None:
        self._native = native
        self._depth = depth
        self._read = read
        self._wire = wire
        self._events: list[HistoryEvent] | None = None
        self._places: dict[int, int] | None = None

    @property
    def instance_id(self) -> str:
        """The instance."""
        return self._native.instance_id

    @property
    def calls(self) -> list[HistoryEvent]:
        """Every attempt of an activity or a child."""
        return [event for event in self if event.type in ("TaskScheduled", "ChildWorkflowInstanceCreated")]

    @property
    def failures(self) -> list[HistoryEvent]:
        """Every event that says what failed."""
        return [event for event in self if event.failure is not None]

    @property
    def child_ids(self) -> list[str]:
        """The instance IDs of the children that it started."""
        return self._native.child_ids()

    def events_of(self, *types: str) -> list[HistoryEvent]:
        """The events of these kinds."""
        return [event for event in self if event.type in types]

    def child(self, instance_id: str) -> History | None:
        """The history of one of its children. See ``HistoryEvent.child``."""
        native = self._native.child(instance_id)
        if native is not None:
            return History(native, max(self._depth - 1, 0), self._read, self._wire)
        if instance_id not in self.child_ids:
            return None
        if self._read is None:
            if self._depth > 0:
                return None
            raise FailedPreconditionError(
                f"the history of {instance_id!r} was not read; read it with its parent's, by expand=1, or on its own"
            )
        try:
            found = self._read(instance_id, 0)
        except NotFoundError:
            return None
        return found if found._is_child_of(self.instance_id) else None

    def to_mermaid(self, *, expand: int = 0, max_lines: int = 400, max_text: int = 60, payloads: bool = True) -> str:
        """Draws it as a Mermaid sequence diagram, which notebooks, GitHub and many editors show.

        ``expand`` is how many levels of children are drawn. They are read where they were not read with the history;
        with an ``AsyncClient`` only those that were. A diagram has at most ``max_lines`` lines (40 at least) and says
        what it leaves out; payloads and messages have at most ``max_text`` characters each.
        """
        expand = levels(expand)
        for value, name in ((max_lines, "max_lines"), (max_text, "max_text")):
            if type(value) is not int or not 1 <= value < 2**31:
                raise InvalidArgumentError(f"{name} must be an int of at least 1")
        drawn = self
        if expand > self._depth and self._read is not None and self.child_ids:
            drawn = self._read(self.instance_id, expand)
        return drawn._native.mermaid(expand, max_lines, max_text, bool(payloads))

    @overload
    def __getitem__(self, index: int) -> HistoryEvent: ...
    @overload
    def __getitem__(self, index: slice) -> list[HistoryEvent]: ...
    def __getitem__(self, index: int | slice) -> HistoryEvent | list[HistoryEvent]:
        return self._all()[index]

    def __len__(self) -> int:
        return len(self._all())

    def __iter__(self) -> Iterator[HistoryEvent]:
        return iter(self._all())

    def __eq__(self, other: object) -> bool:
        return self._all() == other._all() if isinstance(other, History) else NotImplemented

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"<everstep.History {self.instance_id!r}, {len(self)} events>"

    def _repr_html_(self) -> str:
        from .display import history_html

        return history_html(self)

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:
        from .display import bundle

        return bundle(self, self._repr_html_(), self.to_mermaid(expand=self._depth))

    def _all(self) -> list[HistoryEvent]:
        if self._events is None:
            self._events = [self._event(values) for values in self._native.events()]
        return self._events

    def _event(self, values: tuple[int, str, int | None, dict[str, Any], tuple[Any, ...]]) -> HistoryEvent:
        event_id, kind, timestamp, attributes, links = values
        turn, counterpart, duration, first, use, serves, given_up = links
        if "failure" in attributes:
            attributes["failure"] = failure_from_native(attributes["failure"], self._wire)
        if "status" in attributes:
            attributes["status"] = RuntimeStatus(attributes["status"])
        for key in ("fire_at", "start_at"):
            if key in attributes:
                attributes[key] = instant(attributes[key])
        event = HistoryEvent(
            event_id,
            kind,
            instant(timestamp),
            attributes,
            turn,
            None if duration is None else timedelta(microseconds=duration),
            use,
        )
        object.__setattr__(event, "_links", (counterpart, first, serves, given_up))
        object.__setattr__(event, "_history", self)
        return event

    def _place(self, event: HistoryEvent) -> int | None:
        if self._places is None:
            self._places = {id(event): place for place, event in enumerate(self._all())}
        return self._places.get(id(event))

    def _is_child_of(self, instance_id: str) -> bool:
        started = next((event for event in self if event.type == "ExecutionStarted"), None)
        return started is not None and started.attributes.get("parent_instance_id") == instance_id


def levels(expand: int) -> int:
    """How many levels of children are meant."""
    if type(expand) is not int or not 0 <= expand < 2**31:
        raise InvalidArgumentError("expand must be an int of at least 0: how many levels of children")
    return expand
