"""Programs that both type checkers must accept, with the types they must find."""

from __future__ import annotations

import asyncio
from collections.abc import Generator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Optional

from typing_extensions import assert_type

import everstep
from everstep import (
    ActivityContext,
    AsyncClient,
    AsyncWorkflowHandle,
    Client,
    Codec,
    History,
    HistoryEvent,
    Retry,
    RuntimeStatus,
    Worker,
    WorkflowContext,
    WorkflowHandle,
    WorkflowState,
)


@dataclass
class Order:
    id: str
    total: float


@dataclass
class Receipt:
    number: int


@everstep.activity
def reserve(order: Order) -> int:
    return len(order.id)


@everstep.activity(name="bill-it")
async def bill(ctx: ActivityContext, order: Order) -> Receipt:
    return Receipt(ctx.attempt)


@everstep.activity
def clean_up() -> None: ...


@everstep.workflow
async def audit(ctx: WorkflowContext) -> bool:
    await ctx.sleep(timedelta(days=1))
    return True


@everstep.workflow(name="old-style", version="2")
def old_style(ctx: WorkflowContext, n: int) -> Generator[Any, Any, str]:
    value = yield ctx.call(reserve, Order("a", 1.0))
    return str(value + n)


@everstep.workflow
async def order_processing(ctx: WorkflowContext, order: Order) -> Receipt:
    assert_type(await ctx.call(reserve, order, retry=Retry(max_attempts=3), timeout=1.5), int)
    assert_type(await ctx.call(bill, order), Receipt)
    assert_type(await ctx.call(clean_up), None)
    assert_type(await ctx.call(audit, instance_id="a"), bool)
    assert_type(await ctx.call(old_style, 3), str)
    assert_type(await ctx.call_activity("reserve", order, returns=int), int)
    assert_type(await ctx.call_child("audit"), Any)
    assert_type(await ctx.wait_for_event("approval", bool, timeout=3), bool)
    assert_type(await ctx.wait_for_event("approval"), Any)
    reserved, billed = await ctx.all(ctx.call(reserve, order), ctx.call(bill, order))
    assert_type(reserved, int)
    assert_type(billed, Receipt)
    assert_type(await ctx.all([ctx.call(reserve, order) for _ in range(3)]), list[int])
    outcomes = await ctx.all(ctx.call(reserve, order), ctx.call(reserve, order), return_exceptions=True)
    assert_type(outcomes, tuple[int | BaseException, ...])
    assert_type(await ctx.map(reserve, [order], max_concurrency=3, timeout=2), list[int])
    assert_type(await ctx.map(bill, (order for _ in range(3)), retry=Retry(max_attempts=2)), list[Receipt])
    assert_type(await ctx.map(old_style, range(3)), list[str])
    assert_type(await ctx.map(order_processing, (order, order), max_concurrency=None), list[Receipt])
    assert_type(await ctx.map(bill, [order], return_exceptions=True), list[Receipt | BaseException])
    assert_type(await ctx.map("reserve", [order], returns=int), list[int])
    assert_type(await ctx.map("reserve", [order]), list[Any])
    both = await asyncio.gather(ctx.call(reserve, order), ctx.call(bill, order))
    assert_type(both[1], Receipt)
    first = await ctx.any(ctx.call(reserve, order), ctx.call(reserve, order))
    assert_type(first.result(), int)
    if ctx.random.random() < 0.5:
        ctx.continue_as_new(order)
    return billed


def main() -> None:
    assert_type(reserve(Order("a", 1.0)), int)
    with Client("memory:") as client, Worker(client, [order_processing, old_style, audit], [reserve, bill, clean_up]):
        handle = client.start_workflow(order_processing, Order("a", 1.0), instance_id="order-7")
        assert_type(handle, WorkflowHandle[Receipt])
        assert_type(handle.result(timeout=30), Receipt)
        assert_type(client.start_workflow(audit).result(), bool)
        assert_type(client.start_workflow(old_style, 3).result(), str)
        assert_type(client.start_workflow("by-name", [1]).result(), Any)
        client.start_workflow(workflow_name="by-name", workflow_component="dapr", input=1, workflow_options={"a": "b"})
        assert_type(client.get_handle("order-7", order_processing).result(), Receipt)
        assert_type(client.get_workflow(instance_id="order-7").output_as(Receipt), Receipt)
        assert_type(client.count_workflows(parent_instance_id="order-7"), dict[RuntimeStatus, int])
        assert_type(client.purge_workflows(statuses=["COMPLETED", RuntimeStatus.FAILED], progress=print), int)
        assert_type(client.purge_workflow(instance_id="order-7", workflow_component="dapr"), int)
        assert_type(handle.history(expand=1), History)
        assert_type(handle.history()[0].outcome, Optional[HistoryEvent])
        assert_type(handle.history()[1:], list[HistoryEvent])
        for seen in handle.watch():
            assert_type(seen, WorkflowState)
        client.raise_workflow_event(
            instance_id="order-7", workflow_component="dapr", event_name="approval", event_data=True
        )


class Reversing(Codec):
    def seal(self, text: str) -> str:
        return text[::-1]

    def unseal(self, text: str) -> str:
        return text[::-1]


def sealed() -> None:
    with Client("memory:", codec=Reversing()) as client, Worker(client, [audit], codec=Codec(backend="orjson")):
        assert_type(Reversing().encode([1]), str)
        assert_type(client.get_workflow("order-7").input, Any)


async def awaited() -> None:
    async with AsyncClient("memory:") as client, Worker(client, [order_processing], [reserve]) as worker:
        assert_type(worker, Worker)
        handle = await client.start_workflow(order_processing, Order("a", 1.0), instance_id="order-7", reuse="never")
        assert_type(handle, AsyncWorkflowHandle[Receipt])
        assert_type(await handle.result(timeout=30), Receipt)
        assert_type(await (await client.start_workflow(audit, start_at=timedelta(days=1))).result(), bool)
        assert_type(await (await client.start_workflow(old_style, 3)).result(), str)
        assert_type(await client.start_workflow(workflow_name="by-name", input=1), AsyncWorkflowHandle[Any])
        assert_type(await client.get_handle("order-7", order_processing).result(), Receipt)
        assert_type(await client.purge_workflow("order-7"), int)
        async for state in client.list_workflows(workflow_name="by-name"):
            assert_type(state, WorkflowState)
        async for seen in handle.watch():
            assert_type(seen, WorkflowState)
        assert_type((await handle.history()).to_mermaid(expand=1), str)
        handles = await asyncio.gather(*(client.start_workflow(audit) for _ in range(3)))
        assert_type(await asyncio.gather(*(handle.result() for handle in handles)), list[bool])
