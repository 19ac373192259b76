



























































from datetime import timedelta

import everstep


@everstep.activity
async def charge(order: str) -> str:
    return f"{order} is charged"


@everstep.workflow
async def order_workflow(ctx: everstep.WorkflowContext, order: str) -> str:
    ctx.set_custom_status("waiting")
    approved = await ctx.wait_for_event("approve", bool, timeout=timedelta(days=3))
    ctx.set_custom_status("decided")
    if not approved:
        return "declined"
    return await ctx.call(charge, order, timeout=30, retry=everstep.Retry(max_attempts=3))


with everstep.Client("sqlite:orders.db") as client, everstep.Worker(client, [order_workflow], [charge]):
    handle = client.start_workflow(order_workflow, "order-7", instance_id="order-7")
    handle.raise_event("approve", True)
    print(handle.result(timeout=30), handle.get().custom_status)
