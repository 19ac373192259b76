"""Threads of clients and workers: shared, ready, closed, and gone afterwards."""

from __future__ import annotations

import logging
import socket
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

import everstep
from echoes import echo, echo_async, echoes, waits
from everstep import ActivityContext, Client, Worker, WorkflowContext


def test_many_threads_share_a_client() -> None:
    results: list[int] = []

    def ask(client: Client, n: int) -> None:
        results.append(client.start_workflow(echoes, n).result(timeout=30))

    with Client("memory:") as client, Worker(client, [echoes], [echo, echo_async]):
        threads = [threading.Thread(target=ask, args=(client, n)) for n in range(20)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert sorted(results) == list(range(20))


def test_closing_ends_all_threads_and_hands_back_what_was_at_work(endpoint: str) -> None:
    before = threading.active_count()
    first = threading.Event()

    @everstep.activity
    def slow(ctx: ActivityContext) -> str:
        if not first.is_set():
            first.set()
            ctx.wait_cancelled(30)
        return "done"

    @everstep.workflow
    async def flow(ctx: WorkflowContext) -> str:
        return await ctx.call(slow)

    with Client(endpoint) as client:
        with Worker(client, [flow], [slow], shutdown_timeout=0.1):
            handle = client.start_workflow(flow, instance_id="a")
            assert first.wait(30)
        assert threading.active_count() == before
        with Worker(client, [flow], [slow]):
            assert handle.result(timeout=30) == "done"
    assert threading.active_count() == before


def test_a_worker_on_an_engine_is_ready_while_it_is_open() -> None:
    with Client("memory:") as client:
        worker = Worker(client, [echoes], [echo, echo_async])
        assert not worker.is_ready
        with pytest.raises(everstep.FailedPreconditionError):
            worker.wait_until_ready(30)
        with worker:
            worker.wait_until_ready(30)
            assert worker.is_ready
        assert not worker.is_ready
        with pytest.raises(everstep.ClosedError):
            worker.wait_until_ready(30)


def test_a_worker_without_its_sidecar_says_why_it_is_not_ready(caplog: pytest.LogCaptureFixture) -> None:
    with socket.socket() as taken:
        # Bound and not listened on: a connection is refused, now and later.
        taken.bind(("127.0.0.1", 0))
        endpoint = f"grpc://127.0.0.1:{taken.getsockname()[1]}"
        with caplog.at_level(logging.INFO, "everstep.worker"), Client(endpoint) as client:
            for workflows, activities in (([echoes], []), ([], [echo])):
                caplog.clear()
                with Worker(client, workflows, activities, shutdown_timeout=0) as worker:
                    assert not worker.is_ready
                    with pytest.raises(everstep.OperationTimeoutError, match="nothing answers"):
                        worker.wait_until_ready(0.5)
                told = [record for record in caplog.records if endpoint in record.getMessage()]
                assert [record.levelno for record in told] == [logging.WARNING], "said once, not at each attempt"


def test_closed_clients_and_workers_say_so() -> None:
    client = Client("memory:")
    worker = Worker(client, [echoes], [echo, echo_async])
    worker.start()
    with pytest.raises(everstep.FailedPreconditionError):
        worker.start()
    worker.close()
    worker.close()
    assert worker.is_closed
    assert worker.wait(0)
    with pytest.raises(everstep.ClosedError):
        worker.start()
    client.close()
    client.close()
    assert client.is_closed
    with pytest.raises(everstep.ClosedError):
        client.start_workflow(echoes, 1)
    with pytest.raises(everstep.ClosedError):
        Worker(client, [echoes]).start()


def test_closing_lets_go_of_who_waits(endpoint: str) -> None:
    errors: list[BaseException] = []

    def wait(handle: everstep.WorkflowHandle[Any]) -> None:
        try:
            handle.result()
        except everstep.ClosedError as error:
            errors.append(error)

    with Client(endpoint) as client, Worker(client, [waits]):
        handle = client.start_workflow(waits)
        handle.wait_for_start(10)
        waiting = threading.Thread(target=wait, args=(handle,))
        waiting.start()
    waiting.join(20)
    assert not waiting.is_alive()
    assert len(errors) == 1


OPEN_AND_START = """
import sys
from everstep import Client
with Client(sys.argv[1]) as client:
    client.start_workflow("echoes", 1)
"""


def test_the_file_is_free_once_both_are_closed(tmp_path: Path) -> None:
    endpoint = f"sqlite:{tmp_path / 'workflows.db'}"
    with Client(endpoint) as client, Worker(client, [echoes], [echo, echo_async]) as worker:
        assert client.start_workflow(echoes, 1).result(timeout=30) == 1
    done = subprocess.run(
        [sys.executable, "-c", OPEN_AND_START, endpoint], check=False, timeout=60, capture_output=True
    )
    # Both are still referred to; that must not keep the file.
    assert worker.is_closed
    assert client.is_closed
    assert done.returncode == 0, done.stderr.decode()
