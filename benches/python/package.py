"""What a small program takes: the import in fresh interpreters, the memory of one with an engine that has run a workflow, and the
wheel's size where one was built."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median

from subject import arguments, database, report

DIST = Path(__file__).parent.parent.parent / "dist"

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


def run(program: str, compiled: str, *more: str) -> float:
    command = [sys.executable, "-c", program, *more]
    environment = {**os.environ, "PYTHONPYCACHEPREFIX": compiled}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True, timeout=60)
    return float(done.stdout)


def main() -> None:
    given = arguments(__doc__, times=11)
    # As in an installed package, whose sources were compiled when it was installed.
    with tempfile.TemporaryDirectory() as compiled:
        run(RESIDENT, compiled, str(database(given.dir, "resident")))
        figures = {
            "import_ms": median(run(IMPORT, compiled) for _ in range(given.times)),
            "rss_mb": run(RESIDENT, compiled, str(database(given.dir, "resident"))),
        }
    wheels = sorted(DIST.glob("everstep-*.whl"), key=lambda wheel: wheel.stat().st_mtime)
    if wheels:
        figures["wheel_mb"] = wheels[-1].stat().st_size / 1e6
    report(**figures)


if __name__ == "__main__":
    main()
