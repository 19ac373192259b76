"""Whether a step costs the same in a long workflow as in a short one, and what it takes to rebuild a long one."""

from __future__ import annotations

import time

from subject import (
    ACTIVITIES,
    WORKFLOWS,
    arguments,
    database,
    everstep,
    open_client,
    percentile,
    report,
    steps,
    steps_then_event,
    wait_until,
)


def per_step(client: everstep.Client, count: int) -> float:
    began = time.perf_counter()
    assert client.start_workflow(steps, count).result(timeout=300) == count
    return (time.perf_counter() - began) / count * 1e6


def main() -> None:
    given = arguments(__doc__, long=10_000, short=10)
    path = database(given.dir, "length")
    with open_client(path) as client, everstep.Worker(client, WORKFLOWS, ACTIVITIES):
        per_step(client, 500)
        short = percentile([per_step(client, given.short) for _ in range(200)], 0.5)
        long = per_step(client, given.long)
        again = percentile([per_step(client, given.short) for _ in range(200)], 0.5)
        client.start_workflow(steps_then_event, given.long, instance_id="long")

        def waits() -> bool:
            return client.get_workflow("long").custom_status == "waiting"

        wait_until(waits, 300)
    with open_client(path) as client, everstep.Worker(client, WORKFLOWS, ACTIVITIES):
        client.start_workflow(steps, 1).result(timeout=60)
        began = time.perf_counter()
        client.raise_workflow_event("long", event_name="go")
        assert client.get_handle("long").result(timeout=300) == given.long
        rebuild = time.perf_counter() - began
    report(
        short_us=min(short, again), long_us=long, ratio=long / ((short + again) / 2), rebuild_ms=rebuild * 1e3
    )


if __name__ == "__main__":
    main()
