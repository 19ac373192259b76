"""A file with a million instances: a page of a list, a count, and starts while a tenth of them is purged.

Two are real ones, a parent and its child; the others are copies of their rows under random IDs, with other names, statuses
and times. The file is made anew by each run, because the purge uses it up.
"""

from __future__ import annotations

import sqlite3
import threading
import time
from contextlib import suppress
from datetime import datetime, timedelta
from itertools import islice
from typing import TYPE_CHECKING, Any

from subject import (
    ACTIVITIES,
    WORKFLOWS,
    add_one,
    arguments,
    database,
    event_waiter,
    everstep,
    open_client,
    percentile,
    report,
)

if TYPE_CHECKING:
    from pathlib import Path

PAGE = 100
NAMES = 10
FAILED = 1_000
LOOK_SECONDS = 40
"""A purge goes on for minutes beside somebody who starts one workflow after another; it is looked at for so long."""
CHILDREN = 10
"""One in so many is a child of the one parent."""


class EnoughSeen(Exception):
    """Ends a purge between two slices."""


@everstep.workflow
async def child(ctx: everstep.WorkflowContext, number: int) -> int:
    return await ctx.call(add_one, number)


@everstep.workflow
async def parent(ctx: everstep.WorkflowContext, number: int) -> int:
    return await ctx.call(child, number)


def create(path: Path, count: int) -> datetime:
    """Makes the file; gives when the first copy was created, each further one a millisecond later."""
    with open_client(path) as client, everstep.Worker(client, [parent, child], ACTIVITIES):
        client.start_workflow(parent, 1, instance_id="parent").result(timeout=60)
        created = client.get_workflow("parent").created_at
        assert created is not None
    begin = created + timedelta(seconds=1)
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA cache_size = -262144")
        columns = [row[1] for row in connection.execute("PRAGMA table_info(instances)")]
        changed = {
            "pk": "10 + i",
            # As UUIDs are: neighbours in time are far from each other in the index.
            "instance_id": "lower(hex(randomblob(16)))",
            "name": f"'workflow-' || (i % {NAMES})",
            "status": f"CASE WHEN i % {FAILED} = 0 THEN 3 ELSE status END",
            "created_at": f"{int(begin.timestamp() * 1e6)} + i * 1000",
        }
        values = ", ".join(changed.get(column, column) for column in columns)
        numbers = f"WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < {count - 1})"
        source = f"CASE WHEN i % {CHILDREN} = 3 THEN 'child' ELSE 'parent' END"
        connection.execute(
            f"INSERT INTO instances ({', '.join(columns)}) {numbers} SELECT {values} FROM n, instances WHERE name = {source}"
        )
        turns = f"SELECT 10 + i, turn, at, data FROM n, turns WHERE turns.pk = (SELECT pk FROM instances WHERE name = {source})"
        connection.execute(f"INSERT INTO turns (pk, turn, at, data) {numbers} {turns}")
    connection.close()
    return begin


def pages(client: everstep.Client, begin: datetime, count: int) -> dict[str, float]:
    """The milliseconds of a page, the median of many, for each filter."""
    middle = begin + timedelta(milliseconds=count // 2)
    filters: dict[str, dict[str, Any]] = {
        "all": {},
        "name": {"workflow_name": "workflow-3"},
        "status": {"statuses": ["COMPLETED"]},
        "name_status": {"workflow_name": "workflow-0", "statuses": ["FAILED", "RUNNING"]},
        "created": {"created_from": begin, "created_to": middle},
        "parent": {"parent_instance_id": "parent"},
        "parent_name_status": {
            "parent_instance_id": "parent",
            "workflow_name": "workflow-3",
            "statuses": ["COMPLETED"],
            "created_to": middle,
        },
    }
    took = {}
    for name, criteria in filters.items():
        samples = []
        for _ in range(200):
            began = time.perf_counter()
            states = list(islice(client.list_workflows(page_size=PAGE, **criteria), PAGE))
            samples.append((time.perf_counter() - began) * 1e3)
            assert len(states) == min(PAGE, count // FAILED if name == "name_status" else PAGE), (
                name,
                len(states),
            )
        took[f"page_{name}_ms"] = percentile(samples, 0.5)
    began = time.perf_counter()
    list(islice(client.list_workflows(page_size=PAGE, payloads=True), PAGE))
    took["page_payloads_ms"] = (time.perf_counter() - began) * 1e3
    return took


def starts(client: everstep.Client, until: threading.Event | None, count: int) -> list[float]:
    """The microseconds of each start, one at a time, for as long as the purge takes or ``count`` times."""
    took: list[float] = []
    while len(took) < count if until is None else not until.is_set():
        began = time.perf_counter()
        handle = client.start_workflow(event_waiter)
        took.append((time.perf_counter() - began) * 1e6)
        handle.wait_for_start(timeout=60)
    return took


def main() -> None:
    given = arguments(__doc__, count=1_000_000, purged=100_000)
    path = database(given.dir, "listing")
    begin = create(path, given.count)
    figures: dict[str, float] = {"file_mb": path.stat().st_size / 1e6}
    with open_client(path) as client, everstep.Worker(client, WORKFLOWS, ACTIVITIES):
        figures.update(pages(client, begin, given.count))
        for name, criteria in {"all": {}, "name": {"workflow_name": "workflow-3"}}.items():
            samples = []
            for _ in range(5):
                began = time.perf_counter()
                counts = client.count_workflows(**criteria)
                samples.append((time.perf_counter() - began) * 1e3)
            assert sum(counts.values()) in (given.count + 2, given.count // NAMES)
            figures[f"count_{name}_ms"] = percentile(samples, 0.5)

        starts(client, None, 500)
        alone = starts(client, None, 3000)
        over = threading.Event()
        slices: list[float] = []

        def purge() -> None:
            last = begin + timedelta(milliseconds=given.purged)
            began = time.perf_counter()

            def progress(done: int) -> None:
                slices.append(done)
                if time.perf_counter() - began > LOOK_SECONDS:
                    raise EnoughSeen

            with suppress(EnoughSeen):
                client.purge_workflows(created_from=begin, created_to=last, progress=progress)
            figures["purged_per_s"] = slices[-1] / (time.perf_counter() - began)
            over.set()

        thread = threading.Thread(target=purge)
        thread.start()
        beside = starts(client, over, 0)
        thread.join()
        alone.extend(starts(client, None, 3000))
    figures["slices"] = len(slices)
    for name, samples in {"alone": alone, "beside": beside}.items():
        figures[f"starts_{name}"] = len(samples)
        for part in (0.5, 0.99):
            figures[f"start_{name}_p{part * 100:.0f}_us"] = percentile(samples, part)
    figures["page_ms"] = max(
        value for name, value in figures.items() if name.startswith("page_") and "payloads" not in name
    )
    figures["start_p99_ratio"] = figures["start_beside_p99_us"] / figures["start_alone_p99_us"]
    path.unlink()
    report(**figures)


if __name__ == "__main__":
    main()
