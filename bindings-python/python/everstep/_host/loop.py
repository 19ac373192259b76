"""The event loop of one workflow instance.

It has no I/O and no clock. It runs what is ready, first in first out, until every path waits for something that only a
job of the core can bring; what the function asked for meanwhile are the step's commands. ``asyncio.gather``, ``sleep``,
``timeout``, ``wait_for``, ``wait``, ``TaskGroup``, ``Event`` and ``Lock`` work on it and are durable. Everything else
of a loop raises ``NonDurableError``. The order in which callbacks run is part of the stored contract: histories are
replayed against it.
"""

from __future__ import annotations

import asyncio
from asyncio import AbstractEventLoop, CancelledError, Future
from asyncio.tasks import _enter_task, _leave_task
from collections import deque
from collections.abc import Callable
from contextvars import Context, copy_context
from typing import TYPE_CHECKING, Any
from weakref import WeakSet

from ..durations import milliseconds
from ..errors import ContinueAsNew, InvalidArgumentError, NonDurableError, WorkflowBlocked, WorkflowEvicted
from ..payload import ABSENT
from ..wire import JSON, Wire
from .failures import error_text, exception_of, stack_of
from .futures import DurableFuture, Timer
from .groups import awaiting, gather

if TYPE_CHECKING:
    from collections.abc import Coroutine, Generator

    from ..payload import Decoder

    Main = Coroutine[Any, Any, Any] | Generator[Any, Any, Any]

_set_running_loop = asyncio._set_running_loop


