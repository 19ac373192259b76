"""What is measured: the workflows and activities of all benches, and the few ways in which they are measured."""

from __future__ import annotations

import argparse
import asyncio
import json
import math
import os
import resource
import sqlite3
import sys
import time
from pathlib import Path
from typing import Any

import everstep


@everstep.activity
def add_one(number: int) -> int:
    return number + 1


@everstep.activity
def nap(milliseconds: int) -> None:
    time.sleep(milliseconds / 1000)


@everstep.workflow
async def one_activity(ctx: everstep.WorkflowContext, number: int) -> int:
    return await ctx.call(add_one, number)


@everstep.workflow
async def five_activities(ctx: everstep.WorkflowContext, number: int) -> int:
    for _ in range(5):
        number = await ctx.call(add_one, number)
    return number


@everstep.workflow
async def steps(ctx: everstep.WorkflowContext, count: int) -> int:
    number = 0
    for _ in range(count):
        number = await ctx.call(add_one, number)
    return number


@everstep.workflow
async def steps_then_event(ctx: everstep.WorkflowContext, count: int) -> int:
    number = 0
    for _ in range(count):
        number = await ctx.call(add_one, number)
    ctx.set_custom_status("waiting")
    await ctx.wait_for_event("go")
    return number


@everstep.workflow
async def fan_out(ctx: everstep.WorkflowContext, count: int) -> int:
    return sum(await ctx.all(*(ctx.call(add_one, number) for number in range(count))))


@everstep.workflow
async def mapped(ctx: everstep.WorkflowContext, count: int) -> int:
    return sum(await ctx.map(add_one, range(count)))


@everstep.workflow
async def windowed(ctx: everstep.WorkflowContext, count: int) -> int:
    return sum(await ctx.map(add_one, range(count), max_concurrency=100))


@everstep.workflow
async def napping(ctx: everstep.WorkflowContext, milliseconds: int) -> None:
    await ctx.call(nap, milliseconds)


@everstep.workflow
async def event_waiter(ctx: everstep.WorkflowContext) -> Any:
    return await ctx.wait_for_event("go")


@everstep.workflow
async def sleeper(_: everstep.WorkflowContext, seconds: float) -> None:
    await asyncio.sleep(seconds)


WORKFLOWS = [
    one_activity,
    five_activities,
    steps,
    steps_then_event,
    fan_out,
    mapped,
    windowed,
    napping,
    event_waiter,
    sleeper,
]
ACTIVITIES = [add_one, nap]


def arguments(description: str, **more: Any) -> argparse.Namespace:
    """The command line of a bench: ``--dir`` and what ``more`` names with a default."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--dir", type=Path, required=True, help="a directory on the disk to be measured")
    for name, default in more.items():
        parser.add_argument(f"--{name.replace('_', '-')}", type=type(default), default=default)
    given = parser.parse_args()
    given.dir.mkdir(parents=True, exist_ok=True)
    return given


def database(directory: Path, name: str) -> Path:
    """The path of a database that does not exist yet."""
    for suffix in ("", "-wal", "-shm", ".lock"):
        (directory / f"{name}.db{suffix}").unlink(missing_ok=True)
    return directory / f"{name}.db"


def open_client(path: Path) -> everstep.Client:
    return everstep.Client(f"sqlite:{path}")


def report(**figures: Any) -> None:
    """Ends a bench: its figures as the one line of JSON that the driver reads."""
    print(json.dumps(figures))


def percentile(samples: list[float], part: float) -> float:
    """The smallest sample that at least ``part`` of all do not exceed."""
    ordered = sorted(samples)
    return ordered[max(0, math.ceil(part * len(ordered)) - 1)]


def cpu() -> float:
    """Seconds of CPU of all threads, also of those that have ended."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def resident_mb() -> float:
    """Megabytes of memory that this process holds now."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def switches() -> dict[str, int]:
    """How often each thread but the main one has given up the processor of its own will, by thread id and name."""
    counts = {}
    for task in Path("/proc/self/task").iterdir():
        if int(task.name) == os.getpid():
            continue
        fields = dict(
            line.split(":\t", 1) for line in (task / "status").read_text().splitlines() if ":\t" in line
        )
        counts[f"{task.name} {fields['Name']}"] = int(fields["voluntary_ctxt_switches"])
    return counts


def multiply(path: Path, count: int, spread_seconds: float = 0.0) -> None:
    """Makes ``count`` more instances like the only one in the closed file at ``path``, by copying its rows.

    Starting a million instances through the API would take minutes and prove nothing about what is measured here. Their
    histories are equal to the byte; keys, IDs and the times of timers differ, timers lying ``spread_seconds`` apart.
    """
    with sqlite3.connect(path) as connection:
        (key,) = connection.execute("SELECT pk FROM instances").fetchone()
        numbers = f"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {count})"
        changed = {
            "instances": {"pk": "pk + i", "instance_id": "instance_id || '-' || i"},
            "turns": {"id": "NULL", "pk": "pk + i"},
            "inbox": {"pk": "pk + i"},
            "timers": {"pk": "pk + i", "fire_at": f"fire_at + i * {int(spread_seconds * 1e6)}"},
        }
        for table, change in changed.items():
            columns = [row[1] for row in connection.execute(f"PRAGMA table_info({table})")]
            values = ", ".join(change.get(column, column) for column in columns)
            connection.execute(
                f"INSERT INTO {table} ({', '.join(columns)}) {numbers} SELECT {values} FROM {table}, n WHERE pk = {key}"
            )
    connection.close()


def wait_until(condition: Any, seconds: float = 60.0) -> None:
    """Waits for a condition outside the measured time; ends the bench if it does not come true."""
    until = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > until:
            sys.exit(f"not reached within {seconds:.0f} s: {condition.__name__}")
        time.sleep(0.02)
