"""Activities: side by side, long ones, what they know, and that nobody waits for them any more."""

from __future__ import annotations

import asyncio
import threading
import time

import pytest

import everstep
from everstep import ActivityContext, Client, Retry, Worker, WorkflowContext


def test_sync_activities_run_side_by_side_and_async_ones_need_no_thread() -> None:
    barrier = threading.Barrier(4)

    @everstep.activity
    def meet(n: int) -> int:
        barrier.wait(30)
        return n

    dozing, all_doze = [], asyncio.Event()

    @everstep.activity
    async def doze(n: int) -> int:
        dozing.append(n)
        if len(dozing) == 200:
            all_doze.set()
        await asyncio.wait_for(all_doze.wait(), 30)
        return n

    @everstep.workflow
    async def flow(ctx: WorkflowContext) -> int:
        met = await ctx.all([ctx.call(meet, n) for n in range(4)])
        dozed = await ctx.all([ctx.call(doze, n) for n in range(200)])
        return sum(met) + sum(dozed)

    with Client("memory:") as client, Worker(client, [flow], [meet, doze], activity_threads=4):
        assert client.start_workflow(flow).result(timeout=60) == 6 + 19900


def test_long_activities_do_not_hold_short_ones_in_their_chunk() -> None:
    release = threading.Event()

    @everstep.activity
    def maybe_long(n: int) -> int:
        if n == 0:
            release.wait(30)
        return n

    @everstep.workflow
    async def warm(ctx: WorkflowContext) -> None:
        await ctx.call(maybe_long, 1)

    @everstep.workflow
    async def flow(ctx: WorkflowContext, n: int) -> int:
        return await ctx.call(maybe_long, n)

    with Client("memory:") as client, Worker(client, [warm, flow], [maybe_long], activity_threads=3):
        client.start_workflow(warm).result(timeout=30)
        slow = client.start_workflow(flow, 0)
        time.sleep(0.05)
        quick = [client.start_workflow(flow, n) for n in range(1, 30)]
        assert [handle.result(timeout=30) for handle in quick] == list(range(1, 30))
        release.set()
        assert slow.result(timeout=30) == 0


def test_an_activity_knows_its_task() -> None:
    seen: list[tuple[str, int, str]] = []

    @everstep.activity
    def once(ctx: ActivityContext, n: int) -> int:
        assert everstep.current_activity() is ctx
        seen.append((ctx.instance_id, ctx.attempt, ctx.task_key))
        if ctx.attempt < 3:
            raise ValueError(n)
        return n

    @everstep.workflow
    async def flow(ctx: WorkflowContext) -> int:
        return await ctx.call(once, 5, retry=Retry(first_interval=0.001))

    with Client("memory:") as client, Worker(client, [flow], [once]):
        assert client.start_workflow(flow, instance_id="a").result(timeout=30) == 5
    assert [(id, attempt) for id, attempt, _ in seen] == [("a", 1), ("a", 2), ("a", 3)]
    assert len({key for _, _, key in seen}) == 1
    with pytest.raises(everstep.FailedPreconditionError):
        everstep.current_activity()


def test_activities_are_told_that_nobody_waits() -> None:
    begun, told = threading.Event(), threading.Event()
    cancelled: list[str] = []

    @everstep.activity
    def sync(ctx: ActivityContext) -> None:
        begun.set()
        if ctx.wait_cancelled(30):
            told.set()

    @everstep.activity
    async def asynchronous() -> None:
        try:
            await asyncio.sleep(30)
        except asyncio.CancelledError:
            cancelled.append("yes")
            raise

    @everstep.workflow
    async def flow(ctx: WorkflowContext) -> str:
        try:
            # On a busy machine an attempt's time may be over before it begins; one of them has begun.
            await ctx.call(asynchronous, timeout=0.1, retry=Retry(max_attempts=3, first_interval=0.001))
        except everstep.WaitTimeout:
            pass
        task = ctx.call(sync)
        await ctx.wait_for_event("begun")
        task.cancel()
        return "done"

    with Client("memory:") as client, Worker(client, [flow], [sync, asynchronous]):
        handle = client.start_workflow(flow)
        assert begun.wait(30)
        handle.raise_event("begun")
        assert handle.result(timeout=30) == "done"
        assert told.wait(30)
    assert set(cancelled) == {"yes"}
