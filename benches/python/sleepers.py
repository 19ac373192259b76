"""A file with a million sleeping instances: how long it takes to open it, and the memory it then takes.

The first sleeper is a real one; the others are copies of its rows, their timers spread over 30 days.
"""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

from subject import (
    ACTIVITIES,
    WORKFLOWS,
    add_one,
    arguments,
    database,
    everstep,
    multiply,
    one_activity,
    open_client,
    report,
    resident_mb,
    sleeper,
    wait_until,
)

DAYS = 30


def create(path: Path, count: int) -> None:
    with open_client(path) as client, everstep.Worker(client, WORKFLOWS, ACTIVITIES):
        client.start_workflow(sleeper, 600.0, instance_id="sleeper")

        def sleeps() -> bool:
            with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as connection:
                return connection.execute("SELECT count(*) FROM timers").fetchone() == (1,)

        wait_until(sleeps)
    multiply(path, count - 1, DAYS * 86_400 / count)


def measure(path: Path, count: int) -> None:
    began = time.perf_counter()
    with open_client(path) as client, everstep.Worker(client, WORKFLOWS, ACTIVITIES):
        state = client.get_workflow(f"sleeper-{count - 1}")
        opening = time.perf_counter() - began
        assert state.runtime_status == "RUNNING", state
        assert client.start_workflow(one_activity, 1).result(timeout=60) == add_one(1)
        resident = resident_mb()
    report(open_s=opening, rss_mb=resident, file_mb=path.stat().st_size / 1e6)


def main() -> None:
    given = arguments(__doc__, count=1_000_000, part="whole")
    path = given.dir / f"sleepers-{given.count}.db"
    if given.part == "measure":
        measure(path, given.count)
        return
    if not path.exists():
        making = database(given.dir, "sleepers-new")
        create(making, given.count)
        making.rename(path)
    # A process that has created the file is not one that opens it.
    sys.stdout.flush()
    command = [
        sys.executable,
        __file__,
        "--dir",
        str(given.dir),
        "--count",
        str(given.count),
        "--part",
        "measure",
    ]
    sys.exit(subprocess.run(command, check=False, env=os.environ).returncode)


if __name__ == "__main__":
    main()
