"""Measures everstep against the floor and the bars: every figure of the README comes from here.

    python benches/python/bench.py [--quick] [--strict] [--only NAME,...] [--dir DIR]

Each bench is a process of its own, repeated 5 times (once with ``--quick``), with the floor measured beside it each time;
medians count. A bar that is missed is said; only ``--strict`` makes it an error. A bench that crashes is always one.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
Figures = dict[str, float]

IMPORT = """
import time
began = time.perf_counter()
from everstep import Client, Worker, activity, workflow
print((time.perf_counter() - began) * 1e3)
"""
# A program that has imported nothing else, with a worker that has run one workflow.
RESIDENT = """
import os, sys
from everstep import Client, Worker, activity, workflow
@activity
def add_one(number: int) -> int:
    return number + 1
@workflow
async def one_activity(ctx, number: int) -> int:
    return await ctx.call(add_one, number)
with Client("sqlite:" + sys.argv[1]) as client, Worker(client, [one_activity], [add_one]):
    assert client.start_workflow(one_activity, 1).result(timeout=60) == 2
    print(int(open("/proc/self/statm").read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6)
"""


@dataclass(frozen=True)
class Bench:
    """One script and how it is called."""

    name: str
    script: str
    arguments: tuple[str, ...] = ()
    quick: tuple[str, ...] = ()
    """What is appended for ``--quick``."""
    floor: str = ""
    """The workflows in flight of the floor that is measured beside it, if one is."""
    repeats: int = 5
    timeout: float = 300.0


@dataclass(frozen=True)
class Bar:
    """One row of the table: what was measured, and how good it must be."""

    bench: str
    measure: str
    value: Callable[[Figures], float]
    bar: Callable[[Figures], float]
    unit: str
    least: bool = False
    """Whether more is better."""

    def holds(self, figures: Figures) -> bool:
        value, bar = self.value(figures), self.bar(figures)
        return value >= bar if self.least else value <= bar


BENCHES = [
    Bench("load32", "load.py", ("--in-flight", "32"), ("--seconds", "2"), floor="32"),
    Bench("load256", "load.py", ("--in-flight", "256"), ("--seconds", "2"), floor="256"),
    Bench("single", "single.py", (), ("--count", "1000"), floor="1"),
    Bench("aio", "aio.py"),
    Bench("length", "length.py"),
    Bench("fan", "fan.py"),
    Bench("pool", "pool.py"),
    Bench("sleepers", "sleepers.py", (), ("--count", "100000"), timeout=900),
    Bench("listing", "listing.py", (), ("--count", "100000", "--purged", "10000"), repeats=1, timeout=900),
    Bench("timers", "timers.py", repeats=3),
    Bench("recovery", "recovery.py", repeats=3, timeout=600),
    Bench("quiet", "quiet.py", repeats=1),
    Bench("payloads", "payloads.py"),
]


def figure(name: str) -> Callable[[Figures], float]:
    return lambda figures: figures[name]


def ratio(in_flight: str) -> Callable[[Figures], float]:
    return lambda figures: 100 * figures[f"floor{in_flight}"] / figures[f"raw{in_flight}"]


def fixed(value: float) -> Callable[[Figures], float]:
    return lambda _: value


BARS = [
    Bar(
        "load32",
        "five-activity workflows, 32 in flight",
        figure("load32.wf_per_s"),
        lambda f: 0.25 * f["floor32"],
        "/s",
        least=True,
    ),
    Bar(
        "load256",
        "five-activity workflows, 256 in flight",
        figure("load256.wf_per_s"),
        lambda f: 0.20 * f["floor256"],
        "/s",
        least=True,
    ),
    Bar("load32", "floor against the raw log, 32 in flight", ratio("32"), fixed(35), "%", least=True),
    Bar("load256", "floor against the raw log, 256 in flight", ratio("256"), fixed(25), "%", least=True),
    Bar(
        "load256", "CPU per five-activity workflow, 256 in flight", figure("load256.cpu_us"), fixed(350), "µs"
    ),
    Bar(
        "single",
        "one-activity workflow, one at a time, p50",
        figure("single.whole_p50_us"),
        lambda f: 3 * f["flush_p50_us"] + 500,
        "µs",
    ),
    Bar(
        "single",
        "one-activity workflow, one at a time, p99",
        figure("single.whole_p99_us"),
        lambda f: 3 * f["flush_p99_us"] + 3000,
        "µs",
    ),
    Bar(
        "single",
        "start acknowledged, p50",
        figure("single.start_p50_us"),
        lambda f: f["flush_p50_us"] + 150,
        "µs",
    ),
    Bar("single", "get of a cached instance, p50", figure("single.get_cached_p50_us"), fixed(15), "µs"),
    Bar(
        "single",
        "get of a finished one, from disk, p50",
        figure("single.get_finished_p50_us"),
        fixed(80),
        "µs",
    ),
    Bar(
        "aio",
        "start on asyncio over the sync client, 100 in flight",
        figure("aio.start_more_us"),
        fixed(25),
        "µs",
    ),
    Bar(
        "aio",
        "get on asyncio over the sync client, 100 in flight",
        figure("aio.get_more_us"),
        fixed(25),
        "µs",
    ),
    Bar("aio", "threads of a process with 10,000 result() waits", figure("aio.wait_threads"), fixed(4), ""),
    Bar("length", "per step, 10,000 steps against 10", figure("length.ratio"), fixed(1.2), "x"),
    Bar("length", "rebuild of a 10,000-step instance", figure("length.rebuild_ms"), fixed(300), "ms"),
    Bar("fan", "per activity, 10,000 parallel ones against 10", figure("fan.ratio"), fixed(2), "x"),
    Bar("fan", "the same with ctx.map", figure("fan.map_ratio"), fixed(2), "x"),
    Bar("fan", "the same, at most 100 at a time", figure("fan.window_ratio"), fixed(2), "x"),
    Bar(
        "pool",
        "naps of 100 ms, pool of 64, 256 in flight",
        figure("pool.per_s"),
        fixed(576),
        "/s",
        least=True,
    ),
    Bar("sleepers", "memory with {sleepers} sleeping instances", figure("sleepers.rss_mb"), fixed(128), "MB"),
    Bar("sleepers", "opening a file with {sleepers} sleeping ones", figure("sleepers.open_s"), fixed(2), "s"),
    Bar("listing", "page of 100 of {sleepers}, slowest filter", figure("listing.page_ms"), fixed(1), "ms"),
    Bar("listing", "count by status of {sleepers}", figure("listing.count_all_ms"), fixed(100), "ms"),
    Bar(
        "listing",
        "start p99 while a tenth of {sleepers} is being purged",
        figure("listing.start_p99_ratio"),
        fixed(1.5),
        "x",
    ),
    Bar(
        "timers", "lateness of 10,000 timers due in one second, p99", figure("timers.p99_ms"), fixed(50), "ms"
    ),
    Bar(
        "recovery",
        "first task after a kill, 100,000 + 1,000",
        figure("recovery.first_task_ms"),
        fixed(200),
        "ms",
    ),
    Bar("quiet", "wake-ups in 10 s, 1,000 instances waiting", figure("quiet.wake_ups"), fixed(0), ""),
    Bar(
        "payloads",
        "a dataclass of 1 KB there and back, over plain JSON",
        figure("payloads.dataclass_us"),
        fixed(25),
        "µs",
    ),
    Bar("package", "memory after import, engine and one workflow", figure("package.rss_mb"), fixed(30), "MB"),
    Bar("package", "import", figure("package.import_ms"), fixed(40), "ms"),
    Bar("package", "wheel", figure("package.wheel_mb"), fixed(8), "MB"),
    Bar("load256", "disk per five-activity workflow", figure("load256.disk_kb"), fixed(6), "KB"),
]


class Run:
    """One run of the whole: what was asked for and every figure of every repeat."""

    def __init__(self, options: argparse.Namespace) -> None:
        self.options = options
        self.samples: dict[str, list[float]] = {}
        self.crashed: list[str] = []

    def add(self, name: str, figures: dict[str, Any]) -> None:
        for key, value in figures.items():
            if isinstance(value, int | float):
                self.samples.setdefault(f"{name}.{key}" if name else key, []).append(value)

    def medians(self) -> Figures:
        return {name: median(values) for name, values in self.samples.items()}

    def floor(self, in_flight: str) -> None:
        """Measures the floor once. One short run may miss the floor's own bar by chance: the medians are judged below."""
        seconds = "1" if self.options.quick else "2"
        command = [target("floor"), "--dir", self.options.dir, "--runs", "1", "--seconds", seconds]
        command.extend(["--in-flight", in_flight])
        done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
        if '"floor"' not in done.stdout:
            self.crashed.append("floor")
            say(done.stderr)
        for line in map(json.loads, done.stdout.splitlines()):
            if line["measure"] == "flush":
                self.add("", {"flush_p50_us": line["p50_us"], "flush_p99_us": line["p99_us"]})
            elif line["measure"] == "floor":
                n = line["in_flight"]
                self.add("", {f"floor{n}": line["sqlite_wf_per_s"], f"raw{n}": line["raw_wf_per_s"]})

    def bench(self, bench: Bench) -> None:
        command = [sys.executable, HERE / bench.script, "--dir", self.options.dir, *bench.arguments]
        if self.options.quick:
            command.extend(bench.quick)
        if (figures := self.call(bench.name, command, bench.timeout)) is not None:
            self.add(bench.name, figures)

    def call(self, name: str, command: list[Any], timeout: float) -> dict[str, Any] | None:
        """The figures of one process, or nothing if it crashed."""
        began = time.monotonic()
        try:
            done = subprocess.run(command, stdout=subprocess.PIPE, text=True, timeout=timeout, check=False)
        except subprocess.TimeoutExpired:
            say(f"{name:<9} did not end within {timeout:.0f} s")
            self.crashed.append(name)
            return None
        if done.returncode or not done.stdout:
            say(f"{name:<9} ended with status {done.returncode}")
            self.crashed.append(name)
            return None
        figures: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
        shown = "  ".join(
            f"{key} {round(value, 3) if isinstance(value, float) else value}"
            for key, value in figures.items()
        )
        say(f"{name:<9} {time.monotonic() - began:5.1f} s  {shown}")
        return figures

    def package(self) -> None:
        """What a small program takes in fresh interpreters, and the wheel's size where one was built."""
        times = []
        for _ in range(11):
            done = subprocess.run(
                [sys.executable, "-c", IMPORT], capture_output=True, text=True, check=True, timeout=60
            )
            times.append(float(done.stdout))
        path = self.options.dir / "resident.db"
        path.unlink(missing_ok=True)
        resident = subprocess.run(
            [sys.executable, "-c", RESIDENT, path], capture_output=True, text=True, check=True, timeout=60
        )
        self.add("package", {"import_ms": median(times), "rss_mb": float(resident.stdout)})
        wheels = sorted((ROOT / "dist").glob("everstep-*.whl"), key=lambda wheel: wheel.stat().st_mtime)
        if wheels:
            self.add("package", {"wheel_mb": wheels[-1].stat().st_size / 1e6})

    def peer(self) -> None:
        """DBOS in the same loop, where it is installed."""
        for in_flight in (32, 256):
            script = [
                sys.executable,
                HERE / "peer_dbos.py",
                "--dir",
                self.options.dir,
                "--in-flight",
                str(in_flight),
            ]
            if (figures := self.call(f"dbos{in_flight}", script, 180)) is not None:
                self.add(f"dbos{in_flight}", figures)


def target(name: str) -> Path:
    return Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")) / "release" / name


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--quick", action="store_true", help="once instead of five times, and smaller where it matters not"
    )
    parser.add_argument("--strict", action="store_true", help="a missed bar is an error")
    parser.add_argument(
        "--only", type=lambda text: text.split(","), help="names of benches, with commas between"
    )
    parser.add_argument("--repeats", type=int, help="instead of the number that each bench has")
    parser.add_argument("--dir", type=Path, default=ROOT / ".cache" / "bench", help="where the databases lie")
    given = parser.parse_args()
    known = {*(bench.name for bench in BENCHES), "package", "peer"}
    if given.only and (unknown := set(given.only) - known):
        parser.error(f"unknown bench {', '.join(sorted(unknown))}: choose from {', '.join(sorted(known))}")
    return given


