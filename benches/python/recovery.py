"""After a kill -9: how long from opening the file to the first activity, beside 100,000 finished and 1,000 running instances.

The finished ones are copies of the rows of a real one; the running ones are real, and killed while their activity runs or
waits for a thread.
"""

from __future__ import annotations

import signal
import sqlite3
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING

from subject import (
    ACTIVITIES,
    WORKFLOWS,
    arguments,
    database,
    everstep,
    five_activities,
    multiply,
    open_client,
    report,
)

if TYPE_CHECKING:
    from pathlib import Path

entered = threading.Event()
hold = threading.Event()


@everstep.activity
def held(_: int) -> None:
    entered.set()
    hold.wait()


@everstep.workflow
async def running(ctx: everstep.WorkflowContext, number: int) -> None:
    await ctx.call(held, number)


def create(path: Path, finished: int) -> None:
    with open_client(path) as client, everstep.Worker(client, WORKFLOWS, ACTIVITIES):
        client.start_workflow(five_activities, 1, instance_id="finished").result(timeout=60)
    multiply(path, finished - 1)


def run_until_killed(path: Path, count: int) -> None:
    client = open_client(path)
    everstep.Worker(client, [running], [held]).start()
    share = count // 50
    threads = [
        threading.Thread(target=lambda: [client.start_workflow(running, n) for n in range(share)])
        for _ in range(50)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    print("started", flush=True)
    time.sleep(600)


def measure(path: Path) -> None:
    began = time.perf_counter()
    client = open_client(path)
    opened = time.perf_counter() - began
    worker = everstep.Worker(client, [running], [held])
    worker.start()
    if not entered.wait(60):
        sys.exit("no activity ran within 60 s after the kill")
    first = time.perf_counter() - began
    hold.set()
    worker.close()
    client.close()
    report(first_task_ms=first * 1e3, open_ms=opened * 1e3)


def turns(path: Path) -> int:
    with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as connection:
        return connection.execute(
            "SELECT count(*) FROM turns, instances USING (pk) WHERE name = 'running'"
        ).fetchone()[0]


def main() -> None:
    given = arguments(__doc__, finished=100_000, running=1_000, part="whole")
    path = given.dir / "recovery.db"
    if given.part == "run":
        run_until_killed(path, given.running)
    elif given.part == "measure":
        measure(path)
    else:
        create(database(given.dir, "recovery"), given.finished)
        command = [
            sys.executable,
            __file__,
            "--dir",
            str(given.dir),
            "--running",
            str(given.running),
            "--part",
        ]
        with subprocess.Popen([*command, "run"], stdout=subprocess.PIPE, text=True) as process:
            try:
                assert process.stdout is not None
                if process.stdout.readline() != "started\n":
                    sys.exit("the process to be killed did not start its instances")
                until = time.monotonic() + 60
                while turns(path) < given.running and time.monotonic() < until:
                    time.sleep(0.1)
            finally:
                process.send_signal(signal.SIGKILL)
        if turns(path) < given.running:
            sys.exit("not every instance had reached its activity after 60 s")
        sys.exit(subprocess.run([*command, "measure"], check=False).returncode)


if __name__ == "__main__":
    main()
