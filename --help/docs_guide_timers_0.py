


import asyncio
from datetime import datetime, timedelta, timezone

import everstep


@everstep.workflow
async def reminder(ctx: everstep.WorkflowContext) -> str:
    began = ctx.now()
    await ctx.sleep(0.05)
    await ctx.create_timer(ctx.now() + timedelta(seconds=0.05))
    await asyncio.sleep(0.05)
    return f"slept {'enough' if ctx.now() - began >= timedelta(seconds=0.15) else 'too little'}"


with everstep.Client("memory:") as client, everstep.Worker(client, [reminder]):
    print(client.start_workflow(reminder).result(timeout=30))














@everstep.activity
async def slow() -> str:
    await asyncio.sleep(20)
    return "done"


@everstep.workflow
async def limited(ctx: everstep.WorkflowContext) -> str:
    try:
        async with asyncio.timeout(0.05):
            return await ctx.call(slow)
    except TimeoutError:
        return "out of time"


if hasattr(asyncio, "timeout"):  # Python 3.11 and newer; asyncio.wait_for works everywhere
    with everstep.Client("memory:") as client, everstep.Worker(client, [limited], [slow]):
        print(client.start_workflow(limited).result(timeout=30))











tomorrow = datetime.now(timezone.utc) + timedelta(days=1)

with everstep.Client("memory:") as client, everstep.Worker(client, [reminder]):
    client.start_workflow(reminder, instance_id="later", start_at=tomorrow)
    client.start_workflow(reminder, instance_id="soon", start_at=timedelta(seconds=0.05))
    print(client.get_workflow("later").runtime_status)
    print(client.get_handle("soon", reminder).result(timeout=30))













ran: list[int] = []


@everstep.activity
def clean_up(day: int) -> None:
    ran.append(day)


@everstep.workflow
async def daily(ctx: everstep.WorkflowContext, day: int) -> None:
    due = ctx.now() + timedelta(milliseconds=20)  # in life: the next 3 o'clock after ctx.now()
    await ctx.create_timer(due)
    await ctx.call(clean_up, day, retry=everstep.Retry(max_attempts=3))
    if day < 3:  # in life: for ever
        ctx.continue_as_new(day + 1)


with everstep.Client("memory:") as client, everstep.Worker(client, [daily], [clean_up]):
    for _ in range(2):
        try:
            client.start_workflow(daily, 1, instance_id="daily-clean-up")
        except everstep.AlreadyExistsError:
            print("it runs already")
    client.get_handle("daily-clean-up").result(timeout=30)
    print(ran)
