"""Worker processes die, leave and share an app; what they had at hand is done by others."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import everstep
import pytest

import program
from nurse import connected_workers
from program import (
    ACTIVITIES,
    WAIT_SECONDS,
    WORKFLOWS,
    Here,
    Ledger,
    at_once,
    expected,
    quietly,
    steps,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cluster import Cluster, Sidecar

pytestmark = pytest.mark.main


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Path]:
    """A ledger's file, which nobody has open."""
    yield tmp_path / "ledger.db"


@contextmanager
def process(cluster: Cluster, ledger: Path, *options: str) -> Iterator[subprocess.Popen[bytes]]:
    """A worker process, which ends when the block does."""
    command = [sys.executable, str(Path(program.__file__)), str(ledger), *options]
    with subprocess.Popen(command, stdin=subprocess.PIPE, env=os.environ | cluster.environment) as worker:
        try:
            yield worker
        finally:
            worker.kill()


def wait_for_workers(sidecar: Sidecar, count: int) -> None:
    until = time.monotonic() + WAIT_SECONDS
    while connected_workers(sidecar) != count:
        if time.monotonic() > until:
            raise TimeoutError(f"{connected_workers(sidecar)} of {count} workers after {WAIT_SECONDS} s")
        time.sleep(0.02)


def test_another_worker_takes_over_from_one_that_was_killed_in_an_activity(
    shared: Cluster, ledger: Path
) -> None:
    book = Ledger(ledger)
    with everstep.Client(
        f"grpc://127.0.0.1:{shared.sidecars[0].grpc_port}", call_timeout=WAIT_SECONDS
    ) as client:
        with process(shared, ledger, "--hold", "2") as first:
            waiting = [client.start_workflow(steps, 4, instance_id=f"killed-{number}") for number in range(4)]
            book.wait_for(3 * len(waiting))
            first.kill()
            first.wait(WAIT_SECONDS)
        with process(shared, ledger):
            for handle in waiting:
                assert handle.result(timeout=WAIT_SECONDS) == expected(4)
    found = [(effect.instance_id, effect.step, effect.runs) for effect in book.effects()]
    assert found == [
        (handle.instance_id, number, 2 if number == 2 else 1) for handle in waiting for number in range(4)
    ]
    book.close()


def test_two_workers_of_an_app_share_the_work(shared: Cluster, ledger: Path) -> None:
    book = Ledger(ledger)
    endpoint = f"grpc://127.0.0.1:{shared.sidecars[0].grpc_port}"
    with process(shared, ledger) as first, process(shared, ledger) as second:
        wait_for_workers(shared.sidecars[0], 2)
        with everstep.Client(endpoint, call_timeout=WAIT_SECONDS) as client:
            handles = [
                client.start_workflow(at_once, 6, instance_id=f"shared-{number}") for number in range(20)
            ]
            for handle in handles:
                assert handle.result(timeout=WAIT_SECONDS) == expected(6)
        found = book.effects()
        assert {effect.process for effect in found} == {first.pid, second.pid}
    assert [(effect.step, effect.runs) for effect in found] == [(number, 1) for number in range(6)] * 20
    book.close()


def test_one_of_two_workers_dies_and_the_other_one_does_it_all(shared: Cluster, ledger: Path) -> None:
    book = Ledger(ledger)
    endpoint = f"grpc://127.0.0.1:{shared.sidecars[0].grpc_port}"
    with process(shared, ledger) as first, process(shared, ledger):
        wait_for_workers(shared.sidecars[0], 2)
        with everstep.Client(endpoint, call_timeout=WAIT_SECONDS) as client:
            handles = [
                client.start_workflow(steps, 6, instance_id=f"halved-{number}") for number in range(20)
            ]
            book.wait_for(30)
            first.kill()
            for handle in handles:
                assert handle.result(timeout=WAIT_SECONDS) == expected(6)
    found = [(effect.instance_id, effect.step) for effect in book.effects()]
    assert found == [
        (each, number) for each in sorted(handle.instance_id for handle in handles) for number in range(6)
    ]
    book.close()


def test_a_worker_that_closes_finishes_what_it_has_at_hand(shared: Cluster, ledger: Path) -> None:
    book = Ledger(ledger)
    endpoint = f"grpc://127.0.0.1:{shared.sidecars[0].grpc_port}"
    within, go_on = threading.Event(), threading.Event()

    def hold(number: int) -> None:
        if number == 1:
            within.set()
            go_on.wait(WAIT_SECONDS)

    Here.ledger, Here.in_step, Here.in_turn = book, hold, quietly
    with everstep.Client(endpoint, call_timeout=WAIT_SECONDS) as client, ThreadPoolExecutor(1) as pool:
        worker = everstep.Worker(client, WORKFLOWS, ACTIVITIES)
        worker.start()
        handle = client.start_workflow(steps, 3, instance_id="drained")
        assert within.wait(WAIT_SECONDS)
        closing = pool.submit(worker.close, WAIT_SECONDS)
        assert not closing.done(), "an activity is at work"
        go_on.set()
        closing.result(WAIT_SECONDS)
        assert worker.is_closed
        with process(shared, ledger):
            assert handle.result(timeout=WAIT_SECONDS) == expected(3)
    assert [(effect.step, effect.runs) for effect in book.effects()] == [(0, 1), (1, 1), (2, 1)]
    book.close()


def test_a_worker_whose_time_is_up_leaves_the_rest_to_another(shared: Cluster, ledger: Path) -> None:
    book = Ledger(ledger)
    endpoint = f"grpc://127.0.0.1:{shared.sidecars[0].grpc_port}"
    within, go_on = threading.Event(), threading.Event()

    def hold(number: int) -> None:
        if number == 1 and not within.is_set():
            within.set()
            go_on.wait(WAIT_SECONDS)

    Here.ledger, Here.in_step, Here.in_turn = book, hold, quietly
    with everstep.Client(endpoint, call_timeout=WAIT_SECONDS) as client, ThreadPoolExecutor(1) as pool:
        worker = everstep.Worker(client, WORKFLOWS, ACTIVITIES)
        worker.start()
        handle = client.start_workflow(steps, 3, instance_id="hurried")
        assert within.wait(WAIT_SECONDS)
        closing = pool.submit(worker.close, 0.2)
        with process(shared, ledger):
            assert handle.result(timeout=WAIT_SECONDS) == expected(3)
        go_on.set()
        closing.result(WAIT_SECONDS)
    assert [(effect.step, effect.runs) for effect in book.effects()] == [(0, 1), (1, 2), (2, 1)]
    book.close()
