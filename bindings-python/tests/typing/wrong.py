"""Programs that both type checkers must refuse: each line marked `# wrong` must have an error, and no other line."""

from __future__ import annotations

from dataclasses import dataclass

import everstep
from everstep import ActivityContext, AsyncClient, Client, Codec, Retry, Worker, WorkflowContext


@dataclass
class Order:
    id: str


@everstep.activity
def reserve(order: Order) -> int:
    return len(order.id)


@everstep.activity
async def bill(ctx: ActivityContext, order: Order) -> str:
    return order.id


@everstep.activity
def clean_up() -> None: ...


@everstep.workflow
async def flow(ctx: WorkflowContext, order: Order) -> int:
    await ctx.call(reserve, "order-7")  # wrong
    await ctx.call(bill, 7)  # wrong
    await ctx.call(reserve)  # wrong
    await ctx.call(flow, {"id": "order-7"})  # wrong
    text: str = await ctx.call(reserve, order)  # wrong
    await ctx.call(reserve, order, retry=3)  # wrong
    await ctx.sleep("1")  # wrong
    approved: int = await ctx.wait_for_event("approval", str)  # wrong
    await ctx.map(reserve, ["order-7"])  # wrong
    await ctx.map(flow, ["order-7"])  # wrong
    await ctx.map(reserve, order)  # wrong
    await ctx.map(clean_up, [order])  # wrong
    await ctx.map(flow, [order], timeout=3)  # wrong
    await ctx.map(bill, [order], max_concurrency="3")  # wrong
    texts: list[str] = await ctx.map(reserve, [order])  # wrong
    (await ctx.map(bill, [order], return_exceptions=True))[0].upper()  # wrong
    ctx.set_custom_status(await ctx.call(bill, order) + 1)  # wrong
    return text  # wrong


@everstep.workflow  # wrong
def no_workflow(ctx: WorkflowContext, order: Order) -> int:
    return 1


@everstep.workflow  # wrong
async def no_context(order: Order) -> int:
    return 1


def main(client: Client) -> None:
    client.start_workflow(flow, "order-7")  # wrong
    receipt: str = client.start_workflow(flow, Order("a")).result()  # wrong
    client.start_workflow(flow, Order("a"), instance_id=7)  # wrong
    client.start_workflow(workflow="flow")  # wrong
    client.get_workflow(7)  # wrong
    client.list_workflows(workflow="flow")  # wrong
    client.count_workflows(statuses=7)  # wrong
    client.purge_workflows(created_to="yesterday")  # wrong
    client.pause_workflows(progress="so far")  # wrong
    client.terminate_workflows(reason="over")  # wrong
    Retry(max_attempts="3")  # wrong
    Worker(client, flow, [reserve])  # wrong
    Client(durability="maybe")  # wrong
    client.get_workflow_history("order-7").to_mermaid(2)  # wrong
    Client(codec=Codec)  # wrong
    Codec(backend="pickle")  # wrong
    reserve("order-7")  # wrong


async def awaited(client: AsyncClient) -> None:
    await client.start_workflow(flow, "order-7")  # wrong
    await client.start_workflow(flow, Order("a"), instance_id=7)  # wrong
    await client.start_workflow(flow, Order("a"), retries=7)  # wrong
    handle = await client.start_workflow(flow, Order("a"))
    receipt: str = await handle.result()  # wrong
    number: int = handle.result()  # wrong
    client.start_workflow(flow, Order("a")).result()  # wrong
    for state in client.list_workflows():  # wrong
        pass
    for state in client.watch_workflow("order-7"):  # wrong
        pass
    with client:  # wrong
        pass
    AsyncClient(durability="maybe")  # wrong
