"""What a workflow function works with."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar, overload

from .durations import milliseconds
from .errors import ContinueAsNew, InvalidArgumentError
from .fanout import FanOut
from .functions import ATTRIBUTE, definition_of
from .options import app_field, name_of, retry_fields, version_field
from .payload import ABSENT, encode_text

if TYPE_CHECKING:
    import logging
    import random
    from collections.abc import Callable, Coroutine, Generator, Mapping
    from uuid import UUID

    from ._host.futures import DurableFuture
    from ._host.logger import WorkflowLogger
    from ._host.loop import WorkflowLoop
    from ._host.random import WorkflowRandom, WorkflowUuids
    from .activities import ActivityContext
    from .durations import Duration
    from .retry import Retry

I = TypeVar("I")  # noqa: E741
R = TypeVar("R")


class WorkflowContext(FanOut):
    """What a workflow asks for, and what it may know.

    Whatever is asked for is asked for when it is called, in the order of the calls; the futures that come back may be
    awaited at any time, by ``await``, by ``yield`` in a generator, and by everything of asyncio that waits.
    """

    __slots__ = ("_execution_id", "_instance_id", "_logger", "_patches", "_random", "_start", "_uuids")

    def __init__(self, loop: WorkflowLoop, task: Mapping[str, Any], start: Mapping[str, Any]) -> None:
        super().__init__(loop)
        self._instance_id: str = task["id"]
        self._execution_id: str = task["run"]
        self._start = start
        self._random: WorkflowRandom | None = None
        self._uuids: WorkflowUuids | None = None
        self._logger: WorkflowLogger | None = None
        self._patches: dict[str, bool] | None = None

    # What the workflow asks for.

    @overload
    def call(
        self,
        function: Callable[[WorkflowContext, I], Coroutine[Any, Any, R]],
        input: I,
        *,
        instance_id: str | None = None,
        retry: Retry | None = None,
        app_id: str | None = None,
    ) -> DurableFuture[R]: ...
    @overload
    def call(
        self,
        function: Callable[[WorkflowContext, I], Generator[Any, Any, R]],
        input: I,
        *,
        instance_id: str | None = None,
        retry: Retry | None = None,
        app_id: str | None = None,
    ) -> DurableFuture[R]: ...
    @overload
    def call(
        self,
        function: Callable[[WorkflowContext], Coroutine[Any, Any, R]],
        *,
        instance_id: str | None = None,
        retry: Retry | None = None,
        app_id: str | None = None,
    ) -> DurableFuture[R]: ...
    @overload
    def call(
        self,
        function: Callable[[WorkflowContext], Generator[Any, Any, R]],
        *,
        instance_id: str | None = None,
        retry: Retry | None = None,
        app_id: str | None = None,
    ) -> DurableFuture[R]: ...
    @overload
    def call(
        self,
        function: Callable[[ActivityContext, I], Coroutine[Any, Any, R]],
        input: I,
        *,
        timeout: Duration | None = None,
        retry: Retry | None = None,
        app_id: str | None = None,
    ) -> DurableFuture[R]: ...
    @overload
    def call(
        self,
        function: Callable[[ActivityContext, I], R],
        input: I,
        *,
        timeout: Duration | None = None,
        retry: Retry | None = None,
        app_id: str | None = None,
    ) -> DurableFuture[R]: ...
    @overload
    def call(
        self,
        function: Callable[[ActivityContext], Coroutine[Any, Any, R]],
        *,
        timeout: Duration | None = None,
        retry: Retry | None = None,
        app_id: str | None = None,
    ) -> DurableFuture[R]: ...
    @overload
    def call(
        self,
        function: Callable[[ActivityContext], R],
        *,
        timeout: Duration | None = None,
        retry: Retry | None = None,
        app_id: str | None = None,
    ) -> DurableFuture[R]: ...
    @overload
    def call(
        self,
        function: Callable[[I], Coroutine[Any, Any, R]],
        input: I,
        *,
        timeout: Duration | None = None,
        retry: Retry | None = None,
        app_id: str | None = None,
    ) -> DurableFuture[R]: ...
    @overload
    def call(
        self,
        function: Callable[[I], R],
        input: I,
        *,
        timeout: Duration | None = None,
        retry: Retry | None = None,
        app_id: str | None = None,
    ) -> DurableFuture[R]: ...
    @overload
    def call(
        self,
        function: Callable[[], Coroutine[Any, Any, R]],
        *,
        timeout: Duration | None = None,
        retry: Retry | None = None,
        app_id: str | None = None,
    ) -> DurableFuture[R]: ...
    @overload
    def call(
        self,
        function: Callable[[], R],
        *,
        timeout: Duration | None = None,
        retry: Retry | None = None,
        app_id: str | None = None,
    ) -> DurableFuture[R]: ...
    def call(
        self,
        function: Callable[..., Any],
        input: Any = ABSENT,
        *,
        timeout: Duration | None = None,
        instance_id: str | None = None,
        retry: Retry | None = None,
        app_id: str | None = None,
    ) -> DurableFuture[Any]:
        """Runs an activity or a child workflow, whichever the decorated function is, and gives its output.

        ``timeout`` limits one attempt of an activity; ``retry`` says how often and when it is tried again. A child
        without ``instance_id`` gets one that derives from its parent's; one whose function has a version runs that. The
        future raises ``ActivityError``, ``ChildWorkflowError`` or ``WaitTimeout``.
        """
        definition = getattr(function, ATTRIBUTE, None) or definition_of(function)
        decoder = (definition.types or definition.resolve())[1]
        if definition.kind == "activity":
            if instance_id is not None:
                raise InvalidArgumentError("instance_id is for child workflows; an activity has none")
            return self._activity(definition.name, definition.quoted, decoder, input, timeout, retry, app_id)
        if timeout is not None:
            raise InvalidArgumentError("timeout is for activities; use asyncio.timeout() around a child workflow")
        return self._child(definition.name, definition.pinned, decoder, input, instance_id, retry, app_id)

    @overload
    def call_activity(
        self,
        name: str,
        input: Any = ...,
        *,
        returns: type[R],
        timeout: Duration | None = None,
        retry: Retry | None = None,
        app_id: str | None = None,
    ) -> DurableFuture[R]: ...
    @overload
    def call_activity(
        self,
        name: str,
        input: Any = ...,
        *,
        timeout: Duration | None = None,
        retry: Retry | None = None,
        app_id: str | None = None,
    ) -> DurableFuture[Any]: ...
    def call_activity(
        self,
        name: str,
        input: Any = ABSENT,
        *,
        returns: Any = Any,
        timeout: Duration | None = None,
        retry: Retry | None = None,
        app_id: str | None = None,
    ) -> DurableFuture[Any]:
        """Runs an activity by its registered name; its output is decoded as ``returns``. See ``call``."""
        decoder = self._loop.wire.decoder(returns)
        return self._activity(name_of(name, "name"), encode_text(name), decoder, input, timeout, retry, app_id)

    @overload
    def call_child(
        self,
        name: str,
        input: Any = ...,
        *,
        returns: type[R],
        version: str | None = None,
        instance_id: str | None = None,
        retry: Retry | None = None,
        app_id: str | None = None,
    ) -> DurableFuture[R]: ...
    @overload
    def call_child(
        self,
        name: str,
        input: Any = ...,
        *,
        version: str | None = None,
        instance_id: str | None = None,
        retry: Retry | None = None,
        app_id: str | None = None,
    ) -> DurableFuture[Any]: ...
    def call_child(
        self,
        name: str,
        input: Any = ABSENT,
        *,
        returns: Any = Any,
        version: str | None = None,
        instance_id: str | None = None,
        retry: Retry | None = None,
        app_id: str | None = None,
    ) -> DurableFuture[Any]:
        """Runs a child workflow by its registered name, in its latest version unless ``version`` names one.

        Its output is decoded as ``returns``. See ``call``.
        """
        decoder = self._loop.wire.decoder(returns)
        quoted = encode_text(name_of(name, "name")) + version_field(version)
        return self._child(name, quoted, decoder, input, instance_id, retry, app_id)

    @overload
    def start_child(
        self,
        function: Callable[[WorkflowContext, I], Coroutine[Any, Any, Any]],
        input: I,
        *,
        instance_id: str | None = None,
        app_id: str | None = None,
    ) -> None: ...
    @overload
    def start_child(
        self,
        function: Callable[[WorkflowContext, I], Generator[Any, Any, Any]],
        input: I,
        *,
        instance_id: str | None = None,
        app_id: str | None = None,
    ) -> None: ...
    @overload
    def start_child(
        self,
        function: Callable[[WorkflowContext], Coroutine[Any, Any, Any] | Generator[Any, Any, Any]],
        *,
        instance_id: str | None = None,
        app_id: str | None = None,
    ) -> None: ...
    @overload
    def start_child(
        self,
        function: str,
        input: Any = ...,
        *,
        version: str | None = None,
        instance_id: str | None = None,
        app_id: str | None = None,
    ) -> None: ...
    def start_child(
        self,
        function: Any,
        input: Any = ABSENT,
        *,
        version: str | None = None,
        instance_id: str | None = None,
        app_id: str | None = None,
    ) -> None:
        """Starts a workflow on its own: it outlives this one, and its result goes nowhere.

        Without ``instance_id`` it gets one that derives from this instance's; give one to know it. A function runs in
        its version, a name in the latest one unless ``version`` names another.
        """
        self._loop.check()
        if isinstance(function, str):
            quoted = encode_text(name_of(function, "function")) + version_field(version)
        else:
            definition = definition_of(function)
            if version is not None:
                raise InvalidArgumentError("version is for a workflow given by its name; a function has its own")
            if definition.kind != "workflow":
                raise InvalidArgumentError(f"start_child takes a workflow; {definition.name} is an activity")
            quoted = definition.pinned
        fields = f',"name":{quoted}{self._loop.payload("input", input)}'
        if instance_id is not None:
            fields += f',"id":{encode_text(name_of(instance_id, "instance_id"))}'
        self._loop.tell("child", f'{fields},"detached":true{app_field(app_id)}', numbered=True)

    def sleep(self, duration: Duration) -> DurableFuture[None]:
        """Waits this long, in seconds or as a ``timedelta``. It costs nothing, however long."""
        return self.create_timer(duration)

    def create_timer(self, due: Duration | datetime) -> DurableFuture[None]:
        """Waits this long, or until a time; one without a zone is UTC."""
        self._loop.check()
        if isinstance(due, datetime):
            moment = due if due.tzinfo is not None else due.replace(tzinfo=timezone.utc)
            fields = f',"at_ms":{-int(-moment.timestamp() * 1000 // 1)}'
        else:
            fields = f',"after_ms":{milliseconds(due, "duration")}'
        return self._loop.ask("timer", "timer", fields, None)

    @overload
    def wait_for_event(self, name: str, type: type[R], *, timeout: Duration | None = None) -> DurableFuture[R]: ...
    @overload
    def wait_for_event(self, name: str, *, timeout: Duration | None = None) -> DurableFuture[Any]: ...
    def wait_for_event(self, name: str, type: Any = Any, *, timeout: Duration | None = None) -> DurableFuture[Any]:
        """Waits for an event of this name, compared without ASCII case, and gives its data decoded as ``type``.

        Events of one name are taken first in, first out, also those that came before the wait. With a timeout the
        future raises ``WaitTimeout``. A wait that was cancelled takes no event.
        """
        self._loop.check()
        fields = f',"name":{encode_text(name_of(name, "name"))}'
        if timeout is not None:
            fields += f',"timeout_ms":{milliseconds(timeout, "timeout")}'
        return self._loop.ask("event", name, fields, self._loop.wire.decoder(type))

    def send_event(self, instance_id: str, event_name: str, event_data: Any = ABSENT) -> None:
        """Raises an event at another instance."""
        self._loop.check()
        fields = f',"id":{encode_text(name_of(instance_id, "instance_id"))}'
        fields += f',"name":{encode_text(name_of(event_name, "event_name"))}{self._loop.payload("data", event_data)}'
        self._loop.tell("send", fields)

    def set_custom_status(self, status: Any) -> None:
        """Says something of the workflow for those who ask for its state; it is encoded as JSON."""
        self._loop.check()
        self._loop.tell("status", self._loop.payload("status", status))

    def continue_as_new(self, input: Any = ABSENT, *, keep_events: bool = True) -> NoReturn:
        """Ends this run and begins the next with a new input and an empty history.

        It does not return: it leaves the function by an exception that no ``except Exception`` catches. Events that
        nobody took go with it, unless ``keep_events`` is false.
        """
        self._loop.check()
        fields = self._loop.payload("input", input)
        keep = "true" if keep_events else "false"
        self._loop.continuation = f'{{"kind":"continue"{fields},"keep_events":{keep}}}'
        raise ContinueAsNew

    # What the workflow may know.

    @property
    def instance_id(self) -> str:
        """The instance ID."""
        return self._instance_id

    @property
    def execution_id(self) -> str:
        """The run's execution ID; it changes with ``continue_as_new``."""
        return self._execution_id

    @property
    def workflow_name(self) -> str:
        """The registered name."""
        name: str = self._start["name"]
        return name

    @property
    def version(self) -> str | None:
        """The named version that runs, if it is one."""
        version: str | None = self._start.get("version")
        return version

    @property
    def parent_instance_id(self) -> str | None:
        """The instance that started this one, if one did."""
        parent: dict[str, str] | None = self._start.get("parent")
        return parent["id"] if parent else None

    @property
    def tags(self) -> Mapping[str, str]:
        """The labels of the start."""
        tags: dict[str, str] = self._start.get("tags") or {}
        return dict(tags)

    @property
    def is_replaying(self) -> bool:
        """Whether this turn is one of the past, run again to rebuild the workflow's state."""
        return self._loop.replaying

    def now(self) -> datetime:
        """The turn's time in UTC, the same at every replay."""
        from .models import instant

        moment = instant(self._loop.now * 1000)
        assert moment is not None, "engine time is within the calendar"
        return moment

    @property
    def random(self) -> random.Random:
        """Random numbers, the same at every replay."""
        if self._random is None:
            from ._host.random import WorkflowRandom

            self._random = WorkflowRandom(int(self._start["seed"]))
        return self._random

    def uuid(self) -> UUID:
        """A UUID that is the same at every replay."""
        if self._uuids is None:
            from ._host.random import WorkflowUuids

            self._uuids = WorkflowUuids(self._execution_id)
        return self._uuids.next()

    @property
    def logger(self) -> logging.LoggerAdapter[logging.Logger]:
        """A logger named ``everstep.workflow`` that is silent while replaying."""
        if self._logger is None:
            from ._host.logger import WorkflowLogger

            self._logger = WorkflowLogger(self._loop, self._instance_id, self._start["name"])
        return self._logger

    def is_patched(self, name: str) -> bool:
        """Whether this run takes a changed path of the code: one that passed this place before the change does not.

        The first answer for a name holds for the whole run. Code must go on asking until the runs that took the patch
        have ended, if only to ignore the answer: without it they stall.
        """
        self._loop.check()
        if self._patches is None:
            self._patches = {}
        answer = self._patches.get(name_of(name, "name"))
        if answer is None:
            answer = self._patches[name] = name in self._loop.patches or not self._loop.replaying
            if answer:
                self._loop.tell("patch", f',"name":{encode_text(name)}')
        return answer

    # Shared by name and by function.

    def _activity(
        self,
        name: str,
        quoted: str,
        decoder: Any,
        input: Any,
        timeout: Duration | None,
        retry: Retry | None,
        app_id: str | None,
    ) -> DurableFuture[Any]:
        loop = self._loop
        if not loop.stepping:
            loop.check()
        fields = f',"name":{quoted}{loop.payload("input", input)}'
        if retry is not None:
            fields += retry_fields(retry)
        if timeout is not None:
            fields += f',"timeout_ms":{milliseconds(timeout, "timeout")}'
        if app_id is not None:
            fields += app_field(app_id)
        return loop.ask("activity", name, fields, decoder)

    def _child(
        self,
        name: str,
        quoted: str,
        decoder: Any,
        input: Any,
        instance_id: str | None,
        retry: Retry | None,
        app_id: str | None,
    ) -> DurableFuture[Any]:
        loop = self._loop
        loop.check()
        fields = f',"name":{quoted}{loop.payload("input", input)}'
        if instance_id is not None:
            fields += f',"id":{encode_text(name_of(instance_id, "instance_id"))}'
        if retry is not None:
            fields += retry_fields(retry)
        return loop.ask("child", name, fields + app_field(app_id), decoder)
