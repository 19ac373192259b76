"""Measures everstep against the floor and the bars, in every language: every figure of the README comes from here.

    python benches/bench.py [--quick] [--strict] [--only NAME,...] [--languages python,node,java] [--dir DIR]

Each bench is a process of its own, repeated 5 times (once with ``--quick``), the languages one after the other, with the floor
measured beside them each time; medians count. A bar that is missed is said; only ``--strict`` makes it an error. A bench that
crashes is always one.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import time
from functools import cache
from pathlib import Path
from statistics import median
from typing import Any

from bars import BENCHES, LANGUAGES, PEERS, ROWS, Bench, Figures, Peer

HERE = Path(__file__).parent
ROOT = HERE.parent
CACHE = ROOT / ".cache"
JAVA = ROOT / "bindings-java" / "target"


def program(language: str, script: str) -> list[Any]:
    """How a script of a language is run."""
    if language == "node":
        return ["node", HERE / "node" / f"{script}.mjs"]
    if language == "java":
        ours = (JAVA / "*", CACHE / "bench-java" / "*")
        theirs = (CACHE / "crossing" / "java" / "lib" / "*",)
        classes = ":".join(map(str, theirs if script.startswith("peer_") else ours))
        options = ["--enable-native-access=ALL-UNNAMED", "--class-path", classes]
        name = "".join(part.capitalize() for part in script.split("_"))
        return [jdk() / "bin" / "java", *options, HERE / "java" / f"{name}.java"]
    return [sys.executable, HERE / "python" / f"{script}.py"]


@cache
def jdk() -> Path:
    """The home of a JDK that runs the Java package."""
    home = subprocess.run(
        [ROOT / "scripts" / "jdk"], stdout=subprocess.PIPE, text=True, check=True, timeout=60
    )
    return Path(home.stdout.strip())


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
        figures = {name: median(values) for name, values in self.samples.items()}
        for peer in PEERS:
            for in_flight in peer.in_flight:
                theirs = figures.get(f"{peer.language}.{peer.name}{in_flight}.wf_per_s")
                ours = figures.get(f"{peer.language}.{peer.name}{in_flight}.ours_per_s")
                if theirs and ours:
                    figures[f"{peer.language}.load{in_flight}.over_{peer.name}"] = ours / theirs
        return figures

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
        """Runs a bench in each of its languages, beside the floor if it has one."""
        languages = [each for each in bench.languages if each in self.options.languages]
        if bench.floor and languages:
            self.floor(bench.floor)
        for language in languages:
            command = [*program(language, bench.script), "--dir", self.options.dir, *bench.arguments]
            if self.options.quick:
                command.extend(bench.quick)
            name = f"{language}.{bench.name}"
            if (figures := self.call(name, command, bench.timeout)) is not None:
                self.add(name, figures)

    def peer(self, peer: Peer) -> None:
        """Another library in the same loop, if what it needs is there, and everstep right before it."""
        before = []
        if peer.name == "dapr":
            if not (binaries := os.environ.get("EVERSTEP_DAPR")) or not Path(binaries, "daprd").exists():
                return say(f"{peer.shown} is left out: `make dapr` builds what it needs")
            cluster = ROOT / "conformance" / "dapr" / "cluster.py"
            before = [sys.executable, cluster, "--store", "redis", "--binaries", binaries, "--"]
        for in_flight in peer.in_flight:
            arguments = ["--dir", self.options.dir.absolute(), "--in-flight", in_flight]
            name = f"{peer.language}.{peer.name}{in_flight}"
            ours = self.call(f"{peer.language} beside it", [*program(peer.language, "load"), *arguments], 180)
            theirs = self.call(name, [*before, *program(peer.language, peer.script), *arguments], 180)
            if ours is not None and theirs is not None:
                self.add(name, {**theirs, "ours_per_s": ours["wf_per_s"]})
        return None

    def call(self, name: str, command: list[Any], timeout: float) -> dict[str, Any] | None:
        """The figures of one process, or nothing if it crashed."""
        began = time.monotonic()
        try:
            done = subprocess.run(
                [str(part) for part in command],
                stdout=subprocess.PIPE,
                text=True,
                timeout=timeout,
                check=False,
            )
        except subprocess.TimeoutExpired:
            say(f"{name:<16} did not end within {timeout:.0f} s")
            self.crashed.append(name)
            return None
        if done.returncode or not done.stdout:
            say(f"{name:<16} ended with status {done.returncode}")
            self.crashed.append(name)
            return None
        figures: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
        shown = "  ".join(
            f"{key} {round(value, 3) if isinstance(value, float) else value}"
            for key, value in figures.items()
        )
        say(f"{name:<16} {time.monotonic() - began:5.1f} s  {shown}")
        return figures


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
    commas = {"type": lambda text: text.split(",")}
    parser.add_argument("--only", **commas, help="names of benches and peers, with commas between")
    parser.add_argument("--languages", **commas, default=list(LANGUAGES), help="all without")
    parser.add_argument("--repeats", type=int, help="instead of the number that each bench has")
    parser.add_argument("--dir", type=Path, default=CACHE / "bench", help="where the databases lie")
    given = parser.parse_args()
    for chosen, known in (
        (given.only or [], {each.name for each in (*BENCHES, *PEERS)}),
        (given.languages, set(LANGUAGES)),
    ):
        if unknown := set(chosen) - known:
            parser.error(f"unknown: {', '.join(sorted(unknown))}; known are {', '.join(sorted(known))}")
    return given


def measure(run: Run) -> None:
    given = run.options
    for bench in BENCHES:
        if given.only is None or bench.name in given.only:
            for _ in range(given.repeats or (1 if given.quick else bench.repeats)):
                run.bench(bench)
    for peer in PEERS:
        wanted = not given.quick if given.only is None else peer.name in given.only
        if wanted and peer.language in given.languages:
            for _ in range(given.repeats or peer.repeats):
                run.peer(peer)


def table(figures: Figures, options: argparse.Namespace) -> tuple[list[dict[str, Any]], int]:
    """Prints the rows for which there are figures; gives them and the count of missed bars."""
    rows, missed = [], 0
    heads = "".join(f" {language:>12} {'bar':>12}    " for language in options.languages)
    print(f"\n{'measure':<54}{heads}")
    for row in ROWS:
        measure = row.measure.format(sleepers="100,000" if options.quick else "1,000,000")
        line, any_figure = f"{measure:<54}", False
        for language in options.languages:
            if (value := figures.get(f"{language}.{row.figure}")) is None:
                line += " " * 30
                continue
            any_figure = True
            line += f" {number(value):>9} {row.unit:<2}"
            entry = {"measure": measure, "language": language, "value": value, "unit": row.unit}
            if language in row.bars:
                bar, holds = row.bar(language, figures), row.holds(language, figures)
                line += f" {'≥' if row.least else '≤'} {number(bar):>7} {row.unit:<2} {'pass' if holds else 'MISS'}"
                entry |= {"bar": bar, "holds": holds}
                missed += not holds
            else:
                line += " " * 17
            rows.append(entry)
        if any_figure:
            print(line.rstrip())
    return rows, missed + beside(figures, options)


def beside(figures: Figures, options: argparse.Namespace) -> int:
    """Prints what everstep was measured beside; gives how often the floor itself is too low to measure by."""
    low = 0
    for in_flight, least in (("32", 35), ("256", 25)):
        if (floor := figures.get(f"floor{in_flight}")) is None:
            continue
        of_raw = 100 * floor / figures[f"raw{in_flight}"]
        ours = ""
        for language in options.languages:
            if (rate := figures.get(f"{language}.load{in_flight}.wf_per_s")) is not None:
                ours += f", {language} {rate / floor:.0%}"
        verdict = "" if of_raw >= least else f", MISS: it should be {least} %"
        low += of_raw < least
        print(
            f"floor, {in_flight} in flight: {number(floor)} workflows/s ({of_raw:.0f} % of the raw log{verdict}){ours}"
        )
    for peer in PEERS:
        for in_flight in peer.in_flight:
            if (rate := figures.get(f"{peer.language}.{peer.name}{in_flight}.wf_per_s")) is not None:
                ratio = figures.get(f"{peer.language}.load{in_flight}.over_{peer.name}")
                ours = "" if ratio is None else f"; everstep does {number(ratio)} times that"
                print(f"{peer.shown}, {in_flight} in flight: {number(rate)} workflows/s{ours}")
    if "flush_p50_us" in figures:
        print(f"flush: p50 {figures['flush_p50_us']:.0f} µs, p99 {figures['flush_p99_us']:.0f} µs")
    return low


def number(value: float) -> str:
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def versions(languages: list[str]) -> str:
    said = []
    if "python" in languages:
        said.append(f"Python {platform.python_version()}")
    if "node" in languages:
        node = subprocess.run(["node", "--version"], capture_output=True, text=True, check=True, timeout=60)
        said.append(f"Node {node.stdout.strip().removeprefix('v')}")
    if "java" in languages:
        java = subprocess.run(
            [jdk() / "bin" / "java", "--version"], capture_output=True, text=True, check=True, timeout=60
        )
        said.append(" ".join(java.stdout.split()[:2]))
    return ", ".join(said)


def main() -> None:
    given = options()
    run = Run(given)
    given.dir.mkdir(parents=True, exist_ok=True)
    measure(run)
    figures = run.medians()
    rows, missed = table(figures, given)
    machine = f"{os.cpu_count()} cores, {platform.system()} {platform.release()}, {versions(given.languages)}"
    print(f"on {machine}, load average {os.getloadavg()[0]:.1f}")
    results = HERE / "results"
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
        say(f"{missed} bars missed")
        if given.strict:
            sys.exit(1)


if __name__ == "__main__":
    main()
