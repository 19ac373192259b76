"""The clients of ``everstep.dapr``: errors, pages, states, the seven operations, tools."""

from __future__ import annotations

import asyncio
import functools
import json
import logging
import threading
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

import everstep
import everstep.dapr as wf
from everstep.dapr import aio, clients
from everstep.dapr.workflow_state import OrchestrationFailedError
from sdk import SECONDS

pytestmark = pytest.mark.usefixtures("dapr_engine")


def test_errors_are_typed(client: wf.DaprWorkflowClient) -> None:
    runtime = wf.WorkflowRuntime()

    @runtime.workflow
    def waits(ctx: wf.DaprWorkflowContext) -> Any:
        yield ctx.wait_for_external_event("go")

    with runtime:
        client.schedule_new_workflow(waits, instance_id="waits")
        with pytest.raises(everstep.AlreadyExistsError):
            client.schedule_new_workflow(waits, instance_id="waits")
        with pytest.raises(everstep.FailedPreconditionError):
            client.purge_workflow("waits")
        with pytest.raises(everstep.FailedPreconditionError):
            client.rerun_workflow_from_event("waits", 1)
        with pytest.raises(TimeoutError):
            client.wait_for_workflow_completion("waits", timeout_in_seconds=0.05)
        with pytest.warns(DeprecationWarning, match="reuse_id_policy"), pytest.raises(everstep.AlreadyExistsError):
            client.schedule_new_workflow(waits, instance_id="waits", reuse_id_policy="terminate")
    for call in (
        client.pause_workflow,
        client.resume_workflow,
        client.terminate_workflow,
        client.purge_workflow,
        client.get_workflow_history,
        lambda missing: client.raise_workflow_event(missing, "any"),
    ):
        with pytest.raises(everstep.NotFoundError):
            call("missing")
    assert client.get_workflow_state("missing") is None
    assert client.wait_for_workflow_start("missing", timeout_in_seconds=1) is None
    assert client.wait_for_workflow_completion("missing", timeout_in_seconds=1) is None
    for wrong in (
        lambda: client.list_workflow_instance_ids(page_size=0),
        lambda: client.rerun_workflow_from_event("missing", -1),
        lambda: client.rerun_workflow_from_event("missing", 1, new_instance_id=""),
    ):
        with pytest.raises(ValueError):
            wrong()


def test_pages_end(client: wf.DaprWorkflowClient) -> None:
    ids = {client.schedule_new_workflow("nobody") for _ in range(5)}
    page = client.list_workflow_instance_ids(page_size=3)
    assert len(page.instance_ids) == 3
    rest = client.list_workflow_instance_ids(page_size=3, continuation_token=page.continuation_token)
    assert rest.continuation_token is None
    assert {*page.instance_ids, *rest.instance_ids} == ids == set(client.iter_workflow_instance_ids(page_size=2))


def test_a_stalled_instance_is_waited_for(client: wf.DaprWorkflowClient, caplog: pytest.LogCaptureFixture) -> None:
    first, second = wf.WorkflowRuntime(), wf.WorkflowRuntime()

    def waits(ctx: wf.DaprWorkflowContext) -> Any:
        return (yield ctx.wait_for_external_event("go"))

    def other(ctx: wf.DaprWorkflowContext) -> str:
        return "other"

    first.register_versioned_workflow(waits, name="flow", version_name="1", is_latest=True)
    second.register_versioned_workflow(other, name="flow", version_name="2", is_latest=True)
    with first:
        instance_id = client.schedule_new_workflow("flow")
        client.wait_for_workflow_start(instance_id, timeout_in_seconds=SECONDS)
    with second:
        client.raise_workflow_event(instance_id, "go", data="back")
        with caplog.at_level(logging.WARNING), pytest.raises(TimeoutError):
            client.wait_for_workflow_completion(instance_id, timeout_in_seconds=0.4)
        told = [record for record in caplog.records if record.name == "DaprWorkflowClient"]
        state = client.get_workflow_state(instance_id)
        assert state is not None
        if state.runtime_status is wf.WorkflowStatus.STALLED:
            assert len(told) == 1
    waiter: list[Any] = []
    thread = threading.Thread(
        target=lambda: waiter.append(client.wait_for_workflow_completion(instance_id, timeout_in_seconds=SECONDS))
    )
    thread.start()
    with first:
        thread.join(SECONDS)
    assert waiter[0].serialized_output == '"back"'


