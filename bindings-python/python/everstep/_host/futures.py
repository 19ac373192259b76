"""What a workflow waits for."""

from __future__ import annotations

from asyncio import Future
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from ..payload import Decoder
    from .loop import WorkflowLoop

R = TypeVar("R")


class DurableFuture(Future[R]):
    """The answer to something that a workflow asked for: an activity, a child, a timer, an event.

    It was asked for when the future was made; awaiting it is allowed, not needed. ``cancel()`` gives it up durably: no
    event is taken by a wait that was cancelled, and no timer fires.
    """

    __slots__ = ("decoder", "kind", "loop", "name", "ref")

    loop: WorkflowLoop
    ref: int
    kind: str
    name: str
    decoder: Decoder | None

    def cancel(self, msg: Any | None = None) -> bool:
        """Gives up waiting. Returns whether there was something to give up."""
        if not super().cancel(msg):
            return False
        self.loop.abandon(self.ref)
        return True

    def __repr__(self) -> str:
        return f"<{self.kind} {self.name!r} {'done' if self.done() else 'pending'}>"


class Timer:
    """What ``call_later`` gives: a durable timer that runs a callback."""

    __slots__ = ("_args", "_callback", "_cancelled", "_context", "_loop", "_when", "ref")

    def __init__(self, loop: WorkflowLoop, when: float, ref: int, callback: Any, args: Any, context: Any) -> None:
        self._loop = loop
        self._when = when
        self.ref = ref
        self._callback = callback
        self._args = args
        self._context = context
        self._cancelled = False

    def when(self) -> float:
        """The workflow's time at which it fires."""
        return self._when

    def cancelled(self) -> bool:
        """Whether it was cancelled."""
        return self._cancelled

    def cancel(self) -> None:
        """Gives the timer up."""
        if not self._cancelled:
            self._cancelled = True
            self._loop.abandon(self.ref)

    def fire(self) -> None:
        """Has the loop run the callback."""
        self._loop.call_soon(self._run, context=self._context)

    def _run(self) -> None:
        if not self._cancelled:
            self._callback(*self._args)
