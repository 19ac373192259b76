"""What is measured, the same for both sides: each is a program that gives a ``Side`` and calls ``main``.

It knows neither library, so that both are driven by the same loops. A measure prints its figures as a line of JSON.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import math
import resource
import sys
import threading
import time
from collections import deque
from statistics import median
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from contextlib import AbstractContextManager

STEPS = 200
WARM_UP = 40
"""Workflows before the measured ones: connections, caches, and the placement of a worker that has just come."""
THREADS = 4
"""How many threads share the workflows in flight, as a program does that works off a list."""

STAMPS: list[tuple[float, float]] = []
"""The time and the process's CPU whenever an activity of the long workflow ran."""


class Side(Protocol):
    """One library: its client, and its worker with ``one``, ``five`` and ``steps``."""

    def worker(self) -> AbstractContextManager[object]:
        """A connected worker."""

    def start(self, name: str, number: int) -> str:
        """Starts a workflow; gives its ID."""

    def result(self, instance: str) -> int:
        """Waits for the output."""

    def get(self, instance: str) -> object:
        """Asks for the state."""

    def gets(self, instance: str, loops: int, until: float) -> Coroutine[Any, Any, list[int]]:
        """Has so many tasks of one event loop ask for the state; gives how often each did."""


def cpu() -> float:
    """Seconds of CPU of all threads, also of those that have ended."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def stamp(number: int) -> int:
    """The activity of the long workflow."""
    STAMPS.append((time.perf_counter(), cpu()))
    return number + 1


async def ask(get: Callable[[], Coroutine[Any, Any, object]], loops: int, until: float) -> list[int]:
    """What ``Side.gets`` does, given one question."""

    async def loop() -> int:
        count = 0
        while time.perf_counter() < until:
            await get()
            count += 1
        return count

    return await asyncio.gather(*(loop() for _ in range(loops)))


def percentile(samples: list[float], part: float) -> float:
    """The smallest sample that at least ``part`` of all do not exceed."""
    ordered = sorted(samples)
    return ordered[max(0, math.ceil(part * len(ordered)) - 1)]


def together(count: int, work: Callable[[int], None]) -> None:
    """Runs it on so many threads; raises what one of them raised."""
    failures: list[BaseException] = []

    def run(index: int) -> None:
        try:
            work(index)
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=run, args=(index,)) for index in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]


def get(side: Side, given: argparse.Namespace) -> dict[str, float]:
    """States per second at 32, on threads and on an event loop, and the latency of one question after another."""
    with side.worker():
        instance = side.start("one", 1)
        assert side.result(instance) == 2
        alone = []
        until = time.perf_counter() + given.seconds
        while (began := time.perf_counter()) < until:
            side.get(instance)
            alone.append(time.perf_counter() - began)
        counts = [0] * 32
        began, used = time.perf_counter(), cpu()
        until = began + given.seconds

        def loop(index: int) -> None:
            while time.perf_counter() < until:
                side.get(instance)
                counts[index] += 1

        together(32, loop)
        threads, threads_cpu = sum(counts) / (time.perf_counter() - began), (cpu() - used) / sum(counts)
        began, used = time.perf_counter(), cpu()
        counts = asyncio.run(side.gets(instance, 32, began + given.seconds))
        loops, loops_cpu = sum(counts) / (time.perf_counter() - began), (cpu() - used) / sum(counts)
    return {
        "get_1_us": median(alone) * 1e6,
        "get_32_threads_per_s": threads,
        "get_32_threads_cpu_us": threads_cpu * 1e6,
        "get_32_asyncio_per_s": loops,
        "get_32_asyncio_cpu_us": loops_cpu * 1e6,
    }


def keep_in_flight(side: Side, workflows: int, in_flight: int) -> None:
    """Runs five-activity workflows, so many at a time: starts one, then waits for the oldest."""

    def loop(index: int) -> None:
        share, left = in_flight // THREADS, workflows // THREADS
        started: deque[str] = deque()
        for _ in range(left):
            started.append(side.start("five", index))
            if len(started) == share:
                assert side.result(started.popleft()) == index + 5
        while started:
            assert side.result(started.popleft()) == index + 5

    together(THREADS, loop)


def load(side: Side, given: argparse.Namespace) -> dict[str, float]:
    """Five-activity workflows per second at 32 in flight; CPU and memory of this process, which is client and worker."""
    with side.worker():
        keep_in_flight(side, WARM_UP, 32)
        began, used = time.perf_counter(), cpu()
        keep_in_flight(side, given.workflows, 32)
        took, used = time.perf_counter() - began, cpu() - used
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {
        "wf_per_s": given.workflows / took,
        "cpu_s_per_1000": used / given.workflows * 1000,
        "peak_mb": peak,
    }


def single(side: Side, given: argparse.Namespace) -> dict[str, float]:
    """One-activity workflows one after another, from the start to the output."""
    with side.worker():
        for _ in range(WARM_UP):
            side.result(side.start("one", 1))
        samples = []
        for _ in range(given.workflows // 5):
            began = time.perf_counter()
            assert side.result(side.start("one", 1)) == 2
            samples.append(time.perf_counter() - began)
    return {"p50_ms": median(samples) * 1e3, "p99_ms": percentile(samples, 0.99) * 1e3}


def long(side: Side, given: argparse.Namespace) -> dict[str, float]:
    """A workflow of 200 steps: what a step takes, and costs this process, in the first and in the last quarter."""
    quarters: dict[str, list[float]] = {"first": [], "last": [], "first_cpu": [], "last_cpu": []}
    with side.worker():
        side.result(side.start("one", 1))
        for _ in range(given.repeats):
            STAMPS.clear()
            assert side.result(side.start("steps", STEPS)) == STEPS
            assert len(STAMPS) == STEPS, "an activity ran more than once"
            quarter = STEPS // 4
            for name, (begin, end) in {
                "first": (0, quarter),
                "last": (STEPS - quarter - 1, STEPS - 1),
            }.items():
                took, used = (end - begin for begin, end in zip(STAMPS[begin], STAMPS[end], strict=True))
                quarters[name].append(took / quarter)
                quarters[f"{name}_cpu"].append(used / quarter)
    first, last, first_cpu, last_cpu = (median(quarters[name]) for name in quarters)
    return {
        "first_ms": first * 1e3,
        "last_ms": last * 1e3,
        "first_cpu_us": first_cpu * 1e6,
        "last_cpu_us": last_cpu * 1e6,
    }


MEASURES = {measure.__name__: measure for measure in (get, load, single, long)}


def main(side: Callable[[], Side]) -> None:
    """Measures one thing and reports it."""
    parser = argparse.ArgumentParser()
    parser.add_argument("measure", choices=MEASURES)
    parser.add_argument("--seconds", type=float, default=3)
    parser.add_argument("--workflows", type=int, default=1000)
    parser.add_argument("--repeats", type=int, default=2)
    given = parser.parse_args()
    json.dump(MEASURES[given.measure](side(), given), sys.stdout)
