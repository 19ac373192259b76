"""Running and waiting for several at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar, overload

from .errors import InvalidArgumentError
from .functions import definition_of
from .options import name_of, option_fields
from .payload import encode_text

if TYPE_CHECKING:
    from asyncio import Future
    from collections.abc import Awaitable, Callable, Coroutine, Generator, Iterable
    from typing import Literal

    from ._host.futures import DurableFuture
    from ._host.loop import WorkflowLoop
    from .activities import ActivityContext
    from .context import WorkflowContext
    from .durations import Duration
    from .retry import Retry

    I = TypeVar("I")  # noqa: E741
    R = TypeVar("R")
    R1 = TypeVar("R1")
    R2 = TypeVar("R2")
    R3 = TypeVar("R3")
    R4 = TypeVar("R4")
    R5 = TypeVar("R5")
    F = TypeVar("F", bound=Future[Any])

    Child = (
        Callable[[WorkflowContext, I], Coroutine[Any, Any, R]] | Callable[[WorkflowContext, I], Generator[Any, Any, R]]
    )
    AsyncActivity = Callable[[ActivityContext, I], Coroutine[Any, Any, R]] | Callable[[I], Coroutine[Any, Any, R]]
    SyncActivity = Callable[[ActivityContext, I], R] | Callable[[I], R]


class FanOut:
    """What a ``WorkflowContext`` does with several at once."""

    __slots__ = ("_loop",)

    def __init__(self, loop: WorkflowLoop) -> None:
        self._loop = loop

    @overload
    def map(
        self,
        function: Child[I, R],
        items: Iterable[I],
        *,
        max_concurrency: int | None = None,
        return_exceptions: Literal[False] = False,
        retry: Retry | None = None,
        app_id: str | None = None,
    ) -> Future[list[R]]: ...
    @overload
    def map(
        self,
        function: AsyncActivity[I, R],
        items: Iterable[I],
        *,
        max_concurrency: int | None = None,
        return_exceptions: Literal[False] = False,
        timeout: Duration | None = None,
        retry: Retry | None = None,
        app_id: str | None = None,
    ) -> Future[list[R]]: ...
    @overload
    def map(
        self,
        function: SyncActivity[I, R],
        items: Iterable[I],
        *,
        max_concurrency: int | None = None,
        return_exceptions: Literal[False] = False,
        timeout: Duration | None = None,
        retry: Retry | None = None,
        app_id: str | None = None,
    ) -> Future[list[R]]: ...
    @overload
    def map(
        self,
        function: str,
        items: Iterable[Any],
        *,
        returns: type[R],
        max_concurrency: int | None = None,
        return_exceptions: Literal[False] = False,
        timeout: Duration | None = None,
        retry: Retry | None = None,
        app_id: str | None = None,
    ) -> Future[list[R]]: ...
    @overload
    def map(
        self,
        function: str,
        items: Iterable[Any],
        *,
        max_concurrency: int | None = None,
        return_exceptions: Literal[False] = False,
        timeout: Duration | None = None,
        retry: Retry | None = None,
        app_id: str | None = None,
    ) -> Future[list[Any]]: ...
    @overload
    def map(
        self,
        function: Child[I, R],
        items: Iterable[I],
        *,
        max_concurrency: int | None = None,
        return_exceptions: Literal[True],
        retry: Retry | None = None,
        app_id: str | None = None,
    ) -> Future[list[R | BaseException]]: ...
    @overload
    def map(
        self,
        function: AsyncActivity[I, R],
        items: Iterable[I],
        *,
        max_concurrency: int | None = None,
        return_exceptions: Literal[True],
        timeout: Duration | None = None,
        retry: Retry | None = None,
        app_id: str | None = None,
    ) -> Future[list[R | BaseException]]: ...
    @overload
    def map(
        self,
        function: SyncActivity[I, R],
        items: Iterable[I],
        *,
        max_concurrency: int | None = None,
        return_exceptions: Literal[True],
        timeout: Duration | None = None,
        retry: Retry | None = None,
        app_id: str | None = None,
    ) -> Future[list[R | BaseException]]: ...
    @overload
    def map(
        self,
        function: str,
        items: Iterable[Any],
        *,
        returns: type[R],
        max_concurrency: int | None = None,
        return_exceptions: Literal[True],
        timeout: Duration | None = None,
        retry: Retry | None = None,
        app_id: str | None = None,
    ) -> Future[list[R | BaseException]]: ...
    @overload
    def map(
        self,
        function: str,
        items: Iterable[Any],
        *,
        max_concurrency: int | None = None,
        return_exceptions: Literal[True],
        timeout: Duration | None = None,
        retry: Retry | None = None,
        app_id: str | None = None,
    ) -> Future[list[Any]]: ...
    def map(
        self,
        function: Any,
        items: Iterable[Any],
        *,
        returns: Any = Any,
        max_concurrency: int | None = None,
        return_exceptions: bool = False,
        timeout: Duration | None = None,
        retry: Retry | None = None,
        app_id: str | None = None,
    ) -> Future[Any]:
        """Runs an activity or a child workflow once per item and gives the outputs as a list, in the items' order.

        With ``max_concurrency`` at most so many run at a time: as soon as one ends, the next item is taken. A generator
        is read only as far as is needed, and must give the same items at every replay. Without a limit all items are
        asked for at once. A name is that of an activity, whose output is decoded as ``returns``; ``timeout`` and
        ``retry`` hold for each item, as in ``call``.

        The first failure is raised at once. No further item begins then, and those that run are given up: activities
        are told to stop, children go on by themselves. With ``return_exceptions`` all items run, and failures stand in
        the list. To cancel the future, or ``asyncio.timeout()`` around it, gives up what runs in the same way.
        """
        from ._host.groups import Window

        loop = self._loop
        loop.check()
        if max_concurrency is not None and (type(max_concurrency) is not int or max_concurrency < 1):
            raise InvalidArgumentError("max_concurrency must be an int of at least 1, or None for no limit")
        items = _iterable(items, "items")
        if isinstance(function, str):
            kind, name, quoted = "activity", name_of(function, "function"), encode_text(function)
            decoder = loop.wire.decoder(returns)
        else:
            definition = definition_of(function)
            kind = "activity" if definition.kind == "activity" else "child"
            name, quoted, decoder = definition.name, definition.pinned, definition.output
        options = option_fields(kind, timeout, retry, app_id)

        def ask(item: Any) -> DurableFuture[Any]:
            return loop.ask(kind, name, f',"name":{quoted}{loop.payload("input", item)}{options}', decoder)

        return Window(loop, ask, iter(items), max_concurrency, return_exceptions)

    @overload
    def all(
        self, a: Awaitable[R1], b: Awaitable[R2], /, *, return_exceptions: Literal[False] = False
    ) -> Future[tuple[R1, R2]]: ...
    @overload
    def all(
        self, a: Awaitable[R1], b: Awaitable[R2], c: Awaitable[R3], /, *, return_exceptions: Literal[False] = False
    ) -> Future[tuple[R1, R2, R3]]: ...
    @overload
    def all(
        self,
        a: Awaitable[R1],
        b: Awaitable[R2],
        c: Awaitable[R3],
        d: Awaitable[R4],
        /,
        *,
        return_exceptions: Literal[False] = False,
    ) -> Future[tuple[R1, R2, R3, R4]]: ...
    @overload
    def all(
        self,
        a: Awaitable[R1],
        b: Awaitable[R2],
        c: Awaitable[R3],
        d: Awaitable[R4],
        e: Awaitable[R5],
        /,
        *,
        return_exceptions: Literal[False] = False,
    ) -> Future[tuple[R1, R2, R3, R4, R5]]: ...
    @overload
    def all(
        self, awaitables: Iterable[Awaitable[R]], /, *, return_exceptions: Literal[False] = False
    ) -> Future[list[R]]: ...
    @overload
    def all(self, *awaitables: Awaitable[R], return_exceptions: Literal[False] = False) -> Future[tuple[R, ...]]: ...
    @overload
    def all(
        self, awaitables: Iterable[Awaitable[R]], /, *, return_exceptions: Literal[True]
    ) -> Future[list[R | BaseException]]: ...
    @overload
    def all(
        self, *awaitables: Awaitable[R], return_exceptions: Literal[True]
    ) -> Future[tuple[R | BaseException, ...]]: ...
    def all(self, *awaitables: Any, return_exceptions: bool = False) -> Any:
        """Waits for all and gives their results in order: a tuple, or a list when it was given one iterable.

        The first failure is raised at once; the others go on, as with ``asyncio.gather``. With ``return_exceptions`` it
        waits for all, and failures stand among the results. To cancel the wait cancels what it waits for.
        """
        from ._host.groups import gather

        self._loop.check()
        if len(awaitables) == 1 and not hasattr(awaitables[0], "__await__"):
            return gather(self._loop, _iterable(awaitables[0], "what is waited for"), list, return_exceptions)
        return gather(self._loop, awaitables, tuple, return_exceptions)

    @overload
    def any(self, awaitables: Iterable[F], /, *, cancel_rest: bool = True) -> Future[F]: ...
    @overload
    def any(self, *awaitables: F, cancel_rest: bool = True) -> Future[F]: ...
    def any(self, *awaitables: Any, cancel_rest: bool = True) -> Any:
        """Waits until one is done, gives that one and cancels the rest; call its ``result()``.

        Of several that are done already it gives the first of these arguments. With ``cancel_rest=False`` the others go
        on, also when the wait itself is cancelled.
        """
        from ._host.groups import first

        self._loop.check()
        if len(awaitables) == 1 and not hasattr(awaitables[0], "__await__"):
            awaitables = tuple(_iterable(awaitables[0], "what is waited for"))
        return first(self._loop, awaitables, cancel_rest)


def _iterable(value: Any, argument: str) -> Iterable[Any]:
    if not hasattr(value, "__iter__"):
        raise InvalidArgumentError(f"{argument} must be an iterable, not {type(value).__name__}")
    iterable: Iterable[Any] = value
    return iterable
