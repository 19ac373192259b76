"""How late 10,000 timers wake their workflows that are all due within one second, one instance each."""

from __future__ import annotations

import asyncio
import threading
import time

from subject import arguments, database, everstep, open_client, percentile, report, wait_until

late: list[float] = []
waiting: list[int] = []


@everstep.workflow
async def punctual(ctx: everstep.WorkflowContext, due: float) -> None:
    waiting.append(1)
    await asyncio.sleep(max(0.0, due - ctx.now().timestamp()))
    # The real clock, which a workflow must not decide by: here it is only written down.
    late.append((time.time() - due) * 1e3)


def main() -> None:
    given = arguments(__doc__, count=10_000, ahead=15.0, threads=64)
    with open_client(database(given.dir, "timers")) as client, everstep.Worker(client, [punctual], []):
        first = time.time() + given.ahead
        dues = iter([first + number / given.count for number in range(given.count)])
        lock = threading.Lock()

        def start() -> None:
            while True:
                with lock:
                    due = next(dues, None)
                if due is None:
                    return
                client.start_workflow(punctual, due)

        threads = [threading.Thread(target=start) for _ in range(given.threads)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        def all_wait() -> bool:
            return len(waiting) == given.count

        wait_until(all_wait)
        spare = first - time.time()
        if spare < 0.5:
            raise SystemExit(
                f"starting took {-spare + given.ahead:.1f} s: the first timer was due before; use --ahead"
            )

        def all_woken() -> bool:
            return len(late) == given.count

        wait_until(all_woken)
    report(
        p50_ms=percentile(late, 0.5),
        p99_ms=percentile(late, 0.99),
        max_ms=max(late),
        early=sum(x < 0 for x in late),
    )


if __name__ == "__main__":
    main()
