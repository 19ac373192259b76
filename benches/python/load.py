"""Five-activity workflows per second in a closed loop, what they cost in CPU, and what they leave on the disk.

A few threads each keep some workflows in flight: start one, then wait for the oldest, as a program does that works off a
list. One thread per sixteen workflows keeps about five in six of them in flight (a start takes one commit of the seven);
more threads would cost more than the workflows themselves.
"""

from __future__ import annotations

import threading
import time
from collections import deque

from subject import (
    ACTIVITIES,
    WORKFLOWS,
    arguments,
    cpu,
    database,
    everstep,
    five_activities,
    open_client,
    report,
)

WARM_UP = 0.5


class Loop:
    """The closed loop and its count of finished workflows."""

    def __init__(self, client: everstep.Client, in_flight: int, threads: int) -> None:
        self.client = client
        self.stop = threading.Event()
        self.finished = [0] * threads
        self.failure: BaseException | None = None
        shares = [in_flight // threads + (index < in_flight % threads) for index in range(threads)]
        self.threads = [threading.Thread(target=self.run, args=pair) for pair in enumerate(shares)]

    def run(self, index: int, share: int) -> None:
        open_ones: deque[everstep.WorkflowHandle] = deque()
        try:
            while not self.stop.is_set():
                open_ones.append(self.client.start_workflow(five_activities, len(open_ones)))
                if len(open_ones) == share:
                    open_ones.popleft().result(timeout=60)
                    self.finished[index] += 1
            while open_ones:
                open_ones.popleft().result(timeout=60)
                self.finished[index] += 1
        except BaseException as error:
            self.failure = error
            self.stop.set()
            raise

    def count(self) -> int:
        return sum(self.finished)


def main() -> None:
    given = arguments(__doc__, in_flight=32, seconds=3.0, threads=0)
    path = database(given.dir, "load")
    with open_client(path) as client, everstep.Worker(client, WORKFLOWS, ACTIVITIES):
        loop = Loop(client, given.in_flight, given.threads or max(4, given.in_flight // 16))
        for thread in loop.threads:
            thread.start()
        loop.stop.wait(WARM_UP)
        count, used, began = loop.count(), cpu(), time.perf_counter()
        loop.stop.wait(given.seconds)
        count, used, took = loop.count() - count, cpu() - used, time.perf_counter() - began
        loop.stop.set()
        for thread in loop.threads:
            thread.join()
    if loop.failure is not None:
        raise loop.failure
    kilobytes = path.stat().st_size / loop.count() / 1e3
    report(wf_per_s=count / took, cpu_us=used / count * 1e6, workflows=loop.count(), disk_kb=kilobytes)


if __name__ == "__main__":
    main()
