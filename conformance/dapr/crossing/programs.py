"""Our side of the crossing: the same workflows and activities, under the same names, as the official SDKs' programs."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any

import everstep


@dataclass
class Address:
    city: str
    zip: int


@everstep.activity
def plus_one(number: int) -> int:
    return number + 1


@everstep.activity
def explode(text: str) -> None:
    raise ValueError(text) from KeyError("deeper")


@everstep.activity
def idle() -> None:
    return None


@everstep.activity
def locate() -> Address:
    return Address("Ghent", 9000)


@everstep.workflow
async def chain(ctx: everstep.WorkflowContext, number: int) -> int:
    for _ in range(3):
        number = await ctx.call(plus_one, number)
    return number


@everstep.workflow
async def fan_out(ctx: everstep.WorkflowContext, numbers: list[int]) -> int:
    return sum(await ctx.all(*(ctx.call(plus_one, number) for number in numbers)))


@everstep.workflow
async def timer(_: everstep.WorkflowContext, seconds: float) -> str:
    await asyncio.sleep(seconds)
    return "fired"


@everstep.workflow
async def approval(ctx: everstep.WorkflowContext) -> Any:
    ctx.set_custom_status("waiting")
    return await ctx.wait_for_event("Approval")


@everstep.workflow
async def deploy(ctx: everstep.WorkflowContext, number: int) -> int:
    number = await ctx.call(plus_one, number)
    await ctx.wait_for_event("deployed")
    number = await ctx.call(plus_one, number)
    await ctx.wait_for_event("verified")
    return number


@everstep.workflow
async def changed(ctx: everstep.WorkflowContext, _: int) -> None:
    """The official SDKs' programs call ``plus_one`` here."""
    await ctx.call(idle)
    await ctx.wait_for_event("deployed")


@everstep.workflow
async def family(ctx: everstep.WorkflowContext, number: int) -> int:
    return await ctx.call(chain, number)


@everstep.workflow
async def failing(ctx: everstep.WorkflowContext, text: str) -> None:
    await ctx.call(explode, text)


@everstep.workflow
async def bad_family(ctx: everstep.WorkflowContext, text: str) -> None:
    await ctx.call(failing, text)


@everstep.workflow
async def caught(ctx: everstep.WorkflowContext, text: str) -> str:
    try:
        await ctx.call(explode, text)
    except everstep.ActivityError as error:
        return "caught" if error.error_type == "ValueError" else error.error_type
    return "not raised"


@everstep.workflow
async def generations(ctx: everstep.WorkflowContext, left: int) -> Any:
    if left > 0:
        await asyncio.sleep(0.01)
        ctx.continue_as_new(left - 1)
    return await ctx.wait_for_event("go")


@everstep.workflow
async def nothing(ctx: everstep.WorkflowContext, given: Any = None) -> None:
    result = await ctx.call(idle)
    if given is not None or result is not None:
        raise ValueError(f"nothing became {given!r} and {result!r}")


@everstep.workflow
async def address(ctx: everstep.WorkflowContext) -> Address:
    return await ctx.call(locate)


@everstep.workflow
async def city_of(_: everstep.WorkflowContext, address: Address) -> str:
    return address.city


WORKFLOWS = [
    chain,
    fan_out,
    timer,
    approval,
    deploy,
    changed,
    family,
    failing,
    bad_family,
    caught,
    generations,
    nothing,
    address,
    city_of,
]
ACTIVITIES = [plus_one, explode, idle, locate]
