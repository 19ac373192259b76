














import everstep


@everstep.activity
def step(number: int) -> int:
    return number + 1


runs: list[bool] = []


@everstep.workflow
async def counting(ctx: everstep.WorkflowContext) -> int:
    number = 0
    for _ in range(3):
        number = await ctx.call(step, number)
        runs.append(ctx.is_replaying)
    return number


# With max_cached=0 nothing stays in memory: every turn is a replay.
with everstep.Client("memory:") as client, everstep.Worker(client, [counting], [step], max_cached=0):
    handle = client.start_workflow(counting)
    print(handle.result(timeout=30))
    print(runs)
    print([event.type for event in handle.history()].count("TaskScheduled"), "activities in the history")
