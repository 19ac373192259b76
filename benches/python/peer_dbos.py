"""The same five-activity workflow on DBOS with SQLite, in the same closed loop; the headline ratio is against this.

Runs where `dbos` is installed. Its engine logs go nowhere, its database is a file in ``--dir``, all else is its default.
"""

from __future__ import annotations

import argparse
import json
import logging
import resource
import threading
import time
from collections import deque
from pathlib import Path
from typing import Any

from dbos import DBOS

WARM_UP = 2.0


@DBOS.step()
def add_one(number: int) -> int:
    return number + 1


@DBOS.workflow()
def five_activities(number: int) -> int:
    for _ in range(5):
        number = add_one(number)
    return number


class Loop:
    """The closed loop of load.py, on DBOS's calls."""

    def __init__(self, in_flight: int, threads: int) -> None:
        self.stop = threading.Event()
        self.finished = [0] * threads
        shares = [in_flight // threads + (index < in_flight % threads) for index in range(threads)]
        self.threads = [threading.Thread(target=self.run, args=pair) for pair in enumerate(shares)]

    def run(self, index: int, share: int) -> None:
        open_ones: deque[Any] = deque()
        while not self.stop.is_set():
            open_ones.append(DBOS.start_workflow(five_activities, 0))
            if len(open_ones) == share:
                open_ones.popleft().get_result(polling_interval_sec=0.001)
                self.finished[index] += 1
        while open_ones:
            open_ones.popleft().get_result(polling_interval_sec=0.001)
            self.finished[index] += 1


def cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--dir", type=Path, required=True)
    parser.add_argument("--in-flight", type=int, default=32)
    parser.add_argument("--seconds", type=float, default=5.0)
    given = parser.parse_args()
    given.dir.mkdir(parents=True, exist_ok=True)
    path = given.dir / "dbos.db"
    for suffix in ("", "-wal", "-shm", "-journal"):
        Path(f"{path}{suffix}").unlink(missing_ok=True)
    DBOS(config={"name": "bench", "system_database_url": f"sqlite:///{path}", "log_level": "CRITICAL"})
    logging.disable(logging.CRITICAL)
    DBOS.launch()
    loop = Loop(given.in_flight, max(4, given.in_flight // 16))
    for thread in loop.threads:
        thread.start()
    time.sleep(WARM_UP)
    count, used, began = sum(loop.finished), cpu(), time.perf_counter()
    time.sleep(given.seconds)
    count, used, took = sum(loop.finished) - count, cpu() - used, time.perf_counter() - began
    loop.stop.set()
    for thread in loop.threads:
        thread.join()
    DBOS.destroy()
    print(json.dumps({"wf_per_s": count / took, "cpu_us": used / count * 1e6 if count else None}))


if __name__ == "__main__":
    main()
