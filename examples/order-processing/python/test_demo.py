"""The demo in small, and that its proof can fail."""

from __future__ import annotations

import importlib.util
import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
STORY = HERE.parent


@pytest.mark.timeout(180)
def test_orders_survive_a_kill(tmp_path: Path) -> None:
    command = [sys.executable, str(HERE / "demo.py"), "--orders", "200", "--folder", str(tmp_path / "run")]
    # On a busy machine the worker is away for longer.
    command += ["--approval-seconds", "15"]
    environment = {**os.environ, "PYTHONIOENCODING": "ascii"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=170)

    assert done.returncode == 0, done.stdout + done.stderr
    assert "got SIGKILL" in done.stdout
    assert "Nothing was lost" in done.stdout
    assert "\x1b" not in done.stdout


@pytest.mark.timeout(120)
def test_the_seven_calls_without_a_sidecar(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DAPR_HTTP_PORT", "DAPR_GRPC_PORT", "EVERSTEP_ENDPOINT"):
        monkeypatch.delenv(name, raising=False)
    command = [sys.executable, str(HERE / "management.py")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=110)
    assert done.returncode == 0, done.stderr
    said = [line.split()[0] for line in done.stdout.splitlines()]
    assert set(said) == {"start", "get", "pause", "resume", "raiseEvent", "terminate", "purge"}


def test_the_proof_fails_on_an_order_that_ended_twice(tmp_path: Path) -> None:
    books = sqlite3.connect(tmp_path / "shop.db")
    books.executescript((STORY / "schema.sql").read_text("utf-8"))
    books.execute("INSERT INTO products VALUES ('PEN', 'Pens', 100, 9, 10)")
    books.execute("INSERT INTO orders VALUES ('order-1', 'C-1', 'PEN', 1, 100, 'card-1')")
    for key, kind, cents, detail in [
        ("a/reserved", "reserved", 0, ""),
        ("b/charged", "charged", 100, ""),
        ("c/shipped", "shipped", 0, ""),
        ("d/ended", "ended", 100, "shipped"),
    ]:
        books.execute(
            "INSERT INTO ledger (key, order_id, kind, sku, units, cents, detail, at_ms)"
            " VALUES (?, 'order-1', ?, 'PEN', 1, ?, ?, 0)",
            (key, kind, cents, detail),
        )
    proof = (STORY / "verify.sql").read_text("utf-8")
    assert [wrong for _, _, wrong in books.execute(proof)] == [0] * 7

    books.execute(
        "INSERT INTO ledger (key, order_id, kind, detail, at_ms) VALUES ('e/ended', 'order-1', 'ended', 'shipped', 0)"
    )
    assert [claim for claim, _, wrong in books.execute(proof) if wrong] == ["every order ended exactly once"]
    books.execute("UPDATE products SET stock = 8")
    assert len([claim for claim, _, wrong in books.execute(proof) if wrong]) == 2
    books.close()


def test_the_generator_writes_what_lies_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spec = importlib.util.spec_from_file_location("generate", STORY / "data" / "generate.py")
    assert spec is not None
    assert spec.loader is not None
    generate = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(generate)
    monkeypatch.setattr(generate, "HERE", tmp_path)
    generate.main()
    for name in ("orders.csv", "products.csv", "expected.csv", "expected.json"):
        assert (tmp_path / name).read_bytes() == (STORY / "data" / name).read_bytes()
