






import asyncio

import everstep


@everstep.activity
def length(word: str) -> int:
    return len(word)


@everstep.workflow
async def measure(ctx: everstep.WorkflowContext, word: str) -> int:
    return await ctx.call(length, word)


@everstep.workflow
async def longest(ctx: everstep.WorkflowContext, words: list[str]) -> str:
    sizes = await ctx.all(ctx.call(measure, word) for word in words)
    return max(zip(sizes, words, strict=True))[1]


with everstep.Client("memory:") as client, everstep.Worker(client, [longest, measure], [length]):
    handle = client.start_workflow(longest, ["to", "sleep", "perchance"], instance_id="hamlet")
    print(handle.result(timeout=30))
