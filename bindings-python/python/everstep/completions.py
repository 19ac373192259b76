"""Waiting on event loops: calls are submitted to a queue of the core, and one thread brings their answers to the loops.

The thread sleeps in the core, without the interpreter. It takes all that has ended in one batch and hands each loop its
part with one ``call_soon_threadsafe``. It is shared by all clients and loops of the process, starts with the first call
that has to wait, and ends with the program.
"""

from __future__ import annotations

import os
import threading
from asyncio import get_running_loop
from typing import TYPE_CHECKING, Any, TypeVar

from ._exit import POLL_MS, before_exit
from ._native import NativeQueue
from .errors import FailedPreconditionError

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop, Future
    from collections.abc import Callable

    from ._native import NativeCall
    from .operations import Call

T = TypeVar("T")

_BATCH = 1024


class LoopCalls:
    """The calls of one event loop. What happens here happens on its thread."""

    __slots__ = ("_completions", "_open", "_queue", "loop", "thread")

    def __init__(self, completions: Completions, loop: AbstractEventLoop) -> None:
        self._completions = completions
        self._queue = completions.queue
        self._open: dict[int, Future[NativeCall[Any]]] = {}
        self.loop = loop
        self.thread = threading.current_thread()

    async def answer(self, call: Call[T]) -> T:
        """The answer of a call; cancelling this gives the call up in the core."""
        ticket = call.native.submit(self._queue, id(self.loop))
        if not ticket:
            return call.wait()
        if not self._completions.started:
            self._completions.start()
        future = self._open[ticket] = self.loop.create_future()
        try:
            ended = await future
        except BaseException:
            if self._open.pop(ticket, None) is not None:
                self._queue.cancel(ticket)
            raise
        return call.answer(ended)

    def resolve(self, finished: list[tuple[int, NativeCall[Any]]]) -> None:
        """Wakes whose calls have ended; each reads its own answer, or raises it."""
        for ticket, ended in finished:
            future = self._open.pop(ticket, None)
            if future is not None and not future.done():
                future.set_result(ended)

    def give_up(self) -> None:
        """The loop is closed: nobody waits any more."""
        for ticket in list(self._open):
            if self._open.pop(ticket, None) is not None:
                self._queue.cancel(ticket)


class Completions:
    """What the event loops of a process wait for, and the thread that brings it to them."""

    def __init__(self) -> None:
        self.queue = NativeQueue()
        self.loops: dict[int, LoopCalls] = {}
        """By the identity of the loop, which is the key of its calls."""
        self.started = False
        self._lock = threading.Lock()
        self._poll_ms: int | None = None
        self._ending = False

    def add(self, loop: AbstractEventLoop) -> LoopCalls:
        """Makes a loop known, and forgets those that are closed."""
        with self._lock:
            for other in list(self.loops.values()):
                if other.loop.is_closed():
                    self._forget(other)
            calls = self.loops[id(loop)] = LoopCalls(self, loop)
            return calls

    def start(self) -> None:
        """Starts the thread, once."""
        with self._lock:
            if not self.started:
                self._poll_ms = before_exit(self._end)
                threading.Thread(target=self._run, name="everstep-answers", daemon=False).start()
                self.started = True

    def _run(self) -> None:
        # Daemon threads may still wait when it is over, as they wait for everything else, until the process is gone.
        while not self._is_over():
            self._deliver()

    def _deliver(self) -> None:
        for key, finished in self.queue.take(_BATCH, self._poll_ms):
            calls = self.loops.get(key)
            if calls is None:
                continue
            try:
                calls.loop.call_soon_threadsafe(calls.resolve, finished)
            except Exception:
                # The loop was closed with calls under way; nothing of one loop may keep the others waiting.
                with self._lock:
                    self._forget(calls)

    def _forget(self, calls: LoopCalls) -> None:
        if self.loops.get(id(calls.loop)) is calls:
            del self.loops[id(calls.loop)]
        calls.give_up()

    def _end(self) -> None:
        """The main thread has ended."""
        self._ending = True
        self._poll_ms = POLL_MS
        self.queue.rouse()

    def _is_over(self) -> bool:
        """Whether the program has ended; it goes on while another of its threads runs a loop."""
        main = threading.main_thread()
        if not self._ending and main.is_alive():
            return False
        threads = [calls.thread for calls in list(self.loops.values())]
        return not any(thread.is_alive() and not thread.daemon and thread is not main for thread in threads)


_completions = Completions()


def calls_of_running_loop() -> LoopCalls:
    """The calls of the event loop that runs on this thread. Raises ``FailedPreconditionError`` if there is none."""
    try:
        loop = get_running_loop()
    except RuntimeError:
        raise FailedPreconditionError(
            "AsyncClient waits on asyncio, and no asyncio event loop runs here; await it under asyncio.run, uvloop or "
            "anyio's asyncio backend, or use everstep.Client (under trio: in trio.to_thread.run_sync)"
        ) from None
    return _completions.loops.get(id(loop)) or _completions.add(loop)


def _after_fork() -> None:
    """The child has none of the parent's threads, and its loops wait for nothing."""
    global _completions
    _completions = Completions()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)


async def off_the_loop(work: Callable[[], object], undo: Callable[[], object] | None = None) -> None:
    """Runs what blocks on a thread of its own; with ``undo``, also undoes it when nobody waits for its end any more."""
    loop = get_running_loop()
    future: Future[None] = loop.create_future()

    def tell(error: BaseException | None) -> None:
        if future.done():
            if error is None and undo is not None:
                threading.Thread(target=undo, name="everstep-undo", daemon=False).start()
        elif error is None:
            future.set_result(None)
        else:
            future.set_exception(error)

    def run() -> None:
        error = None
        try:
            work()
        except BaseException as raised:
            error = raised
        try:
            loop.call_soon_threadsafe(tell, error)
        except RuntimeError:
            if error is None and undo is not None:
                undo()

    threading.Thread(target=run, name="everstep-blocking", daemon=False).start()
    await future
