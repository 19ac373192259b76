




import everstep


class NoSuchCard(everstep.NonRetryableError):
    pass


@everstep.activity
def charge(task: everstep.ActivityContext, card: str) -> str:
    if card == "unknown":
        raise NoSuchCard(card)
    if task.attempt < 3:
        raise ConnectionError("the bank does not answer")
    return f"charged in attempt {task.attempt}"


PATIENT = everstep.Retry(max_attempts=5, first_interval=0.01, backoff=2.0, max_interval=60)


@everstep.workflow
async def pay(ctx: everstep.WorkflowContext, card: str) -> str:
    try:
        return await ctx.call(charge, card, retry=PATIENT)
    except everstep.ActivityError as error:
        return f"not paid: {error.error_type}"


with everstep.Client("memory:") as client, everstep.Worker(client, [pay], [charge]):
    print(client.start_workflow(pay, "card-1").result(timeout=30))
    print(client.start_workflow(pay, "unknown").result(timeout=30))




























done: list[str] = []


@everstep.activity
def do(step: str) -> str:
    if step == "hotel":
        raise ValueError("no room")
    done.append(step)
    return step


@everstep.activity
def undo(step: str) -> None:
    done.append(f"no {step}")


@everstep.workflow
async def trip(ctx: everstep.WorkflowContext, steps: list[str]) -> None:
    booked: list[str] = []
    try:
        for step in steps:
            booked.append(await ctx.call(do, step))
    except everstep.ActivityError:
        for step in reversed(booked):
            await ctx.call(undo, step, retry=PATIENT)
        raise


with everstep.Client("memory:") as client, everstep.Worker(client, [trip], [do, undo]):
    try:
        client.start_workflow(trip, ["flight", "car", "hotel"]).result(timeout=30)
    except everstep.WorkflowFailedError as error:
        print(done)
        print(error.message)
















import asyncio


@everstep.workflow
async def wrong(ctx: everstep.WorkflowContext) -> None:
    await asyncio.to_thread(print, "this belongs in an activity")


with everstep.Client("memory:") as client, everstep.Worker(client, [wrong]):
    handle = client.start_workflow(wrong)
    try:
        handle.result(timeout=30)
    except everstep.WorkflowStalledError as error:
        print(error.code, handle.get().runtime_status)
