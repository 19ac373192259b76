









import everstep


@everstep.activity
def greet(name: str) -> str:
    return f"Hello, {name}!"


@everstep.workflow
async def greeting(ctx: everstep.WorkflowContext, name: str) -> str:
    return await ctx.call(greet, name, retry=everstep.Retry(max_attempts=3))


with everstep.Client() as client, everstep.Worker(client, [greeting], [greet]):
    handle = client.start_workflow(greeting, "Ada", instance_id="greeting-1")
    try:
        print(handle.result(timeout=30))
    except everstep.WorkflowFailedError as error:
        print(error.failure)
