"""everstep beside Dapr's own Python SDK, at the same sidecar, in one run.

    make bench-dapr

Each measure is a process of its own, and rounds alternate: ours, theirs, ours, theirs. Medians count. States are asked for
with the in-memory store, with `wrk` as the floor, since Redis would hide the client; workflows run with Redis behind them.
A bar that is missed is said; only ``--strict`` makes it an error. A measure that crashes is always one.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import time
import urllib.request
import uuid
import zipfile
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
sys.path.append(str(ROOT / "conformance" / "dapr"))

from cluster import Cluster  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Callable

    from cluster import Sidecar

Figures = dict[str, float]

OFFICIAL = Path(os.environ.get("EVERSTEP_CROSSING", ROOT / ".cache" / "crossing")) / "python-1.19"
SIDES = {
    "ours": (sys.executable, HERE / "ours.py"),
    "theirs": (OFFICIAL / "bin" / "python", HERE / "official.py"),
}
IMPORTS = {
    "ours": "from everstep import Client, Worker, activity, workflow",
    "theirs": "from dapr.ext.workflow import DaprWorkflowClient, WorkflowRuntime",
}
TIMED = "import time; began = time.perf_counter(); {}; print((time.perf_counter() - began) * 1e3)"
# What makes an environment, and is no part of what was installed into it.
TOOLS = re.compile(r"^(pip|setuptools|pkg_resources|_distutils_hack|distutils-precedence)|__pycache__")


@dataclass(frozen=True)
class Row:
    """One line of the table: a figure of ours, the one it is compared with, and the bar for their relation."""

    measure: str
    key: str
    unit: str
    against: str = "theirs"
    """Whose figure of the same key stands beside it; or a figure's whole name."""
    bar: float | None = None
    """Our figure over the other one; none where it is only shown."""
    least: bool = False
    """Whether the bar is the least that is wanted; else it is the most."""

    def other(self) -> str:
        return self.against if "." in self.against else f"{self.against}.{self.key}"

    def ratio(self, figures: Figures) -> float:
        return figures[f"ours.{self.key}"] / figures[self.other()]

    def holds(self, figures: Figures) -> bool:
        if self.bar is None:
            return True
        return self.ratio(figures) >= self.bar if self.least else self.ratio(figures) <= self.bar


ROWS = [
    Row("get, 32 in flight, against wrk", "get_32_per_s", "/s", "wrk.per_s_32", 0.7, least=True),
    Row("get, 32 in flight", "get_32_per_s", "/s", bar=2, least=True),
    Row("get, one after another, p50, against wrk", "get_1_us", "µs", "wrk.p50_us_1", 1.5),
    Row("get, one after another, p50", "get_1_us", "µs"),
    Row("CPU of the client per get, 32 in flight", "get_32_cpu_us", "µs"),
    Row("five-activity workflows, 32 in flight", "wf_per_s", "/s", bar=1, least=True),
    Row("client CPU per 1,000 of them", "cpu_s_per_1000", "s", bar=0.25),
    Row("client memory, peak", "peak_mb", "MB"),
    Row("one-activity workflow, one at a time, p50", "p50_ms", "ms"),
    Row("one-activity workflow, one at a time, p99", "p99_ms", "ms"),
    Row("step of 200, first quarter", "first_ms", "ms"),
    Row("step of 200, last quarter", "last_ms", "ms"),
    Row("client CPU of a step, first quarter", "first_cpu_us", "µs"),
    Row("client CPU of a step, last quarter", "last_cpu_us", "µs"),
    Row("client CPU of a step, last over first quarter", "last_cpu_us", "µs", "ours.first_cpu_us", 1.2),
    Row("installed", "installed_mb", "MB"),
    Row("import", "import_ms", "ms"),
]