def measure(run: Run) -> None:
    chosen = run.options.only or [*(bench.name for bench in BENCHES), "package", "peer"]
    for bench in BENCHES:
        if bench.name not in chosen:
            continue
        for _ in range(run.options.repeats or (1 if run.options.quick else bench.repeats)):
            if bench.floor:
                run.floor(bench.floor)
            run.bench(bench)
    if "package" in chosen:
        run.package()
    if "peer" in chosen and not run.options.quick:
        run.peer()


def table(figures: Figures, quick: bool) -> tuple[list[dict[str, Any]], int]:
    """Prints the rows for which there are figures; gives them and the count of missed bars."""
    rows, missed = [], 0
    print(f"\n{'measure':<52} {'measured':>12} {'bar':>14}")
    for bar in BARS:
        try:
            value, limit, holds = bar.value(figures), bar.bar(figures), bar.holds(figures)
        except KeyError:
            continue
        measure = bar.measure.format(sleepers="100,000" if quick else "1,000,000")
        sign = "≥" if bar.least else "≤"
        print(
            f"{measure:<52} {number(value):>9} {bar.unit:<2} {sign:>3} {number(limit):>7} {bar.unit:<2}  {'pass' if holds else 'MISS'}"
        )
        rows.append({"measure": measure, "value": value, "bar": limit, "unit": bar.unit, "holds": holds})
        missed += not holds
    for text, key in (("32 in flight", "32"), ("256 in flight", "256")):
        if f"floor{key}" in figures:
            part = (
                f", everstep {figures[f'load{key}.wf_per_s'] / figures[f'floor{key}']:.0%}"
                if f"load{key}.wf_per_s" in figures
                else ""
            )
            print(
                f"floor, {text}: {number(figures[f'floor{key}'])} workflows/s ({figures[f'floor{key}'] / figures[f'raw{key}']:.0%} of the raw log{part})"
            )
        if {f"dbos{key}.wf_per_s", f"load{key}.wf_per_s"} <= figures.keys():
            ratio = figures[f"load{key}.wf_per_s"] / figures[f"dbos{key}.wf_per_s"]
            print(
                f"DBOS on SQLite, {text}: {number(figures[f'dbos{key}.wf_per_s'])} workflows/s; everstep does {ratio:.0f} times that"
            )
    if "flush_p50_us" in figures:
        print(f"flush: p50 {figures['flush_p50_us']:.0f} µs, p99 {figures['flush_p99_us']:.0f} µs")
    return rows, missed


def number(value: float) -> str:
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def main() -> None:
    given = options()
    run = Run(given)
    given.dir.mkdir(parents=True, exist_ok=True)
    measure(run)
    figures = run.medians()
    rows, missed = table(figures, given.quick)
    machine = f"{os.cpu_count()} cores, {platform.system()} {platform.release()}, Python {platform.python_version()}"
    print(f"on {machine}, load average {os.getloadavg()[0]:.1f}")
    results = HERE.parent / "results"
    results.mkdir(exist_ok=True)
    name = time.strftime("%Y%m%d-%H%M%S.json")
    record = {
        "machine": machine,
        "quick": given.quick,
        "rows": rows,
        "medians": figures,
        "samples": run.samples,
    }
    (results / name).write_text(json.dumps(record, indent=1) + "\n")
    if run.crashed:
        sys.exit(f"crashed: {', '.join(run.crashed)}")
    if missed:
        say(f"{missed} of {len(rows)} bars missed")
        if given.strict:
            sys.exit(1)


if __name__ == "__main__":
    main()
