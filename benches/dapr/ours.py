"""everstep as a side of the comparison."""

from __future__ import annotations

from typing import TYPE_CHECKING

import everstep
from measures import ask, main, stamp

if TYPE_CHECKING:
    from contextlib import AbstractContextManager


@everstep.activity
def add_one(number: int) -> int:
    return number + 1


@everstep.activity
def stamped(number: int) -> int:
    return stamp(number)


@everstep.workflow
async def one(ctx: everstep.WorkflowContext, number: int) -> int:
    return await ctx.call(add_one, number)


@everstep.workflow
async def five(ctx: everstep.WorkflowContext, number: int) -> int:
    for _ in range(5):
        number = await ctx.call(add_one, number)
    return number


@everstep.workflow
async def steps(ctx: everstep.WorkflowContext, count: int) -> int:
    number = 0
    for _ in range(count):
        number = await ctx.call(stamped, number)
    return number


class Ours:
    """The synchronous client, the asyncio client and a worker, at the sidecar that the environment names."""

    def __init__(self) -> None:
        self.client = everstep.Client("dapr:")

    def worker(self) -> AbstractContextManager[object]:
        return everstep.Worker(self.client, [one, five, steps], [add_one, stamped])

    def start(self, name: str, number: int) -> str:
        return self.client.start_workflow(name, number).instance_id

    def result(self, instance: str) -> int:
        return self.client.get_handle(instance, five).result(timeout=120)

    def get(self, instance: str) -> object:
        return self.client.get_workflow(instance)

    async def gets(self, instance: str, loops: int, until: float) -> list[int]:
        async with everstep.AsyncClient("dapr:") as client:
            return await ask(lambda: client.get_workflow(instance), loops, until)


if __name__ == "__main__":
    main(Ours)
