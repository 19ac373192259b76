"""Runs activities: sync ones on a pool of threads, async ones on an event loop of their own."""

from __future__ import annotations

import asyncio
import threading
from queue import SimpleQueue
from time import monotonic
from typing import TYPE_CHECKING, Any

from ..activities import ActivityContext, current
from ..errors import ActivityNotRegisteredError, InvalidArgumentError
from ..functions import Definition, definition_of
from ..payload import ABSENT
from ..wire import JSON, Wire
from .failures import error_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    Task = dict[str, Any]

SHORT = 0.001
"""A run of at most this many seconds is short: several of them may share one hand-over to a thread."""
LONG = 0.005
"""After a run of more than this many seconds no more is taken than there are free threads."""
MOST_IN_CHUNK = 16


class Activities:
    """The activities of a worker, by name."""

    def __init__(self, functions: Iterable[object], wire: Wire = JSON) -> None:
        self._by_name: dict[str, Definition] = {}
        for function in functions:
            definition = definition_of(function, "activities")
            if definition.kind != "activity":
                raise InvalidArgumentError(f"{definition.name} is a workflow; give it in workflows")
            if definition.name in self._by_name:
                raise InvalidArgumentError(f"activity {definition.name!r} is given twice")
            wire.prepare(*definition.resolve())
            self._by_name[definition.name] = definition

    @property
    def names(self) -> list[str]:
        return list(self._by_name)

    @property
    def any_async(self) -> bool:
        return any(definition.is_async for definition in self._by_name.values())

    @property
    def any_sync(self) -> bool:
        return any(not definition.is_async for definition in self._by_name.values())

    def find(self, task: Task) -> Definition | None:
        return self._by_name.get(task["name"])


def prepare(definition: Definition, task: Task, context: ActivityContext, wire: Wire) -> tuple[Any, ...]:
    """The arguments of a call. Raises ``DecodeError``."""
    arguments: tuple[Any, ...] = (context,) if definition.takes_context else ()
    if definition.has_input:
        value = wire.take(task, "input", definition.input)
        if value is not ABSENT:
            return (*arguments, value)
        if not definition.function.__defaults__:
            return (*arguments, wire.absent(definition.input))
    return arguments


def value_answer(task: Task, value: Any, wire: Wire) -> str:
    """The answer to a task whose function returned."""
    try:
        return f'{{"t":"{task["t"]}"{wire.member("value", value, "the output")}}}'
    except InvalidArgumentError as error:
        # To run it again would do all that it does once more, and end here.
        return error_answer(task, error, wire, final=True)


def error_answer(task: Task, error: BaseException, wire: Wire, final: bool = False) -> str:
    """The answer to a task whose function raised."""
    return f'{{"t":"{task["t"]}","error":{error_text(error, wire.conceal, final=final)}}}'


