"""The aids for tests: time that skips, and stored histories against changed code."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

import everstep
from everstep.testing import Environment, replay


@everstep.workflow
async def patient(ctx: everstep.WorkflowContext, days: float) -> float:
    began = ctx.now()
    await ctx.sleep(timedelta(days=days))
    return (ctx.now() - began) / timedelta(days=1)


@everstep.workflow
async def approval(ctx: everstep.WorkflowContext) -> str:
    try:
        return await ctx.wait_for_event("approval", str, timeout=timedelta(days=3))
    except everstep.WaitTimeout:
        return "nobody answered"


gate = threading.Event()


@everstep.activity
def held() -> str:
    assert gate.wait(30)
    return "held"


@everstep.workflow
async def race(ctx: everstep.WorkflowContext) -> str:
    activity, timer = ctx.call(held), ctx.sleep(timedelta(days=1))
    return "held" if await ctx.any(activity, timer) is activity else "skipped"


@pytest.mark.parametrize("max_cached", [None, 0])
def test_years_pass_at_once(max_cached: int | None) -> None:
    with Environment([patient], max_cached=max_cached) as env:
        assert env.client.start_workflow(patient, 3650.0).result(timeout=30) >= 3650


def test_time_stands_until_somebody_waits() -> None:
    with Environment([approval]) as env:
        answered = env.client.start_workflow(approval)
        forgotten = env.client.start_workflow(approval)
        answered.raise_event("approval", "yes")
        assert answered.result(timeout=30) == "yes"
        assert forgotten.result(timeout=30) == "nobody answered"


def test_sleep_lets_happen_what_is_due() -> None:
    with Environment([patient, approval]) as env:
        day, week = env.client.start_workflow(patient, 1.0), env.client.start_workflow(patient, 7.0)
        waits = env.client.start_workflow(approval)
        before = env.now()
        after = env.sleep(timedelta(days=2))
        assert timedelta(days=2) <= after - before < timedelta(days=2, minutes=1)
        assert day.get().runtime_status == "COMPLETED"
        assert week.get().runtime_status == "RUNNING"
        waits.raise_event("approval", "in time")
        assert waits.result(timeout=30) == "in time"
        assert {state.instance_id for state in env.client.list_workflows()} == {
            handle.instance_id for handle in (day, week, waits)
        }


def test_time_does_not_skip_while_an_activity_runs() -> None:
    gate.clear()
    with Environment([race, patient], [held]) as env:
        handle = env.client.start_workflow(race)
        results: list[str] = []
        waiter = threading.Thread(target=lambda: results.append(handle.result(timeout=30)))
        waiter.start()
        # Time would have skipped by the time that this wait is over.
        with pytest.raises(everstep.OperationTimeoutError):
            handle.result(timeout=0.2)
        gate.set()
        waiter.join(30)
        assert results == ["held"]


def test_a_start_that_is_delayed_by_engine_time() -> None:
    with Environment([patient]) as env:
        env.sleep(timedelta(days=30))
        assert env.now() > datetime.now(timezone.utc) + timedelta(days=29)
        handle = env.client.start_workflow(patient, 0.0, start_at=env.now() + timedelta(days=1))
        assert handle.get().runtime_status == "PENDING"
        assert handle.result(timeout=30) == 0
        started = handle.get().started_at
        assert started is not None
        assert started > datetime.now(timezone.utc) + timedelta(days=30)


def test_environments_are_apart() -> None:
    with Environment([patient]) as one, Environment([patient]) as other:
        one.client.start_workflow(patient, 0.0, instance_id="mine")
        with pytest.raises(everstep.NotFoundError):
            other.client.get_workflow("mine")


def test_a_duration_is_checked() -> None:
    with Environment() as env, pytest.raises(everstep.InvalidArgumentError):
        env.sleep(-1)


# Stored histories against changed code.


@everstep.activity
def echo(value: int) -> int:
    return value


@everstep.activity
def broken(value: int) -> int:
    raise ValueError(value)


@everstep.workflow(name="child")
async def child(ctx: everstep.WorkflowContext, value: int) -> int:
    return await ctx.call(echo, value)


@everstep.workflow(name="flow")
async def flow(ctx: everstep.WorkflowContext, wait: bool) -> int:
    total = await ctx.call(echo, 1)
    with pytest.raises(everstep.ActivityError):
        await ctx.call(broken, 2, retry=everstep.Retry(max_attempts=2, first_interval=0.001))
    total += await ctx.call(child, 3)
    await ctx.sleep(0.001)
    if ctx.is_patched("more"):
        total += sum(await ctx.map(echo, [4, 5, 6], max_concurrency=2))
    if wait:
        ctx.set_custom_status("waits")
        total += await ctx.wait_for_event("go", int, timeout=timedelta(days=1))
    await ctx.call(echo, total)
    return total


@everstep.workflow(name="failing")
async def failing(ctx: everstep.WorkflowContext) -> None:
    await ctx.call(echo, 1)
    raise ValueError("no")


@everstep.workflow(name="counting")
async def counting(ctx: everstep.WorkflowContext, number: int) -> int:
    await ctx.call(echo, number)
    return number if number == 3 else ctx.continue_as_new(number + 1)


ALL = [flow, child, failing, counting]


def stored(client: everstep.Client) -> None:
    """Leaves runs of all workflows: ended in every way, waiting, paused, never begun."""
    client.start_workflow(flow, False, instance_id="ended").result(timeout=30)
    for name in ("waits", "paused", "terminated"):
        client.start_workflow(flow, True, instance_id=name)
        for state in client.watch_workflow(name):
            if state.custom_status == "waits":
                break
    client.pause_workflow("paused")
    client.terminate_workflow("terminated")
    with pytest.raises(everstep.WorkflowFailedError):
        client.start_workflow(failing, instance_id="failed").result(timeout=30)
    client.start_workflow(counting, 1, instance_id="counted").result(timeout=30)
    client.start_workflow(counting, 1, instance_id="later", start_at=timedelta(days=1))


def test_the_same_code_fits_what_it_wrote() -> None:
    with everstep.Client("memory:") as client:
        with everstep.Worker(client, ALL, [echo, broken]):
            stored(client)
        count = sum(1 for _ in client.list_workflows())
        assert replay(client, ALL) == count >= 10
        assert replay(client, [counting], statuses=["COMPLETED"]) == 1
        assert replay(client, ALL, instance_ids=["ended"]) == 1
        with pytest.raises(everstep.NotFoundError):
            replay(client, ALL, instance_ids=["nobody"])


@everstep.workflow(name="short")
async def short(ctx: everstep.WorkflowContext, wait: bool) -> int:
    await ctx.call(echo, 1)
    if wait:
        ctx.set_custom_status("waits")
        await ctx.wait_for_event("go")
    return await ctx.call(echo, 2)


@everstep.workflow(name="short")
async def other_activity(ctx: everstep.WorkflowContext, wait: bool) -> int:
    await ctx.call(broken, 1)
    return 0


@everstep.workflow(name="short")
async def one_more_before(ctx: everstep.WorkflowContext, wait: bool) -> int:
    await ctx.call(echo, 1)
    await ctx.call(echo, 1)
    await ctx.wait_for_event("go")
    return await ctx.call(echo, 2)


@everstep.workflow(name="short")
async def one_more_beside(ctx: everstep.WorkflowContext, wait: bool) -> int:
    await ctx.call(echo, 1)
    ctx.call(echo, 1)
    if wait:
        await ctx.wait_for_event("go")
    return await ctx.call(echo, 2)


@everstep.workflow(name="short")
async def one_more_behind(ctx: everstep.WorkflowContext, wait: bool) -> int:
    await ctx.call(echo, 1)
    if wait:
        await ctx.wait_for_event("go")
    await ctx.call(echo, 2)
    return await ctx.call(echo, 3)


@everstep.workflow(name="short")
async def last_one_left_out(ctx: everstep.WorkflowContext, wait: bool) -> int:
    await ctx.call(echo, 1)
    if wait:
        await ctx.wait_for_event("go")
    return 0


@everstep.workflow(name="short")
async def nothing_left(ctx: everstep.WorkflowContext, wait: bool) -> int:
    return 0


@everstep.workflow(name="short")
async def patched(ctx: everstep.WorkflowContext, wait: bool) -> int:
    if ctx.is_patched("other"):
        return 0
    await ctx.call(echo, 1)
    if wait:
        await ctx.wait_for_event("go")
    return await ctx.call(echo, 2)


@everstep.workflow(name="short", version="v2")
async def versioned(ctx: everstep.WorkflowContext, wait: bool) -> int:
    await ctx.call(echo, 1)
    if wait:
        await ctx.wait_for_event("go")
    return await ctx.call(echo, 2)


@everstep.workflow(name="short")
async def not_durable(ctx: everstep.WorkflowContext, wait: bool) -> int:
    import asyncio

    await ctx.call(echo, 1)
    await asyncio.to_thread(print)
    return 0


@pytest.mark.parametrize(
    ("changed", "unfit"),
    [
        (short, []),
        (patched, []),
        (one_more_behind, ["ended"]),
        (last_one_left_out, ["ended"]),
        (other_activity, ["ended", "waits"]),
        (one_more_before, ["ended", "waits"]),
        (one_more_beside, ["ended", "waits"]),
        (nothing_left, ["ended", "waits"]),
        (versioned, ["ended", "waits"]),
        (not_durable, ["ended", "waits"]),
    ],
)
def test_changed_code_is_found_out(changed: Callable[..., Any], unfit: list[str]) -> None:
    with everstep.Client("memory:") as client:
        with everstep.Worker(client, [short], [echo]):
            client.start_workflow(short, False, instance_id="ended").result(timeout=30)
            client.start_workflow(short, True, instance_id="waits")
            for state in client.watch_workflow("waits"):
                if state.custom_status == "waits":
                    break
        before = [client.get_workflow_history(name) for name in ("ended", "waits")]
        for name in ("ended", "waits"):
            if name in unfit:
                with pytest.raises(everstep.WorkflowStalledError) as caught:
                    replay(client, [changed], instance_ids=[name])
                assert caught.value.instance_id == name
            else:
                assert replay(client, [changed], instance_ids=[name]) == 1
        assert [client.get_workflow_history(name) for name in ("ended", "waits")] == before


def test_a_file_is_replayed_while_its_owner_works(tmp_path: Path) -> None:
    endpoint = f"sqlite:{tmp_path / 'work.db'}"
    program = (
        "import sys, everstep, everstep.testing\n"
        "@everstep.workflow(name='patient')\n"
        "async def patient(ctx: everstep.WorkflowContext, days: float) -> float:\n"
        "    await ctx.sleep(0)\n"
        "    return days\n"
        "with everstep.Client(sys.argv[1]) as client:\n"
        "    print(everstep.testing.replay(client, [patient]))\n"
    )
    with everstep.Client(endpoint) as client, everstep.Worker(client, [patient]):
        client.start_workflow(patient, 0.0).result(timeout=30)
        command = [sys.executable, "-c", program, endpoint]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
        assert done.stdout == "1\n"
