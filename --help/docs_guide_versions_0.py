


















import time

import everstep


@everstep.activity
def charge(order: str) -> str:
    return f"{order} is charged"


@everstep.activity
def check_fraud(order: str) -> str:
    return f"{order} is honest"


@everstep.workflow(name="order")
async def order_before(ctx: everstep.WorkflowContext, order: str) -> str:
    charged = await ctx.call(charge, order)
    await ctx.wait_for_event("ship")
    return charged


@everstep.workflow(name="order")
async def order_after(ctx: everstep.WorkflowContext, order: str) -> str:
    honest = await ctx.call(check_fraud, order) if ctx.is_patched("fraud check") else "nobody asked"
    charged = await ctx.call(charge, order)
    await ctx.wait_for_event("ship")
    return f"{charged}, {honest}"


with everstep.Client("memory:") as client:
    with everstep.Worker(client, [order_before], [charge]):
        client.start_workflow(order_before, "old order", instance_id="old").wait_for_start(timeout=30)
    with everstep.Worker(client, [order_after], [charge, check_fraud]):  # the new program
        client.start_workflow(order_after, "new order", instance_id="new")
        for name in ("old", "new"):
            client.raise_workflow_event(name, "ship")
            print(client.get_handle(name).result(timeout=30))














@everstep.workflow(name="order")
async def order_renamed(ctx: everstep.WorkflowContext, order: str) -> str:
    await ctx.call(check_fraud, order)
    return await ctx.call(charge, order)


with everstep.Client("memory:") as client:
    with everstep.Worker(client, [order_before], [charge]):
        client.start_workflow(order_before, "order", instance_id="order-7").wait_for_start(timeout=30)
    with everstep.Worker(client, [order_renamed], [charge, check_fraud]):
        client.raise_workflow_event("order-7", "ship")
        try:
            client.get_handle("order-7").result(timeout=30)
        except everstep.WorkflowStalledError:
            print(client.get_workflow("order-7").runtime_status)
    with everstep.Worker(client, [order_before], [charge]):  # put the right code back
        while client.get_workflow("order-7").runtime_status == "STALLED":
            time.sleep(0.01)
        print(client.get_handle("order-7").result(timeout=30))
