"""What is measured, in which languages, and how good it must be."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

Figures = dict[str, float]
LANGUAGES = ("python", "node", "java")


@dataclass(frozen=True)
class Bench:
    """One script, which each of the languages has under the same name, and how it is called."""

    name: str
    script: str
    arguments: tuple[str, ...] = ()
    quick: tuple[str, ...] = ()
    """What is appended for ``--quick``."""
    floor: str = ""
    """The workflows in flight of the floor that is measured beside it, if one is."""
    repeats: int = 5
    timeout: float = 300.0
    languages: tuple[str, ...] = ("python",)


BENCHES = [
    Bench("load32", "load", ("--in-flight", "32"), ("--seconds", "2"), floor="32", languages=LANGUAGES),
    Bench("load256", "load", ("--in-flight", "256"), ("--seconds", "2"), floor="256", languages=LANGUAGES),
    Bench("single", "single", (), ("--count", "1000"), floor="1", languages=LANGUAGES),
    Bench("aio", "aio"),
    Bench("length", "length"),
    Bench("fan", "fan"),
    Bench("pool", "pool"),
    Bench("sleepers", "sleepers", (), ("--count", "100000"), timeout=900),
    Bench("listing", "listing", (), ("--count", "100000", "--purged", "10000"), repeats=1, timeout=900),
    Bench("timers", "timers", repeats=3),
    Bench("recovery", "recovery", repeats=3, timeout=600),
    Bench("quiet", "quiet", repeats=1, languages=LANGUAGES),
    Bench("active", "active", repeats=3, languages=("java",)),
    Bench("pinned", "pinned", repeats=1, languages=("java",)),
    Bench("payloads", "payloads"),
    Bench("package", "package", repeats=1, languages=LANGUAGES),
]


@dataclass(frozen=True)
class Peer:
    """Another library in the same closed loop, and whom it is put beside."""

    name: str
    shown: str
    language: str
    script: str
    in_flight: tuple[str, ...] = ("32", "256")
    repeats: int = 3


PEERS = [
    Peer("dbos", "DBOS on SQLite", "python", "peer_dbos"),
    Peer("restate", "Restate", "node", "peer_restate"),
    Peer("dapr", "Dapr's JavaScript SDK on a sidecar with Redis", "node", "peer_dapr", in_flight=("32",)),
    Peer("dapr", "Dapr's Java SDK on a sidecar with Redis", "java", "peer_dapr", in_flight=("32",)),
]


@dataclass(frozen=True)
class Row:
    """One row of the table. Its figures are named by language, bench and key; its bars by language."""

    measure: str
    figure: str
    unit: str
    bars: Mapping[str, float | Callable[[Figures], float]] = field(default_factory=dict)
    least: bool = False
    """Whether more is better."""

    def bar(self, language: str, figures: Figures) -> float:
        bar = self.bars[language]
        return bar(figures) if callable(bar) else bar

    def holds(self, language: str, figures: Figures) -> bool:
        value, bar = figures[f"{language}.{self.figure}"], self.bar(language, figures)
        return value >= bar if self.least else value <= bar


def part(of: float, in_flight: int) -> Callable[[Figures], float]:
    """A part of what the floor does with as many in flight."""
    return lambda figures: of * figures[f"floor{in_flight}"]


ROWS = [
    Row(
        "five-activity workflows, 32 in flight",
        "load32.wf_per_s",
        "/s",
        {"python": part(0.25, 32), "node": part(0.30, 32), "java": part(0.30, 32)},
        least=True,
    ),
    Row(
        "five-activity workflows, 256 in flight",
        "load256.wf_per_s",
        "/s",
        {"python": part(0.20, 256), "node": part(0.25, 256), "java": part(0.25, 256)},
        least=True,
    ),
    Row("the same, over Restate, 32 in flight", "load32.over_restate", "x", {"node": 10}, least=True),
    Row("the same, over Restate, 256 in flight", "load256.over_restate", "x", {"node": 10}, least=True),
    Row(
        "the same, over Dapr's own SDK, 32 in flight",
        "load32.over_dapr",
        "x",
        {"node": 20, "java": 20},
        least=True,
    ),
    Row(
        "CPU per five-activity workflow, 256 in flight",
        "load256.cpu_us",
        "µs",
        {"python": 350, "node": 300, "java": 350},
    ),
    Row("event loop's delay, 32 in flight, p99", "load32.loop_p99_ms", "ms"),
    Row("event loop's delay, 256 in flight, p99", "load256.loop_p99_ms", "ms", {"node": 10}),
    Row("processor time of the loop between ticks, p99", "load256.loop_work_p99_ms", "ms"),
    Row(
        "one-activity workflow, one at a time, p50",
        "single.whole_p50_us",
        "µs",
        {"python": lambda f: 3 * f["flush_p50_us"] + 500},
    ),
    Row(
        "one-activity workflow, one at a time, p99",
        "single.whole_p99_us",
        "µs",
        {"python": lambda f: 3 * f["flush_p99_us"] + 3000},
    ),
    Row(
        "start acknowledged, p50",
        "single.start_p50_us",
        "µs",
        {"python": lambda f: f["flush_p50_us"] + 150},
    ),
    Row("get of a cached instance, p50", "single.get_cached_p50_us", "µs", {"python": 15}),
    Row("get of a finished one, from disk, p50", "single.get_finished_p50_us", "µs", {"python": 80}),
    Row("start on asyncio over the sync client, 100 in flight", "aio.start_more_us", "µs", {"python": 25}),
    Row("get on asyncio over the sync client, 100 in flight", "aio.get_more_us", "µs", {"python": 25}),
    Row("threads of a process with 10,000 result() waits", "aio.wait_threads", "", {"python": 4}),
    Row("per step, 10,000 steps against 10", "length.ratio", "x", {"python": 1.2}),
    Row("rebuild of a 10,000-step instance", "length.rebuild_ms", "ms", {"python": 300}),
    Row("per activity, 10,000 parallel ones against 10", "fan.ratio", "x", {"python": 2}),
    Row("the same with ctx.map", "fan.map_ratio", "x", {"python": 2}),
    Row("the same, at most 100 at a time", "fan.window_ratio", "x", {"python": 2}),
    Row("naps of 100 ms, pool of 64, 256 in flight", "pool.per_s", "/s", {"python": 576}, least=True),
    Row("memory with {sleepers} sleeping instances", "sleepers.rss_mb", "MB", {"python": 128}),
    Row("opening a file with {sleepers} sleeping ones", "sleepers.open_s", "s", {"python": 2}),
    Row("page of 100 of {sleepers}, slowest filter", "listing.page_ms", "ms", {"python": 1}),
    Row("count by status of {sleepers}", "listing.count_all_ms", "ms", {"python": 100}),
    Row(
        "start p99 while a tenth of {sleepers} is being purged",
        "listing.start_p99_ratio",
        "x",
        {"python": 1.5},
    ),
    Row("lateness of 10,000 timers due in one second, p99", "timers.p99_ms", "ms", {"python": 50}),
    Row("first task after a kill, 100,000 + 1,000", "recovery.first_task_ms", "ms", {"python": 200}),
    Row(
        "wake-ups in 10 s, 1,000 instances waiting", "quiet.wake_ups", "", {"python": 0, "node": 0, "java": 0}
    ),
    Row("heap of 10,000 active instances", "active.heap_mb", "MB", {"java": 200}),
    Row("virtual threads that waited on their carrier, 256 in flight", "pinned.pinned", "", {"java": 0}),
    Row("a dataclass of 1 KB there and back, over plain JSON", "payloads.dataclass_us", "µs", {"python": 25}),
    Row("memory after import, engine and one workflow", "package.rss_mb", "MB", {"python": 30}),
    Row("import", "package.import_ms", "ms", {"python": 40, "node": 30}),
    Row("from main to an open client, in a new JVM", "package.open_ms", "ms"),
    Row("from main to the first result", "package.first_result_ms", "ms"),
    Row("jar of classes", "package.classes_kb", "KB", {"java": 300}),
    Row("jar of the native library", "package.native_mb", "MB", {"java": 8}),
    Row("packages it needs but JSpecify", "package.dependencies", "", {"java": 0}),
    Row("wheel", "package.wheel_mb", "MB", {"python": 8}),
    Row("installed", "package.installed_mb", "MB", {"node": 12}),
    Row("disk per five-activity workflow", "load256.disk_kb", "KB", {"python": 6, "node": 6, "java": 6}),
]
