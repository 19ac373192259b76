"""Watching instances, with both flavours of the client."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest

import everstep
from everstep import RuntimeStatus


@everstep.workflow
async def steps(ctx: everstep.WorkflowContext, count: int) -> int:
    for number in range(count):
        ctx.set_custom_status(number)
        await ctx.wait_for_event("go")
    return count


def test_a_watch_gives_every_state_that_is_waited_for(endpoint: str) -> None:
    with everstep.Client(endpoint) as client, everstep.Worker(client, [steps]):
        handle = client.start_workflow(steps, 5)
        seen: list[Any] = []
        for state in handle.watch():
            if state.runtime_status is RuntimeStatus.RUNNING and state.custom_status not in seen:
                seen.append(state.custom_status)
                handle.raise_event("go")
        assert seen == [0, 1, 2, 3, 4]
        assert state.runtime_status is RuntimeStatus.COMPLETED
        assert state.output == 5
        again = list(client.watch_workflow(handle.instance_id, payloads=False))
        assert [(state.runtime_status, state.raw_output) for state in again] == [(RuntimeStatus.COMPLETED, None)]


def test_a_watch_of_a_run_is_not_of_another_one(endpoint: str) -> None:
    with everstep.Client(endpoint) as client, everstep.Worker(client, [steps]):
        first = client.start_workflow(steps, 0, instance_id="a")
        assert first.result(timeout=30) == 0
        second = client.start_workflow(steps, 0, instance_id="a")
        assert second.result(timeout=30) == 0
        with pytest.raises(everstep.NotFoundError):
            next(first.watch())
        assert [state.execution_id for state in second.watch()] == [second.execution_id]


def test_a_watch_ends_with_the_purge_or_the_client(endpoint: str) -> None:
    with everstep.Client(endpoint) as client, everstep.Worker(client, [steps]):
        purged = client.start_workflow(steps, 1)
        watch = purged.watch()
        next(watch)
        purged.terminate()
        purged.wait_for_completion(timeout=30)
        purged.purge()
        with pytest.raises(everstep.NotFoundError):
            list(watch)
        with pytest.raises(everstep.InvalidArgumentError):
            client.watch_workflow(7)  # type: ignore[arg-type]

        open_ = client.start_workflow(steps, 1)
        waiting, caught = threading.Event(), []

        def follow() -> None:
            try:
                for state in open_.watch():
                    if state.custom_status == 0:
                        waiting.set()
            except everstep.ClosedError as error:
                caught.append(error)

        thread = threading.Thread(target=follow)
        thread.start()
        assert waiting.wait(30)
        client.close()
        thread.join(30)
        assert not thread.is_alive()
        assert [error.code for error in caught] == ["closed"]


def test_asyncio_watches(endpoint: str) -> None:
    async def run() -> None:
        async with everstep.AsyncClient(endpoint) as client:
            with everstep.Client(endpoint) as other, everstep.Worker(other, [steps]):
                handle = await client.start_workflow(steps, 2)
                async for state in handle.watch():
                    if state.runtime_status is RuntimeStatus.RUNNING and state.custom_status is not None:
                        await handle.raise_event("go")
                assert state.output == 2
                assert [state.output async for state in client.watch_workflow(handle.instance_id)] == [2]

                idle = await client.start_workflow(steps, 1)
                async for state in idle.watch():
                    if state.custom_status == 0:
                        break
                with pytest.raises(asyncio.TimeoutError):
                    await asyncio.wait_for(follow(idle), 0.05)
                from everstep.completions import _completions

                assert len(_completions.queue) == 0, "the wait was given up in the core"
                with pytest.raises(everstep.NotFoundError):
                    await anext_of(client.watch_workflow("missing"))

    async def follow(handle: everstep.AsyncWorkflowHandle[Any]) -> None:
        async for _ in handle.watch():
            pass

    async def anext_of(states: Any) -> None:
        await states.__anext__()

    asyncio.run(run())


def test_a_thousand_watches_need_no_more_threads(endpoint: str) -> None:
    async def run() -> None:
        async with everstep.AsyncClient(endpoint) as client:
            with everstep.Client(endpoint) as other, everstep.Worker(other, [steps]):
                handle = await client.start_workflow(steps, 1)
                async for state in handle.watch():
                    if state.custom_status == 0:
                        break
                follow = [asyncio.create_task(last(handle)) for _ in range(1000)]
                await asyncio.sleep(0)
                before = threading.active_count()
                await handle.raise_event("go")
                assert set(await asyncio.wait_for(asyncio.gather(*follow), 60)) == {RuntimeStatus.COMPLETED}
                assert threading.active_count() <= before + 1

    async def last(handle: everstep.AsyncWorkflowHandle[Any]) -> RuntimeStatus:
        states = [state.runtime_status async for state in handle.watch()]
        assert sum(status.is_terminal for status in states) == 1
        return states[-1]

    asyncio.run(run())
