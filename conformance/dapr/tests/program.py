"""What runs while something breaks: workflows whose every effect stands in a ledger, outside of any engine.

    python program.py LEDGER

is a worker process of them, until its standard input ends; with ``--hold N`` its activities stop in the middle of step N.
"""

from __future__ import annotations

import argparse
import os
import sqlite3
import sys
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import everstep

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

WAIT_SECONDS = 60
"""How long anything may take until a test calls it lost."""


@dataclass(frozen=True)
class Effect:
    """What one task did: how often it ran, and in which process first."""

    instance_id: str
    step: int
    runs: int
    process: int


class Ledger:
    """Effects by task key, in a file that several processes write. A task that runs again finds its row."""

    def __init__(self, path: Path) -> None:
        self._lock = threading.Lock()
        self._changed = threading.Condition(self._lock)
        self._connection = sqlite3.connect(path, check_same_thread=False, timeout=30, isolation_level=None)
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.execute(
            "CREATE TABLE IF NOT EXISTS effects (key TEXT PRIMARY KEY, instance TEXT, step INTEGER, process INTEGER,"
            " runs INTEGER DEFAULT 1)"
        )

    def note(self, key: str, instance_id: str, step: int) -> None:
        with self._changed:
            self._connection.execute(
                "INSERT INTO effects (key, instance, step, process) VALUES (?, ?, ?, ?)"
                " ON CONFLICT (key) DO UPDATE SET runs = runs + 1",
                (key, instance_id, step, os.getpid()),
            )
            self._changed.notify_all()

    def effects(self) -> list[Effect]:
        """All there are, by instance and step."""
        with self._lock:
            return self._read()

    def wait_for(self, count: int, timeout: float = WAIT_SECONDS) -> None:
        """Waits until there are so many effects; raises ``TimeoutError``. Other processes write too, so it looks."""
        until = time.monotonic() + timeout
        with self._changed:
            while len(self._read()) < count:
                if time.monotonic() > until:
                    raise TimeoutError(f"{len(self._read())} of {count} effects after {timeout} s")
                self._changed.wait(0.02)

    def close(self) -> None:
        with self._lock:
            self._connection.close()

    def _read(self) -> list[Effect]:
        rows = self._connection.execute("SELECT instance, step, runs, process FROM effects ORDER BY 1, 2")
        return [Effect(*row) for row in rows]


class Here:
    """What the activities of this process work on."""

    ledger: Ledger
    in_step: Callable[[int], None]
    in_turn: Callable[[int], None]


# --- workflows and activities ------------------------------------------------------------------------------------


@everstep.activity
def step(task: everstep.ActivityContext, number: int) -> int:
    Here.ledger.note(task.task_key, task.instance_id, number)
    Here.in_step(number)
    return number * number


@everstep.activity
def letters(count: int) -> str:
    return "x" * count


@everstep.workflow
async def steps(ctx: everstep.WorkflowContext, count: int) -> list[int]:
    """One step after the other."""
    done = []
    for number in range(count):
        # What no workflow of a user's may do: it tells the test that the turn is being run.
        Here.in_turn(number)
        done.append(await ctx.call(step, number))
    return done


@everstep.workflow
async def pauses(ctx: everstep.WorkflowContext, count: int) -> list[int]:
    """Steps with durable timers between them."""
    done = []
    for number in range(count):
        done.append(await ctx.call(step, number))
        await ctx.sleep(0.5)
    return done


@everstep.workflow
async def at_once(ctx: everstep.WorkflowContext, count: int) -> list[int]:
    """All steps side by side."""
    return list(await ctx.all(*[ctx.call(step, number) for number in range(count)]))


@everstep.workflow
async def asks(ctx: everstep.WorkflowContext, count: int) -> list[int]:
    """A step, an event with a number, and the other steps."""
    await ctx.call(step, 0)
    answer = await ctx.wait_for_event("answer", timeout=timedelta(seconds=WAIT_SECONDS), type=int)
    return [answer] + [await ctx.call(step, number) for number in range(1, count)]


@everstep.workflow
async def parent(ctx: everstep.WorkflowContext, count: int) -> list[list[int]]:
    """Children, side by side."""
    return list(await ctx.all(*[ctx.call(steps, 2) for _ in range(count)]))


@everstep.workflow
async def spells(ctx: everstep.WorkflowContext, sizes: list[int]) -> list[str]:
    """How long the activity's answers were, or the type of the error."""
    found = []
    for size in sizes:
        try:
            found.append(str(len(await ctx.call(letters, size))))
        except everstep.ActivityError as error:
            found.append(error.error_type)
    return found


@everstep.workflow
async def returns(_: everstep.WorkflowContext, count: int) -> str:
    """As many letters, itself."""
    return "x" * count


@everstep.workflow
async def measures(ctx: everstep.WorkflowContext, text: str) -> int:
    """The length of its input and of one event."""
    if text:
        return len(text)
    return len(await ctx.wait_for_event("text", timeout=timedelta(seconds=WAIT_SECONDS), type=str))


WORKFLOWS: list[Callable[..., object]] = [steps, pauses, at_once, asks, parent, spells, returns, measures]
ACTIVITIES: list[Callable[..., object]] = [step, letters]


def expected(count: int) -> list[int]:
    """What so many steps answer."""
    return [number * number for number in range(count)]


def quietly(number: int) -> None:
    """What happens within a step or before it: nothing."""


@contextmanager
def working(
    endpoint: str,
    ledger: Ledger,
    in_step: Callable[[int], None] = quietly,
    in_turn: Callable[[int], None] = quietly,
    calls: str | None = None,
    max_payload_bytes: int | None = None,
) -> Iterator[everstep.Client]:
    """A worker of the program in this process, and a client, which may have a way of its own (``calls``)."""
    Here.ledger, Here.in_step, Here.in_turn = ledger, in_step, in_turn
    with (
        everstep.Client(endpoint, call_timeout=WAIT_SECONDS, max_payload_bytes=max_payload_bytes) as engine,
        everstep.Worker(engine, WORKFLOWS, ACTIVITIES),
        everstep.Client(
            calls or endpoint, call_timeout=WAIT_SECONDS, max_payload_bytes=max_payload_bytes
        ) as client,
    ):
        yield client


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("ledger", type=Path)
    parser.add_argument("--hold", type=int, metavar="N")
    options = parser.parse_args()
    held = threading.Event()

    def stop(number: int) -> None:
        if number == options.hold:
            held.wait()

    ledger = Ledger(options.ledger)
    with working("dapr:", ledger, stop):
        sys.stdin.read()
        held.set()
    ledger.close()


if __name__ == "__main__":
    main()
