"""A few thousand orders through a durable workflow, with a kill -9 in the middle, and the proof that nothing was lost.

Starts ./worker.py, kills it when 40 % of the orders have ended, starts it again, and checks what came out: the claims of
../verify.sql on the shop's database, and every order against ../data/expected.csv. Exits with 1 if anything differs.

The workflows run in a file of the demo's own, or on the Dapr sidecar that DAPR_GRPC_PORT or DAPR_GRPC_ENDPOINT names.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import shop
from screen import CYAN, DIM, GREEN, RED, YELLOW, Screen

HERE = Path(__file__).resolve().parent
KILL_AT = 0.4
POLL_SECONDS = 0.02
# Longer than the worker can be away and busy together, so that an approver who answers is never too late.
APPROVAL_SECONDS = 8.0


class Place:
    """Where the workflows run: what the worker process is told about it, and how the demo speaks of it."""

    def __init__(self, folder: Path) -> None:
        self.environment = {**os.environ}
        self.prefix = ""
        self.sidecar: int | None = None
        self.is_dapr = bool(os.environ.get("DAPR_GRPC_PORT") or os.environ.get("DAPR_GRPC_ENDPOINT"))
        if self.is_dapr:
            # Dapr has the orders of earlier demos still; those of this one need IDs of their own.
            self.environment.pop("EVERSTEP_ENDPOINT", None)
            self.prefix = f"demo-{time.time_ns() // 1_000_000}-"
            pids = os.environ.get("EVERSTEP_DAPR_PIDS", "").split(",")
            self.sidecar = int(pids[0]) if pids[0] else None
            self.name = "workflows and activities in a Python process, the engine is Dapr"
            self.again = "connects to the same Dapr"
        else:
            self.environment["EVERSTEP_ENDPOINT"] = f"sqlite:{folder / 'engine.db'}"
            self.name = "engine, workflows and activities in one Python process"
            self.again = "opens the same file"

    def kill_sidecar(self) -> bool:
        """Kills the worker's sidecar with it, as the end of a pod does; says whether there is one that comes back.

        A sidecar of Dapr 1.18 that loses its only worker in the middle of turns takes no other one until it is restarted.
        """
        if self.sidecar is not None:
            os.kill(self.sidecar, signal.SIGKILL)
        return self.sidecar is not None


class Books:
    """The demo's own view of the shop's database, from outside the worker process."""

    def __init__(self, path: Path) -> None:
        self._connection = sqlite3.connect(path, timeout=30)

    def rows(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        return self._connection.execute(query, values).fetchall()

    def number(self, query: str, *values: object) -> int:
        ((number,),) = self.rows(query, *values)
        return int(number or 0)

    def ended(self) -> int:
        return self.number("SELECT count(*) FROM ledger WHERE kind = 'ended'")

    def under_way(self) -> int:
        touched = self.number("SELECT count(DISTINCT order_id) FROM ledger")
        return touched - self.ended()

    def waiting(self) -> int:
        """How many orders nobody has answered for and that have not timed out yet."""
        return self.number(
            "SELECT count(*) FROM approvals AS a WHERE answer IS NULL"
            " AND NOT EXISTS (SELECT 1 FROM ledger WHERE kind = 'ended' AND order_id = a.order_id)"
        )

    def close(self) -> None:
        self._connection.close()


class Run:
    """One life of the worker process."""

    def __init__(self, folder: Path, place: Place, orders: int, approval_seconds: float) -> None:
        command = [sys.executable, str(HERE / "worker.py"), "--orders", str(orders)]
        command += ["--shop", str(folder / "shop.db"), "--prefix", place.prefix]
        command += ["--approval-seconds", str(approval_seconds)]
        self.started_ms = time.time_ns() // 1_000_000
        self.log = folder / "worker.log"
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                command,
                env=place.environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=log,
            )

    def alive(self) -> bool:
        return self.process.poll() is None

    def kill(self) -> None:
        """Sends SIGKILL; nothing happens to a process that has ended."""
        self.process.kill()
        self.process.wait()

    def outcomes(self) -> Counter[str]:
        """What the workflows returned; the process printed it at its end."""
        output, _ = self.process.communicate()
        if self.process.returncode != 0:
            tail = self.log.read_text("utf-8", "replace")[-2000:]
            raise SystemExit(f"the worker process ended with {self.process.returncode}:\n{tail}")
        return Counter(json.loads(output))


def watch(screen: Screen, books: Books, run: Run, orders: int, until: int) -> None:
    """Shows the progress until so many orders have ended, or the worker has."""
    before, since = books.ended(), time.monotonic()
    while run.alive():
        ended = books.ended()
        rate = (ended - before) / max(time.monotonic() - since, 0.001)
        waiting = books.waiting()
        note = (
            f"{rate:,.0f}/s"
            if ended < orders - waiting
            else f"{waiting} still wait for an approver who is on holiday"
        )
        screen.progress(ended, orders, note)
        if ended >= until:
            break
        time.sleep(POLL_SECONDS)
    screen.progress(books.ended(), orders, "")
    screen.settle()


def euros(cents: int) -> str:
    return f"{cents // 100:,}.{cents % 100:02}"


def process_through_a_kill(
    screen: Screen, place: Place, books: Books, args: argparse.Namespace, lives: contextlib.ExitStack
) -> tuple[Run, Run]:
    screen.title(f"1  {args.orders:,} orders come in")
    first = Run(args.folder, place, args.orders, args.approval_seconds)
    lives.callback(first.kill)
    screen.say(f"  worker process {first.process.pid}: {place.name}", DIM)
    watch(screen, books, first, args.orders, int(args.orders * KILL_AT))
    if not first.alive():
        first.outcomes()
        raise SystemExit("the worker had finished before it could be killed; give it more --orders")
    first.kill()
    both = place.kill_sidecar()

    screen.title("2  kill -9")
    screen.say(
        f"  worker process {first.process.pid}{' and its sidecar' if both else ''} got SIGKILL: {books.ended():,} orders had ended,"
        f" {books.under_way():,} were somewhere in the middle",
        YELLOW,
    )

    screen.title("3  the same command again")
    second = Run(args.folder, place, args.orders, args.approval_seconds)
    lives.callback(second.kill)
    screen.say(
        f"  worker process {second.process.pid} {place.again} and goes on where the first one was", DIM
    )
    watch(screen, books, second, args.orders, args.orders + 1)
    return first, second


def summarize(screen: Screen, books: Books, returned: Counter[str]) -> None:
    screen.title("4  what came out")
    found = books.rows(
        "SELECT detail, count(*), sum(cents) FROM ledger WHERE kind = 'ended' GROUP BY detail ORDER BY 2 DESC"
    )
    rows: list[tuple[str, ...]] = [
        (outcome.replace("_", " "), f"{count:,}", f"{returned[outcome]:,}", euros(cents))
        for outcome, count, cents in found
    ]
    count, cents = sum(row[1] for row in found), sum(row[2] for row in found)
    head = ("outcome", "in the ledger", "workflows say", "charged, EUR")
    screen.table(head, rows, ("all orders", f"{count:,}", f"{sum(returned.values()):,}", euros(cents)))


def measure(screen: Screen, books: Books, first: Run, second: Run, started: float) -> None:
    screen.title("5  figures")
    ended = books.rows(
        "SELECT at_ms FROM ledger WHERE kind = 'ended' AND detail <> 'approval_timed_out' ORDER BY at_ms"
    )
    before = [at for (at,) in ended if at < second.started_ms]
    after = [at for (at,) in ended if at >= second.started_ms]
    for name, times, run in (("before the kill", before, first), ("after it", after, second)):
        if len(times) > 1:
            rate = 1000 * len(times) / max(times[-1] - times[0], 1)
            screen.say(
                f"  {name:16} {len(times):5,} orders at {rate:,.0f} per second,"
                f" the first one {times[0] - run.started_ms:,} ms after the process was started"
            )
    durations = sorted(
        last - first
        for first, last in books.rows(
            "SELECT min(at_ms), max(at_ms) FROM ledger AS l GROUP BY order_id HAVING count(*) > 1"
            " AND NOT EXISTS (SELECT 1 FROM approvals AS a WHERE a.order_id = l.order_id)"
        )
    )
    if durations:
        half, most = durations[len(durations) // 2], durations[len(durations) * 99 // 100]
        screen.say(
            f"  {'one order':16} {half:,} ms from reservation to notification (median), {most:,} ms (p99)"
        )
    failed = books.number(
        "SELECT sum(n - 1) FROM (SELECT count(*) AS n FROM ledger WHERE kind = 'attempt' GROUP BY order_id)"
    )
    again = books.number("SELECT sum(runs - 1) FROM ledger WHERE kind <> 'charged'")
    screen.say(f"  {'payments':16} {failed:,} attempts failed and were tried again")
    screen.say(
        f"  {'activities':16} {again:,} ran a second time after the kill; the ledger's key made them harmless"
    )
    screen.say(f"  {'in all':16} {time.monotonic() - started:.1f} s")


def verify(screen: Screen, books: Books, returned: Counter[str], orders: int) -> bool:
    """Proves the run from the ledger, then compares it with what the story expects."""
    screen.title("6  the proof: verify.sql on the shop's database")
    right = True
    for claim, checked, wrong in books.rows((HERE.parent / "verify.sql").read_text("utf-8")):
        screen.check(
            wrong == 0, claim, f"{checked:,} checked" if wrong == 0 else f"{wrong:,} of {checked:,} wrong"
        )
        right = right and wrong == 0

    expected = [
        (row["order_id"], row["outcome"], int(row["charged_cents"]), int(row["payment_attempts"]))
        for row in shop.rows("expected")[:orders]
    ]
    found = books.rows(
        "SELECT order_id, max(detail) FILTER (WHERE kind = 'ended'),"
        " coalesce(sum(cents) FILTER (WHERE kind = 'charged'), 0), count(*) FILTER (WHERE kind = 'attempt')"
        " FROM orders LEFT JOIN ledger USING (order_id) GROUP BY order_id ORDER BY order_id"
    )
    different = [order[0] for order, other in zip(expected, found, strict=True) if order != other]
    note = f"not so: {', '.join(different[:5])}" if different else f"{orders:,} checked"
    screen.check(not different, "every order came out as expected.csv says", note)

    agreed = returned == Counter(outcome for _, outcome, *_ in expected)
    screen.check(agreed, "the workflows returned the same outcomes")
    right = right and not different and agreed
    if orders == len(shop.rows("expected")):
        total = sums(books) == json.loads((HERE.parent / "data" / "expected.json").read_text("utf-8"))
        screen.check(total, "the sums are those of expected.json")
        right = right and total
    return right


def sums(books: Books) -> dict[str, Any]:
    return {
        "orders": books.ended(),
        "outcomes": dict(
            books.rows(
                "SELECT detail, count(*) FROM ledger WHERE kind = 'ended' GROUP BY detail ORDER BY detail"
            )
        ),
        "charged_cents": books.number("SELECT sum(cents) FROM ledger WHERE kind = 'charged'"),
        "units_shipped": books.number("SELECT sum(units) FROM ledger WHERE kind = 'shipped'"),
        "payment_attempts": books.number("SELECT count(*) FROM ledger WHERE kind = 'attempt'"),
        "stock_left": dict(books.rows("SELECT sku, stock FROM products")),
    }


def main() -> int:
    available = len(shop.rows("orders"))
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--orders", type=int, default=available, help=f"how many orders to process, up to {available}"
    )
    parser.add_argument(
        "--approval-seconds", type=float, default=APPROVAL_SECONDS, help="how long an approver may take"
    )
    parser.add_argument(
        "--folder", type=Path, default=HERE.parent / ".run", help="where the two databases are made"
    )
    args = parser.parse_args()
    if not 50 <= args.orders <= available:
        parser.error(f"--orders must be from 50 to {available}")

    started = time.monotonic()
    screen = Screen()
    screen.say("everstep: order processing", CYAN)
    shutil.rmtree(args.folder, ignore_errors=True)
    args.folder.mkdir(parents=True)
    shop.create(args.folder / "shop.db", args.orders)
    books = Books(args.folder / "shop.db")

    with contextlib.ExitStack() as lives:
        first, second = process_through_a_kill(screen, Place(args.folder), books, args, lives)
        returned = second.outcomes()
    summarize(screen, books, returned)
    measure(screen, books, first, second, started)
    right = verify(screen, books, returned, args.orders)
    books.close()

    screen.say()
    screen.say(
        f"  see for yourself: sqlite3 -box {relative(args.folder / 'shop.db')} < {relative(HERE.parent / 'verify.sql')}",
        DIM,
    )
    screen.say(
        "  Nothing was lost, nothing happened twice." if right else "  The books are wrong.",
        GREEN if right else RED,
    )
    return 0 if right else 1


def relative(path: Path) -> str:
    return os.path.relpath(path)


if __name__ == "__main__":
    sys.exit(main())
