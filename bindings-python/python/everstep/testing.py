"""Aids for tests of workflows: an engine whose time skips, and stored histories against changed code."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from ._native import NativeWorker
from .client import Client
from .durations import milliseconds
from .errors import WorkflowStalledError
from .functions import definition_of, workflow
from .worker import _MOST_BYTES, Worker

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from types import TracebackType

    from typing_extensions import Self

    from .codecs import Codec
    from .context import WorkflowContext
    from .durations import Duration
    from .models import RuntimeStatus

__all__ = ["Environment", "replay"]


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


def replay(
    client: Client,
    workflows: Iterable[Callable[..., Any]],
    *,
    instance_ids: Iterable[str] | None = None,
    statuses: Iterable[RuntimeStatus | str] = (),
    workflow_component: str | None = None,
) -> int:
    """Runs stored histories through these functions, as a worker would after a restart; returns how many there were.

    So changed code is tried before it is deployed, on a copy of the file, or on the file while its owner works. Nothing
    is written and no activity runs. All stored instances of the workflows are taken, unless ``instance_ids`` names some
    or ``statuses`` filters them. What a run gives back is not compared, only what it asks for, and in which order.

    Raises ``WorkflowStalledError`` at the first history that the code does not fit, with what both say, and
    ``NotFoundError`` for an unknown instance.
    """
    functions = list(workflows)
    worker = Worker(client, functions, max_cached=0)
    if instance_ids is None:
        names = {definition_of(function).name for function in functions}
        ids = [
            state.instance_id
            for name in sorted(names)
            for state in client.list_workflows(
                workflow_component=workflow_component, workflow_name=name, statuses=statuses
            )
        ]
    else:
        ids = list(instance_ids)
    for instance_id in ids:
        misfit = _misfit(worker, workflow_component, instance_id)
        if misfit is not None:
            raise WorkflowStalledError(misfit, operation="replay", instance_id=instance_id)
    return len(ids)


def _misfit(worker: Worker, component: str | None, instance_id: str) -> str | None:
    """Why the worker's functions do not fit the history, if they do not."""
    native = NativeWorker.rehearse(worker._client._native, component, instance_id, worker._open_request())
    while text := native.poll_workflows(1, _MOST_BYTES, 0):
        native.complete(worker._host.answer(worker._parse(native, text)["tasks"]))
    return native.misfit()


@workflow(name="everstep.testing.sleep")
async def _sleep(ctx: WorkflowContext, millis: int) -> datetime:
    if millis:
        await ctx.sleep(timedelta(milliseconds=millis))
    return ctx.now()
