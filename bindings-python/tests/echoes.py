"""Two activities that give back what they were given, and two workflows, for the tests of workers."""

from __future__ import annotations

import asyncio
from typing import Any

import everstep
from everstep import WorkflowContext


@everstep.activity
def echo(value: Any) -> Any:
    return value


@everstep.activity
async def echo_async(value: Any) -> Any:
    await asyncio.sleep(0)
    return value


@everstep.workflow
async def echoes(ctx: WorkflowContext, value: Any) -> Any:
    return await ctx.call(echo, await ctx.call(echo_async, value))


@everstep.workflow
async def waits(ctx: WorkflowContext) -> Any:
    ctx.set_custom_status("waiting")
    return await ctx.wait_for_event("go")
