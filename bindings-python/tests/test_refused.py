"""Arguments, options and calls that are refused, and with which error."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

import everstep
from echoes import echo, echoes, waits
from everstep import Client, RuntimeStatus, Worker
from everstep.errors import EverstepError


@pytest.mark.parametrize(
    "call",
    [
        lambda client: client.start_workflow(),
        lambda client: client.start_workflow(echo, 1),
        lambda client: client.start_workflow(len, 1),
        lambda client: client.start_workflow("a", instance_id=7),
        lambda client: client.start_workflow("a", instance_id="a/b"),
        lambda client: client.start_workflow("a", instance_id=""),
        lambda client: client.start_workflow("a", instance_id="\ud800"),
        lambda client: client.start_workflow("a", workflow_name="b"),
        lambda client: client.start_workflow("a", object()),
        lambda client: client.start_workflow("a", float("nan")),
        lambda client: client.start_workflow("a", workflow_component="other"),
        lambda client: client.start_workflow("a", workflow_options={"a": 1}),
        lambda client: client.start_workflow("a", workflow_options=[1]),
        lambda client: client.start_workflow("a", tags={1: "a"}),
        lambda client: client.start_workflow("a", reuse="maybe"),
        lambda client: client.start_workflow("a", start_at="now"),
        lambda client: client.get_workflow(None),
        lambda client: client.get_workflow(b"a"),
        lambda client: client.wait_for_workflow_completion("a", timeout="1"),
        lambda client: client.wait_for_workflow_completion("a", timeout=-1),
        lambda client: client.raise_workflow_event("a", ""),
        lambda client: client.raise_workflow_event("a", "b", {1j}),
        lambda client: client.terminate_workflow("a", output=object()),
        lambda client: client.list_workflows(statuses="RUNNING"),
        lambda client: client.list_workflows(statuses=["RUN"]),
        lambda client: client.list_workflows(page_size=0),
        lambda client: client.list_workflows(parent_instance_id=7),
        lambda client: client.count_workflows(statuses=["RUN"]),
        lambda client: client.purge_workflows(created_from="yesterday"),
        lambda client: client.purge_workflows(statuses=["RUNNING"]),
        lambda client: client.terminate_workflows(output=object()),
        lambda client: client.pause_workflows(reason=1),
        lambda client: client.resume_workflows(statuses=[RuntimeStatus.COMPLETED]),
        lambda client: Worker(client, echoes),
        lambda client: Worker(client, [echo]),
        lambda client: Worker(client, [], [echoes]),
        lambda client: Worker(client, [echoes, echoes]),
        lambda client: Worker(client, [echoes], max_cached=-1),
        lambda client: Worker(client, [echoes], activity_threads=0),
        lambda client: Worker("memory:", [echoes]),
    ],
)
def test_wrong_arguments_are_refused_and_nothing_is_written(call: Any) -> None:
    with Client("memory:") as client:
        with pytest.raises(everstep.InvalidArgumentError) as caught:
            call(client)
        assert caught.value.message
        assert list(client.list_workflows()) == []


@pytest.mark.parametrize(
    "make",
    [
        lambda: Client("mem"),
        lambda: Client(7),  # type: ignore[arg-type]
        lambda: Client("memory:", durability="maybe"),  # type: ignore[arg-type]
        lambda: Client("memory:", call_timeout=0),
        lambda: Client("memory:", max_payload_bytes=0),
        lambda: Client("memory:", components={"archive": "nowhere"}),
    ],
)
def test_wrong_options_are_refused(make: Any) -> None:
    with pytest.raises(everstep.InvalidArgumentError):
        make()


def test_limits_locks_and_remote_endpoints_say_so(endpoint: str, tmp_path: Path) -> None:
    with Client(endpoint, max_payload_bytes=100) as client:
        with pytest.raises(everstep.PayloadTooLargeError):
            client.start_workflow("a", "x" * 200)
        with pytest.raises(everstep.NotFoundError) as caught:
            client.get_workflow("nobody")
        assert (caught.value.operation, caught.value.instance_id) == ("get_workflow", "nobody")
        code = f"import everstep\neverstep.Client({endpoint!r}).start_workflow('a')"
        import subprocess

        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
        assert "StoreLockedError" in done.stderr
    # Nothing listens there: a remote endpoint opens without a connection.
    with Client("http://127.0.0.1:1", call_timeout=2) as client, pytest.raises(everstep.UnavailableError):
        client.get_workflow("nobody")


def test_timeouts_are_typed() -> None:
    with Client("memory:") as client, Worker(client, [waits]):
        handle = client.start_workflow(waits)
        with pytest.raises(TimeoutError) as caught:
            handle.result(timeout=0.05)
        assert isinstance(caught.value, EverstepError)
        assert caught.value.retryable
        handle.raise_event("go")
        assert handle.result(timeout=30) is None
