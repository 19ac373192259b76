"""The workflow loop under asyncio, without an engine."""

from __future__ import annotations

import asyncio
import concurrent.futures
import threading
from typing import Any

import pytest

import everstep
from everstep import WorkflowContext
from hosting import Script, kinds, ship


def test_gather_sleep_wait_and_task_groups_are_durable() -> None:
    @everstep.workflow
    async def flow(ctx: WorkflowContext) -> Any:
        async def branch(name: str) -> str:
            await asyncio.sleep(1.5)
            return await ctx.call(ship, name)

        both = await asyncio.gather(branch("a"), branch("b"))
        done, pending = await asyncio.wait(
            [asyncio.ensure_future(branch("c")), asyncio.create_task(branch("d"))], return_when="FIRST_COMPLETED"
        )
        for task in pending:
            task.cancel()
        return [*both, *(task.result() for task in done)]

    script = Script(flow)
    assert script.start() == [
        {"kind": "timer", "ref": 1, "after_ms": 1500},
        {"kind": "timer", "ref": 2, "after_ms": 1500},
    ]
    assert kinds(script.done(2)) == ["activity"]
    assert kinds(script.done(1)) == ["activity"]
    assert script.done(4, "A") == []
    assert kinds(script.done(3, "B")) == ["timer", "timer"]
    assert kinds(script.done(5)) == ["activity"]
    assert script.done(7, "C")[-1] == {"kind": "complete", "output": ["A", "B", "C"]}


def test_timeouts_cancel_what_they_surround() -> None:
    @everstep.workflow
    async def flow(ctx: WorkflowContext) -> str:
        try:
            return await asyncio.wait_for(ctx.wait_for_event("approval", str), 3)
        except asyncio.TimeoutError:
            return "late"

    script = Script(flow)
    commands = script.start()
    assert sorted(kinds(commands)) == ["event", "timer"]
    timer = next(command["ref"] for command in commands if command["kind"] == "timer")
    event = next(command["ref"] for command in commands if command["kind"] == "event")
    assert script.done(timer) == [{"kind": "cancel", "ref": event}, {"kind": "complete", "output": "late"}]

    script = Script(flow)
    script.start()
    assert script.done(event, "yes") == [{"kind": "cancel", "ref": timer}, {"kind": "complete", "output": "yes"}]


@pytest.mark.skipif(not hasattr(asyncio, "timeout"), reason="asyncio.timeout and TaskGroup came with Python 3.11")
def test_asyncio_timeout_and_task_group() -> None:
    @everstep.workflow
    async def flow(ctx: WorkflowContext) -> list[Any]:
        seen: list[Any] = []
        try:
            async with asyncio.timeout(2):
                await ctx.wait_for_event("never")
        except TimeoutError:
            seen.append("late")
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(_fails(ctx))
                other = group.create_task(_waits(ctx))
        except BaseException as error:
            seen.append(type(error).__name__)
        seen.append(other.cancelled())
        return seen

    async def _fails(ctx: WorkflowContext) -> None:
        await ctx.call(ship, "a")

    async def _waits(ctx: WorkflowContext) -> None:
        await ctx.wait_for_event("never")

    script = Script(flow)
    assert kinds(script.start()) == ["timer", "event"]
    assert kinds(script.done(1)) == ["cancel", "activity", "event"]
    assert script.failed(3) == [
        {"kind": "cancel", "ref": 4},
        {"kind": "complete", "output": ["late", "ExceptionGroup", True]},
    ]


def test_events_locks_and_queues_of_asyncio_work() -> None:
    @everstep.workflow
    async def flow(ctx: WorkflowContext) -> list[str]:
        order: list[str] = []
        lock, ready = asyncio.Lock(), asyncio.Event()

        async def worker(name: str) -> None:
            await ready.wait()
            async with lock:
                order.append(await ctx.call(ship, name))

        tasks = [asyncio.create_task(worker(name)) for name in "abc"]
        await ctx.sleep(1)
        ready.set()
        await asyncio.gather(*tasks)
        return order

    script = Script(flow)
    assert kinds(script.start()) == ["timer"]
    assert kinds(script.done(1)) == ["activity"]
    assert kinds(script.done(2, "A")) == ["activity"]
    assert kinds(script.done(3, "B")) == ["activity"]
    assert script.done(4, "C") == [{"kind": "complete", "output": ["A", "B", "C"]}]


async def _never() -> None:
    await asyncio.get_running_loop().create_future()


def _stalls() -> dict[str, Any]:
    async def sockets(ctx: WorkflowContext) -> None:
        await asyncio.open_connection("127.0.0.1", 1)

    async def threads(ctx: WorkflowContext) -> None:
        await asyncio.to_thread(print)

    async def processes(ctx: WorkflowContext) -> None:
        await asyncio.create_subprocess_exec("true")

    async def swallowed(ctx: WorkflowContext) -> str:
        try:
            await asyncio.to_thread(print)
        except Exception:
            return "fine"
        return ""

    async def foreign(ctx: WorkflowContext) -> None:
        await asyncio.wrap_future(concurrent.futures.Future[int]())

    async def nothing(ctx: WorkflowContext) -> None:
        await _never()

    async def by_thread(ctx: WorkflowContext) -> None:
        future = asyncio.get_running_loop().create_future()
        threading.Timer(0, lambda: None).start()
        await future

    return {name: value for name, value in locals().items() if callable(value)}


@pytest.mark.parametrize("name", _stalls())
def test_what_no_history_can_replay_stalls(name: str) -> None:
    script = Script(everstep.workflow(_stalls()[name]))
    assert script.stall()["code"] == "non_durable"
    assert script.instances == 0


def test_eviction_runs_finally_on_a_poisoned_context() -> None:
    seen: list[str] = []

    @everstep.workflow
    async def flow(ctx: WorkflowContext) -> None:
        try:
            await asyncio.gather(ctx.sleep(1), branch(ctx))
        finally:
            seen.append("main")
            try:
                ctx.sleep(1)
            except everstep.WorkflowEvicted:
                seen.append("poisoned")

    async def branch(ctx: WorkflowContext) -> None:
        try:
            await ctx.sleep(2)
        finally:
            seen.append("branch")

    script = Script(flow)
    script.start()
    assert script.play({"kind": "evict", "reason": "full"}) == []
    assert sorted(seen) == ["branch", "main", "poisoned"]
    assert script.instances == 0
    assert script.play({"kind": "evict", "reason": "ended"}) == []
