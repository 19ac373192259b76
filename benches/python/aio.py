"""The asyncio client beside the sync one, on `memory:` so that the engine costs both the same: a start and a `get` with 100
in flight, and what 10,000 waits for a result hold.

In flight means 100 coroutines of one loop, or 100 threads of the sync client, each asking again when it has its answer. The
sync client also runs in one loop of one thread; the quicker of its two ways counts.
"""

from __future__ import annotations

import asyncio
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from subject import arguments, cpu, everstep, report

if TYPE_CHECKING:
    from collections.abc import Callable

IN_FLIGHT = 100
ROUNDS = 5


def start(client: Any) -> Any:
    return client.start_workflow("nobody-runs-this")


def get(client: Any) -> Any:
    return client.get_workflow("one")


def in_threads(client: everstep.Client, call: Callable[[Any], Any], threads: int, count: int) -> float:
    """The microseconds of an operation, of so many in flight."""
    begin = threading.Barrier(threads + 1)

    def ask() -> None:
        begin.wait()
        for _ in range(count // threads):
            call(client)

    asking = [threading.Thread(target=ask) for _ in range(threads)]
    for thread in asking:
        thread.start()
    begin.wait()
    began = time.perf_counter()
    for thread in asking:
        thread.join()
    return (time.perf_counter() - began) / count * 1e6


async def in_tasks(client: everstep.AsyncClient, call: Callable[[Any], Any], tasks: int, count: int) -> float:
    """The same on one loop."""

    async def ask() -> None:
        for _ in range(count // tasks):
            await call(client)

    began = time.perf_counter()
    await asyncio.gather(*(ask() for _ in range(tasks)))
    return (time.perf_counter() - began) / count * 1e6


async def waits(count: int) -> dict[str, float]:
    """The threads that waits for results hold, and what giving one up costs."""
    async with everstep.AsyncClient("memory:") as client:
        handles = await asyncio.gather(*(start(client) for _ in range(count)))
        tasks = [asyncio.ensure_future(handle.result()) for handle in handles]
        await asyncio.sleep(0)
        threads = len(list(Path("/proc/self/task").iterdir()))
        used = cpu()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        cancelled = (cpu() - used) / count * 1e6
        return {"wait_threads": threads, "cancel_cpu_us": cancelled}


def main() -> None:
    given = arguments(__doc__, count=5_000, waits=10_000)
    figures: dict[str, float] = {}
    for name, call in (("start", start), ("get", get)):
        with everstep.Client("memory:") as client:
            client.start_workflow("nobody-runs-this", instance_id="one")
            for threads in (1, IN_FLIGHT):
                took = min(in_threads(client, call, threads, given.count) for _ in range(ROUNDS))
                figures[f"{name}_threads_{threads}_us"] = took

        async def awaited(call: Callable[[Any], Any] = call) -> float:
            async with everstep.AsyncClient("memory:") as client:
                await client.start_workflow("nobody-runs-this", instance_id="one")
                return min([await in_tasks(client, call, IN_FLIGHT, given.count) for _ in range(ROUNDS)])

        figures[f"{name}_asyncio_us"] = asyncio.run(awaited())
        quickest = min(figures[f"{name}_threads_1_us"], figures[f"{name}_threads_{IN_FLIGHT}_us"])
        figures[f"{name}_more_us"] = figures[f"{name}_asyncio_us"] - quickest
    report(**figures, **asyncio.run(waits(given.waits)))


if __name__ == "__main__":
    main()