class Stall(Exception):
    """Why a turn cannot go on until the program is changed."""

    def __init__(self, code: str, message: str, stack: str | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.stack = stack


class Handle:
    """A callback that is ready to run."""

    __slots__ = ("args", "callback", "context", "dropped")

    def __init__(self, callback: Callable[..., Any], args: tuple[Any, ...], context: Context) -> None:
        self.callback = callback
        self.args = args
        self.context = context
        self.dropped = False

    def cancel(self) -> None:
        self.dropped = True

    def cancelled(self) -> bool:
        return self.dropped


class MainTask:
    """What stands for the workflow function where asyncio asks for the current task."""

    __slots__ = ("_loop", "_requests", "message", "must_cancel")

    def __init__(self, loop: WorkflowLoop) -> None:
        self._loop = loop
        self._requests = 0
        self.must_cancel = False
        self.message: Any = None

    def cancel(self, msg: Any = None) -> bool:
        loop = self._loop
        if not loop.alive:
            return False
        self._requests += 1
        if loop.waiting is None or not loop.waiting.cancel(msg):
            self.must_cancel = True
            self.message = msg
        return True

    def cancelling(self) -> int:
        return self._requests

    def uncancel(self) -> int:
        if self._requests > 0:
            self._requests -= 1
            if self._requests == 0:
                self.must_cancel = False
        return self._requests

    def get_loop(self) -> WorkflowLoop:
        return self._loop

    def get_name(self) -> str:
        return "workflow"

    def done(self) -> bool:
        return not self._loop.alive


class WorkflowLoop(AbstractEventLoop):
    """One instance: its loop, what it waits for, and what it asked for in this step."""

    def __init__(self, wire: Wire = JSON) -> None:
        self.wire = wire
        self.now = 0
        self.replaying = False
        self.patches: list[str] = []
        self.alive = True
        self.at_work = False
        self.stepping = False
        self.stall: Stall | None = None
        self.waiting: Future[Any] | None = None
        self.continuation: str | None = None
        self._commands: list[str] = []
        self._ready: deque[Handle] = deque()
        self._open: dict[int, DurableFuture[Any] | Timer] = {}
        self._refs = 0
        self._task = MainTask(self)
        self._tasks: WeakSet[asyncio.Task[Any]] | None = None
        self._tasks_made = 0
        self._context = copy_context()
        self._main: Main | None = None
        self._generator = False

    # What the host does.

    def begin(self, main: Main, generator: bool) -> None:
        """Takes the function's coroutine or generator; it runs with the next ``drain``."""
        self.at_work = True
        self._main = main
        self._generator = generator
        self._ready.append(Handle(self._step, (), self._context))

    def refuse(self, error: Exception) -> None:
        """Fails the run before its function has run."""
        self._fail(error)

    def done(self, job: dict[str, Any]) -> None:
        """What was asked for is there."""
        asked = self._open.pop(job["ref"], None)
        if asked is None:
            return
        if type(asked) is Timer:
            asked.fire()
            return
        future: DurableFuture[Any] = asked  # type: ignore[assignment]
        try:
            value = self.wire.take(job, "value", future.decoder)
            if value is ABSENT:
                value = self.wire.absent(future.decoder)
        except ValueError as error:
            future.set_exception(error)
        else:
            future.set_result(value)

    def failed(self, job: dict[str, Any]) -> None:
        """What was asked for has failed, timed out or was cancelled."""
        asked = self._open.pop(job["ref"], None)
        if asked is None or type(asked) is Timer:
            return
        future: DurableFuture[Any] = asked  # type: ignore[assignment]
        error = job["error"]
        if error.get("code") == "cancelled":
            future.cancel()
        else:
            future.set_exception(exception_of(error, future.kind, future.name, self.wire.reveal))

    def drain(self) -> str:
        """Runs until every path waits; gives the step's commands. Raises ``Stall``."""
        ready = self._ready
        self.stepping = True
        _set_running_loop(self)
        try:
            while ready:
                handle = ready.popleft()
                if not handle.dropped:
                    try:
                        handle.context.run(handle.callback, *handle.args)
                    except Exception as error:
                        self._log(error)
        finally:
            _set_running_loop(None)
            self.stepping = False
        if self.stall is not None:
            raise self.stall
        if not self.alive:
            self.close()
        elif not self._open:
            raise Stall(
                "non_durable",
                f"the workflow waits for {self.waiting!r}, which nothing durable can bring; wait for activities,"
                " timers, events or child workflows",
            )
        commands = self._commands
        if not commands:
            return "[]"
        self._commands = []
        return f"[{','.join(commands)}]"

    def close(self) -> None:
        """Closes whatever is suspended, so that ``finally`` blocks run; the context answers nothing any more."""
        self.alive = self.at_work = False
        self._ready.clear()
        self._open.clear()
        closing: list[Any] = [] if self._main is None else [self._main]
        self._main = None
        if self._tasks is not None:
            closing += [task.get_coro() for task in self._tasks if not task.done()]
        if not closing:
            return
        _set_running_loop(self)
        try:
            for suspended in closing:
                try:
                    self._context.run(suspended.close)
                except WorkflowBlocked:
                    raise
                except BaseException:
                    # A `finally` that waits or fails cannot be heard any more.
                    continue
        finally:
            _set_running_loop(None)
            self._ready.clear()

    # What the context does.

    def check(self) -> None:
        """Refuses what is asked outside a turn."""
        if not self.alive:
            raise WorkflowEvicted("the workflow instance has left this worker")
        if not self.stepping:
            raise self.not_durable("the workflow's context was used outside the workflow's turn, perhaps by a thread")

    def not_durable(self, message: str) -> NonDurableError:
        """Remembers that the turn must stall, even if the function swallows the error."""
        error = NonDurableError(message)
        if self.stall is None:
            import traceback

            stack = "".join(traceback.format_stack(limit=32)[:-1])
            self.stall = Stall("non_durable", message, stack)
        return error

    def payload(self, key: str, value: Any) -> str:
        """A payload member of a command. One that cannot be encoded stalls the turn."""
        try:
            return self.wire.member(key, value, key)
        except InvalidArgumentError as error:
            if self.stall is None:
                self.stall = Stall("encode_failed", error.message, stack_of(error))
            raise

    def ask(self, kind: str, name: str, fields: str, decoder: Decoder | None) -> DurableFuture[Any]:
        """Asks for something that a job will answer."""
        self._refs = ref = self._refs + 1
        self._commands.append(f'{{"kind":"{kind}","ref":{ref}{fields}}}')
        future: DurableFuture[Any] = DurableFuture(loop=self)
        future.loop = self
        future.ref = ref
        future.kind = kind
        future.name = name
        future.decoder = decoder
        self._open[ref] = future
        return future

    def tell(self, kind: str, fields: str, numbered: bool = False) -> None:
        """Asks for something that no job answers."""
        if numbered:
            self._refs += 1
            fields = f',"ref":{self._refs}{fields}'
        self._commands.append(f'{{"kind":"{kind}"{fields}}}')

    def abandon(self, ref: int) -> None:
        """Gives up what was asked for."""
        if self._open.pop(ref, None) is not None and self.alive:
            self._commands.append(f'{{"kind":"cancel","ref":{ref}}}')

    # The workflow function.

    def _step(self, waited: Future[Any] | None = None) -> None:
        main = self._main
        if main is None:
            return
        self.waiting = None
        task = self._task
        error: BaseException | None = None
        value = None
        if task.must_cancel:
            task.must_cancel = False
            error = CancelledError() if task.message is None else CancelledError(task.message)
        elif waited is not None and self._generator:
            try:
                value = waited.result()
            except BaseException as failed:
                error = failed
        _enter_task(self, task)  # type: ignore[arg-type]
        try:
            outcome = main.send(value) if error is None else main.throw(error)
        except StopIteration as stop:
            self._complete(stop.value)
        except ContinueAsNew:
            self._complete(None)
        except WorkflowBlocked:
            raise
        except BaseException as failed:
            self._fail(failed)
        else:
            self._wait(outcome)
        finally:
            _leave_task(self, task)  # type: ignore[arg-type]

    def _wait(self, outcome: Any) -> None:
        if self._generator:
            outcome = self._awaited(outcome)
        if outcome is None:
            self._ready.append(Handle(self._step, (), self._context))
            return
        blocking = getattr(outcome, "_asyncio_future_blocking", None)
        if blocking is None or not (blocking or self._generator) or outcome.get_loop() is not self:
            self.not_durable(
                f"the workflow awaits {type(outcome).__module__}.{type(outcome).__qualname__}, which belongs to another"
                " loop or to none; do such work in an activity"
            )
            return
        outcome._asyncio_future_blocking = False
        self.waiting = outcome
        outcome.add_done_callback(self._step, context=self._context)
        if self._task.must_cancel and outcome.cancel(self._task.message):
            self._task.must_cancel = False

    def _awaited(self, yielded: Any) -> Any:
        """The future that a generator's ``yield`` waits for."""
        if yielded is None or isinstance(yielded, Future):
            return yielded
        if isinstance(yielded, (list, tuple)):
            return gather(self, yielded, list)
        if hasattr(yielded, "__await__"):
            return self.create_task(awaiting(yielded))
        return yielded

    def _complete(self, value: Any) -> None:
        if self.continuation is not None:
            self._commands.append(self.continuation)
        else:
            try:
                self.tell("complete", self.payload("output", value))
            except InvalidArgumentError:
                return
        self._finish()

    def _fail(self, error: BaseException) -> None:
        self._commands.append(f'{{"kind":"fail","error":{error_text(error, self.wire.conceal)}}}')
        self._finish()

    def _finish(self) -> None:
        self._main = None
        self.alive = self.at_work = False
        self._ready.clear()

    # What asyncio does.

    def call_soon(self, callback: Any, *args: Any, context: Context | None = None) -> Any:  # type: ignore[override]
        handle = Handle(callback, args, context if context is not None else copy_context())
        if self.alive:
            self._ready.append(handle)
        return handle

    def time(self) -> float:
        return self.now / 1000

    def call_later(  # type: ignore[override]
        self, delay: Any, callback: Any, *args: Any, context: Context | None = None
    ) -> Any:
        return self._timer(self.time() + delay, delay, callback, args, context)

    def call_at(  # type: ignore[override]
        self, when: Any, callback: Any, *args: Any, context: Context | None = None
    ) -> Any:
        return self._timer(when, when - self.time(), callback, args, context)

    def _timer(self, when: float, delay: float, callback: Any, args: Any, context: Context | None) -> Timer:
        self.check()
        context = context if context is not None else copy_context()
        if delay <= 0:
            timer = Timer(self, when, 0, callback, args, context)
            timer.fire()
            return timer
        after = milliseconds(delay, "delay")
        self._refs = ref = self._refs + 1
        timer = Timer(self, when, ref, callback, args, context)
        self._open[ref] = timer
        self._commands.append(f'{{"kind":"timer","ref":{ref},"after_ms":{after}}}')
        return timer

    def create_future(self) -> Future[Any]:
        return Future(loop=self)

    def create_task(self, coro: Any, **options: Any) -> Any:
        self._tasks_made += 1
        if options.get("name") is None:
            options["name"] = f"Task-{self._tasks_made}"
        if options.get("context", ABSENT) is None:
            del options["context"]
        task: asyncio.Task[Any] = asyncio.Task(coro, loop=self, **options)
        if self._tasks is None:
            self._tasks = WeakSet()
        self._tasks.add(task)
        return task

    def get_task_factory(self) -> None:
        return None

    def get_debug(self) -> bool:
        return False

    def is_running(self) -> bool:
        return self.stepping

    def is_closed(self) -> bool:
        return not self.alive

    def call_exception_handler(self, context: dict[str, Any]) -> None:
        # Garbage collection calls this for failures that nobody awaited, which is allowed here.
        return

    def _log(self, error: Exception) -> None:
        if not self.replaying and not isinstance(error, NonDurableError):
            import logging

            logging.getLogger("everstep.workflow").warning("a callback of a workflow failed", exc_info=error)


def _non_durable(name: str) -> Callable[..., Any]:
    def refuse(self: WorkflowLoop, *_args: Any, **_options: Any) -> Any:
        raise self.not_durable(f"a workflow cannot use the event loop's {name}; do such work in an activity")

    return refuse


for _name in dir(AbstractEventLoop):
    if not _name.startswith("_") and _name not in WorkflowLoop.__dict__:
        setattr(WorkflowLoop, _name, _non_durable(_name))
