"""The worker end to end: threads, async activities, cancellation, poison, a blocked workflow."""

from __future__ import annotations

import logging
from typing import Any

import pytest

import everstep
from echoes import echo, echo_async, echoes, waits
from everstep import Client, Retry, RuntimeStatus, Worker, WorkflowContext


@pytest.mark.parametrize("value", [0, False, "", [], {}, None, "ä€😀", {"__proto__": 1}, 10**299, -1.5])
def test_values_arrive_as_sent(value: Any) -> None:
    with Client("memory:") as client, Worker(client, [echoes, waits], [echo, echo_async]):
        handle = client.start_workflow(echoes, value)
        assert handle.result(timeout=30) == value
        assert handle.get().input == value
        waiting = client.start_workflow(waits)
        waiting.raise_event("GO", value)
        assert waiting.result(timeout=30) == value


def test_the_calls_of_daprs_guide() -> None:
    with Client("memory:") as client, Worker(client, [echoes, waits], [echo, echo_async]):
        client.start_workflow(
            instance_id="order-7",
            workflow_component="dapr",
            workflow_name="waits",
            input=None,
            workflow_options={},
        )
        client.wait_for_workflow_start("order-7", timeout=30)
        client.pause_workflow(instance_id="order-7", workflow_component="dapr")
        assert client.get_workflow(instance_id="order-7", workflow_component="dapr").runtime_status == "SUSPENDED"
        client.resume_workflow(instance_id="order-7", workflow_component="dapr")
        client.raise_workflow_event(
            instance_id="order-7", workflow_component="dapr", event_name="go", event_data={"by": "eve"}
        )
        state = client.wait_for_workflow_completion("order-7", timeout=30)
        assert state.runtime_status is RuntimeStatus.COMPLETED
        assert state.properties["dapr.workflow.output"] == '{"by":"eve"}'
        client.terminate_workflow(instance_id="order-7", workflow_component="dapr")
        assert client.purge_workflow(instance_id="order-7", workflow_component="dapr") == 1
        with pytest.raises(everstep.NotFoundError):
            client.get_workflow("order-7")


def test_results_are_of_their_types_and_errors_keep_their_chain() -> None:
    @everstep.activity
    def fails() -> None:
        try:
            open("/nowhere/at/all")
        except OSError as error:
            raise KeyError("no order") from error

    @everstep.workflow
    async def flow(ctx: WorkflowContext) -> None:
        await ctx.call(fails, retry=Retry(max_attempts=2, first_interval=0.001))

    with Client("memory:") as client, Worker(client, [flow], [fails]):
        handle = client.start_workflow(flow, instance_id="a")
        with pytest.raises(everstep.WorkflowFailedError) as caught:
            handle.result(timeout=30)
    failure = caught.value.failure
    assert failure is not None
    assert [item.error_type for item in failure.chain()] == ["KeyError", "FileNotFoundError"]
    assert "fails" in (failure.stack_trace or "")
    assert caught.value.instance_id == "a"


def test_an_output_that_does_not_fit_stays_readable() -> None:
    @everstep.workflow
    async def flow(ctx: WorkflowContext) -> int:
        return "text"  # type: ignore[return-value]

    with Client("memory:") as client, Worker(client, [flow]):
        handle = client.start_workflow(flow)
        with pytest.raises(everstep.DecodeError) as caught:
            handle.result(timeout=30)
        assert caught.value.text == '"text"'
        assert handle.get().raw_output == '"text"'


def test_listing_history_and_handles() -> None:
    with Client("memory:") as client, Worker(client, [echoes], [echo, echo_async]):
        handles = [client.start_workflow(echoes, n, instance_id=f"i-{n}") for n in range(5)]
        for handle in handles:
            handle.wait_for_completion(30)
        listed = list(client.list_workflows(page_size=2, statuses=[RuntimeStatus.COMPLETED]))
        assert {state.instance_id for state in listed} == {f"i-{n}" for n in range(5)}
        kinds = [event.type for event in handles[0].history()]
        assert kinds.count("TaskCompleted") == 2
        assert client.get_handle("i-3", echoes).result(timeout=30) == 3
        assert client.purge_workflows(workflow_name="echoes") == 5


def test_instances_rebuild_when_nothing_is_cached(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EVERSTEP_MAX_CACHED", "0")
    with Client("memory:") as client, Worker(client, [echoes], [echo, echo_async]) as worker:
        assert client.start_workflow(echoes, 3).result(timeout=30) == 3
        assert len(worker._host._instances) <= 1
    monkeypatch.setenv("EVERSTEP_MAX_CACHED", "many")
    with Client("memory:") as client, pytest.raises(everstep.InvalidArgumentError):
        Worker(client, [echoes])


def test_workflow_logs_once(caplog: pytest.LogCaptureFixture) -> None:
    @everstep.workflow
    async def flow(ctx: WorkflowContext) -> None:
        ctx.logger.warning("before")
        await ctx.sleep(0.01)
        ctx.logger.warning("after")

    with caplog.at_level(logging.WARNING), Client("memory:") as client:
        with Worker(client, [flow], max_cached=0):
            client.start_workflow(flow).result(timeout=30)
    assert [record.message for record in caplog.records if record.name == "everstep.workflow"] == ["before", "after"]