def test_states_read_as_in_the_official_sdk(client: wf.DaprWorkflowClient) -> None:
    runtime = wf.WorkflowRuntime()

    @runtime.workflow
    def fails(ctx: wf.DaprWorkflowContext, text: str) -> Any:
        raise KeyError(text)

    with runtime:
        begun = datetime.now(timezone.utc).replace(tzinfo=None) - timedelta(seconds=1)
        instance_id = client.schedule_new_workflow(fails, input="k", start_at=begun)
        state = client.wait_for_workflow_completion(instance_id, timeout_in_seconds=SECONDS)
    assert state is not None
    assert state.created_at is not None
    assert state.created_at.tzinfo is None
    assert state.created_at >= begun
    assert state.failure_details is not None
    assert (state.failure_details.error_type, state.failure_details.message) == ("KeyError", "'k'")
    assert json.loads(str(state))["failure_details"]["error_type"] == "KeyError"
    with pytest.raises(OrchestrationFailedError):
        state.raise_if_failed()


def test_a_client_that_is_closed_says_so() -> None:
    client = wf.DaprWorkflowClient()
    client.close()
    with pytest.raises(everstep.ClosedError):
        client.get_workflow_state("any")

    async def closed() -> None:
        async with aio.DaprWorkflowClient() as client:
            assert await client.get_workflow_state("missing") is None
            assert await client.wait_for_workflow_completion("missing") is None
            assert await client.wait_for_workflow_start("missing") is None
        with pytest.raises(everstep.ClosedError):
            await client.get_workflow_state("any")

    asyncio.run(closed())


def test_the_seven_operations_fail_as_in_the_official_sdk() -> None:
    with clients.DaprClient() as client:
        for call in (client.get_workflow, client.pause_workflow, client.purge_workflow):
            with pytest.raises(clients.DaprInternalError, match="no such instance exists") as failed:
                call("missing", "dapr")
            assert failed.value.as_dict()["errorCode"] == "ERR_INSTANCE_ID_NOT_FOUND"
            with pytest.raises(ValueError, match="instance_id"):
                call("", "dapr")
        with pytest.raises(clients.DaprInternalError, match="no JSON"):
            client.start_workflow("dapr", "flow", input={1, 2})
        with pytest.raises(clients.DaprInternalError):
            client.start_workflow("no-such-component", "flow")
        started = client.start_workflow("dapr", "flow", input=b'{"raw": 1}', send_raw_bytes=True)
        state = client.get_workflow(started.instance_id, "dapr")
        assert (state.runtime_status, state.properties["dapr.workflow.input"]) == ("Pending", '{"raw": 1}')
        answer = client.raise_workflow_event(started.instance_id, "dapr", "event", event_data=None)
        assert (answer.headers, answer.get_headers(), answer.get_headers(as_dict=True)) == ({}, (), {})


def test_tools_are_listed_by_their_workflow(client: wf.DaprWorkflowClient) -> None:
    runtime = wf.WorkflowRuntime()
    answers: dict[str, Any] = {
        "weather": {
            "tools": [{"name": "tides", "description": "high water"}, {"name": "wind", "inputSchema": {"a": 1}}]
        },
        "empty": None,
    }

    def list_tools(ctx: Any, request: dict[str, str]) -> Any:
        return answers[request["mcpServerName"]]

    def broken(ctx: Any) -> None:
        raise ValueError("no")

    for name in answers:
        runtime.register_workflow(functools.partial(list_tools), name=f"{'dapr.internal.mcp.'}{name}.ListTools")
    runtime.register_workflow(broken, name="dapr.internal.mcp.broken.ListTools")
    with runtime:
        finder = wf.DaprMCPClient(timeout_in_seconds=SECONDS, wf_client=client)
        finder.connect("weather")
        finder.connect("empty")
        tides, wind = finder.get_all_tools()
        assert tides == wf.MCPToolDef("tides", "high water", {}, "weather", "dapr.internal.mcp.weather.CallTool.tides")
        assert wind.input_schema == {"a": 1}
        assert finder.get_connected_servers() == ["weather", "empty"]
        with pytest.raises(RuntimeError, match="FAILED"):
            finder.connect("broken")

        async def allowed() -> list[wf.MCPToolDef]:
            some = aio.DaprMCPClient(timeout_in_seconds=SECONDS, allowed_tools={"wind"})
            await some.connect("weather")
            return some.get_server_tools("weather")

        assert [tool.name for tool in asyncio.run(allowed())] == ["wind"]
    with pytest.raises(RuntimeError, match="in time"):
        wf.DaprMCPClient(timeout_in_seconds=0.1, wf_client=client).connect("nobody")
    with pytest.raises(ValueError, match="above 0"):
        wf.DaprMCPClient(timeout_in_seconds=0)
    with pytest.raises(ValueError, match="empty"):
        finder.connect(" ")
