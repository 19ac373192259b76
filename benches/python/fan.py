"""What an activity costs among 10,000 parallel ones of one workflow, against one among 10."""

from __future__ import annotations

import time

from subject import (
    ACTIVITIES,
    WORKFLOWS,
    arguments,
    database,
    everstep,
    fan_out,
    open_client,
    percentile,
    report,
)


def per_activity(client: everstep.Client, count: int) -> float:
    began = time.perf_counter()
    assert client.start_workflow(fan_out, count).result(timeout=300) == count * (count + 1) // 2
    return (time.perf_counter() - began) / count * 1e6


def main() -> None:
    given = arguments(__doc__, many=10_000, few=10)
    with (
        open_client(database(given.dir, "fan")) as client,
        everstep.Worker(client, WORKFLOWS, ACTIVITIES),
    ):
        for _ in range(50):
            per_activity(client, given.few)
        few = percentile([per_activity(client, given.few) for _ in range(200)], 0.5)
        many = per_activity(client, given.many)
    report(few_us=few, many_us=many, ratio=many / few)


if __name__ == "__main__":
    main()
