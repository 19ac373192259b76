





from dataclasses import dataclass
from datetime import timedelta

import everstep


@dataclass
class Approval:
    by: str
    approved: bool


asked: list[str] = []


@everstep.activity
def ask_manager(order: str) -> None:
    asked.append(order)


@everstep.workflow
async def big_order(ctx: everstep.WorkflowContext, order: str) -> str:
    await ctx.call(ask_manager, order)
    try:
        approval = await ctx.wait_for_event("approval", Approval, timeout=timedelta(days=3))
    except everstep.WaitTimeout:
        return "nobody answered"
    return f"{order}: {'yes' if approval.approved else 'no'} from {approval.by}"


with everstep.Client("memory:") as client, everstep.Worker(client, [big_order], [ask_manager]):
    handle = client.start_workflow(big_order, "order-7", instance_id="order-7")
    client.raise_workflow_event("order-7", "approval", Approval("Ada", True))
    print(handle.result(timeout=30))

















@everstep.workflow
async def first_word(ctx: everstep.WorkflowContext) -> str:
    stop = ctx.wait_for_event("stop", str)
    go = ctx.wait_for_event("go", str)
    done = await ctx.any(stop, go)
    return f"{'stop' if done is stop else 'go'}: {done.result()}"


with everstep.Client("memory:") as client, everstep.Worker(client, [first_word]):
    handle = client.start_workflow(first_word)
    handle.raise_event("go", "all is well")
    print(handle.result(timeout=30))














@everstep.workflow
async def account(ctx: everstep.WorkflowContext, balance: int) -> int:
    for _ in range(100):
        change = await ctx.wait_for_event("change", int)
        if change == 0:
            return balance
        balance += change
        ctx.set_custom_status({"balance": balance})
    ctx.continue_as_new(balance)


with everstep.Client("memory:") as client, everstep.Worker(client, [account]):
    handle = client.start_workflow(account, 0, instance_id="account-1")
    for _ in range(250):
        handle.raise_event("change", 2)
    handle.raise_event("change", 0)
    print(handle.result(timeout=30), handle.get().custom_status)
