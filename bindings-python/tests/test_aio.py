"""The asyncio flavour: loops, threads, cancellation. What the operations mean is in the conformance cases."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterator
from typing import Any

import pytest

import everstep
from everstep import AsyncClient, AsyncWorkflowHandle, Client, Worker, completions


@everstep.workflow
async def add_one(ctx: everstep.WorkflowContext, n: int) -> int:
    return n + 1


@everstep.workflow
async def wait_for_go(ctx: everstep.WorkflowContext) -> str:
    return await ctx.wait_for_event("go", str)


@everstep.workflow
async def fail(ctx: everstep.WorkflowContext) -> None:
    raise ValueError("on purpose")


def run(main: Coroutine[Any, Any, Any]) -> Any:
    return asyncio.run(asyncio.wait_for(main, 60))


def open_calls() -> int:
    return len(completions._completions.queue)


@pytest.fixture(autouse=True)
def _nothing_is_left() -> Iterator[None]:
    yield
    assert open_calls() == 0


def test_every_operation_is_awaited() -> None:
    async def main() -> None:
        async with AsyncClient("memory:") as client, Worker(client, [add_one, wait_for_go]):
            handle = await client.start_workflow(add_one, 1, instance_id="one")
            assert type(handle) is AsyncWorkflowHandle
            assert await handle.result(timeout=30) == 2
            assert (await handle.get()).output == 2
            assert (await handle.wait_for_start(timeout=30)).started_at is not None
            assert (await handle.wait_for_completion(timeout=30)).runtime_status == "COMPLETED"
            assert [event.type for event in await handle.history()][-1] == "ExecutionCompleted"
            assert await client.get_handle("one", add_one).result(timeout=30) == 2
            waiting = await client.start_workflow(wait_for_go, instance_id="two")
            await waiting.pause(reason="lunch")
            await waiting.resume()
            await waiting.raise_event("go", "gone")
            assert await waiting.result(timeout=30) == "gone"
            assert [state.instance_id async for state in client.list_workflows(page_size=1)] == ["two", "one"]
            assert await handle.purge() == 1
            assert await client.purge_workflows() == 1
            ended = await client.start_workflow(wait_for_go)
            await ended.terminate(output="no")
            with pytest.raises(everstep.WorkflowTerminatedError):
                await ended.result(timeout=30)

    run(main())


def test_errors_are_those_of_the_other_flavour() -> None:
    async def main() -> None:
        async with AsyncClient("memory:") as client, Worker(client, [fail]):
            with pytest.raises(everstep.NotFoundError) as caught:
                await client.get_workflow("nobody")
            assert caught.value.instance_id == "nobody"
            with pytest.raises(everstep.WorkflowFailedError) as failed:
                await (await client.start_workflow(fail)).result(timeout=30)
            assert failed.value.failure is not None
            assert failed.value.failure.message == "on purpose"
            with pytest.raises(everstep.InvalidArgumentError):
                client.list_workflows(page_size=0)

    run(main())


def test_cancelling_a_wait_cancels_it_in_the_core() -> None:
    async def main() -> None:
        async with AsyncClient("memory:") as client, Worker(client, [wait_for_go]):
            handle = await client.start_workflow(wait_for_go)
            waits = [asyncio.ensure_future(handle.result()) for _ in range(3)]
            # Each begins to wait in its first step.
            await asyncio.sleep(0)
            assert open_calls() == 3
            waits[0].cancel()
            with pytest.raises(asyncio.CancelledError):
                await waits[0]
            assert open_calls() == 2
            await handle.raise_event("go", "gone")
            assert await asyncio.gather(*waits[1:]) == ["gone", "gone"]

    run(main())


def test_a_closed_client_lets_go_of_whoever_waits() -> None:
    async def main() -> None:
        client = AsyncClient("memory:")
        handle = await client.start_workflow(workflow_name="nobody-runs-this")
        wait = asyncio.ensure_future(handle.result())
        await handle.get()
        await client.close()
        with pytest.raises(everstep.ClosedError):
            await wait
        with pytest.raises(everstep.ClosedError):
            await handle.get()

    run(main())


def test_a_worker_takes_either_client() -> None:
    async def main() -> None:
        with Client("memory:") as client:
            async with Worker(client, [add_one]) as worker:
                assert client.start_workflow(add_one, 1).result(timeout=30) == 2
            assert worker.is_closed

    run(main())


def test_without_a_loop_of_asyncio_the_error_says_what_to_do() -> None:
    client = AsyncClient("memory:")
    call = client.get_workflow("one")
    with pytest.raises(everstep.FailedPreconditionError, match="asyncio"):
        call.send(None)
    client._native.close()
