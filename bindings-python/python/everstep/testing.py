"""Aids for tests of workflows: an engine whose time skips."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from .client import Client
from .durations import milliseconds
from .functions import workflow
from .worker import Worker

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from types import TracebackType

    from typing_extensions import Self

    from .codecs import Codec
    from .context import WorkflowContext
    from .durations import Duration

__all__ = ["Environment"]


class Environment:
    """An engine of its own, in memory, with a client and a worker, for a ``with`` block of a test.

    While somebody waits for a workflow and nothing else can happen, time skips to the next timer: three days of sleep,
    or a retry after an hour, end at once. While nobody waits, time goes as it always does, so a test can raise the
    event that a workflow waits for. Time does not skip while an activity runs.

    With ``max_cached=0`` every turn is a replay: a workflow that is not deterministic stalls. ``client`` and ``worker``
    are ordinary ones, with the ``codec``; an ``AsyncClient`` of ``endpoint`` sees the same engine.
    """

    def __init__(
        self,
        workflows: Iterable[Callable[..., Any]] = (),
        activities: Iterable[Callable[..., Any]] = (),
        *,
        max_cached: int | None = None,
        activity_threads: int | None = None,
        codec: Codec | None = None,
    ) -> None:
        self.endpoint = f"test:{uuid4().hex}"
        """The endpoint of this engine, for more clients."""
        self.client = Client(self.endpoint, codec=codec)
        """A client of the engine."""
        self.worker = Worker(
            self.client,
            [*workflows, _sleep],
            activities,
            max_cached=max_cached,
            activity_threads=activity_threads,
        )
        """The worker, at work inside the ``with`` block."""

    def __enter__(self) -> Self:
        self.worker.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.worker.close()
        self.client.close()

    def now(self) -> datetime:
        """The engine's time, in UTC. Where time has skipped it is ahead of the clock on the wall."""
        return self.sleep(0)

    def sleep(self, duration: Duration) -> datetime:
        """Lets this much time pass, and what is due in it happen; gives the time it is then.

        Everything that follows from earlier timers is done when it returns. Raises ``InvalidArgumentError``.
        """
        millis = milliseconds(duration, "duration")
        handle = self.client.start_workflow(_sleep, millis, instance_id=f"everstep-sleep-{uuid4().hex}")
        moment = handle.result()
        handle.purge()
        return moment


@workflow(name="everstep.testing.sleep")
async def _sleep(ctx: WorkflowContext, millis: int) -> datetime:
    if millis:
        await ctx.sleep(timedelta(milliseconds=millis))
    return ctx.now()
