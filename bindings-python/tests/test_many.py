"""Operations on many instances: lists, counts, and what is done to all that match."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

import everstep
from everstep import AsyncClient, Client, RuntimeStatus, Worker


@everstep.workflow
async def echoes(ctx: everstep.WorkflowContext, number: int) -> int:
    return number


@everstep.workflow
async def waits(ctx: everstep.WorkflowContext) -> None:
    await ctx.wait_for_event("go")


@everstep.workflow
async def parent(ctx: everstep.WorkflowContext, count: int) -> list[int]:
    return list(await ctx.all(*(ctx.call(echoes, number) for number in range(count))))


WORKFLOWS = [echoes, waits, parent]


def test_lists_are_read_page_by_page_as_they_are_asked_for() -> None:
    with Client("memory:") as client, Worker(client, WORKFLOWS):
        for number in range(5):
            client.start_workflow(echoes, number, instance_id=f"i-{number}").wait_for_completion(30)
        states = client.list_workflows(page_size=2)
        assert next(states).instance_id == "i-4"
        client.purge_workflow("i-3")
        client.purge_workflow("i-2")
        client.start_workflow(echoes, 5, instance_id="i-5").wait_for_completion(30)
        assert [state.instance_id for state in states] == ["i-3", "i-1", "i-0"], "i-3 was on the first page already"


def test_payloads_come_where_they_are_asked_for() -> None:
    with Client("memory:") as client, Worker(client, WORKFLOWS):
        client.start_workflow(parent, 3, instance_id="p", tags={"team": "red"}).wait_for_completion(30)
        (bare,) = client.list_workflows(workflow_name="parent")
        assert (bare.raw_input, bare.raw_output, bare.tags) == (None, None, {})
        (full,) = client.list_workflows(workflow_name="parent", payloads=True)
        assert full == client.get_workflow("p")
        children = list(client.list_workflows(parent_instance_id="p", payloads=True))
        assert [child.output for child in children] == [2, 1, 0]
        assert client.count_workflows(parent_instance_id="p") == {RuntimeStatus.COMPLETED: 3}


def test_progress_is_the_count_so_far_and_may_end_the_operation() -> None:
    with Client("memory:") as client, Worker(client, WORKFLOWS):
        for _ in range(120):
            client.start_workflow(waits)
        seen: list[int] = []
        assert client.terminate_workflows(output="over", progress=seen.append) == 120
        assert len(seen) > 1
        assert seen == sorted(seen)
        assert seen[-1] == 120

        class Enough(Exception):
            pass

        def stop(done: int) -> None:
            seen.append(done)
            raise Enough

        with pytest.raises(Enough):
            client.purge_workflows(progress=stop)
        assert client.count_workflows() == {RuntimeStatus.TERMINATED: 120 - seen[-1]}
        assert client.purge_workflows() == 120 - seen[-1]


def test_the_asyncio_flavour_does_the_same() -> None:
    async def main() -> None:
        async with AsyncClient("memory:") as client, Worker(client, WORKFLOWS):
            for number in range(60):
                await client.start_workflow(waits, instance_id=f"i-{number}")
            started = [await client.wait_for_workflow_start(f"i-{number}", timeout=30) for number in range(60)]
            seen: list[int] = []
            paused = await client.pause_workflows(
                workflow_name="waits", created_to=started[50].created_at, reason="stop", progress=seen.append
            )
            assert (paused, seen[-1]) == (50, 50)
            listed = [state.instance_id async for state in client.list_workflows(statuses=["SUSPENDED"], page_size=7)]
            assert listed == [f"i-{number}" for number in reversed(range(50))]
            counts = await client.count_workflows()
            assert counts == {RuntimeStatus.SUSPENDED: 50, RuntimeStatus.RUNNING: 10}
            assert await client.resume_workflows(reason="go on") == 50
            assert await client.terminate_workflows(recursive=False) == 60
            assert await client.purge_workflows(statuses=[RuntimeStatus.TERMINATED]) == 60
            assert await client.count_workflows() == {}
            with pytest.raises(everstep.InvalidArgumentError):
                await client.purge_workflows(statuses=[RuntimeStatus.RUNNING])

    asyncio.run(asyncio.wait_for(main(), 60))


@pytest.mark.parametrize("operation", ["list", "count", "purge", "terminate", "pause", "resume"])
def test_a_criterion_that_does_not_exist_is_refused(operation: str) -> None:
    with Client("memory:") as client:
        method: Any = getattr(client, f"{operation}_workflows")
        with pytest.raises(TypeError):
            method(workflow_nam="a")