class ActivityHost:
    """Takes tasks from the poll thread, runs them, and completes each as soon as it is done."""

    def __init__(
        self,
        activities: Activities,
        threads: int,
        slots: int,
        complete: Callable[[str], None],
        wire: Wire = JSON,
    ) -> None:
        self._activities = activities
        self._wire = wire
        self._complete = complete
        self._most_threads = threads
        self._slots = slots
        self._queue: SimpleQueue[list[tuple[Definition, Task, ActivityContext]] | None] = SimpleQueue()
        self._threads: list[threading.Thread] = []
        self._lock = threading.Lock()
        self._room = threading.Condition(self._lock)
        self._chunks = 0
        self._outstanding = 0
        self._last_run: dict[str, float] = {}
        self._long = False
        self._waiting_for_room = False
        self._running: dict[str, ActivityContext | asyncio.Task[None]] = {}
        self._loop: asyncio.AbstractEventLoop | None = None
        self._loop_thread: threading.Thread | None = None
        self._answers: list[str] = []
        self._closing = False
        # An async activity needs no thread, so it must not wait for one to be free.
        self._never_wait = activities.any_async

    def room(self) -> int:
        """How many tasks may be taken now; waits while long activities hold all threads."""
        with self._lock:
            while self._long and not self._never_wait and not self._closing:
                free = self._most_threads - self._outstanding
                if free > 0:
                    return free
                self._waiting_for_room = True
                self._room.wait()
                self._waiting_for_room = False
        return self._slots

    def take(self, tasks: list[Task], cancelled: list[str]) -> None:
        """Runs the tasks of a batch; tells those that nobody waits for any more."""
        for token in cancelled:
            self._cancel(token)
        sync: list[tuple[Definition, Task, ActivityContext]] = []
        asynchronous: list[tuple[Definition, Task, ActivityContext]] = []
        for task in tasks:
            definition = self._activities.find(task)
            if definition is None:
                error = ActivityNotRegisteredError(f"this worker has no activity {task['name']!r}")
                self._finish([error_answer(task, error, self._wire)])
                continue
            context = ActivityContext(task)
            self._running[task["t"]] = context
            (asynchronous if definition.is_async else sync).append((definition, task, context))
        if asynchronous:
            self._start_loop().call_soon_threadsafe(self._spawn, asynchronous)
        if sync:
            self._submit(sync)

    def close(self) -> None:
        """Lets the poll thread go; threads end when their work is done."""
        with self._lock:
            self._closing = True
            self._room.notify_all()

    def stop(self) -> None:
        """Ends the threads after their present work."""
        self.close()
        for running in list(self._running.values()):
            if isinstance(running, ActivityContext):
                running.cancel()
        for _ in self._threads:
            self._queue.put(None)
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._stop_loop)

    def join(self) -> None:
        """Waits until the threads have ended."""
        for thread in [*self._threads, *([self._loop_thread] if self._loop_thread else [])]:
            thread.join()

    def _finish(self, answers: list[str]) -> None:
        self._complete(f'{{"v":1,"activities":[{",".join(answers)}]}}')

    def _cancel(self, token: str) -> None:
        running = self._running.get(token)
        if isinstance(running, ActivityContext):
            running.cancel()
        elif running is not None and self._loop is not None:
            self._loop.call_soon_threadsafe(running.cancel)

    # Sync activities.

    def _submit(self, work: list[tuple[Definition, Task, ActivityContext]]) -> None:
        chunks = self._cut(work)
        with self._lock:
            self._outstanding += len(work)
            self._chunks += len(chunks)
            missing = min(self._most_threads, self._chunks) - len(self._threads)
        for chunk in chunks:
            self._queue.put(chunk)
        for _ in range(missing):
            number = len(self._threads) + 1
            thread = threading.Thread(target=self._work, name=f"everstep-activity-{number}", daemon=False)
            try:
                thread.start()
            except RuntimeError:
                # The program is ending, and CPython 3.12.0 and 3.12.1 start no thread then. What is not run is handed
                # out again.
                return
            self._threads.append(thread)

    def _cut(
        self, work: list[tuple[Definition, Task, ActivityContext]]
    ) -> list[list[tuple[Definition, Task, ActivityContext]]]:
        """One by one while threads are free; else the short ones together, since they run one after another."""
        if len(work) <= self._most_threads - self._outstanding:
            return [[item] for item in work]
        size = min(MOST_IN_CHUNK, -(-len(work) // self._most_threads))
        chunks: list[list[tuple[Definition, Task, ActivityContext]]] = []
        short: list[tuple[Definition, Task, ActivityContext]] = []
        for item in work:
            if self._last_run.get(item[0].name, 1.0) <= SHORT:
                short.append(item)
            else:
                chunks.append([item])
        chunks.extend(short[start : start + size] for start in range(0, len(short), size))
        return chunks

    def _work(self) -> None:
        while (chunk := self._queue.get()) is not None:
            longest = max([self._run_sync(*item) for item in chunk])
            with self._lock:
                self._chunks -= 1
                self._outstanding -= len(chunk)
                self._long = longest > LONG
                if self._waiting_for_room:
                    self._room.notify()
            # A thread that waits must not keep what the last activity was given.
            del chunk

    def _run_sync(self, definition: Definition, task: Task, context: ActivityContext) -> float:
        started = monotonic()
        current.set(context)
        try:
            value = definition.function(*prepare(definition, task, context, self._wire))
            answer = value_answer(task, value, self._wire)
        except BaseException as error:
            answer = error_answer(task, error, self._wire)
        self._running.pop(task["t"], None)
        self._complete(f'{{"v":1,"activities":[{answer}]}}')
        took = self._last_run[definition.name] = monotonic() - started
        return took

    # Async activities.

    def _start_loop(self) -> asyncio.AbstractEventLoop:
        if self._loop is None:
            self._loop = asyncio.new_event_loop()
            self._loop_thread = threading.Thread(target=self._run_loop, name="everstep-activity-loop", daemon=False)
            self._loop_thread.start()
        return self._loop

    def _run_loop(self) -> None:
        loop = self._loop
        assert loop is not None
        asyncio.set_event_loop(loop)
        try:
            loop.run_forever()
            tasks = asyncio.all_tasks(loop)
            for task in tasks:
                task.cancel()
            if tasks:
                loop.run_until_complete(asyncio.wait(tasks, timeout=5))
            loop.run_until_complete(loop.shutdown_asyncgens())
        finally:
            asyncio.set_event_loop(None)
            loop.close()

    def _stop_loop(self) -> None:
        assert self._loop is not None
        self._loop.stop()

    def _spawn(self, work: list[tuple[Definition, Task, ActivityContext]]) -> None:
        assert self._loop is not None
        for definition, task, context in work:
            running = self._loop.create_task(self._run(definition, task, context))
            if task["t"] in self._running and not context.is_cancelled:
                self._running[task["t"]] = running
            else:
                running.cancel()

    async def _run(self, definition: Definition, task: Task, context: ActivityContext) -> None:
        current.set(context)
        try:
            value = await definition.function(*prepare(definition, task, context, self._wire))
            answer = value_answer(task, value, self._wire)
        except BaseException as error:
            answer = error_answer(task, error, self._wire)
        self._running.pop(task["t"], None)
        if not self._answers:
            assert self._loop is not None
            self._loop.call_soon(self._flush)
        self._answers.append(answer)

    def _flush(self) -> None:
        answers, self._answers = self._answers, []
        self._finish(answers)
