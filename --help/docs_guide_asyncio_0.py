




import asyncio

import everstep


@everstep.activity
def greet(name: str) -> str:
    return f"hello {name}"


@everstep.workflow
async def greeting(ctx: everstep.WorkflowContext, name: str) -> str:
    await ctx.wait_for_event("go")
    return await ctx.call(greet, name)


async def main() -> None:
    async with everstep.AsyncClient("memory:") as client, everstep.Worker(client, [greeting], [greet]):
        handle = await client.start_workflow(greeting, "you", instance_id="greeting-1")
        await handle.raise_event("go")
        print(await handle.result(timeout=30))
        async for state in client.list_workflows():
            print(state.instance_id, state.runtime_status)


asyncio.run(main())















async def many() -> None:
    async with everstep.AsyncClient("memory:") as client, everstep.Worker(client, [greeting], [greet]):
        handles = await asyncio.gather(*(client.start_workflow(greeting, f"guest {n}") for n in range(100)))
        waits = [asyncio.ensure_future(handle.result()) for handle in handles]
        await asyncio.gather(*(handle.raise_event("go") for handle in handles))
        results = await asyncio.gather(*waits)
        print(len(results), results[7])


asyncio.run(many())












async def impatient() -> None:
    async with everstep.AsyncClient("memory:") as client, everstep.Worker(client, [greeting], [greet]):
        handle = await client.start_workflow(greeting, "you")
        try:
            await asyncio.wait_for(handle.result(), 0.05)
        except asyncio.TimeoutError:
            print((await handle.wait_for_start(timeout=30)).runtime_status)


asyncio.run(impatient())
