"""How well a pool of 64 threads is used by activities that only wait: 256 workflows in flight, each sleeps 100 ms."""

from __future__ import annotations

import threading
import time

from subject import ACTIVITIES, WORKFLOWS, arguments, database, everstep, napping, open_client, report

THREADS = 64
NAP_MS = 100
WARM_UP = 1.0


def main() -> None:
    given = arguments(__doc__, in_flight=256, seconds=4.0)
    stop = threading.Event()
    ends: list[float] = []

    def loop(client: everstep.Client) -> None:
        while not stop.is_set():
            client.start_workflow(napping, NAP_MS).result(timeout=60)
            ends.append(time.perf_counter())

    with (
        open_client(database(given.dir, "pool")) as client,
        everstep.Worker(client, WORKFLOWS, ACTIVITIES, activity_threads=THREADS),
    ):
        threads = [threading.Thread(target=loop, args=(client,)) for _ in range(given.in_flight)]
        for thread in threads:
            thread.start()
        stop.wait(WARM_UP)
        began = time.perf_counter()
        stop.wait(given.seconds)
        until = time.perf_counter()
        stop.set()
        for thread in threads:
            thread.join()
    rate = sum(began <= end < until for end in ends) / (until - began)
    report(per_s=rate, part=rate / (THREADS * 1000 / NAP_MS))


if __name__ == "__main__":
    main()
