"""One caller at a time: a one-activity workflow from start to result, a start alone, a state from memory and from disk."""

from __future__ import annotations

import random
import time
from typing import TYPE_CHECKING

from subject import (
    ACTIVITIES,
    WORKFLOWS,
    arguments,
    database,
    event_waiter,
    everstep,
    one_activity,
    open_client,
    percentile,
    report,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable


def timed(call: Callable[[object], object], items: Iterable[object]) -> list[float]:
    """The microseconds that each call took."""
    took = []
    for item in items:
        began = time.perf_counter()
        call(item)
        took.append((time.perf_counter() - began) * 1e6)
    return took


def starts(client: everstep.Client, count: int) -> list[float]:
    """The microseconds of each start, the engine having nothing else to do: the first turn of the one before is over."""
    took = []
    for _ in range(count):
        began = time.perf_counter()
        handle = client.start_workflow(event_waiter)
        took.append((time.perf_counter() - began) * 1e6)
        handle.wait_for_start(timeout=60)
    return took


def main() -> None:
    given = arguments(__doc__, count=2000)
    path = database(given.dir, "single")
    with open_client(path) as client, everstep.Worker(client, WORKFLOWS, ACTIVITIES):
        ids = [f"one-{number}" for number in range(given.count)]
        timed(lambda number: client.start_workflow(one_activity, number).result(timeout=60), range(200))
        whole = timed(
            lambda name: client.start_workflow(one_activity, 1, instance_id=name).result(timeout=60), ids
        )
        started = starts(client, given.count // 2)
        waiting = client.start_workflow(event_waiter)
        waiting.wait_for_start(timeout=60)
        cached = timed(client.get_workflow, [waiting.instance_id] * given.count)
    with open_client(path) as client:
        random.Random(1).shuffle(ids)
        timed(client.get_workflow, ids[:100])
        finished = timed(client.get_workflow, ids)
    report(
        whole_p50_us=percentile(whole, 0.5),
        whole_p99_us=percentile(whole, 0.99),
        start_p50_us=percentile(started, 0.5),
        start_p99_us=percentile(started, 0.99),
        get_cached_p50_us=percentile(cached, 0.5),
        get_finished_p50_us=percentile(finished, 0.5),
    )


if __name__ == "__main__":
    main()
