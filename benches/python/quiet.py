"""What everstep does when it has nothing to do: wake-ups of all its threads beside 1,000 waiting instances."""

from __future__ import annotations

import threading
import time

from subject import (
    ACTIVITIES,
    WORKFLOWS,
    arguments,
    database,
    event_waiter,
    everstep,
    open_client,
    report,
    switches,
)


def main() -> None:
    given = arguments(__doc__, waiting=1_000, seconds=10.0)
    with (
        open_client(database(given.dir, "quiet")) as client,
        everstep.Worker(client, WORKFLOWS, ACTIVITIES),
    ):
        client.start_workflow(event_waiter).wait_for_start(timeout=60)
        share = given.waiting // 20
        handles: list[everstep.WorkflowHandle] = []

        def start() -> None:
            handles.extend([client.start_workflow(event_waiter) for _ in range(share)])

        threads = [threading.Thread(target=start) for _ in range(20)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        for handle in handles:
            handle.wait_for_start(timeout=60)
        time.sleep(3)  # the work that waits for quiet, such as a checkpoint, is done by then
        before = switches()
        time.sleep(given.seconds)
        after = switches()
    woken = {name: after[name] - before.get(name, 0) for name in after if after[name] != before.get(name, 0)}
    report(wake_ups=sum(woken.values()), woken=woken, threads=len(after))


if __name__ == "__main__":
    main()
