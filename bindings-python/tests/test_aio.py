"""The asyncio flavour: loops, threads, cancellation. What the operations mean is in the conformance cases."""

from __future__ import annotations

import asyncio
import contextvars
import inspect
import sys
import threading
from collections.abc import Callable, Coroutine, Iterator
from typing import Any

import anyio
import pytest
import trio
import uvloop

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


PATIENCE = 60


def run(main: Coroutine[Any, Any, Any]) -> Any:
    return asyncio.run(asyncio.wait_for(main, PATIENCE))


def run_on_uvloop(main: Coroutine[Any, Any, Any]) -> Any:
    loop = uvloop.new_event_loop()
    try:
        return loop.run_until_complete(asyncio.wait_for(main, PATIENCE))
    finally:
        loop.close()


async def started(client: AsyncClient, count: int) -> list[AsyncWorkflowHandle[Any]]:
    """Instances that nobody runs."""
    return list(await asyncio.gather(*(client.start_workflow("nobody-runs-this") for _ in range(count))))


async def waiting(handles: list[AsyncWorkflowHandle[Any]]) -> list[asyncio.Task[Any]]:
    """Tasks that wait for results, in the core already."""
    tasks = [asyncio.ensure_future(handle.result()) for handle in handles]
    # Each begins to wait in its first step.
    await asyncio.sleep(0)
    assert open_calls() == len(handles)
    return tasks


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


@pytest.mark.parametrize("run", [run, run_on_uvloop])
def test_cancelling_a_wait_cancels_it_in_the_core(run: Callable[[Coroutine[Any, Any, Any]], Any]) -> None:
    async def main() -> None:
        async with AsyncClient("memory:") as client, Worker(client, [wait_for_go]):
            handle = await client.start_workflow(wait_for_go)
            waits = await waiting([handle] * 3)
            waits[0].cancel()
            with pytest.raises(asyncio.CancelledError):
                await waits[0]
            assert open_calls() == 2
            await handle.raise_event("go", "gone")
            assert await asyncio.gather(*waits[1:]) == ["gone", "gone"]

    run(main())


def test_a_wait_under_wait_for_is_given_up() -> None:
    async def main() -> None:
        async with AsyncClient("memory:") as client:
            (handle,) = await started(client, 1)
            with pytest.raises(asyncio.TimeoutError):
                await asyncio.wait_for(handle.result(), 0.01)
            assert open_calls() == 0
            with pytest.raises(everstep.OperationTimeoutError):
                await handle.result(timeout=0.01)

    run(main())


@pytest.mark.skipif(sys.version_info < (3, 11), reason="asyncio has them since 3.11")
def test_timeouts_and_task_groups_give_waits_up() -> None:
    async def main() -> None:
        async with AsyncClient("memory:") as client:
            handles = await started(client, 5)
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.01):
                    await handles[0].result()
            assert open_calls() == 0

            async def one_fails() -> None:
                await asyncio.sleep(0)
                assert open_calls() == 5
                raise ValueError("on purpose")

            async def all_together() -> None:
                async with asyncio.TaskGroup() as group:
                    for handle in handles:
                        group.create_task(handle.result())
                    group.create_task(one_fails())

            with pytest.raises(Exception, match="unhandled errors in a TaskGroup") as caught:
                await all_together()
            assert [type(error) for error in caught.value.exceptions] == [ValueError]  # type: ignore[attr-defined]
            assert open_calls() == 0

    run(main())


def test_a_coroutine_that_is_dropped_gives_its_wait_up() -> None:
    async def main() -> None:
        async with AsyncClient("memory:") as client:
            (handle,) = await started(client, 1)
            call = handle.result()
            call.send(None)
            assert open_calls() == 1
            call.close()
            assert open_calls() == 0

    run(main())


@pytest.mark.parametrize("run", [run, run_on_uvloop])
def test_ten_thousand_waits_hold_no_threads(run: Callable[[Coroutine[Any, Any, Any]], Any]) -> None:
    async def main() -> None:
        async with AsyncClient("memory:") as client:
            handles = await started(client, 10_000)
            tasks = await waiting(handles)
            # One of Python's own, one of the engine, one that brings answers.
            assert native_threads() <= 4
            for handle in handles[:5_000]:
                await handle.terminate()
            ended = await asyncio.gather(*tasks[:5_000], return_exceptions=True)
            assert {type(error) for error in ended} == {everstep.WorkflowTerminatedError}
            assert open_calls() == 5_000
            for task in tasks[5_000:]:
                task.cancel()
            given_up = await asyncio.gather(*tasks[5_000:], return_exceptions=True)
            assert {type(error) for error in given_up} == {asyncio.CancelledError}

    run(main())


def native_threads() -> int:
    with open("/proc/self/status") as status:
        return int(next(line for line in status if line.startswith("Threads:")).split()[1])


def test_loops_and_threads_share_a_client() -> None:
    client = AsyncClient("memory:")
    results: list[int] = []

    def work(run: Callable[[Coroutine[Any, Any, Any]], Any]) -> None:
        async def main() -> list[int]:
            handles = await asyncio.gather(*(client.start_workflow(add_one, n) for n in range(50)))
            return await asyncio.gather(*(handle.result(timeout=30) for handle in handles))

        for _ in range(3):
            results.extend(run(main()))

    with Worker(client, [add_one]):
        threads = [threading.Thread(target=work, args=(kind,)) for kind in (run, run_on_uvloop) * 2]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(PATIENCE)
    assert sorted(results) == sorted(list(range(1, 51)) * 12)
    client._native.close()


