


import everstep


@everstep.activity
def greet(name: str) -> str:
    return f"hello {name}"


@everstep.workflow
async def greeting(ctx: everstep.WorkflowContext, name: str) -> str:
    ctx.set_custom_status("waiting for a word")
    await ctx.wait_for_event("go")
    return await ctx.call(greet, name)


client = everstep.Client("memory:")
worker = everstep.Worker(client, [greeting], [greet])
worker.start()
handle = client.start_workflow(greeting, "you", instance_id="greeting-1", tags={"team": "sales"})





state = handle.wait_for_start(timeout=30)
print(state.instance_id, state.name, state.runtime_status, state.input, state.custom_status)




















handle.pause(reason="the shop is closed")
handle.raise_event("go")
print(handle.get().runtime_status)
handle.resume()
print(handle.result(timeout=30), handle.get().runtime_status)


















for number in range(3):
    client.start_workflow(greeting, f"guest {number}", instance_id=f"guest-{number}")

for state in client.list_workflows(workflow_name="greeting", statuses=["RUNNING", "PENDING"]):
    print(state.instance_id)













watched = client.start_workflow(greeting, "watcher")
for state in watched.watch():
    if state.runtime_status is everstep.RuntimeStatus.RUNNING:
        watched.raise_event("go")
print(state.runtime_status, state.output)













for event in handle.history():
    if event.type != "WorkflowStarted":
        print(event.type, event.attributes.get("name", "-"))















worker.close()
client.close()
