




import asyncio
import sqlite3
from dataclasses import dataclass

import everstep


@dataclass
class Payment:
    order: str
    cents: int


@everstep.activity
def fetch(name: str) -> int:
    return len(name)


@everstep.activity
async def ask(name: str) -> str:
    await asyncio.sleep(0.01)
    return name.upper()


@everstep.workflow
async def both(ctx: everstep.WorkflowContext, name: str) -> str:
    size, answer = await ctx.all(ctx.call(fetch, name), ctx.call(ask, name))
    return f"{answer} has {size} letters"


with everstep.Client("memory:") as client, everstep.Worker(client, [both], [fetch, ask]):
    print(client.start_workflow(both, "everstep").result(timeout=30))


















shop = sqlite3.connect(":memory:", check_same_thread=False)
shop.execute("CREATE TABLE payments (task_key TEXT PRIMARY KEY, order_id TEXT, cents INTEGER)")


@everstep.activity
def charge(task: everstep.ActivityContext, payment: Payment) -> int:
    with shop:
        shop.execute(
            "INSERT OR IGNORE INTO payments VALUES (?, ?, ?)", (task.task_key, payment.order, payment.cents)
        )
    if task.attempt == 1:
        raise ConnectionError("the answer got lost")
    return payment.cents


@everstep.workflow
async def pay(ctx: everstep.WorkflowContext, payment: Payment) -> int:
    return await ctx.call(charge, payment, retry=everstep.Retry(max_attempts=3, first_interval=0.01))


with everstep.Client("memory:") as client, everstep.Worker(client, [pay], [charge]):
    client.start_workflow(pay, Payment("order-7", 4990)).result(timeout=30)
    print(shop.execute("SELECT count(*), sum(cents) FROM payments").fetchone())



























told: list[bool] = []


@everstep.activity
def slow(task: everstep.ActivityContext) -> None:
    told.append(task.wait_cancelled(timeout=20))


@everstep.workflow
async def impatient(ctx: everstep.WorkflowContext) -> str:
    try:
        await ctx.call(slow, timeout=0.05)
    except everstep.WaitTimeout:
        return "took too long"
    return "done"


with everstep.Client("memory:") as client, everstep.Worker(client, [impatient], [slow]):
    print(client.start_workflow(impatient).result(timeout=30))
print("told to stop:", told)
