"""Waiting for several: ``ctx.all``, ``ctx.any`` and ``ctx.map``.

A group costs one callback per member, whatever its size. The order in which members are asked for and given up is part
of the stored contract, like the order in which the loop runs callbacks.
"""

from __future__ import annotations

from asyncio import CancelledError, Future
from contextvars import copy_context
from typing import TYPE_CHECKING, Any

from ..errors import InvalidArgumentError, WorkflowBlocked

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from .loop import WorkflowLoop

_END = object()


async def awaiting(awaitable: Any) -> Any:
    """A coroutine of any awaitable."""
    return await awaitable


class Group(Future[Any]):
    """A future that waits for others; cancelling it cancels those that it holds."""

    def __init__(self, loop: WorkflowLoop, held: list[Future[Any]]) -> None:
        super().__init__(loop=loop)
        self.held = held

    def cancel(self, msg: Any | None = None) -> bool:
        """Gives up waiting, and what was waited for."""
        if self.done():
            return False
        self.release(msg)
        return super().cancel(msg)

    def release(self, msg: Any | None = None) -> None:
        """Cancels what is held, in order."""
        for future in self.held:
            future.cancel(msg)


def _futures(loop: WorkflowLoop, awaitables: Iterable[Any]) -> list[Future[Any]]:
    futures: list[Future[Any]] = []
    tasks: dict[int, Future[Any]] = {}
    for item in awaitables:
        if isinstance(item, Future):
            future = item
        elif hasattr(item, "__await__"):
            # A coroutine can be awaited once; given twice it is one task.
            future = tasks.get(id(item)) or loop.create_task(awaiting(item))
            tasks[id(item)] = future
        else:
            raise loop.not_durable(f"a workflow cannot wait for {type(item).__name__}")
        if future.get_loop() is not loop:
            raise loop.not_durable(f"a workflow cannot wait for a {type(item).__name__} of another loop")
        futures.append(future)
    return futures


def _outcome(future: Future[Any]) -> Any:
    """The result, or the exception instead of it."""
    if future.cancelled():
        return CancelledError()
    return future.exception() or future.result()


def _watch(futures: list[Future[Any]], finish: Callable[[Future[Any]], None]) -> None:
    context = copy_context()
    for future in futures:
        future.add_done_callback(finish, context=context)


def gather(
    loop: WorkflowLoop, awaitables: Iterable[Any], build: Callable[[Any], Any], return_exceptions: bool = False
) -> Future[Any]:
    """A future of all results, in order; it fails with the first failure and leaves the others alone."""
    futures = _futures(loop, awaitables)
    group = Group(loop, futures)
    left = len(futures)

    def finish(future: Future[Any]) -> None:
        nonlocal left
        left -= 1
        if group.done():
            return
        if return_exceptions:
            if left == 0:
                group.set_result(build(_outcome(each) for each in futures))
        elif future.cancelled():
            Future.cancel(group)
        elif (error := future.exception()) is not None:
            group.set_exception(error)
        elif left == 0:
            group.set_result(build(each.result() for each in futures))

    if not futures:
        group.set_result(build(()))
    _watch(futures, finish)
    return group


def first(loop: WorkflowLoop, awaitables: Iterable[Any], cancel_rest: bool) -> Future[Any]:
    """A future of the first of these that is done; the rest is cancelled, in order."""
    futures = _futures(loop, awaitables)
    if not futures:
        raise InvalidArgumentError("any() needs at least one awaitable")
    group = Group(loop, futures if cancel_rest else [])

    def finish(future: Future[Any]) -> None:
        if group.done():
            return
        group.set_result(future)
        # One that is done stays as it is, the first one too.
        group.release()

    _watch(futures, finish)
    return group


class Window(Group):
    """A future of the results of all items, in order, which asks for the next one as soon as one is done."""

    def __init__(
        self,
        loop: WorkflowLoop,
        ask: Callable[[Any], Future[Any]],
        items: Iterator[Any],
        limit: int | None,
        return_exceptions: bool,
    ) -> None:
        super().__init__(loop, [])
        self._ask = ask
        self._items: Iterator[Any] | None = items
        self._limit = limit
        self._running = 0
        self._return_exceptions = return_exceptions
        self._context = copy_context()
        self._fill()

    def release(self, msg: Any | None = None) -> None:
        """Asks for no more, and cancels what runs, in order."""
        self._items = None
        super().release(msg)

    def _fill(self) -> None:
        while self._items is not None and (self._limit is None or self._running < self._limit):
            try:
                item = next(self._items, _END)
                if item is _END:
                    self._items = None
                    break
                future = self._ask(item)
            except WorkflowBlocked:
                raise
            except BaseException as error:
                self._fail(error)
                return
            self._running += 1
            self.held.append(future)
            future.add_done_callback(self._finish, context=self._context)
        if self._running == 0 and not self.done():
            each = _outcome if self._return_exceptions else Future.result
            self.set_result([each(future) for future in self.held])

    def _finish(self, future: Future[Any]) -> None:
        self._running -= 1
        if self.done():
            return
        if self._return_exceptions:
            self._fill()
        elif future.cancelled():
            self.cancel()
        elif (error := future.exception()) is not None:
            self._fail(error)
        else:
            self._fill()

    def _fail(self, error: BaseException) -> None:
        # Nobody else has these futures: what they bring would be work for nothing.
        self.set_exception(error)
        self.release()
