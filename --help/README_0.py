


















from dataclasses import dataclass

import everstep


@dataclass
class Order:
    item: str
    cents: int
    card: str


class CardDeclined(everstep.NonRetryableError):
    pass


@everstep.activity
def reserve(order: Order) -> str:
    return f"reserved {order.item}"


@everstep.activity
def charge(order: Order) -> int:
    if order.card == "expired":
        raise CardDeclined(f"the bank declines {order.card}")
    return order.cents


@everstep.activity
def release(order: Order) -> str:
    return f"{order.item} is back on the shelf"


@everstep.workflow
async def order_processing(ctx: everstep.WorkflowContext, order: Order) -> str:
    await ctx.call(reserve, order)
    try:
        cents = await ctx.call(charge, order, retry=everstep.Retry(max_attempts=3))
    except everstep.ActivityError as error:
        undone = await ctx.call(release, order)
        return f"not sold ({error.error_type}), {undone}"
    return f"sold {order.item} for {cents} cents"


with (
    everstep.Client("sqlite:orders.db") as client,
    everstep.Worker(client, [order_processing], [reserve, charge, release]),
):
    lamp = client.start_workflow(order_processing, Order("lamp", 4990, "card-1"), instance_id="order-1")
    desk = client.start_workflow(order_processing, Order("desk", 54900, "expired"), instance_id="order-2")
    print(lamp.result(timeout=30))
    print(desk.result(timeout=30))
    print(client.get_workflow(instance_id="order-1").runtime_status)
