












































from datetime import timedelta

import everstep


@everstep.activity
def reserve(item: str) -> str:
    return f"{item} is reserved"


@everstep.workflow
async def order(ctx: everstep.WorkflowContext, item: str) -> str:
    reserved = await ctx.call(reserve, item)
    try:
        await ctx.wait_for_event("approval", timeout=timedelta(days=3))
    except everstep.WaitTimeout:
        return "nobody answered"
    return reserved


with everstep.Client("memory:") as client, everstep.Worker(client, [order], [reserve]):
    handle = client.start_workflow(order, "lamp", instance_id="order-7")
    client.raise_workflow_event("order-7", "approval", True)
    print(handle.result(timeout=30))









from collections.abc import Generator
from typing import Any


@everstep.workflow
def order_by_yield(ctx: everstep.WorkflowContext, items: list[str]) -> Generator[Any, list[str], list[str]]:
    return (yield [ctx.call(reserve, item) for item in items])


with everstep.Client("memory:") as client, everstep.Worker(client, [order_by_yield], [reserve]):
    print(client.start_workflow(order_by_yield, ["lamp", "desk"]).result(timeout=30))









with everstep.Client("memory:") as client, everstep.Worker(client, [order], [reserve]):
    client.start_workflow(
        instance_id="order-8", workflow_component="dapr", workflow_name="order", input="lamp"
    )
    client.pause_workflow(instance_id="order-8", workflow_component="dapr")
    client.resume_workflow(instance_id="order-8", workflow_component="dapr")
    client.raise_workflow_event(
        instance_id="order-8", workflow_component="dapr", event_name="approval", event_data=True
    )
    client.wait_for_workflow_completion("order-8", timeout=30)
    print(client.get_workflow(instance_id="order-8", workflow_component="dapr").runtime_status)
    client.purge_workflow(instance_id="order-8", workflow_component="dapr")
