"""The shop's own database: stock, approvals and the ledger. Nothing in it knows a workflow engine."""

from __future__ import annotations

import csv
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

STORY = Path(__file__).resolve().parent.parent


class Booking:
    """One transaction of the shop. It is committed as a whole, or not at all."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def is_new(
        self,
        key: str,
        order_id: str,
        kind: str,
        *,
        sku: str | None = None,
        units: int = 0,
        cents: int = 0,
        detail: str = "",
    ) -> bool:
        """Writes a row of the ledger and tells whether this task wrote it for the first time."""
        ((runs,),) = self._connection.execute(
            "INSERT INTO ledger (key, order_id, kind, sku, units, cents, detail, at_ms) VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
            " ON CONFLICT (key) DO UPDATE SET runs = runs + 1 RETURNING runs",
            (f"{key}/{kind}", order_id, kind, sku, units, cents, detail, time.time_ns() // 1_000_000),
        ).fetchall()
        return bool(runs == 1)

    def take_stock(self, sku: str, units: int) -> bool:
        """Takes units from the stock; where they are gone meanwhile, the whole booking is undone."""
        taken = self._connection.execute(
            "UPDATE products SET stock = stock - ? WHERE sku = ? AND stock >= ?", (units, sku, units)
        ).rowcount
        if taken == 0:
            self._connection.rollback()
        return taken == 1

    def return_stock(self, sku: str, units: int) -> None:
        self._connection.execute("UPDATE products SET stock = stock + ? WHERE sku = ?", (units, sku))

    def ask_approver(self, order_id: str) -> None:
        self._connection.execute("INSERT INTO approvals (order_id) VALUES (?)", (order_id,))


class Shop:
    """The database, on one connection that the activities' threads share."""

    def __init__(self, path: Path) -> None:
        self._lock = threading.Lock()
        self._connection = sqlite3.connect(path, check_same_thread=False, timeout=30)
        # The log survives the death of a process at any point, which is what the demo brings about; a shop that must
        # also survive a power cut would pay for synchronous=FULL.
        self._connection.executescript("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;")

    @contextmanager
    def booking(self) -> Iterator[Booking]:
        with self._lock, self._connection:
            yield Booking(self._connection)

    def stock(self, sku: str) -> int:
        with self._lock:
            (stock,) = self._connection.execute("SELECT stock FROM products WHERE sku = ?", (sku,)).fetchone()
        return int(stock)

    def unanswered(self) -> list[tuple[str, str]]:
        """The approval requests on the approver's desk: order and customer."""
        with self._lock:
            return self._connection.execute(
                "SELECT order_id, customer FROM approvals JOIN orders USING (order_id) WHERE answer IS NULL"
            ).fetchall()

    def answer(self, order_id: str, answer: str) -> None:
        with self._lock, self._connection:
            self._connection.execute("UPDATE approvals SET answer = ? WHERE order_id = ?", (answer, order_id))

    def close(self) -> None:
        with self._lock:
            self._connection.close()


_shop: Shop | None = None


def use(opened: Shop) -> None:
    """Makes this the shop that the activities of this process work on."""
    global _shop
    _shop = opened


def current() -> Shop:
    if _shop is None:
        raise RuntimeError("no shop is open in this process; call shop.use(Shop(path)) first")
    return _shop


def create(path: Path, orders: int) -> None:
    """Makes a new shop with the full warehouse and the first so many orders."""
    with sqlite3.connect(path) as connection:
        connection.executescript((STORY / "schema.sql").read_text("utf-8"))
        connection.executemany(
            "INSERT INTO products VALUES (:sku, :name, :unit_cents, :stock, :stock)", rows("products")
        )
        connection.executemany(
            "INSERT INTO orders VALUES (:order_id, :customer, :sku, :quantity, :total_cents, :card)",
            rows("orders")[:orders],
        )
    connection.close()


def rows(name: str) -> list[dict[str, str]]:
    """The lines of one of the story's files, by the names in its first line."""
    with (STORY / "data" / f"{name}.csv").open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))
