"""The client for asyncio, beside a runtime with activities that are coroutines."""

import asyncio

import everstep.dapr as wf  # official: import dapr.ext.workflow as wf
from everstep.dapr import aio  # official: from dapr.ext.workflow import aio

runtime = wf.WorkflowRuntime()


@runtime.workflow
def brew(ctx: wf.DaprWorkflowContext, cups: int):
    poured = yield wf.when_all([ctx.call_activity(pour, input=cup) for cup in range(cups)])
    sugar = yield ctx.wait_for_external_event("sugar")
    return {"cups": poured, "sugar": sugar}


@runtime.activity
async def pour(ctx: wf.WorkflowActivityContext, cup: int) -> str:
    await asyncio.sleep(0.01)
    return f"cup {cup}"


async def serve() -> None:
    client = aio.DaprWorkflowClient()
    instance_id = await client.schedule_new_workflow(brew, input=2, instance_id="brew-1")
    await client.wait_for_workflow_start(instance_id, timeout_in_seconds=30)
    try:
        await client.wait_for_workflow_completion(instance_id, timeout_in_seconds=1)
    except TimeoutError:
        print("still waiting for sugar")
    await client.raise_workflow_event(instance_id, "sugar", data=2)
    state = await client.wait_for_workflow_completion(instance_id, timeout_in_seconds=30)
    print(state.runtime_status.name, state.serialized_output)

    many = [f"brew-many-{number}" for number in range(5)]
    await asyncio.gather(*(client.schedule_new_workflow(brew, input=1, instance_id=each) for each in many))
    await asyncio.gather(*(client.raise_workflow_event(each, "sugar", data=0.5) for each in many))
    states = await asyncio.gather(
        *(client.wait_for_workflow_completion(each, timeout_in_seconds=30) for each in many)
    )
    print([state.runtime_status.name for state in states])
    found = [each async for each in client.iter_workflow_instance_ids() if each in many]
    print(sorted(found))
    history = await client.get_workflow_history(many[0])
    print([event.event_type.name for event in history if event.name == "pour"])

    paused = await client.schedule_new_workflow(brew, input=1, instance_id="brew-paused")
    await client.wait_for_workflow_start(paused, timeout_in_seconds=30)
    await client.pause_workflow(paused)
    while (await client.get_workflow_state(paused)).runtime_status is not wf.WorkflowStatus.SUSPENDED:
        await asyncio.sleep(0.05)
    await client.resume_workflow(paused)
    await client.terminate_workflow(paused, output="cold")
    state = await client.wait_for_workflow_completion(paused, timeout_in_seconds=30)
    print(state.runtime_status.name, state.serialized_output)
    await client.purge_workflow(paused)
    print(await client.get_workflow_state(paused))
    page = await client.list_workflow_instance_ids(page_size=1)
    print("a page of", len(page.instance_ids))


def main() -> None:
    runtime.start()
    asyncio.run(serve())
    runtime.shutdown()


if __name__ == "__main__":
    main()