def test_a_loop_that_is_closed_leaves_nothing_behind(caplog: pytest.LogCaptureFixture) -> None:
    client = AsyncClient("memory:")
    loop = asyncio.new_event_loop()
    handles = loop.run_until_complete(started(client, 2))
    waits = [handle.result() for handle in handles]
    for wait in waits:
        # As a task would, on the loop.
        loop.call_soon(wait.send, None)
    loop.run_until_complete(asyncio.sleep(0))
    assert open_calls() == 2
    loop.close()

    async def other() -> None:
        # The answer of a call finds its loop closed, and the others of that loop are given up.
        await handles[0].terminate()

    run(other())
    deadline = threading.Event()
    for _ in range(3_000):
        if open_calls() == 0:
            break
        deadline.wait(0.01)
    assert open_calls() == 0
    for wait in waits:
        wait.close()
    client._native.close()
    assert caplog.records == []


def test_the_context_of_the_task_is_kept() -> None:
    name = contextvars.ContextVar[str]("name")

    async def main() -> None:
        async with AsyncClient("memory:") as client, Worker(client, [wait_for_go]):

            async def one(own: str) -> str:
                name.set(own)
                handle = await client.start_workflow(wait_for_go)
                wait = asyncio.ensure_future(handle.result())
                await handle.raise_event("go", own)
                assert await wait == own
                return name.get()

            assert await asyncio.gather(one("a"), one("b")) == ["a", "b"]

    run(main())


def test_an_error_shows_where_it_was_awaited() -> None:
    async def main() -> None:
        async with AsyncClient("memory:") as client:
            (handle,) = await started(client, 1)
            wait = asyncio.ensure_future(handle.result())
            await asyncio.sleep(0)
            await handle.terminate()
            with pytest.raises(everstep.WorkflowTerminatedError) as caught:
                await wait
            functions = [entry.name for entry in caught.traceback]
            assert functions[0] == "main"
            assert "result" in functions
            assert caught.value.operation == "workflow_result"
            assert caught.value.instance_id == handle.instance_id

    run(main())


def test_a_call_has_the_clients_timeout() -> None:
    async def main() -> None:
        async with AsyncClient("memory:", call_timeout=0.000001) as client:
            # More than can be started in that time.
            starts = (client.start_workflow("nobody-runs-this") for _ in range(2_000))
            ended = await asyncio.gather(*starts, return_exceptions=True)
            assert everstep.OperationTimeoutError in {type(error) for error in ended}

    run(main())


def test_what_reads_much_does_not_hold_the_loop() -> None:
    async def main() -> None:
        async with AsyncClient("memory:") as client:
            (handle,) = await started(client, 1)
            reading = handle.history()
            # It begins on the thread that brings answers, so the caller is not held meanwhile.
            assert inspect.isawaitable(reading.send(None))
            reading.close()
            assert len(await handle.history()) == 0

    run(main())


def test_it_works_under_anyio() -> None:
    async def main() -> None:
        async with AsyncClient("memory:") as client, Worker(client, [wait_for_go]):
            handle = await client.start_workflow(wait_for_go)
            with anyio.move_on_after(0.01) as scope:
                await handle.result()
            assert scope.cancelled_caught
            assert open_calls() == 0
            async with anyio.create_task_group() as group:
                group.start_soon(handle.result)
                await handle.raise_event("go", "gone")
            assert await handle.result(timeout=30) == "gone"

    anyio.run(main)
    anyio.run(main, backend_options={"use_uvloop": True})


def test_under_trio_the_error_says_what_to_do() -> None:
    async def main() -> None:
        client = AsyncClient("memory:")
        with pytest.raises(everstep.FailedPreconditionError, match="asyncio"):
            await client.get_workflow("one")
        client._native.close()

    trio.run(main)


def test_a_closed_client_lets_go_of_whoever_waits() -> None:
    async def main() -> None:
        client = AsyncClient("memory:")
        (handle,) = await started(client, 1)
        (wait,) = await waiting([handle])
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


def test_the_loop_goes_on_while_a_worker_drains() -> None:
    begun, stop = threading.Event(), threading.Event()

    @everstep.activity
    def stuck() -> None:
        begun.set()
        assert stop.wait(PATIENCE)

    @everstep.workflow
    async def sticks(ctx: everstep.WorkflowContext) -> None:
        await ctx.call(stuck)

    async def main() -> None:
        async with AsyncClient("memory:") as client:
            worker = Worker(client, [sticks], [stuck])
            async with worker:
                await client.start_workflow(sticks)
                assert await asyncio.to_thread(begun.wait, PATIENCE)
                # Nothing but this loop ends the activity that the worker waits for.
                asyncio.get_running_loop().call_later(0.05, stop.set)
            assert worker.is_closed

    run(main())


def test_a_worker_whose_start_is_given_up_is_closed() -> None:
    async def main() -> None:
        async with AsyncClient("memory:") as client:
            worker = Worker(client, [add_one])
            entering = asyncio.ensure_future(worker.__aenter__())
            await asyncio.sleep(0)
            entering.cancel()
            with pytest.raises(asyncio.CancelledError):
                await entering
            assert await asyncio.to_thread(worker.wait, PATIENCE)

    run(main())


def test_a_worker_that_cannot_start_raises_where_it_is_entered() -> None:
    async def main() -> None:
        client = AsyncClient("memory:")
        await client.close()
        with pytest.raises(everstep.ClosedError):
            async with Worker(client, [add_one]):
                pass

    run(main())


def test_without_a_loop_of_asyncio_the_error_says_what_to_do() -> None:
    client = AsyncClient("memory:")
    call = client.get_workflow("one")
    with pytest.raises(everstep.FailedPreconditionError, match="asyncio"):
        call.send(None)
    client._native.close()
