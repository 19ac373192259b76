"""A workflow of one application asks another one for activities and children, with our worker on both sides."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import everstep.dapr as wf
import pytest

from cluster import Cluster

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SECONDS = 60


@pytest.fixture(scope="module")
def ports(binaries: Path, store: str) -> Iterator[dict[str, int]]:
    """The gRPC ports of two applications."""
    with Cluster(binaries, store, app_ids=["here", "there"]) as cluster:
        yield {sidecar.app_id: sidecar.grpc_port for sidecar in cluster.sidecars}


def double(_: Any, number: int) -> int:
    return number * 2


def fails(_: Any) -> None:
    raise ValueError("over there")


def twice(ctx: wf.DaprWorkflowContext, number: int) -> Any:
    first = yield ctx.call_activity("double", input=number)
    return [first, (yield ctx.call_activity("double", input=first))]


def asks(ctx: wf.DaprWorkflowContext) -> Any:
    activity = yield ctx.call_activity("double", input=21, app_id="there")
    child = yield ctx.call_child_workflow("twice", input=1, app_id="there")
    try:
        yield ctx.call_activity("fails", app_id="there")
    except wf.TaskFailedError as error:
        return [activity, child, error.details.message]


def test_activities_and_children_of_another_application(ports: dict[str, int]) -> None:
    here, there = (wf.WorkflowRuntime("127.0.0.1", port) for port in (ports["here"], ports["there"]))
    here.register_workflow(asks)
    there.register_workflow(twice)
    there.register_activity(double)
    there.register_activity(fails)
    with there, here, wf.DaprWorkflowClient("127.0.0.1", ports["here"]) as client:
        instance_id = client.schedule_new_workflow(asks)
        state = client.wait_for_workflow_completion(instance_id, timeout_in_seconds=SECONDS)
        assert state is not None
        state.raise_if_failed()
        assert json.loads(state.serialized_output or "") == [42, [2, 4], "over there"]
