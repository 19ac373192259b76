"""The aids for tests: time that skips."""

from __future__ import annotations

import threading
from datetime import datetime, timedelta, timezone

import pytest

import everstep
from everstep.testing import Environment


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