class Run:
    """One run of the whole: every figure of every round."""

    def __init__(self, given: argparse.Namespace) -> None:
        self.given = given
        self.samples: dict[str, list[float]] = {}
        self.crashed: list[str] = []

    def add(self, name: str, figures: Figures) -> None:
        for key, value in figures.items():
            self.samples.setdefault(f"{name}.{key}", []).append(value)

    def medians(self) -> Figures:
        figures = {name: median(values) for name, values in self.samples.items()}
        # Threads or an event loop: each side is judged by what it does better.
        for side in SIDES:
            flavours = [f for f in ("threads", "asyncio") if f"{side}.get_32_{f}_per_s" in figures]
            if flavours:
                best = max(flavours, key=lambda flavour: figures[f"{side}.get_32_{flavour}_per_s"])
                figures[f"{side}.get_32_per_s"] = figures[f"{side}.get_32_{best}_per_s"]
                figures[f"{side}.get_32_cpu_us"] = figures[f"{side}.get_32_{best}_cpu_us"]
        return figures

    def measure(self, side: str, measure: str, sidecar: Sidecar) -> None:
        """Runs one measure of one side in a process of its own."""
        program, script = SIDES[side]
        given = self.given
        command = [program, script, measure, "--seconds", given.seconds, "--workflows", given.workflows]
        ports = {"DAPR_GRPC_PORT": sidecar.grpc_port, "DAPR_HTTP_PORT": sidecar.http_port}
        environment = {**os.environ, **{name: str(port) for name, port in ports.items()}}
        began = time.monotonic()
        try:
            done = subprocess.run(
                [str(part) for part in command],
                env=environment,
                capture_output=True,
                text=True,
                timeout=180,
                check=True,
            )
            figures: Figures = json.loads(done.stdout.splitlines()[-1])
        except (subprocess.SubprocessError, IndexError, ValueError) as error:
            self.crashed.append(f"{side} {measure}")
            errors = getattr(error, "stderr", None) or ""
            say(f"{side} {measure}: {error}\n{errors if isinstance(errors, str) else errors.decode()}")
            return
        self.add(side, figures)
        shown = "  ".join(f"{key} {number(value)}" for key, value in figures.items())
        say(f"{side:<7} {measure:<7} {time.monotonic() - began:5.1f} s  {shown}")

    def floor(self, sidecar: Sidecar, instance: str) -> None:
        """Asks for the state of an instance by `wrk`, which does nothing with the answer."""
        url = f"http://127.0.0.1:{sidecar.http_port}/v1.0/workflows/dapr/{instance}"
        for connections in (1, 32):
            command = [
                "wrk",
                *("--threads", "1", "--connections", str(connections)),
                *("--duration", f"{self.given.seconds:.0f}s", "--latency", url),
            ]
            said = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout
            rate = re.search(r"Requests/sec: +([\d.]+)", said)
            half = re.search(r"50% +([\d.]+)(us|ms)", said)
            if rate is None or half is None or "Non-2xx" in said:
                self.crashed.append("wrk")
                say(said)
                return
            latency = float(half[1]) * (1000 if half[2] == "ms" else 1)
            self.add("wrk", {f"per_s_{connections}": float(rate[1]), f"p50_us_{connections}": latency})
            say(f"wrk     {connections:<7}         per_s {float(rate[1]):,.0f}  p50_us {latency:,.0f}")

    def package(self) -> None:
        """What an installation takes, and an import in fresh interpreters."""
        for side, (program, _) in SIDES.items():
            times = []
            for _ in range(11):
                command = [str(program), "-c", TIMED.format(IMPORTS[side])]
                done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
                times.append(float(done.stdout))
            self.add(side, {"import_ms": median(times)})
        (packages,) = OFFICIAL.glob("lib/python*/site-packages")
        files = [
            path
            for path in packages.rglob("*")
            if path.is_file() and not any(TOOLS.search(part) for part in path.relative_to(packages).parts)
        ]
        self.add("theirs", {"installed_mb": sum(path.stat().st_size for path in files) / 1e6})
        wheels = sorted((ROOT / "dist").glob("everstep-*.whl"), key=lambda wheel: wheel.stat().st_mtime)
        if wheels:
            with zipfile.ZipFile(wheels[-1]) as wheel:
                self.add("ours", {"installed_mb": sum(each.file_size for each in wheel.infolist()) / 1e6})


