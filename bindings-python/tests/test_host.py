"""How the host runs the tasks of a batch, without an engine."""

from __future__ import annotations

import asyncio
import json

import pytest

import everstep
from everstep import WorkflowContext
from hosting import Script


async def _never() -> None:
    await asyncio.get_running_loop().create_future()


def test_an_unknown_version_stalls() -> None:
    @everstep.workflow(version="1")
    async def flow(ctx: WorkflowContext) -> str:
        return "one"

    @everstep.workflow(name="flow", version="2", latest=True)
    async def flow_two(ctx: WorkflowContext) -> str:
        return "two"

    script = Script(flow, flow_two)
    start = {"kind": "start", "name": "flow", "seed": "1"}
    assert script.play({**start, "version": "1"})[0]["output"] == "one"
    assert script.play({**start, "version": "2"})[0]["output"] == "two"
    assert script.stall({**start, "version": "3"})["code"] == "version_not_available"
    assert script.stall(start)["code"] == "version_not_available"
    assert script.stall({**start, "name": "other"})["code"] == "version_not_available"


def test_one_bad_instance_leaves_the_batch_alone() -> None:
    @everstep.workflow
    async def flow(ctx: WorkflowContext, n: int) -> int:
        if n == 1:
            await _never()
        return n

    host = Script(flow).host
    turn = {"kind": "turn", "now": 0, "replay": False, "patches": []}
    tasks = [
        {
            "t": str(n),
            "id": str(n),
            "run": "r",
            "jobs": [turn, {"kind": "start", "name": "flow", "seed": "1", "input": n}],
        }
        for n in range(3)
    ]
    answers = json.loads(host.answer(tasks))["turns"]
    assert ["stall" in answer for answer in answers] == [False, True, False]


@pytest.mark.parametrize("n", [1, 200])
def test_a_long_rebuild_is_one_task(n: int) -> None:
    @everstep.workflow
    async def flow(ctx: WorkflowContext) -> int:
        total = 0
        for _ in range(n):
            total += await ctx.call_activity("one", returns=int)
        return total

    script = Script(flow)
    jobs = [
        {"kind": "start", "name": "flow", "seed": "1"},
        *({"kind": "done", "ref": i + 1, "value": 1} for i in range(n)),
    ]
    commands = script.play(*jobs, replay=True)
    assert len(commands) == n + 1
    assert commands[-1] == {"kind": "complete", "output": n}
