"""What an activity costs among 10,000 parallel ones of one workflow, against one among 10: `ctx.all`, `ctx.map`, and
`ctx.map` with at most 100 at a time.
"""

from __future__ import annotations

import resource
import time

from subject import (
    ACTIVITIES,
    WORKFLOWS,
    arguments,
    database,
    everstep,
    fan_out,
    mapped,
    open_client,
    percentile,
    report,
    windowed,
)


def per_activity(client: everstep.Client, workflow: object, count: int) -> float:
    began = time.perf_counter()
    handle = client.start_workflow(workflow, count)  # type: ignore[call-overload]
    assert handle.result(timeout=300) == count * (count + 1) // 2
    return (time.perf_counter() - began) / count * 1e6


def main() -> None:
    given = arguments(__doc__, many=10_000, few=10)
    figures: dict[str, float] = {}
    with (
        open_client(database(given.dir, "fan")) as client,
        everstep.Worker(client, WORKFLOWS, ACTIVITIES),
    ):
        for prefix, workflow in (("", fan_out), ("map_", mapped), ("window_", windowed)):
            for _ in range(50):
                per_activity(client, workflow, given.few)
            few = percentile([per_activity(client, workflow, given.few) for _ in range(200)], 0.5)
            many = per_activity(client, workflow, given.many)
            figures |= {f"{prefix}few_us": few, f"{prefix}many_us": many, f"{prefix}ratio": many / few}
        report(**figures, peak_mb=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)


if __name__ == "__main__":
    main()