def finished(sidecar: Sidecar) -> str:
    """An instance that has come to its end, run by the official SDK, for `wrk` to ask for."""
    instance = f"floor-{uuid.uuid4().hex[:8]}"
    program, script = SIDES["theirs"]
    code = (
        "import sys; sys.path.insert(0, sys.argv[1]); import official\n"
        "side = official.Official()\n"
        "with side.worker():\n"
        "    side.client.schedule_new_workflow('one', input=1, instance_id=sys.argv[2])\n"
        "    assert side.result(sys.argv[2]) == 2"
    )
    environment = {**os.environ, "DAPR_GRPC_PORT": str(sidecar.grpc_port)}
    command = [str(program), "-c", code, str(Path(script).parent), instance]
    subprocess.run(command, env=environment, check=True, timeout=60)
    url = f"http://127.0.0.1:{sidecar.http_port}/v1.0/workflows/dapr/{instance}"
    with urllib.request.urlopen(url, timeout=10) as answer:
        assert json.load(answer)["runtimeStatus"] == "COMPLETED"
    return instance


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def number(value: float) -> str:
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def table(figures: Figures) -> tuple[list[str], int]:
    """The rows for which there are figures, in Markdown, and the count of missed bars."""
    lines = ["| | everstep | official SDK, or wrk | ratio | bar | |", "|---|---|---|---|---|---|"]
    missed = 0
    for row in ROWS:
        ours, other = f"ours.{row.key}", row.other()
        if ours not in figures or other not in figures:
            continue
        bar = "" if row.bar is None else f"{'≥' if row.least else '≤'} {row.bar:g} x"
        verdict = "" if row.bar is None else "met" if row.holds(figures) else "missed"
        missed += verdict == "missed"
        values = (f"{number(figures[name])} {row.unit}" for name in (ours, other))
        lines.append(
            f"| {row.measure} | {' | '.join(values)} | {row.ratio(figures):.2f} x | {bar} | {verdict} |"
        )
    return lines, missed


def options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--strict", action="store_true", help="a missed bar is an error")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument(
        "--seconds", type=float, default=3, help="of each part of a measure that goes by time"
    )
    parser.add_argument("--workflows", type=int, default=1000, help="of a round under load")
    parser.add_argument("--only", choices=("get", "load", "single", "long", "package"), help="one of them")
    return parser.parse_args()


def main() -> None:
    given = options()
    binaries = os.environ.get("EVERSTEP_DAPR")
    if binaries is None or not OFFICIAL.exists() or shutil.which("wrk") is None:
        sys.exit("Dapr, its Python SDK or wrk is missing; run this by `make bench-dapr`")
    run = Run(given)
    chosen: Callable[[str], bool] = lambda name: given.only in (None, name)  # noqa: E731
    if chosen("package"):
        run.package()
    if chosen("get"):
        with Cluster(Path(binaries), "in-memory") as cluster:
            sidecar = cluster.sidecars[0]
            instance = finished(sidecar)
            for _ in range(given.rounds):
                run.floor(sidecar, instance)
                for side in SIDES:
                    run.measure(side, "get", sidecar)
    if any(map(chosen, ("load", "single", "long"))):
        with Cluster(Path(binaries), "redis") as cluster:
            for measure in filter(chosen, ("load", "single", "long")):
                for _ in range(given.rounds):
                    for side in SIDES:
                        run.measure(side, measure, cluster.sidecars[0])
    figures = run.medians()
    lines, missed = table(figures)
    machine = f"{os.cpu_count()} cores, {platform.system()} {platform.release()}, Python {platform.python_version()}"
    print("\n".join(lines))
    print(f"\non {machine}, load average {os.getloadavg()[0]:.1f}")
    results = HERE.parent / "results"
    results.mkdir(exist_ok=True)
    record = {"machine": machine, "table": lines, "medians": figures, "samples": run.samples}
    name = time.strftime("dapr-%Y%m%d-%H%M%S.json")
    (results / name).write_text(json.dumps(record, indent=1, ensure_ascii=False) + "\n")
    if run.crashed:
        sys.exit(f"crashed: {', '.join(run.crashed)}")
    if missed:
        say(f"{missed} bars missed")
        if given.strict:
            sys.exit(1)


if __name__ == "__main__":
    main()
